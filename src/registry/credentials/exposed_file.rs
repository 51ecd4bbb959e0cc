//! Files with credentials that others than their owner may read or write.

use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::docker_config::DockerConfig;

const READ: u32 = 0o044;
const WRITE: u32 = 0o022;

/// A file that should be its owner's alone, and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExposedFile {
    path: PathBuf,
    mode: u32,
}

impl ExposedFile {
    /// What is wrong with the mode of a file, if something is. A file that only names helpers may be read by anybody.
    pub(in crate::registry) fn of(config: &DockerConfig) -> Option<Self> {
        let path = config.path();
        let mode = fs_err::metadata(path).ok()?.permissions().mode() & 0o777;
        let bare = mode & WRITE != 0 || (mode & READ != 0 && config.holds_secrets());
        bare.then(|| Self {
            path: path.to_owned(),
            mode,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What to type.
    pub fn hint(&self) -> String {
        format!(
            "type `chmod 600 {}`",
            shell_word(&self.path.display().to_string())
        )
    }
}

impl fmt::Display for ExposedFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.mode & WRITE == 0 {
            "read"
        } else {
            "write"
        };
        let (path, mode) = (self.path.display(), self.mode);
        write!(
            formatter,
            "`{path}` is where credentials are kept, and others than its owner may {what} it (mode {mode:04o})"
        )
    }
}

/// A word of a POSIX shell's command line.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    /// What is said of a file with this text and mode.
    fn said(text: &str, mode: u32) -> Option<String> {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("config.json");
        fs_err::write(&path, text).expect("written");
        fs_err::set_permissions(&path, Permissions::from_mode(mode)).expect("set");
        let config = DockerConfig::read(path.clone()).expect("read");
        let exposed = ExposedFile::of(&config.expect("there"))?;
        assert_eq!(exposed.path(), path);
        let hint = format!("type `chmod 600 {}`", path.display());
        assert_eq!(exposed.hint(), hint);
        let start = format!("`{}` is where credentials are kept, and ", path.display());
        Some(exposed.to_string().trim_start_matches(&start).to_owned())
    }

    #[test]
    fn passwords_are_for_their_owner_alone() {
        for text in [
            r#"{"auths":{"a.io":{},"b.io":{"auth":"bWU6cA=="}}}"#,
            r#"{"auths":{"a.io":{"identitytoken":"t"}}}"#,
            r#"{"auths":{"a.io":{"username":"u","password":"p"}}}"#,
            r#"{"auths":{"a.io":{"registrytoken":"t"}}}"#,
        ] {
            for mode in [0o600, 0o400, 0o700, 0o611] {
                assert_eq!(said(text, mode), None, "{mode:o}");
            }
            for (mode, what) in [
                (0o640, "read"),
                (0o604, "read"),
                (0o644, "read"),
                (0o666, "write"),
            ] {
                let expected = format!("others than its owner may {what} it (mode {mode:04o})");
                assert_eq!(said(text, mode), Some(expected), "{mode:o}");
            }
        }
    }

    #[test]
    fn who_only_names_helpers_may_be_read_and_not_written() {
        for text in [
            r#"{"credsStore":"pass"}"#,
            r#"{"auths":{"a.io":{}},"credHelpers":{"a.io":"x"}}"#,
            r#"{"auths":{"a.io":{"auth":""}}}"#,
            "{}",
        ] {
            assert_eq!(said(text, 0o644), None);
            for mode in [0o602, 0o620, 0o666] {
                let expected = format!("others than its owner may write it (mode {mode:04o})");
                assert_eq!(said(text, mode), Some(expected));
            }
        }
    }

    #[test]
    fn odd_names_are_quoted_for_the_shell() {
        assert_eq!(
            shell_word("/home/me/.docker/config.json"),
            "/home/me/.docker/config.json"
        );
        assert_eq!(shell_word("/a b/it's"), r"'/a b/it'\''s'");
    }
}
