//! What a build asks of cargo and of the compiler that no key can say: told with the place where it belongs.

use std::collections::BTreeMap;

use crate::adopt::dockerfile::{Build, Settings, is_rustflags};
use crate::adopt::manifest::Draft;
use crate::adopt::secrets::{is_secret, shown, shown_words};

/// A place that decides how something is compiled, outside of the configuration of images.
const IN_CONFIGURATION: &str =
    "put it into `.cargo/config.toml` of the workspace, if the executable needs it";
const IN_TOOLCHAIN: &str = "name it as `channel` in `rust-toolchain.toml` of the workspace";

/// Tells of flags and variables.
pub(super) fn adopt(build: &Build, settings: &Settings, draft: &mut Draft<'_>) {
    let line = build.line;
    target(build, draft);
    for config in &build.configs {
        let profile = config.strip_prefix("profile.").and_then(|rest| {
            let (key, value) = rest.split_once('=')?;
            let (profile, key) = key.split_once('.')?;
            Some(in_profile(profile, key.trim(), value.trim()))
        });
        draft.lost(
            line,
            &format!("`--config {}` is not carried", shown(config)),
            profile.as_deref().unwrap_or(IN_CONFIGURATION),
        );
    }
    for flag in &build.unstable {
        draft.lost(
            line,
            &format!("`-Z {flag}` is not carried"),
            "put it into `[unstable]` of `.cargo/config.toml`, if the executable needs it",
        );
    }
    if let Some(toolchain) = &build.toolchain {
        draft.lost(
            line,
            &format!("`cargo +{toolchain}` chooses a toolchain, which is not carried"),
            IN_TOOLCHAIN,
        );
    }
    if !build.compiler_flags.is_empty() {
        let flags = shown_words(&build.compiler_flags);
        draft.lost(
            line,
            &format!("`cargo rustc` gives the compiler `{flags}`, which is not carried"),
            "put it into `rustflags` of `[build]` in `.cargo/config.toml`",
        );
    }
    for (name, (line, value)) in variables(build, settings) {
        if let Some(advice) = advice(&name, &value) {
            let written = if is_secret(&name, &value) {
                format!("{name}=…")
            } else {
                shown(&format!("{name}={value}"))
            };
            draft.lost(
                line,
                &format!("`{written}` decides how it is compiled, and is not carried"),
                &advice,
            );
        }
    }
}

/// Variables of the build, the last value of each.
pub(super) fn variables(build: &Build, settings: &Settings) -> BTreeMap<String, (usize, String)> {
    let mut all = BTreeMap::new();
    for (name, value) in &settings.arguments {
        if let Some(value) = value.as_ref().filter(|_| is_told(name)) {
            all.insert(name.clone(), (build.line, value.clone()));
        }
    }
    for (name, said) in &settings.env {
        all.insert(name.clone(), (said.line, said.value.clone()));
    }
    for word in &build.variables {
        if let Some((name, value)) = word.split_once('=') {
            all.insert(name.to_owned(), (build.line, value.to_owned()));
        }
    }
    all
}

/// Whether a variable is told here.
pub(super) fn is_told(name: &str) -> bool {
    advice(name, "x").is_some()
}

/// What to do about a variable of cargo or the compiler; `None` for all others, and for flags that become
/// `linkage`.
fn advice(name: &str, value: &str) -> Option<String> {
    if is_rustflags(name) {
        let rest = value
            .replace("target-feature=+crt-static", "")
            .replace("-C", "");
        let is_carried = value.contains("+crt-static") && rest.trim().is_empty();
        let advice = "put the flags into `rustflags` of `[build]` in `.cargo/config.toml`";
        return (!is_carried && !value.is_empty()).then(|| advice.to_owned());
    }
    if name == "RUSTUP_TOOLCHAIN" {
        return Some(IN_TOOLCHAIN.to_owned());
    }
    if let Some(rest) = name.strip_prefix("CARGO_PROFILE_") {
        let (profile, key) = rest.split_once('_')?;
        let in_small = |text: &str| text.to_lowercase().replace('_', "-");
        return Some(in_profile(&in_small(profile), &in_small(key), value));
    }
    let of_target = name.starts_with("CARGO_TARGET_") && name != "CARGO_TARGET_DIR";
    let of_compiler = matches!(name, "RUSTC" | "RUSTC_BOOTSTRAP" | "CARGO_BUILD_RUSTC");
    (of_target || of_compiler).then(|| {
        "set it where `cargo lighter build` runs, or say it in `.cargo/config.toml`".to_owned()
    })
}

/// `lto = "fat"` of a profile.
fn in_profile(profile: &str, key: &str, value: &str) -> String {
    let is_plain = value.parse::<u32>().is_ok() || matches!(value, "true" | "false");
    let is_quoted = value.starts_with(['"', '\'']);
    let value = if is_plain || is_quoted {
        value.to_owned()
    } else {
        format!("\"{value}\"")
    };
    format!("write `{key} = {value}` below `[profile.{profile}]` in the workspace's `Cargo.toml`")
}

/// What it is compiled for. musl is told with the linkage.
fn target(build: &Build, draft: &mut Draft<'_>) {
    let Some(target) = build
        .target
        .as_deref()
        .filter(|text| !text.contains("musl"))
    else {
        return;
    };
    let line = build.line;
    if target.contains(['$', '`']) {
        draft.changed(
            line,
            &format!(
                "`--target {}` is chosen while the old image is built",
                shown(target)
            ),
            "build with `--platform`, once for each platform",
        );
    } else if let Some((_, glibc)) = target.split_once("-gnu.").filter(|_| build.zigbuild) {
        draft.lost(
            line,
            &format!("`--target {target}` compiles for glibc {glibc} and later, which no key says"),
            &format!("build with `--target {target}`"),
        );
    } else {
        draft.changed(
            line,
            &format!("the old image's executable is compiled for `{target}`, which no key says"),
            &format!("build with `--target {target}`, or with `--platform`"),
        );
    }
}
