//! `--to`: destinations by skopeo's names.

use std::path::{Path, PathBuf};

use super::EngineChoice;
use crate::hint::Hint;
use crate::medium::ArchiveForm;
use crate::reference::{
    InvalidName, Repository, names_a_path, names_a_registry, names_an_archive, refuse_login,
};
use crate::source::Stands;

/// A destination as meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spec {
    /// `oci:DIR`.
    OciLayout {
        /// As written.
        text: String,
        /// The directory.
        directory: PathBuf,
    },
    /// `oci-archive:FILE` or `docker-archive:FILE`.
    Archive {
        /// As written.
        text: String,
        /// Which of the two.
        form: ArchiveForm,
        /// The file.
        file: PathBuf,
    },
    /// `docker-daemon:`, `containers-storage:` or `--load`.
    Engine {
        /// As written.
        text: String,
        /// Which engine.
        choice: EngineChoice,
    },
    /// `docker://HOST/PREFIX`, or bare `HOST/PREFIX`.
    Registry {
        /// As written.
        text: String,
        /// `HOST/PREFIX`.
        prefix: String,
    },
    /// `docker://` alone: the `repo` that is configured for each service.
    ConfiguredRegistry {
        /// As written.
        text: String,
    },
}

/// A destination that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownDestination {
    /// Something after a scheme that stands alone.
    #[error("destination `{text}` names more than an engine")]
    NotAlone {
        /// As written.
        text: String,
        /// Up to the colon.
        scheme: &'static str,
    },
    /// A directory where a file belongs.
    #[error("destination `{0}` names a directory, not a file")]
    Directory(String),
    /// What elsewhere means standard output.
    #[error("destination `{0}` means standard output, which is for the names of images")]
    Output(String),
    /// A colon in a path, behind which other programs look for the name of an image.
    #[error("destination `{0}` has a colon in its path")]
    Colon(String),
    /// Nothing after the scheme.
    #[error("destination `{0}` names no place")]
    Empty(String),
    /// A number that no port has.
    #[error("destination `{text}` has the port {port}, and ports end at 65535")]
    Port {
        /// As written.
        text: String,
        /// What stands for the port.
        port: String,
    },
    /// A user's name or password.
    #[error("destination {0}")]
    Login(InvalidName),
    /// Neither a scheme nor a registry.
    #[error("destination `{0}` is no place that images can go to")]
    Unknown(String),
    /// A path, and no scheme.
    #[error("destination `{text}` is a path without a scheme before it")]
    Path {
        /// As written.
        text: String,
        /// What is there.
        stands: Option<Stands>,
    },
    /// A registry or path that no image name may begin with.
    #[error("destination `{text}` cannot stand before a service's name")]
    Illegal {
        /// As written.
        text: String,
        /// Why not.
        #[source]
        source: InvalidName,
    },
    /// A tag where tags do not belong.
    #[error("destination `{0}` has a tag or digest")]
    Tagged(String),
}

impl Hint for UnknownDestination {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Tagged(_) => {
                "give tags with `-t`; the service's name is added to the prefix".to_owned()
            }
            Self::Path { text, stands } => path_hint(text, *stands),
            Self::Output(text) => {
                let scheme = text.trim_end_matches('-');
                format!("write `{scheme}FILE` (or `{scheme}./-` for a file of that name)")
            }
            Self::Colon(_) => {
                "leave names and tags away, they are those of the services (`-t` gives tags); paths with \
                 a colon cannot be told from them"
                    .to_owned()
            }
            Self::NotAlone { scheme, .. } => {
                format!("write `{scheme}` alone; images are called after their services")
            }
            Self::Login(name) => return name.hint(),
            Self::Port { .. } => "correct the port behind the host".to_owned(),
            Self::Illegal { .. } => {
                "write `docker://HOST/PREFIX` (lower-case letters and digits) or `oci:DIRECTORY`"
                    .to_owned()
            }
            _ => "write `docker://HOST/PREFIX`, `oci:DIRECTORY`, `oci-archive:FILE`, \
                  `docker-archive:FILE`, `docker-daemon:` or `containers-storage:`"
                .to_owned(),
        })
    }
}

impl UnknownDestination {
    /// The same, where it matters what `stands` at the path that was written.
    #[must_use]
    pub fn on_disk(self, stands: impl Fn(&Path) -> Option<Stands>) -> Self {
        match self {
            Self::Path { text, .. } => Self::Path {
                stands: stands(Path::new(&text)),
                text,
            },
            Self::Unknown(text) => match stands(Path::new(&text)).filter(|_| !text.is_empty()) {
                None => Self::Unknown(text),
                stands => Self::Path { text, stands },
            },
            other => other,
        }
    }
}

fn path_hint(text: &str, stands: Option<Stands>) -> String {
    let archives = format!("`oci-archive:{text}` or `docker-archive:{text}`");
    match stands {
        Some(Stands::Layout | Stands::Directory) => format!("write `oci:{text}`"),
        None if !names_an_archive(text) => format!("write `oci:{text}`, {archives}"),
        _ => format!("write {archives}"),
    }
}

const ARCHIVES: [(&str, ArchiveForm); 2] = [
    ("oci-archive:", ArchiveForm::Layout),
    ("docker-archive:", ArchiveForm::Docker),
];

const ENGINES: [(&str, EngineChoice); 2] = [
    ("docker-daemon:", EngineChoice::Docker),
    ("containers-storage:", EngineChoice::Podman),
];

/// Reads a destination. Nothing is opened yet.
///
/// # Errors
/// [`UnknownDestination`] saying which forms there are.
pub fn parse(text: &str) -> Result<Spec, UnknownDestination> {
    for (scheme, choice) in ENGINES {
        match text.strip_prefix(scheme) {
            Some("") => return Ok(Spec::engine(text, choice)),
            Some(_) => {
                let text = text.to_owned();
                return Err(UnknownDestination::NotAlone { text, scheme });
            }
            None => {}
        }
    }
    for (scheme, form) in ARCHIVES {
        if let Some(file) = text.strip_prefix(scheme) {
            return archive(text, form, file);
        }
    }
    if let Some(directory) = text.strip_prefix("oci:") {
        return Ok(Spec::OciLayout {
            directory: path(text, directory)?,
            text: text.to_owned(),
        });
    }
    registry(text)
}

/// A path as it stands behind a scheme.
fn path(text: &str, path: &str) -> Result<PathBuf, UnknownDestination> {
    if path.is_empty() {
        return Err(UnknownDestination::Empty(text.to_owned()));
    }
    // Elsewhere a name in the layout follows; a directory `DIR:NAME` is not what was meant.
    if path.contains(':') {
        return Err(UnknownDestination::Colon(text.to_owned()));
    }
    Ok(PathBuf::from(path))
}

fn archive(text: &str, form: ArchiveForm, file: &str) -> Result<Spec, UnknownDestination> {
    let path = path(text, file)?;
    if file == "-" {
        return Err(UnknownDestination::Output(text.to_owned()));
    }
    if matches!(file.rsplit('/').next(), Some("" | "." | "..")) {
        return Err(UnknownDestination::Directory(text.to_owned()));
    }
    Ok(Spec::Archive {
        text: text.to_owned(),
        form,
        file: path,
    })
}

fn registry(text: &str) -> Result<Spec, UnknownDestination> {
    if !names_a_path(text) {
        refuse_login(text).map_err(UnknownDestination::Login)?;
    }
    let (prefix, explicit) = match text.strip_prefix("docker://") {
        Some(prefix) => (prefix, true),
        None => (text, false),
    };
    let prefix = prefix.trim_end_matches('/');
    let host = prefix.split('/').next().unwrap_or_default();
    if explicit && prefix.is_empty() {
        return Ok(Spec::ConfiguredRegistry {
            text: text.to_owned(),
        });
    }
    if prefix.is_empty() && !names_a_path(text) {
        return Err(UnknownDestination::Empty(text.to_owned()));
    }
    if !explicit && !text.contains("://") && (names_a_path(text) || names_an_archive(text)) {
        return Err(UnknownDestination::Path {
            text: text.to_owned(),
            stands: None,
        });
    }
    if let Some(port) = number_of_no_port(host) {
        return Err(UnknownDestination::Port {
            text: text.to_owned(),
            port: port.to_owned(),
        });
    }
    if !names_a_registry(host) || !has_legal_port(host) || (!explicit && text.contains("://")) {
        return Err(UnknownDestination::Unknown(text.to_owned()));
    }
    let last = prefix.rsplit('/').next().unwrap_or_default();
    if prefix.contains('@') || (prefix.contains('/') && last.contains(':')) {
        return Err(UnknownDestination::Tagged(text.to_owned()));
    }
    if let Err(source) = Repository::parse(&format!("{prefix}/service")) {
        return Err(UnknownDestination::Illegal {
            text: text.to_owned(),
            source,
        });
    }
    Ok(Spec::Registry {
        text: text.to_owned(),
        prefix: prefix.to_owned(),
    })
}

/// Whether what stands behind a host's last colon, if there is one, can be a port: `foo:bar` is an
/// unknown scheme. An address in brackets has colons of its own.
fn has_legal_port(host: &str) -> bool {
    host.ends_with(']')
        || host
            .rsplit_once(':')
            .is_none_or(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// What stands behind a host's colon, if it is a number and no port.
fn number_of_no_port(host: &str) -> Option<&str> {
    let (_, port) = host.rsplit_once(':')?;
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !has_legal_port(host)).then_some(port)
}

impl Spec {
    /// An engine, as the user wrote it.
    pub fn engine(text: &str, choice: EngineChoice) -> Self {
        let text = text.to_owned();
        Self::Engine { text, choice }
    }

    /// As the user wrote it.
    pub fn text(&self) -> &str {
        match self {
            Self::OciLayout { text, .. }
            | Self::Archive { text, .. }
            | Self::Engine { text, .. }
            | Self::Registry { text, .. }
            | Self::ConfiguredRegistry { text } => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_layouts_and_registries() {
        let prefix = |text: &str| match parse(text) {
            Ok(Spec::Registry { prefix, .. }) => prefix,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(prefix("docker://ghcr.io/acme/"), "ghcr.io/acme");
        assert_eq!(prefix("localhost:5000/shop"), "localhost:5000/shop");
        assert_eq!(prefix("localhost:5000"), "localhost:5000");
        assert!(matches!(parse("oci:out/dir"), Ok(Spec::OciLayout { .. })));
    }

    #[test]
    fn reads_archives_and_engines() {
        let form = |text: &str| match parse(text) {
            Ok(Spec::Archive { form, file, .. }) => (form, file.display().to_string()),
            other => panic!("{text}: {other:?}"),
        };
        let odd = "a b/\u{e9}t\u{e9} 100%.tar";
        for file in ["out.tar", "/tmp/x", "../up.tar", "C\\x.tar", "@x", odd] {
            let expected = |form| (form, file.to_owned());
            let written = form(&format!("oci-archive:{file}"));
            assert_eq!(written, expected(ArchiveForm::Layout));
            let written = form(&format!("docker-archive:{file}"));
            assert_eq!(written, expected(ArchiveForm::Docker));
        }
        for (text, choice) in ENGINES {
            assert_eq!(parse(text), Ok(Spec::engine(text, choice)));
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "oci:",
            "oci:out/dir:name",
            "acme/shop",
            "http://host.x/y",
            "dir:/tmp",
            "foo:bar",
            "docker://localhost:/x",
            "localhost:99999/x",
            "oci-archive:",
            "oci-archive:x.tar:name",
            "oci-archive:C:\\x.tar",
            "docker-archive:directory/",
            "docker-archive:..",
            "docker-daemon:orders:latest",
            "containers-storage:[overlay@/x]orders",
            "ghcr.io/a:b",
            "ghcr.io/a@sha256:0",
            "ghcr.io/Upper",
            "nowhere:x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_without_a_scheme_is_answered_with_the_schemes() {
        let hint = |text: &str, stands: Option<Stands>| {
            let error = parse(text).expect_err(text).on_disk(|_| stands);
            assert!(
                matches!(error, UnknownDestination::Path { .. }),
                "{error:?}"
            );
            error.hint().expect("a hint")
        };
        for text in ["x.tar", "a.b/x.tgz", "localhost/x.tar.gz", "out/x.tar"] {
            let expected = format!("write `oci-archive:{text}` or `docker-archive:{text}`");
            assert_eq!(hint(text, None), expected);
        }
        for text in ["./out", "/out", "/", "../out", "~/out"] {
            let all =
                format!("write `oci:{text}`, `oci-archive:{text}` or `docker-archive:{text}`");
            assert_eq!(hint(text, None), all);
        }
        for text in ["out", "./out", "out/deep"] {
            let is = |stands| hint(text, Some(stands));
            assert_eq!(is(Stands::Directory), format!("write `oci:{text}`"));
            assert!(is(Stands::File).contains("docker-archive:"), "{text}");
        }
        // Whoever means a repository can say so.
        let spec = parse("docker://ghcr.io/acme/x.tar");
        assert!(matches!(spec, Ok(Spec::Registry { .. })), "{spec:?}");
    }

    /// It made a file called `-`.
    #[test]
    fn an_archive_does_not_go_to_standard_output() {
        let error = parse("oci-archive:-").expect_err("no file");
        assert!(matches!(error, UnknownDestination::Output(_)), "{error:?}");
        let hint = "write `oci-archive:FILE` (or `oci-archive:./-` for a file of that name)";
        assert_eq!(error.hint().as_deref(), Some(hint));
        assert!(parse("oci-archive:./-").is_ok());
    }

    proptest! {
        #[test]
        fn foreign_text_never_panics(text in ".*") {
            let _ = parse(&text);
        }
    }
}
