//! Findings as text and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::Finding;
use crate::hint::System;
use crate::report::printable_lines;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    system: Option<&'static str>,
    services: &'a [String],
    findings: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    what: &'a str,
    because: Option<&'a str>,
    services: &'a [String],
    commands: BTreeMap<&'static str, &'a str>,
    hint: Option<&'a str>,
}

/// Findings for people: each with what mends it here, or with `everywhere` on all systems.
pub fn to_text(
    findings: &[Finding],
    services: &[String],
    system: Option<System>,
    everywhere: bool,
) -> String {
    let mut text = String::new();
    for finding in findings {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", finding.what);
        if let Some(because) = &finding.because {
            let _ = writeln!(text, "  because  {because}");
        }
        let names = if finding.services.is_empty() {
            "all services".to_owned()
        } else {
            finding.services.join(", ")
        };
        let _ = writeln!(text, "  for      {names}");
        let system = system.filter(|_| !everywhere);
        for remedy in finding.remedies(system) {
            let _ = writeln!(text, "  mend     {remedy}");
        }
    }
    if findings.is_empty() {
        let _ = writeln!(text, "nothing is missing for {}", count(services.len()));
    }
    printable_lines(&text)
}

fn count(services: usize) -> String {
    match services {
        1 => "1 service".to_owned(),
        many => format!("{many} services"),
    }
}

/// Findings as one document, with what mends them on every system.
///
/// # Errors
/// Never for findings of ours; serde's types say it could.
pub fn to_json(
    findings: &[Finding],
    services: &[String],
    system: Option<System>,
) -> Result<String, serde_json::Error> {
    let rows = findings.iter().map(|finding| Row {
        what: &finding.what,
        because: finding.because.as_deref(),
        services: &finding.services,
        commands: finding
            .commands
            .iter()
            .map(|(system, command)| (system.name(), command.as_str()))
            .collect(),
        hint: finding.hint.as_deref(),
    });
    serde_json::to_string(&Document {
        version: 1,
        system: system.map(System::name),
        services,
        findings: rows.collect(),
    })
}
