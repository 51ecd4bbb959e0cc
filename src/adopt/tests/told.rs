//! What once was proposed wrongly, or got lost without a word.

use super::world::World;

/// Asserts what the table and the remarks for a Dockerfile have in them, and what neither has.
#[track_caller]
fn says(rest: &str, table: &[&str], remarks: &[&str], never: &[&str]) {
    let (found, told) = World::shared().told(rest);
    for expected in table {
        assert!(
            found.contains(expected),
            "{rest}: no {expected} in\n{found}"
        );
    }
    for expected in remarks {
        assert!(told.contains(expected), "{rest}: no {expected} in\n{told}");
    }
    for other in never {
        assert!(!found.contains(other), "{rest}: {other} in\n{found}");
        assert!(!told.contains(other), "{rest}: {other} in\n{told}");
    }
}

#[test]
fn an_empty_list_is_none() {
    let none = &["`CMD` without `ENTRYPOINT`"];
    says(
        "ENTRYPOINT [\"/x\"]\nENTRYPOINT []\nCMD [\"/app/orders\", \"-x\"]\n",
        &["args = [\"-x\"]"],
        none,
        &["`/x`"],
    );
    says(
        "CMD [\"x\"]\nENTRYPOINT [\"/app/orders\"]\nCMD []\n",
        &[],
        &[],
        &["args"],
    );
    says(
        "ENTRYPOINT [ ]\nCMD /app/orders\n",
        &[],
        &["`/bin/sh -c` starts"],
        &[],
    );
}

#[test]
fn a_list_in_single_quotes_is_told_as_a_text_for_a_shell() {
    for list in [
        "[\"/app/orders\", '-x']",
        "['/app/orders']",
        "[\"/app/orders\" \"-x\"]",
        "[\"/app/orders\"] -x",
    ] {
        says(
            &format!("CMD {list}\n"),
            &[],
            &["Lost 5: `CMD` begins with `[` and is no JSON: docker gives the text to a shell"],
            &["args", "starts the executable"],
        );
    }
}

#[test]
fn what_a_command_says_is_printed_without_its_secrets() {
    for rest in [
        "CMD curl -H \"Authorization: Bearer h1dden\" http://x && exec ./orders\n",
        "CMD curl -u me:h1dden http://x; ./orders\n",
        "CMD mysql --pass h1dden && ./orders --pw=h1dden\n",
        "CMD login Authorization: Basic h1dden && ./orders\n",
        "ENTRYPOINT [\"/app/orders\", \"--pass\", \"h1dden\", \"-u\", \"me:h1dden\"]\n",
        "ENV PW=h1dden PGPASS=h1dden BASIC_AUTH=h1dden\nLABEL jwt=h1dden\n",
        "ARG PASS=h1dden\nENV A=$PASS\n",
        "ENV A=h1dden-\nCMD ./orders --pass $A\nENV A=x\n",
        "RUN curl -H 'Authorization: Bearer h1dden' http://x > /y\n",
    ] {
        says(rest, &[], &[], &["h1dden"]);
    }
}

#[test]
fn a_program_that_changes_the_user_gives_the_number_of_that_user() {
    let user = "RUN useradd -u 1000 -g 7 app && groupadd -g 7 app\n";
    for start in [
        "ENTRYPOINT [\"gosu\", \"app\", \"/app/orders\"]\n",
        "CMD exec su-exec app ./orders\n",
        "ENTRYPOINT [\"setpriv\", \"--reuid=app\", \"--regid\", \"7\", \"--init-groups\", \"/app/orders\"]\n",
        "ENTRYPOINT [\"su\", \"app\", \"-c\", \"/app/orders\"]\n",
        "ENTRYPOINT [\"runuser\", \"-u\", \"app\", \"--\", \"/app/orders\"]\n",
    ] {
        says(
            &format!("{user}{start}"),
            &["user = \"1000:7\""],
            &["is not in the image: the service runs as 1000:7 from the start"],
            &["say `app`"],
        );
    }
    says(
        "RUN useradd app\nENTRYPOINT [\"gosu\", \"app\", \"/app/orders\"]\n",
        &[],
        &[
            "the number of user `app` is chosen while the old image is built [the service runs as 65532:65532",
        ],
        &["user = \"app"],
    );
}
