//! Documents with one field that says something else than it must, or something unusual.

use serde_json::{Value, json};

use super::draft::{Draft, Laid, Part};
use crate::support::cli::{Lighter, Run};

use Part::{Config, Index, Manifest};

/// A document, where in it, what is put there (`None` takes away what is there), and what is said of it.
type Row = (Part, &'static str, Option<Value>, &'static str);

fn laid(part: Part, pointer: &'static str, value: Option<Value>) -> Laid {
    Laid::of(&Draft {
        set: Some((part, pointer, value)),
        ..Draft::default()
    })
}

fn run(laid: &Laid, more: &[&str]) -> Run {
    let words = ["inspect", "oci:layout"].into_iter();
    Lighter::at(laid.path())
        .args(words.chain(more.iter().copied()))
        .run()
}

fn executions() -> Vec<Row> {
    let set = |field: &'static str, value: Value, says| (Config, field, Some(value), says);
    vec![
        set(
            "/config",
            json!([]),
            "has a list as `config`, which must be an object",
        ),
        set(
            "/config/Env",
            json!(["PATH"]),
            "has `PATH` as `config.Env`, which is no `NAME=value`",
        ),
        set("/config/Env", json!(["=x"]), "has `=x` as `config.Env`"),
        set(
            "/config/Env",
            json!({"a": "b"}),
            "has an object as `config.Env`, which must be a list",
        ),
        set(
            "/config/Env",
            json!(["A=b", 7]),
            "has `7` as `config.Env[1]`, which must be a string",
        ),
        set(
            "/config/Entrypoint",
            json!("/app/x"),
            "has `\"/app/x\"` as `config.Entrypoint`, which must be a list",
        ),
        set(
            "/config/Entrypoint",
            json!([["x"]]),
            "has a list as `config.Entrypoint[0]`",
        ),
        set("/config/Cmd", json!([null]), "has null as `config.Cmd[0]`"),
        set(
            "/config/ExposedPorts",
            json!(["80/tcp"]),
            "has a list as `config.ExposedPorts`, which must be an object",
        ),
        set(
            "/config/ExposedPorts",
            json!({"http/tcp": {}}),
            "has `http/tcp` as `config.ExposedPorts`, which is no port",
        ),
        set(
            "/config/ExposedPorts",
            json!({"80/tcp": 80}),
            "has `80` as `config.ExposedPorts.80/tcp`",
        ),
        set(
            "/config/Volumes",
            json!("/data"),
            "as `config.Volumes`, which must be an object",
        ),
        set(
            "/config/Volumes",
            json!({"/data": "x"}),
            "as `config.Volumes./data`, which must be an object",
        ),
        set(
            "/config/WorkingDir",
            json!(["/"]),
            "has a list as `config.WorkingDir`, which must be a string",
        ),
        set(
            "/config/User",
            json!(65532),
            "has `65532` as `config.User`, which must be a string",
        ),
        set(
            "/config/Labels",
            json!(["a=b"]),
            "has a list as `config.Labels`",
        ),
        set(
            "/config/Labels",
            json!({"a": 1}),
            "has `1` as `config.Labels.a`, which must be a string",
        ),
        set(
            "/config/StopSignal",
            json!(9),
            "has `9` as `config.StopSignal`, which must be a string",
        ),
        set(
            "/config/ArgsEscaped",
            json!("no"),
            "as `config.ArgsEscaped`, which must be true or false",
        ),
        set(
            "/config/Healthcheck",
            json!("curl"),
            "as `config.Healthcheck`, which must be an object",
        ),
        set(
            "/config/Healthcheck",
            json!({"Test": "x"}),
            "as `config.Healthcheck.Test`, which must be a list",
        ),
    ]
}

fn configurations() -> Vec<Row> {
    let set = |field: &'static str, value: Value, says| (Config, field, Some(value), says);
    vec![
        set(
            "/created",
            json!("yesterday"),
            "has `yesterday` as `created`, which is no time as of RFC 3339",
        ),
        set(
            "/created",
            json!(0),
            "has `0` as `created`, which must be a string",
        ),
        set("/author", json!({}), "has an object as `author`"),
        set("/variant", json!(8), "has `8` as `variant`"),
        set(
            "/os.features",
            json!("x"),
            "as `os.features`, which must be a list",
        ),
        set(
            "/rootfs",
            json!(7),
            "has `7` as `rootfs`, which must be an object",
        ),
        set("/rootfs/type", json!(null), "has no `rootfs.type`"),
        set("/rootfs/diff_ids", json!(null), "has no `rootfs.diff_ids`"),
        set(
            "/rootfs/diff_ids",
            json!([7]),
            "has `7` as `rootfs.diff_ids[0]`",
        ),
        set(
            "/history",
            json!({}),
            "has an object as `history`, which must be a list",
        ),
        set(
            "/history",
            json!([7]),
            "has `7` as `history[0]`, which must be an object",
        ),
        set(
            "/history/0/created",
            json!("1.1.1970"),
            "as `history[0].created`, which is no time",
        ),
        set(
            "/history/0/created_by",
            json!(["sh"]),
            "has a list as `history[0].created_by`",
        ),
        set(
            "/history/0/empty_layer",
            json!("true"),
            "as `history[0].empty_layer`, which must be true or false",
        ),
        set(
            "/history/0/empty_layer",
            json!(true),
            "has 0 history entries with a layer for 1 layer",
        ),
        (Config, "/rootfs", None, "has no `rootfs`"),
    ]
}

fn manifests() -> Vec<Row> {
    let set = |field: &'static str, value: Value, says| (Manifest, field, Some(value), says);
    vec![
        set(
            "/annotations",
            json!(null),
            "has null as `annotations`, which must be an object",
        ),
        set(
            "/annotations",
            json!({"a": 7}),
            "has `7` as `annotations.a`, which must be a string",
        ),
        set(
            "/config",
            json!([]),
            "has a list as `config`, which must be an object",
        ),
        set(
            "/config/annotations",
            json!([]),
            "config has a list as `annotations`",
        ),
        set(
            "/config/data",
            json!("~"),
            "config has `data` that is no base64",
        ),
        set(
            "/config/data",
            json!("e30="),
            "config has `data` that is not the content of its digest and size",
        ),
        set(
            "/config/urls",
            json!("https://a"),
            "config has `\"https://a\"` as `urls`, which must be a list",
        ),
        set(
            "/config/urls",
            json!(["a b"]),
            "config has `a b` as `urls`, which is no URL",
        ),
        set(
            "/config/artifactType",
            json!(7),
            "config has `7` as `artifactType`",
        ),
        set(
            "/subject",
            json!("sha256:00"),
            "as `subject`, which must be an object",
        ),
        set(
            "/subject",
            json!({"mediaType": "a/b", "size": 1}),
            "subject has no `digest`",
        ),
        set("/artifactType", json!([]), "has a list as `artifactType`"),
        set(
            "/mediaType",
            json!(2),
            "has `2` as `mediaType`, which must be a string",
        ),
        set(
            "/layers/0/size",
            json!(-1),
            "layer 1 has `-1` as `size`, which must be a whole number",
        ),
        set("/layers/0/digest", json!(7), "layer 1 has `7` as `digest`"),
        set(
            "/schemaVersion",
            json!("2"),
            "has `\"2\"` as `schemaVersion`, which must be a whole number",
        ),
    ]
}

fn indexes() -> Vec<Row> {
    let set = |field: &'static str, value: Value, says| (Index, field, Some(value), says);
    let platform = "/manifests/0/platform";
    vec![
        set(
            "/annotations",
            json!([]),
            "`index.json` has a list as `annotations`",
        ),
        set(
            "/manifests",
            json!({}),
            "`index.json` has an object as `manifests`, which must be a list",
        ),
        set(
            "/manifests/0",
            json!("x"),
            "`index.json` has `\"x\"` as `manifests[0]`",
        ),
        set(
            "/manifests/0/annotations",
            json!({"a": 7}),
            "entry 1 has `7` as `annotations.a`",
        ),
        set(
            platform,
            json!([]),
            "entry 1 has a list as `platform`, which must be an object",
        ),
        (
            Index,
            "/manifests/0/platform/os",
            Some(json!(7)),
            "entry 1 has `7` as `platform.os`",
        ),
    ]
}

/// All of them.
fn table() -> Vec<Row> {
    let parts = [executions(), configurations(), manifests(), indexes()];
    parts.into_iter().flatten().collect()
}

#[test]
fn each_field_that_is_wrong_is_one_violation() {
    for (part, pointer, value, says) in table() {
        let name = format!("{part:?} {pointer} {value:?}");
        let laid = laid(part, pointer, value);
        let checked = run(&laid, &["--verify"]);
        assert_eq!(
            checked.code, 3,
            "{name}: {}{}",
            checked.stdout, checked.stderr
        );
        let head = "oci:layout: 1 violation";
        assert!(
            checked.stdout.starts_with(head),
            "{name}: {}",
            checked.stdout
        );
        assert!(checked.stdout.contains(says), "{name}: {}", checked.stdout);
    }
}

/// Fields of the documents, whatever they hold.
const FIELDS: [(Part, &str); 38] = [
    (Config, "/created"),
    (Config, "/author"),
    (Config, "/architecture"),
    (Config, "/os"),
    (Config, "/variant"),
    (Config, "/config"),
    (Config, "/config/Env"),
    (Config, "/config/Entrypoint"),
    (Config, "/config/Cmd"),
    (Config, "/config/ExposedPorts"),
    (Config, "/config/Volumes"),
    (Config, "/config/WorkingDir"),
    (Config, "/config/User"),
    (Config, "/config/Labels"),
    (Config, "/config/StopSignal"),
    (Config, "/config/Healthcheck"),
    (Config, "/rootfs"),
    (Config, "/rootfs/diff_ids"),
    (Config, "/rootfs/diff_ids/0"),
    (Config, "/history"),
    (Config, "/history/0"),
    (Config, "/history/0/comment"),
    (Config, "/history/0/created_by"),
    (Config, "/history/0/empty_layer"),
    (Manifest, "/mediaType"),
    (Manifest, "/config"),
    (Manifest, "/config/digest"),
    (Manifest, "/config/size"),
    (Manifest, "/layers"),
    (Manifest, "/layers/0"),
    (Manifest, "/layers/0/mediaType"),
    (Manifest, "/layers/0/platform"),
    (Manifest, "/layers/0/annotations"),
    (Index, "/schemaVersion"),
    (Index, "/manifests"),
    (Index, "/manifests/0"),
    (Index, "/manifests/0/platform"),
    (Index, "/manifests/0/annotations"),
];

#[test]
fn what_cannot_be_looked_into_has_a_violation() {
    let values = || {
        [
            json!(null),
            json!(-1),
            json!(1.5),
            json!(true),
            json!("x"),
            json!("\0"),
            json!([]),
            json!([null]),
            json!({}),
            json!({"": null}),
            json!({"os": "linux"}),
        ]
    };
    let mut refused = 0;
    for (part, pointer) in FIELDS {
        for value in values() {
            let name = format!("{part:?} {pointer} {value}");
            let laid = laid(part, pointer, Some(value));
            let looked = run(&laid, &[]);
            if looked.code == 0 {
                continue;
            }
            refused += 1;
            let checked = run(&laid, &["--verify"]);
            let found = format!("{name}: {}{}", looked.stderr, checked.stdout);
            // A layout without an image has nothing to look into, and nothing to check.
            if looked.stderr.contains("holds no image") && checked.code == 1 {
                continue;
            }
            // An artifact is no image, and as good as one.
            if looked.stderr.contains("is not an image that runs") && checked.code == 0 {
                continue;
            }
            assert_eq!(checked.code, 3, "{found}");
        }
    }
    assert!(refused > 200, "{refused}");
}

#[test]
fn what_runtimes_do_not_understand_is_remarked_where_any_text_is_legal() {
    for (pointer, value, says) in [
        (
            "/config/WorkingDir",
            json!("app"),
            "has `app` as `config.WorkingDir`, which is no absolute path",
        ),
        (
            "/config/Volumes",
            json!({"data": {}}),
            "has `data` as `config.Volumes`, which is no absolute path",
        ),
        (
            "/config/StopSignal",
            json!("stop it"),
            "has `stop it` as `config.StopSignal`, which is no signal",
        ),
        (
            "/config/StopSignal",
            json!("FOO"),
            "has `FOO` as `config.StopSignal`, which is no signal",
        ),
        (
            "/config/StopSignal",
            json!("SIGFOO"),
            "has `SIGFOO` as `config.StopSignal`, which is no signal",
        ),
        (
            "/config/User",
            json!("a:b:c"),
            "has `a:b:c` as `config.User`, which is no user or `USER:GROUP`",
        ),
        (
            "/config/User",
            json!(" "),
            " as `config.User`, which is no user or `USER:GROUP`",
        ),
        (
            "/config/Healthcheck",
            json!({"Test": ["CMDX", "/app/orders"]}),
            "has `CMDX` as `config.Healthcheck.Test`, which is no `NONE`, `CMD` or `CMD-SHELL`",
        ),
        (
            "/config/Entrypoint",
            json!([""]),
            "has `` as `config.Entrypoint`, which is no name of an executable",
        ),
        (
            "/config/Entrypoint",
            json!(["/app/orders", "a\0b"]),
            " as `config.Entrypoint`, which is no word that a process can be given",
        ),
        (
            "/config/Cmd",
            json!(["a\0b"]),
            " as `config.Cmd`, which is no word that a process can be given",
        ),
    ] {
        let laid = laid(Config, pointer, Some(value));
        let checked = run(&laid, &["--verify", "--strict"]).expect(3);
        let head = "oci:layout: nothing violates the image specification, 1 remark\n";
        assert!(checked.stdout.starts_with(head), "{}", checked.stdout);
        assert!(checked.stdout.contains(says), "{}", checked.stdout);
        let counted = run(&laid, &["--verify"]).expect(0);
        let what = says.rsplit_once(" as ").expect("a field").1;
        let kind = format!("  remark (1): a configuration has something as {what}\n");
        assert!(counted.stdout.contains(&kind), "{}", counted.stdout);
    }
}

#[test]
fn what_runtimes_understand_is_not_remarked() {
    for (pointer, value) in [
        ("/config/StopSignal", json!("TERM")),
        ("/config/StopSignal", json!("SIGRTMIN+3")),
        ("/config/StopSignal", json!("64")),
        ("/config/User", json!("nobody:nogroup")),
        ("/config/User", json!("")),
        ("/config/Healthcheck", json!({"Test": ["NONE"]})),
        (
            "/config/Healthcheck",
            json!({"Test": ["CMD-SHELL", "true"]}),
        ),
        ("/config/Healthcheck", json!({"Test": []})),
        ("/config/Entrypoint", json!(["/app/orders", ""])),
    ] {
        let laid = laid(Config, pointer, Some(value));
        run(&laid, &["--verify", "--strict"]).expect(0);
    }
}

#[test]
fn what_is_optional_may_be_null_or_missing() {
    for pointer in [
        "/created",
        "/author",
        "/variant",
        "/os.version",
        "/os.features",
        "/config",
        "/config/Env",
        "/config/Entrypoint",
        "/config/ExposedPorts",
        "/config/Healthcheck",
        "/config/User",
        "/history/0/created_by",
        "/history/0/empty_layer",
    ] {
        let laid = laid(Config, pointer, Some(Value::Null));
        run(&laid, &["--verify", "--strict"]).expect(0);
        run(&laid, &[]).expect(0);
    }
}

#[test]
fn a_field_twice_is_told_wherever_it_is() {
    let laid = laid(
        Config,
        "/config/Labels",
        Some(json!({"twice": "1", "ecive": "2"})),
    );
    let path = laid.blob(&laid.written.config);
    let text = fs_err::read_to_string(&path).expect("text");
    fs_err::write(path, text.replace("ecive", "twice")).expect("written");
    let checked = run(&laid, &["--verify"]).expect(3);
    let says = "is not a valid document: it has the field `twice` twice";
    assert!(checked.stdout.contains(says), "{}", checked.stdout);
}
