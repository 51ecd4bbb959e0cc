//! What a run says, and where: the contract with scripts.

use serde_json::{Value, json};

use crate::support::check::{assert_sound, read_json};
use crate::support::cli::Lighter;
use crate::support::registry::Registry;
use crate::support::workspace::Checkout;

#[test]
fn standard_output_has_a_line_for_each_image_and_destination_in_plan_order() {
    let registry = Registry::open();
    let checkout = Checkout::of_services(&["zebra", "ant", "moth"]);
    let repo = format!("{}/zoo", registry.host());
    let run = Lighter::at(checkout.path())
        .args(["build", "-t", "one", "-t", "two"])
        .args(["--to", "oci:out", "--to", &format!("docker://{repo}")])
        .args(["--image-refs", "refs.txt"])
        .run()
        .expect(0);
    let mut expected = Vec::new();
    for service in ["ant", "moth", "zebra"] {
        for tag in ["one", "two"] {
            expected.push(format!("oci:out:{service}:{tag}@sha256:"));
        }
        for tag in ["one", "two"] {
            expected.push(format!("{repo}/{service}:{tag}@sha256:"));
        }
    }
    let lines = run.lines();
    assert_eq!(lines.len(), expected.len(), "{}", run.stdout);
    for (line, expected) in lines.iter().zip(&expected) {
        let digest = line.strip_prefix(expected.as_str()).unwrap_or_default();
        assert_eq!(digest.len(), 64, "`{line}` is not `{expected}…`");
    }
    let references = fs_err::read_to_string(checkout.path().join("refs.txt"));
    assert_eq!(references.expect("written"), run.stdout);
    assert_sound(&checkout.path().join("out"));
}

#[test]
fn the_summary_has_every_field_of_its_schema() {
    let registry = Registry::open();
    let checkout = Checkout::of_services(&["service"]);
    let repo = format!("docker://{}/zoo", registry.host());
    Lighter::at(checkout.path())
        .args(["build", "--to", "oci:out", "--to", &repo])
        .args(["--metadata-file", "summary.json"])
        .run()
        .expect(0);
    let summary = read_json(&checkout.path().join("summary.json"));
    assert_eq!(keys(&summary), ["services", "version"]);
    assert_eq!(summary["version"], 1);
    let service = &summary["services"][0];
    let fields = [
        "deliveries",
        "digest",
        "image",
        "libraries",
        "package",
        "platforms",
        "seconds",
        "service",
        "status",
    ];
    // `key`, `revision` and `dirty` stand only where they are known.
    assert_eq!(keys(service), fields);
    assert_eq!(service["service"], "service");
    assert_eq!(service["package"], "service");
    assert_eq!(service["status"], "built");
    assert_eq!(service["platforms"], json!(["linux/amd64"]));
    assert_eq!(keys(&service["image"]), ["bytes", "layers"]);
    assert!(service["image"]["bytes"].as_u64() > Some(1_000_000));
    assert_eq!(
        keys(&service["seconds"]),
        ["assemble", "compile", "deliver"]
    );
    let seconds = service["seconds"].as_object().expect("a table");
    assert!(seconds.values().all(|value| value.as_f64() > Some(0.0)));
    let library = &service["libraries"][0];
    assert_eq!(keys(library), ["package", "path", "root", "version"]);
    let paths = service["libraries"].as_array().expect("a list").iter();
    assert!(paths.map(|library| &library["path"]).any(|path| {
        path.as_str()
            .is_some_and(|path| path.ends_with("/libc.so.6"))
    }));
    let deliveries = service["deliveries"].as_array().expect("a list");
    assert_eq!(deliveries.len(), 2);
    for (delivery, destination) in deliveries.iter().zip(["oci:out", &repo]) {
        let fields = [
            "destination",
            "digest",
            "existing_blobs",
            "mounted_blobs",
            "reference",
            "requests",
            "status",
            "tags",
            "uploaded_bytes",
        ];
        assert_eq!(keys(delivery), fields);
        assert_eq!(delivery["destination"], destination);
        assert_eq!(delivery["digest"], service["digest"]);
        assert_eq!(delivery["status"], "pushed");
        assert_eq!(delivery["tags"], json!(["latest"]));
        assert!(delivery["uploaded_bytes"].as_u64() > Some(1_000_000));
    }
    assert_eq!(deliveries[0]["requests"], 0);
    assert_eq!(
        deliveries[1]["requests"].as_u64().map(|n| n > 5),
        Some(true)
    );
    assert_sound(&checkout.path().join("out"));
}

#[test]
fn the_summary_names_the_commit_and_whether_the_work_tree_differs() {
    let checkout = Checkout::of_services(&["service"]);
    checkout.write(".gitignore", "/target\n/*.json\n");
    let commit = checkout.commit("first");
    let summary = || {
        Lighter::at(checkout.path())
            .args(["build", "--metadata-file", "summary.json"])
            .run()
            .expect(0);
        read_json(&checkout.path().join("summary.json"))
    };
    let clean = summary();
    assert_eq!(clean["services"][0]["revision"], commit);
    assert_eq!(clean["services"][0]["dirty"], false);
    checkout.append("service/src/main.rs", "// Changed.\n");
    let dirty = summary();
    assert_eq!(dirty["services"][0]["revision"], commit);
    assert_eq!(dirty["services"][0]["dirty"], true);
}

#[test]
fn json_lines_have_reasons_and_end_with_the_summary() {
    let checkout = Checkout::of_services(&["first", "second"]);
    let run = Lighter::at(checkout.path())
        .args(["build", "--message-format", "json"])
        .args(["--metadata-file", "summary.json"])
        .run()
        .expect(0);
    let lines: Vec<Value> = run
        .lines()
        .iter()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let reasons: Vec<&str> = lines
        .iter()
        .map(|line| line["reason"].as_str().expect("a reason"))
        .collect();
    let expected = [
        "lighter-image",
        "lighter-image",
        "lighter-service",
        "lighter-service",
        "lighter-summary",
    ];
    assert_eq!(reasons, expected);
    assert_eq!(lines[0]["service"], "first");
    assert_eq!(lines[1]["delivery"]["tags"], json!(["latest"]));
    let mut last = lines[4].clone();
    last.as_object_mut().expect("a table").remove("reason");
    assert_eq!(last, read_json(&checkout.path().join("summary.json")));
}

#[test]
fn quiet_says_nothing_and_verbose_shows_commands() {
    let checkout = Checkout::of_services(&["service"]);
    let quiet = Lighter::at(checkout.path())
        .args(["build", "-q"])
        .run()
        .expect(0);
    assert_eq!(quiet.stderr, "");
    assert_eq!(quiet.lines().len(), 1);
    // Warnings of the compiler are no chatter.
    checkout.append("service/src/main.rs", "fn unused() {}\n");
    Lighter::at(checkout.path())
        .args(["build", "-q"])
        .run()
        .expect(0)
        .says(&["function `unused` is never used"]);
    let normal = Lighter::at(checkout.path()).args(["build"]).run().expect(0);
    assert_eq!(normal.lines().len(), 1);
    let verbs = [
        "    Building `service`",
        "Built `service`",
        "Assembled",
        "      Stored `service` to oci:target/lighter/oci, ",
        "      Tagged `service` latest at oci:target/lighter/oci\n",
    ];
    let normal = normal.says(&verbs);
    assert!(!normal.stderr.contains("running "));
    assert!(!normal.stderr.contains('\u{1b}'), "{}", normal.stderr);
    Lighter::at(checkout.path())
        .args(["build", "-v"])
        .run()
        .expect(0)
        .says(&["running ", "cargo build", "--remap-path-prefix="]);
}

/// An image without a tag was once called delivered.
#[test]
fn an_image_is_stored_before_the_others_are_built_and_tagged_after() {
    let checkout = Checkout::of_services(&["first", "second"]);
    let run = Lighter::at(checkout.path()).args(["build"]).run().expect(0);
    let of = |verb: &str| {
        let lines = run.stderr.lines().enumerate();
        let lines = lines.filter(|(_, line)| line.trim_start().starts_with(verb));
        lines.map(|(number, _)| number).collect::<Vec<_>>()
    };
    let (stored, tagged) = (of("Stored `"), of("Tagged `"));
    assert_eq!((stored.len(), tagged.len()), (2, 2), "{}", run.stderr);
    assert!(stored[1] < tagged[0], "{}", run.stderr);
    checkout.write("second/src/main.rs", "fn main() { no code }\n");
    let run = Lighter::at(checkout.path())
        .args(["build"])
        .run()
        .expect(101);
    for word in ["Tagged", "Delivered"] {
        assert!(!run.stderr.contains(word), "{}", run.stderr);
    }
}

#[test]
fn cargo_may_put_the_commands_name_first() {
    let checkout = Checkout::of_services(&["service"]);
    let plain = Lighter::at(checkout.path()).args(["list"]).run().expect(0);
    for arguments in [&["lighter", "list"][..], &["lighter", "list", "service"]] {
        let run = Lighter::at(checkout.path()).args(arguments).run().expect(0);
        assert_eq!(run.stdout, plain.stdout);
    }
    // As cargo really calls it.
    let directory = std::path::Path::new(env!("CARGO_BIN_EXE_cargo-lighter"));
    let through_cargo = Lighter::at(checkout.path())
        .first_on_path(directory.parent().expect("a directory"))
        .args(["lighter", "list"])
        .run_program("cargo");
    assert_eq!(through_cargo.expect(0).stdout, plain.stdout);
}

fn keys(value: &Value) -> Vec<&str> {
    let table = value.as_object().expect("a table");
    table.keys().map(String::as_str).collect()
}
