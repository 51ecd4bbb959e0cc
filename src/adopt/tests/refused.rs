//! Dockerfiles that docker refuses, and once were read as something.

use super::world::World;
use crate::adopt::AdoptError;
use crate::hint::Hint as _;

/// What is said against a Dockerfile with one more line, which is the second one.
#[track_caller]
fn refused(line: &str) -> String {
    let text = format!("FROM debian\n{line}\nENTRYPOINT [\"/app/orders\"]\n");
    match World::shared().propose(&text) {
        Err(error @ AdoptError::Syntax { .. }) => {
            format!("{error} [{}]", error.hint().unwrap_or_default())
        }
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn what_docker_refuses_is_an_error_with_its_line() {
    for (line, expected) in [
        (
            "ENV A=1 B",
            "Dockerfile:2: `ENV` has a word without `=` behind the value of `A` [put a value with blanks into double quotes: `A=\"…\"`]",
        ),
        ("ENV A=1 B=\"x y\" C", "behind the value of `B`"),
        (
            "ENV A",
            "Dockerfile:2: `ENV A` gives no value [write `ENV A=…`]",
        ),
        ("ENV =x", "`ENV` has a value without a name"),
        (
            "LABEL x=1 y",
            "`LABEL` has a word without `=` behind the value of `x`",
        ),
        ("LABEL a", "`LABEL a` gives no value"),
        ("VOLUME []", "Dockerfile:2: "),
        ("VOLUME [\"/data\", \"\"]", "`VOLUME` names an empty path"),
        (
            "COPY --foo=x config /c",
            "Dockerfile:2: `COPY` has no flag `--foo` [it has `--from`, `--chown`, `--chmod`, `--exclude`, `--link` and `--parents`]",
        ),
        ("COPY --chmood=755 config /c", "[did you mean `--chmod`?]"),
        ("COPY --chown config /c", "`COPY --chown` has no value"),
        ("ADD --from=x config /c", "`ADD` has no flag `--from`"),
        (
            "RUN --mout=type=cache x",
            "`RUN` has no flag `--mout` [did you mean `--mount`?]",
        ),
        (
            "FROM --paltform=x debian",
            "`FROM` has no flag `--paltform`",
        ),
        (
            "HEALTHCHECK --interval=x CMD a",
            "`HEALTHCHECK --interval` is no duration of a millisecond or more [write one such as `--interval=30s`",
        ),
        (
            "HEALTHCHECK --timeout=$T CMD a",
            "`HEALTHCHECK --timeout` is no duration",
        ),
        (
            "HEALTHCHECK --interval=5us CMD a",
            "`HEALTHCHECK --interval` is no duration",
        ),
        (
            "HEALTHCHECK --retries=x CMD a",
            "`HEALTHCHECK --retries` is no number",
        ),
        (
            "HEALTHCHECK --every=3s CMD a",
            "`HEALTHCHECK` has no flag `--every`",
        ),
        (
            "HEALTHCHECK CMD",
            "Dockerfile:2: `HEALTHCHECK CMD` names no command [write the command behind it",
        ),
        ("ONBUILD FROM x", "Dockerfile:2: `ONBUILD` takes no `FROM`"),
        ("ONBUILD MAINTAINER x", "`ONBUILD` takes no `MAINTAINER`"),
    ] {
        let told = refused(line);
        assert!(told.contains(expected), "{line}: {told}");
    }
}

#[test]
fn words_that_may_be_a_secret_are_not_told_with_the_mistake() {
    for line in ["ENV PASSWORD=my hunter2", "LABEL x=a hunter2"] {
        let told = refused(line);
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn what_docker_takes_is_refused_nowhere() {
    for line in [
        "ENV A=1 B=\"x y\" C='=' D=a\\ b",
        "ENV A=1 \\\n  # why\n\n  B=2",
        "ENV A b c=d",
        "ENV A=",
        "LABEL a b",
        "LABEL \"a b\"=1 c=\"\"",
        "VOLUME [\"/data\"]",
        "VOLUME /a /b",
        "COPY --link --chmod=755 --chown=1:1 --exclude=*.md config /c",
        "COPY --parents --link=false config /c",
        "ADD --keep-git-dir=true --checksum=sha256:0 --unpack config /c",
        "RUN --mount=type=cache,target=/x --network=none --security=insecure true",
        "HEALTHCHECK --interval=30s --timeout=0 --start-period=1m30s --start-interval=1.5s --retries=3 CMD a",
        "HEALTHCHECK --interval= CMD a",
        "HEALTHCHECK NONE",
        "ONBUILD COPY --foo=x a b",
    ] {
        let text =
            format!("FROM --platform=linux/amd64 debian\n{line}\nENTRYPOINT [\"/app/orders\"]\n");
        let proposal = World::shared().propose(&text);
        assert!(proposal.is_ok(), "{line}: {proposal:?}");
    }
}

#[test]
fn a_stage_whose_name_has_no_value_is_the_cause_of_an_unknown_service() {
    let mut world = World::new();
    world.add_service("billing");
    let text = "ARG STAGE\nFROM debian AS orders\nCOPY target/release/orders /app/\n\
                ENTRYPOINT [\"/app/orders\"]\nFROM ${STAGE}\n";
    let error = world.propose(text).expect_err("no service");
    assert_eq!(
        error.to_string(),
        "Dockerfile:5: `FROM` needs `STAGE`, which has no value: nothing else tells which service it is for"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some("give it as `--build-arg STAGE=…`")
    );
}
