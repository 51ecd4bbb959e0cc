//! Files of the context that a stage changes before they are copied from it: once proposed without a word.

use super::world::World;

const BUILD: &str = "FROM rust AS b\nWORKDIR /s\nCOPY . .\nRUN cargo build --release\n";

/// The table and the remarks where a stage runs `run` and something is copied from it.
#[track_caller]
fn told(run: &str, copy: &str) -> (String, String) {
    World::shared().whole(&format!(
        "{BUILD}RUN {run}\nFROM debian\nUSER 1:1\nCOPY --from=b /s/target/release/orders /app/\n{copy}\nENTRYPOINT [\"/app/orders\"]\n"
    ))
}

#[test]
fn a_directory_from_which_a_stage_removes_something_is_not_proposed_as_a_whole() {
    for (run, copy, command) in [
        (
            "rm config/x",
            "COPY --from=b /s/config /config",
            "rm config/x",
        ),
        (
            "rm config/*",
            "COPY --from=b /s/config /config",
            "rm config/*",
        ),
        (
            "mv config/x /old",
            "COPY --from=b /s/config /config",
            "mv config/x /old",
        ),
        (
            "mkdir dist && cp -r config dist/ && rm -rf dist/config/x",
            "COPY --from=b /s/dist /",
            "rm -rf dist/config/x",
        ),
        (
            "rm config/x && mkdir /o && cp -r config /o/",
            "COPY --from=b /o /",
            "rm config/x",
        ),
    ] {
        let (found, told) = told(run, copy);
        let expected = format!(
            "`{command}` changes what the old image has of `/config`: it is not proposed as a whole"
        );
        assert!(told.contains(&expected), "{run}: {told}");
        assert!(!found.contains("assets"), "{run}: {found}");
    }
}

#[test]
fn a_file_that_a_stage_edits_is_told() {
    for (run, copy, place) in [
        (
            "sed -i s/a/b/ config/x",
            "COPY --from=b /s/config/x /etc/x",
            "/etc/x",
        ),
        ("sed -i s/a/b/ config/x", "COPY --from=b /s/config /c", "/c"),
        (
            "sed -i s/a/b/ config/x && mkdir /o && cp config/x /o/",
            "COPY --from=b /o /c",
            "/c/x",
        ),
    ] {
        let (found, told) = told(run, copy);
        let expected = format!(
            "`sed -i s/a/b/ config/x` changes what the old image has of `{place}`: the asset is as the repository has it"
        );
        assert!(told.contains(&expected), "{run}: {told}");
        assert!(
            found.contains(&format!("to = \"{place}\"")),
            "{run}: {found}"
        );
    }
}

#[test]
fn what_a_stage_does_to_other_files_is_not_told() {
    for (run, copy) in [
        (
            "rm -rf config/none orders/config",
            "COPY --from=b /s/config /c",
        ),
        (
            "mkdir /o && cp -r config /o/ && rm -rf config/x config",
            "COPY --from=b /o /",
        ),
        ("mv config /o", "COPY --from=b /o /c"),
        ("sed -n p config/x", "COPY --from=b /s/config /c"),
    ] {
        let (found, told) = told(run, copy);
        assert!(!told.contains("changes what"), "{run}: {told}");
        assert!(found.contains("from = \"/config\""), "{run}: {found}{told}");
    }
}
