//! Archives as they should be, and as nobody means well who writes them.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use tar::{EntryType, Header};

use super::*;
use crate::digest::Digest;
use crate::hint::Hint as _;
use crate::layer::{file_header, padding};
use crate::oci::{Descriptor, Document, ImageConfig, Manifest, Platform, RootFs, media_type};
use crate::process::{Interrupt, Signal};

/// An image of two layers, of which the first is gzip and the second zstd.
struct Sample {
    directory: tempfile::TempDir,
    platform: Platform,
    config: Document,
    manifest: Document,
    layers: Vec<PackedLayer>,
}

impl Sample {
    fn new() -> Self {
        Self::of(&[b"a tar that is shared", b"another tar"])
    }

    fn of(tars: &[&[u8]]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let layers: Vec<PackedLayer> = (tars.iter().enumerate())
            .map(|(index, tar)| layer(directory.path(), index, tar))
            .collect();
        let config = ImageConfig {
            created: None,
            architecture: "amd64".to_owned(),
            variant: None,
            os: "linux".to_owned(),
            config: crate::oci::Execution::default(),
            rootfs: RootFs {
                kind: "layers".to_owned(),
                diff_ids: layers.iter().map(|layer| layer.diff_id).collect(),
            },
            history: Vec::new(),
        };
        let config = Document::new(media_type::CONFIG, &config).expect("serializable");
        let manifest = Manifest::new(
            config.descriptor().clone(),
            layers.iter().map(|layer| layer.blob.clone()).collect(),
            BTreeMap::new(),
        );
        Self {
            directory,
            platform: Platform::linux("amd64"),
            manifest: Document::new(media_type::MANIFEST, &manifest).expect("serializable"),
            config,
            layers,
        }
    }

    fn named(&self, names: &[&str]) -> PackedImage<'_> {
        PackedImage {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            platform: &self.platform,
            config: &self.config,
            manifest: &self.manifest,
            layers: &self.layers,
        }
    }

    fn packed(&self, form: ArchiveForm) -> Vec<u8> {
        packed(&[self.named(&["orders:1", "orders:latest"])], form)
    }
}

fn layer(directory: &Path, index: usize, tar: &[u8]) -> PackedLayer {
    let (kind, bytes) = if index.is_multiple_of(2) {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(tar).expect("in memory");
        (media_type::LAYER_GZIP, gzip.finish().expect("in memory"))
    } else {
        let bytes = zstd::encode_all(tar, 3).expect("in memory");
        (media_type::LAYER_ZSTD, bytes)
    };
    let file = directory.join(format!("layer-{index}"));
    fs_err::write(&file, &bytes).expect("written");
    PackedLayer {
        blob: Descriptor::new(kind, Digest::of(&bytes), bytes.len() as u64),
        diff_id: Digest::of(tar),
        tar_size: tar.len() as u64,
        file,
    }
}

fn packed(images: &[PackedImage<'_>], form: ArchiveForm) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack(images, form, &Interrupt::new(), &mut bytes).expect("packed");
    bytes
}

/// A file with these bytes, and what keeps it.
fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("images.tar");
    fs_err::write(&path, bytes).expect("written");
    (directory, path)
}

fn open(bytes: &[u8]) -> Result<ArchiveReader, ArchiveError> {
    let (_keep, path) = file(bytes);
    ArchiveReader::open(&path, None)
}

/// Reads everything that an archive says it has.
fn read_all(reader: &ArchiveReader) -> Result<(), ArchiveError> {
    for name in reader.names() {
        let manifest: Manifest = reader.read_json(&reader.resolve(Some(&name))?)?;
        reader.read_json::<ImageConfig>(&manifest.config)?;
        for layer in &manifest.layers {
            std::io::copy(&mut reader.open_blob(layer)?, &mut std::io::sink())?;
        }
    }
    Ok(())
}

fn names_in(bytes: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().expect("a tar");
    let name = |entry: std::io::Result<tar::Entry<'_, _>>| {
        String::from_utf8_lossy(&entry.expect("an entry").path_bytes()).into_owned()
    };
    entries.map(name).collect()
}

/// If this changes, every archive that users make gets other bytes.
#[test]
fn the_bytes_of_an_archive_never_change() {
    let sample = Sample::of(&[]);
    let of = |form| Digest::of(&sample.packed(form)).hex();
    assert_eq!(
        (
            of(ArchiveForm::Layout).as_str(),
            of(ArchiveForm::Docker).as_str()
        ),
        (
            "158d9852b3a986bb49e510d30738346c1c2efd23632d73ba6442fc2d9a662fa2",
            "f27fefb2e12ee4eeefeeaf2a322d999455bc5b3b5ae34fe0b3b1b5b41d0cbbc5"
        )
    );
}

#[test]
fn entries_are_sorted_and_blobs_are_there_once() {
    let sample = Sample::new();
    let images = [
        sample.named(&["orders:1", "orders:latest"]),
        sample.named(&["billing:1"]),
    ];
    let names = names_in(&packed(&images, ArchiveForm::Layout));
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!(names.len(), 2 + 4 + 3, "{names:?}");
    let names = names_in(&packed(&images, ArchiveForm::Docker));
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!(names.len(), 3 + 1, "{names:?}");
}

#[test]
fn a_layout_is_read_back_with_its_own_digests() {
    let sample = Sample::new();
    let (_keep, path) = file(&sample.packed(ArchiveForm::Layout));
    let reader = ArchiveReader::open(&path, None).expect("an archive");
    assert_eq!(reader.form(), ArchiveForm::Layout);
    assert_eq!(reader.names(), ["orders:1", "orders:latest"]);
    let found = reader.resolve(Some("orders:latest")).expect("there");
    assert_eq!(found.digest, sample.manifest.digest());
    assert_eq!(
        found
            .annotations
            .get("io.containerd.image.name")
            .map(String::as_str),
        Some("docker.io/library/orders:latest")
    );
    let read = reader.read_document(&found).expect("whole");
    assert_eq!(read, sample.manifest.bytes());
    read_all(&reader).expect("whole");
    // The same file also is docker's.
    let reader = ArchiveReader::open(&path, Some(ArchiveForm::Docker)).expect("an archive");
    assert_eq!(reader.names(), ["orders:1", "orders:latest"]);
    let found = reader.resolve(None).expect("the only one");
    let manifest: Manifest = reader.read_json(&found).expect("whole");
    assert_eq!(&manifest.config, sample.config.descriptor());
    let layers: Vec<_> = sample.layers.iter().map(|layer| &layer.blob).collect();
    assert_eq!(manifest.layers.iter().collect::<Vec<_>>(), layers);
    read_all(&reader).expect("whole");
}

#[test]
fn dockers_form_holds_plain_tars() {
    let sample = Sample::new();
    let (_keep, path) = file(&sample.packed(ArchiveForm::Docker));
    let reader = ArchiveReader::open(&path, None).expect("an archive");
    assert_eq!(reader.form(), ArchiveForm::Docker);
    let found = reader
        .resolve(Some("docker.io/library/orders:1"))
        .expect("there");
    let manifest: Manifest = reader.read_json(&found).expect("whole");
    assert_eq!(&manifest.config, sample.config.descriptor());
    let mut tar = String::new();
    let mut blob = reader.open_blob(&manifest.layers[1]).expect("there");
    blob.read_to_string(&mut tar).expect("whole");
    assert_eq!(tar, "another tar");
    assert_eq!(manifest.layers[1].media_type, media_type::LAYER);
    assert_eq!(manifest.layers[1].digest, sample.layers[1].diff_id);
    read_all(&reader).expect("whole");
}

#[test]
fn a_layer_that_is_not_what_it_should_be_is_never_packed() {
    for form in [ArchiveForm::Layout, ArchiveForm::Docker] {
        for (what, damage) in [("cut", None), ("changed", Some(1)), ("longer", Some(2))] {
            let mut sample = Sample::new();
            let layer = &mut sample.layers[0];
            let mut bytes = fs_err::read(&layer.file).expect("readable");
            match damage {
                None => drop(bytes.pop()),
                Some(1) => bytes[12] ^= 1,
                _ => bytes.extend_from_slice(&bytes.clone()),
            }
            fs_err::write(&layer.file, bytes).expect("written");
            let image = sample.named(&["a:b"]);
            let result = pack(&[image], form, &Interrupt::new(), &mut std::io::sink());
            assert!(result.is_err(), "{form:?} {what}");
        }
    }
}

#[test]
fn an_interrupt_ends_packing() {
    let sample = Sample::new();
    let interrupt = Interrupt::new();
    interrupt.send(Signal::Interrupt);
    let image = sample.named(&["a:b"]);
    let result = pack(
        &[image],
        ArchiveForm::Layout,
        &interrupt,
        &mut std::io::sink(),
    );
    assert!(matches!(result, Err(ArchiveError::Interrupted)));
    drop(sample.directory);
}

/// A tar of these entries: name, kind, content.
fn tar_of(entries: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind, content) in entries {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(EntryType::new(*kind));
        header.set_mode(0o644);
        if matches!(kind, b'1' | b'2') {
            header.as_old_mut().linkname[..content.len()].copy_from_slice(content);
            header.set_size(0);
            header.set_cksum();
            bytes.extend_from_slice(header.as_bytes());
            continue;
        }
        header.set_size(content.len() as u64);
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len() + padding(content.len() as u64), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

const HEADER: (&str, u8, &[u8]) = ("oci-layout", b'0', br#"{"imageLayoutVersion":"1.0.0"}"#);
const INDEX: (&str, u8, &[u8]) = ("index.json", b'0', br#"{"schemaVersion":2,"manifests":[]}"#);

#[test]
fn hostile_and_broken_archives_are_refused() {
    assert!(open(&tar_of(&[HEADER, INDEX])).is_ok());
    let oversized: &[u8] = b"2000000 path=x\n";
    let records: &[u8] = b"13 path=../x\n";
    for (what, entries, why) in [
        (
            "climbing",
            vec![HEADER, INDEX, ("../x", b'0', b"x")],
            "does not stay",
        ),
        (
            "hidden climbing",
            vec![HEADER, INDEX, ("a/../../x", b'0', b"x")],
            "does not stay",
        ),
        (
            "absolute",
            vec![HEADER, INDEX, ("/etc/passwd", b'0', b"x")],
            "does not stay",
        ),
        (
            "climbing directory",
            vec![HEADER, INDEX, ("../d/", b'5', b"")],
            "does not stay",
        ),
        (
            "climbing record",
            vec![HEADER, INDEX, ("h", b'x', records), ("y", b'0', b"")],
            "does not stay",
        ),
        (
            "link out",
            vec![HEADER, INDEX, ("l", b'2', b"../../etc/passwd")],
            "leads out",
        ),
        (
            "absolute link",
            vec![HEADER, INDEX, ("l", b'1', b"/etc/passwd")],
            "leads out",
        ),
        ("twice", vec![HEADER, INDEX, INDEX], "is there twice"),
        (
            "twice in other words",
            vec![HEADER, INDEX, ("./index.json", b'0', b"{}")],
            "is there twice",
        ),
        (
            "device",
            vec![HEADER, INDEX, ("d", b'3', b"")],
            "is a device",
        ),
        (
            "pipe",
            vec![HEADER, INDEX, ("p", b'6', b"")],
            "is a device or a pipe",
        ),
        (
            "odd kind",
            vec![HEADER, INDEX, ("s", b'S', b"")],
            "of a kind",
        ),
        (
            "bad record",
            vec![HEADER, INDEX, ("h", b'x', oversized)],
            "no tar",
        ),
        ("no index", vec![HEADER], "no `index.json`"),
        ("no list", vec![("x", b'0', b"")], "no `manifest.json`"),
        (
            "other version",
            vec![
                ("oci-layout", b'0', br#"{"imageLayoutVersion":"2"}"#),
                INDEX,
            ],
            "version",
        ),
        (
            "no json",
            vec![HEADER, ("index.json", b'0', b"{")],
            "cannot be read as JSON",
        ),
        (
            "a link as index",
            vec![HEADER, ("index.json", b'2', b"index.json")],
            "no `index.json`",
        ),
    ] {
        let error = open(&tar_of(&entries)).err();
        let said = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains(why), "{what}: {said}");
    }
}

#[test]
fn compressed_archives_are_refused_with_the_command_that_undoes_it() {
    let sample = Sample::new();
    let (keep, path) = file(&sample.packed(ArchiveForm::Layout));
    let zstd = keep.path().join("images.tar.zst");
    let plain = fs_err::read(&path).expect("readable");
    fs_err::write(&zstd, zstd::encode_all(&plain[..], 1).expect("in memory")).expect("written");
    let gzip = Command::new("gzip")
        .arg(&path)
        .status()
        .expect("gzip is there");
    assert!(gzip.success());
    for (path, by, hint) in [
        (path.with_extension("tar.gz"), "gzip", "gunzip --keep"),
        (zstd, "zstd", "unzstd"),
    ] {
        let error = ArchiveReader::open(&path, None).expect_err("compressed");
        assert!(error.to_string().contains(by), "{error}");
        let said = error.hint().expect("a hint");
        assert!(said.contains(hint), "{said}");
    }
}

#[test]
fn a_large_header_is_not_read() {
    let mut bytes = tar_of(&[HEADER, INDEX]);
    bytes.truncate(bytes.len() - 1024);
    let records = vec![b' '; 70_000];
    bytes.extend_from_slice(&tar_of(&[("h", b'x', &records)]));
    let error = open(&bytes).expect_err("too large");
    assert!(matches!(error, ArchiveError::TooMany { .. }), "{error}");
}

#[test]
fn a_document_of_any_size_is_not_read() {
    // A hole of 5 MiB that says it is a manifest.
    let digest = Digest::of(b"x");
    let size = 5 << 20;
    let name = format!("blobs/sha256/{}", digest.hex());
    let mut bytes = tar_of(&[HEADER, INDEX]);
    bytes.truncate(bytes.len() - 1024);
    bytes.extend_from_slice(&file_header(&name, size));
    bytes.resize(bytes.len() + (5 << 20) + 1024, 0);
    let reader = open(&bytes).expect("an archive");
    let descriptor = Descriptor::new(media_type::MANIFEST, digest, size);
    let error = reader.read_document(&descriptor).expect_err("too large");
    assert!(matches!(error, ArchiveError::TooMany { .. }), "{error}");
}

#[test]
fn more_entries_than_any_archive_has_are_not_read() {
    let mut bytes = Vec::new();
    for index in 0..=entries::MAX_ENTRIES {
        bytes.extend_from_slice(&file_header(&format!("e{index}"), 0));
    }
    bytes.resize(bytes.len() + 1024, 0);
    let error = open(&bytes).expect_err("too many");
    assert!(
        error.to_string().ends_with("more than 100000 entries"),
        "{error}"
    );
}

#[test]
fn every_cut_is_noticed() {
    let sample = Sample::new();
    for form in [ArchiveForm::Layout, ArchiveForm::Docker] {
        let bytes = sample.packed(form);
        for length in (0..=bytes.len() - 1024).step_by(128) {
            assert!(
                open(&bytes[..length]).is_err(),
                "{length} of {}",
                bytes.len()
            );
        }
    }
}

#[test]
fn a_blob_that_is_not_what_its_name_says_is_never_read_to_its_end() {
    let sample = Sample::new();
    let mut bytes = sample.packed(ArchiveForm::Layout);
    let blob = fs_err::read(&sample.layers[0].file).expect("readable");
    let at = bytes.windows(blob.len()).position(|window| window == blob);
    bytes[at.expect("there") + 15] ^= 1;
    let reader = open(&bytes).expect("an archive");
    let mut blob = reader.open_blob(&sample.layers[0].blob).expect("there");
    let error = blob.read_to_end(&mut Vec::new()).expect_err("damaged");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    let mut other = sample.layers[0].blob.clone();
    other.size += 1;
    assert!(matches!(
        reader.open_blob(&other),
        Err(ArchiveError::Content { .. })
    ));
    other.digest = Digest::of(b"nowhere");
    assert!(matches!(
        reader.open_blob(&other),
        Err(ArchiveError::NoBlob { .. })
    ));
}

#[test]
fn a_name_that_is_not_there_suggests_others() {
    let reader = open(&Sample::new().packed(ArchiveForm::Layout)).expect("an archive");
    let error = reader.resolve(Some("order:latest")).expect_err("no such");
    assert_eq!(
        error.hint().as_deref(),
        Some("try `orders:latest` or `orders:1`")
    );
    assert!(reader.resolve(None).is_err(), "two names");
}

#[test]
fn what_gnu_tar_packs_is_read_too() {
    let sample = Sample::new();
    let (keep, path) = file(&sample.packed(ArchiveForm::Layout));
    let unpacked = keep.path().join("layout");
    fs_err::create_dir(&unpacked).expect("created");
    let again = keep.path().join("again.tar");
    for arguments in [
        ["-xf", "images.tar", "-C", "layout"],
        ["-cf", "again.tar", "-C", "layout"],
    ] {
        let mut tar = Command::new("tar");
        tar.args(arguments).current_dir(keep.path());
        if arguments[0] == "-cf" {
            tar.arg(".");
        }
        assert!(tar.status().expect("tar is there").success());
    }
    assert!(path.exists());
    let reader = ArchiveReader::open(&again, None).expect("an archive");
    assert_eq!(reader.names(), ["orders:1", "orders:latest"]);
    read_all(&reader).expect("whole");
}

/// docker up to 24 writes a layer that is there already as a link to it.
#[test]
fn layers_that_are_links_are_followed() {
    let sample = Sample::of(&[b"one", b"one"]);
    let list = br#"[{"Config":"c.json","RepoTags":null,"Layers":["a/layer.tar","b/layer.tar"]}]"#;
    let reader = open(&tar_of(&[
        ("a/layer.tar", b'0', b"one"),
        ("b/layer.tar", b'2', b"../a/layer.tar"),
        ("c.json", b'0', sample.config.bytes()),
        ("manifest.json", b'0', list),
    ]))
    .expect("an archive");
    assert_eq!(reader.names(), Vec::<String>::new());
    let manifest: Manifest = reader
        .read_json(&reader.resolve(None).expect("the only one"))
        .expect("whole");
    assert_eq!(manifest.layers[0], manifest.layers[1]);
    assert_eq!(manifest.layers[0].digest, Digest::of(b"one"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(open(&bytes).is_err());
    }

    #[test]
    fn headers_of_any_kind_never_panic(
        entries in prop::collection::vec(("[./a-c]{0,8}", any::<u8>(), "[0-9 =\npathsize]{0,40}"), 0..6),
    ) {
        let entries: Vec<(&str, u8, &[u8])> = entries
            .iter()
            .map(|(name, kind, content)| (name.as_str(), *kind, content.as_bytes()))
            .collect();
        if let Ok(reader) = open(&tar_of(&entries)) {
            let _ = read_all(&reader);
        }
    }

    #[test]
    fn near_documents_never_panic(
        header in r#"(\{"imageLayoutVersion":"1\.0\.0"\}|\{\}|7|)"#,
        digest in "(sha256:[0-9a-f]{64}|sha256:|)",
        size in "(2|-1|null|99999999999999999999)",
        name in "(orders:1|c|/etc/passwd|\\.\\./c)",
        list in prop::option::of(r#"(\[\{"Config":"(c|x|\.\./c)","RepoTags":(null|\["orders:1"\]|7),"Layers":(null|\["c"\]|\["x"\]|\[7\])\}\]|\[\]|null)"#),
        with_header in any::<bool>(),
    ) {
        let index = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"digest":"{digest}","size":{size},"annotations":{{"org.opencontainers.image.ref.name":"{name}"}}}}]}}"#
        );
        let mut entries: Vec<(&str, u8, &[u8])> = vec![("c", b'0', b"{}"), ("index.json", b'0', index.as_bytes())];
        entries.extend(with_header.then_some(("oci-layout", b'0', header.as_bytes())));
        entries.extend(list.as_deref().map(|list| ("manifest.json", b'0', list.as_bytes())));
        if let Ok(reader) = open(&tar_of(&entries)) {
            let _ = read_all(&reader);
        }
    }

    /// Whatever is changed: what can be read is what was packed, or reading fails.
    #[test]
    fn no_change_goes_unnoticed(at in any::<prop::sample::Index>(), change in 1_u8..) {
        let sample = Sample::new();
        let mut bytes = sample.packed(ArchiveForm::Layout);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        if let Ok(reader) = open(&bytes)
            && let Ok(found) = reader.resolve(Some("orders:1"))
            && let Ok(manifest) = reader.read_document(&found)
        {
            prop_assert_eq!(Digest::of(&manifest), found.digest);
            for layer in &sample.layers {
                let mut read = Vec::new();
                let blob = reader.open_blob(&layer.blob);
                if blob.is_ok_and(|mut blob| blob.read_to_end(&mut read).is_ok()) {
                    prop_assert_eq!(Digest::of(&read), layer.blob.digest);
                }
            }
        }
    }
}
