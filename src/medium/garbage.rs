//! Removing what earlier runs left and nothing needs any more.
//!
//! Only blobs that this program wrote are ever removed, and it keeps a record of them; only those
//! that nothing in `index.json` leads to; and only while no writer is open, because what a writer has
//! put and not yet tagged looks like garbage. Programs that know nothing of our locks are not
//! noticed: what they are about to refer to is safe only if they wrote it themselves.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::places::{Places, WRITERS_LOCK};
use super::{INDEX_LIMIT, LayoutError, MANIFEST_LIMIT, read_capped};
use crate::digest::Digest;
use crate::fs::{DirectoryLock, TEMPORARY_PREFIX, write_atomic};

/// A record of a million blobs.
const RECORD_LIMIT: u64 = 72 << 20;

/// How collecting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// All garbage is gone.
    Done {
        /// Blobs removed.
        blobs: usize,
        /// Their size together.
        bytes: u64,
    },
    /// Nothing was done: a writer is open, in this process or another.
    OthersWriting,
    /// No blob was removed: an index or manifest cannot be understood, so what it needs is unknown.
    Unclear,
}

/// Removes leftovers of killed runs, and our own blobs that nothing in `index.json` leads to.
///
/// Whoever calls it must have dropped its own [`LayoutWriter`](super::LayoutWriter).
///
/// # Errors
/// [`LayoutError`] when a directory or `index.json` cannot be read, or a file cannot be removed.
pub fn collect_garbage(directory: &Path) -> Result<Collection, LayoutError> {
    let places = Places::new(directory);
    if !fs_err::exists(places.state())? {
        return Ok(Collection::Done { blobs: 0, bytes: 0 });
    }
    let Some(_lock) = DirectoryLock::try_acquire(&places.state(), WRITERS_LOCK)? else {
        return Ok(Collection::OthersWriting);
    };
    remove_leftovers(&places)?;
    let ours = recorded(&places)?;
    let Some(needed) = needed(&places)? else {
        return Ok(Collection::Unclear);
    };
    let (kept, garbage): (BTreeSet<Digest>, BTreeSet<Digest>) =
        ours.into_iter().partition(|digest| needed.contains(digest));
    if garbage.is_empty() {
        return Ok(Collection::Done { blobs: 0, bytes: 0 });
    }
    // Forgotten first: a blob that is gone must not be claimed when another program brings it back.
    let lines: Vec<String> = kept.iter().map(Digest::to_string).collect();
    write_atomic(&places.record(), lines.join("\n").as_bytes())?;
    remove_blobs(&places, &garbage)
}

/// Notes that this program wrote the blob.
pub(super) fn record(places: &Places, digest: &Digest) -> io::Result<()> {
    // The leading line end separates it from a line that a full disk cut short.
    let line = format!("\n{digest}\n");
    fs_err::OpenOptions::new()
        .create(true)
        .append(true)
        .open(places.record())?
        .write_all(line.as_bytes())
}

fn recorded(places: &Places) -> Result<BTreeSet<Digest>, LayoutError> {
    if !fs_err::exists(places.record())? {
        return Ok(BTreeSet::new());
    }
    let bytes = read_capped(&places.record(), RECORD_LIMIT)?;
    Ok(String::from_utf8_lossy(&bytes)
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect())
}

fn remove_blobs(places: &Places, garbage: &BTreeSet<Digest>) -> Result<Collection, LayoutError> {
    let (mut blobs, mut bytes) = (0, 0);
    for digest in garbage {
        let path = places.blob(digest);
        if fs_err::exists(&path)? {
            bytes += fs_err::metadata(&path)?.len();
            fs_err::remove_file(&path)?;
            blobs += 1;
        }
    }
    Ok(Collection::Done { blobs, bytes })
}

/// With no writer open, whatever has the prefix of temporary files belongs to a dead one.
fn remove_leftovers(places: &Places) -> Result<(), LayoutError> {
    for directory in [places.directory().to_owned(), places.state()] {
        for entry in fs_err::read_dir(directory)? {
            let entry = entry?;
            let is_temporary = entry
                .file_name()
                .to_string_lossy()
                .starts_with(TEMPORARY_PREFIX);
            if is_temporary && entry.file_type()?.is_file() {
                fs_err::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

/// Every digest that `index.json` leads to, or `None` where a document on the way is unreadable.
///
/// Generous on purpose: any string that is a digest keeps its blob, so that fields this program
/// does not know are honoured.
fn needed(places: &Places) -> Result<Option<BTreeSet<Digest>>, LayoutError> {
    let mut mentioned = BTreeSet::new();
    let mut followed = BTreeSet::new();
    let mut open: Vec<(PathBuf, u64)> = vec![(places.index(), INDEX_LIMIT)];
    while let Some((path, limit)) = open.pop() {
        let bytes = match read_capped(&path, limit) {
            Ok(bytes) => bytes,
            Err(LayoutError::TooLarge { .. }) => return Ok(None),
            Err(other) => return Err(other),
        };
        let Ok(value) = serde_json::from_slice(&bytes) else {
            return Ok(None);
        };
        let mut documents = BTreeSet::new();
        find_digests(&value, &mut mentioned, &mut documents);
        for digest in documents {
            let blob = places.blob(&digest);
            if followed.insert(digest) && fs_err::exists(&blob)? {
                open.push((blob, MANIFEST_LIMIT));
            }
        }
    }
    Ok(Some(mentioned))
}

/// Adds all digests in a document to `mentioned`, and those of manifests and indexes to `documents`.
fn find_digests(value: &Value, mentioned: &mut BTreeSet<Digest>, documents: &mut BTreeSet<Digest>) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => mentioned.extend(text.parse::<Digest>()),
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => {
                documents.extend(document_digest(fields));
                open.extend(fields.values());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// The digest of a descriptor of a manifest or index, in the types of OCI or Docker.
fn document_digest(fields: &serde_json::Map<String, Value>) -> Option<Digest> {
    let media_type = fields.get("mediaType")?.as_str()?;
    let is_document = media_type.contains("index") || media_type.contains("manifest");
    let digest = fields.get("digest")?.as_str()?;
    is_document.then(|| digest.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::medium::LayoutWriter;
    use crate::oci::{Descriptor, Document, Manifest, media_type};

    /// Stores a manifest with one blob as configuration and layer, and gives all three descriptors.
    fn put_image(writer: &LayoutWriter, content: &str) -> [Descriptor; 3] {
        let put = |media_type: &str, text: String| {
            let digest = Digest::of(text.as_bytes());
            let descriptor = Descriptor::new(media_type, digest, text.len() as u64);
            writer
                .put_blob_bytes(&descriptor, text.as_bytes())
                .expect("stored");
            descriptor
        };
        let config = put(media_type::CONFIG, format!("config {content}"));
        let layer = put(media_type::LAYER, format!("layer {content}"));
        let manifest = Manifest::new(config.clone(), vec![layer.clone()], [].into());
        let document = Document::new(media_type::MANIFEST, &manifest).expect("serializable");
        writer
            .put_blob_bytes(document.descriptor(), document.bytes())
            .expect("stored");
        [document.descriptor().clone(), config, layer]
    }

    fn present(directory: &Path, descriptors: &[Descriptor]) -> Vec<bool> {
        let places = Places::new(directory);
        descriptors
            .iter()
            .map(|descriptor| places.blob(&descriptor.digest).exists())
            .collect()
    }

    #[test]
    fn only_our_own_unreferenced_blobs_go() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let directory = directory.path();
        let writer = LayoutWriter::open(directory).expect("opened");
        let old = put_image(&writer, "old");
        let new = put_image(&writer, "new");
        let foreign = Places::new(directory).blob(&Digest::of(b"foreign"));
        fs_err::write(&foreign, b"foreign").expect("written");
        for image in [&old, &new] {
            let named = ("orders:latest".to_owned(), image[0].clone());
            writer.tag(&[named]).expect("tagged");
        }
        drop(writer);
        let collected = collect_garbage(directory).expect("collected");
        assert_eq!(
            collected,
            Collection::Done {
                blobs: 3,
                bytes: old.iter().map(|descriptor| descriptor.size).sum()
            }
        );
        assert_eq!(present(directory, &old), [false; 3]);
        assert_eq!(present(directory, &new), [true; 3]);
        assert!(foreign.exists());
        assert_eq!(
            collect_garbage(directory).expect("collected"),
            Collection::Done { blobs: 0, bytes: 0 }
        );
    }

    #[test]
    fn what_an_open_writer_has_put_stays() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let writer = LayoutWriter::open(directory.path()).expect("opened");
        let untagged = put_image(&writer, "untagged");
        assert_eq!(
            collect_garbage(directory.path()).expect("skipped"),
            Collection::OthersWriting
        );
        assert_eq!(present(directory.path(), &untagged), [true; 3]);
    }

    #[test]
    fn a_foreign_index_keeps_what_it_needs() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let directory = directory.path();
        let writer = LayoutWriter::open(directory).expect("opened");
        let needed = put_image(&writer, "needed");
        let garbage = put_image(&writer, "garbage");
        drop(writer);
        let places = Places::new(directory);
        let index = format!(
            r#"{{"manifests":[{{"mediaType":"{}","digest":"{}"}}],"note":"{}"}}"#,
            "application/vnd.docker.distribution.manifest.v2+json",
            needed[0].digest,
            garbage[1].digest
        );
        // The manifest is mentioned once more in a document that is read before it.
        let nested = Digest::of(index.as_bytes());
        fs_err::write(places.blob(&nested), &index).expect("written");
        let top = format!(
            r#"{{"manifests":[{{"mediaType":"{}","digest":"{nested}","x":"{}"}}]}}"#,
            media_type::INDEX,
            needed[0].digest
        );
        fs_err::write(places.index(), top).expect("written");
        collect_garbage(directory).expect("collected");
        assert_eq!(present(directory, &needed), [true; 3]);
        assert_eq!(present(directory, &garbage), [false, true, false]);
    }

    #[test]
    fn nothing_goes_when_a_manifest_cannot_be_read() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let directory = directory.path();
        let writer = LayoutWriter::open(directory).expect("opened");
        let image = put_image(&writer, "tagged");
        let garbage = put_image(&writer, "garbage");
        let named = ("orders:latest".to_owned(), image[0].clone());
        writer.tag(&[named]).expect("tagged");
        drop(writer);
        fs_err::write(Places::new(directory).blob(&image[0].digest), "{").expect("damaged");
        assert_eq!(
            collect_garbage(directory).expect("skipped"),
            Collection::Unclear
        );
        assert_eq!(present(directory, &garbage), [true; 3]);
    }

    #[test]
    fn leftovers_of_a_killed_run_go_and_its_torn_record_is_harmless() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let directory = directory.path();
        let writer = LayoutWriter::open(directory).expect("opened");
        let places = Places::new(directory);
        fs_err::write(places.record(), "sha256:12").expect("torn");
        let garbage = put_image(&writer, "garbage");
        drop(writer);
        let leftovers = [
            places.state().join(format!("{TEMPORARY_PREFIX}a")),
            directory.join(format!("{TEMPORARY_PREFIX}b")),
        ];
        for leftover in &leftovers {
            fs_err::write(leftover, "half").expect("written");
        }
        collect_garbage(directory).expect("collected");
        assert_eq!(present(directory, &garbage), [false; 3]);
        assert!(leftovers.iter().all(|leftover| !leftover.exists()));
    }
}
