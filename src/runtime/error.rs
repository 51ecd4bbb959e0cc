//! What can stand between an executable and its image.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::elf::ElfError;
use crate::fs::{ImagePath, InvalidPath, TreeError};
use crate::hint::{Hint, quoted_list};

/// A library that was asked for and is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingLibrary {
    /// Soname or path.
    pub name: String,
    /// The executable.
    pub service: String,
    /// Those that lead from the executable to the missing one.
    pub via: Vec<String>,
    /// Whether `extra-libs` asks for the missing one, or for the first of `via`.
    pub is_extra: bool,
    /// Files of that name that are for another processor.
    pub unfit: Vec<String>,
}

impl fmt::Display for MissingLibrary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`, ", self.name)?;
        match (self.is_extra, &*self.via) {
            (true, []) => write!(formatter, "named in `extra-libs`")?,
            (true, via) => write!(formatter, "needed by {} of `extra-libs`", chain(via))?,
            (false, []) => write!(formatter, "needed by `{}`", self.service)?,
            (false, via) => {
                write!(formatter, "needed by `{}` via {}", self.service, chain(via))?;
            }
        }
        if !self.unfit.is_empty() {
            let unfit: Vec<&str> = self.unfit.iter().map(String::as_str).collect();
            write!(
                formatter,
                " ({} is for another processor)",
                quoted_list(&unfit)
            )?;
        }
        Ok(())
    }
}

fn chain(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn listed<T: fmt::Display>(things: &[T]) -> String {
    let texts: Vec<String> = things.iter().map(T::to_string).collect();
    texts.join("; ")
}

fn is_or_are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// A library that belongs to no package of its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnownedLibrary {
    /// What `extra-libs` may call it.
    pub name: String,
    /// Where it is in the root.
    pub path: String,
}

impl fmt::Display for UnownedLibrary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.path)
    }
}

/// An executable whose surroundings cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The library root is no directory.
    #[error("library root `{}` cannot be read", .path.display())]
    Root {
        /// As given.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// A file cannot be read; the error names it.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// No executable can be checked for this platform.
    #[error("`{0}` is no platform whose executables are known")]
    Platform(String),
    /// Not what the platform can run.
    #[error("what cargo built for `{service}` is not a Linux executable for {platform}")]
    NotExecutable {
        /// The service.
        service: String,
        /// What it should run on.
        platform: String,
        /// What it is instead.
        #[source]
        source: ElfError,
    },
    /// The program loader or a named library is not what the platform can load.
    #[error("`{path}` is not a library for {platform}")]
    NotLibrary {
        /// Its path in the root.
        path: String,
        /// What it should run on.
        platform: String,
        /// What it is instead.
        #[source]
        source: ElfError,
    },
    /// A dynamic executable on a machine whose own libraries are not Linux's.
    #[error("`{service}` is dynamic, and {system} has no Linux libraries for it")]
    ForeignHost {
        /// The executable.
        service: String,
        /// This machine's operating system.
        system: &'static str,
    },
    /// No program loader.
    #[error("`{interpreter}`, the program loader of `{service}`, is not below `{}`", .root.display())]
    MissingInterpreter {
        /// As the executable names it.
        interpreter: String,
        /// The executable.
        service: String,
        /// Where it was looked for.
        root: PathBuf,
    },
    /// Libraries that are not in the root.
    #[error("{}, {} not below `{}`", listed(.libraries), is_or_are(.libraries.len()), .root.display())]
    MissingLibraries {
        /// Each with who needs it.
        libraries: Vec<MissingLibrary>,
        /// Where they were looked for.
        root: PathBuf,
        /// Search paths of the executable that begin at its own directory.
        own_search_paths: Vec<String>,
    },
    /// A symbol version that the root's library does not have.
    #[error("`{user}` needs version `{version}` of `{library}`, which `{path}` does not have")]
    MissingVersion {
        /// Who needs it.
        user: String,
        /// Which version.
        version: String,
        /// Of which library.
        library: String,
        /// The library's path in the root.
        path: String,
    },
    /// Libraries of no package.
    #[error("no package owns {}", listed(.0))]
    Unowned(Vec<UnownedLibrary>),
    /// An entry of `extra-libs` that is neither a soname nor an absolute path.
    #[error("`{0}` in `extra-libs` is neither a file name nor an absolute path")]
    ExtraLibrary(String),
    /// No certificates.
    #[error("there are no CA certificates below `{}`", .0.display())]
    MissingCertificates(PathBuf),
    /// A file that holds no certificates.
    #[error("`{0}` holds no certificates")]
    NotCertificates(String),
    /// No time zones.
    #[error("there is no time zone database below `{}`", .0.display())]
    MissingTimeZones(PathBuf),
    /// Links that lead in a circle.
    #[error("`{0}` leads through too many symbolic links")]
    TooManyLinks(String),
    /// A link that leads to a name which is no text.
    #[error("`{}` leads to a name that is not printable text", .0.display())]
    LinkNotText(PathBuf),
    /// A file longer than any sensible one of its kind.
    #[error("`{path}` is longer than {limit} bytes")]
    TooLong {
        /// Its path in the root.
        path: String,
        /// The limit.
        limit: u64,
    },
    /// More of something than any sensible root has.
    #[error("there are more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: String,
        /// The limit.
        limit: usize,
    },
    /// Files of the root that cannot stand in an image together.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Two layers that would undo each other.
    #[error("`{0}` would stand in two layers of the image, differently")]
    Conflict(ImagePath),
}

impl From<InvalidPath> for RuntimeError {
    fn from(error: InvalidPath) -> Self {
        Self::Tree(error.into())
    }
}

impl Hint for RuntimeError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Root { .. } => {
                "name a directory with the files of a Linux system as `library-root`, or leave the key out"
            }
            Self::NotExecutable { .. } => {
                "check `--target` or `--platform`, and the `linker` in cargo's configuration"
            }
            Self::ForeignHost { .. } => {
                "set `linkage = \"static\"`, or name a directory with the files of a Linux system as `library-root`"
            }
            Self::MissingInterpreter { .. } => {
                "name the root of the system the executable was linked for as `library-root`, or set `linkage = \"static\"`"
            }
            Self::MissingLibraries {
                libraries,
                own_search_paths,
                ..
            } => return Some(missing_hint(libraries, own_search_paths)),
            Self::MissingVersion { .. } => {
                "name the root of the system the executable was linked for as `library-root`, or build with the older libraries"
            }
            Self::Unowned(libraries) => {
                let names: Vec<String> = libraries
                    .iter()
                    .map(|library| format!("\"{}\"", library.name))
                    .collect();
                return Some(format!(
                    "install them from packages, or ship them all the same with `extra-libs = [{}]`",
                    names.join(", ")
                ));
            }
            Self::ExtraLibrary(_) => "write `libfoo.so.1` or `/opt/foo/lib/libfoo.so.1`",
            Self::MissingCertificates(_) | Self::NotCertificates(_) => {
                "run `apt-get install ca-certificates`, or set `ca-certificates = false`"
            }
            Self::MissingTimeZones(_) => "run `apt-get install tzdata`, or set `tzdata = false`",
            Self::Conflict(_) | Self::Tree(_) => {
                "leave that library out of `extra-libs`, or name a plain system as `library-root`"
            }
            Self::Read(_)
            | Self::Platform(_)
            | Self::NotLibrary { .. }
            | Self::TooManyLinks(_)
            | Self::LinkNotText(_)
            | Self::TooLong { .. }
            | Self::TooMany { .. } => return None,
        };
        Some(text.to_owned())
    }
}

fn missing_hint(libraries: &[MissingLibrary], own_search_paths: &[String]) -> String {
    if !own_search_paths.is_empty() {
        let paths: Vec<&str> = own_search_paths.iter().map(String::as_str).collect();
        return format!(
            "copy the library to a system directory of the library root and name it in `extra-libs`: {} means the executable's place in the image, not in the build directory",
            quoted_list(&paths)
        );
    }
    let name = libraries.first().map_or("", |library| &library.name);
    format!(
        "install the package that has it (`apt-file search {name}` tells which), or name the root of the system that has it as `library-root`"
    )
}
