//! `--to`: destinations by skopeo's names.

use std::path::PathBuf;

use crate::hint::Hint;
use crate::reference::{InvalidName, Repository, names_a_registry};

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
    /// A scheme of skopeo's that this version cannot write.
    #[error("destination `{text}`: `{scheme}` is not supported by this version")]
    Unsupported {
        /// As written.
        text: String,
        /// Up to the colon.
        scheme: String,
    },
    /// Nothing after the scheme.
    #[error("destination `{0}` names no place")]
    Empty(String),
    /// Neither a scheme nor a registry.
    #[error("destination `{0}` is neither a layout nor a registry")]
    Unknown(String),
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
            Self::Illegal { .. } => {
                "write `docker://HOST/PREFIX` (lower-case letters and digits) or `oci:DIRECTORY`"
                    .to_owned()
            }
            _ => "write `docker://HOST/PREFIX` or `oci:DIRECTORY`".to_owned(),
        })
    }
}

const LATER: [&str; 4] = [
    "oci-archive:",
    "docker-archive:",
    "docker-daemon:",
    "containers-storage:",
];

/// Reads a destination. Nothing is opened yet.
///
/// # Errors
/// [`UnknownDestination`] saying which forms there are.
pub fn parse(text: &str) -> Result<Spec, UnknownDestination> {
    if let Some(scheme) = LATER.iter().find(|scheme| text.starts_with(**scheme)) {
        return Err(UnknownDestination::Unsupported {
            text: text.to_owned(),
            scheme: (*scheme).to_owned(),
        });
    }
    if let Some(directory) = text.strip_prefix("oci:") {
        if directory.is_empty() {
            return Err(UnknownDestination::Empty(text.to_owned()));
        }
        // Elsewhere a name in the layout follows; a directory `DIR:NAME` is not what was meant.
        if directory.contains(':') {
            return Err(UnknownDestination::Tagged(text.to_owned()));
        }
        return Ok(Spec::OciLayout {
            text: text.to_owned(),
            directory: PathBuf::from(directory),
        });
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
    if prefix.is_empty() {
        return Err(UnknownDestination::Empty(text.to_owned()));
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

impl Spec {
    /// As the user wrote it.
    pub fn text(&self) -> &str {
        match self {
            Self::OciLayout { text, .. }
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
            "oci-archive:x.tar",
            "ghcr.io/a:b",
            "ghcr.io/a@sha256:0",
            "ghcr.io/Upper",
            "nowhere:x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn foreign_text_never_panics(text in ".*") {
            let _ = parse(&text);
        }
    }
}
