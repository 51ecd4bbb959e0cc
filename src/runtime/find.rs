//! From an executable to everything it needs around it.

use std::path::Path;

use super::closure::{self, Object, Origin};
use super::dpkg::add_records;
use super::elf::{ElfFile, Machine};
use super::glibc::CLibrary;
use super::placement::{self, place};
use super::root::{LibraryRoot, Resolved};
use super::search::{Candidate, Libc, SystemDirectories};
use super::{RuntimeError, base, owners};
use crate::fs::{ImagePath, Node, Tree};
use crate::oci::Platform;
use crate::report::LibrarySummary;

/// What to find the surroundings of.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The service, for messages.
    pub service: &'a str,
    /// The compiled executable on this machine.
    pub executable: &'a Path,
    /// What it must run on.
    pub platform: &'a Platform,
    /// Where its libraries are; open it once for all services.
    pub library_root: &'a LibraryRoot,
    /// Libraries that no file names: sonames, or absolute paths within the root.
    pub extra_libraries: &'a [String],
    /// Whether the image has certificate authorities.
    pub ca_certificates: bool,
    /// Whether the image has the time zone database.
    pub tzdata: bool,
}

/// How an executable is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linkage {
    /// By the kernel alone.
    Static,
    /// By a program loader.
    Dynamic {
        /// The loader's path, as the executable names it.
        interpreter: String,
    },
}

/// What an executable needs around it, one tree for each layer. No path of one tree is anything
/// else in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeFiles {
    /// How the executable is started.
    pub linkage: Linkage,
    /// Users, `/tmp`, homes, certificates, time zones; for a dynamic executable `os-release`, too.
    /// The same for all executables of one root, linkage and choice of contents.
    pub base: Tree,
    /// The program loader and the C library: of glibc always the same four files. Empty for a
    /// static executable.
    pub glibc: Tree,
    /// All other libraries.
    pub libraries: Tree,
    /// Every shared library of the image, sorted by path.
    pub found: Vec<LibrarySummary>,
    /// The newest glibc version whose symbols the executable itself needs, such as `GLIBC_2.34`.
    pub glibc_required: Option<String>,
    /// What the user should know although nothing is wrong.
    pub warnings: Vec<String>,
}

/// Finds what `request` asks for. Reads the executable and the library root, nothing else of this
/// machine.
///
/// # Errors
/// [`RuntimeError`] when the executable is not for the platform, or something it needs is missing
/// or of unknown origin.
pub fn find(request: &Request<'_>) -> Result<RuntimeFiles, RuntimeError> {
    let machine = Machine::of(request.platform)
        .ok_or_else(|| RuntimeError::Platform(request.platform.to_string()))?;
    let executable = ElfFile::read(request.executable)?
        .and_then(|elf| elf.check_executable(&machine).map(|()| elf))
        .map_err(|source| RuntimeError::NotExecutable {
            service: request.service.to_owned(),
            platform: request.platform.to_string(),
            source,
        })?;
    match executable.interpreter.clone() {
        None => find_static(request),
        Some(interpreter) => find_dynamic(request, &machine, executable, interpreter),
    }
}

fn find_static(request: &Request<'_>) -> Result<RuntimeFiles, RuntimeError> {
    let mut warnings = Vec::new();
    if !request.extra_libraries.is_empty() {
        warnings.push(format!(
            "`{}` is static: its `extra-libs` stay out of the image",
            request.service
        ));
    }
    Ok(RuntimeFiles {
        linkage: Linkage::Static,
        base: base::static_base(request)?,
        glibc: Tree::new(),
        libraries: Tree::new(),
        found: Vec::new(),
        glibc_required: None,
        warnings,
    })
}

fn find_dynamic(
    request: &Request<'_>,
    machine: &Machine,
    executable: ElfFile,
    interpreter: String,
) -> Result<RuntimeFiles, RuntimeError> {
    let root = request.library_root;
    check_host(request, std::env::consts::OS)?;
    let glibc_required = executable.glibc_required();
    let loader = program_loader(request, machine, &interpreter)?;
    let libc = Libc::of_interpreter(&interpreter);
    let (directories, c_library) = c_library(root, machine, libc, &loader)?;
    let origin = Origin {
        root,
        machine,
        libc,
        directories: &directories,
        loader: &c_library.loader,
        service: request.service,
    };
    let objects = closure::find(&origin, executable, loader, request.extra_libraries)?;

    owners::check(request, &objects, &c_library.files)?;

    let mut warnings = Vec::new();
    let base = base::dynamic_base(request, &mut warnings)?;
    let mut copied: Vec<&Resolved> = c_library.files.iter().map(|file| &file.resolved).collect();
    let mut glibc = c_library.tree(root, libc)?;
    let paths = owners::paths(&copied);
    let recorded = add_records(&mut glibc, root, paths, &[], &base.recorded)?;
    let mut libraries = Tree::new();
    for object in &objects {
        place_object(&mut libraries, object)?;
    }
    copied.extend(objects.iter().filter_map(|object| object.places.first()));
    let paths = owners::paths(&copied);
    add_records(&mut libraries, root, paths, &[], &recorded)?;
    if root.packages()?.is_none() {
        warnings.push(format!(
            "`{}` has no dpkg database: nothing in the image says which packages its libraries come from",
            root.given().display()
        ));
    }
    let glibc = placement::without(&glibc, &base.tree)?;
    let libraries = placement::without(&libraries, &base.tree)?;
    Ok(RuntimeFiles {
        linkage: Linkage::Dynamic { interpreter },
        libraries: placement::without(&libraries, &glibc)?,
        base: base.tree,
        glibc,
        found: owners::summaries(root, &copied)?,
        glibc_required,
        warnings,
    })
}

/// The C library around `loader`, and where libraries are searched with it.
pub(super) fn c_library(
    root: &LibraryRoot,
    machine: &Machine,
    libc: Libc,
    loader: &Candidate,
) -> Result<(SystemDirectories, CLibrary), RuntimeError> {
    match libc {
        Libc::Glibc => {
            let directories = SystemDirectories::glibc(root, machine)?;
            let library = CLibrary::glibc(root, machine, &directories, loader.clone())?;
            Ok((directories, library))
        }
        Libc::Musl => Ok((
            SystemDirectories::musl(root, &loader.path)?,
            CLibrary::musl(loader.clone()),
        )),
    }
}

fn check_host(request: &Request<'_>, system: &'static str) -> Result<(), RuntimeError> {
    if system != "linux" && request.library_root.is_host() {
        return Err(RuntimeError::ForeignHost {
            service: request.service.to_owned(),
            system,
        });
    }
    Ok(())
}

/// The kernel looks for the loader at exactly the path that the executable names.
fn program_loader(
    request: &Request<'_>,
    machine: &Machine,
    interpreter: &str,
) -> Result<Candidate, RuntimeError> {
    let root = request.library_root;
    let resolved = if interpreter.starts_with('/') {
        root.file(interpreter)?
    } else {
        None
    };
    let Some(resolved) = resolved else {
        return Err(RuntimeError::MissingInterpreter {
            interpreter: interpreter.to_owned(),
            service: request.service.to_owned(),
            root: root.given().to_owned(),
        });
    };
    let elf = ElfFile::read(&resolved.host)?
        .and_then(|elf| elf.check_loadable(machine).map(|()| elf))
        .map_err(|source| RuntimeError::NotLibrary {
            path: interpreter.to_owned(),
            platform: request.platform.to_string(),
            source,
        })?;
    Ok(Candidate {
        path: interpreter.to_owned(),
        resolved,
        elf,
    })
}

fn place_object(tree: &mut Tree, object: &Object) -> Result<(), RuntimeError> {
    for resolved in &object.places {
        place(tree, resolved)?;
    }
    for (link, target) in &object.links {
        let target = target.clone();
        tree.insert(ImagePath::new(link)?, Node::Symlink { target })?;
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
