//! Command lines and Dockerfiles of which nothing can be made.

use super::workspace;
use crate::support::cli::{Lighter, Run};
use crate::support::workspace::Checkout;

fn adopt(checkout: &Checkout, arguments: &[&str]) -> Run {
    Lighter::at(checkout.path())
        .args(["adopt", "--offline"])
        .args(arguments)
        .run()
}

#[test]
fn every_refusal_says_what_to_type() {
    let checkout = workspace();
    checkout.write("no-service", "FROM debian\nCMD [\"nginx\"]\n");
    checkout.write(
        "two",
        "FROM debian\nCOPY target/release/invoice target/release/report /bin/\n",
    );
    checkout.write("not-one", "FROM debian\nMAKE coffee\n");
    checkout.write("empty", "# nothing\n");
    checkout.write(
        "stages",
        "FROM debian AS one\nFROM one AS two\nCMD [\"orders\"]\n",
    );
    for (arguments, error, hint) in [
        (
            &["nowhere"][..],
            "cannot read `nowhere`",
            "name a Dockerfile that is there",
        ),
        (
            &["."],
            "cannot read `.`",
            "name the file, such as `./Dockerfile`",
        ),
        (
            &["not-one"],
            "not-one:2: unknown instruction 'MAKE'",
            "docker build --check",
        ),
        (
            &["empty"],
            "empty: expected at least one FROM",
            "docker build --check",
        ),
        (
            &["no-service"],
            "which service it is for, which starts `nginx`",
            "`--service`: `invoice`, `orders` or `report`",
        ),
        (
            &["two"],
            "services `invoice` or `report`",
            "--service invoice",
        ),
        (
            &["two", "--service", "order"],
            "no service `order`",
            "did you mean `orders`",
        ),
        (
            &["stages", "--stage", "three"],
            "no stage `three`",
            "`one` or `two`",
        ),
        (
            &["stages", "--context", "nowhere"],
            "is no directory",
            "--context",
        ),
    ] {
        let run = adopt(&checkout, arguments).expect(2).says(&[hint]);
        assert!(run.stderr.contains(error), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    adopt(&checkout, &["two", "--build-arg", "x"]).expect(2);
}

#[test]
fn a_dockerfile_that_is_no_text_is_refused() {
    let checkout = workspace();
    fs_err::write(checkout.path().join("Dockerfile"), b"FROM a\n\xff\xfe").expect("written");
    adopt(&checkout, &["Dockerfile"])
        .expect(2)
        .says(&["it is no UTF-8 text", "save it as UTF-8"]);
    // A character that the limit cuts in two is none of the text's mistakes.
    checkout.write("large", &format!("FROM a\n#{}", "é".repeat(200_000)));
    adopt(&checkout, &["large"])
        .expect(2)
        .says(&["larger than 128 KiB"]);
}

#[test]
fn a_binary_that_is_no_service_says_why() {
    let checkout = workspace();
    checkout.append(
        "orders/Cargo.toml",
        "\n[package.metadata.lighter]\nskip = true\n",
    );
    checkout.write("Dockerfile", "FROM debian\nCMD [\"orders\"]\n");
    adopt(&checkout, &["Dockerfile"]).expect(2).says(&[
        "which starts `orders`",
        "`orders` of package `orders` is no service: `skip = true`",
    ]);
}

#[test]
fn the_service_the_stage_and_values_can_be_named() {
    let checkout = workspace();
    checkout.write(
        "Dockerfile",
        "FROM debian AS real\nARG WHO=x\nCOPY target/release/$WHO /bin/$WHO\nUSER 1:2\n\
         ENTRYPOINT [\"/bin/report\"]\nFROM real AS test\nUSER 3:4\n",
    );
    let run = adopt(
        &checkout,
        &["Dockerfile", "--stage", "REAL", "--build-arg", "WHO=report"],
    )
    .expect(0);
    assert_eq!(
        run.stdout,
        "[package.metadata.lighter.bin.report]\npath = \"/bin/report\"\nuser = \"1:2\"\n"
    );
    let run = adopt(&checkout, &["Dockerfile", "--service", "orders", "-q"]).expect(0);
    assert!(run.stdout.contains("user = \"3:4\""), "{}", run.stdout);
    let named = adopt(
        &checkout,
        &["Dockerfile", "--stage", "0", "--service", "report"],
    )
    .expect(0);
    assert!(named.stdout.contains("user = \"1:2\""), "{}", named.stdout);
}

#[test]
fn the_context_is_found_or_named() {
    let checkout = workspace();
    // Only from the package's own directory is there a `config`.
    checkout.write(
        "orders/Dockerfile",
        "FROM debian\nCOPY target/release/orders /app/orders\nCOPY config /etc/orders\nCMD [\"/app/orders\"]\n",
    );
    let asset = "{ from = \"config\", to = \"/etc/orders\" }";
    let found = adopt(&checkout, &["orders/Dockerfile"]).expect(0);
    assert!(found.stdout.contains(asset), "{}", found.stdout);
    let named = adopt(&checkout, &["orders/Dockerfile", "--context", "."])
        .expect(0)
        .says(&["`config` is not there", "from = \"/config\""]);
    assert!(!named.stdout.contains(asset), "{}", named.stdout);
}

#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let checkout = workspace();
    let made = std::process::Command::new("mkfifo")
        .arg(checkout.path().join("pipe"))
        .status();
    assert!(made.expect("mkfifo is there").success());
    adopt(&checkout, &["pipe"]).expect(2).says(&[
        "cannot read `pipe`",
        "it is no regular file",
        "hint: ",
    ]);
}
