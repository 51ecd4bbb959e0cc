//! `plan --since`: which services a change reaches, and why.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::affected::{Edit, affected, assert_affected, changed, since, try_edits};
use crate::support::tools::run;
use crate::support::workspace::{Checkout, manifest};

fn executable(checkout: &Checkout, file: &str) {
    let permissions = std::fs::Permissions::from_mode(0o755);
    fs_err::set_permissions(checkout.path().join(file), permissions).expect("ours");
}

#[test]
fn a_change_of_files_reaches_who_reads_them() {
    let checkout = Checkout::of_two();
    let table: &[(Edit, &[&str])] = &[
        (|_| {}, &[]),
        (
            |it| it.append("alpha/src/main.rs", "// more\n"),
            &["alpha: alpha/src/main.rs changed"],
        ),
        (
            |it| it.append("shared/src/lib.rs", "// more\n"),
            &["alpha: shared/src/lib.rs changed"],
        ),
        (
            |it| it.append("other/src/lib.rs", "// more\n"),
            &["beta: other/src/lib.rs changed"],
        ),
        (
            |it| it.append("texts/motd.txt", "more\n"),
            &["alpha: texts/motd.txt changed"],
        ),
        (|it| it.write("texts/other.txt", "nobody reads it\n"), &[]),
        (|it| it.append("alpha/README.md", "more\n"), &[]),
        (|it| it.append("alpha/tests/all.rs", "// more\n"), &[]),
        (
            |it| it.write("alpha/src/untracked.rs", ""),
            &["alpha: alpha/src/untracked.rs added"],
        ),
        (|it| it.write("alpha/src/x.ignored", ""), &[]),
        (
            |it| {
                it.append("alpha/src/main.rs", "// more\n");
                it.git(&["add", "-A"]);
            },
            &["alpha: alpha/src/main.rs changed"],
        ),
        (
            |it| {
                it.append("alpha/src/main.rs", "// more\n");
                it.git(&["add", "-A"]);
                it.append("beta/src/main.rs", "// more\n");
            },
            &[
                "alpha: alpha/src/main.rs changed",
                "beta: beta/src/main.rs changed",
            ],
        ),
        (
            |it| {
                it.append("alpha/src/main.rs", "// more\n");
                it.git(&["checkout", "-q", "alpha"]);
            },
            &[],
        ),
        (
            |it| {
                it.git(&["mv", "shared/src/lib.rs", "shared/src/moved.rs"]);
                it.write("shared/src/lib.rs", "mod moved;\n");
            },
            &[
                "alpha: shared/src/lib.rs changed",
                "alpha: shared/src/moved.rs added",
            ],
        ),
        (
            |it| executable(it, "alpha/schemas/a.json"),
            &["alpha: alpha/schemas/a.json changed"],
        ),
        (
            |it| it.write("alpha/schemas/b.json", "{}"),
            &["alpha: alpha/schemas/b.json added"],
        ),
        (
            |it| it.write("alpha/assets/new.css", ""),
            &[
                "alpha: /srv/new.css added",
                "alpha: alpha/assets/new.css added",
            ],
        ),
        // Whoever named a file that is gone reads another source now, or does not compile.
        (
            |it| it.remove("texts/motd.txt"),
            &["alpha: texts/motd.txt removed"],
        ),
        (|it| it.remove("alpha/README.md"), &[]),
        (|it| it.remove("other/src/lib.rs"), &[]),
    ];
    // Without its only source `other` is no package any more, which nobody can plan.
    let (last, table) = table.split_last().expect("some");
    try_edits(&checkout, table);
    (last.0)(&checkout);
    let run = since(checkout.path(), "HEAD").run();
    assert_ne!(run.code, 0, "{}", run.stdout);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_change_of_manifests_reaches_who_builds_by_them() {
    let checkout = Checkout::of_two();
    let table: &[(Edit, &[&str])] = &[
        (
            |it| it.replace("Cargo.toml", "# A comment.", "# Another."),
            &[],
        ),
        (|it| it.append("alpha/Cargo.toml", "# A comment.\n"), &[]),
        (
            |it| {
                it.replace(
                    "alpha/Cargo.toml",
                    "extra = []",
                    "extra = []\ndefault = [\"extra\"]",
                );
            },
            &["alpha: alpha/Cargo.toml changed"],
        ),
        (
            |it| it.append("alpha/Cargo.toml", "features = [\"extra\"]\n"),
            &["alpha: features nothing -> extra"],
        ),
        (
            |it| {
                it.append(
                    "beta/Cargo.toml",
                    "[package.metadata.lighter]\nuser = \"7:7\"\ntags = [\"a\"]\n",
                );
            },
            &["beta: user 65532:65532 -> 7:7"],
        ),
        (
            |it| it.replace("Cargo.toml", "opt-level = 3", "opt-level = 2"),
            &["alpha: Cargo.toml changed", "beta: Cargo.toml changed"],
        ),
        (
            |it| {
                let name =
                    std::env::var("RUSTUP_TOOLCHAIN").unwrap_or_else(|_| "stable".to_owned());
                it.write(
                    "rust-toolchain.toml",
                    &format!("[toolchain]\nchannel = \"{name}\"\n"),
                );
            },
            &[
                "alpha: rust-toolchain.toml added",
                "beta: rust-toolchain.toml added",
            ],
        ),
        (
            |it| {
                it.append(
                    ".cargo/config.toml",
                    "[env]\nA = { value = \"schema.txt\", relative = true }\n",
                );
            },
            &[
                "alpha: .cargo/config.toml changed",
                "beta: .cargo/config.toml changed",
            ],
        ),
        (
            |it| {
                it.vendor("y", "1.0.1");
                it.cargo(&["update", "-p", "y", "--precise", "1.0.1"]);
            },
            &["beta: y 1.0.0 -> 1.0.1"],
        ),
        (
            |it| it.append("vendor/x-1.0.0/src/lib.rs", "// more\n"),
            &["alpha: vendor/x-1.0.0/src/lib.rs changed"],
        ),
        (
            |it| {
                it.replace("Cargo.toml", "\"other\"]", "\"other\", \"new\"]");
                it.write("new/Cargo.toml", &manifest("new", ""));
                it.write("new/src/main.rs", "fn main() {}\n");
                it.cargo(&["update", "--workspace"]);
            },
            &["new: the service is new"],
        ),
        (
            |it| {
                it.replace("Cargo.toml", "\"beta\", ", "");
                it.git(&["rm", "-q", "-r", "beta"]);
                it.cargo(&["update", "--workspace"]);
            },
            &[],
        ),
        (
            |it| {
                it.git(&["mv", "shared", "moved"]);
                it.replace("Cargo.toml", "\"shared\", ", "\"moved\", ");
                it.replace("Cargo.toml", "path = \"shared\"", "path = \"moved\"");
            },
            &[
                "alpha: moved/src/lib.rs added",
                "alpha: shared/src/lib.rs removed",
            ],
        ),
        // A package inside of another takes its files.
        (
            |it| {
                it.replace(
                    "Cargo.toml",
                    "\"other\"]",
                    "\"other\", \"alpha/src/inner\"]",
                );
                it.write("alpha/src/inner/Cargo.toml", &manifest("inner", ""));
                it.write("alpha/src/inner/src/lib.rs", "");
                it.cargo(&["update", "--workspace"]);
            },
            &[],
        ),
    ];
    try_edits(&checkout, table);
}

#[test]
fn a_file_that_the_configuration_or_a_link_leads_to_is_read() {
    let checkout = Checkout::of_two();
    checkout.append(
        ".cargo/config.toml",
        "[env]\nSCHEMA = { value = \"texts/schema.txt\", relative = true }\n",
    );
    checkout.write("texts/schema.txt", "1\n");
    checkout.write("texts/linked.txt", "1\n");
    let link = checkout.path().join("beta/src/linked.txt");
    fs_err::os::unix::fs::symlink("../../texts/linked.txt", link).expect("free");
    checkout.commit("second");
    try_edits(
        &checkout,
        &[
            (
                |it| it.append("texts/schema.txt", "2\n"),
                &[
                    "alpha: texts/schema.txt changed",
                    "beta: texts/schema.txt changed",
                ],
            ),
            (
                |it| it.append("texts/linked.txt", "2\n"),
                &["beta: beta/src/linked.txt changed"],
            ),
        ],
    );
}

#[test]
fn a_package_that_comes_to_be_inside_of_another_takes_its_files() {
    let checkout = Checkout::of_two();
    checkout.write("alpha/src/inner/src/lib.rs", "");
    checkout.replace(
        "Cargo.toml",
        "members = [",
        "members = [\"alpha/src/in*\", ",
    );
    checkout.replace("Cargo.toml", "\"alpha/src/in*\", ", "");
    checkout.commit("second");
    try_edits(
        &checkout,
        &[(
            |it| {
                it.replace(
                    "Cargo.toml",
                    "\"other\"]",
                    "\"other\", \"alpha/src/inner\"]",
                );
                it.write("alpha/src/inner/Cargo.toml", &manifest("inner", ""));
                it.cargo(&["update", "--workspace"]);
            },
            &["alpha: alpha/src/inner/src/lib.rs removed"],
        )],
    );
}

#[test]
fn an_ignored_asset_concerns_its_own_service_only() {
    let checkout = Checkout::of_two();
    checkout.append(
        "beta/Cargo.toml",
        "[package.metadata.lighter]\nassets = [{ from = \"bundle.ignored\", to = \"/srv/bundle\" }]\n",
    );
    checkout.write("beta/bundle.ignored", "built by something else\n");
    checkout.commit("second");
    checkout.append("beta/src/main.rs", "// more\n");
    let found = changed(&checkout);
    assert!(found.keys().eq(["beta"]), "{found:?}");
    assert_eq!(
        found["beta"],
        ["beta/bundle.ignored is not tracked by git: whether it changed cannot be known"]
    );
}

#[test]
fn a_submodule_is_a_file_by_its_commit() {
    let inner = Checkout::empty();
    inner.write("data.txt", "1\n");
    inner.commit("first");
    let checkout = Checkout::of_two();
    let address = inner.path().to_string_lossy().into_owned();
    checkout.git(&["submodule", "--quiet", "add", &address, "beta/src/data"]);
    checkout.commit("with a submodule");
    assert_affected(&changed(&checkout), &[]);
    inner.append("data.txt", "2\n");
    inner.commit("second");
    let module = checkout.path().join("beta/src/data");
    run(Command::new("git").args(["pull", "-q"]).current_dir(module));
    assert_affected(
        &changed(&checkout),
        &["beta: the submodule beta/src/data changed"],
    );
}

#[test]
fn commits_are_compared_without_the_work_tree() {
    let checkout = Checkout::of_two();
    checkout.git(&["switch", "-q", "-c", "topic"]);
    checkout.append("alpha/src/main.rs", "// more\n");
    checkout.commit("second");
    checkout.git(&["switch", "-q", "main"]);
    checkout.append("beta/src/main.rs", "// more\n");
    let between = |base: &str, head: &str| {
        let arguments = ["--head", head, "--format", "json"];
        affected(since(checkout.path(), base).args(arguments).run())
    };
    assert_affected(
        &between("main", "topic"),
        &["alpha: alpha/src/main.rs changed"],
    );
    assert_affected(&between("topic", "main"), &[]);
    assert_affected(&between("main", "main"), &[]);
    // From the merge base: what happened on `main` since is no change of `topic`.
    checkout.commit("on main");
    assert_affected(
        &between("main", "topic"),
        &["alpha: alpha/src/main.rs changed"],
    );
}

#[test]
fn the_services_between_commits_are_those_of_the_head() {
    let checkout = Checkout::of_two();
    checkout.git(&["switch", "-q", "-c", "topic"]);
    checkout.replace("Cargo.toml", "\"beta\", ", "\"new\", ");
    checkout.git(&["rm", "-q", "-r", "beta"]);
    checkout.write("new/Cargo.toml", &manifest("new", ""));
    checkout.write("new/src/main.rs", "fn main() {}\n");
    checkout.cargo(&["update", "--workspace"]);
    checkout.commit("second");
    checkout.git(&["switch", "-q", "main"]);
    let between = |arguments: &[&str]| {
        let run = since(checkout.path(), "main").args(["--head", "topic"]);
        run.args(arguments.iter().copied()).run()
    };
    let run = between(&["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_affected(&affected(run), &["new: the service is new"]);
    assert_eq!(json["unaffected"], serde_json::json!(["alpha"]));
    // Also where the base is the head.
    checkout.git(&["switch", "-q", "-c", "later", "topic"]);
    checkout.git(&["commit", "-q", "--allow-empty", "-m", "third"]);
    checkout.git(&["switch", "-q", "main"]);
    let run = since(checkout.path(), "later").args(["--head", "topic", "--format", "json"]);
    let run = run.run();
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_affected(&affected(run), &[]);
    assert_eq!(json["unaffected"], serde_json::json!(["alpha", "new"]));
    between(&["--keys"])
        .expect(2)
        .says(&["is not what is checked out"]);
}

#[test]
fn a_commit_is_a_change_for_whoever_bears_its_time() {
    let checkout = Checkout::of_two();
    checkout.append(
        "beta/Cargo.toml",
        "[package.metadata.lighter]\ncreated = \"commit\"\n",
    );
    let commit = |time: &str| {
        let all = "git add -A && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x";
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", all]).env("GIT_COMMITTER_DATE", time);
        run(shell.current_dir(checkout.path()));
    };
    let since = |base: &str, more: &[&str]| {
        let run = since(checkout.path(), base).args(["--format", "json"]);
        affected(run.args(more.iter().copied()).run())
    };
    let time = "beta: the commit's time (`created = \"commit\"`)";
    commit("1700000000 +0000");
    assert_affected(&since("HEAD", &[]), &[]);
    commit("1700000001 +0000");
    assert_affected(&since("HEAD~1", &[]), &[time]);
    checkout.append("alpha/src/main.rs", "// more\n");
    checkout.append("beta/src/main.rs", "// more\n");
    let found = since("HEAD~1", &[]);
    assert_affected(
        &found,
        &[
            "alpha: alpha/src/main.rs changed",
            "beta: beta/src/main.rs changed",
            time,
        ],
    );
    assert_affected(
        &since("HEAD", &[]),
        &[
            "alpha: alpha/src/main.rs changed",
            "beta: beta/src/main.rs changed",
        ],
    );
    checkout.restore();
    let between = since("HEAD~2", &["--head", "HEAD~1"]);
    assert!(
        between["beta"]
            .iter()
            .any(|why| why.starts_with("created "))
    );
}

#[test]
fn a_workspace_in_a_directory_of_its_repository() {
    let checkout = Checkout::empty();
    checkout.write_two("deep/er/");
    checkout.replace(
        ".cargo/config.toml",
        "\"vendor\"",
        "\"vendor\"\n[env]\nA = \"1\"",
    );
    checkout.commit("first");
    let inside = checkout.path().join("deep/er");
    let now = |expected: &[&str]| {
        let run = since(&inside, "HEAD").args(["--format", "json"]).run();
        assert_affected(&affected(run), expected);
        checkout.restore();
    };
    checkout.append("deep/er/alpha/src/main.rs", "// more\n");
    now(&["alpha: alpha/src/main.rs changed"]);
    checkout.write("elsewhere/README.md", "nobody's\n");
    now(&[]);
    checkout.append(".cargo/config.toml", "B = \"2\"\n");
    now(&[
        "alpha: ../../.cargo/config.toml changed",
        "beta: ../../.cargo/config.toml changed",
    ]);
}

#[test]
fn pipelines_are_told_what_is_affected() {
    let checkout = Checkout::of_two();
    let formatted = |format: &str| {
        let run = since(checkout.path(), "HEAD")
            .args(["--format", format])
            .run();
        run.expect(0).stdout
    };
    assert_eq!(formatted("github"), "matrix={\"include\":[]}\nany=false\n");
    assert!(formatted("gitlab").contains("no service is affected"));
    assert!(formatted("markdown").contains("No service is affected"));
    assert_eq!(
        formatted("text").lines().next(),
        Some("not affected: alpha, beta")
    );
    checkout.append("alpha/src/main.rs", "// more\n");
    assert_eq!(
        formatted("github"),
        "matrix={\"include\":[{\"service\":\"alpha\",\"package\":\"alpha\",\"bin\":\"alpha\",\
         \"platform\":\"linux/amd64\"}]}\nany=true\n"
    );
    let gitlab = formatted("gitlab");
    assert!(
        gitlab.contains("\"push alpha\":") && !gitlab.contains("push beta"),
        "{gitlab}"
    );
    let markdown = formatted("markdown");
    assert!(
        markdown.contains("1 of 2 services, compared with"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| `alpha` | `alpha` | alpha/src/main.rs changed |"),
        "{markdown}"
    );
    assert!(markdown.contains("Not affected: `beta`."), "{markdown}");
}

/// What cargo is asked, by a wrapper that writes it down.
fn asked(checkout: &Checkout) -> Vec<String> {
    let tools = Checkout::empty();
    let log = tools.path().join("log");
    let script = format!(
        "#!/bin/sh\necho \"$1\" >>'{}'\nexec cargo \"$@\"\n",
        log.display()
    );
    tools.write_executable("cargo-wrapper", &script);
    since(checkout.path(), "HEAD")
        .env("CARGO", tools.path().join("cargo-wrapper"))
        .run()
        .expect(0);
    let log = fs_err::read_to_string(log).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

#[test]
fn nothing_is_split_where_changes_cannot_matter() {
    let checkout = Checkout::of_two();
    assert_eq!(asked(&checkout), ["metadata"]);
    checkout.append("alpha/README.md", "more\n");
    checkout.write("docs/new.md", "more\n");
    assert_eq!(asked(&checkout), ["metadata"]);
    checkout.append("alpha/src/main.rs", "// more\n");
    assert!(asked(&checkout).len() > 1);
}

#[test]
fn the_users_repository_and_files_stay_as_they_are() {
    let checkout = Checkout::of_two();
    checkout.append("alpha/src/main.rs", "// more\n");
    checkout.git(&["add", "-A"]);
    checkout.append("alpha/src/main.rs", "// and more\n");
    let before = (
        checkout.git(&["status", "--porcelain"]),
        checkout.git(&["diff"]),
    );
    let temporary = Checkout::empty();
    let run = since(checkout.path(), "HEAD")
        .env("TMPDIR", temporary.path())
        .args(["--format", "json"])
        .run();
    assert_affected(&affected(run), &["alpha: alpha/src/main.rs changed"]);
    assert_eq!(temporary.listing(), []);
    assert_eq!(
        (
            checkout.git(&["status", "--porcelain"]),
            checkout.git(&["diff"])
        ),
        before
    );
}
