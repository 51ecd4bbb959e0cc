//! Every key that the configuration knows, in the order in which they are explained.
//!
//! This table is the only place that lists them: reading, hints, names of environment variables and
//! the table in the manual come from it.

use std::fmt::Write as _;

/// One key.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// As written in a manifest.
    pub name: &'static str,
    /// The shape of its value.
    pub shape: Shape,
    /// Where it may stand.
    pub scope: Scope,
    /// What a value is, with its article: `a list of strings`.
    pub expects: &'static str,
    /// A value as written in TOML.
    pub example: &'static str,
    /// The built-in value as written in TOML, unless there is none or each service has its own.
    pub default: Option<&'static str>,
    /// What it decides, as a fragment.
    pub meaning: &'static str,
}

/// The shape of a value: how a variable of the environment is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A list; separated by commas in the environment.
    List,
    /// A table, or a list of tables; not settable by the environment.
    Table,
}

/// Where a key may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In every table, and in the environment unless it is a table.
    Everywhere,
    /// Where a package or binary is described.
    PackageAndBin,
    /// Where a manifest speaks for itself.
    WorkspaceAndPackage,
    /// In a package's table only.
    Package,
    /// On the command line only.
    Flag,
    /// Nowhere yet: the name is kept for a later version.
    Later,
}

impl Key {
    /// The variable that sets it: `LIGHTER_STOP_SIGNAL`; `None` where the environment cannot.
    pub fn variable(&self) -> Option<String> {
        (self.scope == Scope::Everywhere && self.shape != Shape::Table)
            .then(|| variable_name(self.name))
    }

    /// `tags = ["latest"]`.
    pub(super) fn written(&self) -> String {
        format!("{} = {}", self.name, self.example)
    }
}

/// The variable a key of that name would have.
pub(super) fn variable_name(key: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", key.to_uppercase().replace('-', "_"))
}

/// What the names of all variables begin with.
pub const VARIABLE_PREFIX: &str = "LIGHTER_";

/// The key of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().copied().find(|key| key.name == name)
}

/// The table of keys for the manual, in Markdown.
pub fn markdown() -> String {
    let mut table = "| key | value | default | what it decides |\n|---|---|---|---|\n".to_owned();
    for key in KEYS.iter().filter(|key| key.scope != Scope::Later) {
        let default = key.default.map(|text| format!("`{text}`"));
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| `{}` | {}, such as `{}` | {} | {} |",
            key.name,
            key.expects,
            key.example,
            default.unwrap_or_default(),
            key.meaning,
        );
    }
    table
}

macro_rules! keys {
    ($($constant:ident = $name:literal $shape:ident $scope:ident
        $expects:literal $example:literal $default:expr, $meaning:literal;)*) => {
        $(pub(super) const $constant: &Key = &Key {
            name: $name,
            shape: Shape::$shape,
            scope: Scope::$scope,
            expects: $expects,
            example: $example,
            default: $default,
            meaning: $meaning,
        };)*

        /// All keys.
        pub const KEYS: &[&Key] = &[$($constant),*];
    };
}

keys! {
    REPO = "repo" Text Everywhere "a string" r#""ghcr.io/acme""# None,
        "registry and prefix that images are pushed to";
    NAME = "name" Text Everywhere "a string" r#""{repo}/{service}""# Some(r#""{repo}/{service}""#),
        "the image's name; may hold `{repo}`, `{service}`, `{package}`, `{version}`";
    TAGS = "tags" List Everywhere "a list of strings" r#"["{version}", "latest"]"# Some(r#"["latest"]"#),
        "tags; may hold `{version}`, `{git.sha}`, `{git.short}`, `{git.branch}`, `{digest}`";
    SKIP = "skip" Boolean PackageAndBin "`true` or `false`" "true" None,
        "whether the package or binary is no service";
    PATH = "path" Text Everywhere "a string" r#""/app/orders""# None,
        "where the executable goes; `/app/NAME` with the service's name unless set";
    LINKS = "links" List Everywhere "a list of strings" r#"["/usr/local/bin/orders"]"# Some("[]"),
        "symbolic links to the executable";
    PROFILE = "profile" Text Everywhere "a string" r#""release""# Some(r#""release""#),
        "cargo's profile";
    FEATURES = "features" List Everywhere "a list of strings" r#"["postgres"]"# Some("[]"),
        "features to activate";
    ALL_FEATURES = "all-features" Boolean Flag "`true` or `false`" "true" Some("false"),
        "whether to activate all features";
    NO_DEFAULT_FEATURES = "no-default-features" Boolean Everywhere "`true` or `false`" "true" Some("false"),
        "whether to leave out the default features";
    BUILDER = "builder" Text Everywhere "a string" r#""zigbuild""# Some(r#""cargo""#),
        "what compiles: `cargo` or `zigbuild`";
    LINKAGE = "linkage" Text Everywhere "a string" r#""static""# Some(r#""dynamic""#),
        "how the C library is linked: `dynamic` or `static`";
    REMAP_PATHS = "remap-paths" Boolean Everywhere "`true` or `false`" "false" Some("true"),
        "whether the executable is independent of the checkout's path";
    LIBRARY_ROOT = "library-root" Text Everywhere "a string" r#""sysroot""# Some(r#""/""#),
        "where shared libraries are taken from, relative to the workspace root";
    EXTRA_LIBS = "extra-libs" List Everywhere "a list of strings" r#"["libnss_dns.so.2"]"# Some("[]"),
        "libraries to add that the executable does not name";
    USER = "user" Text Everywhere "a string" r#""65532:65532""# Some(r#""65532:65532""#),
        "numeric user and group";
    WORKDIR = "workdir" Text Everywhere "a string" r#""/srv""# Some(r#""/""#),
        "where the process starts";
    ARGS = "args" List Everywhere "a list of strings" r#"["--listen", "0.0.0.0:8080"]"# Some("[]"),
        "arguments that a caller may replace";
    ENV = "env" Table Everywhere "a table of strings" r#"{ RUST_LOG = "info" }"# Some("{}"),
        "variables of the process; layers add to each other";
    PORTS = "ports" List Everywhere "a list of integers or strings" r#"[8080, "53/udp"]"# Some("[]"),
        "ports it listens on";
    VOLUMES = "volumes" List Everywhere "a list of strings" r#"["/data"]"# Some("[]"),
        "directories that hold data from outside";
    STOP_SIGNAL = "stop-signal" Text Everywhere "a string" r#""SIGINT""# None,
        "what stops it, when not SIGTERM";
    HEALTHCHECK = "healthcheck" List Everywhere "a list of strings" r#"["health"]"# None,
        "arguments with which the executable checks itself";
    LABELS = "labels" Table Everywhere "a table of strings" r#"{ "com.acme.team" = "payments" }"# Some("{}"),
        "labels of the image; layers add to each other";
    ANNOTATIONS = "annotations" Table Everywhere "a table of strings" r#"{ "com.acme.team" = "payments" }"# Some("{}"),
        "annotations of the manifest; layers add to each other";
    CREATED = "created" Text Everywhere "a string" r#""commit""# Some(r#""epoch""#),
        "the image's time: `epoch` or `commit`";
    ASSETS = "assets" Table Everywhere "a list of tables" r#"[{ from = "static", to = "/srv/static", mode = "0644" }]"# Some("[]"),
        "files to add; `from` is relative to the package, `/` in front means the workspace root";
    INPUTS = "inputs" List Everywhere "a list of strings" r#"["proto/**", "env:API_VERSION"]"# Some("[]"),
        "what the build reads that no scan can see";
    CA_CERTIFICATES = "ca-certificates" Boolean Everywhere "`true` or `false`" "false" Some("true"),
        "whether to add root certificates";
    TZDATA = "tzdata" Boolean Everywhere "`true` or `false`" "true" Some("false"),
        "whether to add time zones";
    COMPRESSION = "compression" Text Everywhere "a string" r#""zstd""# Some(r#""gzip""#),
        "how layers are compressed: `gzip`, `zstd` or `none`";
    COMPRESSION_LEVEL = "compression-level" Integer Everywhere "an integer" "9" None,
        "0 to 9 for gzip, 1 to 19 for zstd";
    MIN_VERSION = "min-version" Text WorkspaceAndPackage "a string" r#""0.1.0""# None,
        "the oldest version of this program that understands the manifest";
    BIN = "bin" Table Package "a table of tables" "{ orders = { ports = [8080] } }" None,
        "the same keys for one binary of the package";
    BASE = "base" Text Later "a string" r#""debian""# None, "the image to build on";
    PLATFORMS = "platforms" List Later "a list of strings" r#"["linux/arm64"]"# None,
        "the platforms to build for";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_kebab_case_and_unique() {
        let names: BTreeSet<&str> = KEYS.iter().map(|key| key.name).collect();
        assert_eq!(names.len(), KEYS.len());
        for name in names {
            assert!(
                name.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            );
        }
    }

    #[test]
    fn variables_follow_from_names() {
        assert_eq!(
            STOP_SIGNAL.variable().as_deref(),
            Some("LIGHTER_STOP_SIGNAL")
        );
        assert_eq!(LABELS.variable(), None);
        assert_eq!(SKIP.variable(), None);
    }

    #[test]
    fn examples_are_toml() {
        for key in KEYS {
            let parsed = key.written().parse::<toml_edit::DocumentMut>();
            assert!(parsed.is_ok(), "{}: {parsed:?}", key.name);
        }
    }

    #[test]
    fn the_manual_lists_every_usable_key() {
        let table = markdown();
        for key in KEYS {
            let row = format!("| `{}` |", key.name);
            assert_eq!(table.contains(&row), key.scope != Scope::Later, "{row}");
        }
    }
}
