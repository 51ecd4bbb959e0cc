//! Files that git does not track: whose they are, and what is said of them.

use crate::support::affected::{affected, assert_affected, changed, since};
use crate::support::cli::Lighter;
use crate::support::workspace::{Checkout, manifest};

/// A package in the root of its repository, which owns all that lies there.
fn root_package() -> Checkout {
    let checkout = Checkout::empty();
    checkout.write("Cargo.toml", &manifest("app", "[workspace]\n"));
    checkout.write("src/main.rs", "fn main() {}\n");
    checkout.write_lock(&["app"]);
    checkout.commit("first");
    checkout
}

fn key(run: Lighter) -> String {
    let run = run.args(["plan", "--keys", "--format", "json"]).run();
    let run = run.expect(0);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    json["services"][0]["key"]
        .as_str()
        .expect("a key")
        .to_owned()
}

#[test]
fn a_home_of_cargo_inside_of_the_project_is_nobodys_source() {
    for home in [".cargo", "cargo-home"] {
        let checkout = root_package();
        let before = key(Lighter::at(checkout.path()));
        for file in [
            "registry/src/index/x-1.0.0/src/lib.rs",
            "registry/src/index/x-1.0.0/Cargo.toml",
            "git/checkouts/y/abc/Cargo.toml",
            "bin/cargo-deny",
            ".package-cache",
            ".package-cache-mutate",
            ".global-cache",
            ".crates.toml",
            ".crates2.json",
            "credentials.toml",
            "config.toml",
        ] {
            checkout.write(&format!("{home}/{file}"), "");
        }
        let place = checkout.path().join(home);
        let at = || Lighter::at(checkout.path()).env("CARGO_HOME", &place);
        assert_eq!(key(at()), before, "{home}");
        // Without git, too.
        let programs = Checkout::empty();
        for program in ["cargo", "rustc", "cc", "ld"] {
            let found = std::process::Command::new("sh")
                .args(["-c", &format!("command -v {program}")])
                .output()
                .expect("sh runs");
            let found = String::from_utf8_lossy(&found.stdout).trim().to_owned();
            if !found.is_empty() {
                fs_err::os::unix::fs::symlink(found, programs.path().join(program)).expect("free");
            }
        }
        assert_eq!(key(at().env("PATH", programs.path())), before, "{home}");
        let run = since(checkout.path(), "HEAD").env("CARGO_HOME", &place);
        let run = run.args(["--format", "json"]).run();
        assert_affected(&affected(run), &[]);
    }
}

#[test]
fn a_tracked_configuration_counts_even_in_a_home_of_cargo() {
    let checkout = root_package();
    checkout.write(".cargo/config.toml", "[env]\nA = \"1\"\n");
    checkout.commit("second");
    let place = checkout.path().join(".cargo");
    let now = || {
        let run = since(checkout.path(), "HEAD").env("CARGO_HOME", &place);
        affected(run.args(["--format", "json"]).run())
    };
    assert_affected(&now(), &[]);
    checkout.append("src/main.rs", "// more\n");
    let found = now();
    assert_eq!(found["app"], ["src/main.rs changed"]);
    checkout.append(".cargo/config.toml", "B = \"2\"\n");
    assert_affected(&now(), &["app: .cargo/config.toml changed"]);
}

#[test]
fn a_target_directory_that_git_does_not_ignore_is_no_change() {
    let checkout = root_package();
    let before = key(Lighter::at(checkout.path()));
    let tag = "Signature: 8a477f597d28d172789f06886806bc55\n# created by cargo.\n";
    checkout.write("target/CACHEDIR.TAG", tag);
    checkout.write("target/package/app/Cargo.toml", "");
    checkout.write("target/debug/app", "");
    assert_eq!(key(Lighter::at(checkout.path())), before);
    assert_affected(&changed(&checkout), &[]);
}

/// A package that includes a file that git ignores, beside one that does not.
fn with_ignored() -> Checkout {
    let checkout = Checkout::of_two();
    checkout.write("beta/src/made.ignored", "1\n");
    checkout.write("beta/static/page.html", "1\n");
    checkout.write("beta/static/made.ignored", "1\n");
    checkout.write("beta/src/other.rs.ignored", "");
    let source = "const A: &str = include_str!(\"made.ignored\");\n\
                  #[path = \"other.rs.ignored\"]\nmod other;\n\
                  #[folder = \"static/\"]\nstruct Page;\nfn main() {}\n";
    checkout.write("beta/src/main.rs", source);
    checkout.commit("second");
    checkout
}

#[test]
fn a_file_that_git_ignores_and_a_source_names_belongs_to_the_split_and_the_key() {
    let checkout = with_ignored();
    let out = Checkout::empty();
    let run = Lighter::at(checkout.path()).args(["split", "beta", "--out"]);
    run.args([out.path()]).run().expect(0);
    for file in [
        "beta/src/made.ignored",
        "beta/src/other.rs.ignored",
        "beta/static/made.ignored",
        "beta/static/page.html",
    ] {
        assert!(out.path().join("beta").join(file).is_file(), "{file}");
    }
    let of_beta = || {
        let run = Lighter::at(checkout.path()).args(["plan", "beta", "--keys", "--format", "json"]);
        let run = run.run().expect(0);
        let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        json["services"][0]["key"]
            .as_str()
            .expect("a key")
            .to_owned()
    };
    let before = of_beta();
    for file in ["beta/src/made.ignored", "beta/static/made.ignored"] {
        checkout.append(file, "2\n");
        assert_ne!(of_beta(), before, "{file}");
        checkout.write(file, "1\n");
        assert_eq!(of_beta(), before, "{file}");
    }
    // Nobody names this one, and a build script's texts may be anything.
    checkout.write("beta/src/junk.ignored", "");
    assert_eq!(of_beta(), before);
    checkout.write(
        "beta/build.rs",
        "fn main() { let _ = \"src/junk.ignored\"; }\n",
    );
    let scripted = of_beta();
    checkout.append("beta/src/junk.ignored", "more\n");
    assert_eq!(of_beta(), scripted);
}

#[test]
fn a_secret_that_a_source_names_is_refused_until_the_configuration_names_it() {
    let checkout = Checkout::of_two();
    checkout.append(".gitignore", ".env\n");
    checkout.write("beta/.env", "TOKEN=1\n");
    let source = "const A: &str = include_str!(\"../.env\");\nfn main() {}\n";
    checkout.write("beta/src/main.rs", source);
    checkout.commit("second");
    let out = Checkout::empty();
    let split = || {
        let run = Lighter::at(checkout.path()).args(["split", "beta", "--out"]);
        run.args([out.path()]).run()
    };
    split().expect(2).says(&[
        "a source of `beta` names `beta/.env`",
        "looks like a secret",
        "add `inputs = [\".env\"]`",
    ]);
    let found = changed(&checkout);
    assert!(
        found["beta"][0].contains("looks like a secret"),
        "{found:?}"
    );
    checkout.append(
        "beta/Cargo.toml",
        "[package.metadata.lighter]\ninputs = [\".env\"]\n",
    );
    split().expect(0);
}

#[test]
fn a_service_with_an_input_that_git_does_not_track_is_always_affected() {
    let hidden = "is not tracked by git: whether it changed cannot be known";
    let checkout = with_ignored();
    let named = format!("beta: beta/src/made.ignored {hidden}");
    assert_affected(&changed(&checkout), &[&named]);
    checkout.append("alpha/README.md", "nobody's\n");
    assert_affected(&changed(&checkout), &[&named]);
    checkout.append("alpha/src/main.rs", "// more\n");
    assert_affected(
        &changed(&checkout),
        &[&named, "alpha: alpha/src/main.rs changed"],
    );

    let checkout = Checkout::of_two();
    checkout.write("alpha/assets/made.ignored", "");
    let named = format!("alpha: alpha/assets/made.ignored {hidden}");
    assert_affected(&changed(&checkout), &[&named]);
    checkout.remove("alpha/assets/made.ignored");
    checkout.write("alpha/src/junk.ignored", "nobody names it");
    assert_affected(&changed(&checkout), &[]);

    // One that the program itself does not look at: made by a build of something else.
    checkout.append(
        "beta/Cargo.toml",
        "[package.metadata.lighter]\ninputs = [\"/target/made/*\"]\n",
    );
    checkout.write("target/made/a.txt", "");
    checkout.commit("second");
    let named = format!("beta: target/made/a.txt {hidden}");
    assert_affected(&changed(&checkout), &[&named]);
}

#[test]
fn a_service_that_reads_outside_of_the_repository_is_always_affected() {
    let checkout = Checkout::empty();
    checkout.write("lib/Cargo.toml", &manifest("lib", ""));
    checkout.write("lib/src/lib.rs", "");
    let needs = "[dependencies]\nlib = { path = \"../../lib\" }\n";
    let root = "[workspace]\nresolver = \"3\"\nmembers = [\"one\", \"two\"]\n";
    checkout.write("app/Cargo.toml", root);
    checkout.write("app/.gitignore", "target\n");
    checkout.write("app/one/Cargo.toml", &manifest("one", needs));
    checkout.write("app/two/Cargo.toml", &manifest("two", ""));
    for name in ["one", "two"] {
        checkout.write(&format!("app/{name}/src/main.rs"), "fn main() {}\n");
    }
    checkout.cargo(&["generate-lockfile", "--manifest-path=app/Cargo.toml"]);
    let init =
        "git init -q -b main && git add -A && git -c user.name=a -c user.email=a@b commit -qm x";
    let app = checkout.path().join("app");
    let mut shell = std::process::Command::new("sh");
    crate::support::tools::run(shell.args(["-c", init]).current_dir(&app));
    let now = || affected(since(&app, "HEAD").args(["--format", "json"]).run());
    let found = now();
    assert!(found.keys().eq(["one"]), "{found:?}");
    assert!(
        found["one"][0].starts_with("../lib/")
            && found["one"][0]
                .ends_with("is not tracked by git: whether it changed cannot be known"),
        "{found:?}"
    );

    // The commit alone is no workspace, which is told in one line and without temporary paths.
    checkout.append("app/two/src/main.rs", "// more\n");
    assert!(now().keys().eq(["one", "two"]));
    let run = since(&app, "HEAD").run().expect(0);
    let told = format!("{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("counts as affected"), "{told}");
    for ugly in ["/tmp/", "lighter-commit", "Caused by", "metadata --locked"] {
        assert!(!told.contains(ugly), "{ugly}: {told}");
    }
}

#[test]
fn a_service_whose_inputs_cannot_be_known_is_always_affected() {
    let checkout = Checkout::of_two();
    let script = "fn main() { std::process::Command::new(\"git\").output().unwrap(); }\n";
    checkout.write("other/build.rs", script);
    checkout.append("alpha/Cargo.toml", "builder = \"zigbuild\"\n");
    checkout.commit("second");
    let reasons = [
        "beta: the build of `other` asks git, and what git answers is in no file",
        "alpha: `builder = \"zigbuild\"`, and `zig` is not on PATH to be looked at",
    ];
    let mut found = std::process::Command::new("sh");
    let found = found.args(["-c", "command -v zig"]).output();
    let has_zig = found.expect("sh runs").status.success();
    let expected = &reasons[..if has_zig { 1 } else { 2 }];
    assert_affected(&changed(&checkout), expected);
    checkout.append("alpha/README.md", "nobody's\n");
    assert_affected(&changed(&checkout), expected);
}

#[test]
fn where_the_home_of_cargo_is_changes_no_key() {
    let checkout = root_package();
    checkout.write(".cargo/config.toml", "[env]\nGREETING = \"hello\"\n");
    checkout.commit("a configuration");
    let elsewhere = key(Lighter::at(checkout.path()));
    let place = checkout.path().join(".cargo");
    let inside = key(Lighter::at(checkout.path()).env("CARGO_HOME", &place));
    assert_eq!(inside, elsewhere);
}
