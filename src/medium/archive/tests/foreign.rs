//! Archives of others: broken, hostile, and unusual.

use super::*;

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
