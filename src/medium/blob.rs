//! Putting one blob in place: staged, checked against its descriptor, flushed, renamed.

use std::io::{self, Read as _, Write as _};
use std::path::Path;

use fs_err::File;
use tempfile::{Builder, NamedTempFile};

use super::LayoutError;
use super::places::Places;
use crate::digest::{Digest, HashingWriter};
use crate::fs::TEMPORARY_PREFIX;
use crate::oci::Descriptor;

/// Stores the content of `source`: the same file by a second name where the file system allows it,
/// else a copy.
pub(super) fn put_file(
    places: &Places,
    descriptor: &Descriptor,
    source: &Path,
) -> Result<(), LayoutError> {
    // A link to a symbolic link would be that link, not its content.
    let linkable = fs_err::symlink_metadata(source)?.is_file();
    let linked = linkable.then(|| {
        staging().make_in(places.state(), |path| {
            fs_err::hard_link(source, path).and_then(|()| File::open(path))
        })
    });
    match linked {
        Some(Ok(link)) => {
            let (digest, size) = measure(link.as_file(), descriptor)?;
            let matching = matching(source, descriptor, digest, size);
            matching.and_then(|()| publish(places, descriptor, &link))
        }
        // Other file systems, and some that know no links.
        Some(Err(_)) | None => copy(places, descriptor, source),
    }
}

/// Stores `bytes`.
pub(super) fn put_bytes(
    places: &Places,
    descriptor: &Descriptor,
    bytes: &[u8],
) -> Result<(), LayoutError> {
    let path = places.blob(&descriptor.digest);
    matching(&path, descriptor, Digest::of(bytes), bytes.len() as u64)?;
    let storing = |source| store_error(places, descriptor, source);
    let mut staged = stage(places).map_err(storing)?;
    staged.as_file_mut().write_all(bytes).map_err(storing)?;
    publish(places, descriptor, &staged)
}

/// Whether the blob in place has exactly the content that its descriptor says.
pub(super) fn is_intact(places: &Places, descriptor: &Descriptor) -> Result<bool, LayoutError> {
    let file = match File::open(places.blob(&descriptor.digest)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let found = measure(&file, descriptor)?;
    Ok(found == (descriptor.digest, descriptor.size))
}

fn copy(places: &Places, descriptor: &Descriptor, source: &Path) -> Result<(), LayoutError> {
    let mut input = File::open(source)?.take(one_more(descriptor));
    let storing = |error| store_error(places, descriptor, error);
    let mut writer = HashingWriter::new(stage(places).map_err(storing)?);
    io::copy(&mut input, &mut writer).map_err(storing)?;
    let (staged, digest, size) = writer.finish();
    matching(source, descriptor, digest, size)?;
    publish(places, descriptor, &staged)
}

fn staging() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    builder
}

/// An empty staged file with the permissions that the user's mask leaves.
fn stage(places: &Places) -> io::Result<NamedTempFile<File>> {
    staging().make_in(places.state(), |path| {
        fs_err::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
    })
}

/// Flushes what is staged and gives it its name. Dropping the staged file removes what a rename
/// leaves behind where both names already are the same file.
fn publish(
    places: &Places,
    descriptor: &Descriptor,
    staged: &NamedTempFile<File>,
) -> Result<(), LayoutError> {
    staged
        .as_file()
        .sync_all()
        .and_then(|()| fs_err::rename(staged.path(), places.blob(&descriptor.digest)))
        .map_err(|source| store_error(places, descriptor, source))
}

/// Digest and size; reading stops one byte after the size that is allowed.
fn measure(file: &File, descriptor: &Descriptor) -> io::Result<(Digest, u64)> {
    Digest::of_reader(&mut file.take(one_more(descriptor)))
}

fn one_more(descriptor: &Descriptor) -> u64 {
    descriptor.size.saturating_add(1)
}

fn matching(
    path: &Path,
    descriptor: &Descriptor,
    found: Digest,
    found_size: u64,
) -> Result<(), LayoutError> {
    if (found, found_size) == (descriptor.digest, descriptor.size) {
        return Ok(());
    }
    Err(LayoutError::Content {
        path: path.to_owned(),
        expected: descriptor.digest,
        expected_size: descriptor.size,
        found,
        found_size,
    })
}

fn store_error(places: &Places, descriptor: &Descriptor, source: io::Error) -> LayoutError {
    LayoutError::Store {
        path: places.blob(&descriptor.digest),
        size: descriptor.size,
        source,
    }
}
