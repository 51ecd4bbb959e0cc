//! What can go wrong with a registry, and what the user can do about it.
//!
//! Messages name the registry, the repository and the status, and repeat the server's own code and
//! words in printable form. URLs never appear, because their queries carry signatures.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::credential::{CredentialError, CredentialSource};
use super::endpoint::Endpoint;
use super::server_words::ServerWords;
use super::vendor::{self, Missing};
use crate::digest::Digest;
use crate::hint::Hint;

/// How actions begin that only read.
pub(super) const READ: &str = "read ";

/// What was tried, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The registry as the user wrote it.
    pub registry: String,
    /// The path in the registry, where one was concerned.
    pub repository: Option<String>,
    /// What was tried, as words that follow "cannot".
    pub action: String,
    /// The token service that was asked, where it was not the registry: its address without query.
    pub token_service: Option<String>,
}

impl Attempt {
    /// Whether it was only to read something.
    fn reads(&self) -> bool {
        self.action.starts_with(READ)
    }

    /// Who was asked by way of `host`.
    fn whom(&self, host: &str) -> String {
        let registry = &self.registry;
        match &self.token_service {
            Some(service) => format!("token service `{service}` of registry `{registry}`"),
            None if registry == host => format!("registry `{registry}`"),
            None => format!("registry `{registry}` by way of `{host}`"),
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            registry,
            repository,
            action,
            token_service,
        } = self;
        write!(formatter, "cannot {action}")?;
        match (token_service, repository) {
            (Some(service), Some(path)) => {
                write!(formatter, " from `{service}` for `{registry}/{path}`")
            }
            (Some(service), None) => write!(formatter, " from `{service}` for `{registry}`"),
            (None, Some(path)) => write!(formatter, " in `{registry}/{path}`"),
            (None, None) => write!(formatter, " at `{registry}`"),
        }
    }
}

/// Who we were to the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// Where name and password came from.
    pub source: CredentialSource,
}

/// The last line of an error chain of the network libraries: the one that says what happened.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(pub(super) String);

/// A registry that could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The run was told to stop.
    #[error("interrupted")]
    Interrupted,
    /// Not `HOST[:PORT]`.
    #[error("`{name}` does not name a registry: {why}")]
    InvalidRegistry {
        /// What was given.
        name: String,
        /// Which rule it breaks.
        why: &'static str,
    },
    /// A user name that cannot be sent.
    #[error("a user name holds no colon and no control character")]
    InvalidUser,
    /// The client itself cannot be made.
    #[error("cannot set up the registry client")]
    Setup {
        /// Why.
        #[source]
        source: Cause,
    },
    /// The certificate authorities that the environment names cannot be read.
    #[error("cannot read certificates from `{path}`, which {variable} names")]
    Certificates {
        /// The variable.
        variable: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: Cause,
    },
    /// What stands in the directory of certificates for a host cannot be used.
    #[error("cannot use the certificates of `{path}`")]
    HostCertificates {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The run's time is up.
    #[error("the {seconds} s that `--timeout` allows are over")]
    OutOfTime {
        /// The budget.
        seconds: u64,
    },
    /// The proxy that the environment names is no URL.
    #[error("{variable} holds no usable proxy address")]
    Proxy {
        /// The variable; its value may hold a password.
        variable: &'static str,
    },
    /// No credential could be looked up or stored.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// Nobody listens, or the name is unknown.
    #[error("cannot reach {}", .attempt.whom(.host))]
    Unreachable {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The host, which may be a token service or a store of the registry.
        host: String,
        /// What the operating system says.
        #[source]
        source: Cause,
    },
    /// TLS failed; nothing was sent.
    #[error("no secure connection to {}", .attempt.whom(.host))]
    Tls {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The host.
        host: String,
        /// What the TLS library says.
        #[source]
        source: Cause,
    },
    /// Something that is not plain HTTP answers on a loopback address.
    #[error("registry `{}` does not answer in plain http", .attempt.registry)]
    NotPlain {
        /// What was tried.
        attempt: Box<Attempt>,
    },
    /// No answer in time.
    #[error("{attempt}: no answer from `{host}` within {seconds} s")]
    TimedOut {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The host.
        host: String,
        /// The limit.
        seconds: u64,
    },
    /// The connection broke.
    #[error("{attempt}: the connection to `{host}` broke")]
    Lost {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The host.
        host: String,
        /// How.
        #[source]
        source: Cause,
    },
    /// The registry wants to know who we are, or does not let this user do it.
    #[error("{attempt} {}: status {status}{words}", as_whom(.user.as_deref()))]
    Unauthorized {
        /// What was tried.
        attempt: Box<Attempt>,
        /// 401 or 403.
        status: u16,
        /// Who we were; `None` is anonymous.
        user: Option<Box<User>>,
        /// The server's answer.
        words: Box<ServerWords>,
    },
    /// The password or token is wrong. Never tried twice, because accounts get locked.
    #[error("registry `{registry}` refuses the login of `{}` from {}{words}", .user.name, .user.source)]
    LoginRefused {
        /// The registry.
        registry: String,
        /// Whose.
        user: Box<User>,
        /// The server's answer.
        words: Box<ServerWords>,
    },
    /// The repository does not exist, and the registry does not make it by itself; or there is no
    /// token service where the registry says.
    #[error("{attempt}: status 404{words}")]
    NotFound {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The server's answer.
        words: Box<ServerWords>,
    },
    /// Too many requests.
    #[error("{attempt}: status {status}{words}{}", asked_to_wait(.wait.as_ref()))]
    Busy {
        /// What was tried.
        attempt: Box<Attempt>,
        /// 429 or 503.
        status: u16,
        /// How long the registry asks to wait.
        wait: Option<Duration>,
        /// The server's answer.
        words: Box<ServerWords>,
    },
    /// Any other status that is not a success.
    #[error("{attempt}: status {status}{words}")]
    Refused {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The status.
        status: u16,
        /// The server's answer.
        words: Box<ServerWords>,
    },
    /// The registry breaks the protocol, or names an address that nothing may be sent to.
    #[error("{attempt}: {what}")]
    Protocol {
        /// What was tried.
        attempt: Box<Attempt>,
        /// What is wrong, printable and without secrets.
        what: String,
    },
    /// The registry stored other bytes than were sent, by its own account.
    #[error("{attempt}: the registry stored {} instead of `{ours}`", other_content(.theirs.as_ref()))]
    DigestMismatch {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The digest of what was sent.
        ours: Digest,
        /// What the registry says, where that is a digest.
        theirs: Option<Digest>,
    },
    /// The registry acknowledged something and does not have it.
    #[error("{attempt}: the registry acknowledged it, and does not have it")]
    NotStored {
        /// What was tried.
        attempt: Box<Attempt>,
    },
    /// A tag leads to another manifest, and the registry does not move it.
    #[error("{attempt}: the tag leads to `{theirs}` and does not move to `{ours}`")]
    TagTaken {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The digest of what was sent.
        ours: Digest,
        /// The digest that the tag leads to.
        theirs: Digest,
    },
    /// The registry sent us to another host, which did not take it.
    #[error("{attempt}: the registry sent us to `{host}`")]
    Elsewhere {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The host.
        host: String,
        /// What happened there.
        #[source]
        source: Box<RegistryError>,
    },
    /// The file to send cannot be read.
    #[error("{attempt}: cannot read what to send")]
    File {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The error, naming the file.
        #[source]
        source: io::Error,
    },
    /// What a registry gave cannot be kept.
    #[error("{attempt}: cannot write what was read")]
    Disk {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The error, naming the file.
        #[source]
        source: io::Error,
    },
    /// What a registry gave is something else than was asked for.
    #[error("{attempt}: the registry gave content of digest `{found}`")]
    OtherContent {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The digest of what came.
        found: Digest,
    },
    /// More than registries have to take.
    #[error("{attempt}: it has {size} bytes, and registries take {limit} at most")]
    TooLarge {
        /// What was tried.
        attempt: Box<Attempt>,
        /// Its size.
        size: u64,
        /// What the distribution specification asks registries to take.
        limit: u64,
    },
}

impl RegistryError {
    /// Whether it is about what a server did, and not about us.
    pub(super) fn is_of_a_server(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Tls { .. }
                | Self::NotPlain { .. }
                | Self::TimedOut { .. }
                | Self::Lost { .. }
                | Self::Unauthorized { .. }
                | Self::NotFound { .. }
                | Self::Busy { .. }
                | Self::Refused { .. }
                | Self::Protocol { .. }
        )
    }

    /// Whether it may help to say who we are.
    pub(super) fn wants_login(&self) -> bool {
        matches!(self, Self::Unauthorized { .. })
    }

    /// Whether the registry says that what it got is not what was announced.
    pub(super) fn is_digest_invalid(&self) -> bool {
        matches!(self, Self::Refused { words, .. } if words.has_code("DIGEST_INVALID"))
    }
}

fn as_whom(user: Option<&User>) -> String {
    match user {
        Some(user) => format!("as `{}` (from {})", user.name, user.source),
        None => "without a login".to_owned(),
    }
}

fn other_content(theirs: Option<&Digest>) -> String {
    theirs.map_or_else(
        || "something that is no digest".to_owned(),
        |digest| format!("`{digest}`"),
    )
}

fn asked_to_wait(wait: Option<&Duration>) -> String {
    wait.map_or_else(String::new, |wait| {
        format!("; it asks to wait {} s", wait.as_secs())
    })
}

impl Hint for RegistryError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::InvalidRegistry { .. } => {
                Some("give a host such as `ghcr.io` or `localhost:5000`".to_owned())
            }
            Self::Setup { source } if source.0.to_ascii_lowercase().contains("certificate") => {
                Some(
                    "install `ca-certificates`, or name a file of certificates in SSL_CERT_FILE"
                        .to_owned(),
                )
            }
            Self::Certificates { variable, .. } | Self::Proxy { variable } => {
                Some(format!("correct {variable}, or unset it"))
            }
            Self::Credential(error) => error.hint(),
            Self::Unreachable { attempt, host, .. } | Self::TimedOut { attempt, host, .. }
                if attempt.token_service.is_some() =>
            {
                Some(silent_token_service_hint(attempt, host))
            }
            Self::NotFound { attempt, .. }
            | Self::Refused { attempt, .. }
            | Self::Lost { attempt, .. }
            | Self::Protocol { attempt, .. }
                if attempt.token_service.is_some() =>
            {
                Some(token_service_hint(attempt))
            }
            Self::Unreachable { attempt, .. } if is_this_machine(&attempt.registry) => {
                Some(format!(
                    "start a registry at `{}`, or correct the port",
                    attempt.registry
                ))
            }
            Self::Unreachable { attempt, .. } | Self::TimedOut { attempt, .. } => Some(format!(
                "check the host name in `{}`, and the network (proxies are taken from HTTPS_PROXY)",
                attempt.registry
            )),
            Self::Tls { source, .. } => Some(tls_hint(source)),
            Self::NotPlain { attempt } => Some(format!(
                "`{0}` is used over plain http, and serves TLS: put its authority at \
                 `~/.config/containers/certs.d/{0}/ca.crt`",
                attempt.registry
            )),
            Self::Unauthorized {
                attempt,
                user,
                words,
                ..
            } => {
                // Whoever is nobody logs in first.
                let known = user.as_ref();
                let known = known.and_then(|_| vendor_hint(attempt, words, Missing::Right));
                Some(known.unwrap_or_else(|| unauthorized_hint(attempt, user.as_deref())))
            }
            Self::LoginRefused { registry, user, .. } => Some(login_refused_hint(registry, user)),
            Self::NotFound { attempt, words } => {
                let known = vendor_hint(attempt, words, Missing::Repository);
                Some(known.unwrap_or_else(|| not_found_hint(attempt)))
            }
            Self::Refused { status: 413, .. } => Some(
                "raise the limit on request bodies of the registry, or of the proxy before it"
                    .to_owned(),
            ),
            Self::NotStored { .. } => Some(
                "try again; if that does not help, tell those who run the registry: its storage, or the \
                 agreement of its parts, is broken"
                    .to_owned(),
            ),
            Self::HostCertificates { .. } => Some(
                "a directory `certs.d/HOST` holds authorities as `*.crt`, and for a client \
                 `NAME.cert` with `NAME.key`, in PEM form"
                    .to_owned(),
            ),
            Self::OutOfTime { .. } => Some(
                "allow more with `--timeout`; what was stored by now stays, and is not sent again"
                    .to_owned(),
            ),
            Self::TagTaken { .. } => Some(
                "choose another tag (`--tag`), or allow tags of the repository to be moved".to_owned(),
            ),
            Self::Elsewhere { attempt, .. } if !attempt.reads() => Some(format!(
                "if that is `{}` under a wrong name, correct the external address of the registry or of \
                 the proxy before it (docker-registry: `http.host` or `http.relativeurls`)",
                attempt.registry
            )),
            Self::Busy { .. } => Some("try again later".to_owned()),
            Self::OtherContent { attempt, .. } => Some(format!(
                "try again; if that does not help, something between here and `{}` changes what it sends",
                attempt.registry
            )),
            Self::Disk { .. } => Some(
                "free some space, or let TMPDIR name a directory on another disk".to_owned(),
            ),
            _ => None,
        }
    }
}

fn vendor_hint(attempt: &Attempt, words: &ServerWords, missing: Missing) -> Option<String> {
    let path = attempt.repository.as_deref()?;
    vendor::hint(&attempt.registry, path, words.text(), missing)
}

/// A command that works as it is typed, given the user's name and a password to read.
fn login_hint(registry: &str) -> String {
    format!("log in with `cargo lighter login {registry} --username USER --password-stdin`")
}

fn login_refused_hint(registry: &str, user: &User) -> String {
    match user.source {
        CredentialSource::Given => {
            "check the user name and the password; some registries take only a token".to_owned()
        }
        CredentialSource::Environment => {
            "correct LIGHTER_REGISTRY_USER and LIGHTER_REGISTRY_PASSWORD, or unset them to use what \
             `cargo lighter login` stored"
                .to_owned()
        }
        _ => login_hint(registry),
    }
}

fn is_this_machine(registry: &str) -> bool {
    Endpoint::of(registry).is_ok_and(|endpoint| endpoint.is_loopback())
}

fn tls_hint(source: &Cause) -> String {
    if source.0.to_lowercase().contains("expired") {
        return "the registry's certificate must be renewed; if it is not that old, correct the clock of \
                this machine"
            .to_owned();
    }
    if source.0.contains("InvalidContentType") {
        "the server speaks plain http, which is used on this machine's own addresses only, and where \
         `--insecure-registry HOST` says so"
            .to_owned()
    } else {
        "if the registry has a certificate of your own authority, name that authority's file in \
         SSL_CERT_FILE, or put it at `~/.config/containers/certs.d/HOST/ca.crt`"
            .to_owned()
    }
}

fn unauthorized_hint(attempt: &Attempt, user: Option<&User>) -> String {
    match (user, &attempt.repository) {
        (Some(user), Some(path)) => format!(
            "check the name `{path}` and that `{}` may {} it, or log in as another user: \
             `cargo lighter login {} --username USER --password-stdin`",
            user.name,
            if attempt.reads() { "read" } else { "push to" },
            attempt.registry
        ),
        _ => login_hint(&attempt.registry),
    }
}

fn token_service_hint(attempt: &Attempt) -> String {
    let registry = &attempt.registry;
    format!(
        "check that `{registry}` is the registry's right name; if it is, ask those who run it, since it \
         names this token service (`realm`)"
    )
}

fn silent_token_service_hint(attempt: &Attempt, host: &str) -> String {
    let registry = &attempt.registry;
    format!(
        "check that `{host}` can be reached from here, since `{registry}` names it as its token service \
         (proxies are taken from HTTPS_PROXY)"
    )
}

fn not_found_hint(attempt: &Attempt) -> String {
    match &attempt.repository {
        Some(path) if attempt.reads() => format!("check the name `{path}` and what follows it"),
        Some(path) => format!("check the name `{path}`, or create the repository at the registry"),
        None => format!("check that `{}` is a registry", attempt.registry),
    }
}
