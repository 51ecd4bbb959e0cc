//! Other names of the executable that once got lost.

use super::told::says;

#[test]
fn the_real_path_behind_a_link_that_is_started_stays_a_name() {
    says(
        "RUN ln -s /app/orders /usr/bin/o\nENTRYPOINT [\"/usr/bin/o\"]\n",
        &["path = \"/usr/bin/o\"", "links = [\"/app/orders\"]"],
        &[],
        &["Lost"],
    );
    says(
        "RUN ln -s ../../app/orders /usr/bin/\nENTRYPOINT [\"/usr/bin/orders\"]\n",
        &["path = \"/usr/bin/orders\"", "links = [\"/app/orders\"]"],
        &[],
        &["Lost"],
    );
}

#[test]
fn copies_of_the_executable_stay_names() {
    let end = "ENTRYPOINT [\"/app/orders\"]\n";
    for (run, links) in [
        ("cp orders o", "links = [\"/app/o\"]"),
        (
            "install -m 755 orders /usr/bin/",
            "links = [\"/usr/bin/orders\"]",
        ),
        ("ln orders /o", "links = [\"/o\"]"),
        ("cp orders /a && mv /a /b", "links = [\"/b\"]"),
        (
            "mkdir /x && cp orders /x && mv /x /y",
            "links = [\"/y/orders\"]",
        ),
        ("cp -r /app /srv/app", "links = [\"/srv/app/orders\"]"),
        (
            "ln -s /b /a && ln -s /app/orders /b",
            "links = [\"/a\", \"/b\"]",
        ),
    ] {
        says(&format!("RUN {run}\n{end}"), &[links], &[], &["Lost"]);
    }
    for run in ["cp orders /a && rm /a", "ln -s /nowhere /a", "cp orders ."] {
        says(&format!("RUN {run}\n{end}"), &[], &[], &["links ="]);
    }
}

#[test]
fn a_name_that_is_not_certain_is_told() {
    for run in [
        "[ -e /b ] || cp orders /a",
        "cp o* /usr/bin/",
        "cp orders $WHERE",
        "cp -t /usr/bin orders",
    ] {
        says(
            &format!("RUN {run}\nENTRYPOINT [\"/app/orders\"]\n"),
            &[],
            &["is not followed: it gives the executable another name [name it in `links`"],
            &["links ="],
        );
    }
}

#[test]
fn what_is_moved_onto_the_path_is_started_from_there() {
    says(
        "RUN mv orders /usr/local/bin/\nENTRYPOINT [\"orders\"]\n",
        &["path = \"/usr/local/bin/orders\""],
        &[],
        &["links", "Lost"],
    );
}

#[test]
fn a_link_that_comes_before_its_executable_is_the_service_itself() {
    let head = "FROM debian:12\nUSER 1:1\nRUN ln -s /app/orders /usr/bin/o\nCOPY target/release/orders /app/\n";
    for start in [
        "ENTRYPOINT [\"/usr/bin/o\", \"-x\", \"--p\", \"$P\"]\n",
        "ENTRYPOINT [\"o\", \"-x\"]\n",
        "CMD /usr/bin/o -x --p $P\n",
        "CMD exec o -x --p $P\n",
    ] {
        let proposal = super::World::shared()
            .propose(&format!("{head}{start}"))
            .expect("a proposal");
        let table = crate::adopt::text(&proposal);
        for expected in [
            "path = \"/usr/bin/o\"",
            "links = [\"/app/orders\"]",
            "\"-x\"",
        ] {
            assert!(
                table.contains(expected),
                "{start}: no {expected} in\n{table}"
            );
        }
        let told = format!("{:?}", proposal.remarks);
        assert!(!told.contains("its own image"), "{start}: {told}");
        let is_shell = start.starts_with("CMD");
        assert_eq!(
            told.contains("`--p $P` is left out"),
            is_shell,
            "{start}: {told}"
        );
    }
}
