//! The index of a layout, and documents of an image as this program itself reads them.
#![no_main]

use cargo_lighter::medium::StoredIndex;
use cargo_lighter::oci::{Index, Manifest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(index) = StoredIndex::parse(bytes) {
        let _ = (index.names(), index.only(), index.find("a:1"));
        let written = index.to_bytes().expect("what was read can be written");
        assert!(StoredIndex::parse(&written).is_ok());
    }
    let _ = serde_json::from_slice::<Manifest>(bytes);
    let _ = serde_json::from_slice::<Index>(bytes);
});
