//! Documents around an image that somebody else wrote: the input is the header of a layout, an index, a
//! manifest and a configuration at once.
#![no_main]

use std::fs;
use std::path::Path;

use cargo_lighter::digest::Digest;
use cargo_lighter::inspect::{Inspector, Page};
use cargo_lighter::process::{Environment, Interrupt};
use cargo_lighter::registry::Options;
use cargo_lighter::report::Clock;
use cargo_lighter::source::{Sources, Wanted, parse};
use libfuzzer_sys::fuzz_target;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const HEADER: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

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
    let config = put(bytes, CONFIG);
    let whole = serde_json::json!({ "schemaVersion": 2, "config": config, "layers": [] });
    let whole = put(whole.to_string().as_bytes(), MANIFEST);
    let of = |entry: &serde_json::Value| {
        let index = serde_json::json!({ "schemaVersion": 2, "manifests": [entry] });
        index.to_string().into_bytes()
    };
    look(directory.path(), bytes, &of(&whole));
    look(directory.path(), HEADER, bytes);
    for entry in [whole, put(bytes, MANIFEST), put(bytes, INDEX)] {
        look(directory.path(), HEADER, &of(&entry));
    }
});

fn look(around: &Path, header: &[u8], index: &[u8]) {
    fs::write(around.join("layout/oci-layout"), header).expect("written");
    fs::write(around.join("layout/index.json"), index).expect("written");
    let environment = Environment::new(around, []);
    let interrupt = Interrupt::new();
    let clock = Clock::by_hand();
    let mut sources = Sources::new(&environment, clock, &interrupt, Options::default());
    let spec = parse("oci:layout").expect("a layout");
    let platform = "linux/arm64".parse().ok();
    for wanted in [Wanted::default(), Wanted { platform }] {
        if let Ok(source) = sources.open(&spec, &wanted)
            && let Ok(inspected) = Inspector::new(&interrupt, 5).inspect(&source)
        {
            let _ = inspected.report.to_text(Page::new(Some(60)));
        }
    }
}
