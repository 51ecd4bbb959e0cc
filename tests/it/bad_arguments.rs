//! Command lines that make no sense, and output that nobody takes.

use proptest::prelude::*;

use crate::support::cli::Lighter;
use crate::support::refusal::Before;
use crate::support::workspace::Checkout;

#[test]
fn jobs_are_counted_as_cargo_counts_them() {
    let checkout = Checkout::of_services(&["alpha"]);
    let jobs = |jobs: &str| {
        let arguments = ["build", "-v", "--jobs", jobs];
        let run = Lighter::at(checkout.path()).args(arguments).run().expect(0);
        let told = run.stderr.split(" --jobs ").nth(1).expect("cargo is told");
        told.split_whitespace().next().map(str::to_owned)
    };
    let cpus = std::thread::available_parallelism().expect("known");
    assert_eq!(jobs("default"), Some(cpus.to_string()));
    assert_eq!(jobs("-1000"), Some("1".to_owned()));
    assert_eq!(jobs("3"), Some("3".to_owned()));
}

#[test]
fn a_destination_that_is_none_is_told_before_anything_is_done() {
    let checkout = Checkout::of_services(&["alpha"]);
    let before = Before::of(checkout.path());
    let forms = "write `docker://HOST/PREFIX`, `oci:DIRECTORY`, `oci-archive:FILE`, `docker-archive:FILE`, \
                 `docker-daemon:` or `containers-storage:`";
    let colon = "leave names and tags away, they are those of the services (`-t` gives tags); paths with a \
                 colon cannot be told from them";
    for (destination, message, hint) in [
        ("", "destination `` names no place", forms),
        ("oci:", "destination `oci:` names no place", forms),
        (
            "foo:bar",
            "destination `foo:bar` is no place that images can go to",
            forms,
        ),
        (
            "acme/shop",
            "destination `acme/shop` is no place that images can go to",
            forms,
        ),
        (
            "https://ghcr.io/acme",
            "destination `https://ghcr.io/acme` is no place that images can go to",
            forms,
        ),
        (
            "oci-archive:out.tar:alpha:latest",
            "destination `oci-archive:out.tar:alpha:latest` has a colon in its path",
            colon,
        ),
        (
            "oci:out:alpha",
            "destination `oci:out:alpha` has a colon in its path",
            colon,
        ),
        (
            "docker-archive:",
            "destination `docker-archive:` names no place",
            forms,
        ),
        (
            "docker-archive:out/",
            "destination `docker-archive:out/` names a directory, not a file",
            forms,
        ),
        (
            "docker-daemon:alpha:latest",
            "destination `docker-daemon:alpha:latest` names more than an engine",
            "write `docker-daemon:` alone; images are called after their services",
        ),
        (
            "ghcr.io/acme/shop:v1",
            "destination `ghcr.io/acme/shop:v1` has a tag or digest",
            "give tags with `-t`; the service's name is added to the prefix",
        ),
        (
            "docker://ghcr.io/Acme",
            "destination `docker://ghcr.io/Acme` cannot stand before a service's name\n  \
             `ghcr.io/Acme/service` is not a legal repository name: `A` may not be in it",
            "write `docker://HOST/PREFIX` (lower-case letters and digits) or `oci:DIRECTORY`",
        ),
        (
            "x.tar",
            "destination `x.tar` is a path without a scheme before it",
            "write `oci-archive:x.tar` or `docker-archive:x.tar`",
        ),
        (
            "./out",
            "destination `./out` is a path without a scheme before it",
            "write `oci:./out`, `oci-archive:./out` or `docker-archive:./out`",
        ),
        (
            "alpha",
            "destination `alpha` is a path without a scheme before it",
            "write `oci:alpha`",
        ),
        (
            "docker://",
            "nothing says which registry to push `alpha` to",
            "type `--repo HOST/PREFIX`, set LIGHTER_REPO, or set `repo` in \
             `[workspace.metadata.lighter]`",
        ),
    ] {
        let run = Lighter::at(checkout.path()).args(["build", "--to", destination]);
        run.run().refuses(2, message, hint);
    }
    before.holds();
}

#[test]
fn push_needs_to_know_where() {
    let checkout = Checkout::of_services(&["alpha"]);
    let run = Lighter::at(checkout.path()).args(["push"]).run();
    run.refuses(
        2,
        "nothing says which registry to push `alpha` to",
        "type `--repo HOST/PREFIX`, set LIGHTER_REPO, or set `repo` in `[workspace.metadata.lighter]`",
    );
}

#[test]
fn a_login_needs_a_host_and_a_password_on_standard_input() {
    let hint =
        "type `echo \"$PASSWORD\" | cargo lighter login HOST --username USER --password-stdin`";
    let login = || Lighter::at("/").args(["login", "ghcr.io", "-u", "me"]);
    let not_asked = "no password: it is read from standard input only";
    let add = "add `--password-stdin`, and give the password there: `echo \"$PASSWORD\" | cargo lighter login \
               HOST --username USER --password-stdin`";
    login().stdin("pw").run().refuses(2, not_asked, add);
    let empty = login().args(["--password-stdin"]).stdin("\n").run();
    empty.refuses(2, "standard input holds no password", hint);
    for command in [&["logout"][..], &["login", "-u", "me", "--password-stdin"]] {
        let run = Lighter::at("/")
            .args(command)
            .args(["a b"])
            .stdin("pw")
            .run();
        run.refuses(
            2,
            "`a b` does not name a registry: only a host and perhaps a port belong here",
            "give a host such as `ghcr.io` or `localhost:5000`",
        );
    }
}

#[test]
fn a_file_for_results_is_tried_before_compiling() {
    let checkout = Checkout::of_services(&["alpha"]);
    let before = Before::of(checkout.path());
    let here = checkout.path().display();
    let hint = "name a file that can be written, in a directory that exists and can be written";
    for flag in ["--metadata-file", "--image-refs"] {
        let build = |path: &str| {
            Lighter::at(checkout.path())
                .args(["build", flag, path])
                .run()
        };
        let run = build("none/out.json").expect(2);
        let missing = format!("error: cannot write `{here}/none/out.json`\n  ");
        assert!(run.stderr.starts_with(&missing), "{}", run.stderr);
        assert!(run.stderr.contains("No such file"), "{}", run.stderr);
        assert!(
            run.stderr.ends_with(&format!("\n\nhint: {hint}\n")),
            "{}",
            run.stderr
        );
        let message = format!("cannot write `{here}/alpha`\n  is a directory");
        build("alpha").refuses(2, &message, hint);
    }
    before.holds();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// There is no workspace at `/nonexistent`, so that whatever is typed is refused.
    #[test]
    fn no_command_line_panics(
        command in "list|plan|build|push|login|logout|[a-z]{0,8}",
        words in prop::collection::vec("-{0,2}[a-z]{0,12}(=.{0,8})?|--|.{0,12}|x{4000}|oci:.{0,5}", 0..6),
    ) {
        let help = words.iter().any(|word| word.starts_with('-') && word.contains(['h', 'V']));
        prop_assume!(!help && command != "help");
        let run = Lighter::at("/nonexistent").args([&command]).args(words).run();
        // Forgetting what is not known is fine.
        let fine = run.code == 0 && command == "logout";
        prop_assert!(run.code == 2 || run.code == 1 || fine, "{run:?}");
        prop_assert_eq!(run.stdout, "");
        prop_assert!(!run.stderr.is_empty());
    }
}

/// What a shell does with standard output: closed, full, or read by nobody.
#[test]
fn output_that_nobody_takes_is_no_panic() {
    let checkout = Checkout::of_services(&["alpha"]);
    let closed = ["exec >&-", "exec 2>&-", "exec <&-", "exec <&- >&- 2>&-"];
    for (command, setups) in [("list", &closed[..]), ("build", &closed[3..])] {
        let lighter = Lighter::at(checkout.path()).args([command]);
        for setup in setups {
            let run = lighter.run_process(setup);
            assert_eq!(run.code, 0, "{command} {setup} {run:?}");
        }
    }
    let lost = "error: cannot write to standard output: No space left on device (os error 28)\n";
    for command in ["list", "build", "--help"] {
        let lighter = Lighter::at(checkout.path()).args([command]);
        let run = lighter.run_process("exec >/dev/full").expect(1);
        assert!(run.stderr.contains(lost), "{command} {}", run.stderr);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let checkout = Checkout::of_services(&["alpha"]);
    for command in ["list", "build"] {
        let mut child = Lighter::at(checkout.path())
            .args([command])
            .command(":")
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("the program starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

/// They end up in the logs of CI systems.
#[test]
fn a_password_in_the_name_of_a_registry_is_refused_and_not_repeated() {
    let checkout = Checkout::of_services(&["alpha"]);
    let login = "me:hunter2@localhost:5601";
    let [name, address] = [format!("{login}/x"), format!("docker://{login}/x")];
    let hint = "cargo lighter login HOST";
    for arguments in [
        &["push", "--repo", &name][..],
        &["push", "--repo", &address],
        &["build", "--to", &name],
        &["build", "--to", &address],
        &["auth", "check", &name],
        &["auth", "check", &address],
        &["auth", "check", "me:hun/ter2@localhost:5601/x"],
        &["inspect", &name],
        &["inspect", &address],
        &["inspect", "oci:x", "--against", &address],
        &["login", login, "-u", "me", "--password-stdin"],
        &[
            "login",
            &format!("https://{login}"),
            "-u",
            "me",
            "--password-stdin",
        ],
        &["logout", login],
        &["logout", &format!("https://{login}")],
        &[
            "auth",
            "check",
            "localhost:1/x",
            "--insecure-registry",
            &format!("http://{login}"),
        ],
    ] {
        let run = Lighter::at(checkout.path())
            .args(arguments)
            .stdin("x")
            .run();
        let run = run.expect(2).says(&["…@localhost:5601", hint]);
        assert!(!run.stderr.contains("hun"), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    let of_variable = Lighter::at(checkout.path()).env("LIGHTER_REPO", name);
    let run = of_variable.args(["push"]).run().expect(2);
    let run = run.says(&["LIGHTER_REPO: `…@localhost:5601/x` holds a login", hint]);
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
}

#[test]
fn an_insecure_registry_with_a_scheme_says_what_to_type() {
    let home = Checkout::empty();
    for (name, hint) in [
        (
            "http://localhost:5000",
            "type `--insecure-registry localhost:5000`",
        ),
        ("ghcr.io/acme", "type `--insecure-registry ghcr.io`"),
        ("", "type `--insecure-registry HOST:PORT`"),
    ] {
        let arguments = [
            "auth",
            "check",
            "localhost:1/x",
            "--insecure-registry",
            name,
        ];
        let run = Lighter::at(home.path()).args(arguments).run().expect(2);
        run.says(&[&format!("`{name}` is more or less"), hint]);
    }
}

#[test]
fn a_port_that_is_none_is_named() {
    let checkout = Checkout::of_services(&["alpha"]);
    let arguments = ["build", "--to", "localhost:99999/x"];
    let run = Lighter::at(checkout.path()).args(arguments).run().expect(2);
    run.says(&["has the port 99999, and ports end at 65535"]);
    for arguments in [
        &["auth", "check", "localhost:99999/x"][..],
        &["login", "localhost:99999", "-u", "me", "--password-stdin"],
    ] {
        let run = Lighter::at(checkout.path())
            .args(arguments)
            .stdin("x")
            .run();
        run.expect(2)
            .says(&["`localhost:99999`", "ports end at 65535"]);
    }
}

#[test]
fn registries_that_are_named_are_not_denied_where_the_own_one_is_missing() {
    let checkout = Checkout::of_services(&["alpha"]);
    let arguments = [
        "push",
        "--to",
        "docker://ghcr.io/a",
        "--to",
        "docker://quay.io/b",
    ];
    let run = Lighter::at(checkout.path()).args(arguments).run().expect(2);
    run.says(&[
        "besides those that `--to` names",
        "hint: type `cargo lighter build --to …`",
    ]);
}
