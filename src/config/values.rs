//! Values of single keys: their types, and how each is read.

use std::fmt;
use std::path::PathBuf;

use super::raw::Node;
use super::reader::Context;
use crate::report::printable;

/// What compiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Builder {
    /// `cargo build`.
    #[default]
    Cargo,
    /// `cargo zigbuild`.
    Zigbuild,
}

impl Builder {
    /// Each by the word that a manifest, a variable or a flag has for it.
    pub const NAMED: &[(&str, Self)] = &[("cargo", Self::Cargo), ("zigbuild", Self::Zigbuild)];
}

/// How the C library is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Linkage {
    /// glibc as a shared library.
    #[default]
    Dynamic,
    /// Everything in the executable.
    Static,
}

impl Linkage {
    /// Each by the word that a manifest, a variable or a flag has for it.
    pub const NAMED: &[(&str, Self)] = &[("dynamic", Self::Dynamic), ("static", Self::Static)];
}

/// The time that images state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Created {
    /// 1970-01-01, or `SOURCE_DATE_EPOCH`.
    #[default]
    Epoch,
    /// The time of the commit.
    Commit,
}

/// How layers are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// gzip, which every runtime reads.
    #[default]
    Gzip,
    /// Zstandard.
    Zstd,
    /// Not at all.
    None,
}

impl Compression {
    /// Each by the word that a manifest, a variable or a flag has for it.
    pub const NAMED: &[(&str, Self)] = &[
        ("gzip", Self::Gzip),
        ("zstd", Self::Zstd),
        ("none", Self::None),
    ];
}

/// Numeric user and group of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// `65532:65532`, as the image's configuration wants it.
impl fmt::Display for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.uid, self.gid)
    }
}

/// Transport of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// A port that the process listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// Its number, never 0.
    pub number: u16,
    /// Its transport.
    pub protocol: Protocol,
}

/// `8080/tcp`, as the image's configuration wants it.
impl fmt::Display for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
        };
        write!(formatter, "{}/{protocol}", self.number)
    }
}

pub(super) fn boolean(node: &Node, context: &mut Context) -> Option<bool> {
    context.boolean(node)
}

pub(super) fn builder(node: &Node, context: &mut Context) -> Option<Builder> {
    context.choice(node, Builder::NAMED)
}

pub(super) fn linkage(node: &Node, context: &mut Context) -> Option<Linkage> {
    context.choice(node, Linkage::NAMED)
}

pub(super) fn created(node: &Node, context: &mut Context) -> Option<Created> {
    context.choice(
        node,
        &[("epoch", Created::Epoch), ("commit", Created::Commit)],
    )
}

pub(super) fn compression(node: &Node, context: &mut Context) -> Option<Compression> {
    context.choice(node, Compression::NAMED)
}

/// A level in the widest range; [`super::service`] checks it against the compression it goes with.
pub(super) fn compression_level(node: &Node, context: &mut Context) -> Option<i32> {
    let level = context.integer(node)?;
    if let Ok(level @ 0..=19) = i32::try_from(level) {
        return Some(level);
    }
    let message = format!("`compression-level` must not be {level}");
    let hint = "use 0 to 9 for gzip, 1 to 19 for zstd";
    context.refuse(&node.origin, message, Some(hint.to_owned()));
    None
}

/// A directory on this machine, absolute: a relative one is meant from the workspace root.
pub(super) fn library_root(node: &Node, context: &mut Context) -> Option<PathBuf> {
    let root = context.roots.workspace;
    context.word(node).map(|text| root.join(text))
}

/// Strings in order, such as arguments.
pub(super) fn texts(node: &Node, context: &mut Context) -> Option<Vec<String>> {
    context.list(node, |item, context| {
        context.text(item).map(ToOwned::to_owned)
    })
}

/// Strings in order, none of them empty.
pub(super) fn words(node: &Node, context: &mut Context) -> Option<Vec<String>> {
    context.list(node, |item, context| {
        context.word(item).map(ToOwned::to_owned)
    })
}

/// A command: at least one word.
pub(super) fn command(node: &Node, context: &mut Context) -> Option<Vec<String>> {
    let texts = texts(node, context)?;
    if texts.is_empty() {
        let message = format!("`{}` must not be empty", context.key.name);
        let hint = "name the arguments that make the executable check itself and exit";
        context.refuse(&node.origin, message, Some(hint.to_owned()));
        return None;
    }
    Some(texts)
}

/// cargo's rule for names of profiles.
pub(super) fn profile(node: &Node, context: &mut Context) -> Option<String> {
    let name = context.word(node)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.chars().all(legal) {
        let message = format!("`{}` is no name of a cargo profile", printable(name));
        context.refuse(&node.origin, message, None);
        return None;
    }
    if name == "debug" {
        let message = "cargo keeps `debug` as the name of a directory";
        let hint = "use `dev`, the profile that builds into it";
        context.refuse(&node.origin, message, Some(hint.to_owned()));
        return None;
    }
    Some(name.to_owned())
}
