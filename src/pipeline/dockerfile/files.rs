//! The commands that put the image's files together.

use std::path::{Path, PathBuf};

use super::DockerfileError;
use super::compile::executable;
use super::place::Place;
use super::quote::shell;
use super::{ZONES, render};
use crate::config::ServiceConfig;
use crate::fs::{Content, ImagePath, Node, Tree, relative};
use crate::plan::PlannedService;
use crate::runtime::debian_glibc;
use crate::split::{Split, SplitFile};
use crate::workspace::Workspace;

/// Where the image grows.
const IMAGE: &str = "/image";
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// One RUN of several commands, the first that fails being the last.
pub(super) fn script(commands: &[String]) -> String {
    let mut all = vec!["set -eu; umask 022".to_owned()];
    all.extend(commands.iter().cloned());
    joined(&all)
}

/// Commands after others, a line each.
pub(super) fn joined(commands: &[String]) -> String {
    commands.join("; \\\n    ")
}

/// The commands that make what is in `tree`. `source` says where the bytes of a file are in the build
/// stage.
pub(super) fn commands(
    tree: &Tree,
    mut source: impl FnMut(&ImagePath, &Path) -> Result<PathBuf, DockerfileError>,
) -> Result<Vec<String>, DockerfileError> {
    let mut commands = Vec::new();
    for (path, node) in tree.iter() {
        let place = shell(&format!("{IMAGE}{}", path.absolute()))?;
        commands.push(match node {
            Node::Directory { mode, owner } => {
                let (uid, gid) = (owner.uid, owner.gid);
                format!("install -d -m {mode:04o} -o {uid} -g {gid} {place}")
            }
            Node::Symlink { target } => format!("ln -sfn {} {place}", shell(target)?),
            Node::File {
                content: Content::Bytes(bytes),
                mode,
            } => {
                let lines = text(path, bytes)?;
                format!("printf '%s\\n' {lines} > {place}; chmod {mode:04o} {place}")
            }
            Node::File {
                content: Content::File(from),
                mode,
            } => {
                let from = source(path, from)?;
                format!(
                    "install -m {mode:04o} {} {place}",
                    shell(&from.to_string_lossy())?
                )
            }
        });
    }
    Ok(commands)
}

/// The lines of a small text, as words.
fn text(path: &ImagePath, bytes: &[u8]) -> Result<String, DockerfileError> {
    let whole = std::str::from_utf8(bytes).ok();
    let lines = whole.and_then(|text| text.strip_suffix('\n'));
    let lines = lines.ok_or_else(|| DockerfileError::NoText(path.absolute()))?;
    let words: Vec<String> = lines.split('\n').map(shell).collect::<Result<_, _>>()?;
    Ok(words.join(" "))
}

/// Where a file of the repository is in the build stage. One that the split has at no such path, since
/// only a link leads to it, is added.
pub(super) fn asset(
    split: &mut Split,
    place: &Place,
    to: &ImagePath,
    from: &Path,
    mode: u32,
) -> PathBuf {
    let origin = split.origin.canonicalize();
    let origin = origin.as_ref().unwrap_or(&split.origin);
    let inside = match from.strip_prefix(origin) {
        Ok(inside) => inside.to_owned(),
        Err(_) => Path::new(".cargo-lighter-assets").join(to.as_str()),
    };
    if !split.files.contains_key(&inside) {
        let copy = SplitFile::Copy {
            from: from.to_owned(),
            executable: mode & 0o100 != 0,
        };
        split.files.insert(inside.clone(), copy);
    }
    place.split.join(inside)
}

/// The commands that take files of the system; none where there are none. `take` must be defined, and for
/// dynamic executables `describe` and `record`.
pub(super) fn system(
    workspace: &Workspace,
    service: &PlannedService,
    split: &Split,
    is_dynamic: bool,
) -> Result<Vec<String>, DockerfileError> {
    let config = &service.config;
    let mut commands = Vec::new();
    if config.ca_certificates.value {
        commands.push(format!("take {CERTIFICATES}"));
    }
    if config.tzdata.value {
        // Links are written as images have them; those that leave the database say which zone the
        // machine is in.
        commands.push(render(ZONES, &[])?.trim_end().to_owned());
    }
    if !is_dynamic {
        return Ok(commands);
    }
    commands.extend(packages(config).into_iter().map(str::to_owned));
    commands.push("take /lib; take /lib64".to_owned());
    let mut fixed = vec!["/etc/os-release".to_owned()];
    fixed.extend(debian_glibc(&service.platform));
    commands.push(recorded(&fixed.join(" ")));
    for library in &config.extra_libs.value {
        commands.push(extra(library)?);
    }
    if links_native(workspace, split) {
        let executable = shell(&executable(service))?;
        commands.push(recorded(&needed_by(&executable)));
    }
    Ok(commands)
}

/// Takes files, and records the packages that own them.
fn recorded(files: &str) -> String {
    format!("for file in {files}; do take \"$file\"; record \"$at\"; done")
}

/// Records of packages whose files are not taken one by one.
fn packages(config: &ServiceConfig) -> Vec<&'static str> {
    let mut commands = Vec::new();
    if config.ca_certificates.value {
        // The bundle is made on the machine, and owned by no package.
        commands.push("describe ca-certificates");
    }
    if config.tzdata.value {
        commands.push("describe tzdata");
        commands.push(
            "awk '$2 ~ \"^usr/share/zoneinfo/\"' /var/lib/dpkg/info/tzdata.md5sums > \"$records/tzdata.md5sums\"",
        );
    }
    commands
}

/// The shared libraries that the loader finds for a file, as a shell's substitution.
fn needed_by(file: &str) -> String {
    format!("$(ldd {file} | sed -n 's|^.* => \\(/[^ ]*\\) .*$|\\1|p')")
}

/// A library that no file names, and what it needs.
fn extra(library: &str) -> Result<String, DockerfileError> {
    let name = shell(library)?;
    let file = if library.contains('/') {
        name
    } else {
        format!("\"$(ldconfig -p | awk -v name={name} '$1 == name {{ print $NF; exit }}')\"")
    };
    Ok(format!(
        "library={file}; {}",
        recorded(&format!("\"$library\" {}", needed_by("\"$library\"")))
    ))
}

/// Whether the executable could need more than the C library.
pub(super) fn links_native(workspace: &Workspace, split: &Split) -> bool {
    let mut locked = split.lock.packages.iter();
    let linking = &workspace.linking;
    let mut local = split
        .packages
        .iter()
        .map(|index| &workspace.packages[*index]);
    split.links_native
        || local.any(|package| package.links.is_some())
        || locked.any(|package| linking.contains(&(package.name.clone(), package.version.clone())))
}

/// The ignore file's lines: nothing that is a source, by its path from the root of the split.
pub(super) fn ignored(split: &Split, workspace: &Path, names: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    lines.push(crate::split::MARKER.to_owned());
    for name in [
        PathBuf::from(".git"),
        relative(workspace, &split.origin).join("target"),
    ] {
        let name = crate::fs::normalized(&name);
        let is_source = split.files.keys().any(|path| path.starts_with(&name));
        let name = name.to_string_lossy().into_owned();
        // The file has patterns, and no way to write these characters that all builders know.
        if !is_source && !name.contains(['*', '?', '[', '\\', '\n']) {
            lines.push(name);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Owner;

    fn made(nodes: &[(&str, Node)]) -> Vec<String> {
        let mut tree = Tree::new();
        for (path, node) in nodes {
            let path = ImagePath::new(path).expect("legal");
            tree.insert(path, node.clone()).expect("free");
        }
        commands(&tree, |_, from| Ok(from.to_owned())).expect("writable")
    }

    #[test]
    fn every_kind_of_node_is_a_command() {
        let owner = Owner {
            uid: 65532,
            gid: 65532,
        };
        let bytes = |text: &str| Content::Bytes(text.as_bytes().into());
        let told = made(&[
            (
                "/a's",
                Node::Directory {
                    mode: 0o1777,
                    owner,
                },
            ),
            (
                "/b",
                Node::Symlink {
                    target: "/c d".to_owned(),
                },
            ),
            (
                "/c",
                Node::File {
                    mode: 0o644,
                    content: bytes("x y\n'z'\n"),
                },
            ),
            (
                "/d",
                Node::File {
                    mode: 0o755,
                    content: Content::File("/from".into()),
                },
            ),
        ]);
        assert_eq!(
            told,
            [
                r"install -d -m 1777 -o 65532 -g 65532 '/image/a'\''s'",
                "ln -sfn '/c d' /image/b",
                r"printf '%s\n' 'x y' ''\''z'\''' > /image/c; chmod 0644 /image/c",
                "install -m 0755 /from /image/d",
            ]
        );
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let mut tree = Tree::new();
        let content = Content::Bytes([0xff][..].into());
        let node = Node::File {
            mode: 0o644,
            content,
        };
        tree.insert(ImagePath::new("/a").expect("legal"), node)
            .expect("free");
        assert!(commands(&tree, |_, from| Ok(from.to_owned())).is_err());
    }
}
