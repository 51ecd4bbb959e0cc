//! Small images, and little memory for large ones.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;

use crate::support::check::{Copied, Described, assert_sound};
use crate::support::cli::Lighter;
use crate::support::registry::Registry;
use crate::support::workspace::{Checkout, manifest};

#[test]
fn hello_world_is_below_two_megabytes_and_shares_all_but_itself() {
    let services = ["dolphin", "eel", "whale"];
    let checkout = Checkout::of_services(&services);
    for service in services {
        let program = format!("fn main() {{\n    println!(\"I am {service}\");\n}}\n");
        checkout.write(&format!("{service}/src/main.rs"), &program);
    }
    Lighter::at(checkout.path()).args(["build"]).run().expect(0);
    let layout = checkout.path().join("target/lighter/oci");
    assert_sound(&layout);
    let images = services.map(|service| Described::of(&layout, &format!("{service}:latest")));
    let first = images[0].layers();
    assert_eq!(first.len(), 3);
    for image in &images {
        assert!(image.size() <= 1_900_000, "{} bytes", image.size());
        assert_eq!(image.layers()[..2], first[..2]);
    }
    assert_ne!(images[1].layers()[2], images[2].layers()[2]);
    let types = images[0].manifest["layers"].as_array().expect("a list");
    let gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
    assert!(types.iter().all(|layer| layer["mediaType"] == gzip));
}

#[test]
fn two_hundred_megabytes_of_assets_take_at_most_64_mib_of_memory() {
    let registry = Registry::open();
    let checkout = Checkout::of_services(&["service"]);
    let assets = "[package.metadata.lighter]\nassets = [{ from = \"data\", to = \"/data\" }]\n";
    checkout.write("service/Cargo.toml", &manifest("service", assets));
    write_assets(&checkout.path().join("service/data"));
    for compression in ["gzip", "zstd"] {
        let repo = format!("{}/{compression}", registry.host());
        let lighter = Lighter::at(checkout.path())
            // Each further thread has blocks of its own.
            .args(["push", "--jobs", "2", "--repo", &repo])
            .args(["--compression", compression]);
        let peak = peak_of(&lighter, "Stored `service`");
        assert!(peak <= 64 * 1024 - CODE, "{compression}: {peak} KiB");
        let copied = Copied::of_registry(&repo, &["service"], None);
        if compression == "gzip" {
            has_all_assets(&Described::of(&copied.layout(), "service:latest"));
        }
    }
}

/// Level 19 once took 278 MB. The assets are more than the compressor ever looks back on.
#[test]
fn the_highest_levels_of_zstd_take_at_most_64_mib_of_memory() {
    let registry = Registry::open();
    let checkout = Checkout::of_services(&["service"]);
    let assets = "[package.metadata.lighter]\nassets = [{ from = \"data\", to = \"/data\" }]\n";
    checkout.write("service/Cargo.toml", &manifest("service", assets));
    let mut noise = noise();
    let mut bytes = Vec::new();
    for _ in 0..250 {
        bytes.extend(noise(30_000));
        bytes.resize(bytes.len() + 10_000, b' ');
    }
    fs_err::write(checkout.path().join("service/data"), bytes).expect("written");
    for level in ["12", "19"] {
        let repo = format!("{}/level-{level}", registry.host());
        let lighter = Lighter::at(checkout.path())
            .args(["push", "--jobs", "2", "--repo", &repo])
            .args(["--compression", "zstd", "--compression-level", level]);
        let peak = peak_of(&lighter, "Stored `service`");
        assert!(peak <= 64 * 1024 - CODE, "level {level}: {peak} KiB");
    }
}

fn has_all_assets(image: &Described) {
    let files = image.files();
    let small = files.iter().filter(|name| name.starts_with("data/f"));
    assert_eq!(small.count(), 1000);
    assert!(files.iter().any(|name| name == "data/large"));
}

/// What the code of an optimised program takes, in KiB. That of this one takes about twice as much,
/// and how much depends on how tests are built.
const CODE: u64 = 10 * 1024;

/// Bytes that nothing compresses, the same in every run.
fn noise() -> impl FnMut(usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move |length| {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        bytes
    }
}

/// 200 MB, three quarters of them noise: one large file and a thousand small ones.
fn write_assets(directory: &Path) {
    let mut noise = noise();
    fs_err::create_dir(directory).expect("created");
    let mut large = fs_err::File::create(directory.join("large")).expect("created");
    for _ in 0..100 {
        large.write_all(&noise(1_000_000)).expect("written");
    }
    for number in 0..1000 {
        let mut bytes = noise(50_000);
        bytes.resize(100_000, b' ');
        fs_err::write(directory.join(format!("f{number:03}")), bytes).expect("written");
    }
}

/// The most memory, in KiB, that a run's own process (not those of cargo) ever held until a line of
/// standard error began with `until`; but for the pages of its code.
///
/// Standard output is a pipe that is full already: the process cannot end before it is looked at.
fn peak_of(lighter: &Lighter, until: &str) -> u64 {
    let (mut reader, mut writer) = std::io::pipe().expect("a pipe");
    let capacity = rustix::pipe::fcntl_getpipe_size(&writer).expect("known");
    writer.write_all(&vec![b'\n'; capacity]).expect("it fits");
    let mut command = lighter.command("true");
    let mut child = command
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // The command keeps the writing end open.
    drop(command);
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    while !said.lines().any(|line| line.trim().starts_with(until)) {
        let read = stderr.read_line(&mut said).expect("readable");
        assert!(read > 0, "{said}");
    }
    let status = fs_err::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
    reader.read_to_end(&mut Vec::new()).expect("readable");
    stderr.read_to_string(&mut said).expect("readable");
    assert!(child.wait().expect("it ends").success(), "{said}");
    let field = |name: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(name));
        let value = value.expect("there").trim().trim_end_matches(" kB");
        value.parse::<u64>().expect("a number")
    };
    field("VmHWM:") - field("RssFile:")
}
