//! `ld.so.conf`: the directories that a root adds to those its loader always searches (ldconfig(8)).

use globset::GlobBuilder;

use super::RuntimeError;
use super::root::LibraryRoot;

const MAIN: &str = "/etc/ld.so.conf";
const MAX_BYTES: u64 = 1024 * 1024;
const MAX_FILES: usize = 1024;
const MAX_DIRECTORIES: usize = 1024;
const MAX_DEPTH: usize = 8;

/// One line that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Directive {
    Directory(String),
    Include(String),
}

/// The configured directories of `root`, in order, each once.
///
/// The cache that ldconfig makes of them is not read: it may be older than what it lists.
pub(super) fn directories(root: &LibraryRoot) -> Result<Vec<String>, RuntimeError> {
    let mut reader = Reader {
        root,
        directories: Vec::new(),
        files: 0,
    };
    reader.read(MAIN, 0)?;
    Ok(reader.directories)
}

struct Reader<'a> {
    root: &'a LibraryRoot,
    directories: Vec<String>,
    files: usize,
}

impl Reader<'_> {
    fn read(&mut self, path: &str, depth: usize) -> Result<(), RuntimeError> {
        self.files += 1;
        if self.files > MAX_FILES || depth > MAX_DEPTH {
            return Err(RuntimeError::TooMany {
                what: format!("files included by `{MAIN}`"),
                limit: MAX_FILES,
            });
        }
        let Some(text) = self.root.text(path, MAX_BYTES)? else {
            return Ok(());
        };
        for directive in parse(&text) {
            match directive {
                Directive::Directory(directory) => self.add(directory)?,
                Directive::Include(pattern) => {
                    for file in self.matching(path, &pattern)? {
                        self.read(&file, depth + 1)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, directory: String) -> Result<(), RuntimeError> {
        if !self.directories.contains(&directory) {
            self.directories.push(directory);
        }
        if self.directories.len() > MAX_DIRECTORIES {
            return Err(RuntimeError::TooMany {
                what: format!("directories in `{MAIN}`"),
                limit: MAX_DIRECTORIES,
            });
        }
        Ok(())
    }

    /// Paths that `pattern` stands for, sorted; a relative one begins where `includer` is.
    fn matching(&self, includer: &str, pattern: &str) -> Result<Vec<String>, RuntimeError> {
        let start = match includer.rsplit_once('/') {
            Some((directory, _)) if !pattern.starts_with('/') => directory,
            _ => "",
        };
        let mut found = vec![start.to_owned()];
        for component in pattern.split('/').filter(|component| !component.is_empty()) {
            let mut next = Vec::new();
            for directory in &found {
                for name in self.names_matching(directory, component)? {
                    next.push(format!("{directory}/{name}"));
                }
            }
            if next.len() > MAX_FILES {
                return Err(RuntimeError::TooMany {
                    what: format!("files included by `{MAIN}`"),
                    limit: MAX_FILES,
                });
            }
            found = next;
        }
        Ok(found)
    }

    fn names_matching(
        &self,
        directory: &str,
        component: &str,
    ) -> Result<Vec<String>, RuntimeError> {
        if !component.contains(['*', '?', '[']) {
            return Ok(vec![component.to_owned()]);
        }
        let Ok(glob) = GlobBuilder::new(component).literal_separator(true).build() else {
            return Ok(Vec::new());
        };
        let matcher = glob.compile_matcher();
        let mut names = self.root.names(&format!("{directory}/"))?;
        // A shell's `*` passes over hidden files, and so does ldconfig's.
        names.retain(|name| {
            matcher.is_match(name) && (component.starts_with('.') || !name.starts_with('.'))
        });
        Ok(names)
    }
}

fn parse(text: &str) -> Vec<Directive> {
    text.lines().flat_map(parse_line).collect()
}

fn parse_line(line: &str) -> Vec<Directive> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let mut words = line.split_whitespace();
    match words.next() {
        Some("include") => words
            .map(|pattern| Directive::Include(pattern.to_owned()))
            .collect(),
        Some("hwcap") | None => Vec::new(),
        // `/lib=libc5` names a kind of library that has not been told apart for decades.
        Some(_) => line
            .split('=')
            .next()
            .map(|directory| directory.trim().trim_end_matches('/'))
            .filter(|directory| {
                directory.starts_with('/') && !directory.chars().any(char::is_control)
            })
            .map(|directory| Directive::Directory(directory.to_owned()))
            .into_iter()
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use fs_err as fs;
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    fn root(files: &[(&str, &str)]) -> (TempDir, LibraryRoot) {
        let directory = TempDir::new().expect("temp");
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().expect("has one")).expect("directory");
            fs::write(path, text).expect("file");
        }
        let root = LibraryRoot::open(directory.path()).expect("a directory");
        (directory, root)
    }

    #[test]
    fn includes_stand_where_they_are_named_sorted_by_name() {
        let (_directory, root) = root(&[
            (
                "etc/ld.so.conf",
                "/first/ # mine\ninclude ld.so.conf.d/*.conf\n\nhwcap 1 x\n/last=libc6\n",
            ),
            ("etc/ld.so.conf.d/b.conf", "/b\n/first\nrelative\n"),
            ("etc/ld.so.conf.d/a.conf", "/a\n"),
            ("etc/ld.so.conf.d/.hidden.conf", "/hidden\n"),
            ("etc/ld.so.conf.d/other.txt", "/other\n"),
        ]);
        let found = directories(&root).expect("sound");
        assert_eq!(found, ["/first", "/a", "/b", "/last"]);
    }

    #[test]
    fn patterns_may_be_absolute_and_match_directories() {
        let (_directory, root) = root(&[
            ("etc/ld.so.conf", "include /opt/*/ld.conf missing.conf"),
            ("opt/two/ld.conf", "/opt/two/lib"),
            ("opt/one/ld.conf", "/opt/one/lib"),
        ]);
        let found = directories(&root).expect("sound");
        assert_eq!(found, ["/opt/one/lib", "/opt/two/lib"]);
    }

    #[test]
    fn files_that_include_themselves_end() {
        let (_directory, root) = root(&[("etc/ld.so.conf", "include ld.so.conf")]);
        assert!(matches!(
            directories(&root),
            Err(RuntimeError::TooMany { .. })
        ));
    }

    #[test]
    fn a_root_without_configuration_adds_nothing() {
        let (_directory, root) = root(&[]);
        assert!(directories(&root).expect("sound").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_gives_absolute_directories(text in "([/a-z#= \\t\\n]|include |hwcap |.){0,60}") {
            for directive in parse(&text) {
                if let Directive::Directory(directory) = directive {
                    prop_assert!(directory.starts_with('/'));
                    prop_assert!(!directory.contains(['\n', '#', '\0']));
                }
            }
        }
    }
}
