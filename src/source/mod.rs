//! Where images are read from: registries, layouts, archives, and programs that keep images.
//!
//! Whatever the form, an image is read as a layout on disk: a layout stands where it is, all else is
//! brought into a temporary one that goes with the [`Sources`]. So whoever looks into images has one way
//! to do it, and the checker checks all of them.
//!
//! Nothing that is read is believed. Blobs of registries are checked as they come, those of layouts by
//! whoever reads them; names in archives never become paths, and everything has a limit.

mod archive;
mod choose;
mod docker_archive;
mod documents;
mod engine;
mod entries;
mod error;
mod find;
mod notes;
mod oci_archive;
mod open;
mod place;
mod spec;
mod unknown;
mod unpacked;

pub use archive::ArchiveFault;
pub use documents::{Descriptor, Index, LoosePlatform, Manifest, other_algorithm};
pub use entries::{Entries, EntryName, Limits, NameFault, TarFault};
pub use error::SourceError;
pub use notes::Notes;
pub use open::{ImageSource, Neighbour, Sources, Wanted};
pub use place::Place;
pub use spec::{Engine, ImageSpec, StoredName, parse, parse_on_disk};
pub use unknown::{Stands, UnknownImage};
pub use unpacked::{Gauge, MAX_UNPACKED, Stop, Unpacked, UnpackedEnd, compression_of};
