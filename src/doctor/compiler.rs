//! C compilers, by the names that the crate `cc` tries.

use super::finding::Finding;
use crate::compile::{Remedy, cross_compiler};
use crate::process::Environment;

/// A C compiler that is not there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Absent {
    /// The program.
    name: String,
    /// The variable that names it.
    variable: Option<String>,
}

/// The C compiler that `cc` would run for `target` on `host`, if it is not there.
pub(super) fn missing(environment: &Environment, host: &str, target: &str) -> Option<Absent> {
    let (variable, command) = match told(environment, host, target) {
        Some((variable, command)) => (Some(variable), command),
        None => (None, default(host, target)),
    };
    // A wrapper such as ccache stands before the compiler.
    let mut words = command.split_whitespace();
    let name = words.find(|word| !word.starts_with('-') && !is_there(environment, word))?;
    Some(Absent {
        name: name.to_owned(),
        variable,
    })
}

fn is_there(environment: &Environment, name: &str) -> bool {
    environment.find_program(name).is_some()
}

/// What the environment says, and by which variable, in the order in which `cc` asks.
fn told(environment: &Environment, host: &str, target: &str) -> Option<(String, String)> {
    let kind = if host == target { "HOST" } else { "TARGET" };
    [
        format!("CC_{target}"),
        format!("CC_{}", target.replace(['-', '.'], "_")),
        format!("{kind}_CC"),
        "CC".to_owned(),
    ]
    .into_iter()
    .find_map(|name| {
        let command = environment.get(&name)?.to_owned();
        Some((name, command))
    })
}

fn default(host: &str, target: &str) -> String {
    if host == target {
        return "cc".to_owned();
    }
    match processor(target) {
        "" => "cc".to_owned(),
        _ if target.contains("-musl") && processor(host) == processor(target) => {
            "musl-gcc".to_owned()
        }
        _ if processor(host) == processor(target) && host.contains("-linux-") => "cc".to_owned(),
        _ => cross_compiler(target),
    }
}

fn processor(triple: &str) -> &str {
    triple.split('-').next().unwrap_or_default()
}

/// That the compiler is missing, with the packages that have it.
pub(super) fn finding(absent: &Absent, target: &str) -> Finding {
    let name = &absent.name;
    let what = format!("no C compiler for `{target}`: `{name}` is not on PATH");
    let other = absent.variable.as_ref();
    let other =
        other.map(|variable| format!("name one that is there in `{variable}`, or unset it"));
    install(Finding::new(what), name, target, other)
}

/// `finding` with what brings the compiler or linker `name`, and how `other` ones are named.
pub(super) fn install(
    finding: Finding,
    name: &str,
    target: &str,
    other: Option<String>,
) -> Finding {
    let remedy = Remedy::of(name, target);
    let hints: Vec<String> = other.into_iter().chain(remedy.instead()).collect();
    let hint = (!hints.is_empty()).then(|| hints.join("; or, "));
    finding.commands(remedy.commands()).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const X86: &str = "x86_64-unknown-linux-gnu";

    fn missing_with(target: &str, variables: &[(&str, &str)]) -> Option<Absent> {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        missing(&Environment::new("/", variables), X86, target)
    }

    #[test]
    fn compilers_have_the_names_that_cc_tries() {
        for (target, name) in [
            (X86, "cc"),
            ("x86_64-unknown-linux-musl", "musl-gcc"),
            ("aarch64-unknown-linux-gnu", "aarch64-linux-gnu-gcc"),
            ("aarch64-unknown-linux-musl", "aarch64-linux-musl-gcc"),
            ("armv7-unknown-linux-gnueabihf", "arm-linux-gnueabihf-gcc"),
            ("riscv64gc-unknown-linux-gnu", "riscv64-linux-gnu-gcc"),
        ] {
            let missing = missing_with(target, &[]).expect("it is not there");
            assert_eq!((missing.name.as_str(), missing.variable), (name, None));
        }
    }

    #[test]
    fn variables_name_another_compiler_the_nearest_first() {
        let all = [
            ("CC", "one"),
            ("TARGET_CC", "two"),
            ("CC_aarch64_unknown_linux_gnu", "three"),
            ("CC_aarch64-unknown-linux-gnu", "four -O"),
        ];
        for (count, name) in [(1, "one"), (2, "two"), (3, "three"), (4, "four")] {
            let found = missing_with("aarch64-unknown-linux-gnu", &all[..count]);
            let found = found.expect("it is not there");
            assert_eq!(found.name, name);
            assert_eq!(found.variable.as_deref(), Some(all[count - 1].0));
        }
        let there = [("CC", "env sh -c"), ("PATH", "/usr/bin:/bin")];
        assert_eq!(missing_with(X86, &there), None);
    }
}
