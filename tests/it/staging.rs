//! The room that a run needs for what is not delivered yet.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use cargo_lighter::fs::{TEMPORARY_PREFIX, sorted_files};

use crate::support::cli::Lighter;
use crate::support::refusal::no_temporaries;
use crate::support::scripted::{Answer, Scripted, reply};
use crate::support::workspace::{Checkout, manifest};

const SERVICES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const ASSET: u64 = 4_000_000;

/// Size and inode of every file that waits for delivery.
type Staged = Vec<(u64, u64)>;

fn staged(workspace: &Path) -> Staged {
    let place = workspace.join("target/lighter");
    let entries = fs_err::read_dir(&place).expect("a run is under way");
    let runs = entries.map(|entry| entry.expect("readable").path());
    let is_run = |path: &PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy();
        path.is_dir() && name.starts_with(TEMPORARY_PREFIX)
    };
    let files = runs
        .filter(is_run)
        .flat_map(|run| sorted_files(&run).expect("readable"));
    // The next service may be compiled meanwhile, and its executable come and go.
    let metadata = files.filter_map(|file| file.path.metadata().ok());
    metadata.map(|data| (data.len(), data.ino())).collect()
}

/// A push of all services, one after the other, each with assets; what is staged whenever the registry
/// gets a manifest that no tag names yet.
fn staged_while_pushing(assets: impl Fn(&str) -> String) -> Vec<Staged> {
    let checkout = Checkout::of_services(&SERVICES);
    let bytes = "x".repeat(usize::try_from(ASSET).expect("small"));
    checkout.write("common/data", &bytes);
    for service in SERVICES {
        // Equal bytes would be one blob.
        checkout.write(&format!("{service}/data"), &bytes.replace('x', service));
        let asset = assets(service);
        let more =
            format!("[package.metadata.lighter]\nassets = [{{ {asset}, to = \"/data\" }}]\n");
        checkout.write(&format!("{service}/Cargo.toml"), &manifest(service, &more));
    }
    let seen: Arc<Mutex<Vec<Staged>>> = Arc::default();
    let server = {
        const SESSION: &[(&str, &str)] = &[("Location", "/v2/session")];
        let (seen, workspace) = (Arc::clone(&seen), checkout.path().to_owned());
        Scripted::new(move |request| match request.split_once(' ') {
            Some(("GET", "/v2/")) => reply(200, "{}"),
            Some(("POST", _)) => Answer::Reply(202, SESSION, String::new()),
            Some(("HEAD", _)) => reply(404, ""),
            Some(("PUT", path)) if path.contains("/manifests/sha256:") => {
                seen.lock().expect("no panic").push(staged(&workspace));
                reply(201, "")
            }
            _ => reply(201, ""),
        })
    };
    Lighter::at(checkout.path())
        .args([
            "push",
            "-j",
            "1",
            "--compression",
            "none",
            "--no-verify-push",
        ])
        .args(["--repo", &format!("{}/shop", server.host())])
        .run()
        .expect(0);
    no_temporaries(checkout.path());
    let seen = seen.lock().expect("no panic").clone();
    assert_eq!(seen.len(), SERVICES.len());
    seen
}

fn large(staged: &Staged) -> impl Iterator<Item = &(u64, u64)> {
    staged.iter().filter(|(size, _)| *size >= ASSET)
}

#[test]
fn the_room_for_staging_does_not_grow_with_the_number_of_services() {
    let seen = staged_while_pushing(|_| "from = \"data\"".to_owned());
    for staged in &seen {
        assert_eq!(large(staged).count(), 1, "{seen:?}");
    }
    let room = |staged: &Staged| staged.iter().map(|(size, _)| size).sum::<u64>();
    let last = seen.last().map_or(0, room);
    // An executable that waits is the most that another moment can have.
    assert!(last < room(&seen[0]) + ASSET / 2, "{seen:?}");
}

#[test]
fn assets_that_services_share_are_packed_once() {
    let seen = staged_while_pushing(|_| "from = \"/common/data\"".to_owned());
    let layers: BTreeSet<u64> = seen
        .iter()
        .flat_map(|staged| large(staged).map(|(_, inode)| *inode))
        .collect();
    assert_eq!(layers.len(), 1, "{seen:?}");
}
