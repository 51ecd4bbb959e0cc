//! `completions`: what a shell needs to complete command lines.

use clap::Args;
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
    let mut script = Vec::new();
    let mut command = arguments::of_program();
    let name = command.get_name().to_owned();
    let shell = Shell::from(arguments.shell);
    clap_complete::generate(shell, &mut command, name, &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Bash {
        // clap_complete 4.6 writes the hyphen of a program's name in two ways, and so finds no flags of
        // its commands.
        script = script.replace("cargo__subcmd__lighter", "cargo__lighter");
    }
    let printed = context.console.data(&script);
    printed.map_err(|error| Failure::failed(StreamError(error)))?;
    Ok(Exit::Success)
}
