//! What the checker finds.

use std::fmt;

use super::digest::ContentDigest;
use crate::source::NameFault;

/// One thing that is wrong. `at` says where, in words; foreign text is printable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// `oci-layout` names another version.
    #[error("`oci-layout` names version `{found}`, not 1.0.0")]
    Version {
        /// As written.
        found: String,
    },
    /// A file or directory that every layout has.
    #[error("`{path}` is missing or not a regular file")]
    MissingFile {
        /// Relative to the layout.
        path: &'static str,
    },
    /// A directory of the layout.
    #[error("`{path}` is missing or not a directory")]
    MissingDirectory {
        /// Relative to the layout.
        path: &'static str,
    },
    /// A document that is not JSON, or no object, or has one field twice.
    #[error("{at} is not a valid document: {error}")]
    Json {
        /// Where.
        at: String,
        /// What the parser says.
        error: String,
    },
    /// A required field.
    #[error("{at} has no `{field}`")]
    MissingField {
        /// Where.
        at: String,
        /// Its name.
        field: &'static str,
    },
    /// A field of another type.
    #[error("{at} has {found} as `{field}`, which must be {expected}")]
    Type {
        /// Where.
        at: String,
        /// Its name, with those of what it is in.
        field: String,
        /// What is there.
        found: String,
        /// What should be.
        expected: &'static str,
    },
    /// A field of the right type that does not say what it should.
    #[error("{at} has `{found}` as `{field}`, which is no {expected}")]
    Form {
        /// Where.
        at: String,
        /// Its name, with those of what it is in.
        field: String,
        /// As written.
        found: String,
        /// What should be.
        expected: &'static str,
    },
    /// The same, where the specification takes any text, and runtimes do not.
    #[error("{at} has `{found}` as `{field}`, which is no {expected}")]
    Unusual {
        /// Where.
        at: String,
        /// Its name.
        field: &'static str,
        /// As written.
        found: String,
        /// What would be usual.
        expected: &'static str,
    },
    /// Embedded content that is another than the blob's.
    #[error("{at} has `data` that {fault}")]
    Data {
        /// Where.
        at: String,
        /// What is wrong, behind "that".
        fault: &'static str,
    },
    /// A digest of an algorithm that is not checked here.
    #[error("{at} has the digest `{text}`, of an algorithm that is not checked")]
    Unchecked {
        /// Where.
        at: String,
        /// As written.
        text: String,
    },
    /// The same of a blob's name.
    #[error("`blobs/{name}` is named by an algorithm that is not checked")]
    UncheckedBlob {
        /// Relative to `blobs`.
        name: String,
    },
    /// A layer that must not be handed on, and is not here.
    #[error("{at} refers to blob {digest}, which is kept elsewhere and was not checked")]
    Elsewhere {
        /// Where.
        at: String,
        /// The blob.
        digest: ContentDigest,
    },
    /// A file among the blobs whose name is no digest.
    #[error("`blobs/{name}` is not a blob with its digest for a name")]
    BlobName {
        /// Relative to `blobs`.
        name: String,
    },
    /// A blob that nothing leads to.
    #[error("nothing refers to blob {digest}")]
    Unreferenced {
        /// The blob.
        digest: ContentDigest,
    },
    /// Two entries with one name, which the specification does not forbid: readers take one or the other.
    #[error("two entries of `index.json` are named `{name}`")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A name outside the grammar of `org.opencontainers.image.ref.name`.
    #[error("`{name}` is no legal image name")]
    IllegalName {
        /// The name.
        name: String,
    },
    /// A digest that no algorithm gives.
    #[error("{at} has the digest `{text}`, which is no algorithm and its digits in lower case")]
    Digest {
        /// Where.
        at: String,
        /// As written.
        text: String,
    },
    /// A descriptor without content.
    #[error("{at} refers to blob {digest}, which is missing")]
    MissingBlob {
        /// Where.
        at: String,
        /// The blob.
        digest: ContentDigest,
    },
    /// A descriptor with the wrong size.
    #[error("{at} gives blob {digest} {expected} bytes, but it has {found}")]
    Size {
        /// Where.
        at: String,
        /// The blob.
        digest: ContentDigest,
        /// As written.
        expected: u64,
        /// As measured.
        found: u64,
    },
    /// A blob that is not what its name says.
    #[error("blob {digest} has content of digest {found}")]
    Content {
        /// Its name.
        digest: ContentDigest,
        /// Its content's digest.
        found: ContentDigest,
    },
    /// A document beyond what readers accept.
    #[error("{at} has {size} bytes, more than {limit}")]
    TooLarge {
        /// Where.
        at: String,
        /// Bytes.
        size: u64,
        /// Bytes.
        limit: u64,
    },
    /// A media type that does not belong there, or contradicts another.
    #[error("{at} has the media type `{found}`, not {expected}")]
    MediaType {
        /// Where.
        at: String,
        /// As written.
        found: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A schema version other than 2.
    #[error("{at} has schema version {found}, not 2")]
    SchemaVersion {
        /// Where.
        at: String,
        /// As written.
        found: u64,
    },
    /// Indexes in indexes without end.
    #[error("{at} is nested deeper than {limit} indexes")]
    TooDeep {
        /// Where.
        at: String,
        /// Levels.
        limit: u32,
    },
    /// The descriptor's platform is not the configuration's.
    #[error("{at} is for {descriptor}, but its configuration is for {config}")]
    Platform {
        /// Where.
        at: String,
        /// As the descriptor says.
        descriptor: String,
        /// As the configuration says.
        config: String,
    },
    /// `rootfs.type` is not `layers`.
    #[error("{at} has a root file system of type `{found}`")]
    RootFs {
        /// Where.
        at: String,
        /// As written.
        found: String,
    },
    /// Manifest and configuration disagree.
    #[error("{at} has {}, but its configuration has {diff_ids}", counted(*.layers, "layer", "layers"))]
    LayerCount {
        /// Where.
        at: String,
        /// In the manifest.
        layers: usize,
        /// In the configuration.
        diff_ids: usize,
    },
    /// There is no history.
    #[error("{at} has no history")]
    NoHistory {
        /// Where.
        at: String,
    },
    /// History and layers disagree.
    #[error("{at} has {} with a layer for {}",
            counted(*.history, "history entry", "history entries"), counted(*.diff_ids, "layer", "layers"))]
    HistoryCount {
        /// Where.
        at: String,
        /// Entries with a layer.
        history: usize,
        /// Layers.
        diff_ids: usize,
    },
    /// A layer that does not unpack to what the configuration says.
    #[error("{at} unpacks to {found}, but its configuration says {expected}")]
    DiffId {
        /// Where.
        at: String,
        /// As written.
        expected: ContentDigest,
        /// As computed.
        found: ContentDigest,
    },
    /// A layer that is not compressed as its media type says.
    #[error("layer {layer} cannot be decompressed: {error}")]
    Compression {
        /// The blob.
        layer: ContentDigest,
        /// What the decompressor says.
        error: String,
    },
    /// A layer that unpacks to more than is believable.
    #[error("layer {layer} unpacks to more than {limit} bytes")]
    Inflated {
        /// The blob.
        layer: ContentDigest,
        /// Bytes.
        limit: u64,
    },
    /// A layer that is no tar, or one beyond the limits of names.
    #[error("layer {layer} is not a valid tar: {error}")]
    Tar {
        /// The blob.
        layer: ContentDigest,
        /// What the reader says.
        error: String,
    },
    /// A tar without two empty blocks at the end, or with something after them.
    #[error("the tar of layer {layer} does not end as it should")]
    TarEnd {
        /// The blob.
        layer: ContentDigest,
    },
    /// Something about one entry of a layer.
    #[error("layer {layer}, entry `{path}`: {fault}")]
    Entry {
        /// The blob.
        layer: ContentDigest,
        /// The entry's name.
        path: String,
        /// What is wrong with it.
        fault: EntryFault,
    },
    /// The list ends here.
    #[error("there are more than {limit} such problems")]
    TooMany {
        /// How many are listed.
        limit: usize,
        /// Whether those that are left out break the specification.
        of_specification: bool,
    },
}

/// What can be wrong with an entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryFault {
    /// Its name is before that of the entry ahead of it.
    Unsorted,
    /// Its name was there already.
    Duplicate,
    /// A directory after something in it.
    ParentAfterChild,
    /// It is below something that is not a directory.
    ParentNotDirectory,
    /// It is below a file of the layer, so that nothing can unpack both.
    BelowFile,
    /// It is below a link that leads to itself.
    LinkLoop,
    /// Its name is none that an image should have.
    Name(NameFault),
    /// An order to delete something of a lower layer.
    Whiteout,
    /// The same of nothing, or of the directory itself or that above it.
    WhiteoutOfNothing,
    /// A device, pipe, sparse file or unknown kind; its type byte.
    SpecialFile(u8),
    /// Extended records for all entries behind it.
    GlobalRecords,
    /// A hard link to what is not an earlier file of the layer.
    HardLink,
    /// A link to a path that no system takes.
    LongLink,
    /// A hard link to a path from a root: they are relative to that of the image.
    AbsoluteLink,
    /// User or group is no number, or beyond what runtimes accept.
    Owner,
    /// User or group has a name.
    OwnerName,
    /// Another time than the layer's first entry.
    ModificationTime,
    /// An extended record that carries the builder's circumstances.
    ExtendedRecord(String),
    /// A header field that is no number, or an extended record that cannot be read.
    Header,
}

impl fmt::Display for EntryFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsorted => formatter.write_str("it is not in the order of names"),
            Self::Duplicate => formatter.write_str("its name is there twice"),
            Self::ParentAfterChild => formatter.write_str("it comes after something in it"),
            Self::ParentNotDirectory => {
                formatter.write_str("it is below something that is not a directory")
            }
            Self::BelowFile => formatter.write_str("it is below a file of the same layer"),
            Self::LinkLoop => formatter.write_str("it is behind links without an end"),
            Self::Name(fault) => fault.fmt(formatter),
            Self::Whiteout => formatter.write_str("it deletes a file of a lower layer"),
            Self::WhiteoutOfNothing => {
                formatter.write_str("it orders to delete something without a name of its own")
            }
            Self::SpecialFile(b'3') => formatter.write_str("it is a character device"),
            Self::SpecialFile(b'4') => formatter.write_str("it is a block device"),
            Self::SpecialFile(b'6') => formatter.write_str("it is a pipe"),
            Self::SpecialFile(kind) => {
                write!(formatter, "it is a special file of type {kind:#04x}")
            }
            Self::GlobalRecords => formatter.write_str("it has records for all entries behind it"),
            Self::LongLink => formatter.write_str("it links to a path longer than paths are"),
            Self::HardLink => formatter.write_str("it links to no earlier file of the layer"),
            Self::AbsoluteLink => formatter.write_str("it links to a path with a slash before it"),
            Self::Owner => formatter.write_str("its owner is no sensible number"),
            Self::OwnerName => formatter.write_str("its owner has a name"),
            Self::ModificationTime => formatter.write_str("its time differs from the others'"),
            Self::ExtendedRecord(key) => write!(formatter, "it has the extended record `{key}`"),
            Self::Header => formatter.write_str("its header is damaged"),
        }
    }
}

/// So many of something.
fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

impl Problem {
    /// Whether the image specification forbids it. Other problems only break what images of this
    /// program promise: reproducible, minimal, nothing special; foreign base layers often have them.
    pub fn breaks_specification(&self) -> bool {
        match self {
            Self::Unreferenced { .. }
            | Self::DuplicateName { .. }
            | Self::NoHistory { .. }
            | Self::Unusual { .. }
            | Self::Unchecked { .. }
            | Self::UncheckedBlob { .. }
            | Self::Elsewhere { .. } => false,
            Self::TooMany {
                of_specification, ..
            } => *of_specification,
            Self::Entry { fault, .. } => matches!(
                fault,
                EntryFault::Duplicate
                    | EntryFault::BelowFile
                    | EntryFault::LinkLoop
                    | EntryFault::WhiteoutOfNothing
                    | EntryFault::Name(_)
                    | EntryFault::HardLink
                    | EntryFault::LongLink
                    | EntryFault::AbsoluteLink
                    | EntryFault::Owner
                    | EntryFault::Header
            ),
            _ => true,
        }
    }
}
