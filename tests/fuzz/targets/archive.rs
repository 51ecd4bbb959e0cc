//! An archive of images, in either of its forms.
#![no_main]

use std::io::{Write as _, copy, sink};

use cargo_lighter::medium::{ArchiveForm, ArchiveReader};
use cargo_lighter::oci::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("written");
    for form in [None, Some(ArchiveForm::Layout), Some(ArchiveForm::Docker)] {
        let Ok(reader) = ArchiveReader::open(file.path(), form) else {
            continue;
        };
        let names = reader.names();
        for name in names.iter().map(|name| Some(name.as_str())).chain([None]) {
            let manifest = reader.resolve(name);
            let manifest = manifest.and_then(|found| reader.read_json::<Manifest>(&found));
            for layer in manifest.iter().flat_map(|manifest| &manifest.layers) {
                let _ = reader
                    .open_blob(layer)
                    .map(|mut blob| copy(&mut blob, &mut sink()));
            }
        }
    }
});
