//! Names of images: repositories, tags, and the mappings from service names.
//!
//! The grammar is the distribution specification's ("Pulling manifests"): repository components are
//! `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, registry and path together at most 255 characters, tags
//! `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`. Parsing goes through the reference type of `oci-distribution`.

use std::fmt;
use std::net::Ipv6Addr;

use oci_distribution::Reference;
use serde::{Serialize, Serializer};

use crate::hint::Hint;

const MAX_NAME: usize = 255;
const MAX_TAG: usize = 128;
const MAX_KUBERNETES_NAME: usize = 63;

/// A name that the grammar of images or tags refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Not a repository.
    #[error("`{name}` is not a legal repository name: {why}")]
    Repository {
        /// What was given.
        name: String,
        /// Which rule it breaks.
        why: String,
    },
    /// No registry host in front of the path.
    #[error("`{name}` names no registry")]
    NoRegistry {
        /// What was given.
        name: String,
    },
    /// A user's name or password before the host.
    #[error("`{name}` holds a login, which is not part of a name")]
    Login {
        /// What was given, without the login.
        name: String,
    },
    /// Not a tag.
    #[error("`{tag}` is not a legal tag")]
    Tag {
        /// What was given.
        tag: String,
    },
    /// Nothing legal is left of a service's name.
    #[error("no legal image name can be made from `{name}`")]
    Unmappable {
        /// The service's name.
        name: String,
    },
}

impl Hint for InvalidName {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Repository { .. } => {
                "use lower-case letters and digits, separated by `/`, `.`, `_` or `-`".to_owned()
            }
            Self::NoRegistry { name } => format!(
                "put the registry's host in front, such as `ghcr.io/{name}` or `localhost:5000/{name}`"
            ),
            Self::Login { .. } => {
                "leave it away: credentials are those of `cargo lighter login HOST`, or of \
                 LIGHTER_REGISTRY_USER and LIGHTER_REGISTRY_PASSWORD"
                    .to_owned()
            }
            Self::Tag { .. } => {
                "use at most 128 letters, digits, `.`, `_` and `-`, not beginning with `.` or `-`"
                    .to_owned()
            }
            Self::Unmappable { .. } => "set `name` in the package's metadata".to_owned(),
        })
    }
}

/// A registry's host and a path in it, without tag or digest: `ghcr.io/acme/orders`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    registry: String,
    path: String,
}

impl Repository {
    /// Parses `HOST[:PORT]/PATH`; HOST must have a dot or a port, or be `localhost`.
    ///
    /// # Errors
    /// [`InvalidName`] when no host is named, or the grammar refuses the text.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        refuse_login(text)?;
        let refuse = |why: &str| InvalidName::Repository {
            name: text.to_owned(),
            why: why.to_owned(),
        };
        let (host, path) = text.split_once('/').unwrap_or((text, ""));
        if !names_a_registry(host) {
            return Err(InvalidName::NoRegistry {
                name: text.to_owned(),
            });
        }
        if path.is_empty() {
            return Err(refuse("the path after the registry is empty"));
        }
        if text.len() > MAX_NAME {
            return Err(refuse("it is longer than 255 characters"));
        }
        if let Some(foreign) = path.chars().find(|c| !may_stand_in_path(*c)) {
            return Err(refuse(&format!(
                "`{}` may not be in it",
                printable_character(foreign)
            )));
        }
        if is_plain_host(host) && path.split('/').all(is_plain_component) {
            return Ok(Self {
                registry: host.to_owned(),
                path: path.to_owned(),
            });
        }
        // The reference type knows no addresses in brackets; their rule is that of URLs.
        let grammatical = if host.starts_with('[') {
            if !is_bracketed_address(host) {
                return Err(refuse("the registry is no IPv6 address with a port"));
            }
            format!("localhost/{path}")
        } else {
            text.to_owned()
        };
        let reference =
            Reference::try_from(grammatical).map_err(|error| refuse(&error.to_string()))?;
        if reference.digest().is_some()
            || text
                .rsplit('/')
                .next()
                .is_some_and(|last| last.contains(':'))
        {
            return Err(refuse("a tag or digest does not belong here"));
        }
        Ok(Self {
            registry: host.to_owned(),
            path: path.to_owned(),
        })
    }

    /// The host with its port, as written: `localhost:5000`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path inside the registry: `acme/orders`.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.path)
    }
}

impl Serialize for Repository {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Words of lower-case letters and digits with dots between them, and perhaps a port: legal without asking
/// the reference type, whose expression takes longer to make than all else that `list` does (measured).
fn is_plain_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    name.split('.').all(is_plain_word) && !port.is_empty() && is_digits(port)
}

/// Such words with single dots, underscores or hyphens between them.
fn is_plain_component(component: &str) -> bool {
    component.split(['.', '_', '-']).all(is_plain_word)
}

fn is_plain_word(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    !word.is_empty() && word.bytes().all(plain)
}

/// Whether a host is `[ADDRESS]` or `[ADDRESS]:PORT`.
fn is_bracketed_address(host: &str) -> bool {
    let Some((address, port)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
        return false;
    };
    let legal_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    address.parse::<Ipv6Addr>().is_ok()
        && (port.is_empty() || port.strip_prefix(':').is_some_and(legal_port))
}

/// Characters of paths; `:` and `@` begin a tag or digest, which is refused in words of its own.
fn may_stand_in_path(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-:@".contains(c)
}

fn printable_character(c: char) -> String {
    if c.is_control() {
        c.escape_default().to_string()
    } else {
        c.to_string()
    }
}

/// Refuses a name with a user's name or password in it, without repeating them.
///
/// # Errors
/// [`InvalidName::Login`].
pub fn refuse_login(name: &str) -> Result<(), InvalidName> {
    let shown = without_login(name);
    if shown == name {
        Ok(())
    } else {
        Err(InvalidName::Login { name: shown })
    }
}

/// A name, with or without a scheme, whose login is replaced by a mark: `docker://me:password@ghcr.io/acme`. A digest
/// behind an `@` is none, and neither is a tag there by mistake.
pub fn without_login(name: &str) -> String {
    let (scheme, rest) = match name.split_once("://") {
        Some((scheme, rest)) => (&name[..scheme.len() + 3], rest),
        None => ("", name),
    };
    let digest = ["@sha256:", "@sha512:"].map(|mark| rest.rfind(mark));
    let before = digest
        .iter()
        .flatten()
        .max()
        .map_or(rest, |at| &rest[..*at]);
    let Some((login, host)) = before.rsplit_once('@') else {
        return name.to_owned();
    };
    let first = login.split('/').next().unwrap_or_default();
    let is_host = |text: &str| {
        let port = text.split_once(':').map(|(_, port)| port);
        port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    // A password may hold a slash; a repository before a wrong tag begins with a host.
    if login.contains('/') && is_host(first) && !host.contains('/') {
        return name.to_owned();
    }
    format!("{scheme}…@{}", &rest[login.len() + 1..])
}

/// Whether the first component of a name is a registry's host: it has a dot or a port, or is
/// `localhost` (the rule of docker and skopeo).
pub fn names_a_registry(host: &str) -> bool {
    !host.is_empty() && (host == "localhost" || host.contains(['.', ':']))
}

/// Whether a text that names a place is a path: registries are named otherwise.
pub fn names_a_path(text: &str) -> bool {
    matches!(text, "." | ".." | "~")
        || ["/", "./", "../", "~/"]
            .iter()
            .any(|start| text.starts_with(start))
}

/// Whether a text, or what stands before a name or tag in it, is called as tars are. A repository may be
/// called so, too, and nobody does that.
pub fn names_an_archive(text: &str) -> bool {
    let last = text.rsplit('/').next().unwrap_or_default();
    let before_colon = |text: &str| text.split(':').next().unwrap_or_default().to_lowercase();
    [before_colon(text), before_colon(last)].iter().any(|path| {
        let ends = [
            ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.xz", ".tar.bz2",
        ];
        ends.iter().any(|end| path.ends_with(end))
    })
}

/// A legal tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

impl Tag {
    /// Takes `text` as it is.
    ///
    /// # Errors
    /// [`InvalidName::Tag`] when the grammar refuses it.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let legal = text.len() <= MAX_TAG
            && text.bytes().next().is_some_and(word)
            && text
                .bytes()
                .all(|byte| word(byte) || matches!(byte, b'.' | b'-'));
        if legal {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName::Tag {
                tag: text.to_owned(),
            })
        }
    }

    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for Tag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// `value` with every character that no tag may hold replaced, for values such as a version's `+`
/// (semver build metadata, written `_` as Helm does) or a branch's `/`.
pub fn tag_fragment(value: &str) -> String {
    value
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') => c,
            '+' => '_',
            _ => '-',
        })
        .collect()
}

/// The second mapping: a service's name as one component of a legal repository path.
///
/// Lower-case; runs of anything illegal become one `-`; separators are kept where they are legal.
///
/// # Errors
/// [`InvalidName::Unmappable`] when no letter or digit is left.
pub fn image_component(service: &str) -> Result<String, InvalidName> {
    let mut component = String::new();
    let mut separator = String::new();
    for c in service.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            if !component.is_empty() {
                component.push_str(legal_separator(&separator));
            }
            separator.clear();
            component.push(c);
        } else {
            separator.push(c);
        }
    }
    if component.is_empty() {
        return Err(InvalidName::Unmappable {
            name: service.to_owned(),
        });
    }
    Ok(component)
}

/// The separator to write for what stood between two alphanumeric runs.
fn legal_separator(found: &str) -> &str {
    match found {
        "" | "." | "_" | "__" => found,
        run if run.bytes().all(|byte| byte == b'-') => found,
        _ => "-",
    }
}

/// The third mapping: a service's name as a Kubernetes name (RFC 1123 label, at most 63 characters).
///
/// # Errors
/// [`InvalidName::Unmappable`] when no letter or digit is left.
pub fn kubernetes_name(service: &str) -> Result<String, InvalidName> {
    let component = image_component(service)?;
    let mut name: String = component.replace(['.', '_'], "-");
    name.truncate(MAX_KUBERNETES_NAME);
    Ok(name.trim_end_matches('-').to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_password_in_a_name_is_not_repeated() {
        for (name, shown) in [
            ("me:hunter2@localhost:5601/x", "…@localhost:5601/x"),
            ("docker://me:hunter2@ghcr.io/x", "docker://…@ghcr.io/x"),
            ("https://me:hunter2@ghcr.io", "https://…@ghcr.io"),
            ("me:hun/ter2@ghcr.io/x", "…@ghcr.io/x"),
            ("me:1/hunter2@ghcr.io/x", "…@ghcr.io/x"),
            (
                "me:hunt@er2@ghcr.io/x:1@sha256:00",
                "…@ghcr.io/x:1@sha256:00",
            ),
            ("hunter2@ghcr.io/x", "…@ghcr.io/x"),
        ] {
            assert_eq!(without_login(name), shown);
            let error = Repository::parse(name).expect_err("refused");
            let told = format!("{error} {error:?} {:?}", error.hint());
            assert!(
                !told.contains("hun") && told.contains("cargo lighter login"),
                "{told}"
            );
        }
        for name in [
            "localhost:5000/x@v1.2",
            "ghcr.io/acme/orders:1@sha256:00",
            "orders@sha256:00",
            "ghcr.io/acme@1.0",
            "oci:a@b/c",
        ] {
            assert_eq!(without_login(name), name.replace("oci:a@b", "…@b"));
        }
    }

    #[test]
    fn paths_and_archives_are_no_registries() {
        for text in [".", "..", "/a", "./a", "../a", "~/a"] {
            assert!(names_a_path(text), "{text}");
        }
        for text in ["", "a", ".a/b", "ghcr.io/a", "..a"] {
            assert!(!names_a_path(text), "{text}");
        }
        for text in [
            "x.tar",
            "a.b/X.TAR.gz",
            "x.tgz:orders:1",
            "x.tar:acme/orders",
            "h:5000/x.tar",
        ] {
            assert!(names_an_archive(text), "{text}");
        }
        for text in ["", "tar", "ghcr.io/tar", "x.tar/y", "orders:x.tar"] {
            assert!(!names_an_archive(text), "{text}");
        }
    }

    #[test]
    fn a_repository_needs_a_host_and_a_path() {
        let repository = Repository::parse("localhost:5000/shop/orders").expect("legal");
        assert_eq!(repository.registry(), "localhost:5000");
        assert_eq!(repository.path(), "shop/orders");
        assert!(Repository::parse("shop/orders").is_err());
        assert!(Repository::parse("ghcr.io").is_err());
        assert!(Repository::parse("ghcr.io/Shop").is_err());
        assert!(Repository::parse("ghcr.io/shop:tag").is_err());
        assert!(Repository::parse("ghcr.io/shop//orders").is_err());
    }

    #[test]
    fn a_registry_may_be_an_address_in_brackets() {
        let repository = Repository::parse("[::1]:6099/x").expect("legal");
        assert_eq!(
            (repository.registry(), repository.path()),
            ("[::1]:6099", "x")
        );
        for text in [
            "[::1/x",
            "[::1]x/x",
            "[::1]:/x",
            "[x]:1/x",
            "[::1]:1/X",
            "[::1]:1/a//b",
        ] {
            assert!(Repository::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn service_names_map_to_legal_names() {
        assert_eq!(image_component("Orders_API").as_deref(), Ok("orders_api"));
        assert_eq!(image_component("_x").as_deref(), Ok("x"));
        assert_eq!(image_component("a---b").as_deref(), Ok("a---b"));
        assert_eq!(image_component("a_-b").as_deref(), Ok("a-b"));
        assert_eq!(kubernetes_name("Orders_API").as_deref(), Ok("orders-api"));
        assert!(image_component("__").is_err());
    }

    #[test]
    fn build_metadata_becomes_legal_in_a_tag() {
        assert_eq!(tag_fragment("1.0.0+build/5"), "1.0.0_build-5");
    }

    proptest! {
        #[test]
        fn whatever_maps_is_accepted_as_a_repository(service in ".{1,40}") {
            if let Ok(component) = image_component(&service) {
                let whole = format!("localhost:5000/{component}");
                prop_assert!(Repository::parse(&whole).is_ok(), "{}", whole);
            }
        }

        #[test]
        fn what_counts_as_plain_is_legal_to_the_reference_type(
            host in "([a-z0-9.-]{1,12}|[a-z.]{1,5}:[0-9]{0,6})",
            path in "[a-z0-9._/-]{1,20}",
        ) {
            if is_plain_host(&host) && path.split('/').all(is_plain_component) {
                let whole = format!("{host}/{path}");
                let reference = Reference::try_from(whole.clone());
                prop_assert!(reference.is_ok(), "{}", whole);
            }
        }

        #[test]
        fn foreign_text_never_panics(text in ".*") {
            let _ = Repository::parse(&text);
            let _ = Tag::parse(&text);
            let _ = kubernetes_name(&text);
        }
    }
}
