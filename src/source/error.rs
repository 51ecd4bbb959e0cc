//! Why an image cannot be read.

use std::io;

use super::archive::{ArchiveFault, form_name};
use super::spec::scheme;
use super::unknown::UnknownImage;
use crate::digest::Digest;
use crate::hint::{Hint, near_names, quoted_list};
use crate::medium::{ArchiveForm, LayoutError};
use crate::process::{NoTemporaryDirectory, ProgramError};
use crate::registry::RegistryError;

/// An image that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No image is called so.
    #[error(transparent)]
    Unknown(#[from] UnknownImage),
    /// A registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A layout that cannot be made.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A layout that cannot be read, also one that was made of something else.
    #[error("`{place}` cannot be read: {why}")]
    Unsound {
        /// What it was made of, as it can be typed again.
        place: String,
        /// What is wrong, printable.
        why: String,
    },
    /// Nothing at a path.
    #[error("there is no {what} `{path}`")]
    Missing {
        /// `file` or `directory`.
        what: &'static str,
        /// As it was typed.
        path: String,
        /// The scheme that was typed before it.
        scheme: &'static str,
        /// What is there and called almost so, typed in the same way.
        near: Vec<String>,
    },
    /// A file where a layout should be.
    #[error("`{path}` is a file, and an image layout is a directory")]
    FileNotLayout {
        /// As it was typed.
        path: String,
        /// The same with the image's name.
        typed: String,
    },
    /// A part of an image that a registry should have, because it has the image's manifest.
    #[error(transparent)]
    Lost(RegistryError),
    /// Temporary files cannot be written.
    #[error("`{image}` cannot be unpacked: {source}")]
    NoRoom {
        /// The image, as it can be typed again.
        image: String,
        /// What cannot be written, and why.
        source: io::Error,
    },
    /// There is no place for what is read.
    #[error(transparent)]
    Temporary(#[from] NoTemporaryDirectory),
    /// A file, which the error names.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A program that keeps images.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A program that gave no image.
    #[error("`{program}` cannot save image `{name}`{}", colon(.words))]
    Save {
        /// The program.
        program: &'static str,
        /// The image.
        name: String,
        /// What it printed, printable.
        words: String,
    },
    /// No archive of the kind that was named.
    #[error("`{file}` cannot be read as {}: {fault}", form_name(*.form))]
    Archive {
        /// The file as it was typed.
        file: String,
        /// What it should be.
        form: ArchiveForm,
        /// The file with the image's name; nothing where an engine wrote it.
        typed: Option<String>,
        /// What is wrong with it.
        fault: ArchiveFault,
    },
    /// A layout or archive without any image.
    #[error("`{place}` holds no image")]
    NoImages {
        /// The layout or archive as the user wrote it.
        place: String,
    },
    /// No such image among several.
    #[error("`{place}` has {}", no_image(.name.as_deref(), .known))]
    NoImage {
        /// The layout or archive as the user wrote it.
        place: String,
        /// What was asked for; nothing where one had to be named.
        name: Option<String>,
        /// What there is, printable.
        known: Vec<String>,
    },
    /// A name that leads to something else by now.
    #[error("`{name}` is image `{found}`, not `{expected}`")]
    Moved {
        /// The name.
        name: String,
        /// As it was written behind the name.
        expected: Digest,
        /// What is there.
        found: Digest,
    },
    /// An image alone, and for another platform.
    #[error("`{image}` has no image for {wanted}: it {}", is_for(.found.as_deref()))]
    OtherPlatform {
        /// The image.
        image: String,
        /// The platform that was asked for.
        wanted: String,
        /// Its own, if it says so; printable.
        found: Option<String>,
    },
    /// An index without an image for the platform.
    #[error("`{image}` has no image for {wanted}")]
    NoPlatform {
        /// The image.
        image: String,
        /// The platform, in words.
        wanted: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// A document that is none, or of a kind that no image has any more.
    #[error("{at} is no image: {why}")]
    Document {
        /// The image, as it can be typed again, where the document should be of one.
        image: Option<String>,
        /// Which document.
        at: String,
        /// What is wrong, printable.
        why: String,
    },
    /// Digests that only the checker knows, or nobody here.
    #[error(
        "{at} has digests of {algorithm}, and only images with those of sha256 can be looked into"
    )]
    OtherAlgorithm {
        /// Which document.
        at: String,
        /// As written in front of the digits.
        algorithm: String,
    },
    /// Indexes in indexes.
    #[error("`{image}` is nested deeper than {limit} indexes")]
    TooDeep {
        /// The image.
        image: String,
        /// How deep it may be.
        limit: usize,
    },
    /// More than is believable.
    #[error("{at} has {found} {unit}, more than {limit}")]
    TooMuch {
        /// Which document.
        at: String,
        /// How much.
        found: u64,
        /// Of what.
        unit: &'static str,
        /// How much there may be.
        limit: u64,
    },
}

fn colon(words: &str) -> String {
    if words.is_empty() {
        String::new()
    } else {
        format!(": {words}")
    }
}

fn no_image(name: Option<&str>, known: &[String]) -> String {
    match name {
        Some(name) => format!("no image `{name}`"),
        None if known.is_empty() => "several entries, and no image among them".to_owned(),
        None => "several images, and it is not said which is meant".to_owned(),
    }
}

/// Whether a program says that it could not write.
fn tells_of_no_room(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    let reasons = ["no space left", "quota exceeded", "read-only file system"];
    reasons.iter().any(|reason| words.contains(reason))
}

/// Whether it is the disk that does not take what is written.
fn is_of_no_room(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
    )
}

const MAKE_ROOM: &str = "free some space, or let TMPDIR name a directory on another disk";

fn is_for(platform: Option<&str>) -> String {
    platform.map_or_else(
        || "does not say what it is for".to_owned(),
        |platform| format!("is for {platform}"),
    )
}

impl SourceError {
    /// The same with the image's name, where what is read of the image could not be written.
    pub(super) fn while_unpacking(self, image: &str) -> Self {
        match self {
            Self::Io(source)
            | Self::Layout(
                LayoutError::Io(source)
                | LayoutError::Store { source, .. }
                | LayoutError::Unwritable { source, .. },
            ) if is_of_no_room(&source) => Self::NoRoom {
                image: image.to_owned(),
                source,
            },
            other => other,
        }
    }

    /// What came of asking for a part of an image whose manifest the registry has.
    pub(super) fn of_part(error: RegistryError) -> Self {
        match error {
            RegistryError::NotFound { ref attempt, .. } if attempt.token_service.is_none() => {
                Self::Lost(error)
            }
            other => Self::Registry(other),
        }
    }

    /// Whether it is what was to be checked that is broken, not the way to it.
    pub fn is_violation(&self) -> bool {
        match self {
            Self::Unsound { .. } => true,
            Self::Archive { fault, .. } => fault.is_violation(),
            _ => false,
        }
    }
}

impl Hint for SourceError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            Self::Layout(error) => error.hint(),
            Self::Temporary(error) => error.hint(),
            Self::Program(error) => error.hint(),
            Self::NoRoom { .. } => Some(MAKE_ROOM.to_owned()),
            Self::Save { words, .. } if tells_of_no_room(words) => Some(MAKE_ROOM.to_owned()),
            Self::Lost(_) => Some(
                "the registry has the image's manifest, and lost this part of the image: push the image again"
                    .to_owned(),
            ),
            Self::Save { program, .. } => Some(format!(
                "see what there is with `{program} images`, and whether `{program} info` works"
            )),
            Self::Archive {
                file,
                form,
                typed: Some(typed),
                fault,
            } => Some(archive_hint(file, *form, typed, fault)),
            Self::Unsound { place: image, .. }
            | Self::TooDeep { image, .. }
            | Self::Document {
                image: Some(image), ..
            } => Some(format!(
                "see all that is wrong with `cargo lighter inspect --verify {image}`"
            )),
            Self::Document { image: None, .. } => {
                Some("name an image, or an index of images".to_owned())
            }
            Self::Missing { near, .. } if !near.is_empty() => {
                let near: Vec<&str> = near.iter().map(String::as_str).collect();
                Some(format!("there is {}", quoted_list(&near)))
            }
            Self::Missing { path, scheme, .. } => Some(format!(
                "make one with `cargo lighter build --to {scheme}{path}`"
            )),
            Self::FileNotLayout { typed, .. } => Some(format!(
                "write `oci-archive:{typed}` or `docker-archive:{typed}`"
            )),
            Self::OtherPlatform { wanted, .. } => Some(format!(
                "leave out `--platform`, or name an image for {wanted}"
            )),
            Self::NoImages { .. } => Some("build an image first, or name another place".to_owned()),
            Self::NoImage {
                place, name, known, ..
            } => match name {
                _ if known.is_empty() => Some(format!(
                    "check what is in it: `cargo lighter inspect --verify {place}`"
                )),
                Some(name) => {
                    let near = near_names(name, known.iter().map(String::as_str));
                    let near = if near.is_empty() { first(known) } else { near };
                    Some(format!("it has {}", among(&near, known.len())))
                }
                None if known.iter().all(|name| name.starts_with('@')) => Some(format!(
                    "write `{place}@DIGEST`: it has {}",
                    among(&first(known), known.len())
                )),
                None => Some(format!(
                    "write `{place}:NAME`: it has {}",
                    among(&first(known), known.len())
                )),
            },
            Self::Moved { .. } => Some("leave out the digest to see what is there now".to_owned()),
            Self::NoPlatform { known, .. } => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                Some(format!(
                    "choose with `--platform`: it has {}",
                    quoted_list(&known)
                ))
            }
            Self::OtherAlgorithm { algorithm, .. } if algorithm == "sha512" => {
                Some("`--verify` checks such images".to_owned())
            }
            Self::OtherAlgorithm { .. } => {
                Some("copy the image with a tool that writes sha256, and name the copy".to_owned())
            }
            Self::Archive { typed: None, .. } => {
                Some("let the engine save the image to a file, and see what is in that".to_owned())
            }
            Self::TooMuch { .. } => {
                Some("name another image: none that runs has so much".to_owned())
            }
            Self::Io(_) => None,
        }
    }
}

/// A few of many.
fn first(known: &[String]) -> Vec<&str> {
    known.iter().take(5).map(String::as_str).collect()
}

/// Some of all names there are: whoever reads them knows that there are others.
fn among(shown: &[&str], all: usize) -> String {
    let others = all.saturating_sub(shown.len());
    if others == 0 {
        return quoted_list(shown);
    }
    let quoted: Vec<String> = shown.iter().map(|name| format!("`{name}`")).collect();
    format!("{} and {others} more", quoted.join(", "))
}

fn archive_hint(file: &str, form: ArchiveForm, typed: &str, fault: &ArchiveFault) -> String {
    match fault {
        ArchiveFault::Directory => format!("if it is an image layout, write `oci:{typed}`"),
        ArchiveFault::OtherForm(other) => format!("write `{}{typed}`", scheme(*other)),
        ArchiveFault::Compressed("xz") => format!("undo that first: `unxz --keep {file}`"),
        ArchiveFault::Compressed(_) => format!("undo that first: `bunzip2 --keep {file}`"),
        ArchiveFault::NoFile => "name a file".to_owned(),
        ArchiveFault::Empty => format!(
            "copy it here again, or make one with `cargo lighter build --to {}{file}`",
            scheme(form)
        ),
        // Never a command that would write to what may be anything.
        ArchiveFault::Tar(super::TarFault::NoTar) => {
            "name an archive of images, as `build`, `docker save` or `skopeo` write them".to_owned()
        }
        ArchiveFault::Tar(_) => "copy it here again from where it was made".to_owned(),
        ArchiveFault::Content(_) => format!("see what is in it with `tar -tf {file}`"),
    }
}
