//! What a user calls an image, or a place for images.
#![no_main]

use cargo_lighter::hint::Hint as _;
use cargo_lighter::{destination, source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match source::parse(text) {
        // As it is printed it can be typed again.
        Ok(spec) => assert_eq!(source::parse(&spec.to_string()).as_ref(), Ok(&spec)),
        Err(error) => assert!(error.on_disk(|_| None).hint().is_some()),
    }
    if let Err(error) = destination::parse(text) {
        assert!(error.on_disk(|_| None).hint().is_some());
    }
});
