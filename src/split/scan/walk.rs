//! The way through a source's tokens.

use std::rc::Rc;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use super::attribute::{Meta, metas, value_in};
use super::expression::{WrittenPath, arguments, first_text, has_a_name, written_path};
use super::literal::text_of;
use super::table::{ATTRIBUTES, Argument, MACROS, MacroRow, Target};
use super::variable::{is_set_for_build_scripts, is_set_for_rustc};
use super::{Base, Scan, Submodule, What};

/// How deep keys of a macro are looked for.
const KEY_DEPTH: usize = 4;
/// How many directories a block may stand in, when `cfg_attr` gives it several.
const MAX_DIRECTORIES: usize = 8;

/// What is walked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only names of files count.
    Source,
    /// All literals count, and variables that are read when it runs.
    BuildScript,
}

/// What was seen on the way.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) scan: Scan,
    /// The literals of a build script, but for those in attributes.
    pub(super) literals: Vec<String>,
    /// How often a build script asks for a parent directory.
    pub(super) climbs: usize,
    kind: Kind,
}

/// A directory in which modules are looked for.
#[derive(Debug, Clone)]
struct Directory {
    base: Base,
    path: String,
}

impl Directory {
    fn join(&self, path: &str) -> Self {
        Self {
            base: self.base,
            path: if self.path.is_empty() || path.starts_with('/') {
                path.to_owned()
            } else {
                format!("{}/{path}", self.path)
            },
        }
    }
}

/// Where the modules of a block are: those with `#[path]`, and the others. They differ outside of
/// inline modules only (Rust reference, "The path attribute").
#[derive(Debug)]
struct Scope {
    named: Vec<Directory>,
    usual: Vec<Directory>,
}

impl Scope {
    fn of_file() -> Self {
        let directory = |base| {
            vec![Directory {
                base,
                path: String::new(),
            }]
        };
        Self {
            named: directory(Base::File),
            usual: directory(Base::Modules),
        }
    }

    /// That of `mod name { … }` with these paths.
    fn inside(&self, name: &str, paths: &[PathAttribute]) -> Self {
        let mut directories = Vec::new();
        for path in paths {
            directories.extend(self.named.iter().map(|above| above.join(&path.text)));
        }
        if paths.iter().all(|path| path.conditional) {
            directories.extend(self.usual.iter().map(|above| above.join(name)));
        }
        directories.truncate(MAX_DIRECTORIES);
        Self {
            named: directories.clone(),
            usual: directories,
        }
    }
}

#[derive(Debug)]
struct PathAttribute {
    text: String,
    conditional: bool,
}

/// A group on the way: the stack of them is explicit, because a source may nest deeper than a thread's
/// stack reaches.
struct Frame {
    tokens: Vec<TokenTree>,
    next: usize,
    scope: Rc<Scope>,
    in_attribute: bool,
    /// `#[path]` of the item that is about to begin.
    paths: Vec<PathAttribute>,
}

impl Frame {
    fn new(tokens: TokenStream, scope: Rc<Scope>, in_attribute: bool) -> Self {
        Self {
            tokens: tokens.into_iter().collect(),
            next: 0,
            scope,
            in_attribute,
            paths: Vec::new(),
        }
    }
}

/// Walks through `text`; what is no Rust has nothing in it.
pub(super) fn walk(text: &str, kind: Kind) -> Walked {
    let mut walked = Walked {
        scan: Scan::default(),
        literals: Vec::new(),
        climbs: 0,
        kind,
    };
    let Ok(tokens) = without_shebang(text).parse::<TokenStream>() else {
        return walked;
    };
    let mut stack = vec![Frame::new(tokens, Rc::new(Scope::of_file()), false)];
    while let Some(frame) = stack.last_mut() {
        if frame.next >= frame.tokens.len() {
            stack.pop();
        } else if let Some(inner) = walked.step(frame) {
            stack.push(inner);
        }
    }
    walked
}

/// `#!` begins an attribute only if a bracket follows.
fn without_shebang(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.strip_prefix("#!") {
        Some(rest) if !rest.trim_start().starts_with('[') => {
            rest.find('\n').map_or("", |end| &rest[end..])
        }
        _ => text,
    }
}

fn is_punct(token: Option<&TokenTree>, c: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == c)
}

impl Walked {
    /// Takes one token, or those of one construct, and returns the group to go into.
    fn step(&mut self, frame: &mut Frame) -> Option<Frame> {
        let rest = &frame.tokens[frame.next..];
        let (taken, group, scope) = match rest {
            [TokenTree::Punct(hash), after @ ..] if hash.as_char() == '#' => {
                let inner = usize::from(is_punct(after.first(), '!'));
                let Some(TokenTree::Group(group)) = after.get(inner) else {
                    frame.next += 1;
                    return None;
                };
                let metas = metas(group);
                self.attribute(&metas);
                if inner == 0 {
                    frame.paths.extend(paths_of(&metas));
                }
                let group = Frame::new(group.stream(), Rc::clone(&frame.scope), true);
                frame.next += 2 + inner;
                return Some(group);
            }
            [TokenTree::Ident(word), TokenTree::Ident(name), after, ..] if *word == "mod" => {
                let name = name.to_string();
                let name = name.strip_prefix("r#").unwrap_or(&name);
                let mut paths = std::mem::take(&mut frame.paths);
                match after {
                    TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                        paths.extend(inner_paths(group));
                        (3, group, Rc::new(frame.scope.inside(name, &paths)))
                    }
                    _ => {
                        if is_punct(Some(after), ';') {
                            self.module(&frame.scope, name, &paths);
                        }
                        frame.next += 2;
                        return None;
                    }
                }
            }
            [
                TokenTree::Ident(name),
                TokenTree::Punct(punct),
                TokenTree::Group(group),
                ..,
            ] if punct.as_char() == '!' => {
                self.invocation(&name.to_string(), group);
                (3, group, Rc::clone(&frame.scope))
            }
            [TokenTree::Group(group), ..] => (1, group, Rc::clone(&frame.scope)),
            [token, after @ ..] => {
                self.token(token, after.first(), frame.in_attribute);
                if !is_visibility(token) {
                    frame.paths.clear();
                }
                frame.next += 1;
                return None;
            }
            [] => return None,
        };
        let inner = Frame::new(group.stream(), scope, frame.in_attribute);
        // `pub(crate)` stands between a path and its module.
        if taken > 1 || group.delimiter() == Delimiter::Brace {
            frame.paths.clear();
        }
        frame.next += taken;
        Some(inner)
    }

    fn token(&mut self, token: &TokenTree, after: Option<&TokenTree>, in_attribute: bool) {
        if self.kind == Kind::Source {
            return;
        }
        match (token, after) {
            (TokenTree::Literal(literal), _) if !in_attribute => {
                self.literals.extend(text_of(literal));
            }
            (TokenTree::Ident(name), Some(TokenTree::Group(group)))
                if *name == "var" || *name == "var_os" =>
            {
                self.variable(group);
            }
            (TokenTree::Ident(name), _) if *name == "parent" => self.climbs += 1,
            (TokenTree::Ident(name), _) if *name == "ancestors" => self.climbs = usize::MAX / 2,
            _ => {}
        }
    }

    fn variable(&mut self, arguments: &Group) {
        let tokens: Vec<TokenTree> = arguments.stream().into_iter().collect();
        let Some(name) = first_text(&tokens) else {
            return;
        };
        let is_set_by_cargo = match self.kind {
            Kind::Source => is_set_for_rustc(&name),
            Kind::BuildScript => is_set_for_build_scripts(&name),
        };
        if !name.is_empty() && !is_set_by_cargo {
            self.scan.variables.insert(name);
        }
    }

    fn module(&mut self, scope: &Scope, name: &str, paths: &[PathAttribute]) {
        for path in paths {
            for above in &scope.named {
                let Directory { base, path } = above.join(&path.text);
                self.scan.add(base, path, What::Module);
            }
        }
        if paths.iter().all(|path| path.conditional) {
            for above in &scope.usual {
                let Directory { base, path } = above.join(name);
                self.scan.modules.push(Submodule { base, path });
            }
        }
    }

    fn attribute(&mut self, metas: &[Meta]) {
        for meta in metas {
            if meta.name == "link" && value_in(&meta.list, "name").is_some() {
                self.scan.links_native = true;
            }
            for row in ATTRIBUTES.iter().filter(|row| row.name == meta.name) {
                let value = match row.key {
                    Some(key) => value_in(&meta.list, key),
                    None => Some(meta.value.as_slice()),
                };
                let Some(path) = value.and_then(written_path) else {
                    continue;
                };
                self.path(&path, row.targets);
                if let Some(also) = row.also {
                    self.scan.add(Base::Package, also, What::Directory);
                }
            }
        }
    }

    fn invocation(&mut self, name: &str, group: &Group) {
        if name == "env" || name == "option_env" {
            self.variable(group);
            return;
        }
        let rows = MACROS.iter().filter(|row| row.names.contains(&name));
        for row in rows {
            let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
            let paths = paths_of_macro(&tokens, row);
            if let (true, Some(default)) = (paths.is_empty(), row.default) {
                for target in row.targets {
                    self.scan.add(target.base, default, target.what);
                }
            }
            for path in paths {
                self.path(&path, row.targets);
            }
        }
    }

    /// Names `path` wherever it may be. Of an incomplete one, the directory it begins with.
    fn path(&mut self, path: &WrittenPath, targets: &[Target]) {
        for target in targets {
            let known = if path.complete {
                Some((path.text.as_str(), target.what))
            } else {
                path.directory().map(|text| (text, What::Directory))
            };
            let Some((text, what)) = known else { continue };
            if path.in_package {
                self.scan.add(Base::Package, text, what);
                continue;
            }
            match text.strip_prefix('$') {
                Some(rest) if target.base != Base::File => {
                    let rest = rest
                        .strip_prefix("CARGO_MANIFEST_DIR")
                        .or_else(|| rest.strip_prefix("{CARGO_MANIFEST_DIR}"));
                    if let Some(inside) = rest {
                        let inside = inside.trim_start_matches('/');
                        self.scan.add(Base::Package, inside, what);
                    }
                }
                _ => {
                    let text = format!("{}{text}", target.prefix);
                    self.scan.add(target.base, text, what);
                }
            }
        }
    }
}

fn is_visibility(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(word) if is_word_of_visibility(word))
}

fn is_word_of_visibility(word: &Ident) -> bool {
    ["pub", "crate", "unsafe"]
        .iter()
        .any(|visibility| word == visibility)
}

fn paths_of(metas: &[Meta]) -> impl Iterator<Item = PathAttribute> {
    metas
        .iter()
        .filter(|meta| meta.name == "path")
        .filter_map(|meta| {
            Some(PathAttribute {
                text: first_text(&meta.value)?,
                conditional: meta.conditional,
            })
        })
        .filter(|path| has_a_name(&path.text))
}

/// `#![path = "…"]` at the beginning of a block.
fn inner_paths(block: &Group) -> Vec<PathAttribute> {
    let mut found = Vec::new();
    let mut tokens = block.stream().into_iter();
    while let (
        Some(TokenTree::Punct(hash)),
        Some(TokenTree::Punct(mark)),
        Some(TokenTree::Group(group)),
    ) = (tokens.next(), tokens.next(), tokens.next())
        && hash.as_char() == '#'
        && mark.as_char() == '!'
    {
        found.extend(paths_of(&metas(&group)));
    }
    found
}

/// The paths in the arguments of a macro.
fn paths_of_macro(tokens: &[TokenTree], row: &MacroRow) -> Vec<WrittenPath> {
    let mut found = Vec::new();
    match row.argument {
        Argument::Path => found.extend(arguments(tokens).find_map(written_path)),
        Argument::Literal => {
            let mut each = tokens.iter().map(std::slice::from_ref);
            found.extend(each.find_map(written_path));
        }
        Argument::Keys => {}
    }
    if !row.keys.is_empty() {
        paths_of_keys(tokens, row.keys, KEY_DEPTH, &mut found);
    }
    found
}

fn paths_of_keys(tokens: &[TokenTree], keys: &[&str], depth: usize, found: &mut Vec<WrittenPath>) {
    for argument in arguments(tokens) {
        if let [TokenTree::Ident(key), TokenTree::Punct(punct), value @ ..] = argument
            && matches!(punct.as_char(), ':' | '=')
            && keys.iter().any(|known| key == known)
        {
            match value {
                [TokenTree::Group(list)] if list.delimiter() == Delimiter::Bracket => {
                    let list: Vec<TokenTree> = list.stream().into_iter().collect();
                    found.extend(arguments(&list).filter_map(written_path));
                }
                _ => found.extend(written_path(value)),
            }
            continue;
        }
        for token in argument.iter().filter(|_| depth > 0) {
            if let TokenTree::Group(group) = token {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                paths_of_keys(&inner, keys, depth - 1, found);
            }
        }
    }
}
