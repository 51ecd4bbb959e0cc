//! What `.dockerignore` keeps out of a context, by docker's own rules, which are not those of git: a
//! pattern begins at the context's root, comments stand at the beginning of a line, and what a pattern
//! says of a directory it says of everything in it.

use std::io::{self, Read as _};
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use crate::adopt::paths::name;
use crate::adopt::remark::Remark;

const FILE: &str = ".dockerignore";
/// Larger than any such file.
const MAX_SIZE: u64 = 128 * 1024;
/// More lines than any such file has.
const MAX_PATTERNS: usize = 2_000;

/// The patterns of such a file.
#[derive(Debug, Default)]
pub(in crate::adopt) struct Ignored {
    /// What the file is called.
    pub(in crate::adopt) file: String,
    patterns: Vec<Pattern>,
    /// Why something of it is not followed.
    pub(in crate::adopt) remarks: Vec<Remark>,
}

#[derive(Debug)]
struct Pattern {
    matcher: GlobMatcher,
    /// `!`: what it matches stays in.
    is_exception: bool,
}

impl Ignored {
    /// The one for a Dockerfile, which `BuildKit` looks for beside that first, and in the context then.
    pub(in crate::adopt) fn of(dockerfile: &Path, context: &Path) -> Self {
        let own = format!("{}{FILE}", dockerfile.display());
        let own = Path::new(&own);
        let found = [own, &context.join(FILE)]
            .into_iter()
            .find(|path| path.is_file())
            .map(|path| (name(&path.to_string_lossy()).to_owned(), read(path)));
        match found {
            None => Self::default(),
            Some((file, Ok(text))) => Self::new(&file, &text),
            Some((file, Err(error))) => {
                let mut ignored = Self::new(&file, "");
                ignored.remarks.push(Remark::lost(
                    0,
                    &format!("`{file}` cannot be read: {error}"),
                    "what it keeps out is in the image, too: look at what `assets` name",
                ));
                ignored
            }
        }
    }

    fn new(file: &str, text: &str) -> Self {
        let mut ignored = Self {
            file: file.to_owned(),
            ..Self::default()
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        for line in lines.map(str::trim).filter(|line| !line.is_empty()) {
            let (is_exception, pattern) = match line.strip_prefix('!') {
                Some(pattern) => (true, pattern.trim()),
                None => (false, line),
            };
            let Some(pattern) = cleaned(pattern) else {
                continue;
            };
            let matcher = glob(&pattern)
                .filter(|_| ignored.patterns.len() < MAX_PATTERNS)
                .and_then(|glob| GlobBuilder::new(&glob).literal_separator(true).build().ok())
                .map(|glob| glob.compile_matcher());
            match matcher {
                Some(matcher) => ignored.patterns.push(Pattern {
                    matcher,
                    is_exception,
                }),
                None => ignored.remarks.push(Remark::lost(
                    0,
                    &format!("`{line}` of `{file}` is not understood"),
                    "what it keeps out is in the image, too: look at what `assets` name",
                )),
            }
        }
        ignored
    }

    /// Whether nothing is kept out.
    pub(in crate::adopt) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a file of the context is kept out: the last pattern counts that matches it or a directory
    /// it is in.
    pub(in crate::adopt) fn keeps_out(&self, path: &str) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let ends = path.match_indices('/').map(|(at, _)| at);
        let prefixes: Vec<&str> = ends
            .chain([path.len()])
            .filter_map(|end| path.get(..end))
            .collect();
        let last = self.patterns.iter().rev().find(|pattern| {
            let mut prefixes = prefixes.iter();
            prefixes.any(|prefix| pattern.matcher.is_match(prefix))
        });
        last.is_some_and(|pattern| !pattern.is_exception)
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = fs_err::File::open(path)?;
    if file.take(MAX_SIZE + 1).read_to_string(&mut text)? as u64 > MAX_SIZE {
        return Err(io::Error::other("it is larger than 128 KiB"));
    }
    Ok(text)
}

/// A pattern without what says nothing: `/`, `.`, `..`; `None` where nothing is left, which docker takes
/// for no pattern, or where it begins outside of the context.
fn cleaned(pattern: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The same as `globset` writes it; `None` for what that cannot say.
fn glob(pattern: &str) -> Option<String> {
    let mut glob = String::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '*' if rest.starts_with('*') => {
                // Any number of directories, even none: docker takes `**x` as `**/x`.
                rest = rest.strip_prefix('*').unwrap_or(rest);
                rest = rest.strip_prefix('/').unwrap_or(rest);
                if rest.is_empty() {
                    // Directories stand for all that is in them.
                    glob.push('*');
                } else if glob.is_empty() || glob.ends_with('/') {
                    glob.push_str("**/");
                } else {
                    return None;
                }
            }
            '[' => {
                // Only `^` is a negation there.
                let is_plain = !rest.starts_with(['!', ']']) && !rest.starts_with("^]");
                let (class, after) = rest.split_once(']').filter(|_| is_plain)?;
                if class.contains(['\\', '[']) {
                    return None;
                }
                glob.extend(["[", class, "]"]);
                rest = after;
            }
            '\\' => {
                let next = rest.chars().next()?;
                glob.extend(['\\', next]);
                rest = rest.get(next.len_utf8()..).unwrap_or_default();
            }
            '{' | '}' | ']' => glob.extend(['\\', c]),
            c => glob.push(c),
        }
    }
    Some(glob)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_are_kept_out_as_docker_does() {
        for (text, out, stays) in [
            (
                "config",
                &["config", "config/a/b"][..],
                &["a/config", "configs"][..],
            ),
            ("/config/", &["config/a"], &["a/config"]),
            ("./a/../b//c/.", &["b/c"], &["a", "b"]),
            ("# config\n #x\n\n", &["#x"], &["config"]),
            ("*.md", &["README.md"], &["docs/a.md"]),
            ("**/*.md", &["README.md", "a/b/c.md"], &["a.mdx"]),
            ("**secret", &["secret", "a/secret"], &["a/b-secret"]),
            ("a/**", &["a/b", "a/b/c"], &["a", "ab"]),
            ("a/**/b", &["a/b", "a/x/y/b"], &["a/xb"]),
            ("**", &["a", "a/b"], &[]),
            ("*\n!a", &["b", "b/a"], &["a", "a/b"]),
            ("*\n! /a/b", &["a/c"], &["a/b", "a/b/c"]),
            (
                "a\n!a/*.toml\na/secret.toml",
                &["a/x", "a/secret.toml"],
                &["a/b.toml"],
            ),
            ("!a\na", &["a"], &[]),
            ("a?c\n[x-z]", &["abc", "y"], &["a/c", "w"]),
            ("[^x]y", &["ay"], &["xy"]),
            ("{a,b}\n\\*", &["{a,b}", "*"], &["a", "x"]),
            (".\n/\n..\n../x", &[], &["x", "a"]),
        ] {
            let ignored = Ignored::new(FILE, text);
            assert!(ignored.remarks.is_empty(), "{text}: {:?}", ignored.remarks);
            for path in out {
                assert!(ignored.keeps_out(path), "{text}: {path} is kept out");
            }
            for path in stays {
                assert!(!ignored.keeps_out(path), "{text}: {path} stays");
            }
        }
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for text in ["a**b", "[!a]", "[a", "a\\"] {
            assert_eq!(Ignored::new(FILE, text).remarks.len(), 1, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "(?s)[ab/*?!#.\\[\\]^{},\\\\\n-]{0,60}", path in "[ab/.]{0,12}") {
            Ignored::new(FILE, &text).keeps_out(&path);
        }
    }
}
