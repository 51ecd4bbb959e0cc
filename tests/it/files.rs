//! What an image holds beside its executable, and what it refuses.

use std::process::Command;

use crate::support::check::{Described, assert_sound};
use crate::support::cli::{Lighter, Run};
use crate::support::tools::run;
use crate::support::workspace::{Checkout, manifest};

fn checkout(settings: &str) -> Checkout {
    let checkout = Checkout::of_services(&["service"]);
    let settings = format!("[package.metadata.lighter]\n{settings}\n");
    checkout.write("service/Cargo.toml", &manifest("service", &settings));
    checkout
}

fn build(checkout: &Checkout) -> Run {
    Lighter::at(checkout.path())
        .args(["build", "--to", "oci:target/out"])
        .run()
}

fn described(checkout: &Checkout) -> Described {
    let layout = checkout.path().join("target/out");
    assert_sound(&layout);
    Described::of(&layout, "service:latest")
}

#[test]
fn a_workspace_as_an_asset_ships_neither_git_nor_what_was_built_before() {
    let checkout = checkout("assets = [{ from = \"/\", to = \"/src\" }]");
    checkout.write(".gitignore", "/target\n");
    checkout.commit("first");
    let first = build(&checkout).expect(0);
    let second = build(&checkout).expect(0);
    assert_eq!(first.stdout, second.stdout);
    let files = described(&checkout).files();
    let has = |part: &str| files.iter().any(|file| file.contains(part));
    assert!(has("src/service/src/main.rs"), "{files:?}");
    assert!(!has("src/.git/") && !has("src/target/"), "{files:?}");
}

#[test]
fn a_volume_belongs_to_user_and_group_even_above_an_asset() {
    let checkout = checkout(
        "user = \"1000:2000\"\nvolumes = [\"/data\", \"/home/nonroot\"]\n\
         assets = [{ from = \"seed\", to = \"/data/seed\" }]",
    );
    checkout.write("service/seed/x", "1");
    build(&checkout).expect(0);
    let image = described(&checkout);
    let layers = image.layers().len();
    let last = image.layer_file(layers - 1);
    let listing = run(Command::new("tar").arg("-tvf").arg(last));
    let line = |name: &str| {
        let mut lines = listing.lines();
        let line = lines.find(|line| line.ends_with(name)).map(str::to_owned);
        line.unwrap_or_else(|| panic!("no {name}: {listing}"))
    };
    assert!(
        line(" data/").starts_with("drwxr-xr-x 1000/2000 "),
        "{listing}"
    );
    assert!(
        line(" home/nonroot/").starts_with("drwx------ 1000/2000 "),
        "{listing}"
    );
}

#[test]
fn files_that_exclude_one_another_are_refused_before_anything_is_compiled() {
    for (settings, said) in [
        (
            "assets = [{ from = \"x\", to = \"/lib64\" }]",
            &["`/lib64`", "`glibc`", "`assets`"][..],
        ),
        ("path = \"/tmp\"", &["`/tmp`", "`runtime`", "`application`"]),
        (
            "volumes = [\"/etc/passwd\"]",
            &["`/etc/passwd`", "`runtime`"],
        ),
        (
            "assets = [{ from = \"x\", to = \"/app/service\" }]",
            &["`/app/service`"],
        ),
        (
            "links = [\"/data\"]\nvolumes = [\"/data\"]",
            &["`/data`", "`service`"],
        ),
    ] {
        let checkout = checkout(settings);
        checkout.write("service/x", "1");
        let run = build(&checkout).expect(2).says(said).says(&["hint: "]);
        assert!(!run.stderr.contains("Building"), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn a_file_name_speaks_neither_to_the_terminal_nor_for_us() {
    let checkout = checkout("assets = [{ from = \"static\", to = \"/static\" }]");
    checkout.write("service/static/a\n\u{1b}[31merror: all is lost", "1");
    let run = build(&checkout).expect(2);
    assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
    let errors = run.stderr.lines().filter(|line| line.starts_with("error"));
    assert_eq!(errors.count(), 1, "{}", run.stderr);
}
