//! A Dockerfile whose stages are built on nothing: what its bases, commands and other images would bring
//! is left out, and what a stage makes is a file of the context.

use std::collections::BTreeMap;

/// What buildah can build without a network.
pub(super) struct Old {
    pub(super) text: String,
    /// Files of the context that stand for what stages make.
    pub(super) files: Vec<String>,
}

/// An instruction with the lines it goes on on.
struct Instruction {
    keyword: String,
    words: Vec<String>,
    text: String,
}

/// A stage.
struct Stage {
    name: Option<String>,
    parent: Option<usize>,
    instructions: Vec<Instruction>,
}

pub(super) fn on_scratch(dockerfile: &str) -> Old {
    let escape = if dockerfile.starts_with("# escape=`") {
        '`'
    } else {
        '\\'
    };
    let mut text = String::new();
    let mut arguments = BTreeMap::new();
    let mut stages: Vec<Stage> = Vec::new();
    for instruction in instructions(dockerfile, escape) {
        if instruction.keyword == "ARG"
            && let Some((name, value)) = instruction.words[1].split_once('=')
        {
            arguments.insert(name.to_owned(), value.to_owned());
        }
        match (instruction.keyword.as_str(), stages.last_mut()) {
            ("FROM", _) => stages.push(stage(&instruction, &stages)),
            (_, None) => text.push_str(&instruction.text),
            (_, Some(stage)) => stage.instructions.push(instruction),
        }
    }
    let mut lineage = vec![stages.len() - 1];
    while let Some(parent) = stages[lineage[lineage.len() - 1]].parent {
        lineage.push(parent);
    }
    let mut files = Vec::new();
    for (at, stage) in stages.iter().enumerate() {
        let name = stage.name.as_ref().map(|name| format!(" AS {name}"));
        let name = name.unwrap_or_default();
        if !lineage.contains(&at) {
            let directory = format!("old/{at}/");
            text.extend(["FROM scratch", &name, "\nCOPY ", &directory, " /\n"]);
            files.push(directory + "nothing");
            continue;
        }
        let base = match stage.parent {
            Some(parent) => stages[parent].name.clone().expect("has a name"),
            None => "scratch".to_owned(),
        };
        text.extend(["FROM ", &base, &name, "\n"]);
        for instruction in &stage.instructions {
            let Some(kept) = kept(instruction) else {
                continue;
            };
            text.push_str(&kept);
            files.extend(sources(instruction, &stages, &arguments));
        }
    }
    if escape == '`' {
        // buildah knows the directive where lines go on, and not in values.
        text = text.replace('\\', "\\\\").replace('`', "\\");
    }
    Old { text, files }
}

fn stage(from: &Instruction, earlier: &[Stage]) -> Stage {
    let words: Vec<&String> = from.words[1..]
        .iter()
        .filter(|word| !word.starts_with("--"))
        .collect();
    let name = words.get(2).map(|name| (*name).clone());
    let is_it = |stage: &Stage| stage.name.as_ref() == Some(words[0]);
    Stage {
        name,
        parent: earlier.iter().position(is_it),
        instructions: Vec::new(),
    }
}

/// What is left of an instruction: commands need what bases have, downloads a network, and files an owner
/// that only bases know.
fn kept(instruction: &Instruction) -> Option<String> {
    let is_of_files = matches!(instruction.keyword.as_str(), "COPY" | "ADD");
    let has = |part: &str| instruction.text.contains(part);
    let is_elsewhere = has("https://") || has("--from=ghcr.io/") || has("<<");
    // No signal: nothing builds this.
    let is_refused = has("STOPSIGNAL SIGNOTHING");
    if instruction.keyword == "RUN" || (is_of_files && is_elsewhere) || is_refused {
        return None;
    }
    let owner = instruction
        .words
        .iter()
        .find(|word| word.starts_with("--chown"));
    Some(match owner {
        Some(owner) => instruction.text.replace(&format!("{owner} "), ""),
        None => instruction.text.clone(),
    })
}

/// The files that stand for what a `COPY` takes: of a stage below its number, of the context where it says.
fn sources(
    instruction: &Instruction,
    stages: &[Stage],
    arguments: &BTreeMap<String, String>,
) -> Vec<String> {
    if instruction.keyword != "COPY" || instruction.words[1].starts_with('[') {
        return Vec::new();
    }
    let from = instruction
        .words
        .iter()
        .find_map(|word| word.strip_prefix("--from="));
    let stage = from.map(|from| {
        let by_name = |stage: &Stage| stage.name.as_deref() == Some(from);
        stages
            .iter()
            .position(by_name)
            .or(from.parse().ok())
            .expect("a stage")
    });
    let words = instruction.words[1..]
        .iter()
        .filter(|word| !word.starts_with("--"));
    let words: Vec<String> = words.map(|word| filled(word, arguments)).collect();
    let sources = words[..words.len() - 1].iter();
    match stage {
        Some(stage) => sources
            .map(|source| {
                // Of a directory, what counts is that it has something in it.
                let inside = if source.ends_with('/') { "orders" } else { "" };
                format!("old/{stage}/{}{inside}", source.trim_start_matches('/'))
            })
            .collect(),
        // Those that the shapes name and the workspace has not.
        None => sources
            .filter(|source| matches!(source.as_str(), "missing.toml" | ".env*"))
            .map(|source| source.replace('*', ""))
            .collect(),
    }
}

fn filled(word: &str, arguments: &BTreeMap<String, String>) -> String {
    arguments
        .iter()
        .fold(word.to_owned(), |word, (name, value)| {
            word.replace(&format!("${{{name}}}"), value)
                .replace(&format!("${name}"), value)
        })
}

/// Instructions with what follows them: further lines, comments between these, here-documents.
fn instructions(dockerfile: &str, escape: char) -> Vec<Instruction> {
    let mut found = Vec::new();
    let mut lines = dockerfile.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let mut text = format!("{line}\n");
        let mut goes_on = line.ends_with(escape);
        let mut joined = line.trim_end_matches(escape).to_owned();
        while goes_on {
            let line = lines.next().expect("goes on");
            text.extend([line, "\n"]);
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                continue;
            }
            goes_on = line.ends_with(escape);
            joined.push(' ');
            joined.push_str(line.trim_end_matches(escape));
        }
        for document in joined.split("<<").skip(1) {
            let name = document.split_whitespace().next().expect("a word");
            let name = name.trim_start_matches('-').replace('"', "");
            for line in lines.by_ref() {
                text.extend([line, "\n"]);
                if line.trim() == name {
                    break;
                }
            }
        }
        let words: Vec<String> = joined.split_whitespace().map(str::to_owned).collect();
        found.push(Instruction {
            keyword: words[0].to_uppercase(),
            words,
            text,
        });
    }
    found
}
