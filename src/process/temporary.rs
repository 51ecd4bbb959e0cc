//! Where temporary files go.

use std::path::PathBuf;

use super::Environment;
use crate::hint::Hint;

/// The place for temporary files is no directory.
#[derive(Debug, thiserror::Error)]
pub enum NoTemporaryDirectory {
    /// The variable says where.
    #[error("TMPDIR names a directory that does not exist: `{0}`")]
    Named(PathBuf),
    /// Nothing says where.
    #[error("there is no directory `/tmp` for temporary files")]
    Usual,
}

impl Hint for NoTemporaryDirectory {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Named(_) => "create it, or let TMPDIR name another directory".to_owned(),
            Self::Usual => "create it, or let TMPDIR name a directory".to_owned(),
        })
    }
}

/// Where the system wants temporary files: `$TMPDIR`, else `/tmp`.
///
/// # Errors
/// [`NoTemporaryDirectory`] where that is no directory.
pub fn temporary_directory(environment: &Environment) -> Result<PathBuf, NoTemporaryDirectory> {
    let named = environment
        .os("TMPDIR")
        .map(|path| environment.resolve(path));
    match named {
        Some(path) if path.is_dir() => Ok(path),
        Some(path) => Err(NoTemporaryDirectory::Named(path)),
        None => {
            let usual = PathBuf::from("/tmp");
            if usual.is_dir() {
                Ok(usual)
            } else {
                Err(NoTemporaryDirectory::Usual)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tmpdir_that_does_not_exist_is_named() {
        let of = |value: &str| {
            temporary_directory(&Environment::new("/", [("TMPDIR".into(), value.into())]))
        };
        assert_eq!(of("/usr").expect("there"), PathBuf::from("/usr"));
        let error = of("nowhere/at/all").expect_err("not there");
        assert_eq!(
            error.to_string(),
            "TMPDIR names a directory that does not exist: `/nowhere/at/all`"
        );
        assert!(error.hint().is_some());
    }
}
