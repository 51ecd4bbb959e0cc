//! `WWW-Authenticate`, and where credentials may go because of it.
#![no_main]

use cargo_lighter::registry::foreign;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &[u8]| {
    if let Some(realm) = foreign::challenge(header) {
        assert!(realm.starts_with("https://"), "{realm}");
    }
});
