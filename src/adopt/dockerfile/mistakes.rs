//! What the parser takes and docker refuses, by the rules of Dockerfile's reference. Values may be secrets,
//! and are not told.

use parse_dockerfile::{Command, Flag, HealthcheckArguments, Instruction, JsonOrStringArray};

use super::expansion::split;
use crate::hint::{near_names, quoted_list};

/// Flags with a value, and those that may stand without one, by instruction.
const FLAGS: &[(&str, &[&str], &[&str])] = &[
    ("FROM", &["platform"], &[]),
    ("RUN", &["mount", "network", "security", "device"], &[]),
    (
        "COPY",
        &["from", "chown", "chmod", "exclude"],
        &["link", "parents"],
    ),
    (
        "ADD",
        &["chown", "chmod", "checksum", "exclude"],
        &["link", "keep-git-dir", "unpack"],
    ),
    (
        "HEALTHCHECK",
        &[
            "interval",
            "timeout",
            "start-period",
            "start-interval",
            "retries",
        ],
        &[],
    ),
];

/// Lengths in seconds, those first that others begin with.
const UNITS: &[(&str, f64)] = &[
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("μs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// What docker says against an instruction.
pub(super) struct Mistake {
    pub(super) message: String,
    pub(super) hint: String,
}

impl Mistake {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// The first mistake of an instruction that the parser took.
pub(super) fn mistake(instruction: &Instruction<'_>, escape: char) -> Option<Mistake> {
    match instruction {
        Instruction::From(from) => flags("FROM", &from.options),
        Instruction::Run(run) => flags("RUN", &run.options),
        Instruction::Copy(copy) => flags("COPY", &copy.options),
        Instruction::Add(add) => flags("ADD", &add.options),
        Instruction::Env(env) => pairs("ENV", &env.arguments.value, escape),
        Instruction::Label(label) => pairs("LABEL", &label.arguments.value, escape),
        Instruction::Volume(volume) => volumes(&volume.arguments),
        Instruction::Healthcheck(check) => {
            let command = match &check.arguments {
                HealthcheckArguments::Cmd { arguments, .. } => without_command(arguments),
                _ => None,
            };
            let options = || check.options.iter().find_map(how_often);
            flags("HEALTHCHECK", &check.options)
                .or_else(options)
                .or(command)
        }
        Instruction::Onbuild(onbuild) => {
            let inner = match onbuild.instruction.as_ref() {
                Instruction::From(_) => "FROM",
                Instruction::Maintainer(_) => "MAINTAINER",
                Instruction::Onbuild(_) => "ONBUILD",
                _ => return None,
            };
            Some(Mistake::new(
                format!("`ONBUILD` takes no `{inner}`"),
                format!("take `ONBUILD` away from `{inner}`, or leave out the line"),
            ))
        }
        _ => None,
    }
}

/// `ENV A=1 B`, `ENV A`, `ENV =x`: names and values come in pairs.
fn pairs(instruction: &str, text: &str, escape: char) -> Option<Mistake> {
    let words = split(text, escape);
    let (first, others) = words.split_first()?;
    if !first.contains('=') {
        return others.is_empty().then(|| {
            Mistake::new(
                format!("`{instruction} {first}` gives no value"),
                format!("write `{instruction} {first}=…`"),
            )
        });
    }
    let mut before = "";
    for word in &words {
        match word.split_once('=') {
            Some(("", _)) => {
                return Some(Mistake::new(
                    format!("`{instruction}` has a value without a name"),
                    format!("write `{instruction} NAME=…`"),
                ));
            }
            Some((name, _)) => before = name,
            None => {
                return Some(Mistake::new(
                    format!(
                        "`{instruction}` has a word without `=` behind the value of `{before}`"
                    ),
                    format!("put a value with blanks into double quotes: `{before}=\"…\"`"),
                ));
            }
        }
    }
    None
}

fn volumes(arguments: &JsonOrStringArray<'_, 1>) -> Option<Mistake> {
    let JsonOrStringArray::Json(words) = arguments else {
        return None;
    };
    let hint = "name a directory, such as `VOLUME /data`, or leave out the line";
    if words.value.is_empty() {
        return Some(Mistake::new("`VOLUME` names no directory", hint));
    }
    let mut words = words.value.iter();
    words
        .any(|word| word.value.trim().is_empty())
        .then(|| Mistake::new("`VOLUME` names an empty path", hint))
}

fn without_command(command: &Command<'_>) -> Option<Mistake> {
    let is_empty = match command {
        Command::Exec(words) => words.value.is_empty(),
        Command::Shell(text) => text.value.trim().is_empty(),
        _ => false,
    };
    is_empty.then(|| {
        Mistake::new(
            "`HEALTHCHECK CMD` names no command",
            "write the command behind it, or `HEALTHCHECK NONE` for no check",
        )
    })
}

/// A flag that the instruction has not, or one without its value.
fn flags(instruction: &str, options: &[Flag<'_>]) -> Option<Mistake> {
    let (_, valued, plain) = FLAGS.iter().find(|(known, ..)| *known == instruction)?;
    options.iter().find_map(|flag| {
        let name = flag.name.value.as_ref();
        if name.is_empty() || plain.contains(&name) {
            return None;
        }
        if valued.contains(&name) {
            return flag.value.is_none().then(|| {
                Mistake::new(
                    format!("`{instruction} --{name}` has no value"),
                    format!("write `--{name}=…`, without blanks"),
                )
            });
        }
        let all = || valued.iter().chain(*plain).copied();
        let near = near_names(name, all());
        let hint = if let Some(near) = near.first() {
            format!("did you mean `--{near}`?")
        } else {
            let all: Vec<String> = all().map(|known| format!("--{known}")).collect();
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            format!("it has {}", quoted_list(&all).replace(" or ", " and "))
        };
        Some(Mistake::new(
            format!("`{instruction}` has no flag `--{name}`"),
            hint,
        ))
    })
}

/// A flag of `HEALTHCHECK` whose value is no duration or no number; nothing is put into these values.
fn how_often(flag: &Flag<'_>) -> Option<Mistake> {
    let name = flag.name.value.as_ref();
    let value = flag.value.as_ref()?.value.as_ref();
    if value.is_empty() {
        return None;
    }
    if name == "retries" {
        let is_number = value.parse::<i32>().is_ok_and(|number| number >= 0);
        return (!is_number).then(|| {
            Mistake::new(
                "`HEALTHCHECK --retries` is no number",
                "write a number, such as `--retries=3`",
            )
        });
    }
    let is_duration = seconds(value).is_some_and(|seconds| seconds <= 0.0 || seconds >= 1e-3);
    (!is_duration).then(|| {
        Mistake::new(
            format!("`HEALTHCHECK --{name}` is no duration of a millisecond or more"),
            format!("write one such as `--{name}=30s` or `--{name}=1m30s`"),
        )
    })
}

/// A duration as Go writes them.
fn seconds(text: &str) -> Option<f64> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(0.0);
    }
    let mut all = 0.0;
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let number: f64 = number.parse().ok()?;
        let (unit, length) = UNITS.iter().find(|(unit, _)| after.starts_with(unit))?;
        all += number * length;
        rest = after.get(unit.len()..).unwrap_or_default();
        if rest.is_empty() {
            return Some(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for (text, expected) in [
            ("30s", Some(30.0)),
            ("1m30s", Some(90.0)),
            ("1.5h", Some(5400.0)),
            ("+.5s", Some(0.5)),
            ("0", Some(0.0)),
            ("0s", Some(0.0)),
            ("250ms", Some(0.25)),
            ("30", None),
            ("-1s", None),
            ("s", None),
            (".s", None),
            ("1.2.3s", None),
            ("1d", None),
            ("$X", None),
            ("", None),
            ("+", None),
            ("1s ", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_duration_or_none(text in "[-+0-9.a-zµ ]{0,20}") {
            let _ = seconds(&text);
        }
    }
}
