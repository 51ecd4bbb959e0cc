//! Size: what has to be pulled of a "hello, world", beside a limit of 1.9 MB for the default.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{Workspace, done};

const LIMIT: u64 = 1_900_000;

fn main() {
    let workspace = Workspace::hello_world();
    println!("stored size of hello-world: layers, configuration and manifest");
    for (linkage, compression) in [
        ("dynamic", "gzip"),
        ("dynamic", "zstd"),
        ("static", "gzip"),
        ("static", "zstd"),
    ] {
        let layout = format!("{linkage}-{compression}");
        let destination = format!("oci:{layout}");
        let arguments = ["build", "--to", &destination, "--linkage", linkage];
        done(
            workspace
                .lighter(&arguments)
                .args(["--compression", compression]),
        );
        let size = stored_size(&workspace.path().join(&layout));
        let limit = if layout == "dynamic-gzip" {
            format!(", {}% of the limit of {LIMIT} B", size * 100 / LIMIT)
        } else {
            String::new()
        };
        println!("  {linkage}, {compression}: {size} B{limit}");
    }
}

/// Bytes of the only manifest of a layout and of all it refers to.
fn stored_size(layout: &Path) -> u64 {
    let index = json(&layout.join("index.json"));
    let manifest = &index["manifests"][0];
    let digest = manifest["digest"].as_str().expect("a digest");
    let document = json(&layout.join("blobs").join(digest.replace(':', "/")));
    let layers = document["layers"].as_array().expect("layers");
    let sizes = layers.iter().chain([manifest, &document["config"]]);
    sizes
        .map(|blob| blob["size"].as_u64().expect("a size"))
        .sum()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON")
}
