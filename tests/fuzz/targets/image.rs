//! The image checker: the input is a manifest, a configuration and an index at once, in a layout that
//! names it in every place.
#![no_main]

use std::fs;

use cargo_lighter::digest::Digest;
use cargo_lighter::image::check_layout;
use libfuzzer_sys::fuzz_target;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

fuzz_target!(|bytes: &[u8]| {
    let layout = tempfile::tempdir().expect("a directory");
    let blobs = layout.path().join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("created");
    let put = |bytes: &[u8], media_type: &str| {
        let digest = Digest::of(bytes);
        fs::write(blobs.join(digest.hex()), bytes).expect("written");
        let (digest, size) = (digest.to_string(), bytes.len());
        serde_json::json!({ "mediaType": media_type, "digest": digest, "size": size })
    };
    let config = put(bytes, CONFIG);
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [],
    });
    let whole = put(manifest.to_string().as_bytes(), MANIFEST);
    let entries = [put(bytes, MANIFEST), put(bytes, INDEX), whole];
    let index = serde_json::json!({ "schemaVersion": 2, "manifests": entries });
    let header = r#"{"imageLayoutVersion":"1.0.0"}"#;
    fs::write(layout.path().join("oci-layout"), header).expect("written");
    fs::write(layout.path().join("index.json"), index.to_string()).expect("written");
    let _ = check_layout(layout.path());
});
