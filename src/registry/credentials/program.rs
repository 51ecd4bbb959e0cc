//! Credential helpers: programs named `docker-credential-NAME` that keep secrets for docker.
//!
//! The protocol (docker-credential-helpers, "Development"): one verb as argument, the server or a
//! JSON object on standard input, JSON on standard output; failures are words on standard output.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::docker_config::DockerConfig;
use crate::process::{Captured, Environment, Interrupt, Program, ProgramError};
use crate::registry::addresses::server_key::server_key;
use crate::registry::credential::{Credential, CredentialError};
use crate::registry::secret::Secret;
use crate::report::printable;

/// For a helper that nobody can answer.
const TIME_LIMIT: Duration = Duration::from_secs(15);
/// For one that may ask the user on the terminal.
const ASKING_TIME: Duration = Duration::from_mins(2);
/// The terminal of whoever opens it, if there is one.
const TERMINAL: &str = "/dev/tty";
const OUTPUT_LIMIT: usize = 64 * 1024;

/// One helper, ready to be asked.
pub(in crate::registry) struct CredentialProgram<'a> {
    name: String,
    config: PathBuf,
    environment: &'a Environment,
    interrupt: &'a Interrupt,
}

impl<'a> CredentialProgram<'a> {
    /// `helper` is the checked NAME in `docker-credential-NAME`.
    pub(in crate::registry) fn new(
        helper: &str,
        config: &DockerConfig,
        environment: &'a Environment,
        interrupt: &'a Interrupt,
    ) -> Self {
        Self {
            name: format!("docker-credential-{helper}"),
            config: config.path().to_owned(),
            environment,
            interrupt,
        }
    }

    /// The program's name.
    pub(in crate::registry) fn name(&self) -> String {
        self.name.clone()
    }

    /// The credential it keeps for a registry.
    pub(in crate::registry) fn get(
        &self,
        registry: &str,
    ) -> Result<Option<Credential>, CredentialError> {
        let captured = self.run("get", registry, server_key(registry).as_bytes())?;
        if !captured.status.success() {
            return if is_not_found(&captured) {
                Ok(None)
            } else {
                Err(self.failed(registry, &captured))
            };
        }
        let answer = serde_json::from_slice::<Value>(&captured.stdout).ok();
        let field = |name: &str| answer.as_ref()?.get(name)?.as_str().map(str::to_owned);
        let (Some(username), Some(secret)) = (field("Username"), field("Secret")) else {
            return Err(CredentialError::HelperAnswer {
                program: self.name(),
                registry: registry.to_owned(),
            });
        };
        Ok(Credential::of_pair(&username, &secret))
    }

    /// Hands it a credential to keep.
    pub(in crate::registry) fn store(
        &self,
        registry: &str,
        username: &str,
        password: &Secret,
    ) -> Result<(), CredentialError> {
        let input = json!({
            "ServerURL": server_key(registry),
            "Username": username,
            "Secret": password.expose(),
        });
        let captured = self.run("store", registry, input.to_string().as_bytes())?;
        if captured.status.success() {
            Ok(())
        } else {
            // Its words may repeat what it was given.
            Err(CredentialError::HelperFailed {
                program: self.name(),
                registry: registry.to_owned(),
                words: Secret::new("it stored nothing"),
            })
        }
    }

    /// Lets it forget a registry; tells whether it knew it.
    pub(in crate::registry) fn erase(&self, registry: &str) -> Result<bool, CredentialError> {
        let captured = self.run("erase", registry, server_key(registry).as_bytes())?;
        if captured.status.success() {
            Ok(true)
        } else if is_not_found(&captured) {
            Ok(false)
        } else {
            Err(self.failed(registry, &captured))
        }
    }

    fn run(&self, verb: &str, registry: &str, input: &[u8]) -> Result<Captured, CredentialError> {
        let program = Program::new(&self.name, self.environment).arg(verb);
        // Only where nobody can be asked may it have a process group of its own, which can be ended as a whole.
        let program = match fs_err::File::open(TERMINAL) {
            Ok(_) => program.asking().time_limit(ASKING_TIME),
            Err(_) => program.tidied().time_limit(TIME_LIMIT),
        };
        let captured = program
            .output_limit(OUTPUT_LIMIT)
            .interrupted_by(self.interrupt)
            .capture(input)
            .map_err(|source| match source {
                ProgramError::Interrupted => CredentialError::Interrupted,
                source => CredentialError::Helper {
                    path: self.config.clone(),
                    registry: registry.to_owned(),
                    source,
                },
            })?;
        // Ctrl-C reaches the helper, too: that it failed then is not its fault.
        match self.interrupt.received() {
            Some(_) => Err(CredentialError::Interrupted),
            None => Ok(captured),
        }
    }

    fn failed(&self, registry: &str, captured: &Captured) -> CredentialError {
        CredentialError::HelperFailed {
            program: self.name(),
            registry: registry.to_owned(),
            words: Secret::new(words_of(&captured.stdout)),
        }
    }
}

/// Why a helper failed, unless its words are, or look like, the credential itself.
fn words_of(stdout: &[u8]) -> String {
    let text = String::from_utf8_lossy(stdout);
    if text.contains("Secret") || serde_json::from_str::<Value>(&text).is_ok() {
        "it gave no reason that can be shown".to_owned()
    } else {
        printable(&text)
    }
}

/// The fixed words by which a helper says that it keeps nothing for a server.
fn is_not_found(captured: &Captured) -> bool {
    String::from_utf8_lossy(&captured.stdout)
        .to_ascii_lowercase()
        .contains("credentials not found")
}
