//! Configuration that makes no sense: every mistake with its place, before anything is compiled.

use std::process::Command;

use crate::support::cli::{Lighter, Run};
use crate::support::refusal::Before;
use crate::support::tools;
use crate::support::workspace::Checkout;

/// Runs `build` with `arguments` in a workspace that must not change.
fn build(checkout: &Checkout, arguments: &[&str]) -> Run {
    let before = Before::of(checkout.path());
    let run = Lighter::at(checkout.path())
        .args(["build"])
        .args(arguments)
        .run();
    before.holds();
    run
}

/// A workspace of `alpha` and `beta`, with lines in the table of `alpha`, the first being line 6.
fn with(lines: &str) -> Checkout {
    let checkout = Checkout::of_services(&["alpha", "beta"]);
    let table = format!("[package.metadata.lighter]\n{lines}\n");
    checkout.append("alpha/Cargo.toml", &table);
    checkout
}

fn git(checkout: &Checkout, arguments: &[&str]) {
    let identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"];
    tools::run(
        Command::new("git")
            .args(identity)
            .args(arguments)
            .current_dir(checkout.path()),
    );
}

const TAG_RULE: &str =
    "use at most 128 letters, digits, `.`, `_` and `-`, not beginning with `.` or `-`";

#[test]
fn one_mistake_has_file_line_and_hint() {
    build(&with("taggs = []"), &[]).refuses(
        2,
        "alpha/Cargo.toml:6:1: unknown key `taggs`",
        "did you mean `tags`? if a newer cargo-lighter knows it, say so with `min-version`",
    );
    build(&with("tzdata = \"yes\""), &[]).refuses(
        2,
        "alpha/Cargo.toml:6:10: `tzdata` must be `true` or `false`, not a string",
        "write for example `tzdata = true`",
    );
    build(&with("name = \"{repo}/Shop\""), &[]).refuses(
        2,
        "alpha/Cargo.toml:6:8: `name`: `{repo}/Shop` is not a legal repository name: `S` may not be \
         in it",
        "use lower-case letters and digits, separated by `/`, `.`, `_` or `-`",
    );
}

#[test]
fn several_mistakes_in_several_manifests_are_told_at_once() {
    let checkout = with("base = \"debian\"\nplatforms = [\"linux/arm64\"]\ntags = [\"a b\"]");
    checkout.append(
        "beta/Cargo.toml",
        "[package.metadata.lighter]\nprots = [80]\n",
    );
    checkout.append(
        "Cargo.toml",
        "[workspace.metadata.lighter]\nuser = \"root\"\nmin-version = \"0.0.1\"\n",
    );
    let newer = "leave it out, or use a newer version of cargo-lighter";
    let numbers = "write user and group as numbers, such as `65532:65532`: Kubernetes cannot tell \
                   whether a name is root (`runAsNonRoot`)";
    let message = format!(
        "6 mistakes in the configuration\n  \
         Cargo.toml:5:8: `user` `root` is not numeric ({numbers})\n  \
         alpha/Cargo.toml:6:1: `base` is not supported by this version ({newer})\n  \
         alpha/Cargo.toml:7:1: `platforms` is not supported by this version ({newer})\n  \
         alpha/Cargo.toml:8:9: `tags`: `a b` is not a legal tag ({TAG_RULE})\n  \
         beta/Cargo.toml:6:1: unknown key `prots` (did you mean `ports`?)\n  \
         --compression: `compression` must be `gzip`, `zstd` or `none`, not `xz`"
    );
    build(&checkout, &["--compression", "xz"]).refuses(2, &message, "");
}

#[test]
fn flags_are_refused_in_their_own_words() {
    let checkout = Checkout::of_services(&["alpha"]);
    let long = "v".repeat(129);
    let cases = [
        ("-t", "a b", "--tag: `a b` is not a legal tag", TAG_RULE),
        (
            "-t",
            &long,
            &format!("--tag: `{long}` is not a legal tag"),
            TAG_RULE,
        ),
        (
            "-t",
            "",
            "--tag: `tags` must not be empty",
            "write for example `--tag {version}`",
        ),
        (
            "-t",
            "{versoin}",
            "--tag: there is no placeholder `{versoin}` here",
            "did you mean `{version}`?",
        ),
        (
            "-t",
            "v{version",
            "--tag: `v{version` opens a brace that is never closed",
            "write `{{` for a literal brace",
        ),
        (
            "--repo",
            "acme",
            "--repo: `acme` names no registry",
            "put the registry's host in front, such as `ghcr.io/acme` or `localhost:5000/acme`",
        ),
        (
            "--repo",
            "ghcr.io/Acme",
            "--repo: `ghcr.io/Acme` is not a legal repository name: `A` may not be in it",
            "use lower-case letters and digits, separated by `/`, `.`, `_` or `-`",
        ),
        (
            "--repo",
            "",
            "--repo: `repo` must not be empty",
            "write for example `--repo ghcr.io/acme`",
        ),
        (
            "--platform",
            "linux/vax",
            "`linux/vax` stands for no platform that images are built for",
            "name a platform such as linux/amd64 or linux/arm64, or a Linux target such as \
             x86_64-unknown-linux-gnu",
        ),
    ];
    for (flag, value, message, hint) in cases {
        build(&checkout, &[flag, value]).refuses(2, message, hint);
    }
}

#[test]
fn variables_are_refused_in_their_own_words() {
    let checkout = Checkout::of_services(&["alpha"]);
    let before = Before::of(checkout.path());
    for (name, value, message, hint) in [
        (
            "LIGHTER_TAGS",
            "ok,a b",
            "LIGHTER_TAGS: `a b` is not a legal tag",
            TAG_RULE,
        ),
        (
            "LIGHTER_TZDATA",
            "yes",
            "LIGHTER_TZDATA: `tzdata` must be `true` or `false`, not \"yes\"",
            "write for example `LIGHTER_TZDATA=true`",
        ),
        (
            "SOURCE_DATE_EPOCH",
            "abc",
            "SOURCE_DATE_EPOCH is `abc`, which is not a number of seconds since 1970",
            "set it as `SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)`, or unset it",
        ),
    ] {
        let run = Lighter::at(checkout.path())
            .env(name, value)
            .args(["build"]);
        run.run().refuses(2, message, hint);
    }
    before.holds();
}

#[test]
fn a_tag_from_git_needs_a_commit_and_a_branch() {
    let checkout = Checkout::of_services(&["alpha"]);
    let no_commit = |checkout: &Checkout| {
        build(checkout, &["-t", "{git.sha}"]).refuses(
            2,
            "tag `{git.sha}` of service `alpha` needs a git repository with a commit",
            "commit first, or choose other `tags`",
        );
    };
    no_commit(&checkout);
    git(&checkout, &["init", "-q", "-b", "main"]);
    no_commit(&checkout);
    checkout.write(".gitignore", "target\n");
    git(&checkout, &["add", "."]);
    git(&checkout, &["commit", "-qm", "x"]);
    git(&checkout, &["checkout", "-q", "--detach"]);
    build(&checkout, &["-t", "{git.branch}"]).refuses(
        2,
        "tag `{git.branch}` of service `alpha` needs a git branch",
        "CI often checks out a detached commit: give the branch as a tag, `-t BRANCH`",
    );
}

#[test]
fn a_library_root_must_be_a_directory() {
    let checkout = with("library-root = \"/nonexistent\"");
    build(&checkout, &[]).refuses(
        2,
        "library root `/nonexistent` cannot be read\n  failed to canonicalize path `/nonexistent`: No \
         such file or directory (os error 2)",
        "name a directory with the files of a Linux system as `library-root`, or leave the key out",
    );
}

#[test]
fn two_services_cannot_share_an_image() {
    let checkout = Checkout::of_services(&["alpha", "beta"]);
    checkout.append(
        "Cargo.toml",
        "[workspace.metadata.lighter]\nname = \"{repo}/app\"\n",
    );
    build(&checkout, &[]).refuses(
        2,
        "Cargo.toml:5:8: services `alpha` and `beta` would both be the image `app`",
        "set `name` for one of them, or put `{service}` into the pattern",
    );
}
