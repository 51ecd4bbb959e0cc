//! How the service is compiled, and what its build has around it.

use std::collections::{BTreeMap, BTreeSet};

use super::choice::Chosen;
use super::flags;
use crate::adopt::dockerfile::{
    Action, Build, OtherFeatures, Stage, base_image, commands, is_rustflags, lineage,
};
use crate::adopt::layers::{Origin, Packages, installed, is_pattern};
use crate::adopt::manifest::Draft;
use crate::adopt::paths::name;
use crate::adopt::remark::list;
use crate::adopt::shell::Ran;
use crate::cargo::Profile;

/// What the last `cargo build` says.
pub(super) fn adopt(
    chosen: &Chosen,
    stages: &[Stage],
    stage: usize,
    profiles: Option<&BTreeMap<String, Profile>>,
    draft: &mut Draft<'_>,
) {
    let origin = chosen.placed.as_ref().map(|placed| &placed.origin);
    let output = origin.map_or("", Origin::path);
    let default = Build::default();
    let build = chosen.build.as_ref().unwrap_or(&default);
    let line = build.line;
    let profile = profile_of(output).or_else(|| build.profile.clone());
    if let Some(profile) = profile.as_deref() {
        if profiles.is_none_or(|known| known.contains_key(profile)) {
            draft.set(line, "profile", profile);
        } else {
            draft.lost(
                line,
                &format!("nothing in the workspace defines the profile `{profile}`: it is not proposed"),
                &format!("add `[profile.{profile}]` to the workspace's `Cargo.toml`, and set `profile = \"{profile}\"`"),
            );
        }
    }
    match build.others {
        Some(OtherFeatures::All) => draft.lost(
            line,
            "`--all-features` belongs on the command line",
            "list the features in `features`",
        ),
        Some(OtherFeatures::NoDefault) => {
            draft.set(line, "no-default-features", true);
        }
        None => {}
    }
    let package = draft.package();
    let own = |name: &&String| name.contains('/') || package.features.contains_key(*name);
    let (known, unknown): (Vec<&String>, Vec<&String>) = build.features.iter().partition(own);
    for name in unknown {
        draft.lost(
            line,
            &format!("package `{}` has no feature `{name}`", package.name),
            "look at what the Dockerfile compiles",
        );
    }
    let features = known.into_iter().map(|name| (line, name.as_str()));
    draft.list("features", features);
    if build.zigbuild {
        draft.set(line, "builder", "zigbuild");
    }
    let target = build.target.as_deref().unwrap_or_default();
    let is_musl = target.contains("musl") || output.contains("-musl/");
    let on_alpine = chosen
        .stage
        .is_some_and(|maker| base_image::is_alpine(base_image::image(stages, maker)));
    let on_nothing = base_image::is_static(base_image::image(stages, stage))
        && !chosen
            .stage
            .is_some_and(|maker| asks_for_libraries(stages, maker));
    if is_musl || build.static_flags || on_alpine || on_nothing {
        draft.set(line, "linkage", "static");
    }
    if is_musl || on_alpine {
        draft.changed(
            line,
            "the old image's executable uses musl; `linkage = \"static\"` puts glibc into it",
            "build with `--target` and a musl target to keep musl",
        );
    }
    environment_of_build(chosen, stages, stage, draft);
    packed(stages, stage, draft);
    let profile = profile.as_deref().unwrap_or("release");
    let known = profiles.and_then(|known| known.get(profile));
    if !known.is_some_and(|profile| profile.strips) {
        stripped(chosen, stages, stage, profile, draft);
    }
}

/// Whether a stage asks which libraries an executable links, as one does that brings them along.
fn asks_for_libraries(stages: &[Stage], stage: usize) -> bool {
    commands(stages, stage).any(|(_, ran)| {
        let mut words = ran.words.iter();
        words.next().is_some_and(|program| name(program) == "ldd")
            || words.any(|word| word.contains("$(ldd ") || word.contains("`ldd "))
    })
}

/// `release` of `/app/target/x86_64-unknown-linux-gnu/release/orders`.
fn profile_of(built: &str) -> Option<String> {
    let inside = built.split_once("target/")?.1;
    let directory = inside.rsplit('/').nth(1)?;
    match directory {
        "debug" => Some("dev".to_owned()),
        name if name.contains(['$', '-']) && name.contains("linux") => None,
        name => Some(name.to_owned()),
    }
}

/// Variables and packages of the stage that compiles, which this program does not see.
fn environment_of_build(chosen: &Chosen, stages: &[Stage], last: usize, draft: &mut Draft<'_>) {
    const USUAL: &[&str] = &[
        "PATH",
        "HOME",
        "LANG",
        "LC_ALL",
        "DEBIAN_FRONTEND",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "CARGO_TERM_COLOR",
        "CARGO_INCREMENTAL",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET",
        "CARGO_NET_RETRY",
        "RUST_VERSION",
        "RUST_BACKTRACE",
    ];
    let Some(maker) = chosen.stage else { return };
    let Some(stage) = stages.get(maker) else {
        return;
    };
    let default = Build::default();
    let build = chosen.build.as_ref().unwrap_or(&default);
    flags::adopt(build, &stage.settings, draft);
    let is_last = lineage(stages, last).contains(&maker);
    let all = flags::variables(build, &stage.settings);
    let is_own = |name: &str| {
        build
            .variables
            .iter()
            .any(|word| word.split('=').next() == Some(name))
    };
    let seen = all.iter().filter(|(name, _)| {
        !USUAL.contains(&name.as_str())
            && !is_rustflags(name)
            && !flags::is_told(name)
            && (!is_last || is_own(name))
    });
    let seen: Vec<(&String, usize)> = seen.map(|(name, (line, _))| (name, *line)).collect();
    if let Some((_, line)) = seen.first() {
        let names: Vec<String> = seen.iter().map(|(name, _)| (*name).clone()).collect();
        draft.changed(
            *line,
            &format!("the build sees {} in its environment", list(&names)),
            "set it where `cargo lighter build` runs, or in `[env]` of `.cargo/config.toml`",
        );
    }
    packages(stages, maker, draft);
}

/// What is installed where it is compiled.
fn packages(stages: &[Stage], maker: usize, draft: &mut Draft<'_>) {
    let mut packages = BTreeSet::new();
    let mut first = None;
    for (line, ran) in commands(stages, maker) {
        let before = packages.len();
        packages.extend(installed(&ran.words).into_iter().flatten());
        if packages.len() > before {
            first.get_or_insert(line);
        }
    }
    let sorted = Packages::sort(packages);
    let names: Vec<String> = sorted.libraries.into_iter().chain(sorted.others).collect();
    if let Some(line) = first.filter(|_| !names.is_empty()) {
        draft.changed(
            line,
            &format!("the build is given {}", list(&names)),
            "have what it needs of these where `cargo lighter build` runs",
        );
    }
}

/// What makes the executable smaller after it was compiled.
fn packed(stages: &[Stage], last: usize, draft: &mut Draft<'_>) {
    let steps = stages.iter().take(last + 1).flat_map(|stage| &stage.steps);
    for step in steps {
        if let Action::Run { commands } = &step.action
            && commands.iter().any(|ran| is_upx(&ran.words))
        {
            draft.changed(
                step.line,
                "`upx` packs the old image's executable: the new one is as cargo makes it",
                "layers are compressed; `strip = true` and `lto = true` in the profile make it smaller",
            );
        }
    }
}

fn is_upx(words: &[String]) -> bool {
    words.first().is_some_and(|program| name(program) == "upx")
}

/// What takes symbols out of it.
fn stripped(chosen: &Chosen, stages: &[Stage], last: usize, profile: &str, draft: &mut Draft<'_>) {
    let called = chosen.placed.as_ref().map(|placed| name(&placed.path));
    let binary = chosen.service.binary.as_str();
    let is_it = |file: &&String| {
        name(file) == binary || Some(name(file)) == called || is_pattern(file) || file.contains('$')
    };
    let steps = stages.iter().take(last + 1).flat_map(|stage| &stage.steps);
    for step in steps {
        let Action::Run { commands } = &step.action else {
            continue;
        };
        let strips = |ran: &Ran| {
            let mut words = ran.words.iter();
            let program = words.next().map_or("", |program| name(program));
            (program == "strip" || program.ends_with("-strip")) && words.any(|word| is_it(&word))
        };
        if commands.iter().any(strips) {
            draft.changed(
                step.line,
                "`strip` takes symbols out of the old image's executable: the new one is as cargo makes it",
                &format!("`strip = true` below `[profile.{profile}]` in the workspace's `Cargo.toml` takes them out"),
            );
        }
    }
}
