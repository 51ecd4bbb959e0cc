//! A layer, as `inspect` reads it and as the checker does.
#![no_main]

#[path = "../support/layout.rs"]
mod layout;

use cargo_lighter::image::check_layout;
use cargo_lighter::inspect::{Inspector, Page};
use cargo_lighter::process::{Environment, Interrupt};
use cargo_lighter::registry::Options;
use cargo_lighter::report::Clock;
use cargo_lighter::source::{Sources, Wanted, parse};
use layout::{CONFIG, HEADER, Layout, MANIFEST, index};
use libfuzzer_sys::fuzz_target;

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

fuzz_target!(|bytes: &[u8]| {
    let layout = Layout::new();
    let layer = layout.put(bytes, LAYER);
    let config = serde_json::json!({
        "os": "linux", "architecture": "amd64",
        "rootfs": { "type": "layers", "diff_ids": [layer["digest"]] },
    });
    let config = layout.put(config.to_string().as_bytes(), CONFIG);
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer],
    });
    let manifest = layout.put(manifest.to_string().as_bytes(), MANIFEST);
    layout.lead(HEADER, &index(&[manifest]));

    let environment = Environment::new(layout.around(), []);
    let interrupt = Interrupt::new();
    let clock = Clock::by_hand();
    let mut sources = Sources::new(&environment, clock, &interrupt, Options::default());
    let spec = parse("oci:layout").expect("a layout");
    let source = sources.open(&spec, &Wanted::default()).expect("an image");
    if let Ok(inspected) = Inspector::new(&interrupt, 5).inspect(&source) {
        let _ = inspected.report.to_text(Page::new(None));
    }
    let _ = check_layout(&layout.path());
});
