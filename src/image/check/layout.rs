//! The layout around the images (image-spec, image-layout.md).

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::blobs::{Blobs, Listing, is_file};
use super::findings::Findings;
use super::json::{Field, Shape};
use super::loose::{Descriptor, Header, Index};
use super::problem::Problem;
use super::walk::{Walk, check_schema};
use crate::medium::{HEADER_LIMIT, INDEX_LIMIT, LayoutError, REF_NAME, read_capped};
use crate::oci::{Family, Kind, classify};
use crate::report::printable;

const HEADER: &str = "oci-layout";
const INDEX: &str = "index.json";
const VERSION: &str = "1.0.0";

pub(super) fn check(directory: &Path) -> io::Result<Vec<Problem>> {
    // A directory that is not there is no layout with problems.
    fs_err::read_dir(directory)?;
    let mut findings = Findings::default();
    check_header(directory, &mut findings)?;
    let mut blobs = Blobs::new(directory);
    let listing = list(&blobs, &mut findings)?;
    let index: Option<Index> = read_json(directory, INDEX, INDEX_LIMIT, &mut findings)?;
    let entries = index_entries(index, &mut findings);
    let mut walk = Walk::new(&mut blobs, &mut findings);
    for (position, entry) in entries.into_iter().enumerate() {
        let at = format!("`{INDEX}`, entry {}", position + 1);
        if let Some(entry) = entry {
            walk.follow(&at, entry, 0)?;
        }
    }
    check_unreferenced(&listing, &mut blobs, &mut findings)?;
    Ok(findings.into_problems())
}

/// What the walk did not reach must be sound all the same.
fn check_unreferenced(
    listing: &Listing,
    blobs: &mut Blobs,
    findings: &mut Findings,
) -> io::Result<()> {
    for digest in &listing.digests {
        if blobs.is_referenced(digest) {
            continue;
        }
        findings.add(Problem::Unreferenced { digest: *digest });
        if let Some(measured) = blobs.measure(digest)?
            && measured.digest != *digest
        {
            findings.add(Problem::Content {
                digest: *digest,
                found: measured.digest,
            });
        }
    }
    Ok(())
}

fn check_header(directory: &Path, findings: &mut Findings) -> io::Result<()> {
    let Some(header) = read_json::<Header>(directory, HEADER, HEADER_LIMIT, findings)? else {
        return Ok(());
    };
    let at = format!("`{HEADER}`");
    let version = findings.required(&at, "imageLayoutVersion", header.image_layout_version);
    if let Some(version) = version.filter(|version| version != VERSION) {
        findings.add(Problem::Version {
            found: printable(&version),
        });
    }
    Ok(())
}

fn list(blobs: &Blobs, findings: &mut Findings) -> io::Result<Listing> {
    let Some(listing) = blobs.list()? else {
        findings.add(Problem::MissingDirectory { path: "blobs" });
        return Ok(Listing::default());
    };
    for name in &listing.others {
        findings.add(Problem::BlobName { name: name.clone() });
    }
    for name in &listing.unchecked {
        findings.add(Problem::UncheckedBlob { name: name.clone() });
    }
    Ok(listing)
}

fn index_entries(index: Option<Index>, findings: &mut Findings) -> Vec<Option<Descriptor>> {
    let Some(index) = index else {
        return Vec::new();
    };
    let at = format!("`{INDEX}`");
    check_schema(&at, index.schema_version, findings);
    let media_type = findings.take(&at, "mediaType", index.media_type);
    let is_index = |found: &str| classify(found) == Some((Family::Oci, Kind::Index));
    if let Some(other) = media_type.filter(|found| !is_index(found)) {
        findings.add(Problem::MediaType {
            at: at.clone(),
            found: printable(&other),
            expected: "that of an index",
        });
    }
    findings.annotations(&at, Family::Oci, index.annotations);
    let entries = findings.required(&at, "manifests", index.manifests);
    let entries = findings.elements(&at, "manifests", entries.unwrap_or_default());
    check_names(&entries, findings);
    entries
}

fn check_names(entries: &[Option<Descriptor>], findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for entry in entries.iter().flatten() {
        let Field::Read(annotations) = &entry.annotations else {
            continue;
        };
        let Some(Field::Read(name)) = annotations.get(REF_NAME) else {
            continue;
        };
        if !is_legal(name) {
            findings.add(Problem::IllegalName {
                name: printable(name),
            });
        }
        if !seen.insert(name) {
            findings.add(Problem::DuplicateName {
                name: printable(name),
            });
        }
    }
}

/// The characters of image-spec, annotations.md; its grammar of separators is only a "should", and
/// narrower than what repositories and tags may hold.
fn is_legal(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:@+/".contains(&byte);
    !name.is_empty() && name.bytes().all(legal)
}

/// A document of the layout itself, or `None` after its problem was noted.
fn read_json<T: Shape>(
    directory: &Path,
    name: &'static str,
    limit: u64,
    findings: &mut Findings,
) -> io::Result<Option<T>> {
    let path = directory.join(name);
    if !is_file(&path)? {
        findings.add(Problem::MissingFile { path: name });
        return Ok(None);
    }
    let bytes = match read_capped(&path, limit) {
        Ok(bytes) => bytes,
        Err(LayoutError::TooLarge { limit, .. }) => {
            findings.add(Problem::TooLarge {
                at: format!("`{name}`"),
                size: fs_err::metadata(&path)?.len(),
                limit,
            });
            return Ok(None);
        }
        Err(other) => return Err(io::Error::other(other)),
    };
    Ok(Field::document(&bytes)
        .map_err(|error| {
            findings.add(Problem::Json {
                at: format!("`{name}`"),
                error,
            });
        })
        .ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_grammar() {
        for name in ["orders:latest", "a", "ghcr.io/shop/orders__b:1.0-x"] {
            assert!(is_legal(name), "{name}");
        }
        for name in ["", "a b", "é", "a\n"] {
            assert!(!is_legal(name), "{name}");
        }
    }
}
