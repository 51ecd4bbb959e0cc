//! Real executables and library roots for tests, made with the C compiler that Rust links with.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use fs_err as fs;
use tempfile::TempDir;

use super::{LibraryRoot, Request, RuntimeError, RuntimeFiles, find};
use crate::fs::{Content, Node, Tree};
use crate::oci::Platform;

/// The platform of this machine.
pub(super) fn host() -> Platform {
    Platform::of_target(&format!("{}-unknown-linux-gnu", processor())).expect("a known processor")
}

fn processor() -> &'static str {
    match std::env::consts::ARCH {
        "riscv64" => "riscv64gc",
        "powerpc64" => "powerpc64le",
        "arm" => "armv7",
        "x86" => "i686",
        other => other,
    }
}

/// A build directory beside a library root that holds this machine's C library.
pub(super) struct Workshop {
    directory: TempDir,
}

impl Workshop {
    pub(super) fn new() -> Self {
        let workshop = Self::bare();
        let files = OWN_FILES.get_or_init(own_files);
        for tree in [&files.glibc, &files.libraries] {
            write_tree(tree, &workshop.root_path());
        }
        let _ = fs::remove_dir_all(workshop.root_path().join("var/lib/dpkg"));
        workshop
    }

    /// With nothing in the root.
    pub(super) fn bare() -> Self {
        let directory = TempDir::new().expect("temp");
        fs::create_dir(directory.path().join("root")).expect("free");
        fs::create_dir(directory.path().join("build")).expect("free");
        Self { directory }
    }

    pub(super) fn root_path(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    pub(super) fn root(&self) -> LibraryRoot {
        LibraryRoot::open(&self.root_path()).expect("a directory")
    }

    /// The path of `name` in the root, its directory made.
    pub(super) fn in_root(&self, name: &str) -> PathBuf {
        let path = self.root_path().join(name.trim_start_matches('/'));
        fs::create_dir_all(path.parent().expect("has one")).expect("directory");
        path
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.in_root(name), text).expect("writable");
    }

    pub(super) fn link(&self, target: &str, name: &str) {
        symlink(target, self.in_root(name)).expect("free");
    }

    pub(super) fn build_path(&self, name: &str) -> PathBuf {
        self.directory.path().join("build").join(name)
    }

    /// Makes the library `path` of the root, whose soname is its file name. It needs the libraries
    /// in `needed` (by paths of the root).
    pub(super) fn library(&self, path: &str, needed: &[&str], options: &[&str]) {
        let soname = path.rsplit('/').next().expect("a name");
        let soname_option = format!("-Wl,-soname,{soname}");
        let mut all = vec!["-shared", "-fPIC", soname_option.as_str()];
        all.extend(options);
        let output = self.in_root(path);
        self.compile("int answer(void) { return 42; }", &output, needed, &all);
    }

    /// Makes a program in the build directory.
    pub(super) fn program(&self, name: &str, needed: &[&str], options: &[&str]) -> PathBuf {
        let output = self.build_path(name);
        self.compile("int main(void) { return 0; }", &output, needed, options);
        output
    }

    pub(super) fn compile(&self, source: &str, output: &Path, needed: &[&str], options: &[&str]) {
        let source_path = self.build_path("source.c");
        fs::write(&source_path, source).expect("writable");
        let status = Command::new("cc")
            .args(["-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined", "-o"])
            .arg(output)
            .arg(&source_path)
            .args(options)
            .args(needed.iter().map(|path| self.in_root(path)))
            .status()
            .expect("a C compiler, as for linking Rust");
        assert!(status.success(), "cc makes {}", output.display());
    }

    /// A dpkg database: packages and the files of each.
    pub(super) fn packages(&self, packages: &[(&str, &[&str])]) {
        let mut status = String::new();
        for (name, files) in packages {
            let stanza = [
                &format!("Package: {name}"),
                "Status: install ok installed",
                "Architecture: all",
                "Version: 1.0",
                &format!("Description: {name}"),
                " more\n\n",
            ];
            status.push_str(&stanza.join("\n"));
            let list = format!("/.\n{}\n", files.join("\n"));
            self.write(&format!("/var/lib/dpkg/info/{name}.list"), &list);
            let sums: Vec<String> = files
                .iter()
                .map(|file| format!("0123  {}\n", file.trim_start_matches('/')))
                .collect();
            self.write(
                &format!("/var/lib/dpkg/info/{name}.md5sums"),
                &sums.concat(),
            );
        }
        self.write("/var/lib/dpkg/status", &status);
    }

    /// Finds the surroundings of `program` in the root.
    pub(super) fn find(
        &self,
        program: &Path,
        extra_libraries: &[&str],
    ) -> Result<RuntimeFiles, RuntimeError> {
        let extra_libraries: Vec<String> = extra_libraries
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        find(&Request {
            extra_libraries: &extra_libraries,
            ..request(program, &self.root(), &host())
        })
    }
}

/// A request for nothing but libraries.
pub(super) fn request<'a>(
    executable: &'a Path,
    library_root: &'a LibraryRoot,
    platform: &'a Platform,
) -> Request<'a> {
    Request {
        service: "orders",
        executable,
        platform,
        library_root,
        extra_libraries: &[],
        ca_certificates: false,
        tzdata: false,
    }
}

/// Read once: this machine may have many packages.
static OWN_FILES: OnceLock<RuntimeFiles> = OnceLock::new();

/// The surroundings of the running test.
fn own_files() -> RuntimeFiles {
    let own = std::env::current_exe().expect("this test");
    let root = LibraryRoot::open(Path::new("/")).expect("a directory");
    let platform = host();
    let extra_libraries = unowned_on_host(&own, &root, &platform);
    find(&Request {
        extra_libraries: &extra_libraries,
        ..request(&own, &root, &platform)
    })
    .expect("this test runs")
}

/// Machines that tests run on may have libraries of no package.
fn unowned_on_host(own: &Path, root: &LibraryRoot, platform: &Platform) -> Vec<String> {
    match find(&request(own, root, platform)) {
        Err(RuntimeError::Unowned(libraries)) => {
            libraries.into_iter().map(|library| library.path).collect()
        }
        _ => Vec::new(),
    }
}

/// Writes `tree` below `directory`.
pub(super) fn write_tree(tree: &Tree, directory: &Path) {
    for (path, node) in tree.iter() {
        let place = directory.join(path.as_str());
        match node {
            Node::Directory { .. } => fs::create_dir_all(&place).expect("directory"),
            Node::Symlink { target } => symlink(target, &place).expect("free"),
            Node::File { mode, content } => {
                match content {
                    Content::Bytes(bytes) => fs::write(&place, bytes).expect("writable"),
                    Content::File(file) => {
                        fs::copy(file, &place).expect("readable");
                    }
                }
                let permissions = std::fs::Permissions::from_mode(*mode);
                fs::set_permissions(&place, permissions).expect("own file");
            }
        }
    }
}

/// The paths of files and links in `tree`, without dpkg's.
pub(super) fn file_paths(tree: &Tree) -> Vec<String> {
    tree.iter()
        .filter(|(path, node)| {
            !matches!(node, Node::Directory { .. }) && !path.as_str().starts_with("var/lib/dpkg")
        })
        .map(|(path, _)| path.absolute())
        .collect()
}
