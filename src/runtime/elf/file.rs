//! What the loader reads from an ELF file.

use std::io::{self, Read, Seek};
use std::path::Path;

use fs_err as fs;
use object::ReadCache;

use super::error::ElfError;
use super::machine::Machine;
use super::{parse, versions};

/// Linux programs are marked as System V, or as GNU where they use GNU extensions.
const LINUX_ABIS: [u8; 2] = [0, 3];

/// What kind of object a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// `ET_EXEC`: a program at a fixed address.
    FixedExecutable,
    /// `ET_DYN`: a shared library or a position-independent program.
    Shared,
    /// Anything else.
    Other(u16),
}

/// A version that symbols of another library must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NeededVersion {
    /// Soname of that library.
    pub(crate) library: String,
    /// `GLIBC_2.34` and such.
    pub(crate) version: String,
    /// Whether the loader carries on without it.
    pub(crate) weak: bool,
}

/// One ELF file, reduced to what decides how it is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ElfFile {
    /// 64-bit rather than 32-bit.
    pub(crate) wide: bool,
    /// Least significant byte first.
    pub(crate) little_endian: bool,
    /// `e_machine`.
    pub(crate) machine: u16,
    /// `EI_OSABI`.
    pub(crate) os_abi: u8,
    /// `e_type`.
    pub(crate) kind: FileKind,
    /// Address of the first instruction; 0 for none.
    pub(crate) entry: u64,
    /// `PT_INTERP`: the program loader.
    pub(crate) interpreter: Option<String>,
    /// `DT_NEEDED`, in order.
    pub(crate) needed: Vec<String>,
    /// `DT_SONAME`.
    pub(crate) soname: Option<String>,
    /// `DT_RPATH`, which the loader ignores where there is a `DT_RUNPATH`.
    pub(crate) rpath: Option<String>,
    /// `DT_RUNPATH`.
    pub(crate) runpath: Option<String>,
    /// `DF_1_NODEFLIB`: system directories are not searched.
    pub(crate) no_default_directories: bool,
    /// `DT_VERNEED`.
    pub(crate) needed_versions: Vec<NeededVersion>,
    /// `DT_VERDEF`, the base version included.
    pub(crate) defined_versions: Vec<String>,
}

impl ElfFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// The outer one when the file cannot be opened, the inner one when it is not readable as ELF.
    pub(crate) fn read(path: &Path) -> io::Result<Result<Self, ElfError>> {
        Ok(Self::parse(fs::File::open(path)?))
    }

    /// Reads from `source`, at most a few megabytes whatever it claims.
    ///
    /// # Errors
    /// [`ElfError`] where it is no ELF file, or a broken one.
    pub(crate) fn parse(source: impl Read + Seek) -> Result<Self, ElfError> {
        parse::parse(&ReadCache::new(source))
    }

    /// Checks that the loader of a Linux machine with processor `machine` accepts it.
    ///
    /// # Errors
    /// [`ElfError`] naming what it is instead.
    pub(crate) fn check_loadable(&self, machine: &Machine) -> Result<(), ElfError> {
        if !machine.matches(self) {
            return Err(ElfError::OtherProcessor {
                found: Machine::describe(self.machine, self.wide, self.little_endian),
                wanted: machine.description(),
            });
        }
        if !LINUX_ABIS.contains(&self.os_abi) {
            return Err(ElfError::OtherSystem(self.os_abi));
        }
        match self.kind {
            FileKind::FixedExecutable | FileKind::Shared => Ok(()),
            FileKind::Other(1) => Err(ElfError::OtherKind("an object file".to_owned())),
            FileKind::Other(4) => Err(ElfError::OtherKind("a core dump".to_owned())),
            FileKind::Other(kind) => {
                Err(ElfError::OtherKind(format!("of unknown ELF type {kind}")))
            }
        }
    }

    /// Checks that it is a program for `machine`, static or dynamic.
    ///
    /// # Errors
    /// [`ElfError`] naming what it is instead.
    pub(crate) fn check_executable(&self, machine: &Machine) -> Result<(), ElfError> {
        self.check_loadable(machine)?;
        if self.interpreter.is_none() && !self.needed.is_empty() {
            return Err(ElfError::OtherKind(
                "a shared library: it names no program loader".to_owned(),
            ));
        }
        if self.entry == 0 {
            return Err(ElfError::OtherKind(
                "a shared library: it has no entry point".to_owned(),
            ));
        }
        Ok(())
    }

    /// The newest glibc whose symbols it needs, as `GLIBC_2.34`.
    pub(crate) fn glibc_required(&self) -> Option<String> {
        versions::newest_glibc(self.needed_versions.iter().map(|need| &*need.version))
    }
}
