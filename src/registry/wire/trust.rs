//! Certificate authorities that the environment names instead of the system's.

use std::io::Read as _;
use std::path::Path;

use reqwest::Certificate;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::process::Environment;
use crate::registry::errors::error::{Cause, RegistryError};
use crate::registry::errors::failure::last_cause;

const MAX_FILE: u64 = 16 * 1024 * 1024;
const FILE_VARIABLE: &str = "SSL_CERT_FILE";
const DIRECTORY_VARIABLE: &str = "SSL_CERT_DIR";

/// The certificates of `SSL_CERT_FILE` and of the directories in `SSL_CERT_DIR`, as OpenSSL reads them;
/// `None` where neither is set.
pub(in crate::registry) fn certificates(
    environment: &Environment,
) -> Result<Option<Vec<Certificate>>, RegistryError> {
    let file = environment.os(FILE_VARIABLE);
    let directories = environment.os(DIRECTORY_VARIABLE);
    if file.is_none() && directories.is_none() {
        return Ok(None);
    }
    let mut found = Vec::new();
    if let Some(file) = file {
        let path = environment.resolve(file);
        found.extend(read(&path).map_err(|source| refuse(FILE_VARIABLE, &path, source))?);
    }
    for directory in directories
        .iter()
        .flat_map(|list| std::env::split_paths(list))
    {
        let directory = environment.resolve(directory);
        let listed = fs_err::read_dir(&directory)
            .map_err(|error| refuse(DIRECTORY_VARIABLE, &directory, Cause(last_cause(&error))))?;
        // Such directories hold links and revocation lists too; what is no certificate is skipped.
        for entry in listed.flatten() {
            found.extend(read(&entry.path()).unwrap_or_default());
        }
    }
    Ok(Some(found))
}

/// The certificates of a PEM file that can be an authority's.
pub(in crate::registry) fn read(path: &Path) -> Result<Vec<Certificate>, Cause> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)
        .and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes))
        .map_err(|error| Cause(last_cause(&error)))?;
    let parsed: Vec<Certificate> = CertificateDer::pem_slice_iter(&bytes)
        .flatten()
        .filter(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok())
        .filter_map(|certificate| Certificate::from_der(&certificate).ok())
        .collect();
    if parsed.is_empty() {
        return Err(Cause("it holds no certificate in PEM form".to_owned()));
    }
    Ok(parsed)
}

fn refuse(variable: &'static str, path: &Path, source: Cause) -> RegistryError {
    RegistryError::Certificates {
        variable,
        path: path.to_owned(),
        source,
    }
}
