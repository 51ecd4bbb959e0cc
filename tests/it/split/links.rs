//! Symbolic links among the sources.

use super::world::World;

/// A service with a link `svc/link` to `target`, which it reads as `svc/link` + `below`.
fn linked(target: &str, below: &str) -> World {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc"]
== service svc
== svc/own/a.txt
own
== shared/a.txt
shared
== shared/b.txt
== shared/chain.txt
"#,
    );
    world.link("svc/link", target);
    let main = format!(
        "fn main() {{\n    println!(\"{{}}\", include_str!(\"../link{below}\").trim());\n}}\n"
    );
    world.write("svc/src/main.rs", &main);
    world
}

#[test]
fn a_link_inside_the_split_stays_one() {
    for (target, below) in [("own/a.txt", ""), ("own", "/a.txt")] {
        let world = linked(target, below);
        assert_eq!(world.runs("svc"), "own\n");
        let whole = world.split("svc");
        let held = fs_err::read_link(whole.root().join("svc/link")).expect("a link");
        assert_eq!(held.to_str(), Some(target));
    }
}

#[test]
fn a_link_to_elsewhere_in_the_repository_becomes_what_it_leads_to() {
    for (target, below) in [("../shared/a.txt", ""), ("../shared", "/a.txt")] {
        let world = linked(target, below);
        assert_eq!(world.runs("svc"), "shared\n");
        let whole = world.split("svc");
        let place = whole.root().join("svc/link");
        assert!(!place.symlink_metadata().expect("there").is_symlink());
        whole.lacks(&["shared"]);
    }
    let absolute = linked("{top}", "/a.txt");
    fs_err::remove_file(absolute.path("svc/link")).expect("removed");
    let target = absolute.path("shared");
    absolute.link("svc/link", target.to_str().expect("UTF-8"));
    assert_eq!(absolute.runs("svc"), "shared\n");
}

#[test]
fn a_link_to_a_directory_of_which_the_split_has_a_part_becomes_the_whole() {
    let world = linked("../shared", "/b.txt");
    world.write(
        "svc/src/lib.rs",
        "pub const A: &str = include_str!(\"../../shared/a.txt\");\n",
    );
    let whole = world.holds("svc").whole;
    whole.has(&[
        "svc/link/a.txt",
        "svc/link/b.txt",
        "svc/link/chain.txt",
        "shared/a.txt",
    ]);
    whole.lacks(&["shared/b.txt"]);
    world.runs("svc");
}

#[test]
fn a_chain_of_links_is_followed_to_its_end() {
    let world = linked("second", "");
    world.link("svc/second", "../third");
    world.link("third", "shared/a.txt");
    assert_eq!(world.runs("svc"), "shared\n");
}

#[test]
fn a_package_behind_a_link_inside_of_another_package() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc"]
exclude = ["common"]
== service svc
[dependencies]
common = { path = "common" }
== svc/src/main.rs
fn main() {
    println!("{}", common::NAME);
}
== library common
== common/src/lib.rs
pub const NAME: &str = "common";
== link svc/common -> ../common
"#,
    );
    assert_eq!(world.runs("svc"), "common\n");
    // Nothing of it stands in the way of itself.
    let one = world.run_split(&["svc"]).expect(0);
    let place = world.out().join("svc/svc/common/src/lib.rs");
    let before = place
        .symlink_metadata()
        .expect("there")
        .modified()
        .expect("known");
    assert_eq!(world.run_split(&["svc"]).expect(0).stdout, one.stdout);
    let after = place
        .symlink_metadata()
        .expect("there")
        .modified()
        .expect("known");
    assert_eq!(before, after);
}

#[test]
fn links_that_lead_nowhere_or_out_are_named() {
    let world = linked("own/absent.txt", "");
    let link = world.path("svc/link");
    let link = link.display();
    let run = world.run_split(&["svc"]);
    run.refuses(
        2,
        &format!("`{link}`, which belongs to the split of `svc`, is a link to `own/absent.txt`, where nothing is"),
        "mend the link, or remove it",
    );
    let world = linked("../../outside", "/a.txt");
    world.write("../outside/a.txt", "outside\n");
    let link = world.path("svc/link");
    let link = link.display();
    world.run_split(&["svc"]).refuses(
        2,
        &format!("`{link}`, which belongs to the split of `svc`, is a link to `../../outside`, outside of the repository"),
        "put what it leads to into the repository, or remove the link",
    );
    assert!(!world.out().exists());
}
