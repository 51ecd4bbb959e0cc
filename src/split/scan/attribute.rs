//! The parts of an attribute.

use proc_macro2::{Group, TokenTree};

use super::expression::{arguments, name_of_path};

/// `name`, `name = value` or `name(list)`.
#[derive(Debug)]
pub(super) struct Meta {
    /// Its last name, so that `a::b` is `b`.
    pub(super) name: String,
    /// What stands after `=`.
    pub(super) value: Vec<TokenTree>,
    /// What stands in parentheses.
    pub(super) list: Vec<TokenTree>,
    /// Whether it stands in `cfg_attr`.
    pub(super) conditional: bool,
}

/// What the brackets of an attribute hold, each `cfg_attr` replaced by what it may set.
pub(super) fn metas(attribute: &Group) -> Vec<Meta> {
    let mut found = Vec::new();
    let mut pending = vec![(tokens_of(attribute), false)];
    while let Some((tokens, conditional)) = pending.pop() {
        let Some(meta) = parse(&tokens, conditional) else {
            continue;
        };
        match meta.name.as_str() {
            "cfg_attr" => {
                let set: Vec<_> = arguments(&meta.list)
                    .skip(1)
                    .map(|tokens| (tokens.to_vec(), true))
                    .collect();
                pending.extend(set.into_iter().rev());
            }
            "unsafe" => pending.push((meta.list, conditional)),
            _ => found.push(meta),
        }
    }
    found
}

/// `key = value` in a list, the key being one of a name.
pub(super) fn value_in<'a>(list: &'a [TokenTree], key: &str) -> Option<&'a [TokenTree]> {
    arguments(list).find_map(|argument| match argument {
        [TokenTree::Ident(name), TokenTree::Punct(punct), value @ ..]
            if punct.as_char() == '=' && *name == key =>
        {
            Some(value)
        }
        _ => None,
    })
}

fn parse(tokens: &[TokenTree], conditional: bool) -> Option<Meta> {
    let end = tokens
        .iter()
        .position(|token| match token {
            TokenTree::Punct(punct) => punct.as_char() == '=',
            TokenTree::Group(_) => true,
            _ => false,
        })
        .unwrap_or(tokens.len());
    let name = name_of_path(&tokens[..end])?;
    let (value, list) = match tokens.get(end) {
        Some(TokenTree::Group(group)) => (Vec::new(), tokens_of(group)),
        Some(_) => (tokens[end + 1..].to_vec(), Vec::new()),
        None => (Vec::new(), Vec::new()),
    };
    Some(Meta {
        name,
        value,
        list,
        conditional,
    })
}

fn tokens_of(group: &Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}
