//! How a layer is compressed.

use std::fmt;
use std::ops::RangeInclusive;

use crate::hint::{Hint, near_names};
use crate::oci::media_type;

const NAMES: [&str; 3] = ["gzip", "zstd", "none"];
const GZIP_LEVELS: RangeInclusive<u32> = 0..=9;
/// From level 20 on, whoever unpacks needs far more memory; below 1, gzip does better.
const ZSTD_LEVELS: RangeInclusive<i32> = 1..=19;

/// How the blob of a layer is made from its tar. The digest of a layer depends on it, its `diff_id`
/// does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// What every registry and runtime reads.
    Gzip {
        /// 0 (stored) to 9.
        level: u32,
    },
    /// Smaller and several times faster, for runtimes of the last years.
    Zstd {
        /// 1 to 19.
        level: i32,
    },
    /// The plain tar.
    None,
}

/// A compression that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCompression {
    /// No such name.
    #[error("unknown compression `{0}`")]
    Name(String),
    /// No such level.
    #[error("`{name}` has no level {level}")]
    Level {
        /// The compression.
        name: &'static str,
        /// What was asked for.
        level: i64,
    },
}

impl Hint for InvalidCompression {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Name(name) => match near_names(name, NAMES).first() {
                Some(near) => format!("write `{near}`"),
                None => "write `gzip`, `zstd` or `none`".to_owned(),
            },
            Self::Level { name: "gzip", .. } => levels(&GZIP_LEVELS),
            Self::Level { name: "zstd", .. } => levels(&ZSTD_LEVELS),
            Self::Level { .. } => "leave the level out".to_owned(),
        })
    }
}

fn levels<T: fmt::Display>(range: &RangeInclusive<T>) -> String {
    format!("choose a level from {} to {}", range.start(), range.end())
}

impl Compression {
    /// Gzip at the level that every tool takes by default.
    pub const GZIP: Self = Self::Gzip { level: 6 };
    /// Zstandard at its own default level.
    pub const ZSTD: Self = Self::Zstd { level: 3 };

    /// `gzip`, `zstd` or `none`, at the default level unless one is given.
    ///
    /// # Errors
    /// When there is no such name, or it has no such level.
    pub fn new(name: &str, level: Option<i64>) -> Result<Self, InvalidCompression> {
        match (name, level) {
            ("gzip", None) => Ok(Self::GZIP),
            ("gzip", Some(level)) => u32::try_from(level)
                .map_err(|_| InvalidCompression::Level {
                    name: "gzip",
                    level,
                })
                .and_then(|level| Self::Gzip { level }.checked()),
            ("zstd", None) => Ok(Self::ZSTD),
            ("zstd", Some(level)) => i32::try_from(level)
                .map_err(|_| InvalidCompression::Level {
                    name: "zstd",
                    level,
                })
                .and_then(|level| Self::Zstd { level }.checked()),
            ("none", None) => Ok(Self::None),
            ("none", Some(level)) => Err(InvalidCompression::Level {
                name: "none",
                level,
            }),
            _ => Err(InvalidCompression::Name(name.to_owned())),
        }
    }

    /// This one, if its level exists: the fields are public, so a level may come from anywhere.
    ///
    /// # Errors
    /// When there is no such level.
    pub fn checked(self) -> Result<Self, InvalidCompression> {
        match self {
            Self::Gzip { level } if !GZIP_LEVELS.contains(&level) => {
                Err(InvalidCompression::Level {
                    name: "gzip",
                    level: level.into(),
                })
            }
            Self::Zstd { level } if !ZSTD_LEVELS.contains(&level) => {
                Err(InvalidCompression::Level {
                    name: "zstd",
                    level: level.into(),
                })
            }
            fine => Ok(fine),
        }
    }

    /// The media type of a layer so compressed (image-spec, layer.md).
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Gzip { .. } => media_type::LAYER_GZIP,
            Self::Zstd { .. } => media_type::LAYER_ZSTD,
            Self::None => media_type::LAYER,
        }
    }
}

impl Default for Compression {
    fn default() -> Self {
        Self::GZIP
    }
}

impl fmt::Display for Compression {
    /// `gzip-6`, `zstd-3`, `none`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gzip { level } => write!(formatter, "gzip-{level}"),
            Self::Zstd { level } => write!(formatter, "zstd-{level}"),
            Self::None => formatter.write_str("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_have_default_levels() {
        let shown = |name, level| Compression::new(name, level).map(|it| it.to_string());
        assert_eq!(shown("gzip", None).as_deref(), Ok("gzip-6"));
        assert_eq!(shown("zstd", None).as_deref(), Ok("zstd-3"));
        assert_eq!(shown("none", None).as_deref(), Ok("none"));
        assert_eq!(shown("gzip", Some(0)).as_deref(), Ok("gzip-0"));
        assert_eq!(shown("zstd", Some(19)).as_deref(), Ok("zstd-19"));
    }

    #[test]
    fn levels_out_of_range_are_refused_with_the_range() {
        for (name, level, hint) in [
            ("gzip", 10, "choose a level from 0 to 9"),
            ("gzip", -1, "choose a level from 0 to 9"),
            ("zstd", 0, "choose a level from 1 to 19"),
            ("zstd", i64::MAX, "choose a level from 1 to 19"),
            ("none", 1, "leave the level out"),
        ] {
            let error = Compression::new(name, Some(level)).expect_err("no such level");
            assert_eq!(error.hint().as_deref(), Some(hint), "{error}");
        }
        assert!(Compression::Gzip { level: 10 }.checked().is_err());
    }

    #[test]
    fn a_misspelt_name_gets_the_near_one() {
        let error = Compression::new("gzipp", None).expect_err("unknown");
        assert_eq!(error.hint().as_deref(), Some("write `gzip`"));
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_passes_the_check(name in "gzip|zstd|none|.*", level: Option<i64>) {
            if let Ok(compression) = Compression::new(&name, level) {
                prop_assert_eq!(compression.checked(), Ok(compression));
                prop_assert!(compression.to_string().starts_with(&name));
            }
        }
    }
}
