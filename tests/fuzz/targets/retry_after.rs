//! `Retry-After`, in seconds or as a date; the part after the first line break is the answer's `Date`.
#![no_main]

use cargo_lighter::registry::foreign;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let mut parts = text.splitn(2, |byte| *byte == b'\n');
    let value = parts.next().unwrap_or_default();
    let date = parts.next().unwrap_or(b"Wed, 21 Oct 2015 07:28:00 GMT");
    let _ = foreign::retry_after(value, date);
});
