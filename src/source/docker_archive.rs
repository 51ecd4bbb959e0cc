//! `docker-archive:`: what `docker save` and `podman save` write, turned into a layout.
//!
//! Such an archive has configurations and layers, and a `manifest.json` that names them; it has no
//! manifests. Those are made here, of Docker's types, so that everything after this reads one form. Layers
//! are taken as they are.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use super::SourceError;
use super::archive::{self, ArchiveFault, Given, Member};
use super::notes::Notes;
use super::oci_archive::INDEX;
use crate::digest::Digest;
use crate::medium::{ArchiveForm, INDEX_LIMIT, LayoutReader, LayoutWriter, read_capped};
use crate::oci::{Descriptor, LAYOUT_FILE, LayerCompression};
use crate::process::Interrupt;
use crate::report::printable;

pub(super) const LIST: &str = "manifest.json";
const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
const MAX_IMAGES: usize = 1000;
const MAX_LAYERS: usize = 1000;
/// Links that are followed from one name.
const MAX_LINKS: usize = 8;

/// An image as `manifest.json` lists it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
struct Listed {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
}

/// What the archive holds, in files whose names are ours.
#[derive(Debug, Default)]
struct Members {
    files: BTreeMap<String, PathBuf>,
    links: BTreeMap<String, String>,
}

/// Turns the archive into a layout in `directory`, which is empty.
///
/// # Errors
/// [`SourceError`] when it is no such archive, or lacks a file that it names.
pub(super) fn convert(
    given: &Given<'_>,
    directory: &Path,
    interrupt: &Interrupt,
) -> Result<Notes, SourceError> {
    let writer = LayoutWriter::open(directory)?;
    let reader = LayoutReader::open(directory)?;
    let incoming = directory.join("incoming");
    fs_err::create_dir(&incoming)?;
    let (members, notes) = gather(given, &incoming, interrupt)?;
    let mut conversion = Conversion {
        given,
        members,
        reader,
        stored: BTreeMap::new(),
        notes,
    };
    let list = conversion.list()?;
    let manifests: Result<Vec<Descriptor>, _> =
        list.iter().map(|image| conversion.image(image)).collect();
    let manifests = manifests?;
    let mut notes = std::mem::take(&mut conversion.notes);
    let names = names(&list, &manifests, given, &mut notes);
    let entries: Vec<(String, Descriptor)> = names
        .into_iter()
        .map(|(name, position)| (name, manifests[position].clone()))
        .collect();
    writer.tag(&entries)?;
    fs_err::remove_dir_all(&incoming)?;
    Ok(notes)
}

/// The names of all images, in their order, each with the image's place in the list. A name counts for the
/// last image that has it, as `docker load` takes it; an image that has none left is called as skopeo does.
fn names(
    images: &[Listed],
    manifests: &[Descriptor],
    given: &Given<'_>,
    notes: &mut Notes,
) -> Vec<(String, usize)> {
    let tags = |image: &Listed| -> Vec<String> {
        let tags = image.repo_tags.iter().flatten();
        tags.map(|tag| printable(tag)).collect()
    };
    let mut winners = BTreeMap::new();
    for (position, image) in images.iter().enumerate() {
        winners.extend(tags(image).into_iter().map(|tag| (tag, position)));
    }
    let mut names = Vec::new();
    for (position, image) in images.iter().enumerate() {
        let place = format!("@{position}");
        let (kept, others): (Vec<_>, Vec<_>) =
            (tags(image).into_iter()).partition(|tag| winners[tag] == position);
        let called = kept.first().unwrap_or(&place);
        // The same image twice is no question.
        let is_other =
            |tag: &&String| manifests[winners[*tag]].digest != manifests[position].digest;
        let lost: Vec<&String> = others.iter().filter(is_other).collect();
        for tag in &lost {
            notes.warn(format!(
                "two images of `{}` are named `{tag}`, and the last counts: the other one is `{called}`",
                given.shown
            ));
        }
        if kept.is_empty() && (others.is_empty() || !lost.is_empty()) {
            names.push((place, position));
        }
        names.extend(kept.into_iter().map(|tag| (tag, position)));
    }
    names
}

fn gather(
    given: &Given<'_>,
    incoming: &Path,
    interrupt: &Interrupt,
) -> Result<(Members, Notes), SourceError> {
    let mut members = Members::default();
    let notes = archive::read(given, interrupt, |name, member| {
        match member {
            Member::Link(target) => {
                members.links.insert(name.to_owned(), target);
            }
            Member::File(content) => {
                let path = incoming.join(members.files.len().to_string());
                let mut out = fs_err::File::create(&path)?;
                io::copy(content, &mut out)?;
                members.files.insert(name.to_owned(), path);
            }
        }
        Ok(())
    })?;
    Ok((members, notes))
}

struct Conversion<'a> {
    given: &'a Given<'a>,
    members: Members,
    reader: LayoutReader,
    /// Blobs by the files they came from: images share layers.
    stored: BTreeMap<PathBuf, Descriptor>,
    notes: Notes,
}

impl Conversion<'_> {
    fn list(&self) -> Result<Vec<Listed>, SourceError> {
        let has = |name: &str| self.members.files.contains_key(name);
        if !has(LIST) && (has(LAYOUT_FILE) || has(INDEX)) {
            let other = ArchiveFault::OtherForm(ArchiveForm::Layout);
            return Err(self.given.broken(other));
        }
        let path = self.find(LIST)?;
        let bytes = read_capped(&path, INDEX_LIMIT)?;
        let list: Vec<Listed> = serde_json::from_slice(&bytes).map_err(|error| {
            let error = printable(&error.to_string());
            self.broken(format!("its `{LIST}` is not valid: {error}"))
        })?;
        if list.len() > MAX_IMAGES {
            return Err(self.broken(format!("it has more than {MAX_IMAGES} images")));
        }
        Ok(list)
    }

    fn image(&mut self, image: &Listed) -> Result<Descriptor, SourceError> {
        let layers = image.layers.as_deref().unwrap_or_default();
        if layers.len() > MAX_LAYERS {
            return Err(self.broken(format!("an image has more than {MAX_LAYERS} layers")));
        }
        let config = self.store(&image.config, |_| CONFIG.to_owned())?;
        let layer_type = |path: &Path| {
            Ok::<_, io::Error>(match archive::compression_of(path)? {
                LayerCompression::None => LAYER.to_owned(),
                LayerCompression::Gzip => format!("{LAYER}.gzip"),
                LayerCompression::Zstd => format!("{LAYER}.zstd"),
            })
        };
        let mut misnamed = self.misnamed(&image.config, &config);
        let mut descriptors = Vec::new();
        for name in layers {
            let path = self.find(name)?;
            let media_type = match self.stored.get(&path) {
                Some(known) => known.media_type.clone(),
                None => layer_type(&path)?,
            };
            let layer = self.store(name, |_| media_type.clone())?;
            misnamed.extend(self.misnamed(name, &layer));
            descriptors.push(layer);
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": descriptors,
        });
        let bytes = manifest.to_string().into_bytes();
        let descriptor = Descriptor::new(MANIFEST, Digest::of(&bytes), bytes.len() as u64);
        fs_err::write(self.reader.blob_path(&descriptor.digest), &bytes)?;
        for text in misnamed {
            self.notes.violation(Some(descriptor.digest), text);
        }
        Ok(descriptor)
    }

    /// What there is to say of a file whose name says another digest than its content has.
    fn misnamed(&self, name: &str, content: &Descriptor) -> Vec<String> {
        let said = digest_of_name(name).filter(|said| *said != content.digest);
        let misnamed = said.map(|_| {
            format!(
                "`{}` of `{}` has content of digest {}",
                printable(name),
                self.given.shown,
                content.digest
            )
        });
        misnamed.into_iter().collect()
    }

    /// Moves a file of the archive among the blobs.
    fn store(
        &mut self,
        name: &str,
        media_type: impl Fn(&Path) -> String,
    ) -> Result<Descriptor, SourceError> {
        let path = self.find(name)?;
        if let Some(known) = self.stored.get(&path) {
            return Ok(known.clone());
        }
        let media_type = media_type(&path);
        let (digest, size) = Digest::of_reader(&mut fs_err::File::open(&path)?)?;
        let blob = self.reader.blob_path(&digest);
        fs_err::rename(&path, &blob)?;
        let descriptor = Descriptor::new(media_type, digest, size);
        self.stored.insert(path, descriptor.clone());
        Ok(descriptor)
    }

    /// The file that a name of the archive leads to.
    fn find(&self, name: &str) -> Result<PathBuf, SourceError> {
        let mut current = name.to_owned();
        for _ in 0..=MAX_LINKS {
            if let Some(path) = self.members.files.get(&current) {
                return Ok(path.clone());
            }
            let Some(target) = self.members.links.get(&current) else {
                break;
            };
            current = beside(&current, target);
        }
        Err(self.broken(format!("it has no `{}`", printable(name))))
    }

    fn broken(&self, why: String) -> SourceError {
        self.given.broken(ArchiveFault::Content(why))
    }
}

/// The digest that a file is named by: layers and configurations of new archives stand among blobs; before,
/// configurations alone were named by theirs, with an ending or an algorithm.
fn digest_of_name(name: &str) -> Option<Digest> {
    let hex = name
        .strip_prefix("blobs/sha256/")
        .or_else(|| name.strip_suffix(".json"))
        .or_else(|| name.strip_prefix("sha256:"))?;
    format!("sha256:{hex}").parse().ok()
}

/// Where a link at `name` leads: old Dockers link a layer to its like, `../ID/layer.tar`. Hard links name
/// the whole path.
fn beside(name: &str, target: &str) -> String {
    if !target.starts_with('.') && target.contains('/') {
        return target.to_owned();
    }
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_files_may_say_their_digest() {
        let digest = Digest::of(b"x");
        let hex = digest.hex();
        for name in [
            format!("{hex}.json"),
            format!("sha256:{hex}"),
            format!("blobs/sha256/{hex}"),
        ] {
            assert_eq!(digest_of_name(&name), Some(digest), "{name}");
        }
        for name in [
            "config.json",
            "0/layer.tar",
            &format!("{hex}/layer.tar"),
            &format!("{hex}.tar"),
        ] {
            assert_eq!(digest_of_name(name), None, "{name}");
        }
    }

    #[test]
    fn links_lead_beside_themselves() {
        assert_eq!(beside("a/layer.tar", "../b/layer.tar"), "b/layer.tar");
        assert_eq!(beside("a/layer.tar", "b/layer.tar"), "b/layer.tar");
        assert_eq!(beside("a/layer.tar", "../../../x"), "x");
        assert_eq!(beside("a.tar", "b.tar"), "b.tar");
    }
    proptest! {
        #[test]
        fn links_lead_nowhere_else(name in "[a./]{0,12}", target in "[a./]{0,12}") {
            let _ = beside(&name, &target);
        }

        #[test]
        fn any_bytes_are_a_list_or_none_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = serde_json::from_slice::<Vec<Listed>>(&bytes);
        }

        #[test]
        fn any_list_makes_a_layout_or_an_error(
            config in "(c|l|m|\\.\\./c|manifest\\.json|)",
            layers in prop::option::of(prop::collection::vec("(c|l|m|x/y|/)", 0..3)),
            tags in prop::option::of(prop::collection::vec("(a:1|a|:| )", 0..3)),
            target in "(c|l|m|\\.\\./c|/etc/passwd)",
        ) {
            let list = json!([{ "Config": config, "Layers": layers, "RepoTags": tags }]).to_string();
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().join("a.tar");
            let mut tar = tar::Builder::new(fs_err::File::create(&path).expect("made"));
            for (name, content) in [("c", "{}"), ("l", ""), (LIST, list.as_str())] {
                let mut header = tar::Header::new_ustar();
                header.set_size(content.len() as u64);
                tar.append_data(&mut header, name, content.as_bytes()).expect("written");
            }
            let mut header = tar::Header::new_ustar();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            tar.append_link(&mut header, "m", &target).expect("written");
            tar.finish().expect("written");
            let given = Given { path: &path, form: ArchiveForm::Docker, typed: None, shown: "a.tar" };
            let layout = directory.path().join("layout");
            if convert(&given, &layout, &Interrupt::new()).is_ok() {
                let reader = LayoutReader::open(&layout).expect("a layout");
                for name in reader.index().expect("an index").names() {
                    let found = reader.resolve(Some(&name)).expect("there");
                    reader.read_document(&found).expect("sound");
                }
            }
        }
    }
}
