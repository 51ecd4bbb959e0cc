//! Why a file is not the ELF file it should be.

/// A file that cannot be loaded as meant. Completes the sentence "it is no such file: …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ElfError {
    /// It has no ELF header of a known class, byte order and version.
    #[error("it is not an ELF file")]
    NotElf,
    /// A part of it is missing or contradicts another.
    #[error("its {part} cannot be read")]
    Broken {
        /// Which part.
        part: &'static str,
    },
    /// It has more of something than any real program.
    #[error("it has more {what} than the limit of {limit}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The most that is read.
        limit: usize,
    },
    /// Machine, class or byte order of another processor.
    #[error("it is for {found}, not for {wanted}")]
    OtherProcessor {
        /// What it is for.
        found: String,
        /// What it should be for.
        wanted: String,
    },
    /// Not Linux.
    #[error("it is for another operating system (ELF OS/ABI {0})")]
    OtherSystem(u8),
    /// An object file, a core dump and such.
    #[error("it is {0}")]
    OtherKind(String),
}
