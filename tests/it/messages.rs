//! Every message of the program, its help included, in one file, `messages.txt`, so that wording can be read as a whole and
//! a change of it is seen in reviews.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use fs_err as fs;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::help::COMMANDS;
use crate::support::cli::Lighter;

/// Set to write the file instead of comparing.
const ACCEPT: &str = "LIGHTER_TEST_ACCEPT";

#[test]
fn all_messages_are_in_the_file_that_reviewers_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("tests/it/messages.txt");
    let found = messages(&root.join("src")) + &helps();
    assert!(found.lines().count() > 500, "{found}");
    if std::env::var_os(ACCEPT).is_some() {
        fs::write(&file, &found).expect("written");
    }
    let known = fs::read_to_string(&file).expect("readable");
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (found_lines, known_lines) = (lines(&found), lines(&known));
    let new: Vec<&String> = found_lines.difference(&known_lines).collect();
    let gone: Vec<&String> = known_lines.difference(&found_lines).collect();
    assert!(
        known == found,
        "read what changed, then run this test with {ACCEPT}=1\nnew: {new:#?}\ngone: {gone:#?}"
    );
}

/// The texts of all sources but tests, each file's below its name.
fn messages(sources: &Path) -> String {
    let mut all = String::new();
    let files = walkdir::WalkDir::new(sources).sort_by_file_name();
    for entry in files.into_iter().map(|entry| entry.expect("readable")) {
        let path = entry.path();
        let of_tests = path.components().any(|part| part.as_os_str() == "tests");
        let named = |name| path.file_stem().is_some_and(|stem| stem == name);
        let skipped = of_tests || named("tests") || named("fixture");
        if path.extension().is_none_or(|kind| kind != "rs") || skipped {
            continue;
        }
        let text = fs::read_to_string(path).expect("readable");
        let mut found = BTreeSet::new();
        collect(text.parse().expect("Rust"), &mut found);
        if !found.is_empty() {
            let name = path.strip_prefix(sources).expect("below").display();
            writeln!(all, "{name}").expect("written");
            for message in found {
                writeln!(all, "    {message}").expect("written");
            }
        }
    }
    all
}

/// What `--help` shows of the program and of each command.
fn helps() -> String {
    let mut all = String::new();
    let whole: &[&str] = &[""];
    let commands = COMMANDS.iter().chain(&["auth check"]);
    for command in whole.iter().chain(commands) {
        let words = command.split_whitespace().chain(["--help"]);
        let shown = Lighter::at("/").args(words).run().expect(0).stdout;
        writeln!(all, "cargo lighter {command}").expect("written");
        for line in shown.lines() {
            writeln!(all, "    {line}").expect("written");
        }
    }
    all
}

/// Collects literals that hold words. Of attributes only errors count, and nothing counts that is compiled for
/// tests alone.
fn collect(tokens: TokenStream, found: &mut BTreeSet<String>) {
    let mut tokens = tokens.into_iter().peekable();
    let mut for_tests = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                // Those of a whole file have another mark.
                tokens.next_if(|token| matches!(token, TokenTree::Punct(_)));
                if let Some(TokenTree::Group(attribute)) = tokens.next() {
                    let text = attribute.stream().to_string();
                    for_tests |= text == "cfg (test)";
                    if text.starts_with("error") {
                        collect(attribute.stream(), found);
                    }
                }
            }
            TokenTree::Group(group) => {
                let is_body = group.delimiter() == Delimiter::Brace;
                if !(for_tests && is_body) {
                    collect(group.stream(), found);
                }
                for_tests &= !is_body;
            }
            TokenTree::Literal(literal) => {
                let text = unescaped(&literal.to_string()).filter(|text| is_message(text));
                found.extend(text.map(|text| text.replace('\n', "\\n")));
            }
            _ => {}
        }
    }
}

/// The text of a literal, if it is one of text.
fn unescaped(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        let raw = raw.trim_matches('#');
        return Some(raw.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    }
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::new();
    let mut characters = inner.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next()? {
            '\n' => while characters.next_if(|next| next.is_whitespace()).is_some() {},
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'u' | 'x' | '0' | 'r' => text.push('\u{fffd}'),
            other => text.push(other),
        }
    }
    Some(text)
}

/// Whether people read it: at least two words of letters.
fn is_message(text: &str) -> bool {
    let words = text.split_whitespace();
    let of_letters = |word: &&str| word.chars().any(char::is_alphabetic);
    words.filter(of_letters).count() >= 2
}
