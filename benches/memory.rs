//! Memory: how much is resident while a service with 2 GiB of assets is assembled and pushed, beside
//! a limit of 64 MiB.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod support;

use std::fs::File;
use std::io::{BufWriter, Write as _};

use support::{Registry, Workspace, has, peak_memory};

const FILES: usize = 16;
const WORDS_A_FILE: usize = 16 * 1024 * 1024;
const LIMIT: u64 = 64 * 1024 * 1024;

fn main() {
    if !has("docker-registry") {
        return;
    }
    let workspace = Workspace::hello_world();
    write_assets(&workspace);
    workspace.write(
        "Cargo.toml",
        "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [package.metadata.lighter]\nassets = [{ from = \"assets\", to = \"/assets\" }]\n",
    );
    println!("peak memory of the program, 2 GiB of assets to a registry, limit 64 MiB");
    for compression in ["gzip", "zstd", "none"] {
        let registry = Registry::start();
        let repo = format!("{}/memory", registry.host());
        let arguments = ["push", "--repo", &repo, "--compression", compression];
        let peak = peak_memory(&mut workspace.lighter(&arguments));
        println!(
            "  {compression}: {} MiB, {}% of the limit",
            peak / 1024 / 1024,
            peak * 100 / LIMIT
        );
    }
}

/// Every other block is random, so that neither compression nor storing has an easy time.
fn write_assets(workspace: &Workspace) {
    let directory = workspace.path().join("assets");
    std::fs::create_dir(&directory).expect("created");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for index in 0..FILES {
        let file = File::create(directory.join(format!("{index}.bin"))).expect("created");
        let mut file = BufWriter::with_capacity(1 << 20, file);
        for word in 0..WORDS_A_FILE {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let random = (word / 4096) % 2 == 0;
            let word = if random { state } else { state & 0xff };
            file.write_all(&word.to_le_bytes()).expect("written");
        }
        file.flush().expect("written");
    }
}
