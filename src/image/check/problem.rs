//! What the checker finds.

use std::fmt;

use crate::digest::Digest;
use crate::source::NameFault;

/// Problems kept at most of each kind; a hostile layer could have millions.
const MAX_PROBLEMS: usize = 10_000;

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
    /// A document that is not JSON, or has a field of the wrong type, or one field twice.
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
    /// A file among the blobs whose name is no digest that can be checked.
    #[error("`blobs/{name}` is not a blob with a sha256 digest for a name")]
    BlobName {
        /// Relative to `blobs`.
        name: String,
    },
    /// A blob that nothing leads to.
    #[error("nothing refers to blob {digest}")]
    Unreferenced {
        /// The blob.
        digest: Digest,
    },
    /// Two entries with one name.
    #[error("two images are named `{name}`")]
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
    /// A digest that is not `sha256:` and 64 lower-case hexadecimal digits.
    #[error("{at} has the digest `{text}`, which is not sha256 in lower case")]
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
        digest: Digest,
    },
    /// A descriptor with the wrong size.
    #[error("{at} gives blob {digest} {expected} bytes, but it has {found}")]
    Size {
        /// Where.
        at: String,
        /// The blob.
        digest: Digest,
        /// As written.
        expected: u64,
        /// As measured.
        found: u64,
    },
    /// A blob that is not what its name says.
    #[error("blob {digest} has content of digest {found}")]
    Content {
        /// Its name.
        digest: Digest,
        /// Its content's digest.
        found: Digest,
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
    #[error("{at} has {layers} layers, but its configuration has {diff_ids}")]
    LayerCount {
        /// Where.
        at: String,
        /// In the manifest.
        layers: usize,
        /// In the configuration.
        diff_ids: usize,
    },
    /// History and layers disagree; a history that is absent counts as empty.
    #[error("{at} has {history} history entries with a layer for {diff_ids} layers")]
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
        expected: Digest,
        /// As computed.
        found: Digest,
    },
    /// A layer that is not compressed as its media type says.
    #[error("layer {layer} cannot be decompressed: {error}")]
    Compression {
        /// The blob.
        layer: Digest,
        /// What the decompressor says.
        error: String,
    },
    /// A layer that unpacks to more than is believable.
    #[error("layer {layer} unpacks to more than {limit} bytes")]
    Inflated {
        /// The blob.
        layer: Digest,
        /// Bytes.
        limit: u64,
    },
    /// A layer that is no tar, or one beyond the limits of names.
    #[error("layer {layer} is not a valid tar: {error}")]
    Tar {
        /// The blob.
        layer: Digest,
        /// What the reader says.
        error: String,
    },
    /// A tar without two empty blocks at the end, or with something after them.
    #[error("the tar of layer {layer} does not end as it should")]
    TarEnd {
        /// The blob.
        layer: Digest,
    },
    /// Something about one entry of a layer.
    #[error("layer {layer}, entry `{path}`: {fault}")]
    Entry {
        /// The blob.
        layer: Digest,
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
    /// Its name is none that an image should have.
    Name(NameFault),
    /// An order to delete something of a lower layer.
    Whiteout,
    /// A device, pipe, sparse file or unknown kind; its type byte.
    SpecialFile(u8),
    /// A hard link to what is not an earlier file of the layer.
    HardLink,
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
            Self::Name(fault) => fault.fmt(formatter),
            Self::Whiteout => formatter.write_str("it deletes a file of a lower layer"),
            Self::SpecialFile(kind) => {
                write!(formatter, "it is a special file of type {kind:#04x}")
            }
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

impl Problem {
    /// Whether the image specification forbids it. Other problems only break what images of this
    /// program promise: reproducible, minimal, nothing special; foreign base layers often have them.
    pub fn breaks_specification(&self) -> bool {
        match self {
            Self::Unreferenced { .. } | Self::HistoryCount { history: 0, .. } => false,
            Self::TooMany {
                of_specification, ..
            } => *of_specification,
            Self::Entry { fault, .. } => matches!(
                fault,
                EntryFault::Duplicate
                    | EntryFault::Name(_)
                    | EntryFault::HardLink
                    | EntryFault::AbsoluteLink
                    | EntryFault::Owner
                    | EntryFault::Header
            ),
            _ => true,
        }
    }
}

/// Collects problems up to a limit: what breaks the specification is not lost among all else.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    breaking: usize,
    others: usize,
}

impl Findings {
    pub(super) fn add(&mut self, problem: Problem) {
        let of_specification = problem.breaks_specification();
        let count = if of_specification {
            &mut self.breaking
        } else {
            &mut self.others
        };
        *count += 1;
        if *count <= MAX_PROBLEMS {
            self.problems.push(problem);
        } else if *count == MAX_PROBLEMS + 1 {
            self.problems.push(Problem::TooMany {
                limit: MAX_PROBLEMS,
                of_specification,
            });
        }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}
