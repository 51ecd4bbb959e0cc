//! An asset, before it is written.

use std::cmp::Ordering;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use globset::Glob;
use toml_edit::InlineTable;
use walkdir::WalkDir;

use super::access::Owner;
use crate::adopt::dockerfile::Copy;
use crate::adopt::layers::is_pattern;
use crate::adopt::manifest::Thing;
use crate::adopt::paths::{below, join};

/// More entries of one directory are not looked at.
const MAX_ENTRIES: usize = 10_000;

/// More of what is in one directory is not looked at.
const MAX_THINGS: usize = 500;

/// Files of the context, and where they go.
#[derive(Debug, Clone)]
pub(super) struct Asset {
    pub(super) line: usize,
    /// As the configuration names them.
    pub(super) from: String,
    /// Where they go: the file, or the directory that they are in.
    pub(super) to: String,
    pub(super) mode: Option<String>,
    /// Whom it belongs to in the old image.
    pub(super) owner: Owner,
    pub(super) kind: Kind,
    /// The file on the disk; of a pattern, that.
    pub(super) source: PathBuf,
}

/// What an asset names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// Files of one directory.
    Pattern,
}

/// How an asset and a path in the image meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meeting {
    /// The path is the asset.
    Itself,
    /// The asset is in the path.
    Inside,
    /// The path is in the asset, or may be.
    Part,
    Apart,
}

impl Asset {
    /// The asset as the configuration has it.
    pub(super) fn table(&self) -> InlineTable {
        let mut table = InlineTable::new();
        table.insert("from", self.from.as_str().into());
        table.insert("to", self.to.as_str().into());
        if let Some(mode) = &self.mode {
            table.insert("mode", mode.as_str().into());
        }
        table
    }

    /// How it meets a path, in whose names `*` and its kin may stand.
    pub(super) fn meets(&self, path: &str) -> Meeting {
        let parts = |path: &str| -> Vec<String> {
            let parts = path.split('/').filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        let (own, other) = (parts(&self.to), parts(path));
        let fits = |(own, other): (&String, &String)| {
            own == other
                || (is_pattern(other)
                    && (other.starts_with('.') || !own.starts_with('.'))
                    && Glob::new(other).is_ok_and(|glob| glob.compile_matcher().is_match(own)))
        };
        if !own.iter().zip(&other).all(fits) {
            return Meeting::Apart;
        }
        match own.len().cmp(&other.len()) {
            Ordering::Equal if self.kind != Kind::Pattern => Meeting::Itself,
            Ordering::Equal | Ordering::Greater => Meeting::Inside,
            Ordering::Less if self.kind == Kind::File => Meeting::Apart,
            Ordering::Less => Meeting::Part,
        }
    }

    /// What stands in the image because of it.
    pub(super) fn things(&self) -> Vec<(String, Thing)> {
        let own = (self.kind == Kind::File).then(|| self.source.clone());
        let mut things = vec![(self.to.clone(), Thing::Asset(own))];
        if self.kind == Kind::Directory {
            let walk = WalkDir::new(&self.source).min_depth(1).sort_by_file_name();
            let entries = walk.into_iter().filter_map(Result::ok).take(MAX_THINGS);
            things.extend(entries.filter_map(|entry| {
                let inside = entry.path().strip_prefix(&self.source).ok()?.to_str()?;
                let file = (!entry.file_type().is_dir()).then(|| entry.path().to_owned());
                Some((join(&self.to, inside), Thing::Asset(file)))
            }));
        }
        things
    }

    /// Whether a path that ends with `*` means all that is in it: a shell leaves out what begins with a dot.
    pub(super) fn is_all_of(&self, path: &str) -> bool {
        let directory = match self.kind {
            Kind::File => return false,
            Kind::Directory => Some(self.source.as_path()),
            Kind::Pattern => self.source.parent(),
        };
        let Some(Ok(mut entries)) = directory.map(fs_err::read_dir) else {
            return false;
        };
        let is_seen = |entry: std::io::Result<fs_err::DirEntry>| {
            entry.is_ok_and(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        };
        below(path, &self.to) == Some("*")
            && entries.by_ref().take(MAX_ENTRIES).all(is_seen)
            && entries.next().is_none()
    }

    /// The permissions that its files may have.
    pub(super) fn modes(&self) -> Vec<u32> {
        const PLAIN: u32 = 0o644;
        const EXECUTABLE: u32 = 0o755;
        let given = self.mode.as_ref();
        if let Some(mode) = given.and_then(|mode| u32::from_str_radix(mode, 8).ok()) {
            return vec![mode];
        }
        if self.kind != Kind::File {
            return vec![PLAIN, EXECUTABLE];
        }
        let facts = self.source.metadata();
        let executable = facts.is_ok_and(|facts| facts.permissions().mode() & 0o111 != 0);
        vec![if executable { EXECUTABLE } else { PLAIN }]
    }
}

/// `--chmod` as the configuration writes it.
pub(super) fn mode(copy: &Copy) -> Option<String> {
    let (_, value) = copy.flags.iter().find(|(flag, _)| flag == "chmod")?;
    octal(value).map(written)
}

/// A mode as the configuration writes it.
pub(super) fn written(mode: u32) -> String {
    format!("0{mode:03o}")
}

/// Permissions in digits.
pub(super) fn octal(text: &str) -> Option<u32> {
    let mode = u32::from_str_radix(text, 8).ok()?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (digits && (1..=0o7777).contains(&mode)).then_some(mode)
}

/// What `chmod` makes of a mode: digits, or `u+x,go-w`; `None` of what it does not take.
pub(super) fn changed(mode: u32, change: &str) -> Option<u32> {
    if let Some(mode) = octal(change) {
        return Some(mode);
    }
    let mut mode = mode;
    for clause in change.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, rest) = clause.split_at(at);
        let mut rest = rest.chars();
        let operator = rest.next()?;
        let mut bits = 0;
        for letter in rest {
            bits |= match letter {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                // Where someone may run it already.
                'X' if mode & 0o111 != 0 => 0o111,
                'X' => 0,
                's' => 0o6000,
                't' => 0o1000,
                _ => return None,
            };
        }
        let mut mask = 0;
        for letter in who.chars() {
            mask |= match letter {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                'a' => 0o7777,
                _ => return None,
            };
        }
        // The umask of a build keeps others from writing.
        let mask = if who.is_empty() { 0o7755 } else { mask };
        mode = match operator {
            '+' => mode | (bits & mask),
            '-' => mode & !(bits & mask),
            _ => (mode & !mask) | (bits & mask),
        };
    }
    Some(mode)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn modes_are_changed_as_chmod_does() {
        for (mode, change, expected) in [
            (0o644, "755", Some(0o755)),
            (0o644, "0600", Some(0o600)),
            (0o644, "4755", Some(0o4755)),
            (0o644, "+x", Some(0o755)),
            (0o644, "u+x,go-r", Some(0o700)),
            (0o644, "a+rX", Some(0o644)),
            (0o755, "a+rX", Some(0o755)),
            (0o755, "g=,o=", Some(0o700)),
            (0o755, "u+s", Some(0o4755)),
            (0o644, "+w", Some(0o644)),
            (0o644, "g+w", Some(0o664)),
            (0o644, "x", None),
            (0o644, "9", None),
            (0o644, "+q", None),
            (0o644, "77777", None),
        ] {
            assert_eq!(changed(mode, change), expected, "{mode:o} {change}");
        }
        assert_eq!(written(0o640), "0640");
        assert_eq!(written(0o4755), "04755");
    }

    proptest! {
        #[test]
        fn any_change_can_be_asked_for(change in "[ugoa+=rwxXst,0-9é-]{0,12}") {
            let mode = changed(0o644, &change);
            prop_assert!(mode.is_none_or(|mode| mode <= 0o7777));
        }
    }
}
