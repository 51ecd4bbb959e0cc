//! Paths as they stand in an image.

use std::fmt;

use crate::hint::Hint;

const MAX_PATH: usize = 4096;
const MAX_COMPONENT: usize = 255;
/// Image-spec, layer.md: names beginning so delete files of lower layers, and cannot be stored.
const WHITEOUT: &str = ".wh.";

/// A path inside an image: relative, without `.`, `..` or empty components.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImagePath(String);

/// A text that is no path in an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` cannot stand in an image: {why}")]
pub struct InvalidPath {
    /// What was given, control characters as spaces.
    pub path: String,
    /// Which rule it breaks.
    pub why: &'static str,
}

impl Hint for InvalidPath {
    fn hint(&self) -> Option<String> {
        if self.why.contains(WHITEOUT) {
            let why = "rename the file: container runtimes take such names as an order to delete";
            return Some(why.to_owned());
        }
        self.why
            .contains("control character")
            .then(|| "rename the file".to_owned())
    }
}

impl ImagePath {
    /// Takes `/app/orders` or `app/orders`.
    ///
    /// # Errors
    /// [`InvalidPath`] with the rule that is broken.
    pub fn new(path: &str) -> Result<Self, InvalidPath> {
        let refuse = |why| {
            Err(InvalidPath {
                path: path.replace(char::is_control, " "),
                why,
            })
        };
        let relative = path.strip_prefix('/').unwrap_or(path).trim_end_matches('/');
        if relative.is_empty() {
            return refuse(if path.is_empty() {
                "it is empty"
            } else {
                "it is the root of the image itself"
            });
        }
        if relative.len() > MAX_PATH {
            return refuse("it is longer than 4096 bytes");
        }
        for component in relative.split('/') {
            match component {
                "" | "." | ".." => return refuse("it has an empty, `.` or `..` component"),
                name if name.starts_with(WHITEOUT) => return refuse("a name begins with `.wh.`"),
                name if name.len() > MAX_COMPONENT => {
                    return refuse("a name is longer than 255 bytes");
                }
                name if name.chars().any(char::is_control) => {
                    return refuse("it has a control character");
                }
                _ => {}
            }
        }
        Ok(Self(relative.to_owned()))
    }

    /// The relative form, as tar stores it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form a process in the container sees.
    pub fn absolute(&self) -> String {
        format!("/{}", self.0)
    }

    /// The directory it stands in, unless that is the root.
    pub fn parent(&self) -> Option<Self> {
        self.0
            .rsplit_once('/')
            .map(|(parent, _)| Self(parent.to_owned()))
    }

    /// This directory's entry `relative`.
    ///
    /// # Errors
    /// As [`ImagePath::new`].
    pub fn join(&self, relative: &str) -> Result<Self, InvalidPath> {
        Self::new(&format!("/{}/{relative}", self.0))
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "/{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whiteouts_and_climbing_paths_are_refused() {
        for text in [
            "",
            "/",
            "a/../b",
            "a//b",
            "./a",
            "a/.wh.b",
            "a\nb",
            &"x".repeat(300),
        ] {
            assert!(ImagePath::new(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn accepted_paths_stay_below_the_root(text in ".*") {
            if let Ok(path) = ImagePath::new(&text) {
                prop_assert!(path.as_str().split('/').all(|part| !part.is_empty() && part != ".."));
            }
        }
    }
}
