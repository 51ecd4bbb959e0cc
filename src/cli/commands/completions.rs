//! `completions`: what a shell needs to complete command lines.

use std::fmt::Write as _;

use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, Args, Command};
use clap_complete::Shell;

use crate::cli::arguments;
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, StreamError};

/// What `--help` shows last.
const EXAMPLES: &str = "Examples:
  bash, in ~/.bashrc:
    source <(cargo lighter completions bash)
  zsh, into a directory of your fpath:
    cargo lighter completions zsh > ~/.zfunc/_cargo-lighter
  fish, in ~/.config/fish/config.fish:
    cargo lighter completions fish | source
  PowerShell, in your profile:
    cargo lighter completions powershell | Out-String | Invoke-Expression";

/// Print a script that completes commands and flags in your shell
///
/// It completes the program's own name: `cargo-lighter bu<TAB>`. What follows `cargo` is completed by
/// cargo's own script, which knows the names of installed commands, but not their flags.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Named,
}

/// Shells by the names people know them by; `clap_complete` has one more that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Named {
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell", alias = "pwsh")]
    PowerShell,
}

impl From<Named> for Shell {
    fn from(named: Named) -> Self {
        match named {
            Named::Bash => Self::Bash,
            Named::Zsh => Self::Zsh,
            Named::Fish => Self::Fish,
            Named::PowerShell => Self::PowerShell,
        }
    }
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let printed = context.console.data(&script(arguments.shell.into()));
    printed.map_err(|error| Failure::failed(StreamError(error)))?;
    Ok(Exit::Success)
}

fn script(shell: Shell) -> String {
    let mut program = with_short_help(arguments::of_program());
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, name, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        // clap_complete 4.6 writes the hyphen of a program's name in two ways, and so finds no flags of
        // its commands.
        Shell::Bash => script.replace("cargo__subcmd__lighter", "cargo__lighter"),
        Shell::Fish => of_fish(&script, &program),
        _ => script,
    }
}

/// What clap says of `--help` sends those who read it there to `--help`.
fn with_short_help(command: Command) -> Command {
    let help = Arg::new("help")
        .short('h')
        .long("help")
        .help("Print help")
        .action(ArgAction::Help);
    command
        .disable_help_flag(true)
        .arg(help)
        .mut_subcommands(with_short_help)
}

/// `clap_complete` 4.6 offers nothing behind `help`, because that is one of the commands that must not be there
/// yet, and no words for arguments without a flag.
fn of_fish(script: &str, program: &Command) -> String {
    const BEHIND: &str = "__fish_cargo_lighter_using_subcommand";
    let of_help = format!("{BEHIND} help; and not ");
    let mut mended = String::new();
    for line in script.lines() {
        let line = if line.contains(&of_help) {
            line.replacen(" help\" -f", "\" -f", 1)
        } else {
            line.to_owned()
        };
        mended.push_str(&line);
        mended.push('\n');
    }
    for command in program.get_subcommands() {
        for argument in command.get_positionals() {
            let words = argument.get_possible_values();
            let words: Vec<&str> = words.iter().map(PossibleValue::get_name).collect();
            if !words.is_empty() {
                let (command, words) = (command.get_name(), words.join(" "));
                // Writing to a string cannot fail.
                let _ = writeln!(
                    mended,
                    "complete -c cargo-lighter -n \"{BEHIND} {command}; and not \
                     __fish_seen_subcommand_from {words}\" -f -a \"{words}\""
                );
            }
        }
    }
    mended
}
