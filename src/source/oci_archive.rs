//! `oci-archive:`: a layout in a tar, brought to disk as it is, with its mistakes.

use std::io;
use std::path::Path;

use super::SourceError;
use super::archive::{self, ArchiveFault, Given, Member};
use super::docker_archive;
use super::notes::Notes;
use crate::medium::ArchiveForm;
use crate::oci::LAYOUT_FILE;
use crate::process::Interrupt;

pub(super) const INDEX: &str = "index.json";

/// Writes the layout in the archive into `directory`, which is empty.
///
/// # Errors
/// [`SourceError`] when it is no tar, or holds nothing of a layout.
pub(super) fn unpack(
    given: &Given<'_>,
    directory: &Path,
    interrupt: &Interrupt,
) -> Result<Notes, SourceError> {
    fs_err::create_dir_all(directory)?;
    let (mut is_layout, mut is_docker) = (false, false);
    let notes = archive::read(given, interrupt, |name, member| {
        is_docker |= name == docker_archive::LIST;
        let Member::File(content) = member else {
            return Ok(());
        };
        let Some(path) = place(name) else {
            return Ok(());
        };
        is_layout |= name == LAYOUT_FILE || name == INDEX;
        let path = directory.join(path);
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        // What comes later counts, as in any tar.
        let mut out = fs_err::File::create(&path)?;
        io::copy(content, &mut out)?;
        Ok(())
    })?;
    if is_layout {
        // A tar need not list directories, and only files are taken from it.
        fs_err::create_dir_all(directory.join("blobs"))?;
        return Ok(notes);
    }
    Err(given.broken(if is_docker {
        ArchiveFault::OtherForm(ArchiveForm::Docker)
    } else {
        ArchiveFault::Content(format!("it has no `{LAYOUT_FILE}` and no `{INDEX}`"))
    }))
}

/// Where an entry of a layout goes; nothing for all else. A blob may have any plain name, so that the
/// checker sees it.
fn place(name: &str) -> Option<String> {
    if name == LAYOUT_FILE || name == INDEX {
        return Some(name.to_owned());
    }
    let plain = |part: &str| {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.len() <= 255 && part.bytes().all(legal)
    };
    match name.split('/').collect::<Vec<_>>().as_slice() {
        ["blobs", algorithm, blob] if plain(algorithm) && plain(blob) => Some(name.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_a_layout_has_is_unpacked() {
        for name in [
            "oci-layout",
            "index.json",
            "blobs/sha256/00",
            "blobs/md5/X.y",
        ] {
            assert!(place(name).is_some(), "{name}");
        }
        for name in [
            "",
            "manifest.json",
            "blobs/a",
            "blobs/../a",
            "blobs/a/b/c",
            "blobs/sha256/.x",
            "a/oci-layout",
        ] {
            assert_eq!(place(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn nothing_leaves_the_directory(name in "(blobs/)?[a-z./]{0,12}(/[a-z.]{0,4})?") {
            if let Some(place) = place(&name) {
                prop_assert!(place.split('/').all(|part| !matches!(part, "" | "." | "..")));
            }
        }
    }
}
