//! What goes into an archive.

use std::path::PathBuf;

use crate::digest::Digest;
use crate::oci::{Descriptor, Document, Platform};

/// How the images of an archive are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveForm {
    /// An image layout that docker reads too.
    Layout,
    /// `docker save`'s.
    Docker,
}

/// An image with its names.
#[derive(Debug, Clone)]
pub struct PackedImage<'a> {
    /// `NAME:TAG`, in their order.
    pub names: Vec<String>,
    /// Where it runs.
    pub platform: &'a Platform,
    /// Its configuration.
    pub config: &'a Document,
    /// Its manifest.
    pub manifest: &'a Document,
    /// Its layers, lowest first.
    pub layers: &'a [PackedLayer],
}

/// A layer, as it is stored and as the tar that it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedLayer {
    /// Media type, digest and size as stored.
    pub blob: Descriptor,
    /// Digest of the tar.
    pub diff_id: Digest,
    /// Bytes of the tar.
    pub tar_size: u64,
    /// The file that holds the blob.
    pub file: PathBuf,
}
