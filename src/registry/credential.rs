//! Who we are to a registry, and where that is written.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::secret::Secret;
use crate::hint::Hint;
use crate::process::ProgramError;

/// What proves who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A name and a password, or an access token used like one.
    Password {
        /// The user's name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A token that the registry's token service exchanges for short-lived ones (`OAuth2`
    /// `refresh_token`).
    IdentityToken(Secret),
}

impl Credential {
    /// The user's name, or what docker writes in its place for an identity token.
    pub fn user(&self) -> &str {
        match self {
            Self::Password { username, .. } => username,
            Self::IdentityToken(_) => IDENTITY_USER,
        }
    }

    /// What no message may repeat.
    pub(super) fn secret(&self) -> &Secret {
        match self {
            Self::Password { password, .. } => password,
            Self::IdentityToken(token) => token,
        }
    }

    /// Reads the pair that config files and helpers hold.
    pub(super) fn of_pair(username: &str, secret: &str) -> Option<Self> {
        if secret.is_empty() {
            return None;
        }
        Some(if username == IDENTITY_USER {
            Self::IdentityToken(Secret::new(secret))
        } else {
            Self::Password {
                username: username.to_owned(),
                password: Secret::new(secret),
            }
        })
    }
}

/// The user name that marks a secret as an identity token (docker's credential helper protocol).
const IDENTITY_USER: &str = "<token>";

/// Where a credential came from, or was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// A credential helper, by its program's name.
    Helper(String),
    /// The `auths` of a docker configuration file.
    File(PathBuf),
    /// The variables `LIGHTER_REGISTRY_USER` and `LIGHTER_REGISTRY_PASSWORD`.
    Environment,
    /// The caller.
    Given,
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Helper(program) => write!(formatter, "`{program}`"),
            Self::File(path) => write!(formatter, "`{}`", path.display()),
            Self::Environment => formatter.write_str("LIGHTER_REGISTRY_USER"),
            Self::Given => formatter.write_str("standard input"),
        }
    }
}

/// A credential that cannot be looked up or stored. Contents of files and answers of helpers are
/// never part of it.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The configuration cannot be read or written.
    #[error("cannot use the docker configuration `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The configuration is no JSON object.
    #[error("`{path}` is not a docker configuration: {why}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Which part, without its content.
        why: String,
    },
    /// `REGISTRY_AUTH_FILE` names a file that is not there.
    #[error("REGISTRY_AUTH_FILE names `{path}`, which does not exist")]
    NoAuthFile {
        /// The file.
        path: PathBuf,
    },
    /// Only one of the two variables that make a credential is set.
    #[error("{set} is set, and {missing} is not")]
    HalfGiven {
        /// The one that is set.
        set: &'static str,
        /// The other.
        missing: &'static str,
    },
    /// Nothing says for which registry the credential in the environment is.
    #[error("LIGHTER_REGISTRY_PASSWORD is set, and nothing says for which registry it is")]
    Unbound,
    /// What should say for which registry the credential in the environment is names none.
    #[error("{variable} does not begin with the name of a registry")]
    NoHost {
        /// The variable; its value may hold a password.
        variable: &'static str,
    },
    /// Neither `DOCKER_CONFIG` nor HOME says where the configuration is.
    #[error("no place for credentials: neither DOCKER_CONFIG nor HOME is set")]
    NoPlace,
    /// A helper's name could be something else than a program's.
    #[error("`{path}` names a credential helper with illegal characters")]
    HelperName {
        /// The file.
        path: PathBuf,
    },
    /// A helper could not run, hung, or printed a flood.
    #[error("cannot ask the credential helper that `{path}` names for `{registry}`")]
    Helper {
        /// The file.
        path: PathBuf,
        /// The registry.
        registry: String,
        /// What went wrong.
        #[source]
        source: ProgramError,
    },
    /// A helper reported a failure of its own.
    #[error("`{program}` failed for `{registry}`")]
    HelperFailed {
        /// The program.
        program: String,
        /// The registry.
        registry: String,
        /// Its words, printable. They may be the very secret that it keeps.
        words: Secret,
    },
    /// A helper's answer is not what its protocol says.
    #[error("`{program}` gave no legal answer for `{registry}`")]
    HelperAnswer {
        /// The program.
        program: String,
        /// The registry.
        registry: String,
    },
    /// The run was told to stop.
    #[error("interrupted")]
    Interrupted,
}

impl CredentialError {
    /// What only those should see who ask for detail: the words of a helper, which may be anything.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::HelperFailed { program, words, .. } => {
                Some(format!("`{program}` says: {}", words.expose()))
            }
            _ => None,
        }
    }
}

impl Hint for CredentialError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Malformed { path, .. } | Self::HelperName { path } => Some(format!(
                "correct `{}`, or name another directory in DOCKER_CONFIG",
                path.display()
            )),
            Self::NoAuthFile { .. } => Some(
                "correct REGISTRY_AUTH_FILE, or unset it to look where docker and podman keep \
                 credentials"
                    .to_owned(),
            ),
            Self::HalfGiven { set, missing } => Some(format!("set {missing} too, or unset {set}")),
            Self::Unbound => Some(
                "set LIGHTER_REGISTRY_HOST to the registry's host, such as ghcr.io, or LIGHTER_REPO"
                    .to_owned(),
            ),
            Self::NoHost { variable } => Some(format!(
                "set {variable} to a host, perhaps with a port, and without a scheme: ghcr.io, localhost:5000"
            )),
            Self::NoPlace => Some("set DOCKER_CONFIG to a directory".to_owned()),
            Self::Helper {
                source: ProgramError::TimeLimit { program, .. },
                ..
            } => Some(format!(
                "type `{program} list` to see what it waits for; where no terminal is at hand to ask \
                 on, unlock its store before"
            )),
            Self::Helper { source, .. } => source.hint(),
            Self::HelperFailed { program, .. } => Some(format!(
                "type `{program} list` to see what is wrong, or remove the helper from the docker \
                 configuration; `-v` shows its words"
            )),
            Self::HelperAnswer { program, .. } => Some(format!(
                "try `{program} list`, or remove the helper from the docker configuration"
            )),
            Self::File { path, .. } => Some(format!(
                "see that you may read and write `{}`, or name another directory in DOCKER_CONFIG",
                path.display()
            )),
            Self::Interrupted => None,
        }
    }
}
