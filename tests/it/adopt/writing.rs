//! `adopt --write` changes what it says, and nothing else.

use serde_json::Value;

use super::workspace;
use crate::support::cli::{Lighter, Run};
use crate::support::workspace::Checkout;

const DOCKERFILE: &str = "FROM debian\nCOPY target/release/orders /srv/orders\nUSER 1:2\nENV A=1 B=2\n\
                          EXPOSE 80\nENTRYPOINT [\"/srv/orders\"]\n";

fn adopt(checkout: &Checkout, arguments: &[&str]) -> Run {
    Lighter::at(checkout.path())
        .args(["adopt", "--offline", "Dockerfile", "--write"])
        .args(arguments)
        .run()
}

/// A manifest, and what it must become.
fn becomes(manifest: &str, expected: &str) -> Run {
    let checkout = workspace();
    checkout.write("Dockerfile", DOCKERFILE);
    checkout.write("orders/Cargo.toml", manifest);
    let run = adopt(&checkout, &[]).expect(0);
    assert_eq!(run.stdout, "orders/Cargo.toml\n");
    let written =
        fs_err::read_to_string(checkout.path().join("orders/Cargo.toml")).expect("readable");
    assert_eq!(written, expected);
    run
}

#[test]
fn a_manifest_without_settings_gets_a_table() {
    becomes(
        "# First.\n[package]\nname   =  'orders'   # odd\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\n# About\n[features]\npostgres = [ ]\nmetrics=[]",
        "# First.\n[package]\nname   =  'orders'   # odd\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [package.metadata.lighter]\npath = \"/srv/orders\"\nuser = \"1:2\"\nports = [80]\n\n\
         [package.metadata.lighter.env]\nA = \"1\"\nB = \"2\"\n\n\n# About\n[features]\npostgres = [ ]\nmetrics=[]",
    );
}

#[test]
fn line_ends_stay_what_they_are() {
    let head = "[package]\r\nname = \"orders\"\r\nversion = \"0.1.0\"\nedition = \"2024\"\r\n";
    becomes(
        head,
        &format!(
            "{head}\r\n[package.metadata.lighter]\r\npath = \"/srv/orders\"\r\nuser = \"1:2\"\r\nports = [80]\r\n\r\n\
             [package.metadata.lighter.env]\r\nA = \"1\"\r\nB = \"2\"\r\n"
        ),
    );
}

#[test]
fn what_is_there_stays_and_is_told() {
    let head = "[package]\nname = \"orders\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n";
    let run = becomes(
        &format!(
            "{head}[package.metadata.lighter] # ours\nuser = \"7:7\"\nports = [ 80 ]\n\n[package.metadata.lighter.env]\nA = \"other\" # kept\n"
        ),
        &format!(
            "{head}[package.metadata.lighter] # ours\nuser = \"7:7\"\nports = [ 80 ]\npath = \"/srv/orders\"\n\n\
             [package.metadata.lighter.env]\nA = \"other\" # kept\nB = \"2\"\n"
        ),
    );
    run.says(&[
        "warning: `user` stays \"7:7\" in orders/Cargo.toml: the Dockerfile says \"1:2\"",
        "warning: `env.A` stays \"other\" in orders/Cargo.toml: the Dockerfile says \"1\"",
        "path, env.B to `[package.metadata.lighter]` of orders/Cargo.toml",
    ]);
}

#[test]
fn what_differs_is_not_called_the_same() {
    let checkout = workspace();
    checkout.append(
        "orders/Cargo.toml",
        "\n[package.metadata.lighter]\nports = [80]\n",
    );
    checkout.write(
        "Dockerfile",
        "FROM debian\nUSER 65532:65532\nCOPY target/release/orders /app/orders\nEXPOSE 99\n\
         ENTRYPOINT [\"/app/orders\"]\n",
    );
    let run = adopt(&checkout, &[]).expect(0).says(&[
        "warning: `ports` stays [80] in orders/Cargo.toml: the Dockerfile says [99]",
        "Wrote nothing: what orders/Cargo.toml says stays",
    ]);
    assert!(!run.stderr.contains("says all of it"), "{}", run.stderr);
}

#[test]
fn tables_on_one_line_stay_on_it() {
    let head = "[package]\nname = \"orders\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    becomes(
        &format!("{head}metadata = {{ lighter = {{ user = \"1:2\" }} }}\n"),
        &format!(
            "{head}metadata = {{ lighter = {{ user = \"1:2\", path = \"/srv/orders\", ports = [80], env = {{ A = \"1\", B = \"2\" }} }} }}\n"
        ),
    );
    becomes(
        &format!("{head}metadata.lighter.user = \"1:2\"\n"),
        &format!(
            "{head}metadata.lighter.user = \"1:2\"\nmetadata.lighter.path = \"/srv/orders\"\nmetadata.lighter.ports = [80]\n\
             metadata.lighter.env = {{ A = \"1\", B = \"2\" }}\n"
        ),
    );
}

#[test]
fn a_package_with_several_binaries_gets_a_table_of_one() {
    let checkout = workspace();
    checkout.write(
        "Dockerfile",
        "FROM debian\nCOPY target/release/report /app/report\nUSER 5:6\nENTRYPOINT [\"/app/report\"]\n",
    );
    adopt(&checkout, &[]).expect(0);
    let written =
        fs_err::read_to_string(checkout.path().join("billing/Cargo.toml")).expect("readable");
    assert!(
        written.ends_with("\n[package.metadata.lighter.bin.report]\nuser = \"5:6\"\n"),
        "{written}"
    );
}

#[test]
fn json_has_all_that_is_printed() {
    let checkout = workspace();
    checkout.write("Dockerfile", DOCKERFILE);
    let run = adopt(&checkout, &["--format", "json"]).expect(0);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(document["version"], 1);
    assert_eq!(document["service"], "orders");
    assert_eq!(document["manifest"], "orders/Cargo.toml");
    assert_eq!(document["table"], "package.metadata.lighter");
    assert_eq!(document["settings"]["ports"], serde_json::json!([80]));
    assert_eq!(document["settings"]["env"]["B"], "2");
    assert_eq!(document["written"], true);
    assert_eq!(
        document["added"],
        serde_json::json!(["path", "user", "ports", "env"])
    );
    assert_eq!(document["remarks"][0]["weight"], "changed");
    assert_eq!(document["remarks"][0]["line"], 1);
    let again = adopt(&checkout, &["--format", "json"]).expect(0);
    let document: Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(document["written"], false);
}

#[test]
fn nothing_is_written_unless_asked_for() {
    let checkout = workspace();
    checkout.write("Dockerfile", DOCKERFILE);
    let before = checkout.listing();
    Lighter::at(checkout.path())
        .args(["adopt", "Dockerfile", "--offline"])
        .run()
        .expect(0);
    assert_eq!(checkout.listing(), before);
}

#[test]
fn a_manifest_that_is_read_only_is_named() {
    let checkout = workspace();
    checkout.write("Dockerfile", DOCKERFILE);
    let manifest = checkout.path().join("orders/Cargo.toml");
    let before = fs_err::read_to_string(&manifest).expect("readable");
    let mut permissions = fs_err::metadata(&manifest).expect("there").permissions();
    permissions.set_readonly(true);
    fs_err::set_permissions(&manifest, permissions).expect("set");
    adopt(&checkout, &[]).expect(1).says(&[
        "cannot write `orders/Cargo.toml`",
        "it is read-only",
        "hint: let the file and its directory be written, or leave out `--write`",
    ]);
    assert_eq!(fs_err::read_to_string(&manifest).expect("readable"), before);
}

#[test]
fn a_dockerfile_that_says_what_the_defaults_give_is_told() {
    let checkout = workspace();
    checkout.write(
        "Dockerfile",
        "FROM debian\nCOPY target/release/orders /app/orders\nUSER 65532:65532\nENTRYPOINT [\"/app/orders\"]\n",
    );
    let run = Lighter::at(checkout.path())
        .args(["adopt", "--offline", "Dockerfile"])
        .run()
        .expect(0)
        .says(&["Note nothing to set: the defaults already give what Dockerfile says"]);
    assert_eq!(run.stdout, "");
    let run = adopt(&checkout, &[])
        .expect(0)
        .says(&["Wrote nothing: the defaults already give what Dockerfile says"]);
    assert!(
        !run.stderr.contains("says all of it already"),
        "{}",
        run.stderr
    );
}
