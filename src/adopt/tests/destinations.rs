//! Targets of `COPY` and `cp` that name a directory without a `/` at the end, and once passed for a file.

use super::world::World;

const END: &str = "USER 1:1\nENTRYPOINT [\"/usr/bin/orders\"]\n";
const BINARY: &str = "COPY target/release/orders /usr/bin/orders\n";

/// Asserts where `config/x` and the rest are proposed to go.
#[track_caller]
fn says(text: &str, table: &[&str], never: &[&str]) {
    let (found, told) = World::shared().whole(text);
    for expected in table {
        assert!(
            found.contains(expected),
            "{text}: no {expected} in\n{found}{told}"
        );
    }
    for other in never {
        assert!(!found.contains(other), "{text}: {other} in\n{found}");
        assert!(!told.contains(other), "{text}: {other} in\n{told}");
    }
}

#[test]
fn a_file_that_is_copied_to_a_directory_that_is_there_goes_into_it() {
    for (before, copy, to) in [
        ("WORKDIR /app\n", "COPY config/x /app", "/app/x"),
        ("WORKDIR /app/y\n", "COPY config/x /app", "/app/x"),
        ("RUN mkdir -p /opt/w\n", "COPY config/x /opt/w", "/opt/w/x"),
        ("COPY orders/config /a/m\n", "COPY config/x /a", "/a/x"),
        ("COPY orders /a\n", "COPY config/x /a/config", "/a/config/x"),
        ("VOLUME /data\n", "COPY config/x /data", "/data/x"),
        (
            "RUN useradd -m app\n",
            "COPY config/x /home/app",
            "/home/app/x",
        ),
    ] {
        says(
            &format!("FROM debian\n{before}{BINARY}{copy}\n{END}"),
            &[&format!("to = \"{to}\"")],
            &[&format!(
                "from = \"/config/x\", to = \"{}\"",
                to.trim_end_matches("/x")
            )],
        );
    }
    says(
        &format!(
            "FROM debian AS a\nWORKDIR /app\nFROM a\nWORKDIR /\n{BINARY}COPY config/x /app\n{END}"
        ),
        &["to = \"/app/x\""],
        &[],
    );
    says(
        &format!(
            "FROM debian AS a\nCOPY orders/config /c/d\nFROM debian\n{BINARY}COPY --from=a /c /e\nCOPY config/x /e\n{END}"
        ),
        &["to = \"/e/x\"", "to = \"/e/d\""],
        &[],
    );
}

#[test]
fn a_file_that_is_copied_to_no_directory_keeps_the_name_it_is_given() {
    says(
        &format!("FROM debian\n{BINARY}{END}"),
        &["path = \"/usr/bin/orders\""],
        &["links"],
    );
    for (base, before) in [
        ("debian", ""),
        ("debian", "RUN mkdir /other\n"),
        ("scratch", ""),
    ] {
        says(
            &format!("FROM {base}\n{before}{BINARY}COPY config/x /srv/y\n{END}"),
            &["to = \"/srv/y\""],
            &[],
        );
    }
    says(
        &format!("FROM debian\nWORKDIR /app\n{BINARY}COPY config /app\n{END}"),
        &["{ from = \"/config\", to = \"/app\" }"],
        &["/app/config"],
    );
}

#[test]
fn an_executable_that_is_copied_to_where_it_starts_is_in_there() {
    for copy in [
        "COPY target/release/orders /app",
        "COPY target/release/orders .",
        "COPY --from=b /s/target/release/orders /app",
        "COPY --from=b /s/target/release/orders /app\nCOPY config/x /app",
    ] {
        says(
            &format!(
                "FROM rust AS b\nWORKDIR /s\nCOPY . .\nRUN cargo build --release\nFROM debian\nUSER 1:1\nWORKDIR /app\n{copy}\nCMD [\"./orders\"]\n"
            ),
            &[],
            &["path =", "the link", "links ="],
        );
    }
}

#[test]
fn cp_puts_a_file_into_a_directory_that_is_there() {
    let build = "FROM rust AS b\nWORKDIR /s\nCOPY . .\nRUN cargo build --release\n";
    let last = "FROM debian\nUSER 1:1\nCOPY --from=b /out /app\nCMD [\"/app/orders\"]\n";
    for steps in [
        "RUN cp target/release/orders /out && cp config/x /out\nWORKDIR /out\n",
        "COPY orders/config /out\nRUN cp target/release/orders /out && cp config/x /out\n",
        "RUN cp -r orders/config /out && cp target/release/orders /out && cp config/x /out\n",
    ] {
        says(
            &format!("{build}{steps}{last}"),
            &["{ from = \"/config/x\", to = \"/app/x\" }"],
            &["path =", "links =", "Lost"],
        );
    }
    says(
        &format!("{build}RUN cp -r orders/config /out && cp target/release/orders /out\n{last}"),
        &["{ from = \"config\", to = \"/app\" }"],
        &["/app/config", "Lost"],
    );
}

#[test]
fn the_service_itself_is_no_executable_of_its_own() {
    let build = "FROM rust AS b\nWORKDIR /s\nCOPY . .\nRUN cargo build --release\n";
    says(
        &format!(
            "{build}RUN mkdir /out && cp target/release/orders /out/ && cp -r config/. /out/\nFROM debian\nUSER 1:1\nCOPY --from=b /out/ /app/\nENTRYPOINT [\"/app/orders\"]\n"
        ),
        &["{ from = \"/config\", to = \"/app\" }"],
        &["path =", "of its own", "Lost"],
    );
}

#[test]
fn a_directory_that_copy_fills_in_a_stage_is_taken_file_by_file() {
    let build = "FROM rust AS b\nWORKDIR /s\nCOPY . .\nRUN cargo build --release\n";
    for (directory, bin) in [("/pkg", "/opt/w"), ("/pkg/", "/opt/w/")] {
        says(
            &format!(
                "{build}FROM debian AS pkg\nWORKDIR /pkg\nCOPY --from=b /s/target/release/orders bin/\nCOPY config etc/\n\
                 FROM debian\nUSER 1:1\nCOPY --from=pkg {directory} {bin}\nENTRYPOINT [\"/opt/w/bin/orders\"]\n"
            ),
            &[
                "path = \"/opt/w/bin/orders\"",
                "{ from = \"/config\", to = \"/opt/w/etc\" }",
            ],
            &["is made while", "Lost"],
        );
    }
}
