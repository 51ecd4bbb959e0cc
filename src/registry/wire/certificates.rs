//! Certificates for one host: authorities it may be certified by, and who we are to it.
//!
//! They stand where podman and docker look for them (containers-certs.d(5)): in the first of the
//! directories `certs.d/HOST[:PORT]` that exists, every `*.crt` is an authority, and a `NAME.cert` with its
//! `NAME.key` is ours.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use reqwest::{Certificate, Identity};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::trust;
use crate::process::Environment;
use crate::registry::errors::error::{Cause, RegistryError};
use crate::registry::errors::failure::last_cause;

const SYSTEM_PLACES: [&str; 2] = ["/etc/containers/certs.d", "/etc/docker/certs.d"];
const MAX_FILE: u64 = 1024 * 1024;

/// What a host's directory holds.
#[derive(Debug, Default)]
pub(in crate::registry) struct HostCertificates {
    /// Trusted beside those of the system.
    pub(in crate::registry) authorities: Vec<Certificate>,
    /// Shown to the host.
    pub(in crate::registry) identity: Option<Identity>,
}

/// The directory for a host (`HOST[:PORT]`), if there is one.
pub(in crate::registry) fn directory(environment: &Environment, host: &str) -> Option<PathBuf> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    if host.starts_with('.') || !host.bytes().all(is_name) {
        return None;
    }
    let home = environment.os("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = home.or_else(|| environment.home().map(|home| home.join(".config")));
    let own = home.map(|home| environment.resolve(home).join("containers/certs.d"));
    let places = own.into_iter().chain(SYSTEM_PLACES.map(PathBuf::from));
    places
        .map(|place| place.join(host))
        .find(|directory| directory.is_dir())
}

/// Reads a host's directory.
///
/// # Errors
/// [`RegistryError::HostCertificates`] for what cannot be read, a file that holds no certificate, or one
/// half of a pair.
pub(in crate::registry) fn read(directory: &Path) -> Result<HostCertificates, RegistryError> {
    let refuse = |path: &Path, why: String| RegistryError::HostCertificates {
        path: path.to_owned(),
        source: Cause(why),
    };
    let listed = fs_err::read_dir(directory);
    let listed = listed.map_err(|error| refuse(directory, last_cause(&error)))?;
    let mut paths: Vec<PathBuf> = listed.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut found = HostCertificates::default();
    for path in &paths {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("crt") => {
                let read = trust::read(path).map_err(|cause| refuse(path, cause.0))?;
                found.authorities.extend(read);
            }
            Some("cert") => {
                let key = path.with_extension("key");
                if !paths.contains(&key) {
                    return Err(refuse(path, format!("there is no `{}`", key.display())));
                }
                found.identity = Some(identity(path, &key).map_err(|why| refuse(path, why))?);
            }
            Some("key") if !paths.contains(&path.with_extension("cert")) => {
                let missing = path.with_extension("cert");
                return Err(refuse(path, format!("there is no `{}`", missing.display())));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// A certificate and its key, as one text. What is wrong with them never repeats them.
fn identity(certificate: &Path, key: &Path) -> Result<Identity, String> {
    let mut text = Vec::new();
    for path in [certificate, key] {
        let file = fs_err::File::open(path).map_err(|error| last_cause(&error))?;
        let read = file.take(MAX_FILE).read_to_end(&mut text);
        read.map_err(|error| last_cause(&error))?;
        text.push(b'\n');
    }
    if are_strangers(&text) {
        return Err(format!(
            "`{}` is the key of another certificate",
            key.display()
        ));
    }
    Identity::from_pem(&text).map_err(|_| "it is no certificate and key in PEM form".to_owned())
}

/// Whether a text holds a certificate, and a key that is not its own.
fn are_strangers(text: &[u8]) -> bool {
    let certificates = CertificateDer::pem_slice_iter(text).flatten().collect();
    let Ok(key) = PrivateKeyDer::from_pem_slice(text) else {
        return false;
    };
    let provider = rustls::crypto::ring::default_provider();
    let pair = CertifiedKey::from_der(certificates, key, &provider);
    matches!(pair, Err(rustls::Error::InconsistentKeys(_)))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use fs_err as fs;

    use super::*;
    use crate::hint::Hint as _;

    fn world() -> (tempfile::TempDir, Environment) {
        let home = tempfile::tempdir().expect("a temporary directory");
        let variables = [(OsString::from("HOME"), home.path().into())];
        let environment = Environment::new(home.path(), variables);
        (home, environment)
    }

    #[test]
    fn a_directory_is_for_exactly_one_host() {
        let (home, environment) = world();
        let place = home
            .path()
            .join(".config/containers/certs.d/localhost:5000");
        fs::create_dir_all(&place).expect("made");
        assert_eq!(directory(&environment, "localhost:5000"), Some(place));
        for other in [
            "localhost",
            "localhost:5001",
            "../certs.d/localhost:5000",
            "..",
            "a/b",
        ] {
            assert_eq!(directory(&environment, other), None, "{other}");
        }
    }

    #[test]
    fn halves_and_garbage_are_refused_by_name() {
        let (home, _) = world();
        assert!(read(home.path()).expect("nothing").identity.is_none());
        for (name, word) in [
            ("ca.crt", "no certificate"),
            ("client.cert", "client.key"),
            ("client.key", "client.cert"),
        ] {
            let path = home.path().join(name);
            fs::write(&path, "hunter2").expect("written");
            let error = read(home.path()).expect_err("refused");
            let told = format!("{error} {error:?}");
            assert!(told.contains(name) && told.contains(word), "{told}");
            assert!(!told.contains("hunter2") && error.hint().is_some());
            fs::remove_file(path).expect("removed");
        }
        fs::write(home.path().join("a.cert"), "hunter2").expect("written");
        fs::write(home.path().join("a.key"), "hunter2").expect("written");
        read(home.path()).expect_err("no pair");
    }
}
