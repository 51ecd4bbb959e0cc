//! Where the program loader looks for a library (ld.so(8), and musl's `ldso/dynlink.c`).
//!
//! What the loader of a running system also looks at is left out, because an image has none of it:
//! `LD_LIBRARY_PATH`, the cache, and directories for newer processors (`glibc-hwcaps`).

use super::RuntimeError;
use super::elf::{ElfFile, Machine};
use super::loader_config;
use super::root::{LibraryRoot, Resolved};

const MUSL_DIRECTORIES: [&str; 3] = ["/lib", "/usr/local/lib", "/usr/lib"];
const MAX_MUSL_PATH: u64 = 64 * 1024;
/// The glibc files that are in every image of a dynamic executable.
pub(super) const GLIBC_LIBRARIES: [&str; 3] = ["libc.so.6", "libm.so.6", "libgcc_s.so.1"];

/// Whose program loader it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Libc {
    Glibc,
    Musl,
}

impl Libc {
    /// Told by the name of the program loader: musl's is `ld-musl-ARCH.so.1`.
    pub(super) fn of_interpreter(path: &str) -> Self {
        if file_name(path).starts_with("ld-musl-") {
            Self::Musl
        } else {
            Self::Glibc
        }
    }
}

/// The directories that are searched for every object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SystemDirectories {
    /// Those of `ld.so.conf`, which take precedence.
    configured: Vec<String>,
    /// Those that loaders know without configuration.
    builtin: Vec<String>,
}

/// A library where the search found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// The path the loader would open.
    pub(super) path: String,
    /// What it leads to.
    pub(super) resolved: Resolved,
    /// What is in it.
    pub(super) elf: ElfFile,
}

/// What a search came to.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// The first fit.
    pub(super) found: Option<Candidate>,
    /// Paths of files that were passed over.
    pub(super) unfit: Vec<String>,
}

impl SystemDirectories {
    pub(super) fn glibc(root: &LibraryRoot, machine: &Machine) -> Result<Self, RuntimeError> {
        let multiarch = machine.multiarch;
        Ok(Self {
            configured: loader_config::directories(root)?,
            builtin: vec![
                format!("/lib/{multiarch}"),
                format!("/usr/lib/{multiarch}"),
                "/lib64".to_owned(),
                "/usr/lib64".to_owned(),
                "/lib64/lp64d".to_owned(),
                "/usr/lib64/lp64d".to_owned(),
                "/lib".to_owned(),
                "/usr/lib".to_owned(),
            ],
        })
    }

    /// musl reads its directories from a file named after the loader, at run time.
    pub(super) fn musl(root: &LibraryRoot, interpreter: &str) -> Result<Self, RuntimeError> {
        let configured = match musl_path_file(interpreter) {
            Some(path) => root.text(&path, MAX_MUSL_PATH)?,
            None => None,
        };
        let builtin = match configured {
            Some(text) => text
                .split([':', '\n'])
                .filter(|directory| directory.starts_with('/'))
                .map(str::to_owned)
                .collect(),
            None => MUSL_DIRECTORIES.map(str::to_owned).to_vec(),
        };
        Ok(Self {
            configured: Vec::new(),
            builtin,
        })
    }

    /// The directories to search for `name`. glibc's own files come from where glibc is, so that
    /// they are the same for all executables of a root.
    pub(super) fn of(&self, name: &str) -> impl Iterator<Item = &str> {
        let configured = if GLIBC_LIBRARIES.contains(&name) {
            &[]
        } else {
            &*self.configured
        };
        configured.iter().chain(&self.builtin).map(String::as_str)
    }
}

/// `/etc/ld-musl-x86_64.path` for `/lib/ld-musl-x86_64.so.1`.
pub(super) fn musl_path_file(interpreter: &str) -> Option<String> {
    let name = file_name(interpreter).strip_suffix(".so.1")?;
    Some(format!("/etc/{name}.path"))
}

/// musl's loader is its C library, under all the names that libraries of other systems are split
/// into.
pub(super) fn is_musl_itself(name: &str) -> bool {
    const RESERVED: [&str; 7] = [
        "libc.",
        "libpthread.",
        "librt.",
        "libm.",
        "libdl.",
        "libutil.",
        "libxnet.",
    ];
    RESERVED.iter().any(|reserved| name.starts_with(reserved))
}

/// Tries `directory/name`; a file for another processor is passed over, as the loader does.
pub(super) fn try_path(
    root: &LibraryRoot,
    machine: &Machine,
    path: &str,
    search: &mut Search,
) -> Result<bool, RuntimeError> {
    let Some(resolved) = root.file(path)? else {
        return Ok(false);
    };
    match ElfFile::read(&resolved.host)? {
        Ok(elf) if elf.check_loadable(machine).is_ok() => {
            search.found = Some(Candidate {
                path: path.to_owned(),
                resolved,
                elf,
            });
            Ok(true)
        }
        _ => {
            search.unfit.push(path.to_owned());
            Ok(false)
        }
    }
}

/// What the tokens of a search path stand for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tokens<'a> {
    /// The directory of the object whose path it is; `None` for the executable, which has its place
    /// only in the image.
    pub(super) origin: Option<&'a str>,
    /// `lib`, `lib64` or `lib/x86_64-linux-gnu`.
    pub(super) library: &'a str,
    /// Processor.
    pub(super) platform: &'a str,
}

/// Whether `entry` begins at the directory of the object.
pub(super) fn uses_origin(entry: &str) -> bool {
    entry.contains("$ORIGIN") || entry.contains("${ORIGIN}")
}

/// One entry of a search path with its tokens replaced; `None` where it is no absolute directory.
/// A relative one would depend on where the service is started.
pub(super) fn expand(entry: &str, tokens: Tokens<'_>) -> Option<String> {
    let mut expanded = String::new();
    let mut rest = entry;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let (token, tail) = split_token(after);
        match token {
            "ORIGIN" => expanded.push_str(tokens.origin?),
            "LIB" => expanded.push_str(tokens.library),
            "PLATFORM" => expanded.push_str(tokens.platform),
            _ => {
                expanded.push('$');
                rest = after;
                continue;
            }
        }
        rest = tail;
    }
    expanded.push_str(rest);
    expanded.starts_with('/').then_some(expanded)
}

/// The name after a `$`, in braces or not, and what follows it.
fn split_token(text: &str) -> (&str, &str) {
    if let Some((token, tail)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) {
        return (token, tail);
    }
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    text.split_at(end)
}

pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The directory a path stands in; `/` for what stands at the top.
pub(super) fn directory_of(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((directory, _)) => directory,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKENS: Tokens<'static> = Tokens {
        origin: Some("/opt/app"),
        library: "lib64",
        platform: "x86_64",
    };

    #[test]
    fn tokens_are_replaced_with_and_without_braces() {
        for (entry, expanded) in [
            ("$ORIGIN/../lib", Some("/opt/app/../lib")),
            ("${ORIGIN}x", Some("/opt/appx")),
            ("/usr/$LIB/$PLATFORM", Some("/usr/lib64/x86_64")),
            ("/a/$ORIGINAL", Some("/a/$ORIGINAL")),
            ("/a/$", Some("/a/$")),
            ("/a/${LIB", Some("/a/${LIB")),
            ("relative", None),
            ("", None),
        ] {
            assert_eq!(expand(entry, TOKENS).as_deref(), expanded, "{entry}");
        }
    }

    #[test]
    fn the_origin_of_the_executable_is_no_place_of_the_root() {
        let tokens = Tokens {
            origin: None,
            ..TOKENS
        };
        assert_eq!(expand("$ORIGIN/lib", tokens), None);
        assert_eq!(expand("/lib", tokens).as_deref(), Some("/lib"));
        assert!(uses_origin("${ORIGIN}/lib"));
    }

    #[test]
    fn musl_stands_for_its_own_parts() {
        assert!(is_musl_itself("libc.musl-x86_64.so.1"));
        assert!(is_musl_itself("libpthread.so.0"));
        assert!(!is_musl_itself("libcrypto.so.3"));
        assert_eq!(
            musl_path_file("/lib/ld-musl-x86_64.so.1").as_deref(),
            Some("/etc/ld-musl-x86_64.path")
        );
        assert_eq!(Libc::of_interpreter("/lib/ld-musl-x86_64.so.1"), Libc::Musl);
    }

    proptest! {
        #[test]
        fn expansion_is_absolute_or_nothing(entry in "([$/{}a-zA-Z_]|ORIGIN|LIB|PLATFORM|.){0,30}") {
            if let Some(expanded) = expand(&entry, TOKENS) {
                prop_assert!(expanded.starts_with('/'));
            }
        }
    }
}
