//! The macros and attributes that read files, one row each. Adding one is adding a row.

use super::{Base, What};

/// Where a path that was found is looked for.
#[derive(Debug)]
pub(super) struct Target {
    /// What it is relative to.
    pub(super) base: Base,
    /// What is put before it.
    pub(super) prefix: &'static str,
    /// What is expected there.
    pub(super) what: What,
}

const fn at(base: Base, what: What) -> Target {
    Target {
        base,
        prefix: "",
        what,
    }
}

/// Which of a macro's arguments is the path, beside those with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    /// The first that is a path by itself: of `(Row, "a.sql", 1)` the second.
    Path,
    /// The first string literal, whatever stands around it.
    Literal,
    /// None.
    Keys,
}

/// A macro that reads files.
#[derive(Debug)]
pub(super) struct MacroRow {
    /// Its names without the crate's.
    pub(super) names: &'static [&'static str],
    /// Which argument is the path.
    pub(super) argument: Argument,
    /// Names before `:` or `=`, at most a few brackets deep, whose values are paths.
    pub(super) keys: &'static [&'static str],
    /// Where the path is looked for.
    pub(super) targets: &'static [Target],
    /// The path when none is given.
    pub(super) default: Option<&'static str>,
}

const ROW: MacroRow = MacroRow {
    names: &[],
    argument: Argument::Path,
    keys: &[],
    targets: &[],
    default: None,
};

const PACKAGE_FILE: &[Target] = &[at(Base::Package, What::File)];
const PACKAGE_DIRECTORY: &[Target] = &[at(Base::Package, What::Directory)];
const PACKAGE_ANY: &[Target] = &[at(Base::Package, What::Any)];
const SQLX_QUERIES: &[&str] = &[
    "query",
    "query_as",
    "query_as_unchecked",
    "query_scalar",
    "query_scalar_unchecked",
    "query_unchecked",
];
const SQLX_QUERY_FILES: &[&str] = &[
    "query_file",
    "query_file_as",
    "query_file_as_unchecked",
    "query_file_scalar",
    "query_file_scalar_unchecked",
    "query_file_unchecked",
];
/// sqlx keeps what a database said in the package or at the root of its workspace.
const SQLX_DATA: MacroRow = MacroRow {
    argument: Argument::Keys,
    targets: &[
        at(Base::Package, What::Directory),
        at(Base::Workspace, What::Directory),
    ],
    default: Some(".sqlx"),
    ..ROW
};

/// All macros that are known to read files. A name may have several rows.
pub(super) const MACROS: &[MacroRow] = &[
    MacroRow {
        names: &["include"],
        targets: &[at(Base::File, What::Source)],
        ..ROW
    },
    // The last two are of `include_bytes_aligned` and clap 2.
    MacroRow {
        names: &[
            "include_str",
            "include_bytes",
            "include_bytes_aligned",
            "load_yaml",
        ],
        targets: &[at(Base::File, What::File)],
        ..ROW
    },
    // `include_dir` leaves a relative path to rustc's own directory; its older versions do not.
    MacroRow {
        names: &["include_dir"],
        targets: &[
            at(Base::Package, What::Directory),
            at(Base::Workspace, What::Directory),
        ],
        ..ROW
    },
    // sqlx; diesel and refinery.
    MacroRow {
        names: &["migrate", "embed_migrations"],
        targets: PACKAGE_DIRECTORY,
        default: Some("migrations"),
        ..ROW
    },
    MacroRow {
        names: SQLX_QUERY_FILES,
        targets: PACKAGE_FILE,
        ..ROW
    },
    MacroRow {
        names: SQLX_QUERY_FILES,
        ..SQLX_DATA
    },
    MacroRow {
        names: SQLX_QUERIES,
        ..SQLX_DATA
    },
    // `include-sqlite-sql` and `include-postgres-sql`.
    MacroRow {
        names: &["include_sql"],
        targets: PACKAGE_FILE,
        ..ROW
    },
    // `include-flate`: `flate!(static A: [u8] from "path" with zstd)`.
    MacroRow {
        names: &["flate"],
        argument: Argument::Literal,
        targets: PACKAGE_FILE,
        ..ROW
    },
    // minijinja; tera and others have macros of that name, too.
    MacroRow {
        names: &["embed_templates", "include_templates"],
        targets: PACKAGE_DIRECTORY,
        default: Some("templates"),
        ..ROW
    },
    // `memory-serve`.
    MacroRow {
        names: &["load_assets"],
        targets: PACKAGE_DIRECTORY,
        ..ROW
    },
    // `rust-i18n`.
    MacroRow {
        names: &["i18n"],
        targets: PACKAGE_DIRECTORY,
        default: Some("locales"),
        ..ROW
    },
    // `fluent-templates`.
    MacroRow {
        names: &["static_loader"],
        argument: Argument::Keys,
        keys: &["locales", "core_locales"],
        targets: PACKAGE_ANY,
        ..ROW
    },
    // progenitor and typify.
    MacroRow {
        names: &["generate_api"],
        keys: &["spec"],
        targets: PACKAGE_FILE,
        ..ROW
    },
    MacroRow {
        names: &["import_types"],
        keys: &["schema"],
        targets: PACKAGE_FILE,
        ..ROW
    },
    // `wit-bindgen` and wasmtime.
    MacroRow {
        names: &["generate", "bindgen"],
        keys: &["path"],
        targets: PACKAGE_ANY,
        default: Some("wit"),
        ..ROW
    },
];

/// An attribute that names files.
#[derive(Debug)]
pub(super) struct AttributeRow {
    /// Its last name.
    pub(super) name: &'static str,
    /// The key in its parentheses; `None` for `#[name = "path"]`.
    pub(super) key: Option<&'static str>,
    /// Where the path is looked for.
    pub(super) targets: &'static [Target],
    /// A directory of the package that is needed, too.
    pub(super) also: Option<&'static str>,
}

/// All attributes that are known to name files, but for `#[path]`.
pub(super) const ATTRIBUTES: &[AttributeRow] = &[
    // `rust-embed`.
    AttributeRow {
        name: "folder",
        key: None,
        targets: PACKAGE_DIRECTORY,
        also: None,
    },
    // askama, rinja and sailfish. Templates take in each other.
    AttributeRow {
        name: "template",
        key: Some("path"),
        targets: &[Target {
            base: Base::Package,
            prefix: "templates/",
            what: What::File,
        }],
        also: Some("templates"),
    },
    AttributeRow {
        name: "template",
        key: Some("config"),
        targets: PACKAGE_FILE,
        also: None,
    },
    // `graphql_client` and cynic.
    AttributeRow {
        name: "graphql",
        key: Some("schema_path"),
        targets: PACKAGE_FILE,
        also: None,
    },
    AttributeRow {
        name: "graphql",
        key: Some("query_path"),
        targets: PACKAGE_FILE,
        also: None,
    },
    AttributeRow {
        name: "cynic",
        key: Some("schema_path"),
        targets: PACKAGE_FILE,
        also: None,
    },
    // pest.
    AttributeRow {
        name: "grammar",
        key: None,
        targets: &[
            at(Base::Package, What::File),
            Target {
                base: Base::Package,
                prefix: "src/",
                what: What::File,
            },
        ],
        also: None,
    },
];
