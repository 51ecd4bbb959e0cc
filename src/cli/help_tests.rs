//! What `--help` says of every command: enough, true, and not too wide.

use clap::{Command, CommandFactory as _, Parser as _};

use super::arguments::Arguments;

/// What a terminal shows in a line.
const COLUMNS: usize = 80;

#[test]
fn every_command_and_flag_is_told_of_and_every_command_has_an_example() {
    for command in commands() {
        let name = command.get_bin_name().expect("built").to_owned();
        assert!(command.get_about().is_some(), "{name}: no line about it");
        assert!(
            command.get_long_about().is_some(),
            "{name}: no more than a line"
        );
        assert!(!examples(&command).is_empty(), "{name}: no example");
        for argument in command.get_arguments() {
            let id = argument.get_id();
            assert!(argument.get_help().is_some(), "{name}: nothing on `{id}`");
        }
    }
}

#[test]
fn help_fits_a_terminal() {
    for mut command in commands() {
        for help in [command.render_help(), command.render_long_help()] {
            for line in help.to_string().lines() {
                assert!(line.chars().count() <= COLUMNS, "{line}");
            }
        }
    }
}

#[test]
fn examples_can_be_typed() {
    for command in commands() {
        for example in examples(&command) {
            let words = shell_words(&example);
            let parsed =
                Arguments::try_parse_from(["cargo lighter".to_owned()].iter().chain(&words));
            let is_help = words.first().is_some_and(|word| word == "help");
            assert!(
                is_help || parsed.is_ok(),
                "{example}\n{}",
                parsed.expect_err("refused")
            );
            let own = command.get_bin_name().expect("built");
            let own = own
                .strip_prefix("cargo lighter")
                .expect("the program's name");
            let shown: String = words.iter().flat_map(|word| [" ", word]).collect();
            assert!(shown.starts_with(own), "of another command: {example}");
        }
    }
}

/// The program and all of its commands but `help`.
fn commands() -> Vec<Command> {
    fn gather(command: &Command, found: &mut Vec<Command>) {
        found.push(command.clone());
        for below in command.get_subcommands() {
            gather(below, found);
        }
    }
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    let mut found = Vec::new();
    gather(&program, &mut found);
    assert!(found.len() > 10);
    found
}

/// What follows `cargo lighter` in each example.
fn examples(command: &Command) -> Vec<String> {
    let text = command.get_after_help().map(ToString::to_string);
    let text = text.unwrap_or_default();
    let text = text.strip_prefix("Examples:\n").unwrap_or_default();
    let lines = text.lines().filter(|line| line.starts_with("    "));
    lines
        .map(|line| line.split("cargo lighter ").nth(1).expect(line).to_owned())
        .collect()
}

/// Words up to the end of a command; quotes keep what they hold together.
fn shell_words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '|' | '>' | '<' | ';' | ')') => break,
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().expect("one at least").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
