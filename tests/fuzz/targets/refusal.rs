//! The body of a refusal, which is printed.
#![no_main]

use cargo_lighter::registry::foreign;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let told = foreign::refusal(body);
    assert!(told.len() < 4000, "{}", told.len());
    assert!(!told.chars().any(char::is_control), "{told:?}");
});
