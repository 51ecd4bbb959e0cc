//! What explains the program: help through cargo, completions, manual pages.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::cli::Lighter;
use crate::support::tools::skipped;

/// As typed; what `help` lists is compared with it.
pub(crate) const COMMANDS: &[&str] = &[
    "list",
    "plan",
    "split",
    "deps",
    "build",
    "push",
    "inspect",
    "adopt",
    "doctor",
    "auth",
    "login",
    "logout",
    "completions",
    "man",
];

#[test]
fn cargo_help_shows_the_whole_help() {
    let own = Lighter::at("/").args(["--help"]).run().expect(0);
    let binary = Path::new(env!("CARGO_BIN_EXE_cargo-lighter"));
    let directory = binary.parent().expect("a directory");
    let through_cargo = Lighter::at("/")
        .args(["help", "lighter"])
        .first_on_path(directory)
        .run_program("cargo")
        .expect(0);
    assert_eq!(through_cargo.stdout, own.stdout);
    for command in COMMANDS {
        assert!(own.stdout.contains(&format!("\n  {command} ")), "{command}");
    }
    assert!(own.stdout.contains("Usage: cargo lighter"));
}

#[test]
fn examples_can_be_pasted_from_a_terminal_of_80_columns() {
    for command in COMMANDS.iter().chain(&["auth check", ""]) {
        let words = command.split_whitespace().chain(["--help"]);
        let help = Lighter::at("/").args(words).run().expect(0).stdout;
        let examples = help.split_once("Examples:\n").expect(command).1;
        let lines = examples.lines().take_while(|line| line.starts_with("  "));
        let typed: Vec<&str> = lines.filter(|line| line.starts_with("    ")).collect();
        assert!(!typed.is_empty(), "{command}");
        for line in typed {
            let whole = line.contains("cargo lighter");
            assert!(whole && line.len() <= 80, "{command}: {line}");
        }
    }
}

#[test]
fn completions_are_taken_by_their_shells() {
    let directory = tempfile::tempdir().expect("a directory");
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let run = Lighter::at("/")
            .args(["completions", shell])
            .run()
            .expect(0);
        assert!(run.stdout.contains("cargo-lighter"), "{shell}");
        for command in COMMANDS {
            assert!(run.stdout.contains(command), "{shell}: {command}");
        }
        let path = directory.path().join(shell);
        fs_err::write(&path, run.stdout).expect("written");
        let program = if shell == "powershell" { "pwsh" } else { shell };
        let mut check = Command::new(program);
        match shell {
            "powershell" => check.args(["-NoProfile", "-File"]).arg(&path),
            _ => check.arg("-n").arg(&path),
        };
        match check.output() {
            Ok(output) => assert_silent(shell, &output),
            Err(_) => skipped(&format!("{program} is not installed, its script not tried")),
        }
    }
}

/// What bash offers after `cargo-lighter bu` and `cargo-lighter push --re`.
#[test]
fn bash_completes_commands_and_flags() {
    let script = Lighter::at("/")
        .args(["completions", "bash"])
        .run()
        .expect(0);
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("script");
    fs_err::write(&path, script.stdout).expect("written");
    for (words, expected) in [
        (&["cargo-lighter", "bu"][..], "build\n"),
        (&["cargo-lighter", "push", "--rep"], "--repo\n"),
        (&["cargo-lighter", "completions", "fi"], "fish\n"),
        (&["cargo-lighter", "push", "--linkage", "s"], "static\n"),
    ] {
        let ask = "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
             function=$(complete -p cargo-lighter | sed 's/.*-F \\([^ ]*\\).*/\\1/'); \
             \"$function\" cargo-lighter \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"; \
             printf '%s\\n' \"${COMPREPLY[@]}\"";
        let output = Command::new("bash")
            .args(["-c", ask, "bash"])
            .arg(&path)
            .args(words)
            .output()
            .expect("bash is there");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            expected,
            "{words:?}"
        );
    }
}

/// Types each line and a tab into an interactive zsh on a pseudo-terminal of zsh's own, and prints what the line
/// became.
const ASK_ZSH: &str = r#"
zmodload zsh/zpty
zpty shell "TERM=dumb zsh -i"
for line; do
    zpty -w -n shell "$line"$'\t\x14'
    zpty -r shell answer $'*became<*>*'
    print -r -- "${${answer##*became<}%%>*}"
done
zpty -d shell
"#;

/// What such a zsh begins with.
const ZSHRC: &str = r#"
fpath=("$ZDOTDIR" $fpath)
autoload -Uz compinit
compinit -u -d "$ZDOTDIR/dump"
show() { print -r -- "became<$BUFFER>"; BUFFER= }
zle -N show
bindkey '^I' complete-word
bindkey '^T' show
PS1=
"#;

#[test]
fn zsh_completes_commands_flags_and_values() {
    let script = Lighter::at("/")
        .args(["completions", "zsh"])
        .run()
        .expect(0);
    assert!(!script.stdout.contains("see more"), "of a help in a help");
    let directory = tempfile::tempdir().expect("a directory");
    fs_err::write(directory.path().join("_cargo-lighter"), script.stdout).expect("written");
    fs_err::write(directory.path().join(".zshrc"), ZSHRC).expect("written");
    let table = [
        ("cargo-lighter insp", "cargo-lighter inspect "),
        ("cargo-lighter push --rep", "cargo-lighter push --repo="),
        (
            "cargo-lighter completions po",
            "cargo-lighter completions powershell ",
        ),
        ("cargo-lighter help ado", "cargo-lighter help adopt "),
        (
            "cargo-lighter build --builder z",
            "cargo-lighter build --builder zigbuild ",
        ),
        (
            "cargo-lighter build --linkage s",
            "cargo-lighter build --linkage static ",
        ),
        (
            "cargo-lighter build --compression zs",
            "cargo-lighter build --compression zstd ",
        ),
    ];
    let mut zsh = Command::new("timeout");
    zsh.args(["120", "zsh", "-f", "-c", ASK_ZSH, "zsh"]);
    zsh.args(table.map(|(typed, _)| typed));
    zsh.env("ZDOTDIR", directory.path())
        .env("HOME", directory.path());
    if Command::new("zsh").arg("--version").output().is_err() {
        return skipped("zsh is not installed, its completions not tried");
    }
    let output = zsh.output().expect("timeout is there");
    let became = String::from_utf8_lossy(&output.stdout);
    let expected: String = table.iter().flat_map(|(_, line)| [line, "\n"]).collect();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(became, expected, "{said}");
}

/// A quote or dollar sign in the text of a possible value ended fish's script with an error that `fish -n` does
/// not know.
#[test]
fn fish_completes_commands_flags_and_values() {
    let script = Lighter::at("/")
        .args(["completions", "fish"])
        .run()
        .expect(0);
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("script");
    fs_err::write(&path, script.stdout).expect("written");
    for (line, expected) in [
        ("cargo-lighter bui", "build\tCompile"),
        ("cargo-lighter push --rep", "--repo\tRegistry"),
        ("cargo-lighter plan --format git", "github\tTwo lines"),
        ("cargo-lighter completions p", "powershell\n"),
        ("cargo-lighter help in", "inspect\tShow what"),
        ("cargo-lighter help auth c", "check\tAsk a registry"),
        ("cargo-lighter build --builder z", "zigbuild\n"),
        ("cargo-lighter build --linkage s", "static\n"),
        ("cargo-lighter build --compression zs", "zstd\n"),
        ("cargo-lighter push --hel", "--help\tPrint help\n"),
    ] {
        let ask = "source $argv[1]; complete -C $argv[2]";
        let mut fish = Command::new("fish");
        fish.args(["--no-config", "-c", ask]).arg(&path).arg(line);
        let Ok(output) = fish.env("HOME", directory.path()).output() else {
            return skipped("fish is not installed, its completions not tried");
        };
        let offered = String::from_utf8_lossy(&output.stdout);
        assert!(offered.starts_with(expected), "{line}: {offered}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.is_empty(), "{line}: {said}");
    }
}

#[test]
fn every_command_has_a_manual_page_without_warnings() {
    let directory = tempfile::tempdir().expect("a directory");
    let pages = directory.path().join("pages");
    let run = Lighter::at(directory.path())
        .args(["man", "--out", "pages"])
        .run()
        .expect(0);
    let lines = run.lines();
    assert_eq!(lines.first(), Some(&"pages/cargo-lighter.1"));
    assert!(lines.contains(&"pages/cargo-lighter-auth-check.1"));
    for command in COMMANDS {
        let page = format!("pages/cargo-lighter-{command}.1");
        assert!(lines.contains(&page.as_str()), "{page}");
    }
    let main = Lighter::at("/").args(["man"]).run().expect(0);
    let written = fs_err::read_to_string(pages.join("cargo-lighter.1")).expect("readable");
    assert_eq!(main.stdout, written);
    let checkers = [
        ("groff", &["-man", "-Tutf8", "-ww", "-z"][..]),
        // It warns of line breaks that clap's renderer writes and everybody skips.
        ("mandoc", &["-T", "lint", "-W", "error"]),
    ];
    let (there, absent): (Vec<_>, Vec<_>) = checkers
        .into_iter()
        .partition(|(program, _)| Command::new(program).arg("--version").output().is_ok());
    for (program, _) in absent {
        skipped(&format!(
            "{program} is not installed, pages not tried with it"
        ));
    }
    for line in lines {
        let page = directory.path().join(line);
        let text = fs_err::read_to_string(&page).expect("readable");
        assert!(text.contains(".SH EXAMPLES"), "{line}");
        let title = format!(" 1 \"\" \"cargo-lighter {}\" \"", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&title), "{line} has the version as its date");
        for (program, arguments) in &there {
            let mut check = Command::new(program);
            let output = check.args(*arguments).arg(&page).output();
            assert_silent(line, &output.expect("it is there"));
        }
    }
}

#[track_caller]
fn assert_silent(what: &str, output: &Output) {
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.is_empty(), "{what}: {said}");
}
