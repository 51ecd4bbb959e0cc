//! Keeping a credential after the registry took it, and forgetting it again.

use super::engine::Engine;
use crate::process::{Environment, Interrupt};
use crate::registry::access::core::Core;
use crate::registry::access::knowledge::Access;
use crate::registry::addresses::endpoint::Endpoint;
use crate::registry::addresses::server_key::host_and_path;
use crate::registry::call::sending::Call;
use crate::registry::credential::{Credential, CredentialSource};
use crate::registry::credentials::keychain::{files, own_file};
use crate::registry::credentials::program::CredentialProgram;
use crate::registry::errors::error::RegistryError;
use crate::registry::options::Options;
use crate::registry::secret::Secret;
use crate::report::Clock;

/// Shows a name and a password to a registry (`HOST[:PORT]`, or its address as docker takes it), and stores them where docker would:
/// in the helper that the docker configuration names, else in the configuration itself. Returns
/// where that was.
///
/// # Errors
/// [`RegistryError`] when the registry refuses them or cannot be reached (nothing is stored then),
/// or when they cannot be stored.
pub fn login(
    environment: &Environment,
    registry: &str,
    username: &str,
    password: &Secret,
    options: Options,
    clock: Clock,
    interrupt: &Interrupt,
) -> Result<CredentialSource, RegistryError> {
    let (host, path) = host_and_path(registry);
    let registry = if path.is_empty() { host } else { registry };
    if username.is_empty() || username.contains(|c: char| c == ':' || c.is_control()) {
        return Err(RegistryError::InvalidUser);
    }
    // Looked at before a password is sent that could not be kept; read again when it is changed.
    let mut config = own_file(environment)?;
    let helper = config.helper_for(registry)?;
    let credential = Credential::Password {
        username: username.to_owned(),
        password: password.clone(),
    };
    let core = Core::new(environment, clock, interrupt, options)?;
    let endpoint = core.endpoint(registry)?;
    let call = Call::login(&core, Access::with_credential(endpoint, credential));
    Engine::start()?.run(interrupt, call.check_login())?;
    if let Some(helper) = helper {
        let program = CredentialProgram::new(&helper, &config, environment, interrupt);
        program.store(registry, username, password)?;
        return Ok(CredentialSource::Helper(program.name()));
    }
    config.edit(|config| {
        config.set_inline(registry, username, password)?;
        Ok(true)
    })?;
    Ok(CredentialSource::File(config.path().to_owned()))
}

/// What forgetting credentials came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logout {
    /// Where they were; nowhere is no error.
    pub removed: Vec<CredentialSource>,
    /// Parts of the registry (`HOST/PATH`) that have credentials of their own, which stay, and where those are.
    pub left: Vec<(String, CredentialSource)>,
}

/// Forgets the credential of a registry (`HOST[:PORT]`), or of a part of it (`HOST[:PORT]/PATH`), in every
/// place where it would be found. A scheme before that, and the root of the registry's API behind it, change nothing.
///
/// # Errors
/// [`RegistryError`] when the configuration or its helper is broken or cannot be written.
pub fn logout(
    environment: &Environment,
    name: &str,
    interrupt: &Interrupt,
) -> Result<Logout, RegistryError> {
    let (registry, path) = host_and_path(name);
    Endpoint::of(registry)?;
    let name = if path.is_empty() {
        registry.to_owned()
    } else {
        format!("{registry}/{path}")
    };
    let name = name.as_str();
    let mut logout = Logout::default();
    for mut config in files(environment)? {
        let place = CredentialSource::File(config.path().to_owned());
        if config.remove_inline(name)? && config.edit(|config| config.remove_inline(name))? {
            logout.removed.push(place.clone());
        }
        let parts = config.parts_below(name)?;
        logout
            .left
            .extend(parts.into_iter().map(|part| (part, place.clone())));
        // A helper keeps one credential for all of a registry.
        let helper = config.helper_for(registry)?.filter(|_| path.is_empty());
        if let Some(helper) = helper {
            let program = CredentialProgram::new(&helper, &config, environment, interrupt);
            if program.erase(registry)? {
                logout
                    .removed
                    .push(CredentialSource::Helper(program.name()));
            }
        }
    }
    Ok(logout)
}
