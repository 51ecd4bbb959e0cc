//! What a build says to cargo and that once got lost.

use super::World;

/// The table and the remarks where a stage of its own builds.
fn of(build: &str) -> (String, String) {
    let text = format!(
        "FROM rust AS b\nWORKDIR /w\nCOPY . .\n{build}\nFROM debian:12\nUSER 1:1\n\
         COPY --from=b /w/target/release/orders /app/orders\nENTRYPOINT [\"/app/orders\"]\n"
    );
    let proposal = World::shared().propose(&text).expect("a proposal");
    let remarks = proposal.remarks.iter().map(|remark| {
        let advice = remark.advice.as_deref().unwrap_or_default();
        format!("{}: {} [{advice}]\n", remark.line, remark.message)
    });
    (crate::adopt::text(&proposal), remarks.collect())
}

#[track_caller]
fn tells(build: &str, expected: &[&str]) {
    let (_, told) = of(build);
    for expected in expected {
        assert!(told.contains(expected), "{build}: no {expected} in\n{told}");
    }
}

#[test]
fn flags_of_cargo_that_no_key_says_are_told() {
    for (flags, expected) in [
        (
            "build --release --target aarch64-unknown-linux-gnu",
            "compiled for `aarch64-unknown-linux-gnu`, which no key says [build with `--target aarch64-unknown-linux-gnu`",
        ),
        (
            "zigbuild --release --target x86_64-unknown-linux-gnu.2.17",
            "compiles for glibc 2.17 and later, which no key says [build with `--target x86_64-unknown-linux-gnu.2.17`]",
        ),
        (
            "build --release --config profile.release.lto=true",
            "`--config profile.release.lto=true` is not carried [write `lto = true` below `[profile.release]`",
        ),
        (
            "--config net.offline=true build --release",
            "`--config net.offline=true` is not carried [put it into `.cargo/config.toml`",
        ),
        (
            "+nightly build --release",
            "`cargo +nightly` chooses a toolchain",
        ),
        (
            "build --release -Z build-std",
            "`-Z build-std` is not carried",
        ),
        (
            "rustc --release -- -C target-cpu=native",
            "`cargo rustc` gives the compiler `-C target-cpu=native`",
        ),
    ] {
        tells(&format!("RUN cargo {flags}"), &[expected]);
    }
}

#[test]
fn variables_that_decide_how_it_is_compiled_are_told() {
    for build in [
        "ENV RUSTFLAGS=\"-C target-cpu=native\" CARGO_PROFILE_RELEASE_LTO=fat\nRUN cargo build --release",
        "ARG RUSTFLAGS=\"-C target-cpu=native\" \nARG CARGO_PROFILE_RELEASE_LTO=fat\nRUN cargo build --release",
        "RUN RUSTFLAGS=\"-C target-cpu=native\" CARGO_PROFILE_RELEASE_LTO=fat cargo build --release",
        "RUN env RUSTFLAGS=\"-C target-cpu=native\" CARGO_PROFILE_RELEASE_LTO=fat cargo build --release",
        "RUN export RUSTFLAGS=\"-C target-cpu=native\" CARGO_PROFILE_RELEASE_LTO=fat && cargo build --release",
    ] {
        tells(
            build,
            &[
                "`RUSTFLAGS=-C target-cpu=native` decides how it is compiled, and is not carried [put the flags into `rustflags`",
                "`CARGO_PROFILE_RELEASE_LTO=fat` decides how it is compiled, and is not carried [write `lto = \"fat\"` below `[profile.release]`",
            ],
        );
    }
    tells(
        "RUN SQLX_OFFLINE=true cargo build --release",
        &["the build sees `SQLX_OFFLINE` in its environment"],
    );
    tells(
        "ENV RUSTUP_TOOLCHAIN=nightly\nRUN cargo build --release",
        &[
            "`RUSTUP_TOOLCHAIN=nightly` decides",
            "`rust-toolchain.toml`",
        ],
    );
    let (table, told) = of("RUN RUSTFLAGS='-C target-feature=+crt-static' cargo build --release");
    assert!(table.contains("linkage = \"static\""), "{table}");
    assert!(!told.contains("RUSTFLAGS"), "{told}");
    let (_, told) = of(
        "RUN CARGO_REGISTRIES_X_TOKEN=h1dden cargo build --release --config registries.x.token=h1dden",
    );
    assert!(told.contains("CARGO_REGISTRIES_X_TOKEN"), "{told}");
    assert!(!told.contains("h1dden"), "{told}");
}

#[test]
fn a_profile_that_nothing_defines_is_told_and_not_proposed() {
    let (table, told) =
        of("RUN cargo build --profile dist && mv target/dist/orders target/release/orders");
    assert!(!table.contains("profile"), "{table}");
    assert!(
        told.contains("defines the profile `dist`: it is not proposed"),
        "{told}"
    );
}

#[test]
fn strip_of_the_executable_is_told_with_the_key_of_the_profile() {
    let key = "`strip` takes symbols out of the old image's executable: the new one is as cargo makes it \
               [`strip = true` below `[profile.release]`";
    for build in [
        "RUN cargo build --release && strip target/release/orders",
        "RUN cargo build --release\nRUN strip -s /w/target/release/orders",
        "RUN cargo build --release; x86_64-linux-gnu-strip target/release/*",
        "RUN cargo build --release && strip target/$T/release/$APP",
    ] {
        tells(build, &[key]);
    }
    tells(
        "RUN cargo build && strip target/debug/orders && mkdir -p target/release && cp target/debug/orders target/release/",
        &["`strip = true` below `[profile.dev]`"],
    );
    for build in [
        "RUN cargo build --release",
        "RUN cargo build --release && strip target/release/other",
        "RUN cargo build --release && echo strip orders",
    ] {
        let (_, told) = of(build);
        assert!(!told.contains("strip"), "{build}:\n{told}");
    }
    // Where the image itself does it, too.
    let (_, told) = World::shared().told("RUN strip orders\nENTRYPOINT [\"/app/orders\"]\n");
    assert!(told.contains("`strip = true`"), "{told}");
}

#[test]
fn strip_is_nothing_where_the_profile_has_it() {
    let (_, told) = World::stripping()
        .told("RUN cargo build --release && strip orders\nENTRYPOINT [\"/app/orders\"]\n");
    assert!(!told.contains("strip"), "{told}");
}
