//! The libraries that every dynamic executable of a root gets, known before any is compiled.

use super::RuntimeError;
use super::elf::{ElfFile, Machine};
use super::find::c_library;
use super::owners;
use super::root::{LibraryRoot, Resolved};
use super::search::{Candidate, Libc};
use crate::oci::Platform;
use crate::report::LibrarySummary;

/// glibc's loader on each architecture, as its ABI fixes it.
const LOADERS: &[(&str, &str)] = &[
    ("386", "/lib/ld-linux.so.2"),
    ("amd64", "/lib64/ld-linux-x86-64.so.2"),
    ("arm", "/lib/ld-linux-armhf.so.3"),
    ("arm64", "/lib/ld-linux-aarch64.so.1"),
    ("loong64", "/lib64/ld-linux-loongarch-lp64d.so.1"),
    ("ppc64le", "/lib64/ld64.so.2"),
    ("riscv64", "/lib/ld-linux-riscv64-lp64d.so.1"),
    ("s390x", "/lib/ld64.so.1"),
];

/// glibc's libraries in `root` for `platform`, with their packages; none where the root has no glibc
/// for it.
///
/// # Errors
/// [`RuntimeError`] when the root cannot be read, or its loader is none.
pub fn fixed_libraries(
    root: &LibraryRoot,
    platform: &Platform,
) -> Result<Vec<LibrarySummary>, RuntimeError> {
    let loader = LOADERS
        .iter()
        .find(|(architecture, _)| *architecture == platform.architecture);
    let (Some((_, path)), Some(machine)) = (loader, Machine::of(platform)) else {
        return Ok(Vec::new());
    };
    let Some(resolved) = root.file(path)? else {
        return Ok(Vec::new());
    };
    let elf = ElfFile::read(&resolved.host)?
        .and_then(|elf| elf.check_loadable(&machine).map(|()| elf))
        .map_err(|source| RuntimeError::NotLibrary {
            path: (*path).to_owned(),
            platform: platform.to_string(),
            source,
        })?;
    let loader = Candidate {
        path: (*path).to_owned(),
        resolved,
        elf,
    };
    let (_, library) = c_library(root, &machine, Libc::Glibc, &loader)?;
    let copied: Vec<&Resolved> = library.files.iter().map(|file| &file.resolved).collect();
    owners::summaries(root, &copied)
}
