//! Instructions that once were read as docker does not read them.

use super::told::says;
use super::world::World;
use crate::hint::Hint as _;

const END: &str = "ENTRYPOINT [\"/app/orders\"]\n";

#[test]
fn an_arg_with_several_names_gives_none_of_them_the_others_as_a_value() {
    says(
        &format!("ARG UID GID=8 \"Q=x y\"\nENV A=$UID B=$GID C=$Q\nUSER 7:$GID\n{END}"),
        &["B = \"8\"", "C = \"x y\"", "user = \"7:8\""],
        &["`ENV A` needs `UID`, which has no value"],
        &["GID="],
    );
    says(
        &format!("ARG TARGETOS TARGETARCH\nENV OS=$TARGETOS\n{END}"),
        &["OS = \"linux\""],
        &[],
        &["TARGETARCH"],
    );
}

#[test]
fn the_text_of_a_here_document_in_a_script_is_no_command() {
    for (operator, last) in [("<<INNER", "INNER"), ("<<-'INNER'", "\tINNER")] {
        says(
            &format!(
                "RUN <<EOF\ncat > /usr/bin/x {operator}\nuseradd -u 5 app\ncurl x\n{last}\nuseradd -u 1006 other\nEOF\nUSER other\n{END}"
            ),
            &["user = \"1006:1006\""],
            &["Lost 5: `cat` writes `/usr/bin/x`"],
            &["downloads", "INNER"],
        );
    }
}

#[test]
fn commands_that_only_ask_make_nothing() {
    says(
        &format!("RUN id app > /dev/null; getent passwd app || [[ -f /a ]]\n{END}"),
        &[],
        &[],
        &["Lost", "what it makes"],
    );
}

#[test]
fn a_base_without_a_value_is_told_by_its_cause_alone() {
    for image in ["${STAGE}", "registry.example/${STAGE}"] {
        let (_, told) = World::shared().whole(&format!(
            "FROM {image}\nUSER 1:1\nCOPY target/release/orders /app/\n{END}"
        ));
        assert!(
            told.contains("Lost 1: `STAGE` in `FROM` has no value"),
            "{told}"
        );
        assert!(!told.contains("brings along"), "{told}");
        assert!(!told.contains("``"), "{told}");
    }
}

#[test]
fn a_signal_that_is_none_is_told_as_it_is_written() {
    for (signal, told) in [
        ("FOO", "`FOO` is no signal"),
        ("sigfoo", "`sigfoo` is no signal"),
        ("INTT", "`INTT` is no signal [did you mean `SIGINT`?]"),
    ] {
        says(&format!("STOPSIGNAL {signal}\n{END}"), &[], &[told], &[]);
    }
    says(
        &format!("STOPSIGNAL int\n{END}"),
        &["stop-signal = \"SIGINT\""],
        &[],
        &["Lost"],
    );
}

#[test]
fn that_files_belong_to_root_is_told_once() {
    let (_, told) = World::shared().told(&format!(
        "COPY --chown=5:5 config /a\nCOPY --chown=5:5 static /b\nRUN chown 5 /app/orders\n{END}"
    ));
    let told: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("belong to root"))
        .collect();
    let expected = "Changed 5: files of the image belong to root; the service cannot write them unless their `mode` lets everyone [what the service writes belongs into `volumes`]";
    assert_eq!(told, [expected]);
}

#[test]
fn a_comment_behind_an_instruction_is_told_to_need_a_line_of_its_own() {
    for text in ["FROM debian # base\n", "FROM debian AS b # base\n"] {
        let error = World::shared().propose(text).expect_err("no Dockerfile");
        let hint = error.hint().expect("a hint");
        assert!(
            hint.contains("put the comment on a line of its own"),
            "{text}{error}: {hint}"
        );
    }
}

#[test]
fn the_port_of_the_container_is_taken_of_several() {
    says(
        &format!("EXPOSE 8443:443 127.0.0.1:81:80/tcp 9000-9001:90-91 [::1]:54:53/udp\n{END}"),
        &["ports = [443, 80, 90, 91, \"53/udp\"]"],
        &[],
        &["Lost"],
    );
}
