//! Blobs as they are on the disk, each hashed once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fmt, io};

use super::digest::{ContentDigest, Written};
use crate::report::printable;

/// What a blob's file really holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) digest: ContentDigest,
    pub(super) size: u64,
}

#[derive(Debug)]
pub(super) struct Blobs {
    directory: PathBuf,
    measured: BTreeMap<ContentDigest, Option<Measured>>,
    referenced: BTreeSet<ContentDigest>,
}

/// What stands in `blobs`.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) digests: BTreeSet<ContentDigest>,
    /// Named by other algorithms; printable, relative to `blobs`.
    pub(super) unchecked: BTreeSet<String>,
    /// Printable, relative to `blobs`.
    pub(super) others: BTreeSet<String>,
}

impl Blobs {
    pub(super) fn new(layout: &Path) -> Self {
        Self {
            directory: layout.join("blobs"),
            measured: BTreeMap::new(),
            referenced: BTreeSet::new(),
        }
    }

    pub(super) fn path(&self, digest: &ContentDigest) -> PathBuf {
        self.directory.join(digest.algorithm()).join(digest.hex())
    }

    /// Digest and size of the blob's content, or `None` where there is no regular file.
    pub(super) fn measure(&mut self, digest: &ContentDigest) -> io::Result<Option<Measured>> {
        if let Some(known) = self.measured.get(digest) {
            return Ok(*known);
        }
        let path = self.path(digest);
        let measured = if is_file(&path)? {
            let (digest, size) = digest.same_of(&mut fs_err::File::open(&path)?)?;
            Some(Measured { digest, size })
        } else {
            None
        };
        self.measured.insert(*digest, measured);
        Ok(measured)
    }

    /// Notes that something leads to the blob; whether that is news.
    pub(super) fn refer(&mut self, digest: ContentDigest) -> bool {
        self.referenced.insert(digest)
    }

    pub(super) fn is_referenced(&self, digest: &ContentDigest) -> bool {
        self.referenced.contains(digest)
    }

    /// All that stands in `blobs`, or `None` where there is no such directory.
    pub(super) fn list(&self) -> io::Result<Option<Listing>> {
        if !self.directory.is_dir() {
            return Ok(None);
        }
        let mut listing = Listing::default();
        for entry in fs_err::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            if !entry.path().is_dir() {
                listing.others.insert(shown(name.display()));
                continue;
            }
            for blob in fs_err::read_dir(entry.path())? {
                let blob = blob?;
                let (algorithm, name) = (name.display(), blob.file_name());
                let digest = Written::of(&format!("{algorithm}:{}", name.display()));
                let name = shown(format!("{algorithm}/{}", name.display()));
                match digest {
                    Some(Written::Known(digest)) if is_file(&blob.path())? => {
                        listing.digests.insert(digest);
                    }
                    Some(Written::OtherAlgorithm) if is_file(&blob.path())? => {
                        listing.unchecked.insert(name);
                    }
                    _ => {
                        listing.others.insert(name);
                    }
                }
            }
        }
        Ok(Some(listing))
    }
}

/// Whether there is a regular file; asked before opening, because a pipe waits for its writer.
pub(super) fn is_file(path: &Path) -> io::Result<bool> {
    match fs_err::metadata(path) {
        Ok(metadata) => Ok(metadata.is_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn shown(name: impl fmt::Display) -> String {
    printable(&name.to_string())
}
