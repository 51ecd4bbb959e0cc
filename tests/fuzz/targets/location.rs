//! `Location`: uploads and redirects.
#![no_main]

use cargo_lighter::registry::foreign;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(address) = foreign::location(text) {
        assert!(address.starts_with("https://"), "{address}");
    }
});
