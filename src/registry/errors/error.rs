//! What can go wrong with a registry. What the user can do about it stands in `advice`.
//!
//! Messages name the registry, the repository and the status, and repeat the server's own code and
//! words in printable form. URLs never appear, because their queries carry signatures.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::digest::Digest;
use crate::registry::credential::{CredentialError, CredentialSource};
use crate::registry::words::server_words::ServerWords;

/// How actions begin that only read.
pub(in crate::registry) const READ: &str = "read ";
/// How they begin where it is only asked whether something is there.
pub(in crate::registry) const LOOK: &str = "look for ";

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
    pub(in crate::registry) fn reads(&self) -> bool {
        self.action.starts_with(READ)
    }

    /// Whether it was only to find out whether something is there.
    pub(in crate::registry) fn looks(&self) -> bool {
        self.action.starts_with(LOOK)
    }

    /// Who was asked by way of `host`.
    fn whom(&self, host: &str) -> String {
        let registry = &self.registry;
        match &self.token_service {
            Some(service) => format!("token service `{service}` of registry `{registry}`"),
            // A port that goes without saying is not repeated in addresses.
            None if registry == host || registry.strip_suffix(":443") == Some(host) => {
                format!("registry `{registry}`")
            }
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
pub struct Cause(pub(in crate::registry) String);

/// What a proxy did instead of leading to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyTrouble {
    /// It is not there, or hung up.
    Absent,
    /// It wants a user and a password.
    WantsLogin,
    /// It does not lead to this host, or could not reach it.
    Refuses,
}

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
    #[error("a user name is not empty, and holds no colon and no control character")]
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
    /// The proxy that the environment names is of another kind than those that are spoken to; nothing was sent.
    #[error("{variable} names a proxy of the kind `{scheme}`, which is not supported")]
    ProxyKind {
        /// The variable; its value may hold a password.
        variable: &'static str,
        /// What its address begins with.
        scheme: String,
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
    /// The proxy that the environment names did not lead there; nothing was sent.
    #[error("cannot reach {} through the proxy that {variable} names", .attempt.whom(.host))]
    ThroughProxy {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The host.
        host: String,
        /// The variable; its value may hold a password.
        variable: &'static str,
        /// What the proxy did.
        trouble: ProxyTrouble,
        /// What the network libraries say.
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
    /// Something that is not plain HTTP answers where that is spoken.
    #[error("registry `{}` does not answer in plain http", .attempt.registry)]
    NotPlain {
        /// What was tried.
        attempt: Box<Attempt>,
        /// Whether it said itself that it serves TLS.
        serves_tls: bool,
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
        /// Whether it was without TLS.
        plain: bool,
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
    /// The token that was given says itself that it gives no right to push.
    #[error("{attempt} {}: its token service grants no right to push", as_whom(.user.as_deref()))]
    NotGranted {
        /// What was tried.
        attempt: Box<Attempt>,
        /// Who we were; `None` is anonymous.
        user: Option<Box<User>>,
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
    /// The registry forgot an upload that it had opened, each time.
    #[error("{attempt}: it does not know the upload that it opened: status {status}{words}")]
    UploadLost {
        /// What was tried.
        attempt: Box<Attempt>,
        /// 400, 404 or 416.
        status: u16,
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
    /// The registry does not know this kind of manifest.
    #[error("{attempt}: it takes no manifest of type `{media_type}`: status {status}{words}")]
    KindRefused {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The manifest's media type.
        media_type: String,
        /// 400, 405 or 415.
        status: u16,
        /// The server's answer.
        words: Box<ServerWords>,
    },
    /// The registry breaks the protocol.
    #[error("{attempt}: {what}")]
    Protocol {
        /// What was tried.
        attempt: Box<Attempt>,
        /// What is wrong, printable and without secrets.
        what: String,
    },
    /// The registry sends us to an address that nothing may be sent to.
    #[error("{attempt}: the registry sends us to an address {what}; nothing was sent there")]
    SentAway {
        /// What was tried.
        attempt: Box<Attempt>,
        /// What is wrong with the address, printable and without secrets.
        what: String,
    },
    /// The registry names a token service that no credential may be sent to.
    #[error("{attempt}: it names a token service {what}; no credential was sent")]
    BadTokenService {
        /// What was tried.
        attempt: Box<Attempt>,
        /// What is wrong with it.
        what: String,
        /// Its host, where the user may vouch for it.
        service: Option<String>,
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
    /// The registry acknowledged a tag, and the tag leads to another manifest.
    #[error(
        "{attempt}: the registry acknowledged it, and the tag leads to `{theirs}`, not to `{ours}`"
    )]
    TagElsewhere {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The digest of what was sent.
        ours: Digest,
        /// The digest that the tag leads to.
        theirs: Digest,
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
    /// The registry sends us to another host for what only it can do.
    #[error("{attempt}: the registry sends us on to `{host}`, which is another one")]
    Moved {
        /// What was tried.
        attempt: Box<Attempt>,
        /// The host.
        host: String,
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
    /// Whether the registry answered that nobody may look, which says nothing of pushes.
    pub(in crate::registry) fn hides(&self) -> bool {
        matches!(
            self,
            Self::Unauthorized { status: 403, .. }
                | Self::Refused {
                    status: 405 | 501,
                    ..
                }
        )
    }

    /// Whether the environment makes no sense, whatever the registry.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Proxy { .. } | Self::ProxyKind { .. })
    }

    /// What the registry itself answered, printable, where it answered at all.
    pub fn answer(&self) -> Option<String> {
        match self {
            Self::Unauthorized { status, words, .. }
            | Self::Busy { status, words, .. }
            | Self::Refused { status, words, .. }
            | Self::UploadLost { status, words, .. }
            | Self::KindRefused { status, words, .. } => Some(format!("status {status}{words}")),
            Self::NotFound { words, .. } => Some(format!("status 404{words}")),
            Self::LoginRefused { words, .. } => Some(format!("login refused{words}")),
            _ => None,
        }
    }

    /// Whether it is about what a server did, and not about us.
    pub(in crate::registry) fn is_of_a_server(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::ThroughProxy { .. }
                | Self::Tls { .. }
                | Self::NotPlain { .. }
                | Self::TimedOut { .. }
                | Self::Lost { .. }
                | Self::Unauthorized { .. }
                | Self::NotFound { .. }
                | Self::Busy { .. }
                | Self::Refused { .. }
                | Self::UploadLost { .. }
                | Self::Protocol { .. }
                | Self::SentAway { .. }
                | Self::Moved { .. }
        )
    }

    /// The host that gave no answer, where that is what went wrong.
    pub(in crate::registry) fn silent_host(&self) -> Option<&str> {
        match self {
            Self::Unreachable { host, .. }
            | Self::ThroughProxy { host, .. }
            | Self::Tls { host, .. }
            | Self::TimedOut { host, .. }
            | Self::Lost { host, .. } => Some(host),
            _ => None,
        }
    }

    /// Whether it may help to say who we are.
    pub(in crate::registry) fn wants_login(&self) -> bool {
        matches!(self, Self::Unauthorized { .. })
    }

    /// Whether the registry says that what it got is not what was announced.
    pub(in crate::registry) fn is_digest_invalid(&self) -> bool {
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
