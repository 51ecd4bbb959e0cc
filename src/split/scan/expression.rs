//! Paths as they are written in macros and attributes.

use proc_macro2::{Delimiter, TokenTree};

use super::literal::text_of;

/// Nobody nests `concat!` so deep.
const MAX_DEPTH: usize = 32;

/// A path that can be told without compiling, or its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WrittenPath {
    /// Whether it begins with the package's directory; `text` is then relative to it.
    pub(super) in_package: bool,
    /// What is known of it.
    pub(super) text: String,
    /// Whether `text` is all of it.
    pub(super) complete: bool,
}

impl WrittenPath {
    /// The directory that the known beginning names, if it names more than steps upwards.
    pub(super) fn directory(&self) -> Option<&str> {
        let (directory, _) = self.text.rsplit_once('/')?;
        has_a_name(directory).then_some(directory)
    }
}

/// Whether a path has a part other than `.` and `..`.
pub(super) fn has_a_name(path: &str) -> bool {
    path.split('/').any(|part| !matches!(part, "" | "." | ".."))
}

/// The path that `tokens` are, wholly: a literal, `concat!`, `env!("CARGO_MANIFEST_DIR")`.
pub(super) fn written_path(tokens: &[TokenTree]) -> Option<WrittenPath> {
    let mut path = evaluate(tokens, 0)?;
    if path.in_package {
        // `concat!` of a directory and a name without a slash names a sibling by accident.
        if !(path.text.is_empty() || path.text.starts_with('/')) {
            return None;
        }
        path.text = path.text.trim_start_matches('/').to_owned();
    }
    Some(path)
}

fn evaluate(tokens: &[TokenTree], depth: usize) -> Option<WrittenPath> {
    if depth > MAX_DEPTH {
        return None;
    }
    match tokens {
        [TokenTree::Punct(punct), rest @ ..] if punct.as_char() == '&' => evaluate(rest, depth + 1),
        [TokenTree::Literal(literal)] => Some(WrittenPath {
            in_package: false,
            text: text_of(literal)?,
            complete: true,
        }),
        [TokenTree::Group(group)]
            if matches!(group.delimiter(), Delimiter::Parenthesis | Delimiter::None) =>
        {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            evaluate(&inner, depth + 1)
        }
        [
            path @ ..,
            TokenTree::Punct(punct),
            TokenTree::Group(arguments),
        ] if punct.as_char() == '!' => {
            let inner: Vec<TokenTree> = arguments.stream().into_iter().collect();
            match name_of_path(path)?.as_str() {
                "concat" => Some(concatenated(&inner, depth)),
                "env" => is_package_directory(&inner).then(|| WrittenPath {
                    in_package: true,
                    text: String::new(),
                    complete: true,
                }),
                _ => None,
            }
        }
        _ => None,
    }
}

fn concatenated(tokens: &[TokenTree], depth: usize) -> WrittenPath {
    let mut whole = WrittenPath {
        in_package: false,
        text: String::new(),
        complete: true,
    };
    let pieces = arguments(tokens).filter(|piece| !piece.is_empty());
    for (index, piece) in pieces.enumerate() {
        match evaluate(piece, depth + 1) {
            Some(piece) if !piece.in_package || index == 0 => {
                whole.in_package |= piece.in_package;
                whole.text.push_str(&piece.text);
                whole.complete = piece.complete;
            }
            _ => whole.complete = false,
        }
        if !whole.complete {
            // What follows an unknown beginning, such as OUT_DIR, is no beginning.
            break;
        }
    }
    whole
}

fn is_package_directory(arguments: &[TokenTree]) -> bool {
    first_text(arguments).as_deref() == Some("CARGO_MANIFEST_DIR")
}

/// The string literal that `tokens` begin with.
pub(super) fn first_text(tokens: &[TokenTree]) -> Option<String> {
    match tokens.first()? {
        TokenTree::Literal(literal) => text_of(literal),
        _ => None,
    }
}

/// What stands between commas.
pub(super) fn arguments(tokens: &[TokenTree]) -> impl Iterator<Item = &[TokenTree]> {
    tokens.split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ','))
}

/// The last name of `a::b`, when `tokens` are nothing else.
pub(super) fn name_of_path(tokens: &[TokenTree]) -> Option<String> {
    let is_path = tokens.iter().all(|token| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => matches!(punct.as_char(), ':' | '$'),
        _ => false,
    });
    match tokens.last()? {
        TokenTree::Ident(name) if is_path => Some(name.to_string()),
        _ => None,
    }
}
