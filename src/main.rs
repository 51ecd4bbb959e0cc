//! The program `cargo-lighter`.
fn main() {}
