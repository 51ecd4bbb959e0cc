//! `man`: a manual page for each command.

use std::io;
use std::path::PathBuf;

use clap::Args;
use clap::{ArgAction, Command};
use clap_mangen::Man;

use crate::cli::arguments;
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, StreamError};
use crate::fs::write_atomic;

/// What `--help` shows last.
const EXAMPLES: &str = "Examples:
  Read the page of the program:
    cargo lighter man | man -l -
  Put a page of each command where `man` finds it:
    cargo lighter man --out ~/.local/share/man/man1";

/// Print the manual page of the program, or write one for each command
///
/// The pages are called `cargo-lighter.1`, `cargo-lighter-build.1` and so on, and say what `--help` says.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// Write the page of every command into this directory, which is made if it is not there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let failed = |error: io::Error| Failure::failed(StreamError(error));
    // A page about `help` would say nothing.
    let mut program = arguments::of_program().disable_help_subcommand(true);
    program.build();
    let Some(out) = &arguments.out else {
        let page = page(&program).map_err(failed)?;
        let page = String::from_utf8_lossy(&page);
        context.console.data(&page).map_err(failed)?;
        return Ok(Exit::Success);
    };
    let directory = context.environment.resolve(out);
    fs_err::create_dir_all(&directory).map_err(failed)?;
    for command in with_subcommands(&program) {
        let name = format!("{}.1", title(command));
        let page = page(command).map_err(failed)?;
        write_atomic(&directory.join(&name), &page).map_err(failed)?;
        let line = format!("{}\n", out.join(&name).display());
        context.console.data(&line).map_err(failed)?;
    }
    Ok(Exit::Success)
}

/// A command and all below it.
fn with_subcommands(command: &Command) -> Vec<&Command> {
    let below = command.get_subcommands().flat_map(with_subcommands);
    std::iter::once(command).chain(below).collect()
}

fn title(command: &Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

/// One page. What clap calls "after help" is filled like prose by its own renderer, which examples must
/// not be.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone())
        .title(title(command))
        // An argument that is empty and not quoted is none, and the next one would be the date.
        .date("\"\"")
        .source(format!("cargo-lighter {}", env!("CARGO_PKG_VERSION")))
        .manual("cargo lighter");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    let mut synopsis = Vec::new();
    man.render_synopsis_section(&mut synopsis)?;
    page.extend_from_slice(with_values(&String::from_utf8_lossy(&synopsis), command).as_bytes());
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(text) = command.get_after_help() {
        page.extend_from_slice(examples(&text.to_string()).as_bytes());
    }
    Ok(page)
}

/// The synopsis with the values of flags, which clap's renderer leaves out.
fn with_values(synopsis: &str, command: &Command) -> String {
    let mut synopsis = synopsis.to_owned();
    for argument in command.get_arguments() {
        let names = argument.get_value_names().unwrap_or_default();
        let (Some(long), true) = (argument.get_long(), argument.get_action().takes_values()) else {
            continue;
        };
        let names: Vec<String> = names.iter().map(|name| format!("<{name}>")).collect();
        let escaped = |text: &str| text.replace('-', "\\-");
        let flag = format!("\\fB{}\\fR", escaped(&format!("--{long}")));
        let whole = format!("{flag} \\fI{}\\fR", escaped(&names.join(" ")));
        if matches!(argument.get_action(), ArgAction::Append) {
            synopsis = synopsis.replace(&format!("{flag}]"), &format!("{whole}]..."));
        } else {
            synopsis = synopsis.replace(&flag, &whole);
        }
    }
    synopsis
}

/// The text as it is, line by line, in a section of its own.
fn examples(text: &str) -> String {
    let mut section = ".SH EXAMPLES\n.nf\n".to_owned();
    let text = text.strip_prefix("Examples:\n").unwrap_or(text);
    for line in text.lines() {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        // A dot or quote in front would be a request.
        if line.starts_with(['.', '\'']) {
            section.push_str("\\&");
        }
        section.push_str(&line);
        section.push('\n');
    }
    section + ".fi\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synopsis_has_the_values_of_flags() {
        let mut program = arguments::of_program();
        program.build();
        let inspect = program.find_subcommand("inspect").expect("there");
        let page = page(inspect).expect("rendered");
        let page = String::from_utf8_lossy(&page);
        for part in [
            r"[\fB\-\-against\fR \fI<IMAGE>\fR] ",
            r"[\fB\-\-verify\fR] ",
            r"[\fB\-\-insecure\-registry\fR \fI<HOST>\fR]... ",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let split = program.find_subcommand("split").expect("there");
        let page = super::page(split).expect("rendered");
        let page = String::from_utf8_lossy(&page);
        assert!(page.contains(r"\fB\-\-out\fR \fI<"), "{page}");
    }

    #[test]
    fn examples_are_no_requests() {
        let section = examples("Examples:\n  a -b \\c\n.d\n'e");
        assert_eq!(
            section,
            ".SH EXAMPLES\n.nf\n  a \\-b \\ec\n\\&.d\n\\&'e\n.fi\n"
        );
    }
}
