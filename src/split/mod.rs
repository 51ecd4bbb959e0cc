//! A service's standalone workspace, and the key of its inputs.
//!
//! [`Sources::read`] reads a workspace once; [`split`] takes from it everything that one service needs
//! and nothing else: its packages, a trimmed root manifest, a lock that cargo itself made smaller and
//! that is proven to be a part of the workspace's, and every file that sources, manifests or the
//! configuration name. [`write`](write()) puts it on disk, where cargo builds the same program as in the
//! workspace. [`Key`] is one digest over all that can change a service's image; the split in its
//! production view is most of it.
//!
//! Nothing is compiled to find out what a split needs, and nothing that an earlier build left behind
//! changes it.

mod binaries;
mod blind;
mod closure;
mod configuration;
mod contents;
mod digests;
mod draft;
mod embedded;
mod error;
mod governing;
mod key;
mod listing;
mod lock;
mod manifest;
mod memo;
mod named;
mod observed;
mod owned;
mod reach;
mod runs;
mod scan;
mod settings;
mod sources;
mod tree;
mod vendor;
mod vendored;
mod write;

pub use blind::{BlindSpot, blind_spot, may_be_blind};
pub use digests::FileDigests;
pub use draft::Request;
pub use error::SplitError;
pub use key::{Difference, Ingredient, IngredientKind, Key, Keyed, UNSET, differences};
pub use listing::ListingError;
pub use manifest::ManifestError;
pub use observed::{check_any_build, check_last_build};
pub use reach::Changes;
pub use sources::{Origin, Sources, View};
pub use tree::{Split, SplitFile, split};
pub use vendor::{Vendored, vendor};
pub use write::{MARKER, check_out, write};
