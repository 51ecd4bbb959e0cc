//! The way out with docker: a Dockerfile gives the image that `build` makes.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_lighter::digest::Digest;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::cli::{Lighter, Run};
use crate::support::tools::{Unpacked, output, run, skipped, skopeo_config};
use crate::support::workspace::{Checkout, manifest, shop};

/// Every setting that a Dockerfile can say, with letters that mean something to it.
const SETTINGS: &str = r#"
links = "nothing"

[package.metadata.lighter]
path = "/srv/my app"
links = ["/usr/bin/app"]
args = ["--say", "a \"$b\" \\ 'c'\n"]
ports = [8080, "53/udp"]
volumes = ["/data $x", "/var/lib/app"]
extra-libs = ["libz.so.1"]
workdir = "/work dir"
stop-signal = "SIGINT"
assets = [{ from = "files", to = "/srv/files" }]

[package.metadata.lighter.env]
PLAIN = "x"
ODD = "a \"$PLAIN\" ${PLAIN} \\ 'b' # c"
EMPTY = ""

[package.metadata.lighter.labels]
"com.example.odd" = "x = \"$y\" \\"
"com.example key" = "z"
"#;

#[test]
fn an_image_by_dockerfile_is_the_one_that_build_makes() {
    let checkout = Checkout::of_services(&["app"]);
    checkout.append("app/Cargo.toml", SETTINGS);
    // What says that it links a native library is asked for its libraries.
    checkout.write("app/build.rs", "fn main() {}\n");
    checkout.write("app/files/a b.txt", "a $b");
    checkout.write_executable("app/files/run's", "#!/bin/sh\n");
    assert_same(
        checkout.path(),
        "app",
        &TempDir::new().expect("temporary").path().join("t"),
    );
}

#[test]
fn a_static_image_of_a_workspace_in_a_repository_is_the_same() {
    let checkout = Checkout::empty();
    checkout.write(
        "inner/Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"app\"]\n",
    );
    let settings = "[package.metadata.lighter]\nlinkage = \"static\"\ntzdata = true\n\
                    assets = [{ from = \"../../legal.txt\", to = \"/usr/share/legal.txt\" }]\n";
    checkout.write("inner/app/Cargo.toml", &manifest("app", settings));
    // The name of the file stands in the executable.
    checkout.write(
        "inner/app/src/main.rs",
        "fn main() {\n    panic!(\"no\");\n}\n",
    );
    checkout.write("legal.txt", "ours\n");
    let lock = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n";
    checkout.write("inner/Cargo.lock", lock);
    checkout.commit("all");
    assert_same(
        &checkout.path().join("inner"),
        "app",
        &TempDir::new().expect("temporary").path().join("t"),
    );
}

#[test]
fn a_service_of_the_shop_is_the_same_image_by_dockerfile() {
    // Kept from run to run, so that its dependencies are compiled once.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dockerfile-target");
    assert_same(shop(), "shop-worker", &target);
}

/// Splits `app` off with a Dockerfile.
fn split_app(checkout: &Checkout, out: &Path) -> Run {
    Lighter::at(checkout.path())
        .args(["split", "--offline", "--dockerfile", "--out"])
        .args([out])
        .run()
}

#[test]
fn a_dockerfile_of_the_package_stays_a_source() {
    let (checkout, out) = (
        Checkout::empty(),
        TempDir::new().expect("a temporary directory"),
    );
    checkout.write("Cargo.toml", &manifest("app", "\n[workspace]\n"));
    checkout.write_lock(&["app"]);
    checkout.write(
        "src/main.rs",
        "fn main() {\n    println!(\"{:?}{}\", option_env!(\"BUILD_NUMBER\"), include_str!(\"../Dockerfile\"));\n}\n",
    );
    checkout.write("Dockerfile", "FROM scratch\n");
    split_app(&checkout, out.path()).expect(0);
    let text = |name: &str| fs_err::read_to_string(out.path().join("app").join(name));
    assert_eq!(text("Dockerfile").expect("there"), "FROM scratch\n");
    let ours = text("Dockerfile.lighter").expect("there");
    assert!(ours.contains("\nARG BUILD_NUMBER\n"), "{ours}");
    assert!(ours.contains("--file Dockerfile.lighter ."), "{ours}");
    text("Dockerfile.lighter.dockerignore").expect("there");
    // The same bytes again, and gone when they are not wanted any more.
    split_app(&checkout, out.path()).expect(0);
    assert_eq!(text("Dockerfile.lighter").expect("there"), ours);
    Lighter::at(checkout.path())
        .args(["split", "--offline", "--out"])
        .args([out.path()])
        .run()
        .expect(0);
    assert!(text("Dockerfile.lighter").is_err());
    text("Dockerfile").expect("there");
}

#[test]
fn what_no_dockerfile_can_say_is_refused_before_anything_is_written() {
    let (checkout, out) = (
        Checkout::of_services(&["app"]),
        TempDir::new().expect("a temporary directory"),
    );
    checkout.append(
        "app/Cargo.toml",
        "[package.metadata.lighter.env]\nLINES = \"a\\nb\"\n",
    );
    split_app(&checkout, out.path())
        .expect(2)
        .says(&["error: cannot write a Dockerfile for `app`", "hint: "]);
    assert!(!out.path().join("app").exists());
}

/// Builds `service` both ways and compares everything.
#[track_caller]
fn assert_same(checkout: &Path, service: &str, target: &Path) {
    let engine = Engine::new();
    if let Err(reason) = engine.prepare() {
        skipped(&format!("podman cannot build here:\n{reason}"));
        return;
    }
    let layout = engine.place("layout");
    Lighter::at(checkout)
        .args([
            "build",
            "--offline",
            "--to",
            &format!("oci:{}", layout.display()),
            service,
        ])
        .run()
        .expect(0);
    let out = engine.place("out");
    Lighter::at(checkout)
        .args(["split", "--offline", "--dockerfile", service, "--out"])
        .args([&out])
        .run()
        .expect(0);
    let theirs = engine.build(&out.join(service), target);

    let index = fs_err::read(layout.join("index.json")).expect("a layout");
    let index: Value = serde_json::from_slice(&index).expect("JSON");
    let name = &index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"];
    let name = name.as_str().expect("a name");
    let (ours, other) = (
        Unpacked::of_layout(&layout, name),
        Unpacked::of_layout(&theirs, "image"),
    );
    let (ours, other) = (entries(&ours.root()), entries(&other.root()));
    let lines = |of: &BTreeSet<String>, but: &BTreeSet<String>| {
        of.difference(but).cloned().collect::<Vec<_>>()
    };
    let (missing, added) = (lines(&ours, &other), lines(&other, &ours));
    assert!(
        missing.is_empty() && added.is_empty(),
        "missing: {missing:#?}\nadded: {added:#?}"
    );

    let config = |layout: &Path, name: &str| {
        let config = skopeo_config(&format!("oci:{}:{name}", layout.display()));
        let mut execution = config["config"].clone();
        if let Some(labels) = execution["Labels"].as_object_mut() {
            labels.remove("io.buildah.version");
        }
        // Builders have variables of their own, and keep their order.
        let variables = execution["Env"].as_array_mut().expect("variables");
        variables.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        (
            config["architecture"].clone(),
            config["os"].clone(),
            execution,
        )
    };
    assert_eq!(config(&layout, name), config(&theirs, "image"));
}

/// Path, kind, mode, owner and content of everything below a root.
fn entries(root: &Path) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs_err::read_dir(&directory).expect("readable") {
            let path = entry.expect("readable").path();
            let metadata = path.symlink_metadata().expect("there");
            let bytes = if metadata.is_dir() {
                open.push(path.clone());
                Vec::new()
            } else if metadata.is_symlink() {
                let target = fs_err::read_link(&path).expect("a link");
                target.to_string_lossy().into_owned().into_bytes()
            } else {
                fs_err::read(&path).expect("readable")
            };
            all.insert(format!(
                "{} {:o} {}:{} {}",
                path.strip_prefix(root).expect("below").display(),
                metadata.permissions().mode(),
                metadata.uid(),
                metadata.gid(),
                Digest::of(&bytes)
            ));
        }
    }
    all
}

/// podman with storage of its own, and an image that stands for the official one: nothing in it but
/// links, over which this machine's system and toolchain are mounted.
struct Engine {
    directory: TempDir,
}

const BASE: &str = "localhost/rust-build:latest";

impl Engine {
    fn new() -> Self {
        Self {
            directory: TempDir::new().expect("a temporary directory"),
        }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn podman(&self) -> Command {
        let mut podman = Command::new("podman");
        podman
            .arg("--root")
            .arg(self.place("storage"))
            .arg("--runroot")
            .arg(self.place("run"))
            .args(["--runtime", "runc", "--cgroup-manager", "cgroupfs"]);
        podman
    }

    /// Makes the base image; what podman says where it cannot.
    fn prepare(&self) -> Result<(), String> {
        let base = self.place("base");
        for name in [
            "usr",
            "etc",
            "tmp",
            "var",
            "proc",
            "sys",
            "dev",
            "run",
            "cargo",
            "toolchain",
            "target",
        ] {
            fs_err::create_dir_all(base.join(name)).expect("created");
        }
        for name in ["bin", "sbin", "lib", "lib64"] {
            if let Ok(target) = fs_err::read_link(Path::new("/").join(name)) {
                fs_err::os::unix::fs::symlink(target, base.join(name)).expect("linked");
            }
        }
        let archive = self.place("base.tar");
        run(Command::new("tar")
            .arg("-cf")
            .arg(&archive)
            .arg("-C")
            .arg(&base)
            .arg("."));
        let changes = [
            "--change",
            "ENV PATH=/toolchain/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "--change",
            "ENV CARGO_NET_OFFLINE=true",
        ];
        let made = output(
            self.podman()
                .arg("import")
                .args(changes)
                .arg(&archive)
                .arg(BASE),
        );
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        made.status.success().then_some(()).ok_or(said)
    }

    /// The layout that the Dockerfile in `context` gives, its image called `image`.
    fn build(&self, context: &Path, target: &Path) -> PathBuf {
        fs_err::create_dir_all(target).expect("created");
        let sysroot = run(Command::new("rustc").args(["--print", "sysroot"]));
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
        let mounts = [
            ("/usr".into(), "/usr:ro"),
            ("/etc".into(), "/etc:ro"),
            ("/var/lib/dpkg".into(), "/var/lib/dpkg:ro"),
            (PathBuf::from(sysroot.trim()), "/toolchain:ro"),
            (home.expect("a cargo home"), "/cargo"),
            (target.to_owned(), "/target"),
        ];
        let mut build = self.podman();
        build
            .args([
                "build",
                "--quiet",
                "--layers=false",
                "--isolation",
                "chroot",
                "--network",
                "host",
            ])
            .args(["--build-arg", &format!("RUST_IMAGE={BASE}")]);
        for (from, to) in mounts {
            build
                .arg("--volume")
                .arg(format!("{}:{to}", from.display()));
        }
        run(build.args(["--tag", "localhost/built:latest"]).arg(context));
        let layout = self.place("theirs");
        let saved = self.place("saved");
        run(self
            .podman()
            .args(["save", "--quiet", "--format", "oci-dir", "--output"])
            .arg(&saved)
            .arg("localhost/built:latest"));
        let (from, to) = (
            format!("oci:{}", saved.display()),
            format!("oci:{}:image", layout.display()),
        );
        run(Command::new("skopeo").args(["copy", "-q", &from, &to]));
        layout
    }
}
