//! What every executable of a root gets, known before any is compiled.

use super::elf::{ElfFile, Machine};
use super::find::{Request, c_library};
use super::glibc::CLibrary;
use super::root::{LibraryRoot, Resolved};
use super::search::{Candidate, GLIBC_LIBRARIES, Libc};
use super::{RuntimeError, base, owners};
use crate::fs::Tree;
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

/// Files that an image has whatever its executable needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FixedFiles {
    /// As [`RuntimeFiles::base`](super::RuntimeFiles::base).
    pub base: Tree,
    /// As [`RuntimeFiles::glibc`](super::RuntimeFiles::glibc), without records of packages.
    pub glibc: Tree,
}

/// The files that are known of an executable that is yet to be compiled: `request` is the one for
/// [`find`](super::find()), whose executable is not looked at. With `needs_glibc` it will be started by
/// glibc's loader.
///
/// # Errors
/// [`RuntimeError`] as from [`find`](super::find()).
pub fn fixed_files(request: &Request<'_>, needs_glibc: bool) -> Result<FixedFiles, RuntimeError> {
    let root = request.library_root;
    let library = if needs_glibc {
        glibc(root, request.platform)?
    } else {
        None
    };
    Ok(match library {
        None => FixedFiles {
            base: base::static_base(request)?,
            glibc: Tree::new(),
        },
        Some(library) => FixedFiles {
            // Warnings will be given with the image.
            base: base::dynamic_base(request, &mut Vec::new())?.tree,
            glibc: library.tree(root, Libc::Glibc)?,
        },
    })
}

/// glibc's libraries in `root` for `platform`, with their packages; none where the root has no glibc
/// for it.
///
/// # Errors
/// [`RuntimeError`] when the root cannot be read, or its loader is none.
pub fn fixed_libraries(
    root: &LibraryRoot,
    platform: &Platform,
) -> Result<Vec<LibrarySummary>, RuntimeError> {
    let Some(library) = glibc(root, platform)? else {
        return Ok(Vec::new());
    };
    let copied: Vec<&Resolved> = library.files.iter().map(|file| &file.resolved).collect();
    owners::summaries(root, &copied)
}

/// The paths of glibc's loader and libraries in a Debian for `platform`, whether or not one is at hand;
/// none for a platform that is not known.
pub fn debian_glibc(platform: &Platform) -> Vec<String> {
    let loader = LOADERS
        .iter()
        .find(|(architecture, _)| *architecture == platform.architecture);
    let (Some((_, loader)), Some(machine)) = (loader, Machine::of(platform)) else {
        return Vec::new();
    };
    let libraries = GLIBC_LIBRARIES.map(|name| format!("/lib/{}/{name}", machine.multiarch));
    std::iter::once((*loader).to_owned())
        .chain(libraries)
        .collect()
}

fn glibc(root: &LibraryRoot, platform: &Platform) -> Result<Option<CLibrary>, RuntimeError> {
    let loader = LOADERS
        .iter()
        .find(|(architecture, _)| *architecture == platform.architecture);
    let (Some((_, path)), Some(machine)) = (loader, Machine::of(platform)) else {
        return Ok(None);
    };
    let Some(resolved) = root.file(path)? else {
        return Ok(None);
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
    Ok(Some(library))
}
