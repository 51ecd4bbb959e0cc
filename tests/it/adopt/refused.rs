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
    checkout.write("typo", "FORM debian\n");
    checkout.write("document", "FROM debian\nCOPY <<END /x\nUSER 1\n");
    checkout.write("shell", "FROM debian\nSHELL bash -c\n");
    checkout.write("few", "FROM debian\n\nUSER\n");
    checkout.write("quote", "FROM debian\nENV A=\"x\nCMD [\"orders\"]\n");
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
            "a line that goes on ends with `\\`",
        ),
        (
            &["typo"],
            "typo:1: unknown instruction 'FORM'",
            "did you mean `FROM`?",
        ),
        (
            &["empty"],
            "empty: expected at least one FROM",
            "is it a Dockerfile?",
        ),
        (
            &["document"],
            "document:4: expected end of here-document (END), but reached eof",
            "end it with a line of that word alone",
        ),
        (&["shell"], "shell:2: ", "`SHELL [\"/bin/sh\", \"-c\"]`"),
        (
            &["few"],
            "few:3: ",
            "say what belongs behind the instruction",
        ),
        (
            &["quote"],
            "quote:2: `ENV` opens a quote (\") and never closes it",
            "close it, or write `\\\"`",
        ),
        (
            &["no-service"],
            "nothing in `no-service` tells which service it is for: it starts `nginx`",
            "`--service`: `invoice`, `orders` or `report`",
        ),
        (
            &["two"],
            "`two` could be for the services `invoice` or `report`",
            "--service invoice",
        ),
        (
            &["two", "--service", "order"],
            "no service `order`",
            "did you mean `orders`",
        ),
        (
            &["stages", "--stage", "three"],
            "`stages` has no stage `three`",
            "it has 2: 0 `one`, 1 `two`",
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
    adopt(&checkout, &["large"]).expect(2).says(&[
        "`large` is larger than 128 KiB",
        "hint: name the Dockerfile itself",
    ]);
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
        "it starts `orders`",
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
    let run = adopt(&checkout, &["Dockerfile", "--service", "report", "-q"]).expect(0);
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

#[test]
fn a_stage_that_is_not_there_is_told_with_the_numbers_of_those_that_are() {
    let checkout = workspace();
    checkout.write(
        "three",
        "FROM debian AS one\nFROM one\nFROM one AS two\nCMD [\"orders\"]\n",
    );
    checkout.write("single", "FROM debian\nCMD [\"orders\"]\n");
    adopt(&checkout, &["three", "--stage", "9"])
        .expect(2)
        .says(&["`three` has no stage `9`", "it has 3: 0 `one`, 1, 2 `two`"]);
    adopt(&checkout, &["single", "--stage", "9"])
        .expect(2)
        .says(&["it has one: leave out `--stage`"]);
    let many = "FROM debian\n".repeat(99);
    checkout.write("many", &format!("{many}FROM debian AS last\n"));
    adopt(&checkout, &["many", "--stage", "x"])
        .expect(2)
        .says(&["it has 100: 0 to 99, named are 99 `last`"]);
}

#[test]
fn what_is_too_much_is_told_with_its_file() {
    let checkout = workspace();
    let stages = "FROM debian\n".repeat(101);
    let longer = "ENV A=$A$A$A\n".repeat(40);
    for (text, error, hint) in [
        (
            stages.as_str(),
            "`much` has 101 stages, more than 100",
            "hint: ",
        ),
        (
            &format!("FROM debian\nENV A=12345\n{longer}"),
            "much:10: values grow too long",
            "hint: ",
        ),
    ] {
        checkout.write("much", text);
        adopt(&checkout, &["much"]).expect(2).says(&[error, hint]);
    }
}

#[test]
fn what_docker_refuses_for_its_quotes_is_refused() {
    let checkout = workspace();
    for (text, error) in [
        (
            "FROM debian\nENV A=\"x B=y\n",
            "2: `ENV` opens a quote (\")",
        ),
        ("FROM debian\nENV A=it's\n", "2: `ENV` opens a quote (')"),
        ("FROM debian\nENV OLD it's\n", "2: `ENV` opens a quote (')"),
        (
            "FROM debian\n\nLABEL a=b \\\n c=\"d\n",
            "3: `LABEL` opens a quote (\")",
        ),
        ("ARG A='x\nFROM debian\n", "1: `ARG` opens a quote (')"),
        ("FROM debian\nARG A='x\n", "2: `ARG` opens a quote (')"),
        ("FROM \"debian\n", "1: `FROM` opens a quote (\")"),
        (
            "FROM debian\nWORKDIR '/x\n",
            "2: `WORKDIR` opens a quote (')",
        ),
        ("FROM debian\nUSER \"1\n", "2: `USER` opens a quote (\")"),
        (
            "FROM debian\nEXPOSE 80 \"81\n",
            "2: `EXPOSE` opens a quote (\")",
        ),
        (
            "FROM debian\nVOLUME [\"/a\n",
            "2: `VOLUME` opens a quote (\")",
        ),
        (
            "FROM debian\nCOPY \"a b\" /x\n",
            "2: `COPY` opens a quote (\")",
        ),
        ("FROM debian\nENV A=${B\n", "2: `ENV` opens a brace ({)"),
    ] {
        checkout.write("Dockerfile", text);
        let run = adopt(&checkout, &["Dockerfile"]).expect(2);
        assert!(run.stderr.contains(error), "{text}: {}", run.stderr);
        run.says(&["hint: close it"]);
    }
    let fine =
        "FROM debian\nENV A=it\\'s B='\"' C=\"'\" D=\\\" E=\"\\\"\" F=$ G=\\${\nCMD [\"orders\"]\n";
    checkout.write("Dockerfile", fine);
    let run = adopt(&checkout, &["Dockerfile", "-q"]).expect(0);
    assert!(run.stdout.contains("A = \"it's\""), "{}", run.stdout);
    assert!(run.stdout.contains("G = \"${\""), "{}", run.stdout);
}

#[test]
fn a_file_that_is_not_there_is_said_so_plainly() {
    let checkout = workspace();
    for name in ["nosuch", "Cargo.toml/Dockerfile"] {
        let run = adopt(&checkout, &[name]).expect(2).says(&[
            &format!("cannot read `{name}`"),
            "there is no such file",
            "hint: name a Dockerfile that is there",
        ]);
        assert!(!run.stderr.contains("metadata"), "{}", run.stderr);
    }
}
