//! Assets that cannot be shipped, or must not be without a word.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::support::cli::{Lighter, Run};
use crate::support::refusal::{Before, images, no_temporaries};
use crate::support::tools;
use crate::support::workspace::Checkout;

/// A workspace of `alpha`, with a list of assets on line 6 of its manifest and some files to choose from.
fn with_assets(assets: &str) -> Checkout {
    let checkout = Checkout::of_services(&["alpha"]);
    checkout.write("alpha/files/one.txt", "one");
    checkout.write("alpha/files/two.txt", "two");
    set_assets(&checkout, assets);
    checkout
}

fn set_assets(checkout: &Checkout, assets: &str) {
    let text = crate::support::workspace::manifest(
        "alpha",
        &format!("[package.metadata.lighter]\nassets = [{assets}]\n"),
    );
    checkout.write("alpha/Cargo.toml", &text);
}

fn build(checkout: &Checkout) -> Run {
    Lighter::at(checkout.path()).args(["build"]).run()
}

/// Asserts that assets are refused before anything is compiled, by the second line of the error.
#[track_caller]
fn refused(checkout: &Checkout, why: &str, hint: &str) {
    refused_as(
        "the assets of service `alpha` cannot be shipped",
        checkout,
        why,
        hint,
    );
}

#[track_caller]
fn refused_as(first: &str, checkout: &Checkout, why: &str, hint: &str) {
    let before = Before::of(checkout.path());
    let message = format!("{first}\n  {why}");
    build(checkout).refuses(2, &message, hint);
    before.holds();
    let compiled = checkout.path().join("target/lighter/build");
    assert!(!compiled.exists(), "it was compiled first");
}

const REMOVE: &str = "remove it, or choose other files with a glob";
const COPY: &str = "copy the file into the repository";
const TAKEN: &str =
    "change `to` of an asset, or where the executable, its links or its directories go";

#[test]
fn what_is_not_there_is_named_with_its_place() {
    let checkout = with_assets("{ from = \"none\", to = \"/srv\" }");
    let package = checkout.path().join("alpha");
    let package = package.display();
    refused(
        &checkout,
        &format!("the asset `none` (alpha/Cargo.toml:6) does not exist: no `{package}/none`"),
        "`from` is relative to the package; a leading `/` means the workspace root",
    );
    set_assets(&checkout, "{ from = \"files/*.css\", to = \"/srv\" }");
    refused(
        &checkout,
        &format!(
            "the asset `files/*.css` (alpha/Cargo.toml:6) matches no file below `{package}/files`"
        ),
        "`*` stays within one directory, `**` does not: `static/**/*.css`",
    );
}

#[test]
fn nothing_comes_from_outside_the_repository() {
    let checkout = with_assets("{ from = \"../../outside\", to = \"/srv\" }");
    let before = Before::of(checkout.path());
    build(&checkout).refuses(
        2,
        "alpha/Cargo.toml:6:20: `../../outside` leaves the repository",
        "copy the files into the repository: what lies outside is not the same everywhere",
    );
    before.holds();
    let package = checkout.path().join("alpha");
    symlink("/etc/hostname", package.join("leaves")).expect("linked");
    symlink("/etc", package.join("files/etc")).expect("linked");
    for (from, link, target) in [
        ("leaves", "leaves", "/etc/hostname"),
        ("files", "files/etc", "/etc"),
        ("files/*", "files/etc", "/etc"),
        ("files/etc/hostname", "files/etc/hostname", "/etc/hostname"),
    ] {
        set_assets(
            &checkout,
            &format!("{{ from = \"{from}\", to = \"/srv\" }}"),
        );
        let link = package.join(link);
        let why = format!(
            "`{}` leads out of the repository, to `{target}`",
            link.display()
        );
        refused(&checkout, &why, COPY);
    }
}

#[test]
fn a_link_that_leads_nowhere_is_named() {
    let checkout = with_assets("{ from = \"files\", to = \"/srv\" }");
    let link = checkout.path().join("alpha/files/nowhere");
    symlink("gone", &link).expect("linked");
    let why = format!("the link `{}` leads nowhere", link.display());
    refused(&checkout, &why, REMOVE);
    set_assets(&checkout, "{ from = \"files/nowhere\", to = \"/srv\" }");
    refused(&checkout, &why, REMOVE);
}

/// Reading from a pipe would wait for ever.
#[test]
fn pipes_and_devices_are_no_files() {
    let mut kinds = vec![(&["p"][..], "pipe")];
    if tools::is_root() {
        kinds.push((&["c", "1", "3"], "device"));
    } else {
        tools::skipped("only root makes devices");
    }
    for from in ["files", "files/odd", "files/*"] {
        for (arguments, kind) in &kinds {
            let checkout = with_assets(&format!("{{ from = \"{from}\", to = \"/srv\" }}"));
            let odd = checkout.path().join("alpha/files/odd");
            tools::run(Command::new("mknod").arg(&odd).args(*arguments));
            let why = format!("`{}` is a {kind}, not a file", odd.display());
            refused(&checkout, &why, REMOVE);
        }
    }
}

#[test]
fn a_name_that_would_delete_is_refused() {
    let checkout = with_assets("{ from = \"files\", to = \"/srv\" }");
    checkout.write("alpha/files/.wh.one.txt", "");
    refused(
        &checkout,
        "`/srv/.wh.one.txt` cannot stand in an image: a name begins with `.wh.`",
        "rename the file: container runtimes take such names as an order to delete",
    );
}

/// Names of files reach the terminal, and must not steer it.
#[test]
fn a_name_with_control_characters_is_shown_without() {
    let checkout = with_assets("{ from = \"files\", to = \"/srv\" }");
    checkout.write("alpha/files/a\u{1b}[31mb", "");
    refused(
        &checkout,
        "`/srv/a [31mb` cannot stand in an image: it has a control character",
        "rename the file",
    );
}

#[test]
fn a_path_is_taken_only_once() {
    let one = |to: &str| format!("{{ from = \"files/one.txt\", to = \"{to}\" }}");
    let two = |to: &str| format!("{{ from = \"files/two.txt\", to = \"{to}\" }}");
    let twice = |path: &str| format!("two different things would stand at `{path}` in the image");
    for (assets, why) in [
        ([one("/srv/x"), two("/srv/x")].join(", "), twice("/srv/x")),
        (
            [one("/srv"), two("/srv/x")].join(", "),
            "`/srv/x` cannot stand in the image: `/srv` is not a directory".to_owned(),
        ),
    ] {
        refused(&with_assets(&assets), &why, TAKEN);
    }
    let together = "the image of service `alpha` cannot hold all its files";
    for (assets, why) in [
        (one("/app/alpha"), twice("/app/alpha")),
        (one("/app/alpha/one.txt"), twice("/app/alpha")),
        (one("/app"), twice("/app")),
    ] {
        refused_as(together, &with_assets(&assets), &why, TAKEN);
    }
    let checkout = with_assets(&one("/usr/bin/alpha"));
    checkout.append("alpha/Cargo.toml", "links = [\"/usr/bin/alpha\"]\n");
    refused_as(together, &checkout, &twice("/usr/bin/alpha"), TAKEN);
    let checkout = with_assets("");
    checkout.append("alpha/Cargo.toml", "workdir = \"/app/alpha\"\n");
    refused_as(together, &checkout, &twice("/app/alpha"), TAKEN);
}

/// All paths of the only image in the default layout.
fn shipped(checkout: &Checkout) -> String {
    let layout = checkout.path().join("target/lighter/oci");
    assert_eq!(images(&layout).len(), 1);
    let unpacked = tools::Unpacked::of_layout(&layout, "alpha:latest");
    let found = cargo_lighter::fs::sorted_files(&unpacked.root().join("srv"));
    let paths = found.expect("readable").into_iter();
    let names = paths.map(|file| file.relative.to_string_lossy().into_owned());
    names.collect::<Vec<_>>().join(" ")
}

fn warning(path: &Path) -> String {
    format!(
        "warning: `{}` looks like a secret and is left out of `alpha`: name it in an asset of its own to \
         ship it\n",
        path.display()
    )
}

#[test]
fn secrets_are_left_out_with_a_warning_unless_they_are_named() {
    let checkout = with_assets("");
    let package = checkout.path().join("alpha");
    let env = package.join("files/.env");
    let key = package.join("files/tls.pem");
    checkout.write("alpha/files/.env", "PASSWORD=x");
    checkout.write("alpha/files/tls.pem", "-----BEGIN PRIVATE KEY-----\n");
    let plain = "one.txt two.txt";
    for (assets, warned, files) in [
        ("{ from = \"files\", to = \"/srv\" }", 2, plain.to_owned()),
        (
            "{ from = \"files/**\", to = \"/srv\" }",
            2,
            plain.to_owned(),
        ),
        (
            "{ from = \"files\", to = \"/srv\" }, { from = \"files/.env\", to = \"/srv/\" }",
            1,
            format!(".env {plain}"),
        ),
        (
            "{ from = \"**/.env\", to = \"/srv\" }",
            0,
            "files/.env".to_owned(),
        ),
    ] {
        set_assets(&checkout, assets);
        let run = build(&checkout).expect(0);
        let warnings = [warning(&env), warning(&key)];
        for (index, warning) in warnings.iter().rev().enumerate() {
            assert_eq!(
                run.stderr.contains(warning),
                index < warned,
                "{}",
                run.stderr
            );
        }
        assert_eq!(shipped(&checkout), files, "{assets}");
        no_temporaries(checkout.path());
    }
}
