//! Environment variables that cargo sets by itself: they follow from the workspace, so nobody needs to
//! look at them.

/// Whether cargo sets it for rustc.
pub(super) fn is_set_for_rustc(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "CARGO",
        "CARGO_CRATE_NAME",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_TARGET_TMPDIR",
        "OUT_DIR",
    ];
    const BEGINNINGS: &[&str] = &["CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_PKG_"];
    is_among(name, NAMES, BEGINNINGS)
}

/// Whether cargo sets it for a build script that runs.
pub(super) fn is_set_for_build_scripts(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_MAKEFLAGS",
        "DEBUG",
        "HOST",
        "NUM_JOBS",
        "OPT_LEVEL",
        "PROFILE",
        "RUSTC",
        "RUSTC_LINKER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "RUSTDOC",
        "TARGET",
    ];
    const BEGINNINGS: &[&str] = &["CARGO_CFG_", "CARGO_FEATURE_", "DEP_"];
    is_set_for_rustc(name) || is_among(name, NAMES, BEGINNINGS)
}

fn is_among(name: &str, names: &[&str], beginnings: &[&str]) -> bool {
    names.contains(&name)
        || beginnings
            .iter()
            .any(|beginning| name.starts_with(beginning))
}
