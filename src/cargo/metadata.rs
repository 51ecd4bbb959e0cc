//! `cargo metadata`.

use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;

use super::{Cargo, CargoError, Lockfile, LockfileError};
use crate::oci::host_target;
use crate::process::Program;

/// The workspace around `manifest_path`, or around the directory cargo runs in. Never writes a lock.
///
/// # Errors
/// [`CargoError`]: no manifest, no lock, a lock that does not fit, or whatever else cargo says.
pub fn metadata(cargo: &Cargo, manifest_path: Option<&Path>) -> Result<Metadata, CargoError> {
    let start = match manifest_path {
        Some(path) => named_manifest(&cargo.environment().resolve(path))?,
        None => find_manifest(cargo.environment().directory())?,
    };
    let mut program = cargo
        .command("metadata")
        .args(["--format-version", "1", "--manifest-path"])
        .arg(start.as_os_str());
    if cargo.network().offline {
        // Otherwise cargo demands the sources of every platform, which nobody fetched for this one.
        program = program.arg("--filter-platform").arg(host_target());
    }
    parsed(program).map_err(|error| explain(error, &start))
}

/// The workspace of a root manifest as it is compiled for `target`, with `features` (`PACKAGE/FEATURE`) or
/// all of them turned on besides the defaults. Never writes a lock.
///
/// # Errors
/// [`CargoError`]: whatever cargo says.
pub fn resolved(
    cargo: &Cargo,
    manifest: &Path,
    target: &str,
    features: &[String],
    all_features: bool,
) -> Result<Metadata, CargoError> {
    let mut program = cargo
        .command("metadata")
        .args(["--format-version", "1", "--filter-platform", target])
        .arg("--manifest-path")
        .arg(manifest.as_os_str());
    if all_features {
        program = program.arg("--all-features");
    } else if !features.is_empty() {
        program = program.args(["--features".to_owned(), features.join(",")]);
    }
    parsed(program).map_err(|error| explain(error, manifest))
}

fn parsed(program: Program) -> Result<Metadata, CargoError> {
    let command = program.command_line();
    let stdout = Cargo::answer(program)?;
    let text = std::str::from_utf8(&stdout).map_err(|source| CargoError::Answer {
        command: command.clone(),
        source: Box::new(source),
    })?;
    cargo_metadata::MetadataCommand::parse(text).map_err(|source| CargoError::Answer {
        command,
        source: Box::new(source),
    })
}

/// The package of one manifest, whatever workspace it belongs to; `None` where the manifest has none.
///
/// # Errors
/// [`CargoError`]: whatever cargo says.
pub fn package(
    cargo: &Cargo,
    manifest: &Path,
) -> Result<Option<cargo_metadata::Package>, CargoError> {
    let program = cargo
        .command("metadata")
        .args(["--format-version", "1", "--no-deps", "--manifest-path"])
        .arg(manifest.as_os_str());
    let packages = parsed(program)?.packages.into_iter();
    let mut fitting = packages.filter(|package| package.manifest_path.as_std_path() == manifest);
    Ok(fitting.next())
}

/// `path` if it is a manifest, without `.` in it.
fn named_manifest(path: &Path) -> Result<PathBuf, CargoError> {
    let path: PathBuf = path.components().collect();
    if path.is_dir() {
        Err(CargoError::ManifestIsDirectory(path))
    } else if !path.exists() {
        Err(CargoError::ManifestMissing(path))
    } else if path.file_name().is_none_or(|name| name != "Cargo.toml") || !path.is_file() {
        Err(CargoError::NotAManifest(path))
    } else {
        Ok(path)
    }
}

/// The nearest manifest at or above `directory`.
fn find_manifest(directory: &Path) -> Result<PathBuf, CargoError> {
    directory
        .ancestors()
        .map(|ancestor| ancestor.join("Cargo.toml"))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| CargoError::NoManifest(directory.to_owned()))
}

/// cargo's refusals to touch the lock, as errors of our own with a way out.
fn explain(error: CargoError, manifest: &Path) -> CargoError {
    let CargoError::Failed { said, .. } = &error else {
        return error;
    };
    if let Some(conflict) = unfinished_merge(said.text()) {
        return CargoError::Lock(conflict);
    }
    if !said.text().contains("--locked") {
        return error;
    }
    let directory = locked_workspace(said.text())
        .or_else(|| manifest.parent().map(Path::to_owned))
        .unwrap_or_else(|| manifest.to_owned());
    if directory.join("Cargo.lock").exists() {
        CargoError::LockStale(directory)
    } else {
        CargoError::LockMissing(directory)
    }
}

/// What is wrong with the lock that cargo could not read, if it holds both sides of a merge.
fn unfinished_merge(said: &str) -> Option<LockfileError> {
    let (_, rest) = said.split_once("failed to parse lock file at: ")?;
    let path = Path::new(rest.lines().next()?.trim());
    match Lockfile::read(path) {
        Err(LockfileError::In { path, source })
            if matches!(*source, LockfileError::Conflict { .. }) =>
        {
            Some(LockfileError::In { path, source })
        }
        _ => None,
    }
}

/// The directory of the lock file that cargo names: `cannot update the lock file /path/Cargo.lock …`.
fn locked_workspace(said: &str) -> Option<PathBuf> {
    let (before, _) = said.split_once("Cargo.lock")?;
    let start = before.find('/')?;
    Some(PathBuf::from(before[start..].trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_of_a_refused_lock_is_found_in_cargos_words() {
        let said =
            "error: cannot update the lock file /a b/c/Cargo.lock because --locked was passed";
        assert_eq!(locked_workspace(said), Some(PathBuf::from("/a b/c")));
        assert_eq!(locked_workspace("error: something else"), None);
    }
}
