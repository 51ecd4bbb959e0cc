//! What a Rust source names beyond its own module tree, seen without building it.
//!
//! Macros and attributes that read files are recognised by name, from the tables in [`table`]; a path
//! is one where it is written as a literal, or as `concat!` of literals and
//! `env!("CARGO_MANIFEST_DIR")`. Of what cannot be told, more is named rather than less: who asks takes
//! only what exists. [`proc_macro2`] splits text into tokens as rustc does; text that is no Rust names
//! nothing.

mod attribute;
mod build_script;
mod expression;
mod literal;
mod table;
mod variable;
mod walk;

use std::collections::BTreeSet;

/// What a path in a source is relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Base {
    /// The directory of the source file.
    File,
    /// The directory where files of the source's own modules stand: that of the source file itself for
    /// the root of a crate, for `mod.rs` and for a file named by `#[path]`, else `NAME/` beside
    /// `NAME.rs`.
    Modules,
    /// The directory of the package's manifest.
    Package,
    /// The root of the workspace, where cargo starts rustc and some macros therefore look.
    Workspace,
}

/// What is expected at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// One file.
    File,
    /// A directory, with all below it.
    Directory,
    /// A file or a directory, if anything at all.
    Any,
    /// A Rust source, taken in as text: it may name more.
    Source,
    /// The file of a module that `#[path]` names: its own modules stand beside it.
    Module,
}

/// A path that a source names. It may be absolute, and may not exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference {
    /// What `path` is relative to.
    pub(super) base: Base,
    /// The path as it is written, with slashes.
    pub(super) path: String,
    /// What is expected there.
    pub(super) what: What,
}

/// A module whose content is in a file of the usual name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Submodule {
    /// What `path` is relative to: [`Base::Modules`], or [`Base::File`] inside a block that has a
    /// `#[path]`.
    pub(super) base: Base,
    /// Its path without an ending: `a/b` for `mod a { mod b; }`.
    pub(super) path: String,
}

impl Submodule {
    /// The files that may hold it. The modules of the first stand in a directory of its name, those of
    /// the second beside it.
    pub(super) fn files(&self) -> [String; 2] {
        [format!("{}.rs", self.path), format!("{}/mod.rs", self.path)]
    }
}

/// What a source names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// Paths, each once, in the order of the source: those in macros and attributes before others.
    pub(super) references: Vec<Reference>,
    /// How many of them stand in macros and attributes, which can mean nothing but files.
    pub(super) certain: usize,
    /// Environment variables that are read while the package is built, but for those that cargo sets.
    pub(super) variables: BTreeSet<String>,
    /// Whether it says that a native library is linked.
    pub(super) links_native: bool,
    /// Whether a build script speaks of git: what it learns there is in no file of the split.
    pub(super) asks_git: bool,
    /// Modules in files of the usual names, in the order of the source.
    pub(super) modules: Vec<Submodule>,
}

impl Scan {
    fn add(&mut self, base: Base, path: impl Into<String>, what: What) {
        self.references.push(Reference {
            base,
            path: path.into(),
            what,
        });
    }

    fn all_certain(self) -> Self {
        Self {
            certain: self.references.len(),
            ..self
        }
    }

    fn without_repetitions(mut self) -> Self {
        let mut seen = BTreeSet::new();
        self.references
            .retain(|reference| seen.insert(reference.clone()));
        self
    }
}

/// What a source of a library or an executable names.
pub(super) fn scan_source(text: &str) -> Scan {
    let scan = walk::walk(text, walk::Kind::Source).scan;
    scan.without_repetitions().all_certain()
}

/// What a source of a build script names: what [`scan_source`] finds, every string literal as a path
/// below the package, variables that it reads when it runs, and what it tells cargo.
///
/// A build script mostly joins its paths from pieces. Where it climbs (`".."`, `.parent()`), every
/// literal is also named above the package by so many steps.
pub(super) fn scan_build_script(text: &str) -> Scan {
    let walked = walk::walk(text, walk::Kind::BuildScript);
    let mut scan = walked.scan.without_repetitions().all_certain();
    build_script::read(&walked.literals, walked.climbs, &mut scan);
    scan.without_repetitions()
}

#[cfg(test)]
mod tests;
