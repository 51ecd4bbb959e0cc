//! The README says nothing that the program does not do.

use std::collections::BTreeSet;
use std::path::Path;

use cargo_lighter::cli::Exit;
use cargo_lighter::config::keys;
use cargo_lighter::fs::sorted_files;
use serde_json::{Value, json};

use crate::support::check::{Copied, Described, blobs, read_json};
use crate::support::cli::Lighter;
use crate::support::registry::Registry;
use crate::support::tools::skopeo_config;
use crate::support::workspace::{Checkout, SHOP_SERVICES, shop};

const README: &str = include_str!("../../README.md");

#[test]
fn the_table_of_keys_is_the_programs_own() {
    assert!(
        README.contains(&keys::markdown()),
        "paste this:\n{}",
        keys::markdown()
    );
}

#[test]
fn every_command_and_flag_exists() {
    let commands = commands();
    assert!(commands.len() > 10, "{commands:?}");
    for words in commands {
        // Help is given only once everything before it was understood.
        let run = Lighter::at("/").args(&words).args(["--help"]).run();
        assert_eq!(run.code, 0, "{words:?}: {}", run.stderr);
    }
}

#[test]
fn help_does_not_hide_unknown_flags_and_commands() {
    for words in [&["build", "--no-such-flag"][..], &["no-such-command"]] {
        Lighter::at("/")
            .args(words)
            .args(["--help"])
            .run()
            .expect(2);
    }
}

#[test]
fn list_and_plan_print_what_is_shown() {
    let list = Lighter::at(shop()).args(["list"]).run().expect(0);
    assert_eq!(list.stdout, shown("cargo lighter list"));
    let plan = Lighter::at(shop())
        .args(["plan", "shop-gateway"])
        .run()
        .expect(0);
    // Which libraries there are depends on the machine.
    let of_service = |text: &str| text.split("libraries of").next().map(str::to_owned);
    let shown = shown("cargo lighter plan shop-gateway");
    assert_eq!(of_service(&plan.stdout), of_service(&shown));
}

#[test]
fn builds_go_through_the_steps_that_are_shown() {
    let run = Lighter::at(shop())
        .args(["build", "shop-gateway"])
        .run()
        .expect(0);
    let shown = shown("cargo lighter build shop-gateway");
    // Sizes, seconds and digests depend on the machine, cargo's own lines on what is fresh.
    let steps = |text: &str| -> Vec<String> {
        let ours = text.lines().filter(|line| line.contains(" `shop-gateway`"));
        let cut = |line: &str| {
            line.split([',', '('])
                .next()
                .map(str::trim_end)
                .map(str::to_owned)
        };
        let steps = ours.filter_map(cut);
        steps
            .map(|step| step.replace(|c: char| c.is_ascii_digit(), ""))
            .collect()
    };
    assert_eq!(steps(&run.stderr), steps(&shown));
    let references = |text: &str| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.split_once("@sha256:"));
        lines.map(|(reference, _)| reference.to_owned()).collect()
    };
    assert_eq!(references(&run.stdout), references(&shown));
}

#[test]
fn images_are_looked_into_as_it_is_shown() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let layout = format!("oci:{}", directory.path().display());
    Lighter::at(shop())
        .args(["build", "shop-gateway", "shop-worker", "--to", &layout])
        .run()
        .expect(0);
    let place = "oci:target/lighter/oci";
    let (gateway, worker) = (":shop-gateway", ":shop-worker");
    let inspect = |words: &[&str], code: i32| {
        let words = words.iter().map(|word| word.replace(place, &layout));
        let run = Lighter::at(shop()).args(words).run().expect(code);
        run.stdout.replace(&layout, place)
    };
    // Sizes, digests and libraries depend on the machine; the tour has built one service by then.
    let same = |text: &str| -> Vec<String> {
        let text = text.split("\nlibraries\n").next().unwrap_or_default();
        let words = text.split_whitespace();
        let is_same = |word: &&str| !word.contains(|c: char| c.is_ascii_digit());
        let is_unit = |word: &&str| !["B", "kB", "MB", "kB,", "MB,"].contains(word);
        let kept: Vec<&str> = words.filter(is_same).filter(is_unit).collect();
        let text = kept.join(" ").replace("also in shop-worker ", "");
        text.split(' ').map(str::to_owned).collect()
    };
    let image = format!("{place}{gateway}");
    let words = ["inspect", "-q", "--files", "1", &image];
    let shown_text = shown(&format!("cargo lighter {}", words.join(" ")));
    assert_eq!(same(&inspect(&words, 0)), same(&shown_text));
    let old = format!("{place}{worker}");
    let words = ["inspect", "-q", &image, "--against", &old];
    let shown_text = shown(&format!("cargo lighter {}", words.join(" ")));
    assert_eq!(same(&inspect(&words, 3)), same(&shown_text));
    let words = ["inspect", "-q", "--verify", place];
    let shown_text = shown(&format!("cargo lighter {}", words.join(" ")));
    assert_eq!(inspect(&words, 0), shown_text);
}

#[test]
fn pushes_read_as_they_are_shown() {
    let registry = Registry::open();
    let directory = tempfile::TempDir::new().expect("a directory");
    let summary = directory.path().join("images.json").display().to_string();
    // The command with what stands for it in this test, and what it prints with what stands in the README.
    let there = "localhost:5057";
    let push = |command: &str| {
        let command = command.split(" | ").next().unwrap_or_default();
        let words = shell_words(command.strip_prefix("cargo lighter ").unwrap_or_default());
        let words = words
            .iter()
            .map(|word| word.replace(there, &registry.host()));
        let words = words.map(|word| word.replace("images.json", &summary));
        let run = Lighter::at(shop()).args(words).run().expect(0);
        run.stdout.replace(&registry.host(), there)
    };
    let first = format!("cargo lighter push -q --repo {there}/acme --metadata-file images.json");
    let pushed = push(&first);
    assert_eq!(without_digests(&pushed), without_digests(&shown(&first)));
    let json = format!(
        "cargo lighter push -q --repo {there}/acme --message-format json shop-worker | head -1"
    );
    let line = push(&json);
    let line = line.split_inclusive('\n').next().unwrap_or_default();
    assert_eq!(without_digests(line), without_digests(&shown(&json)));
    // Libraries and compilers differ from machine to machine; where one digest is right, all are.
    let of_gateway = |text: &str| {
        text.lines()
            .find(|line| line.contains("gateway"))
            .map(str::to_owned)
    };
    let is_this_machine = of_gateway(&pushed) == of_gateway(&shown(&first));
    if is_this_machine {
        assert_eq!(pushed, shown(&first));
        assert_eq!(line, shown(&json));
    }
    let command = format!(
        "skopeo inspect --config --tls-verify=false docker://{there}/acme/shop-gateway:latest | jq -c .config"
    );
    let repo = format!("{}/acme", registry.host());
    let config = skopeo_config(&format!("docker://{repo}/shop-gateway:latest"));
    let shown_config: Value = serde_json::from_str(&shown(&command)).expect("JSON");
    assert_eq!(config["config"], shown_config);
    // What is shared is sent once, whoever sends it: each blob of all images counts once.
    let rows = |text: &str| -> Vec<Value> {
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    };
    let select = "jq -c '.services[] | [.service, .status, .deliveries[0].status, \
                  .deliveries[0].uploaded_bytes]' images.json";
    let shown_rows = rows(&shown(select));
    let services = read_json(Path::new(&summary));
    let services = services["services"].as_array().expect("a list").iter();
    let found: Vec<Value> = services
        .map(|service| {
            let delivery = &service["deliveries"][0];
            let bytes = &delivery["uploaded_bytes"];
            json!([
                service["service"],
                service["status"],
                delivery["status"],
                bytes
            ])
        })
        .collect();
    let words = |rows: &[Value]| -> Vec<Value> {
        rows.iter()
            .map(|row| json!([row[0], row[1], row[2]]))
            .collect()
    };
    assert_eq!(words(&found), words(&shown_rows));
    let bytes = |rows: &[Value]| -> Vec<u64> {
        rows.iter()
            .map(|row| row[3].as_u64().expect("a number"))
            .collect()
    };
    let copied = Copied::of_registry(&repo, &SHOP_SERVICES, None);
    let stored = copied.layout().join("blobs/sha256");
    let size = |blob: &String| fs_err::metadata(stored.join(blob)).expect("there").len();
    let whole: u64 = blobs(&copied.layout()).iter().map(size).sum();
    // But for manifests, which are no blobs to a registry.
    let index = read_json(&copied.layout().join("index.json"));
    let manifests = index["manifests"].as_array().expect("a list").iter();
    let manifests = manifests.filter_map(|manifest| manifest["size"].as_u64());
    let whole = whole - manifests.sum::<u64>();
    assert_eq!(bytes(&found).iter().sum::<u64>(), whole);
    if is_this_machine {
        assert_eq!(bytes(&shown_rows).iter().sum::<u64>(), whole);
    }
    let gateway = Described::of(&copied.layout(), "shop-gateway:latest");
    let layer = |index: usize| gateway.manifest["layers"][index]["size"].as_u64();
    let shared = layer(0).zip(layer(1));
    let (runtime, glibc) = shared.expect("two layers that all services share");
    let carries = |bytes: &&u64| **bytes > runtime + glibc;
    assert_eq!(bytes(&shown_rows).iter().filter(carries).count(), 1);
    assert!(bytes(&found).iter().filter(carries).count() <= 1);
}

/// The text with all digests alike.
fn without_digests(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |masked, part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        masked + "sha256:…" + rest
    })
}

#[test]
fn a_dockerfile_is_adopted_as_it_is_shown() {
    let checkout = Checkout::copy();
    let dockerfiles = blocks("dockerfile");
    let [dockerfile] = dockerfiles.as_slice() else {
        panic!("{dockerfiles:?}");
    };
    checkout.write("Dockerfile", dockerfile);
    let run = Lighter::at(checkout.path())
        .args(["adopt", "Dockerfile"])
        .run()
        .expect(0);
    let both = format!("{}{}", run.stderr, run.stdout);
    assert_eq!(both, shown("cargo lighter adopt Dockerfile"));
}

#[test]
fn errors_read_as_they_are_shown() {
    for words in [["push", "shop-worker"], ["build", "shop-typo"]] {
        let run = Lighter::at(shop()).args(words).run().expect(2);
        assert_eq!(
            run.stderr,
            shown(&format!("cargo lighter {}", words.join(" ")))
        );
    }
}

#[test]
fn examples_of_configuration_are_legal() {
    let checkout = Checkout::of_services(&["orders"]);
    let examples = blocks("toml");
    for example in &examples {
        let of_workspace = example.contains("[workspace.metadata.lighter");
        let manifest = if of_workspace {
            "Cargo.toml"
        } else {
            "orders/Cargo.toml"
        };
        checkout.append(manifest, &format!("\n{example}"));
    }
    let run = Lighter::at(checkout.path())
        .args(["plan", "-v"])
        .run()
        .expect(0);
    for value in ["registry.example.com/shop", "0.0.0.0:8080", "/srv/static"] {
        assert!(run.stdout.contains(value), "{value}: {}", run.stdout);
    }
}

#[test]
fn exit_codes_are_those_of_the_program() {
    let listed: BTreeSet<u8> = first_column("## Exit codes")
        .iter()
        .flat_map(|cell| cell.split(", "))
        .filter_map(|code| code.parse().ok())
        .collect();
    let exits = [
        Exit::Success,
        Exit::Failed,
        Exit::Usage,
        Exit::Difference,
        Exit::CompileFailed,
        Exit::HungUp,
        Exit::Interrupted,
        Exit::Terminated,
    ];
    assert_eq!(listed, exits.into_iter().map(Exit::code).collect());
}

#[test]
fn variables_are_those_that_are_read() {
    let sources: String = sorted_files(&root().join("src"))
        .expect("readable")
        .iter()
        .map(|file| fs_err::read_to_string(&file.path).expect("readable"))
        .collect();
    let listed: BTreeSet<String> = first_column("## Environment")
        .iter()
        .flat_map(|cell| code_spans(cell))
        .filter(|name| !name.contains('*'))
        .map(str::to_owned)
        .collect();
    for name in &listed {
        assert!(
            sources.contains(&format!("\"{name}\"")),
            "{name} is not read"
        );
    }
    for call in [".os(\"", ".raw(\"", ".get(\""] {
        for rest in sources.split(call).skip(1) {
            let name = rest.split('"').next().unwrap_or_default();
            let is_variable = !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
            // cargo's own keep cargo's meaning, and are told of together.
            let told = name.starts_with("CARGO_") || listed.contains(name);
            assert!(!is_variable || told, "{name} is not listed");
        }
    }
}

#[test]
fn files_that_are_named_exist() {
    let rooms = ["src/", "tests/", "benches/", "fixtures/"];
    let named: BTreeSet<&str> = prose()
        .iter()
        .flat_map(|line| code_spans(line))
        .filter(|span| rooms.iter().any(|room| span.starts_with(room)))
        .filter(|span| !span.contains("/target/"))
        .collect();
    assert!(named.len() > 5, "{named:?}");
    for path in named {
        assert!(root().join(path).exists(), "{path}");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let parts = README.split(&fence).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

/// Lines outside of fenced blocks.
fn prose() -> Vec<&'static str> {
    let parts = README.split("```").step_by(2);
    parts.flat_map(str::lines).collect()
}

fn code_spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// What stands below a command up to the next one or the end of its block.
#[track_caller]
fn shown(command: &str) -> String {
    let prompt = format!("$ {command}\n");
    let rest = README.split(&prompt).nth(1).expect("the command is shown");
    let end = ["\n$ ", "\n```"]
        .iter()
        .filter_map(|end| rest.find(end))
        .min()
        .expect("blocks end");
    rest[..=end].to_owned()
}

/// The first cells of the rows of the table in a section.
fn first_column(section: &str) -> Vec<&'static str> {
    let rest = README.split(section).nth(1).expect("the section is there");
    let text = rest.split("\n## ").next().unwrap_or_default();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| row.split(" |").next()).collect()
}

/// The arguments of each `cargo lighter …`, in blocks and in code spans.
fn commands() -> Vec<Vec<String>> {
    let in_blocks = README
        .split("```")
        .skip(1)
        .step_by(2)
        .flat_map(str::lines)
        .collect::<Vec<_>>();
    let in_prose = prose().into_iter().flat_map(code_spans);
    let mut found = Vec::new();
    for line in in_blocks.into_iter().chain(in_prose) {
        for marker in ["cargo lighter ", "cargo run --release -- "] {
            for rest in line.split(marker).skip(1) {
                found.push(shell_words(rest));
            }
        }
    }
    found
}

/// Words up to the end of a command; quotes keep what they hold together.
fn shell_words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '|' | '>' | ';' | '#' | '`' | ')') => break,
            (None, ' ') => words.push(String::new()),
            (_, c) => {
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
