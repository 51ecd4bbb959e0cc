//! Dockerfiles of workspaces with several services: which one is read, and what is said of the others.

use super::workspace;
use crate::support::cli::{Lighter, Run};
use crate::support::workspace::Checkout;

fn adopt(checkout: &Checkout, text: &str, arguments: &[&str]) -> Run {
    checkout.write("Dockerfile", text);
    Lighter::at(checkout.path())
        .args(["adopt", "--offline", "Dockerfile"])
        .args(arguments)
        .run()
}

/// The executable of `invoice` alone, copied to `to`.
fn of_invoice(to: &str, command: &str) -> String {
    format!(
        "FROM rust AS build\nCOPY . .\nRUN cargo build --release --bin invoice\nFROM debian\n\
         COPY --from=build /target/release/invoice {to}\nCMD {command}\n"
    )
}

#[test]
fn a_started_service_that_is_not_in_the_image_wins_over_none_that_is() {
    let checkout = workspace();
    let command = "[\"report\", \"--all\"]";
    for to in ["/usr/local/bin/", "/usr/local/bin/invoice", "/srv/"] {
        let run = adopt(&checkout, &of_invoice(to, command), &[]).expect(0).says(&[
            "Read Dockerfile: service `invoice` (package billing)",
            "warning: Dockerfile:6: `report` is started here, and nothing puts it into the image",
            "name in `args` what that is to be started with",
        ]);
        assert!(
            run.stdout
                .contains("[package.metadata.lighter.bin.invoice]"),
            "{}",
            run.stdout
        );
        assert!(!run.stdout.contains("--all"), "{}", run.stdout);
        // What the README says.
        adopt(
            &checkout,
            &of_invoice(to, command),
            &["--service", "report"],
        )
        .expect(2)
        .says(&[
            "has the executable of service `invoice`, and has no executable of service `report`",
        ]);
    }
    let before = checkout.listing();
    adopt(
        &checkout,
        &of_invoice("/bin/", command),
        &["--service", "report", "--write"],
    )
    .expect(2);
    assert_eq!(checkout.listing().len(), before.len(), "nothing is written");
    adopt(
        &checkout,
        &of_invoice("/usr/local/bin/", "invoice & report; wait"),
        &[],
    )
    .expect(0)
    .says(&["service `invoice`", "`report"]);
}

#[test]
fn a_started_service_that_a_directory_or_a_build_brings_is_taken() {
    let checkout = workspace();
    let build = "FROM rust AS build\nCOPY . .\nRUN cargo build --release\n";
    for text in [
        format!(
            "{build}FROM debian\nCOPY --from=build /target/release/invoice /bin/\nCOPY --from=build /target/release/ /opt/\nCMD [\"/opt/report\"]\n"
        ),
        format!(
            "{build}FROM debian\nCOPY --from=build /target/release/invoice /bin/\nCOPY --from=build /target/release/ /opt/\nCMD [\"report\"]\n"
        ),
        format!(
            "{build}COPY --from=old /target/release/invoice /bin/\nCMD [\"/target/release/report\"]\n"
        ),
        format!(
            "{build}FROM debian\nCOPY --from=build /target/release/report /target/release/invoice /bin/\nCMD [\"report\"]\n"
        ),
    ] {
        let run = adopt(&checkout, &text, &[])
            .expect(0)
            .says(&["service `report`"]);
        assert!(
            !run.stderr.contains("nothing puts it"),
            "{text}{}",
            run.stderr
        );
    }
}

#[test]
fn a_program_that_is_not_in_the_image_is_not_taken_for_the_service() {
    let checkout = workspace();
    let text = of_invoice("/usr/local/bin/", "[\"nginx\", \"-v\"]");
    let run = adopt(&checkout, &text, &[]).expect(0).says(&[
        "service `invoice`",
        "warning: Dockerfile:6: `nginx` is started here, and nothing puts it into the image",
    ]);
    assert_eq!(
        run.stdout,
        "[package.metadata.lighter.bin.invoice]\npath = \"/usr/local/bin/invoice\"\n"
    );
}

#[test]
fn the_stage_of_another_service_is_named() {
    let checkout = workspace();
    let text = "FROM debian AS base\nCOPY target/release/invoice target/release/report /bin/\n\
                FROM base AS bills\nCMD [\"invoice\"]\nFROM base AS reports\nCMD [\"report\"]\n";
    adopt(&checkout, text, &[]).expect(0).says(&[
        "service `report`",
        "Note Dockerfile:3: stage `bills` is for service `invoice`, and not read: the last stage is",
        "hint: `--stage bills` reads it",
    ]);
    let run = adopt(&checkout, text, &["--stage", "bills"])
        .expect(0)
        .says(&["service `invoice`"]);
    assert!(!run.stderr.contains("is for service"), "{}", run.stderr);
    let apart = "FROM debian AS bills\nCOPY target/release/invoice /bin/\nCMD [\"invoice\"]\n\
                 FROM debian AS reports\nCOPY target/release/report /bin/\nCMD [\"report\"]\n";
    // Which of two is meant, only their author knows.
    let twice = format!(
        "FROM debian AS old\nCOPY target/release/invoice /bin/\nCMD [\"invoice\"]\n{apart}"
    );
    adopt(&checkout, &twice, &["--service", "invoice"])
        .expect(2)
        .says(&[
            "starts service `report`",
            "hint: a stage of its own is for `invoice`: `--stage bills`",
        ]);
    adopt(&checkout, apart, &["--service", "orders"])
        .expect(2)
        .says(&["hint: leave out `--service`, or name the Dockerfile of `orders`"]);
}

#[test]
fn the_stage_of_the_service_that_is_asked_for_is_read() {
    let checkout = workspace();
    let apart = "FROM debian AS bills\nCOPY target/release/invoice /bin/\nCMD [\"invoice\"]\n\
                 FROM debian AS reports\nCOPY target/release/report /bin/\nCMD [\"report\"]\n";
    let shared = "FROM debian AS base\nCOPY target/release/invoice target/release/report /bin/\n\
                  FROM base AS bills\nCMD [\"invoice\", \"-v\"]\nFROM base AS reports\nCMD [\"report\"]\n";
    let tools = "FROM debian AS bills\nCOPY target/release/invoice /bin/\nCMD [\"invoice\"]\n\
                 FROM alpine AS tools\nRUN apk add curl\nCMD [\"curl\"]\n";
    for (text, line) in [(apart, 1), (shared, 3), (tools, 1)] {
        let run = adopt(&checkout, text, &["--service", "invoice"])
            .expect(0)
            .says(&[
                "service `invoice`",
                &format!("Note Dockerfile:{line}: stage `bills` is for service `invoice`, and read instead of the last one"),
                "reads the last one",
            ]);
        assert!(!run.stderr.contains("not read"), "{text}{}", run.stderr);
        assert!(
            run.stdout.contains("path = \"/bin/invoice\""),
            "{text}{}",
            run.stdout
        );
    }
    // Of several, the one that is called like the service.
    let called = format!(
        "FROM debian AS invoice\nCOPY target/release/invoice /srv/\nCMD [\"/srv/invoice\"]\n{apart}"
    );
    let run = adopt(&checkout, &called, &["--service", "invoice"])
        .expect(0)
        .says(&["stage `invoice` is for service `invoice`"]);
    assert!(
        run.stdout.contains("path = \"/srv/invoice\""),
        "{}",
        run.stdout
    );
    // The last one is the service's own, or `--stage` says which.
    for arguments in [
        &["--service", "report"][..],
        &["--service", "report", "--stage", "reports"],
    ] {
        let run = adopt(&checkout, apart, arguments).expect(0);
        assert!(!run.stderr.contains("instead of"), "{}", run.stderr);
    }
}

#[test]
fn a_stage_that_compiles_or_tests_the_same_service_is_not_told() {
    let checkout = workspace();
    let run = adopt(
        &checkout,
        "FROM rust AS build\nRUN cargo build --release --bin invoice\nCMD [\"bash\"]\n\
         FROM build AS test\nCMD [\"/target/release/invoice\", \"--test\"]\n\
         FROM debian\nCOPY --from=build /target/release/invoice /bin/\nCMD [\"invoice\"]\n",
        &[],
    )
    .expect(0);
    assert!(!run.stderr.contains("is for service"), "{}", run.stderr);
}

#[test]
fn a_link_out_of_the_repository_is_told_and_not_proposed() {
    let checkout = workspace();
    checkout.write("conf/a.toml", "");
    for (link, target) in [
        ("shadow", "/etc/shadow"),
        ("nowhere", "missing"),
        ("inside", "a.toml"),
    ] {
        std::os::unix::fs::symlink(target, checkout.path().join("conf").join(link))
            .expect("a link");
    }
    let copy = |what: &str| {
        format!("FROM debian\nCOPY target/release/invoice /bin/\n{what}\nCMD [\"invoice\"]\n")
    };
    for what in ["COPY conf/ /etc/app/", "COPY conf/* /etc/app/"] {
        let run = adopt(&checkout, &copy(what), &[])
            .expect(0)
            .says(&["`conf/nowhere` and `conf/shadow` are links to nothing in the repository"]);
        for (part, expected) in [
            ("a.toml", true),
            ("inside", true),
            ("shadow", false),
            ("nowhere", false),
        ] {
            assert_eq!(
                run.stdout.contains(part),
                expected,
                "{what}: {}",
                run.stdout
            );
        }
    }
    let run = adopt(&checkout, &copy("COPY conf/shadow /etc/app/shadow"), &[])
        .expect(0)
        .says(&["warning: Dockerfile:3: `conf/shadow` is a link to nothing in the repository"]);
    assert!(!run.stdout.contains("shadow"), "{}", run.stdout);
    std::os::unix::fs::symlink("/etc", checkout.path().join("linked")).expect("a link");
    let run = adopt(&checkout, &copy("COPY linked /etc/app"), &[])
        .expect(0)
        .says(&["`linked` is a link to nothing in the repository"]);
    assert!(!run.stdout.contains("assets"), "{}", run.stdout);
}

#[test]
fn credentials_in_variables_called_auth_are_not_carried() {
    let checkout = workspace();
    let run = adopt(
        &checkout,
        "FROM debian\nCOPY target/release/invoice /bin/\nENV AUTH=hunter2 HTTP_BASIC=user:swordfish\n\
         ENV JWT_SIGNING=correct-horse MODE=x\nCMD [\"invoice\"]\n",
        &[],
    )
    .expect(0);
    assert!(run.stdout.contains("MODE = \"x\""), "{}", run.stdout);
    for secret in ["hunter2", "swordfish", "correct-horse"] {
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(!all.contains(secret), "{all}");
    }
}
