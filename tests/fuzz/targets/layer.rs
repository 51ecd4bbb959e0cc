//! A layer, as `inspect` reads it and as the checker does.
#![no_main]

use std::fs;

use cargo_lighter::digest::Digest;
use cargo_lighter::image::check_layout;
use cargo_lighter::inspect::{Inspector, Page};
use cargo_lighter::process::{Environment, Interrupt};
use cargo_lighter::registry::Options;
use cargo_lighter::report::Clock;
use cargo_lighter::source::{Sources, Wanted, parse};
use libfuzzer_sys::fuzz_target;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

fuzz_target!(|bytes: &[u8]| {
    let directory = tempfile::tempdir().expect("a directory");
    let layout = directory.path().join("layout");
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("created");
    let put = |bytes: &[u8], media_type: &str| {
        let digest = Digest::of(bytes);
        fs::write(blobs.join(digest.hex()), bytes).expect("written");
        let (digest, size) = (digest.to_string(), bytes.len());
        serde_json::json!({ "mediaType": media_type, "digest": digest, "size": size })
    };
    let layer = put(bytes, LAYER);
    let config = serde_json::json!({
        "os": "linux", "architecture": "amd64",
        "rootfs": { "type": "layers", "diff_ids": [layer["digest"]] },
    });
    let config = put(config.to_string().as_bytes(), CONFIG);
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer],
    });
    let manifest = put(manifest.to_string().as_bytes(), MANIFEST);
    let index = serde_json::json!({ "schemaVersion": 2, "manifests": [manifest] });
    fs::write(layout.join("index.json"), index.to_string()).expect("written");
    let header = r#"{"imageLayoutVersion":"1.0.0"}"#;
    fs::write(layout.join("oci-layout"), header).expect("written");

    let environment = Environment::new(directory.path(), []);
    let interrupt = Interrupt::new();
    let clock = Clock::by_hand();
    let mut sources = Sources::new(&environment, clock, &interrupt, Options::default());
    let spec = parse("oci:layout").expect("a layout");
    let source = sources.open(&spec, &Wanted::default()).expect("an image");
    if let Ok(inspected) = Inspector::new(&interrupt, 5).inspect(&source) {
        let _ = inspected.report.to_text(Page::new(None));
    }
    let _ = check_layout(&layout);
});
