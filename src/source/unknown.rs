//! What a user wrote where an image should be named, and what is meant by it.

use std::path::Path;

use crate::hint::Hint;
use crate::oci::LAYOUT_FILE;
use crate::reference::{InvalidName, names_a_path, names_a_registry, names_an_archive};

/// What stands at a path that somebody wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// A file.
    File,
    /// An image layout.
    Layout,
    /// A directory of other things.
    Directory,
}

impl Stands {
    /// What is at `path`, if anything is.
    pub fn at(path: &Path) -> Option<Self> {
        let metadata = fs_err::metadata(path).ok()?;
        Some(if !metadata.is_dir() {
            Self::File
        } else if path.join(LAYOUT_FILE).exists() {
            Self::Layout
        } else {
            Self::Directory
        })
    }
}

/// An image that nobody can look for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownImage {
    /// Nothing after the scheme.
    #[error("image `{0}` names no place")]
    Empty(String),
    /// Neither a scheme nor a registry.
    #[error("image `{0}` is in no place that is known")]
    Unknown(String),
    /// A path, and no scheme.
    #[error("image `{text}` is a path without a scheme before it")]
    Path {
        /// As written.
        text: String,
        /// What is there.
        stands: Option<Stands>,
    },
    /// No legal name.
    #[error("image `{text}` has no legal name")]
    Illegal {
        /// As written.
        text: String,
        /// Why not.
        #[source]
        source: InvalidName,
    },
    /// What follows the `@` is no digest.
    #[error("image `{0}` has an `@`, and no digest after it")]
    Digest(String),
}

impl Hint for UnknownImage {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Digest(_) => "a digest is `sha256:` and 64 hexadecimal digits".to_owned(),
            Self::Path { text, stands } => path_hint(text, *stands),
            Self::Unknown(text) if engine_hint(text).is_some() => {
                engine_hint(text).unwrap_or_default()
            }
            Self::Unknown(text) if is_word(text) => format!(
                "if `build` made it, write `oci:target/lighter/oci:{text}`; if docker has it, \
                 `docker-daemon:{text}`"
            ),
            _ => "write `HOST/REPOSITORY:TAG`, `oci:DIRECTORY:NAME:TAG`, `oci-archive:FILE`, \
                  `docker-archive:FILE`, `docker-daemon:NAME` or `containers-storage:NAME`"
                .to_owned(),
        })
    }
}

impl UnknownImage {
    /// The same, where it matters what `stands` at the path that was written.
    #[must_use]
    pub fn on_disk(self, stands: impl Fn(&Path) -> Option<Stands>) -> Self {
        match self {
            Self::Path { text, .. } => Self::Path {
                stands: stands_at(&text, &stands),
                text,
            },
            // A service is often called like the directory of its sources.
            Self::Unknown(text) => match image_at(&text, &stands) {
                None => Self::Unknown(text),
                stands => Self::Path { text, stands },
            },
            other => other,
        }
    }
}

fn stands_at(text: &str, stands: impl Fn(&Path) -> Option<Stands>) -> Option<Stands> {
    let path = text.split(':').next().unwrap_or_default();
    stands(Path::new(path)).filter(|_| !path.is_empty())
}

/// What stands there and may hold images.
pub(super) fn image_at(text: &str, stands: impl Fn(&Path) -> Option<Stands>) -> Option<Stands> {
    stands_at(text, stands).filter(|found| *found != Stands::Directory)
}

fn path_hint(text: &str, stands: Option<Stands>) -> String {
    let archives = format!("`oci-archive:{text}` or `docker-archive:{text}`");
    match stands {
        Some(Stands::Layout | Stands::Directory) => format!("write `oci:{text}`"),
        None if !names_an_archive(text) => format!("write `oci:{text}`, {archives}"),
        None if names_a_registry(text.split('/').next().unwrap_or_default())
            && text.contains('/')
            && !names_a_path(text) =>
        {
            format!("write {archives}; in a registry it is `docker://{text}`")
        }
        _ => format!("write {archives}"),
    }
}

/// Whether a text could be the name of a service, and maybe a tag.
fn is_word(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-:".contains(c);
    !text.is_empty() && text.chars().all(legal)
}

/// What is meant by a name with a program's before it.
fn engine_hint(text: &str) -> Option<String> {
    let (program, name) = text.split_once(':')?;
    let scheme = match program {
        "docker" => "docker-daemon:",
        "podman" => "containers-storage:",
        _ => return None,
    };
    let name = name.trim_start_matches('/');
    (!name.is_empty()).then(|| {
        format!("if {program} has it, write `{scheme}{name}`; in a registry it is `docker://HOST/{name}`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_engine_is_no_image_s() {
        let hint = |text: &str| UnknownImage::Unknown(text.to_owned()).hint();
        let expected = "if docker has it, write `docker-daemon:alpine:3`; in a registry it is \
                        `docker://HOST/alpine:3`";
        assert_eq!(hint("docker:alpine:3").as_deref(), Some(expected));
        let podman = hint("podman:a/b").expect("a hint");
        assert!(podman.contains("`containers-storage:a/b`"), "{podman}");
        assert!(hint("orders:1").is_some_and(|hint| hint.contains("docker-daemon:orders:1")));
    }
}
