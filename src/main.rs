//! The program `cargo-lighter`, also run as `cargo lighter`.

use std::process::ExitCode;

use cargo_lighter::cli;

fn main() -> ExitCode {
    cli::run_process()
}
