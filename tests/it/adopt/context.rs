//! Files of the context that no image should have: what `.dockerignore` keeps out, and secrets.

use super::workspace;
use crate::support::cli::{Lighter, Run};
use crate::support::workspace::Checkout;

const HEAD: &str = "FROM debian:12\nUSER 1:1\nCOPY target/release/orders /app/orders\n";
const END: &str = "CMD [\"/app/orders\"]\n";

fn with(files: &[(&str, &str)]) -> Checkout {
    let checkout = workspace();
    for (file, text) in files {
        checkout.write(file, text);
    }
    checkout
}

fn adopt(checkout: &Checkout, copies: &str) -> Run {
    checkout.write("Dockerfile", &format!("{HEAD}{copies}{END}"));
    Lighter::at(checkout.path())
        .args(["adopt", "Dockerfile", "--offline"])
        .run()
        .expect(0)
}

/// The assets, one a line.
fn assets(run: &Run) -> Vec<&str> {
    let lines = run.stdout.lines().map(str::trim);
    lines.filter(|line| line.starts_with("{ from")).collect()
}

#[test]
fn what_dockerignore_keeps_out_of_a_directory_is_in_no_asset() {
    let checkout = with(&[
        (
            ".dockerignore",
            "# ours\n**/*.local\n/config/private\n!config/private/but\n",
        ),
        ("config/a.toml", ""),
        ("config/b.local", ""),
        ("config/deep/c.toml", ""),
        ("config/private/but", ""),
        ("config/private/key", ""),
    ]);
    let run = adopt(&checkout, "COPY config /config\n").says(&[
        "Note Dockerfile:4: `.dockerignore` keeps out `config/b.local` and `config/private/key`: what stands beside that is named one by one",
    ]);
    assert_eq!(
        assets(&run),
        [
            "{ from = \"/config/a.toml\", to = \"/config/a.toml\" },",
            "{ from = \"/config/deep\", to = \"/config/deep\" },",
            "{ from = \"/config/private/but\", to = \"/config/private/but\" },",
        ]
    );
}

#[test]
fn a_directory_of_which_dockerignore_keeps_out_nothing_stays_one_asset() {
    let checkout = with(&[(".dockerignore", "target\n*.md\n"), ("config/a.md", "")]);
    let run = adopt(&checkout, "COPY config /config\n");
    assert_eq!(assets(&run), ["{ from = \"/config\", to = \"/config\" },"]);
    assert!(!run.stderr.contains(".dockerignore"), "{}", run.stderr);
}

#[test]
fn the_dockerignore_of_a_dockerfile_comes_before_that_of_the_context() {
    let checkout = with(&[
        (".dockerignore", "config/a\n"),
        ("Dockerfile.dockerignore", "config/b\n"),
        ("config/a", ""),
        ("config/b", ""),
    ]);
    let run = adopt(&checkout, "COPY config /config\n")
        .says(&["`Dockerfile.dockerignore` keeps out `config/b`"]);
    assert_eq!(
        assets(&run),
        ["{ from = \"/config/a\", to = \"/config/a\" },"]
    );
}

#[test]
fn what_dockerignore_keeps_out_of_a_pattern_is_in_no_asset() {
    let checkout = with(&[
        (".dockerignore", "*\n!static/a\n!static/d\n!static/x\n"),
        ("static/a", ""),
        ("static/b", ""),
        ("static/d", ""),
    ]);
    let run = adopt(&checkout, "COPY static/* /static/\n").says(&[
        "`.dockerignore` keeps out `static/b`: what else `static/*` matches is named one by one",
    ]);
    assert_eq!(
        assets(&run),
        [
            "{ from = \"/static/a\", to = \"/static/a\" },",
            "{ from = \"/static/d\", to = \"/static/d\" },",
        ]
    );
}

#[test]
fn a_file_that_dockerignore_keeps_out_is_told() {
    let checkout = with(&[(".dockerignore", "*.md\nrootfs\n")]);
    let run = adopt(&checkout, "COPY README.md /x\nCOPY rootfs /y\nCOPY *.md /z/\n").says(&[
        "warning: Dockerfile:4: `.dockerignore` keeps out `README.md`, so that `docker build` finds nothing",
        "warning: Dockerfile:5: `.dockerignore` keeps out `rootfs/etc/orders.conf` and `rootfs/srv/a/b`, so",
        "warning: Dockerfile:6: `.dockerignore` keeps out `README.md`, so",
    ]);
    assert!(assets(&run).is_empty(), "{}", run.stdout);
}

#[test]
fn many_files_beside_what_dockerignore_keeps_out_are_told_and_not_named() {
    let checkout = with(&[(".dockerignore", "config/x\n"), ("config/x", "")]);
    for at in 0..30 {
        checkout.write(&format!("config/{at}"), "");
    }
    let run = adopt(&checkout, "COPY config /config\n").says(&[
        "warning: Dockerfile:4: `config` has too many files to name those of the image one by one; `.dockerignore` keeps out `config/x`",
    ]);
    assert!(assets(&run).is_empty(), "{}", run.stdout);
}

#[test]
fn a_line_of_dockerignore_that_is_not_understood_is_told() {
    let checkout = with(&[(".dockerignore", "config/x**y\n"), ("config/a", "")]);
    adopt(&checkout, "COPY config /config\n")
        .says(&["warning: Dockerfile: `config/x**y` of `.dockerignore` is not understood"]);
}

#[test]
fn files_that_look_like_secrets_are_told_and_in_no_asset() {
    let checkout = with(&[
        ("static/.env", "A=b"),
        ("static/a.html", ""),
        ("keys/server.key", "x"),
        ("keys/ca.pem", "-----BEGIN CERTIFICATE-----\nMII\n"),
        ("whole/.npmrc", ""),
        ("whole/a", ""),
    ]);
    let run = adopt(
        &checkout,
        "COPY static/* /static/\nCOPY static/.env /env\nCOPY keys /keys\nCOPY whole /whole\n",
    )
    .says(&[
        "warning: Dockerfile:4: `static/.env` looks like a secret: left out of `assets`",
        "warning: Dockerfile:5: `static/.env` looks like a secret",
        "warning: Dockerfile:6: `keys/server.key` looks like a secret",
        "warning: Dockerfile:7: `whole/.npmrc` looks like a secret",
        "Kubernetes Secret",
    ]);
    assert_eq!(
        assets(&run),
        [
            "{ from = \"/static/a.html\", to = \"/static/a.html\" },",
            "{ from = \"/keys\", to = \"/keys\" },",
            "{ from = \"/whole\", to = \"/whole\" },",
        ]
    );
}
