//! How a Dockerfile compiles: the flags of its last `cargo build` or `cargo install`.

use super::stage::{Stage, commands};
use crate::adopt::paths::name;
use crate::adopt::shell::is_setting;

/// Features that are not named one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::adopt) enum OtherFeatures {
    /// `--all-features`.
    All,
    /// `--no-default-features`.
    NoDefault,
}

/// What a command line of cargo asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::adopt) struct Build {
    pub(in crate::adopt) line: usize,
    /// cargo's profile, where the flags say it.
    pub(in crate::adopt) profile: Option<String>,
    pub(in crate::adopt) features: Vec<String>,
    /// `--all-features` or `--no-default-features`, whichever came last.
    pub(in crate::adopt) others: Option<OtherFeatures>,
    pub(in crate::adopt) packages: Vec<String>,
    pub(in crate::adopt) binaries: Vec<String>,
    pub(in crate::adopt) target: Option<String>,
    /// A directory that is installed from.
    pub(in crate::adopt) path: Option<String>,
    pub(in crate::adopt) zigbuild: bool,
    /// Whether it says that the C library is linked statically.
    pub(in crate::adopt) static_flags: bool,
    /// `nightly` of `cargo +nightly`.
    pub(in crate::adopt) toolchain: Option<String>,
    /// Values of `--config`.
    pub(in crate::adopt) configs: Vec<String>,
    /// Values of `-Z`.
    pub(in crate::adopt) unstable: Vec<String>,
    /// What `cargo rustc` gives to the compiler.
    pub(in crate::adopt) compiler_flags: Vec<String>,
    /// Variables that are set for it alone: `NAME=value`.
    pub(in crate::adopt) variables: Vec<String>,
}

/// The last build in a stage, or in those that it is built on.
pub(in crate::adopt) fn last_build(stages: &[Stage], stage: usize) -> Option<Build> {
    let mut build = commands(stages, stage).rev().find_map(|(line, ran)| {
        let mut build = build(&ran.words)?;
        build.line = line;
        build.variables.splice(0..0, ran.settings.iter().cloned());
        Some(build)
    })?;
    let settings = &stages.get(stage)?.settings;
    let lasting = settings
        .env
        .iter()
        .map(|(name, said)| (name.as_str(), said.value.as_str()));
    let own = build
        .variables
        .iter()
        .filter_map(|word| word.split_once('='));
    build.static_flags |= lasting
        .chain(own)
        .any(|(name, value)| is_rustflags(name) && value.contains("+crt-static"));
    let mut own = build.variables.iter().rev();
    let target = own.find_map(|word| word.strip_prefix("CARGO_BUILD_TARGET="));
    if build.target.is_none() {
        build.target = target.map(str::to_owned);
    }
    if build.target.is_none() {
        build.target = settings
            .env
            .get("CARGO_BUILD_TARGET")
            .map(|said| said.value.clone());
    }
    Some(build)
}

/// Whether a variable holds flags of the compiler.
pub(in crate::adopt) fn is_rustflags(name: &str) -> bool {
    name == "RUSTFLAGS" || (name.starts_with("CARGO_") && name.ends_with("_RUSTFLAGS"))
}

/// A command as a build, if it is one.
pub(in crate::adopt) fn build(words: &[String]) -> Option<Build> {
    let mut build = Build::default();
    let (mut program, mut rest) = words.split_first()?;
    if name(program) == "env" {
        let set = rest.iter().take_while(|word| is_setting(word)).count();
        build.variables = rest.get(..set)?.to_vec();
        (program, rest) = rest.get(set..)?.split_first()?;
    }
    if !matches!(name(program), "cargo" | "cross") {
        return None;
    }
    while let Some((flag, after)) = rest.split_first() {
        if let Some(toolchain) = flag.strip_prefix('+') {
            build.toolchain = Some(toolchain.to_owned());
        } else if !flag.starts_with('-') {
            break;
        }
        rest = after;
        if matches!(flag.as_str(), "--config" | "-Z" | "--color" | "-C") {
            let (value, after) = rest.split_first()?;
            build.value(flag, value.clone());
            rest = after;
        } else if let Some((flag, value)) = given(flag) {
            build.value(flag, value);
        }
    }
    let (mut command, mut arguments) = rest.split_first()?;
    if command == "auditable" {
        (command, arguments) = arguments.split_first()?;
    }
    if command == "rustc" {
        let at = arguments.iter().position(|word| word == "--");
        let flags = at.and_then(|at| arguments.get(at + 1..));
        build.compiler_flags = flags.unwrap_or_default().to_vec();
    }
    match command.as_str() {
        "build" | "b" | "rustc" | "run" | "r" => build.profile = Some("dev".to_owned()),
        "install" => build.profile = Some("release".to_owned()),
        "zigbuild" => {
            build.profile = Some("dev".to_owned());
            build.zigbuild = true;
        }
        _ => return None,
    }
    build.flags(arguments);
    Some(build)
}

impl Build {
    fn flags(&mut self, arguments: &[String]) {
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--" {
                break;
            }
            if !argument.starts_with('-') {
                // A variable that nobody knows may hold any flag, such as `--release`.
                if argument.starts_with('$') {
                    self.profile = None;
                }
                continue;
            }
            let (flag, given) = match given(argument) {
                Some((flag, value)) => (flag, Some(value)),
                None => (argument.as_str(), None),
            };
            match flag {
                "--release" | "-r" => self.profile = Some("release".to_owned()),
                "--debug" => self.profile = Some("dev".to_owned()),
                "--all-features" => self.others = Some(OtherFeatures::All),
                "--no-default-features" => self.others = Some(OtherFeatures::NoDefault),
                "--profile" | "--features" | "-F" | "--package" | "-p" | "--bin" | "--target"
                | "--path" | "--config" | "-Z" => {
                    let value = given.or_else(|| arguments.next().cloned());
                    self.value(flag, value.unwrap_or_default());
                }
                _ => {}
            }
        }
    }

    fn value(&mut self, flag: &str, value: String) {
        match flag {
            "--profile" => self.profile = Some(value).filter(|name| !name.contains('$')),
            "--features" | "-F" => {
                let names = value.split([',', ' ']).filter(|name| !name.is_empty());
                self.features.extend(names.map(str::to_owned));
            }
            "--package" | "-p" => {
                // `name@1.2.3` and `path+file:…#name` name a package, too.
                let plain = value.rsplit('#').next().unwrap_or_default();
                let plain = plain.split('@').next().unwrap_or_default();
                self.packages.push(plain.to_owned());
            }
            "--bin" => self.binaries.push(value),
            "--target" => self.target = Some(value),
            "--config" => self.configs.push(value),
            "-Z" => self.unstable.push(value),
            "--path" => self.path = Some(value),
            _ => {}
        }
    }
}

/// `-pNAME` as `-p` and `NAME`, `--bin=NAME` as `--bin` and `NAME`.
fn given(argument: &str) -> Option<(&str, String)> {
    for flag in ["-p", "-F", "-Z"] {
        let value = argument.strip_prefix(flag);
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            return Some((flag, value.trim_start_matches('=').to_owned()));
        }
    }
    let (flag, value) = argument.split_once('=')?;
    flag.starts_with('-').then(|| (flag, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Build> {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        build(&words)
    }

    #[test]
    fn flags_are_read() {
        let found = of(
            "cargo +nightly --locked build --release --bin a -pb@1 --features x,y -F z --target=t",
        )
        .expect("a build");
        let expected = Build {
            profile: Some("release".to_owned()),
            features: ["x", "y", "z"].map(str::to_owned).to_vec(),
            packages: vec!["b".to_owned()],
            binaries: vec!["a".to_owned()],
            target: Some("t".to_owned()),
            toolchain: Some("nightly".to_owned()),
            ..Build::default()
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn other_commands_are_no_builds() {
        assert_eq!(of("cargo chef cook --release"), None);
        assert_eq!(of("make build"), None);
        assert_eq!(of("cargo"), None);
        let profile = |text| of(text).expect("a build").profile;
        assert_eq!(
            profile("cargo install --path ."),
            Some("release".to_owned())
        );
        assert_eq!(profile("cargo auditable build"), Some("dev".to_owned()));
        assert_eq!(profile("cargo build $FLAGS"), None);
    }
}
