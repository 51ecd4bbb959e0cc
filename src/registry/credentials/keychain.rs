//! Where credentials are looked for, and in which order.
//!
//! First come the variables `LIGHTER_REGISTRY_USER` and `LIGHTER_REGISTRY_PASSWORD`, for one host only.
//! Then files: the one that `REGISTRY_AUTH_FILE` names and no other; else docker's, then those that podman
//! writes (containers-auth.json(5)). In a file the entry for the longest part of a repository's name
//! counts, as podman has it: `ghcr.io/acme/orders` before `ghcr.io/acme` before `ghcr.io`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::docker_config::DockerConfig;
use super::exposed_file::ExposedFile;
use super::program::CredentialProgram;
use crate::process::{
    Environment, Interrupt, REGISTRY_PASSWORD as PASSWORD, REGISTRY_USER as USER,
};
use crate::registry::addresses::endpoint::Endpoint;
use crate::registry::addresses::server_key::server_key;
use crate::registry::credential::{Credential, CredentialError, CredentialSource};

const HOST: &str = "LIGHTER_REGISTRY_HOST";
/// Binds the credential, too: whoever sets it says where to push.
const REPO: &str = "LIGHTER_REPO";
const DOCKER_CONFIG: &str = "DOCKER_CONFIG";
const AUTH_FILE: &str = "REGISTRY_AUTH_FILE";

/// Looks up the credential for `name`, a registry (`HOST[:PORT]`) or a repository of it
/// (`HOST[:PORT]/PATH`). In each file the helper of exactly this host comes first, then the general one,
/// else the file's own `auths`; an entry for a part of the path comes before all of them. `None` is
/// anonymous.
///
/// # Errors
/// [`CredentialError`] when a configuration or a helper is broken, or the environment is unclear; that is
/// never taken for "anonymous".
pub fn credential_source(
    environment: &Environment,
    name: &str,
    interrupt: &Interrupt,
) -> Result<Option<(Credential, CredentialSource)>, CredentialError> {
    if let Some(given) = given(environment, name)? {
        return Ok(Some((given, CredentialSource::Environment)));
    }
    for config in files(environment)? {
        if let Some(helper) = config.helper_for(name)? {
            let program = CredentialProgram::new(&helper, &config, environment, interrupt);
            if let Some(credential) = program.get(host_of(name))? {
                let source = CredentialSource::Helper(program.name());
                return Ok(Some((credential, source)));
            }
        } else if let Some(credential) = config.inline(name)? {
            let source = CredentialSource::File(config.path().to_owned());
            return Ok(Some((credential, source)));
        }
    }
    Ok(None)
}

/// The credential helpers that the files name, each with the first file that names it. None is run.
///
/// # Errors
/// [`CredentialError`] when a configuration is broken.
pub fn credential_helpers(
    environment: &Environment,
) -> Result<BTreeMap<String, PathBuf>, CredentialError> {
    let mut found = BTreeMap::new();
    // Nothing runs that could be stopped.
    let idle = Interrupt::new();
    for config in files(environment)? {
        for helper in config.helpers()? {
            let program = CredentialProgram::new(&helper, &config, environment, &idle);
            let path = config.path().to_owned();
            found.entry(program.name()).or_insert(path);
        }
    }
    Ok(found)
}

/// The files with credentials that are not their owner's alone: passwords that others may
/// read, and files that others may write, which could name any program as a helper.
///
/// # Errors
/// [`CredentialError`] when a configuration is broken.
pub fn exposed_files(environment: &Environment) -> Result<Vec<ExposedFile>, CredentialError> {
    let files = files(environment)?;
    Ok(files.iter().filter_map(ExposedFile::of).collect())
}

/// The part of a repository's path that an entry of a file is for; empty where all of the registry has
/// one credential. Repositories with the same part share everything that is known of the registry.
///
/// # Errors
/// [`CredentialError`] when a configuration is broken.
pub(in crate::registry) fn scope_of(
    environment: &Environment,
    name: &str,
) -> Result<String, CredentialError> {
    for config in files(environment)? {
        if let Some(path) = config.path_entry(name)? {
            return Ok(path);
        }
    }
    Ok(String::new())
}

/// The files that may hold credentials, in order; those that are not there or out of reach are left out, but for
/// what was named.
///
/// # Errors
/// [`CredentialError`] when one cannot be read.
pub(in crate::registry) fn files(
    environment: &Environment,
) -> Result<Vec<DockerConfig>, CredentialError> {
    if let Some(path) = named_file(environment) {
        let config = DockerConfig::read(path.clone())?;
        return match config {
            Some(config) => Ok(vec![config]),
            None => Err(CredentialError::NoAuthFile { path }),
        };
    }
    let mut found = Vec::new();
    for path in usual_files(environment) {
        if !is_out_of_reach(environment, &path) {
            found.extend(DockerConfig::read(path)?);
        }
    }
    Ok(found)
}

/// Files that are not looked into because nobody may tell whether they are there: podman of root makes a directory
/// that others cannot enter in a place that is everybody's.
pub(in crate::registry) fn out_of_reach(environment: &Environment) -> Vec<PathBuf> {
    if named_file(environment).is_some() {
        return Vec::new();
    }
    let files = usual_files(environment);
    files
        .filter(|path| is_out_of_reach(environment, path))
        .collect()
}

fn usual_files(environment: &Environment) -> impl Iterator<Item = PathBuf> + use<> {
    let docker = [docker_file(environment)].into_iter();
    docker.chain(podman_files(environment)).flatten()
}

/// Only the place of a session, which may be somebody else's: `su` keeps its name. In the user's home it is a mistake.
fn is_out_of_reach(environment: &Environment, path: &Path) -> bool {
    let [session, _] = podman_files(environment);
    let refused = |error: io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    session.as_deref() == Some(path) && fs_err::metadata(path).is_err_and(refused)
}

/// The file in which a new credential is kept: the one that was named, else docker's.
///
/// # Errors
/// [`CredentialError::NoPlace`] where no variable says where that is.
pub(in crate::registry) fn own_file(
    environment: &Environment,
) -> Result<DockerConfig, CredentialError> {
    let path = named_file(environment).or_else(|| docker_file(environment));
    let path = path.ok_or(CredentialError::NoPlace)?;
    let known = DockerConfig::read(path.clone())?;
    Ok(known.unwrap_or_else(|| DockerConfig::empty(path)))
}

fn named_file(environment: &Environment) -> Option<PathBuf> {
    let path = environment.os(AUTH_FILE)?;
    Some(environment.resolve(path))
}

/// `$DOCKER_CONFIG/config.json`, else `$HOME/.docker/config.json`.
fn docker_file(environment: &Environment) -> Option<PathBuf> {
    let named = environment.os(DOCKER_CONFIG).map(PathBuf::from);
    let directory = named.or_else(|| environment.home().map(|home| home.join(".docker")))?;
    Some(environment.resolve(directory).join("config.json"))
}

/// Where podman, buildah and skopeo keep credentials: while a session lasts, and for good.
fn podman_files(environment: &Environment) -> [Option<PathBuf>; 2] {
    let session = environment.os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let session = session.unwrap_or_else(|| {
        let user = rustix::process::getuid().as_raw();
        PathBuf::from(format!("/run/containers/{user}"))
    });
    let session = match environment.os("XDG_RUNTIME_DIR") {
        Some(_) => session.join("containers/auth.json"),
        None => session.join("auth.json"),
    };
    let home = environment.os("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = home.or_else(|| environment.home().map(|home| home.join(".config")));
    let lasting = home.map(|home| home.join("containers/auth.json"));
    [Some(session), lasting].map(|path| path.map(|path| environment.resolve(path)))
}

/// The credential in the environment, if it is for this registry.
fn given(environment: &Environment, name: &str) -> Result<Option<Credential>, CredentialError> {
    let (user, password) = match (environment.get(USER), environment.get(PASSWORD)) {
        (None, None) => return Ok(None),
        (Some(user), Some(password)) => (user, password),
        (Some(_), None) => return Err(half(USER, PASSWORD)),
        (None, Some(_)) => return Err(half(PASSWORD, USER)),
    };
    let named = |variable| Some((variable, environment.get(variable)?));
    let (variable, bound) = named(HOST)
        .or_else(|| named(REPO))
        .ok_or(CredentialError::Unbound)?;
    let bound = host_of(bound);
    // It would never be that of a registry, and nobody would know why.
    if bound.ends_with(':') || Endpoint::of(bound).is_err() {
        return Err(CredentialError::NoHost { variable });
    }
    if server_key(bound) != server_key(host_of(name)) {
        return Ok(None);
    }
    Ok(Credential::of_pair(user, password))
}

fn half(set: &'static str, missing: &'static str) -> CredentialError {
    CredentialError::HalfGiven { set, missing }
}

fn host_of(name: &str) -> &str {
    name.split_once('/').map_or(name, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use fs_err as fs;
    use tempfile::TempDir;

    use super::*;
    use crate::hint::Hint as _;

    struct Home(TempDir);

    impl Home {
        fn new(files: &[(&str, &str)]) -> Self {
            let home = Self(TempDir::new().expect("a temporary directory"));
            for (path, user) in files {
                let path = home.0.path().join(path);
                fs::create_dir_all(path.parent().expect("has one")).expect("made");
                let entries = user.split(' ').map(|entry| {
                    let (key, user) = entry.split_once('=').unwrap_or(("ghcr.io", entry));
                    format!(r#""{key}":{{"username":"{user}","password":"hunter2"}}"#)
                });
                let entries: Vec<String> = entries.collect();
                let text = format!(r#"{{"auths":{{{}}}}}"#, entries.join(","));
                fs::write(path, text).expect("written");
            }
            home
        }

        fn environment(&self, variables: &[(&str, &str)]) -> Environment {
            let home = self.0.path();
            let mut environment = Environment::new(home, [])
                .with("HOME", home)
                .with("XDG_RUNTIME_DIR", home.join("run"));
            for (name, value) in variables {
                environment = environment.with(name, value);
            }
            environment
        }
    }

    fn look(environment: &Environment, name: &str) -> Option<String> {
        let found = credential_source(environment, name, &Interrupt::new()).expect("looked up");
        found.map(|(credential, _)| credential.user().to_owned())
    }

    #[test]
    fn dockers_file_comes_before_those_of_podman_and_a_named_one_before_all() {
        let home = Home::new(&[
            (".docker/config.json", "docker"),
            (
                "run/containers/auth.json",
                "ghcr.io=session quay.io=session",
            ),
            (
                ".config/containers/auth.json",
                "quay.io=lasting gcr.io=lasting",
            ),
            ("named.json", "named"),
        ]);
        let environment = home.environment(&[]);
        assert_eq!(look(&environment, "ghcr.io").as_deref(), Some("docker"));
        assert_eq!(look(&environment, "quay.io/a").as_deref(), Some("session"));
        assert_eq!(look(&environment, "gcr.io").as_deref(), Some("lasting"));
        assert_eq!(look(&environment, "other.io"), None);
        let named = home.environment(&[("REGISTRY_AUTH_FILE", "named.json")]);
        assert_eq!(look(&named, "ghcr.io").as_deref(), Some("named"));
        assert_eq!(look(&named, "quay.io"), None);
        let missing = home.environment(&[("REGISTRY_AUTH_FILE", "none.json")]);
        let error = credential_source(&missing, "ghcr.io", &Interrupt::new());
        let error = error.expect_err("not there");
        assert!(error.to_string().contains("none.json"), "{error}");
    }

    #[test]
    fn the_longest_part_of_a_repositorys_name_counts() {
        let home = Home::new(&[(
            ".docker/config.json",
            "ghcr.io=host ghcr.io/acme=acme ghcr.io/acme/orders=orders ghcr.io/acme/ord=no",
        )]);
        let environment = home.environment(&[]);
        for (name, user, scope) in [
            ("ghcr.io", "host", ""),
            ("ghcr.io/other", "host", ""),
            ("ghcr.io/acme", "acme", "acme"),
            ("ghcr.io/acme/billing", "acme", "acme"),
            ("ghcr.io/acme/orders", "orders", "acme/orders"),
            ("ghcr.io/acme/orders/deep", "orders", "acme/orders"),
            ("ghcr.io/acme/orders2", "acme", "acme"),
            ("ghcr.io/acmeless", "host", ""),
        ] {
            assert_eq!(look(&environment, name).as_deref(), Some(user), "{name}");
            assert_eq!(scope_of(&environment, name).expect("read"), scope, "{name}");
        }
        assert_eq!(look(&environment, "ghcr.io.evil.example/acme"), None);
    }

    #[test]
    fn a_credential_in_the_environment_is_for_one_host_only() {
        let home = Home::new(&[(".docker/config.json", "docker")]);
        let both = [(USER, "ci"), (PASSWORD, "hunter2")];
        let bound = |name, value| home.environment(&[both[0], both[1], (name, value)]);
        let environment = bound(HOST, "ghcr.io");
        assert_eq!(look(&environment, "ghcr.io/a").as_deref(), Some("ci"));
        for other in ["quay.io", "ghcr.io:444", "ghcr.io.evil.example", "xghcr.io"] {
            assert_eq!(look(&environment, other), None, "{other}");
        }
        let by_repo = bound(REPO, "quay.io/acme");
        assert_eq!(look(&by_repo, "quay.io/acme/a").as_deref(), Some("ci"));
        assert_eq!(look(&by_repo, "ghcr.io/a").as_deref(), Some("docker"));
        for (name, value) in [
            (HOST, "http://ghcr.io"),
            (HOST, "https://localhost:7025"),
            (REPO, "docker://ghcr.io/acme"),
            (HOST, "me@ghcr.io"),
        ] {
            let error = credential_source(&bound(name, value), "ghcr.io", &Interrupt::new());
            let error = error.expect_err("no host");
            assert!(error.to_string().starts_with(name), "{error}");
            assert!(error.hint().is_some_and(|hint| hint.contains("ghcr.io")));
        }
        for unclear in [&both[..], &both[..1], &both[1..]] {
            let environment = home.environment(unclear);
            let error = credential_source(&environment, "ghcr.io", &Interrupt::new());
            let error = error.expect_err("unclear");
            assert!(error.hint().is_some_and(|hint| hint.contains("set ")));
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
