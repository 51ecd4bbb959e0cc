//! What the parser of Dockerfiles does not understand, and what to do about it.

use parse_dockerfile::{Instruction, Keyword};

use crate::adopt::error::AdoptError;
use crate::hint::near_names;
use crate::report::printable;

/// All that begin a line.
const INSTRUCTIONS: &[&str] = &[
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// The parser's error about `text`, with its place in `file`.
pub(super) fn refused(error: &parse_dockerfile::Error, text: &str, file: &str) -> AdoptError {
    let message = error.to_string();
    // The place stands in front of the message already.
    let message = message
        .rsplit_once(" at line ")
        .map_or(message.as_str(), |(message, _)| message);
    let before = error.line().checked_sub(1);
    let line = before.and_then(|before| text.lines().nth(before));
    AdoptError::Syntax {
        // Of what is missing in all of the file, the parser says no line.
        place: place(file, error.line()),
        message: printable(message),
        hint: hint(message, line.unwrap_or_default()),
    }
}

/// A line of a file, as editors take it; 0 stands for all of the file.
pub(super) fn place(file: &str, line: usize) -> String {
    match line {
        0 => printable(file),
        line => printable(&format!("{file}:{line}")),
    }
}

/// The parser tells its errors apart by their texts alone; `line` is the one that an error is about.
fn hint(message: &str, line: &str) -> String {
    let unknown = message
        .strip_prefix("unknown instruction '")
        .and_then(|rest| rest.strip_suffix('\''));
    if let Some(word) = unknown {
        let near = near_names(word, INSTRUCTIONS.iter().copied());
        return match near.first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                "begin each line with an instruction; a line that goes on ends with `\\`".to_owned()
            }
        };
    }
    let text = if message.contains("at least one FROM") {
        "is it a Dockerfile? one has a `FROM` before its other instructions"
    } else if message.contains("here-document") {
        "end it with a line of that word alone"
    } else if line.contains(" #") {
        "put the comment on a line of its own: `#` begins one only where it begins a line"
    } else if message.contains("JSON") {
        "write a list of words in double quotes, such as `SHELL [\"/bin/sh\", \"-c\"]`"
    } else if message.contains("quoted string") {
        "close the quote"
    } else if message.contains("duplicate stage name") {
        "give each stage a name of its own"
    } else if message.contains("argument") {
        "say what belongs behind the instruction; a line that goes on ends with `\\`"
    } else {
        "look at that line and the ones before it; a line that goes on ends with `\\`"
    };
    text.to_owned()
}

/// The word that an instruction begins with; `None` of one that the parser has learnt since.
pub(super) fn keyword<'i>(instruction: &'i Instruction<'_>) -> Option<&'i Keyword> {
    match instruction {
        Instruction::Add(it) => Some(&it.add),
        Instruction::Arg(it) => Some(&it.arg),
        Instruction::Cmd(it) => Some(&it.cmd),
        Instruction::Copy(it) => Some(&it.copy),
        Instruction::Entrypoint(it) => Some(&it.entrypoint),
        Instruction::Env(it) => Some(&it.env),
        Instruction::Expose(it) => Some(&it.expose),
        Instruction::From(it) => Some(&it.from),
        Instruction::Healthcheck(it) => Some(&it.healthcheck),
        Instruction::Label(it) => Some(&it.label),
        Instruction::Maintainer(it) => Some(&it.maintainer),
        Instruction::Onbuild(it) => Some(&it.onbuild),
        Instruction::Run(it) => Some(&it.run),
        Instruction::Shell(it) => Some(&it.shell),
        Instruction::Stopsignal(it) => Some(&it.stopsignal),
        Instruction::User(it) => Some(&it.user),
        Instruction::Volume(it) => Some(&it.volume),
        Instruction::Workdir(it) => Some(&it.workdir),
        _ => None,
    }
}
