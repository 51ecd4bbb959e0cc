//! An archive of images that somebody else wrote, in either form and compressed or not, looked into as
//! `inspect` does it.
#![no_main]

use std::fs;

use cargo_lighter::inspect::{Inspector, Page, verify};
use cargo_lighter::process::{Environment, Interrupt};
use cargo_lighter::registry::Options;
use cargo_lighter::report::Clock;
use cargo_lighter::source::{Sources, Wanted, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("a.tar"), bytes).expect("written");
    let environment = Environment::new(directory.path(), []);
    let interrupt = Interrupt::new();
    let clock = Clock::by_hand();
    let mut sources = Sources::new(&environment, clock, &interrupt, Options::default());
    let mut inspector = Inspector::new(&interrupt, 5);
    for image in ["oci-archive:a.tar", "docker-archive:a.tar"] {
        let spec = parse(image).expect("an archive");
        let wanted = Wanted::default();
        if let Ok(source) = sources.open(&spec, &wanted)
            && let Ok(inspected) = inspector.inspect(&source)
        {
            let _ = inspected.report.to_text(Page::new(Some(80)));
        }
        if let Ok(verified) = verify(&mut sources, &spec, &wanted, true) {
            let _ = verified.to_text();
        }
    }
});
