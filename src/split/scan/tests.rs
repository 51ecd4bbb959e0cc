use proptest::prelude::*;

use super::*;

fn reference(base: Base, path: &str, what: What) -> Reference {
    Reference {
        base,
        path: path.to_owned(),
        what,
    }
}

#[track_caller]
fn names(source: &str, expected: &[(Base, &str, What)]) {
    let expected: Vec<Reference> = expected
        .iter()
        .map(|(base, path, what)| reference(*base, path, *what))
        .collect();
    assert_eq!(scan_source(source).references, expected, "{source}");
}

use Base::{File as InFile, Modules, Package, Workspace};
use What::{Any, Directory, File, Module, Source};

#[test]
fn sees_what_is_included() {
    names(r#"include!("gen.rs");"#, &[(InFile, "gen.rs", Source)]);
    names(
        r#"const A: &str = std::include_str!("../a.txt");"#,
        &[(InFile, "../a.txt", File)],
    );
    names(
        r##"fn f() { g(&[::core::include_bytes!(r#"b"c"#,)]) }"##,
        &[(InFile, "b\"c", File)],
    );
    names(
        r#"#![doc = include_str!("../README.md")]"#,
        &[(InFile, "../README.md", File)],
    );
    names(
        r#"include_bytes_aligned!(8, "a.bin");"#,
        &[(InFile, "a.bin", File)],
    );
    names(
        r#"macro_rules! m { () => { include_str!("x") } }"#,
        &[(InFile, "x", File)],
    );
}

#[test]
fn text_and_comments_name_nothing() {
    names(
        "// include_str!(\"a\")\n/// include_str!(\"b\")\nfn f() { \"include_str!(\\\"c\\\")\"; }",
        &[],
    );
}

#[test]
fn concatenates_what_can_be_told() {
    names(
        r#"include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../x", concat!(".", "t")));"#,
        &[(Package, "../x.t", File)],
    );
    names(r#"include!(concat!(env!("OUT_DIR"), "/x.rs"));"#, &[]);
    names(
        r#"include_str!(concat!("a/", "b"));"#,
        &[(InFile, "a/b", File)],
    );
    names("include_str!($path);", &[]);
}

#[test]
fn a_path_with_an_unknown_end_names_its_directory() {
    names(
        r#"include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/", $name));"#,
        &[(Package, "../assets", Directory)],
    );
    names(
        r#"include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../", $name));"#,
        &[],
    );
}

#[test]
fn sees_directories_that_are_taken_in() {
    names(
        r#"static A: Dir = include_dir!("$CARGO_MANIFEST_DIR/../assets");"#,
        &[(Package, "../assets", Directory)],
    );
    names(
        r#"include_dir!("assets");"#,
        &[
            (Package, "assets", Directory),
            (Workspace, "assets", Directory),
        ],
    );
    names(r#"include_dir!("$OUT_DIR/assets");"#, &[]);
    names(
        "#[derive(RustEmbed)]\n#[folder = \"../web/dist\"]\nstruct Web;",
        &[(Package, "../web/dist", Directory)],
    );
    names(
        "i18n!(fallback = \"en\");",
        &[(Package, "locales", Directory)],
    );
    names(
        r#"static_loader! { static L = { locales: "./l", fallback_language: "en", core_locales: "c.ftl" }; }"#,
        &[(Package, "./l", Any), (Package, "c.ftl", Any)],
    );
}

#[test]
fn sees_what_databases_need() {
    names(
        r#"sqlx::migrate!("../db/migrations").run(&pool);"#,
        &[(Package, "../db/migrations", Directory)],
    );
    names("sqlx::migrate!()", &[(Package, "migrations", Directory)]);
    names(
        "const M: EmbeddedMigrations = embed_migrations!();",
        &[(Package, "migrations", Directory)],
    );
    names(
        r#"sqlx::query_file_as!(Row, "sql/a.sql", "argument")"#,
        &[
            (Package, "sql/a.sql", File),
            (Package, ".sqlx", Directory),
            (Workspace, ".sqlx", Directory),
        ],
    );
    names(
        r#"sqlx::query!("SELECT 1")"#,
        &[
            (Package, ".sqlx", Directory),
            (Workspace, ".sqlx", Directory),
        ],
    );
}

#[test]
fn sees_templates_and_schemas() {
    names(
        r#"#[derive(Template)] #[template(path = "a/b.html", escape = "none")] struct A;"#,
        &[
            (Package, "templates/a/b.html", File),
            (Package, "templates", Directory),
        ],
    );
    names(r#"#[template(source = "x", ext = "txt")] struct A;"#, &[]);
    names(
        r#"#[graphql(schema_path = "../s.json", query_path = "q.graphql")] struct Q;"#,
        &[(Package, "../s.json", File), (Package, "q.graphql", File)],
    );
    names(
        r#"#[grammar = "a.pest"] struct P;"#,
        &[(Package, "a.pest", File), (Package, "src/a.pest", File)],
    );
    names(
        r#"progenitor::generate_api!(spec = "../openapi.json", interface = Builder);"#,
        &[(Package, "../openapi.json", File)],
    );
    names(
        r#"wit_bindgen::generate!({ world: "w", path: ["../wit", "more"] });"#,
        &[(Package, "../wit", Any), (Package, "more", Any)],
    );
    names(
        r#"flate!(pub static A: [u8] from "a.bin" with zstd);"#,
        &[(Package, "a.bin", File)],
    );
}

#[track_caller]
fn modules(source: &str, expected: &[(Base, &str)]) {
    let seen = scan_source(source).modules;
    let seen: Vec<(Base, &str)> = seen
        .iter()
        .map(|module| (module.base, module.path.as_str()))
        .collect();
    assert_eq!(seen, expected, "{source}");
}

#[test]
fn sees_modules_of_usual_names_in_order() {
    modules(
        "mod b; pub(crate) mod a; mod r#type; #[cfg(test)] mod tests;",
        &[
            (Modules, "b"),
            (Modules, "a"),
            (Modules, "type"),
            (Modules, "tests"),
        ],
    );
    modules(
        "mod a { mod b { mod c; } mod d; } mod e;",
        &[(Modules, "a/b/c"), (Modules, "a/d"), (Modules, "e")],
    );
    modules(
        "cfg_if! { if #[cfg(unix)] { mod unix; } }",
        &[(Modules, "unix")],
    );
    let module = &scan_source("mod a;").modules[0];
    assert_eq!(module.files(), ["a.rs", "a/mod.rs"]);
}

#[test]
fn the_path_attribute_follows_the_rust_reference() {
    names(
        "#[path = \"../x.rs\"]\npub(crate) mod a;",
        &[(InFile, "../x.rs", Module)],
    );
    modules("#[path = \"../x.rs\"]\npub(crate) mod a;", &[]);
    names(
        "mod inline { #[path = \"other.rs\"] mod inner; }",
        &[(Modules, "inline/other.rs", Module)],
    );
    let thread =
        "#[path = \"thread_files\"] mod thread { #[path = \"tls.rs\"] mod local; mod usual; }";
    names(thread, &[(InFile, "thread_files/tls.rs", Module)]);
    modules(thread, &[(InFile, "thread_files/usual")]);
    modules(
        "mod thread { #![path = \"files\"] mod usual; }",
        &[(InFile, "files/usual")],
    );
    // An attribute belongs to what follows it, and to nothing after that.
    modules("#[path = \"x.rs\"] fn f() {} mod a;", &[(Modules, "a")]);
}

#[test]
fn a_path_under_a_condition_leaves_the_usual_one_possible() {
    let source = "#[cfg_attr(unix, path = \"unix.rs\")]\n\
        #[cfg_attr(windows, cfg_attr(all(), allow(x), path = \"windows.rs\"))]\nmod system;";
    names(
        source,
        &[(InFile, "unix.rs", Module), (InFile, "windows.rs", Module)],
    );
    modules(source, &[(Modules, "system")]);
}

#[test]
fn sees_variables_but_for_those_of_cargo() {
    let scan = scan_source(
        r#"const A: &str = env!("MINE", "message"); const B: Option<&str> = option_env!("OURS");
        env!("CARGO_MANIFEST_DIR"); env!("OUT_DIR"); env!("CARGO_PKG_VERSION"); std::env::var("RUN");"#,
    );
    let variables: Vec<String> = scan.variables.into_iter().collect();
    assert_eq!(variables, ["MINE", "OURS"]);
}

#[test]
fn sees_native_libraries() {
    assert!(scan_source(r#"#[link(name = "z")] extern "C" {}"#).links_native);
    assert!(scan_source(r#"#[cfg_attr(unix, link(name = "z"))] extern "C" {}"#).links_native);
    assert!(!scan_source(r#"#[link(wasm_import_module = "z")] extern "C" {}"#).links_native);
    assert!(scan_build_script(r#"println!("cargo:rustc-link-lib=static=z");"#).links_native);
}

#[test]
fn reads_a_build_script() {
    let scan = scan_build_script(
        r#"//! Compiles "documentation".
        fn main() -> Result<(), Box<dyn Error>> {
            println!("cargo:rerun-if-changed=../proto/orders.proto");
            println!("cargo::rerun-if-changed={root}/more.proto");
            println!("cargo::rerun-if-env-changed=PROTOC\ncargo:rerun-if-env-changed={name}");
            let key = std::env::var("SECRET")?;
            let target = env::var_os("TARGET");
            println!("cargo:rustc-env=X={key}");
            glob("../sql/*.sql");
            tonic_build::compile_protos("../proto/billing.proto")?;
        }"#,
    );
    let seen: Vec<(&str, What)> = scan
        .references
        .iter()
        .map(|reference| (reference.path.as_str(), reference.what))
        .collect();
    let expected = [
        ("../proto/orders.proto", Any),
        ("more.proto", Any),
        ("SECRET", Any),
        ("TARGET", Any),
        ("../sql", Directory),
        ("../proto/billing.proto", Any),
    ];
    assert_eq!(seen, expected);
    let variables: Vec<String> = scan.variables.into_iter().collect();
    assert_eq!(variables, ["PROTOC", "SECRET"]);
}

#[test]
fn a_build_script_that_climbs_names_what_is_above() {
    let joined = scan_build_script(r#"manifest.join("..").join("proto/a.proto");"#);
    assert!(
        joined
            .references
            .contains(&reference(Package, "../proto/a.proto", Any))
    );
    let parents = scan_build_script(r#"dir.parent().unwrap().parent().unwrap().join("proto");"#);
    for path in ["proto", "../proto", "../../proto"] {
        let expected = reference(Package, path, Any);
        assert!(parents.references.contains(&expected), "{path}");
    }
    let alone = scan_build_script(r#"Command::new("git").current_dir("..");"#);
    assert!(
        !alone
            .references
            .iter()
            .any(|reference| reference.path == "..")
    );
}

#[test]
fn text_that_is_no_rust_names_nothing() {
    for text in [
        "include_str!(\"a\"",
        "\"",
        "}",
        "'",
        "r#\"",
        "#!/usr/bin/env rust's\n\"",
    ] {
        assert_eq!(scan_source(text), Scan::default(), "{text}");
        assert_eq!(scan_build_script(text), Scan::default(), "{text}");
    }
}

#[test]
fn a_shebang_and_a_byte_order_mark_are_no_tokens() {
    names(
        "\u{feff}#!/usr/bin/env it's\ninclude_str!(\"a\");",
        &[(InFile, "a", File)],
    );
}

#[test]
fn deep_nesting_does_not_overflow() {
    const DEPTH: usize = 20_000;
    let nested = |open: &str, close: &str| {
        let text = format!("{}{}", open.repeat(DEPTH), close.repeat(DEPTH));
        let _ = scan_source(&text);
        let _ = scan_build_script(&text);
    };
    nested("(", ")");
    nested("concat!(", ")");
    nested("#[cfg_attr(a, ", ")]");
    nested("#[a(", ")]");
}

proptest! {
    #[test]
    fn foreign_text_never_panics(text in ".*") {
        let _ = scan_source(&text);
        let _ = scan_build_script(&text);
    }

    #[test]
    fn words_of_rust_in_any_order_never_panic(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "mod", "a", "!", "#", "[", "]", "{", "}", "(", ")", "\"x\"", "path", "=", ",", ";",
                "include_str", "concat", "env", "cfg_attr", "template", "pub", "$", "&", "generate",
                "\"cargo:rerun-if-changed={}\"", "\"..\"", "parent", "link", "query_file", ":",
            ]),
            0..40,
        )
    ) {
        let text = words.join(" ");
        let _ = scan_source(&text);
        let _ = scan_build_script(&text);
    }

    #[test]
    fn an_included_path_is_named_as_it_is_written(path in "[^\r]{1,40}") {
        let source = format!("const A: &str = include_str!({});", proc_macro2::Literal::string(&path));
        prop_assert_eq!(
            scan_source(&source).references,
            vec![reference(InFile, &path, File)]
        );
    }
}

#[test]
fn every_way_to_call_git_is_one() {
    let asks = |text: &str| scan_build_script(&format!("fn main() {{ run({text:?}); }}")).asks_git;
    for text in [
        "git",
        "/usr/bin/git",
        "git rev-parse HEAD",
        "cd .. && git describe",
        "/usr/bin/git log",
        "../.git/HEAD",
    ] {
        assert!(asks(text), "{text}");
    }
    for text in [
        "digit",
        "legit text",
        ".gitignore",
        "github.com/x/y",
        "gitlab",
    ] {
        assert!(!asks(text), "{text}");
    }
}
