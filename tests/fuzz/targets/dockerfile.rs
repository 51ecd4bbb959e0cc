//! Dockerfiles.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_lighter::adopt::{Request, propose};
use cargo_lighter::config::Config;
use cargo_lighter::workspace::Workspace;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let nowhere = Path::new("/nonexistent");
    let workspace = Workspace {
        root: nowhere.to_owned(),
        manifest: nowhere.join("Cargo.toml"),
        repository_root: nowhere.to_owned(),
        target_directory: nowhere.join("target"),
        packages: Vec::new(),
        linking: BTreeSet::new(),
        services: Vec::new(),
        left_out: Vec::new(),
    };
    let config = Config {
        services: BTreeMap::new(),
        min_version: None,
    };
    let request = Request {
        text,
        file: "Dockerfile",
        directory: nowhere,
        context: None,
        service: None,
        stage: None,
        arguments: &BTreeMap::new(),
        profiles: None,
    };
    // There is no service that it could be for.
    assert!(propose(&workspace, &config, &request).is_err());
});
