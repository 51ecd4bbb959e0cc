//! Where a value of the configuration comes from.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A place in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The manifest, relative to the workspace root where it lies below it.
    pub file: Arc<str>,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
}

/// The layer that a value comes from, and the place in it; later variants win over earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built into the program.
    Default,
    /// `[workspace.metadata.lighter]`.
    Workspace(Position),
    /// `[package.metadata.lighter]`.
    Package(Position),
    /// `[package.metadata.lighter.bin.NAME]`.
    Bin(Position),
    /// A variable of the environment.
    Environment {
        /// The variable, such as `LIGHTER_TAGS`.
        variable: String,
    },
    /// The command line.
    Flag {
        /// The flag, such as `--tag`.
        name: String,
    },
}

impl Origin {
    /// The place in a manifest, if it is one.
    pub fn position(&self) -> Option<&Position> {
        match self {
            Self::Workspace(position) | Self::Package(position) | Self::Bin(position) => {
                Some(position)
            }
            Self::Default | Self::Environment { .. } | Self::Flag { .. } => None,
        }
    }

    /// Whether the value is meant for every service alike, so that it may not fit each of them.
    pub fn is_shared(&self) -> bool {
        !matches!(self, Self::Package(_) | Self::Bin(_))
    }

    /// Whether all values there are texts, whatever they say.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Environment { .. } | Self::Flag { .. })
    }

    /// Which of two values wins: the number of the layer, counted from the built-in defaults.
    pub fn layer(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::Workspace(_) => 1,
            Self::Package(_) => 2,
            Self::Bin(_) => 3,
            Self::Environment { .. } => 4,
            Self::Flag { .. } => 5,
        }
    }

    /// The order in which a person looks places up: manifests line by line, then the rest.
    pub(super) fn reading_order(&self, other: &Self) -> Ordering {
        let key = |origin: &Self| match origin {
            Self::Environment { variable: name } | Self::Flag { name } => name.clone(),
            _ => String::new(),
        };
        match (self.position(), other.position()) {
            (Some(one), Some(two)) => one.cmp(two),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => (self.layer(), key(self)).cmp(&(other.layer(), key(other))),
        }
    }
}

/// `services/orders/Cargo.toml:14`, `LIGHTER_TAGS`, `--tag` or `default`.
impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::Workspace(position) | Self::Package(position) | Self::Bin(position) => {
                write!(formatter, "{}:{}", position.file, position.line)
            }
            Self::Environment { variable } => formatter.write_str(variable),
            Self::Flag { name } => formatter.write_str(name),
        }
    }
}

/// A value that remembers where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value<T> {
    /// The value.
    pub value: T,
    /// The layer that decided it; of a table merged from several, the last one that added to it.
    pub origin: Origin,
}
