//! Input keys: what changes them, and what does not.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::cli::{Lighter, Run};
use crate::support::workspace::{Checkout, shop};

/// The key of each service.
#[track_caller]
pub(crate) fn keys(run: Run) -> BTreeMap<String, String> {
    let run = run.expect(0);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let services = json["services"].as_array().expect("a list").iter();
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().expect(name).to_owned();
    services
        .map(|row| (text(row, "service"), text(row, "key")))
        .collect()
}

pub(crate) fn plan(directory: &Path) -> Lighter {
    Lighter::at(directory).args(["plan", "--keys", "--format", "json"])
}

/// Two services, committed, and their keys as they are now.
struct Base {
    checkout: Checkout,
}

impl Base {
    fn new() -> Self {
        let base = Self {
            checkout: Checkout::of_two(),
        };
        base.remember();
        base
    }

    /// Takes the present keys for those to compare with.
    fn remember(&self) {
        let now = plan(self.checkout.path())
            .args(["--explain"])
            .run()
            .expect(0);
        self.checkout.write("target/before.json", &now.stdout);
    }

    /// What differs now, a line for each service: `NAME: FIRST DIFFERENCE`.
    #[track_caller]
    fn differs(&self, change: impl Fn(Lighter) -> Lighter) -> Vec<String> {
        let arguments = ["plan", "--keys", "--against", "target/before.json"];
        let run = change(Lighter::at(self.checkout.path()).args(arguments)).run();
        let run = run
            .clone()
            .expect(if run.stdout.is_empty() { 0 } else { 3 });
        run.lines().into_iter().map(str::to_owned).collect()
    }

    /// Asserts that `edit` changes the keys of just the services that `expected` names, each with words
    /// of the first difference, and takes it back.
    #[track_caller]
    fn after(&self, edit: &dyn Fn(&Checkout), expected: &[&str]) {
        edit(&self.checkout);
        assert_lines(&self.differs(|run| run), expected);
        self.checkout.restore();
    }
}

#[track_caller]
fn assert_lines(found: &[String], expected: &[&str]) {
    let fit = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, expected)| found.starts_with(expected));
    assert!(fit, "{found:#?}\nexpected\n{expected:#?}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_input_of_a_repository_changes_the_key_of_whoever_has_it() {
    type Edit = fn(&Checkout);
    let table: &[(Edit, &[&str])] = &[
        (
            |it| it.append("alpha/src/main.rs", "// more\n"),
            &["alpha: alpha/src/main.rs changed"],
        ),
        (
            |it| it.write("alpha/src/new.rs", ""),
            &["alpha: alpha/src/new.rs added"],
        ),
        (
            |it| it.append("shared/src/lib.rs", "// more\n"),
            &["alpha: shared/src/lib.rs changed"],
        ),
        (
            |it| it.append("texts/motd.txt", "more\n"),
            &["alpha: texts/motd.txt changed"],
        ),
        (
            |it| {
                it.replace(
                    "alpha/Cargo.toml",
                    "0.1.0\"\nedition",
                    "0.1.0\"\ndescription = \"a\"\nedition",
                );
            },
            &["alpha: alpha/Cargo.toml changed"],
        ),
        (
            |it| it.replace("Cargo.toml", "opt-level = 3", "opt-level = 2"),
            &["alpha: Cargo.toml changed", "beta: Cargo.toml changed"],
        ),
        (
            |it| it.replace("Cargo.toml", "resolver = \"3\"", "resolver = \"2\""),
            &["alpha: Cargo.toml changed", "beta: Cargo.toml changed"],
        ),
        (
            |it| it.append(".cargo/config.toml", "[env]\nA = \"1\"\n"),
            &[
                "alpha: .cargo/config.toml changed",
                "beta: .cargo/config.toml changed",
            ],
        ),
        (
            |it| {
                it.append(
                    ".cargo/config.toml",
                    "[build]\nrustflags = [\"--cfg\", \"a\"]\n",
                );
            },
            &[
                "alpha: .cargo/config.toml changed",
                "beta: .cargo/config.toml changed",
            ],
        ),
        (
            |it| it.append("vendor/x-1.0.0/src/lib.rs", "// more\n"),
            &["alpha: vendor/x-1.0.0/src/lib.rs changed"],
        ),
        (
            |it| {
                it.vendor("x", "1.0.1");
                it.cargo(&["update", "-p", "x", "--precise", "1.0.1"]);
            },
            &["alpha: vendor/x-1.0.0/.cargo-checksum.json removed"],
        ),
        (
            |it| it.append("alpha/schemas/a.json", "\n"),
            &["alpha: alpha/schemas/a.json changed"],
        ),
        (
            |it| it.write("alpha/schemas/b.json", "{}\n"),
            &["alpha: alpha/schemas/b.json added"],
        ),
        (
            |it| it.write("alpha/assets/index.html", "<b>\n"),
            &["alpha: alpha/assets/index.html changed"],
        ),
        (
            |it| it.replace("alpha/Cargo.toml", "\"/srv\"", "\"/opt\""),
            &["alpha: /opt added (and 3 more)"],
        ),
        (
            |it| {
                it.replace(
                    "alpha/Cargo.toml",
                    "\"/srv\" }",
                    "\"/srv\", mode = \"0600\" }",
                );
            },
            &["alpha: /srv/index.html of the image changed"],
        ),
        (
            |it| {
                let path = it.path().join("alpha/schemas/a.json");
                let executable = std::fs::Permissions::from_mode(0o755);
                fs_err::set_permissions(path, executable).expect("ours");
            },
            &["alpha: alpha/schemas/a.json changed"],
        ),
    ];
    let base = Base::new();
    for (edit, expected) in table {
        base.after(edit, expected);
    }
}

#[test]
fn every_setting_of_an_image_changes_its_key() {
    let table = [
        ("user = \"7:7\"", "user 65532:65532 -> 7:7"),
        ("workdir = \"/srv\"", "workdir / -> /srv"),
        ("path = \"/bin/beta\"", "env PATH"),
        ("links = [\"/beta\"]", "links"),
        ("args = [\"serve\"]", "args"),
        ("env = { A = \"b\" }", "env A added"),
        ("ports = [8080]", "ports"),
        ("volumes = [\"/data\"]", "volumes"),
        ("stop-signal = \"SIGINT\"", "stop-signal"),
        ("healthcheck = [\"--check\"]", "healthcheck"),
        ("labels = { a = \"b\" }", "label a added"),
        ("annotations = { a = \"b\" }", "annotation a added"),
        ("created = \"commit\"", "created 1970-01-01T00:00:00Z -> "),
        ("compression = \"zstd\"", "compression"),
        ("compression-level = 9", "compression"),
        ("ca-certificates = false", "/etc/"),
        ("linkage = \"static\"", "linkage dynamic -> static"),
        ("remap-paths = false", "remap-paths true -> false"),
        ("profile = \"dev\"", "profile release -> dev"),
    ];
    let base = Base::new();
    for (setting, expected) in table {
        base.after(
            &|it| {
                it.append(
                    "beta/Cargo.toml",
                    &format!("[package.metadata.lighter]\n{setting}\n"),
                );
            },
            &[&format!("beta: {expected}")],
        );
    }
}

#[test]
fn every_input_of_a_run_changes_the_keys() {
    type Change = fn(Lighter) -> Lighter;
    let both = |words: &str| vec![format!("alpha: {words}"), format!("beta: {words}")];
    let alpha = |words: &str| vec![format!("alpha: {words}")];
    let table: Vec<(Change, Vec<String>)> = vec![
        (
            |run| run.args(["--profile", "dev"]),
            both("profile release -> dev"),
        ),
        (
            |run| run.args(["--target", "x86_64-unknown-linux-musl"]),
            both("target x86_64-unknown-linux-gnu -> x86_64-unknown-linux-musl"),
        ),
        (
            |run| run.args(["--linkage", "static"]),
            both("linkage dynamic -> static"),
        ),
        (
            |run| run.args(["--features", "alpha/extra"]),
            both("features"),
        ),
        (
            |run| run.args(["--compression", "zstd"]),
            both("compression"),
        ),
        (
            |run| run.env("RUSTFLAGS", "--cfg a"),
            both("rustflags nothing -> --cfg a"),
        ),
        (
            |run| run.env("SOURCE_DATE_EPOCH", "86400"),
            both("created 1970-01-01T00:00:00Z -> 1970-01-02T00:00:00Z"),
        ),
        (
            |run| run.env("BUILD_NAME", "a"),
            alpha("variable BUILD_NAME changed"),
        ),
        (
            |run| run.env("REGION", "a"),
            alpha("variable REGION changed"),
        ),
        (
            |run| run.env("CARGO_PROFILE_RELEASE_LTO", "true"),
            both("variable CARGO_PROFILE_RELEASE_LTO is set or read now"),
        ),
        (
            |run| run.env("CARGO_INCREMENTAL", "1"),
            both("variable CARGO_INCREMENTAL is set or read now"),
        ),
        (
            |run| run.env("HOST_CC", "a"),
            both("variable HOST_CC is set or read now"),
        ),
        (
            |run| run.env("CFLAGS_x86_64_unknown_linux_gnu", "-O1"),
            both("variable CFLAGS_x86_64_unknown_linux_gnu is set or read now"),
        ),
        (
            |run| run.env("ZLIB_STATIC", "1"),
            both("variable ZLIB_STATIC is set or read now"),
        ),
        (
            |run| run.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", "/bin/sh"),
            both("linker 0"),
        ),
    ];
    let base = Base::new();
    for (change, expected) in table {
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        assert_lines(&base.differs(change), &expected);
    }
}

#[test]
fn what_is_outside_of_a_service_leaves_its_key() {
    type Edit = fn(&Checkout);
    let table: &[(Edit, &[&str])] = &[
        (|it| it.append("alpha/README.md", "more\n"), &[]),
        (|it| it.append("alpha/tests/all.rs", "// more\n"), &[]),
        (|it| it.append("alpha/examples/one.rs", "// more\n"), &[]),
        (|it| it.write("alpha/benches/new.rs", "fn main() {}\n"), &[]),
        (|it| it.write("alpha/notes.ignored", "ignored\n"), &[]),
        (
            |it| {
                it.append(
                    "alpha/Cargo.toml",
                    "# A comment.\n[dev-dependencies]\nshared.workspace = true\n",
                );
            },
            &[],
        ),
        (
            |it| it.replace("Cargo.toml", "# A comment.", "# Another."),
            &[],
        ),
        (
            |it| {
                it.append("Cargo.toml", "[workspace.metadata.lighter]\nname = \"x-{service}\"\ntags = [\"a\"]\nrepo = \"localhost/a\"\n");
            },
            &[],
        ),
        (
            |it| {
                it.replace(
                    "Cargo.toml",
                    "[workspace.dependencies]\n",
                    "[workspace.dependencies]\nunused = \"9\"\n",
                );
            },
            &[],
        ),
        (
            |it| it.replace("Cargo.lock", "# It is not", "# It is certainly not"),
            &[],
        ),
        (
            |it| it.append("other/src/lib.rs", "// more\n"),
            &["beta: other/src/lib.rs changed"],
        ),
        (
            |it| it.append("beta/src/main.rs", "// more\n"),
            &["beta: beta/src/main.rs changed"],
        ),
        (
            |it| {
                it.vendor("y", "1.0.1");
                it.cargo(&["update", "-p", "y", "--precise", "1.0.1"]);
            },
            &["beta: vendor/y-1.0.0/.cargo-checksum.json removed"],
        ),
        (
            |it| {
                it.replace("Cargo.toml", "\"other\"]", "\"other\", \"new\"]");
                it.write(
                    "new/Cargo.toml",
                    &crate::support::workspace::manifest("new", ""),
                );
                it.write("new/src/lib.rs", "");
                it.cargo(&["update", "--workspace"]);
            },
            &[],
        ),
        (|it| drop(it.commit("another commit")), &[]),
    ];
    let base = Base::new();
    for (edit, expected) in table {
        base.after(edit, expected);
    }
    let bin = Checkout::empty();
    bin.write_executable("bin/true", "#!/bin/sh\n");
    let same = base.differs(|run| {
        run.first_on_path(&bin.path().join("bin"))
            .env("HOME", bin.path())
            .env("LANG", "tr_TR.UTF-8")
            .env("TZ", "Asia/Tokyo")
            .env("TMPDIR", bin.path())
            .args(["-j", "1"])
    });
    assert_lines(&same, &[]);
}

#[test]
fn the_keys_of_the_shop_are_its_own_and_stable() {
    let first = keys(plan(shop()).run());
    assert_eq!(first.len(), 5);
    let distinct: std::collections::BTreeSet<&String> = first.values().collect();
    assert_eq!(distinct.len(), 5);
    let copy = Checkout::copy();
    copy.commit("first");
    assert_eq!(keys(plan(copy.path()).run()), first);
}

#[test]
fn the_toolchain_file_is_an_input() {
    let base = Base::new();
    let toolchain = std::env::var("RUSTUP_TOOLCHAIN").unwrap_or_else(|_| "stable".to_owned());
    let text = format!("[toolchain]\nchannel = \"{toolchain}\"\n");
    base.after(
        &|it| it.write("rust-toolchain.toml", &text),
        &[
            "alpha: rust-toolchain.toml added",
            "beta: rust-toolchain.toml added",
        ],
    );
}

/// A library root in the repository: this machine's own glibc, and no packages.
fn add_library_root(checkout: &Checkout) {
    let plan = Lighter::at(checkout.path())
        .args(["plan", "--format", "json"])
        .run()
        .expect(0);
    let json: serde_json::Value = serde_json::from_str(&plan.stdout).expect("JSON");
    let libraries = json["libraries"].as_array().expect("a list").iter();
    let files = libraries.map(|library| library["path"].as_str().expect("a path"));
    // The loader has a second name, by which it is looked for.
    let loader = Some("/usr/lib64/ld-linux-x86-64.so.2").filter(|path| Path::new(path).exists());
    for file in files.chain(["/usr/lib/os-release"]).chain(loader) {
        let place = checkout.path().join(format!("root{file}"));
        fs_err::create_dir_all(place.parent().expect("has one")).expect("created");
        fs_err::copy(file, place).expect("copied");
    }
    for name in ["lib", "lib64"] {
        let real = Path::new("/").join(name);
        if let Ok(target) = fs_err::read_link(real) {
            fs_err::os::unix::fs::symlink(target, checkout.path().join("root").join(name))
                .expect("free");
        }
    }
}

#[test]
fn what_a_library_root_holds_is_an_input() {
    let base = Base::new();
    let it = &base.checkout;
    add_library_root(it);
    it.write("root/opt/libown.so", "own");
    it.write("root/usr/lib/libloose.so", "loose");
    it.write("root/usr/share/doc/nothing", "nothing");
    let settings =
        "[workspace.metadata.lighter]\nlibrary-root = \"root\"\nca-certificates = false\n";
    it.append("Cargo.toml", settings);
    it.append(
        "beta/Cargo.toml",
        "[package.metadata.lighter]\nextra-libs = [\"/opt/libown.so\"]\n",
    );
    it.commit("a root");
    base.remember();
    base.after(&|it| it.append("root/usr/share/doc/nothing", "more"), &[]);
    base.after(
        &|it| it.append("root/opt/libown.so", "more"),
        &["beta: /opt/libown.so of the image changed"],
    );
    base.after(
        &|it| it.append("root/usr/lib/libloose.so", "more"),
        &["beta: /usr/lib/libloose.so of the image changed"],
    );
    base.after(
        &|it| it.append("root/usr/lib/os-release", "EXTRA=1\n"),
        &[
            "alpha: /usr/lib/os-release of the image changed",
            "beta: /usr/lib/os-release of the image changed",
        ],
    );
}

#[test]
fn neither_the_order_nor_the_repetition_of_features_changes_a_key() {
    let checkout = Checkout::of_two();
    checkout.replace("alpha/Cargo.toml", "extra = []", "extra = []\nmore = []");
    let of = |features: &[&str]| {
        let features = features.iter().flat_map(|list| ["-F", list]);
        keys(plan(checkout.path()).args(features).run())
    };
    let once = of(&["alpha/extra,alpha/more"]);
    assert_eq!(of(&["alpha/more,alpha/extra", "alpha/more"]), once);
    assert_ne!(of(&["alpha/more"]), once);
    let listed = |list: &str| {
        let table = format!("\n[package.metadata.lighter]\nfeatures = {list}\n");
        checkout.replace("alpha/Cargo.toml", "\n[package.metadata.lighter]\n", &table);
        let found = keys(plan(checkout.path()).run());
        checkout.replace("alpha/Cargo.toml", &table, "\n[package.metadata.lighter]\n");
        found
    };
    assert_eq!(
        listed("[\"more\", \"extra\", \"more\"]"),
        listed("[\"extra\", \"more\"]")
    );
}

#[test]
fn keys_that_cannot_be_compared_say_so() {
    let base = Base::new();
    let it = &base.checkout;
    it.write("target/bare.json", "{\"services\":[]}");
    let against = |file: &str| {
        let arguments = ["plan", "--keys", "--against", file];
        Lighter::at(it.path()).args(arguments).run()
    };
    let none = against("target/bare.json").expect(3);
    assert_eq!(
        none.lines(),
        ["alpha: it had no key", "beta: it had no key"]
    );
    it.write("target/foreign.json", "[]");
    against("target/foreign.json")
        .expect(2)
        .says(&["holds no keys", "--explain"]);
    against("target/absent.json").expect(2).says(&[
        "error: there is no file `target/absent.json` to compare with",
        "hint: write it with `cargo lighter plan --keys --explain --format json > target/absent.json`",
    ]);
}
