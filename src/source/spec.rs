//! What a user calls an image, by skopeo's names.

use std::fmt;
use std::path::{Path, PathBuf};

use super::unknown::{Stands, UnknownImage, image_at};
use crate::digest::Digest;
use crate::medium::ArchiveForm;
use crate::reference::{Repository, Tag, names_a_path, names_a_registry, names_an_archive};
use crate::registry::ManifestReference;

/// What is meant where nothing follows a repository's name.
const DEFAULT_TAG: &str = "latest";

/// An image as meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSpec {
    /// `docker://HOST/REPOSITORY[:TAG][@DIGEST]`, or bare.
    Registry {
        /// Where.
        repository: Repository,
        /// Which. A digest counts more than a tag.
        reference: ManifestReference,
    },
    /// `oci:DIRECTORY[:NAME:TAG][@DIGEST]`.
    Layout {
        /// The directory.
        directory: PathBuf,
        /// Which of its images.
        name: StoredName,
    },
    /// `oci-archive:FILE[:NAME:TAG][@DIGEST]`.
    OciArchive {
        /// The file.
        file: PathBuf,
        /// Which of its images.
        name: StoredName,
    },
    /// `docker-archive:FILE[:NAME:TAG][@DIGEST]`, where the digest is that of the configuration.
    DockerArchive {
        /// The file.
        file: PathBuf,
        /// Which of its images.
        name: StoredName,
    },
    /// `docker-daemon:NAME[:TAG]` or `containers-storage:NAME[:TAG]`, also with a digest.
    Daemon {
        /// Who has it.
        engine: Engine,
        /// Its name there.
        name: String,
        /// The digest that its configuration must have.
        digest: Option<Digest>,
    },
}

/// Which image of a layout or archive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredName {
    /// Its name; without one, the only image there is.
    pub name: Option<String>,
    /// The digest that it must have.
    pub digest: Option<Digest>,
}

/// A program that keeps images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// `docker`.
    Docker,
    /// `podman`.
    Podman,
}

impl Engine {
    /// The program's name.
    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// What is typed before an archive of this form.
pub(super) fn scheme(form: ArchiveForm) -> &'static str {
    match form {
        ArchiveForm::Layout => "oci-archive:",
        ArchiveForm::Docker => "docker-archive:",
    }
}

impl ImageSpec {
    /// What is typed before a place of this kind.
    pub(super) fn scheme(&self) -> &'static str {
        match self {
            Self::Registry { .. } => "docker://",
            Self::Layout { .. } => "oci:",
            Self::OciArchive { .. } => scheme(ArchiveForm::Layout),
            Self::DockerArchive { .. } => scheme(ArchiveForm::Docker),
            Self::Daemon { engine, .. } => match engine {
                Engine::Docker => "docker-daemon:",
                Engine::Podman => "containers-storage:",
            },
        }
    }

    /// All but the scheme, as it can be typed behind another one.
    pub(super) fn behind_scheme(&self) -> String {
        let whole = self.to_string();
        let rest = whole.strip_prefix(self.scheme()).map(str::to_owned);
        rest.unwrap_or(whole)
    }

    /// The place without the image's name in it, as it can be typed again.
    pub fn place(&self) -> String {
        match self {
            Self::Registry { repository, .. } => repository.to_string(),
            Self::Layout {
                directory: path, ..
            }
            | Self::OciArchive { file: path, .. }
            | Self::DockerArchive { file: path, .. } => {
                format!("{}{}", self.scheme(), path.display())
            }
            Self::Daemon { name, .. } => format!("{}{name}", self.scheme()),
        }
    }

    /// Whether all images of a place are meant, because none was named.
    pub fn is_whole_place(&self) -> bool {
        match self {
            Self::Layout { name, .. }
            | Self::OciArchive { name, .. }
            | Self::DockerArchive { name, .. } => *name == StoredName::default(),
            Self::Registry { .. } => false,
            Self::Daemon { .. } => true,
        }
    }
}

impl fmt::Display for ImageSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.place())?;
        let name = match self {
            Self::Registry { reference, .. } => {
                let mark = match reference {
                    ManifestReference::Tag(_) => ':',
                    ManifestReference::Digest(_) => '@',
                };
                return write!(formatter, "{mark}{reference}");
            }
            Self::Daemon { digest, .. } => {
                return match digest {
                    Some(digest) => write!(formatter, "@{digest}"),
                    None => Ok(()),
                };
            }
            Self::Layout { name, .. }
            | Self::OciArchive { name, .. }
            | Self::DockerArchive { name, .. } => name,
        };
        if let Some(name) = &name.name {
            write!(formatter, ":{name}")?;
        }
        match &name.digest {
            Some(digest) => write!(formatter, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// Reads what a user calls an image, where `stands` tells what is at a path: a file or layout is not taken for
/// a repository of the same name.
///
/// # Errors
/// [`UnknownImage`] saying which forms there are.
pub fn parse_on_disk(
    text: &str,
    stands: impl Fn(&Path) -> Option<Stands>,
) -> Result<ImageSpec, UnknownImage> {
    let spec = parse(text).map_err(|error| error.on_disk(&stands))?;
    match (&spec, image_at(text, &stands)) {
        (ImageSpec::Registry { .. }, stands @ Some(_)) if !text.contains("://") => {
            Err(UnknownImage::Path {
                text: text.to_owned(),
                stands,
            })
        }
        _ => Ok(spec),
    }
}

/// Reads what a user calls an image. Nothing is opened.
///
/// # Errors
/// [`UnknownImage`] saying which forms there are.
pub fn parse(text: &str) -> Result<ImageSpec, UnknownImage> {
    if let Some(rest) = text.strip_prefix("docker://") {
        return registry(text, rest);
    }
    let stored = |rest| stored(text, rest);
    if let Some(rest) = text.strip_prefix("oci-archive:") {
        let (file, name) = stored(rest)?;
        return Ok(ImageSpec::OciArchive { file, name });
    }
    if let Some(rest) = text.strip_prefix("docker-archive:") {
        let (file, name) = stored(rest)?;
        return Ok(ImageSpec::DockerArchive { file, name });
    }
    if let Some(rest) = text.strip_prefix("oci:") {
        let (directory, name) = stored(rest)?;
        return Ok(ImageSpec::Layout { directory, name });
    }
    for (scheme, engine) in [
        ("docker-daemon:", Engine::Docker),
        ("containers-storage:", Engine::Podman),
    ] {
        if let Some(name) = text.strip_prefix(scheme) {
            return daemon(text, engine, name);
        }
    }
    let host = text.split('/').next().unwrap_or_default();
    let of_registry = text.contains('/') && !text.contains("://") && names_a_registry(host);
    let last = text.rsplit('/').next().unwrap_or_default();
    // As `push` prints it, with a tag or digest.
    let is_printed = of_registry && last.contains([':', '@']);
    let is_path = names_a_path(text) || (names_an_archive(text) && !is_printed);
    if is_path && !text.contains("://") {
        return Err(UnknownImage::Path {
            text: text.to_owned(),
            stands: None,
        });
    }
    if of_registry {
        return registry(text, text);
    }
    Err(UnknownImage::Unknown(text.to_owned()))
}

fn registry(text: &str, rest: &str) -> Result<ImageSpec, UnknownImage> {
    if rest.is_empty() {
        return Err(UnknownImage::Empty(text.to_owned()));
    }
    let illegal = |source| UnknownImage::Illegal {
        text: text.to_owned(),
        source,
    };
    let (named, digest) = split_digest(text, rest)?;
    let (name, tag) = match named.rsplit_once(':') {
        // The colon of a port has a path behind it.
        Some((name, tag)) if !tag.contains('/') && name.contains('/') => (name, tag),
        _ => (named, DEFAULT_TAG),
    };
    let repository = Repository::parse(name).map_err(illegal)?;
    let tag = Tag::parse(tag).map_err(illegal)?;
    Ok(ImageSpec::Registry {
        repository,
        reference: digest.map_or(ManifestReference::Tag(tag), ManifestReference::Digest),
    })
}

/// `PATH[:NAME:TAG][@DIGEST]`; a path holds no colon, as skopeo has it.
fn stored(text: &str, rest: &str) -> Result<(PathBuf, StoredName), UnknownImage> {
    let (path, name) = match rest.split_once(':') {
        Some((path, name)) => (path, Some(name)),
        None => (rest, None),
    };
    if path.is_empty() {
        return Err(UnknownImage::Empty(text.to_owned()));
    }
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        // `DIRECTORY@sha256:…` was split at the digest's colon.
        return match path.split_once("@sha256") {
            Some(_) => Err(UnknownImage::Digest(text.to_owned())),
            None => Ok((path.into(), StoredName::default())),
        };
    };
    if let Some(path) = path.strip_suffix("@sha256") {
        let digest = format!("sha256:{name}").parse();
        let digest = digest.map_err(|_| UnknownImage::Digest(text.to_owned()))?;
        let name = StoredName {
            name: None,
            digest: Some(digest),
        };
        return Ok((path.into(), name));
    }
    // skopeo names an image without a name by its place: `@0`.
    let (name, digest) = if name.starts_with('@') {
        (name, None)
    } else {
        split_digest(text, name)?
    };
    let name = StoredName {
        name: Some(name.to_owned()),
        digest,
    };
    Ok((path.into(), name))
}

fn split_digest<'t>(text: &str, rest: &'t str) -> Result<(&'t str, Option<Digest>), UnknownImage> {
    match rest.split_once('@') {
        Some((name, digest)) => {
            let digest = digest.parse();
            let digest = digest.map_err(|_| UnknownImage::Digest(text.to_owned()))?;
            Ok((name, Some(digest)))
        }
        None => Ok((rest, None)),
    }
}

/// A name for another program's command line: never a flag of it.
fn daemon(text: &str, engine: Engine, name: &str) -> Result<ImageSpec, UnknownImage> {
    if name.is_empty() {
        return Err(UnknownImage::Empty(text.to_owned()));
    }
    let (name, digest) = split_digest(text, name)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-:/".contains(c);
    if name.is_empty() || name.starts_with('-') || !name.chars().all(legal) {
        return Err(UnknownImage::Unknown(text.to_owned()));
    }
    Ok(ImageSpec::Daemon {
        engine,
        name: name.to_owned(),
        digest,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hint::Hint as _;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn registry_of(text: &str) -> (String, String) {
        match parse(text) {
            Ok(ImageSpec::Registry {
                repository,
                reference,
            }) => (repository.to_string(), reference.to_string()),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn stored_of(text: &str) -> (PathBuf, Option<String>, bool) {
        match parse(text) {
            Ok(
                ImageSpec::Layout {
                    directory: path,
                    name,
                }
                | ImageSpec::OciArchive { file: path, name }
                | ImageSpec::DockerArchive { file: path, name },
            ) => (path, name.name, name.digest.is_some()),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn images_of_registries() {
        let pair = |name: &str, reference: &str| (name.to_owned(), reference.to_owned());
        for (text, expected) in [
            ("ghcr.io/acme/orders", pair("ghcr.io/acme/orders", "latest")),
            (
                "docker://localhost:5000/a/b:1.0",
                pair("localhost:5000/a/b", "1.0"),
            ),
            ("localhost:5000/a", pair("localhost:5000/a", "latest")),
            ("localhost/a:x", pair("localhost/a", "x")),
        ] {
            assert_eq!(registry_of(text), expected, "{text}");
        }
        let both = format!("ghcr.io/acme/orders:1.0@{DIGEST}");
        assert_eq!(registry_of(&both), pair("ghcr.io/acme/orders", DIGEST));
    }

    #[test]
    fn images_of_layouts_and_archives() {
        let named = |path: &str, name: Option<&str>, digest| {
            (PathBuf::from(path), name.map(str::to_owned), digest)
        };
        for (text, expected) in [
            ("oci:out/dir", named("out/dir", None, false)),
            ("oci:/a:orders:1.0", named("/a", Some("orders:1.0"), false)),
            ("oci-archive:a.tar", named("a.tar", None, false)),
            (
                "docker-archive:a.tar:x:y",
                named("a.tar", Some("x:y"), false),
            ),
            ("docker-archive:a.tar:@1", named("a.tar", Some("@1"), false)),
            ("oci:a:", named("a", None, false)),
        ] {
            assert_eq!(stored_of(text), expected, "{text}");
        }
        // As this program prints it.
        let printed = format!("oci:out/dir:orders:latest@{DIGEST}");
        let expected = named("out/dir", Some("orders:latest"), true);
        assert_eq!(stored_of(&printed), expected);
        let daemon = parse(&format!(
            "docker-daemon:docker.io/library/orders:1@{DIGEST}"
        ));
        let expected = ImageSpec::Daemon {
            engine: Engine::Docker,
            name: "docker.io/library/orders:1".to_owned(),
            digest: DIGEST.parse().ok(),
        };
        assert_eq!(daemon, Ok(expected));
        let only = format!("oci:out/dir@{DIGEST}");
        assert_eq!(stored_of(&only), named("out/dir", None, true));
    }

    #[test]
    fn everything_else_is_refused_with_a_hint() {
        for text in [
            "",
            "orders",
            "acme/orders",
            "./dir",
            "..",
            "/dir",
            "a.tar",
            "a.b/c.tar",
            "c.tar:orders",
            "docker://",
            "docker://orders",
            "ghcr.io/Upper",
            "ghcr.io/a:b:c",
            "ghcr.io/a@sha256:00",
            "oci:",
            "oci::a",
            "oci:a:b@sha256:00",
            "oci:a@sha256:00",
            "docker-daemon:",
            "docker-daemon:--help",
            "docker-daemon:a@b",
            "containers-storage:a b",
            "http://ghcr.io/a",
            "dir:/tmp",
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.hint().is_some(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn foreign_text_never_panics(text in ".*", scheme in "(oci|oci-archive|docker-archive|docker-daemon|docker)?:?(//)?") {
            let _ = parse(&text);
            let _ = parse(&format!("{scheme}{text}"));
        }

        #[test]
        fn what_is_printed_can_be_typed(
            text in "(oci:|oci-archive:|docker-archive:|docker-daemon:|docker://)?(localhost/|a\\.b/|\\./)?[a-z./]{1,6}(\\.tar)?(:[a-z@0]{0,3}){0,2}",
            digest in prop::option::of(Just(DIGEST)),
        ) {
            let text = digest.map_or(text.clone(), |digest| format!("{text}@{digest}"));
            if let Ok(spec) = parse(&text) {
                prop_assert_eq!(parse(&spec.to_string()), Ok(spec));
            }
        }
    }
}
