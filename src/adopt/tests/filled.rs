//! Directories that a stage fills by itself, and that once passed for the last file in them.

use super::world::World;

const BUILD: &str = "FROM rust AS b\nWORKDIR /s\nCOPY . .\nRUN cargo build --release\n";

/// Asserts what is proposed and told where a build stage runs `run` and its directory is copied by `copy`.
#[track_caller]
fn says(run: &str, copy: &str, table: &[&str], remarks: &[&str], never: &[&str]) {
    let text = format!("{BUILD}RUN {run}\nFROM debian:12\nUSER 1:1\n{copy}\n");
    let (found, told) = World::shared().whole(&text);
    for expected in table {
        assert!(
            found.contains(expected),
            "{text}: no {expected} in\n{found}{told}"
        );
    }
    for expected in remarks {
        assert!(told.contains(expected), "{text}: no {expected} in\n{told}");
    }
    for other in never {
        assert!(!found.contains(other), "{text}: {other} in\n{found}");
        assert!(!told.contains(other), "{text}: {other} in\n{told}");
    }
}

#[test]
fn a_directory_that_cp_fills_is_not_the_last_file_in_it() {
    says(
        "mkdir -p dist && cp target/release/orders dist/ && cp config/x dist/",
        "COPY --from=b /s/dist/ /usr/local/bin/\nENTRYPOINT [\"orders\", \"-c\", \"/usr/local/bin/x\"]",
        &[
            "path = \"/usr/local/bin/orders\"",
            "{ from = \"/config/x\", to = \"/usr/local/bin/x\" }",
        ],
        &[],
        &["dist", "links =", "Lost"],
    );
    says(
        "mkdir /o && cp target/release/orders /o/",
        "COPY --from=b /o/ /usr/local/bin/\nCMD [\"orders\"]",
        &["path = \"/usr/local/bin/orders\""],
        &[],
        &["links =", "Lost"],
    );
    // Without `/` at its end: something else says that it is a directory.
    for run in [
        "mkdir /o && cp target/release/orders /o && cp config/x /o",
        "cp config/x /o/ && cp target/release/orders /o",
        "install -d /o && cp -t /o target/release/orders config/x",
        "cd /o && cp /s/target/release/orders /s/config/x . && cp x /o",
    ] {
        says(
            run,
            "COPY --from=b /o /opt\nCMD [\"/opt/orders\"]",
            &[
                "path = \"/opt/orders\"",
                "{ from = \"/config/x\", to = \"/opt/x\" }",
            ],
            &[],
            &["links =", "Lost", "\"/opt\""],
        );
    }
}

#[test]
fn a_directory_that_mv_fills_is_not_two_things_at_one_place() {
    says(
        "mkdir -p dist && mv target/release/orders dist/ && cp config/x dist/",
        "COPY --from=b /s/dist /app\nENTRYPOINT [\"/app/orders\", \"-c\", \"x\"]",
        &["{ from = \"/config/x\", to = \"/app/x\" }"],
        &[],
        &["two different things", "Lost"],
    );
}

#[test]
fn directories_in_a_directory_that_a_stage_fills_are_taken_along() {
    says(
        "mkdir -p /o/etc && cp target/release/orders /o/ && cp config/x /o/etc/ && cp -r orders/config /o/data",
        "COPY --from=b /o/ /srv/\nCMD [\"/srv/orders\"]",
        &[
            "path = \"/srv/orders\"",
            "{ from = \"/config/x\", to = \"/srv/etc/x\" }",
            "{ from = \"config\", to = \"/srv/data\" }",
        ],
        &[],
        &["links =", "Lost"],
    );
    says(
        "cp -r orders/config /o && cp target/release/orders /o/",
        "COPY --from=b /o /srv\nCMD [\"/srv/orders\"]",
        &["{ from = \"config\", to = \"/srv\" }"],
        &[],
        &["/srv/config", "Lost"],
    );
    says(
        "mkdir /p && cp config/x /p/ && mkdir /o && mv /p /o/q && cp target/release/orders /o/",
        "COPY --from=b /o /srv\nCMD [\"/srv/orders\"]",
        &["{ from = \"/config/x\", to = \"/srv/q/x\" }"],
        &[],
        &["Lost"],
    );
    says(
        "mkdir -p config/made && tool > config/made/y",
        "COPY --from=b /s/config /srv/config\nCOPY --from=b /s/target/release/orders /srv/\nCMD [\"/srv/orders\"]",
        &["{ from = \"/config\", to = \"/srv/config\" }"],
        &["`tool` is not followed: what it puts into `/s/config` is not in the image"],
        &[],
    );
}

#[test]
fn a_copy_of_a_stage_fills_a_directory_too() {
    let text = "FROM rust AS b\nWORKDIR /s\nCOPY . .\nRUN cargo build --release\n\
                FROM alpine AS c\nCOPY --from=b /s/target/release/orders /o/bin/\nCOPY config/x /o/etc/\n\
                RUN mkdir /o/empty\nFROM debian:12\nUSER 1:1\nCOPY --from=c /o /\nCMD [\"/bin/orders\"]\n";
    let (found, told) = World::shared().whole(text);
    assert!(found.contains("path = \"/bin/orders\""), "{found}{told}");
    assert!(
        found.contains("{ from = \"/config/x\", to = \"/etc/x\" }"),
        "{found}{told}"
    );
    assert!(!told.contains("Lost"), "{told}");
}

#[test]
fn what_is_removed_from_a_directory_is_not_there() {
    says(
        "mkdir /o && cp target/release/orders config/x /o && rm /o/x",
        "COPY --from=b /o /srv\nCMD [\"/srv/orders\"]",
        &["path = \"/srv/orders\""],
        &[],
        &["/srv/x", "Lost"],
    );
}

#[test]
fn libraries_that_ldd_names_are_told_and_no_link() {
    says(
        "mkdir /dist && ldd target/release/orders | grep -o '/[^ ]*' | xargs -I % cp --parents % /dist && cp target/release/orders /dist/",
        "FROM scratch\nUSER 1:1\nCOPY --from=b /dist/ /\nENTRYPOINT [\"/orders\"]",
        &["path = \"/orders\""],
        &[
            "`xargs -I % cp --parents % /dist` is not followed: what it puts into `/dist` is not in the image [libraries that the executable links are found by themselves",
        ],
        &["links =", "linkage"],
    );
}

#[test]
fn what_other_commands_put_into_a_directory_is_told() {
    for (run, told) in [
        ("node make.js --out=/o/web", "`node make.js --out=/o/web`"),
        ("cd /o && tar xf /s/a.tar", "`tar xf /s/a.tar`"),
        ("cp $WHAT /o/", "`cp $WHAT /o/`"),
        ("[ -e y ] || cp config/x /o/", "`cp config/x /o/`"),
        ("ln -s orders /o/o", "`ln -s orders /o/o`"),
    ] {
        says(
            &format!("mkdir /o && cp target/release/orders /o/; {run}"),
            "COPY --from=b /o /srv\nCMD [\"/srv/orders\"]",
            &["path = \"/srv/orders\""],
            &[&format!(
                "{told} is not followed: what it puts into `/o` is not in the image"
            )],
            &["assets ="],
        );
    }
    says(
        "mkdir /o && cp target/release/orders /o/ && cp /usr/share/dict/words /o/",
        "COPY --from=b /o /srv\nCMD [\"/srv/orders\"]",
        &[],
        &["`/usr/share/dict/words` is made while the old image is built"],
        &[],
    );
}

#[test]
fn a_file_that_cp_makes_under_another_name_stays_a_file() {
    says(
        "mkdir /o && cp target/release/orders /o/service",
        "COPY --from=b /o/service /srv/orders\nCMD [\"/srv/orders\"]",
        &["path = \"/srv/orders\""],
        &[],
        &["Lost", "links ="],
    );
    says(
        "cp config/x /y",
        "COPY --from=b /y /etc/y\nCOPY --from=b /s/target/release/orders /srv/\nCMD [\"/srv/orders\"]",
        &["{ from = \"/config/x\", to = \"/etc/y\" }"],
        &[],
        &["Lost"],
    );
}

#[test]
fn an_executable_on_path_is_found_where_its_directory_is_copied_to() {
    says(
        "mkdir /o && cp target/release/orders /o/",
        "COPY --from=b /o/ /bin/\nENTRYPOINT [\"orders\"]",
        &["path = \"/bin/orders\""],
        &[],
        &["Lost"],
    );
}

#[test]
fn directories_that_are_filled_from_each_other_have_an_end() {
    let world = World::new();
    let runs: Vec<String> = (0..60)
        .map(|n| {
            format!(
                "RUN mkdir /d{n} && cp -r /d{n} /d{}/ && cp -r /d /d{n}\n",
                n + 1
            )
        })
        .collect();
    let copies: Vec<String> = (0..60)
        .map(|n| format!("COPY --from=b /d{n} /e{n}/\n"))
        .collect();
    let text = format!(
        "FROM rust AS b\n{}FROM debian\n{}CMD [\"/app/orders\"]\n",
        runs.concat(),
        copies.concat()
    );
    let (found, _) = world.whole(&text);
    assert!(found.len() < 64 * 1024, "{}", found.len());
}
