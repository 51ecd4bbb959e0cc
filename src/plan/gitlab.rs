//! A plan as a child pipeline of GitLab.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Row;
use crate::template::{Pattern, PatternError};

const PIPELINE: &str = include_str!("../../templates/gitlab/pipeline.yml");
const JOB: &str = include_str!("../../templates/gitlab/job.yml");
const NOTHING: &str = include_str!("../../templates/gitlab/nothing.yml");

/// A whole pipeline in YAML: one job for each service, which runs `cargo lighter push FLAGS SERVICE`.
/// Without services it has one job that says so, because an empty pipeline is an error.
///
/// Images, runners and variables are left to whoever includes it; the first lines of the pipeline say
/// how.
///
/// # Errors
/// [`PatternError`] never for the templates that are built in; rendering is fallible by its type.
pub fn gitlab_pipeline(rows: &[Row], flags: &[String]) -> Result<String, PatternError> {
    let job = Pattern::parse(JOB, &["name", "command"])?;
    let mut jobs = String::new();
    let mut seen = BTreeSet::new();
    // A service of several platforms is one push.
    for row in rows.iter().filter(|row| seen.insert(&row.service)) {
        let words = ["cargo", "lighter", "push"].into_iter();
        let words = words.chain(flags.iter().map(String::as_str));
        let command: Vec<String> = words
            .chain([row.service.as_str()])
            .map(shell_word)
            .collect();
        // The prefix keeps names of services off GitLab's keywords and hidden jobs.
        let values = BTreeMap::from([
            ("name", yaml_text(&format!("push {}", row.service))),
            ("command", yaml_text(&command.join(" "))),
        ]);
        jobs.push_str(&job.render(&values)?);
    }
    if jobs.is_empty() {
        jobs = Pattern::parse(NOTHING, &[])?.render(&BTreeMap::new())?;
    }
    let values = BTreeMap::from([("jobs", jobs.trim_end().to_owned())]);
    Pattern::parse(PIPELINE, &["jobs"])?.render(&values)
}

/// A double-quoted scalar (YAML 1.2, section 7.3.1), all that is not plain ASCII escaped.
fn yaml_text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        // Writing to a string cannot fail.
        let _ = match (c, u32::from(c)) {
            ('"' | '\\', _) => write!(quoted, "\\{c}"),
            (' '..='~', _) => write!(quoted, "{c}"),
            (_, code @ ..=0xff) => write!(quoted, "\\x{code:02x}"),
            (_, code @ ..=0xffff) => write!(quoted, "\\u{code:04x}"),
            (_, code) => write!(quoted, "\\U{code:08x}"),
        };
    }
    quoted.push('"');
    quoted
}

/// A word of a POSIX shell's command line.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pipeline(rows: &[Row], flags: &[&str]) -> String {
        let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        gitlab_pipeline(rows, &flags).expect("built in")
    }

    /// What comes after the comments.
    fn body(text: &str) -> &str {
        let start = text.find("\n.").expect("a job of templates") + 1;
        &text[start..]
    }

    /// The value of a double-quoted scalar, read by the specification's rules for the escapes we write.
    fn unquoted(scalar: &str) -> Option<String> {
        let mut rest = scalar.strip_prefix('"')?.strip_suffix('"')?.chars();
        let mut text = String::new();
        while let Some(c) = rest.next() {
            if c != '\\' {
                (c != '"' && (' '..='~').contains(&c)).then(|| text.push(c))?;
                continue;
            }
            let length = match rest.next()? {
                c @ ('"' | '\\') => {
                    text.push(c);
                    continue;
                }
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ => return None,
            };
            let digits: String = rest.by_ref().take(length).collect();
            text.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
        }
        Some(text)
    }

    #[test]
    fn a_service_is_a_job() {
        let rows = [
            Row::named("orders"),
            Row::named("image"),
            Row::named("orders"),
        ];
        let text = pipeline(&rows, &["--platform", "linux/arm64"]);
        assert_eq!(
            body(&text),
            ".cargo-lighter:\n  stage: build\n\n\
             \"push orders\":\n  extends: .cargo-lighter\n  script:\n    \
             - \"cargo lighter push --platform linux/arm64 orders\"\n\n\
             \"push image\":\n  extends: .cargo-lighter\n  script:\n    \
             - \"cargo lighter push --platform linux/arm64 image\"\n"
        );
        assert!(text.starts_with('#'));
    }

    #[test]
    fn without_services_a_job_says_so() {
        let text = pipeline(&[], &[]);
        assert!(text.contains("\n\"nothing to push\":\n"));
        assert!(text.contains("no service is affected"));
        assert!(!text.contains("cargo lighter push"));
    }

    #[test]
    fn odd_names_stay_names() {
        let text = pipeline(&[Row::named("a'b: #\n$(x)\"{jobs}")], &[]);
        assert!(text.contains(r#""push a'b: #\x0a$(x)\"{jobs}":"#), "{text}");
        let command = r#"    - "cargo lighter push 'a'\\''b: #\x0a$(x)\"{jobs}'""#;
        assert!(text.contains(command), "{text}");
    }

    proptest! {
        #[test]
        fn quoting_loses_nothing(text in any::<String>()) {
            let quoted = yaml_text(&text);
            prop_assert!(quoted.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(unquoted(&quoted), Some(text));
        }

        #[test]
        fn any_name_is_one_job(service in any::<String>()) {
            let text = pipeline(&[Row::named(&service)], &[]);
            let lines: Vec<&str> = body(&text).lines().collect();
            prop_assert_eq!(lines.len(), 7);
            let name = lines[3].strip_suffix(':').and_then(unquoted);
            prop_assert_eq!(name, Some(format!("push {service}")));
            let command = lines[6].strip_prefix("    - ").and_then(unquoted);
            prop_assert_eq!(command, Some(format!("cargo lighter push {}", shell_word(&service))));
        }
    }
}
