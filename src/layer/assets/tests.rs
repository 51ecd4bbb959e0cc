//! Assets of small repositories.

use std::os::unix::fs::symlink;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::{AssetError, Assets, LostDirectory, collect_assets};
use crate::config::{Asset, Origin, Source};
use crate::fs::{Content, ImagePath, Node};
use crate::hint::Hint as _;

const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";

struct Repository(TempDir);

impl Repository {
    /// Empty files, by their paths.
    fn of(files: &[&str]) -> Self {
        let repository = Self(TempDir::new().expect("a temporary directory"));
        for file in files {
            repository.write(file, "");
        }
        repository
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.path().join(file);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("created");
        fs_err::write(path, text).expect("written");
    }

    fn link(&self, link: &str, target: &str) {
        let path = self.0.path().join(link);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("created");
        symlink(target, path).expect("linked");
    }

    /// Collects `directory`, or what `glob` finds in it, to `/app`.
    fn collect(&self, directory: &str, glob: Option<&str>) -> Result<Assets, AssetError> {
        let asset = Asset {
            from: Source {
                text: format!("/{directory}"),
                path: self.0.path().join(directory),
                glob: glob.map(str::to_owned),
            },
            to: ImagePath::new("/app").expect("legal"),
            into_directory: false,
            mode: None,
            origin: Origin::Default,
        };
        collect_assets(&[asset], self.0.path(), &self.0.path().join("target"))
    }

    /// Files and links of the image; a link with its target.
    fn shipped(&self, directory: &str, glob: Option<&str>) -> Vec<String> {
        shown(&self.collect(directory, glob).expect("collected"))
    }

    /// What is left out as a secret.
    fn left_out(&self, directory: &str, glob: Option<&str>) -> Vec<String> {
        let root = self.0.path().canonicalize().expect("there");
        let assets = self.collect(directory, glob).expect("collected");
        let relative = |path: &Path| path.strip_prefix(&root).expect("below").to_owned();
        let paths = assets.left_out.iter().map(|path| relative(path));
        paths.map(|path| path.display().to_string()).collect()
    }
}

fn shown(assets: &Assets) -> Vec<String> {
    let mut shown = Vec::new();
    for (path, node) in assets.tree.iter() {
        match node {
            Node::Directory { .. } => {}
            Node::File { .. } => shown.push(path.absolute()),
            Node::Symlink { target } => shown.push(format!("{} -> {target}", path.absolute())),
        }
    }
    shown
}

#[test]
fn neither_directories_nor_globs_ship_what_git_and_cargo_keep() {
    let repository = Repository::of(&[
        ".git/config",
        "module/.git",
        "module/page.html",
        "target/lighter/oci/index.json",
        "target.txt",
    ]);
    for glob in [None, Some("**")] {
        let shipped = repository.shipped("", glob);
        assert_eq!(shipped, ["/app/module/page.html", "/app/target.txt"]);
    }
}

#[test]
fn what_begins_in_a_directory_of_git_or_cargo_is_meant() {
    let repository = Repository::of(&[".git/HEAD", "target/doc/index.html", "target/x"]);
    for glob in [None, Some("**")] {
        assert_eq!(repository.shipped(".git", glob), ["/app/HEAD"]);
        assert_eq!(repository.shipped("target/doc", glob), ["/app/index.html"]);
        let all = repository.shipped("target", glob);
        assert_eq!(all, ["/app/doc/index.html", "/app/x"]);
    }
}

#[test]
fn a_link_does_not_launder_a_secret() {
    let repository = Repository::of(&[".env", ".git/config", "static/page.html"]);
    repository.write("keys/deploy", KEY);
    repository.link("static/environment.txt", "../.env");
    repository.link("static/settings.txt", "../.git/config");
    repository.link("static/some.txt", "../keys/deploy");
    for glob in [None, Some("*"), Some("*.*")] {
        assert_eq!(repository.shipped("static", glob), ["/app/page.html"]);
        assert_eq!(
            repository.left_out("static", glob),
            [
                "static/environment.txt",
                "static/settings.txt",
                "static/some.txt"
            ]
        );
    }
}

#[test]
fn a_private_key_is_found_whatever_its_name() {
    let repository = Repository::of(&["page.html", ".aws/credentials"]);
    repository.write("deploy.txt", KEY);
    repository.write("account.json", &format!("{}{KEY}", " ".repeat(50_000)));
    repository.write("far.bin", &format!("{}{KEY}", " ".repeat(2 << 20)));
    let shipped = repository.shipped("", None);
    assert_eq!(shipped, ["/app/far.bin", "/app/page.html"]);
}

#[test]
fn a_directory_does_not_ship_what_is_called_a_secret() {
    let secrets = [
        "auth.json",
        "db_password",
        "gcp-key.json",
        "password.txt",
        "secrets/db",
        "server.key",
        "token.txt",
        "vault.yml",
    ];
    let others = [
        "auth.js",
        "keys.js",
        "password.html",
        "secrets.html",
        "token.rs",
        "token.txt.example",
        "tokenizer.json",
    ];
    let repository = Repository::of(&[secrets.as_slice(), &others].concat());
    repository.write("ca.pem", "-----BEGIN CERTIFICATE-----\nMII\n");
    for glob in [None, Some("**")] {
        assert_eq!(repository.left_out("", glob), secrets);
        let shipped = repository.shipped("", glob);
        let expected = [&["ca.pem"], others.as_slice()].concat();
        let mut expected: Vec<String> =
            expected.iter().map(|name| format!("/app/{name}")).collect();
        expected.sort();
        assert_eq!(shipped, expected);
    }
}

#[test]
fn a_secret_whose_name_a_glob_writes_is_meant() {
    let repository = Repository::of(&["a/.env", "b/.env"]);
    let shipped = repository.shipped("", Some("*/.env"));
    assert_eq!(shipped, ["/app/a/.env", "/app/b/.env"]);
    assert!(repository.left_out("", Some("*/.env")).is_empty());
}

#[test]
fn links_within_the_asset_stay_links() {
    let repository = Repository::of(&["static/v2/page.html"]);
    repository.link("static/a", "b");
    repository.link("static/b", "current/page.html");
    repository.link("static/current", "v2");
    repository.link("static/v2/up.html", "../v2/./page.html");
    assert_eq!(
        repository.shipped("static", None),
        [
            "/app/a -> b",
            "/app/b -> current/page.html",
            "/app/current -> v2",
            "/app/v2/page.html",
            "/app/v2/up.html -> ../v2/./page.html",
        ]
    );
}

#[test]
fn a_link_that_would_dangle_in_the_image_becomes_its_file() {
    let repository = Repository::of(&["static/index.html"]);
    repository.link("static/back", "../static/index.html");
    let assets = repository.collect("static", None).expect("collected");
    assert_eq!(shown(&assets), ["/app/back", "/app/index.html"]);
    let back = assets.tree.get(&ImagePath::new("app/back").expect("legal"));
    let Some(Node::File {
        content: Content::File(path),
        ..
    }) = back
    else {
        panic!("{back:?}");
    };
    assert!(path.ends_with("static/index.html"));
}

#[test]
fn a_link_to_what_is_left_out_is_left_out_or_becomes_its_file() {
    let repository = Repository::of(&["static/.env", "static/data"]);
    repository.link("static/a", ".env");
    repository.link("static/.env.local", "data");
    repository.link("static/b", ".env.local");
    let shipped = repository.shipped("static", None);
    assert_eq!(shipped, ["/app/b", "/app/data"]);
    assert_eq!(
        repository.left_out("static", None),
        ["static/.env", "static/.env.local", "static/a"]
    );
}

#[test]
fn a_link_to_a_directory_that_is_lost_says_why() {
    let lost = |target: &str, glob: Option<&str>| {
        let repository = Repository::of(&["static/v2/page.html", "other/page.html"]);
        fs_err::create_dir(repository.0.path().join("static/empty")).expect("created");
        repository.link("static/link", target);
        let error = repository.collect("static", glob).expect_err("a directory");
        let AssetError::LinkedDirectory { lost, .. } = &error else {
            panic!("{error}");
        };
        assert!(error.is_configuration() && error.hint().is_some());
        (*lost, error.to_string())
    };
    assert_eq!(lost("../other", None).0, LostDirectory::Outside);
    assert_eq!(lost("../static/v2", None).0, LostDirectory::Text);
    assert_eq!(lost("empty", None).0, LostDirectory::Empty);
    let (why, text) = lost("v2", Some("**"));
    assert_eq!(why, LostDirectory::Glob);
    assert!(!text.contains("outside"), "{text}");
}

#[test]
fn names_in_errors_are_one_printable_line() {
    let repository = Repository::of(&["static/a\n\u{1b}[31merror: b"]);
    let error = repository
        .collect("static", None)
        .expect_err("no such name");
    let text = error.to_string();
    assert!(!text.contains(char::is_control), "{text:?}");
    repository.link("other/x\ny", "nowhere");
    let error = repository.collect("other", None).expect_err("dangling");
    let text = error.to_string();
    assert!(!text.contains(char::is_control), "{text:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_link_of_an_image_leads_where_it_led_before(
        links in prop::collection::btree_map("(d/)?[a-c]", "(\\./|\\.\\./|s/|d/){0,4}[a-c]", 0..5),
    ) {
        let repository = Repository::of(&["s/file", "s/d/file", "a", "b"]);
        for (link, target) in &links {
            repository.link(&format!("s/{link}"), target);
        }
        if let Ok(assets) = repository.collect("s", None) {
            let root = repository.0.path().canonicalize().expect("there").join("s");
            for (path, node) in assets.tree.iter() {
                if let Node::Symlink { .. } = node {
                    let arrived = assets.tree.resolve(path.as_str()).expect("somewhere");
                    let relative = path.as_str().strip_prefix("app/").expect("below");
                    let real = root.join(relative).canonicalize().expect("not dangling");
                    let inside = real.strip_prefix(&root).expect("in the asset").to_owned();
                    prop_assert_eq!(Path::new("app").join(inside), Path::new(arrived.as_str()));
                }
            }
        }
    }
}
