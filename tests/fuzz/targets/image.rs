//! The image checker: the input is a manifest, a configuration and an index at once, in a layout that
//! names it in every place.
#![no_main]

#[path = "../support/layout.rs"]
mod layout;

use cargo_lighter::image::check_layout;
use layout::{CONFIG, HEADER, Layout, MANIFEST, index};
use libfuzzer_sys::fuzz_target;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fuzz_target!(|bytes: &[u8]| {
    let layout = Layout::new();
    let config = layout.put(bytes, CONFIG);
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [],
    });
    let whole = layout.put(manifest.to_string().as_bytes(), MANIFEST);
    let entries = [layout.put(bytes, MANIFEST), layout.put(bytes, INDEX), whole];
    layout.lead(HEADER, &index(&entries));
    let _ = check_layout(&layout.path());
});
