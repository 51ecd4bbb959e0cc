//! What is packed, and that nothing else is.

use super::*;

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
