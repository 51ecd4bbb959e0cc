//! Registries that are not there, do not let us in, or break off: clear words, no tag moved.

use std::thread;

use cargo_lighter::process::{Interrupt, Signal};

use crate::fault_registry::{self, Act, FaultRegistry, Settings, on};
use crate::support::cli::{Lighter, Run};
use crate::support::refusal::{Before, no_temporaries};
use crate::support::registry::{PASSWORD, Registry, USER, free_port};
use crate::support::scripted::{Answer, Scripted, reply};
use crate::support::workspace::Checkout;

fn push(checkout: &Checkout, host: &str) -> Lighter {
    Lighter::at(checkout.path()).args(["push", "-v", "--repo", &format!("{host}/shop")])
}

/// Asserts that a push is refused before anything is compiled, and leaves nothing.
#[track_caller]
fn refused(host: &str, causes: &str, hint: &str) -> Run {
    let checkout = Checkout::of_services(&["alpha"]);
    let before = Before::of(checkout.path());
    let message = format!("cannot deliver to `docker://{host}/shop`\n  {causes}");
    let run = push(&checkout, host).run().refuses(1, &message, hint);
    before.holds();
    assert!(!checkout.path().join("target").exists());
    run
}

/// A registry that takes uploads to be opened, and answers to everything else as `script` says.
fn taking_uploads(script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Scripted {
    const SESSION: &[(&str, &str)] = &[("Location", "/v2/shop/alpha/blobs/uploads/session")];
    Scripted::new(move |request| match request.split_once(' ') {
        Some(("GET", "/v2/")) => reply(200, "{}"),
        Some(("POST", _)) => Answer::Reply(202, SESSION, String::new()),
        Some(("HEAD", _)) => reply(404, ""),
        Some(("DELETE", _)) => reply(204, ""),
        _ => script(request),
    })
}

#[test]
fn nobody_listens() {
    let host = format!("127.0.0.1:{}", free_port());
    refused(
        &host,
        &format!("cannot reach registry `{host}`\n  Connection refused (os error 111)"),
        &format!("start a registry at `{host}`, or correct the port"),
    );
}

/// Were the name asked by plain http, the proxy of this test would see the request.
#[test]
fn a_name_that_is_not_this_machine_is_never_asked_by_plain_http() {
    let checkout = Checkout::of_services(&["alpha"]);
    let proxy = Scripted::new(|_| reply(200, "{}"));
    let host = "registry.invalid:5000";
    let run = push(&checkout, host)
        .env("http_proxy", format!("http://{}", proxy.host()))
        .run();
    let message = format!(
        "error: cannot deliver to `docker://{host}/shop`\n  cannot reach registry `{host}`\n  "
    );
    let hint = format!(
        "\n\nhint: check the host name in `{host}`, and the network (proxies are taken from HTTPS_PROXY)\n"
    );
    let run = run.expect(1);
    assert!(run.stderr.contains(&message), "{}", run.stderr);
    assert!(run.stderr.ends_with(&hint), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    assert_eq!(proxy.requests(), Vec::<String>::new());
}

#[test]
fn something_else_answers() {
    let host = Scripted::new(|_| reply(404, "<html>no</html>")).host();
    let run = refused(
        &host,
        &format!("cannot use the registry at `{host}`: status 404"),
        &format!("check that `{host}` is a registry"),
    );
    assert!(!run.stderr.contains("html"));
}

/// A home with a docker configuration that has a password for `host`.
fn home_with(host: &str, password: &str) -> Checkout {
    let home = Checkout::empty();
    let run = Lighter::at("/")
        .env("HOME", home.path())
        .args(["login", host, "-u", USER, "--password-stdin"])
        .stdin(&format!("{password}\n"))
        .run();
    run.expect(0);
    home
}

fn all_of(run: &Run) -> String {
    format!("{}{}", run.stdout, run.stderr)
}

#[test]
fn a_registry_with_a_password_lets_nobody_in_without() {
    let registry = Registry::with_password();
    let host = registry.host();
    let run = refused(
        &host,
        &format!(
            "cannot look for manifest `latest` in `{host}/shop/alpha` without a login: status 401 \
             (UNAUTHORIZED: authentication required)"
        ),
        &format!("log in with `cargo lighter login {host} --username USER --password-stdin`"),
    );
    assert_eq!(run.stdout, "");
}

#[test]
fn a_wrong_password_is_told_at_login_and_not_kept() {
    let registry = Registry::with_password();
    let host = registry.host();
    let home = Checkout::empty();
    let run = Lighter::at("/")
        .env("HOME", home.path())
        .args(["login", "-v", &host, "-u", USER, "--password-stdin"])
        .stdin("wr0ng-sentinel\n")
        .run();
    let run = run.refuses(
        1,
        &format!(
            "registry `{host}` refuses the login of `{USER}` from standard input (UNAUTHORIZED: \
             authentication required)"
        ),
        "check the user name and the password; some registries take only a token",
    );
    assert!(!all_of(&run).contains("sentinel"));
    assert_eq!(home.listing(), []);
}

#[test]
fn a_password_that_is_wrong_by_now_is_named_by_its_place() {
    let registry = Registry::with_password();
    let host = registry.host();
    let home = home_with(&host, PASSWORD);
    let file = home.path().join(".docker/config.json");
    let text = fs_err::read_to_string(&file).expect("written");
    let auth = |password: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{password}"))
    };
    let wrong = auth("0ld-sentinel");
    assert!(text.contains(&auth(PASSWORD)));
    fs_err::write(&file, text.replace(&auth(PASSWORD), &wrong)).expect("written");
    let checkout = Checkout::of_services(&["alpha"]);
    let run = push(&checkout, &host).env("HOME", home.path()).run();
    let run = run.refuses(
        1,
        &format!(
            "cannot deliver to `docker://{host}/shop`\n  registry `{host}` refuses the login of `{USER}` \
             from `{}`",
            file.display()
        ),
        &format!("log in with `cargo lighter login {host} --username USER --password-stdin`"),
    );
    assert!(!all_of(&run).contains("sentinel"));
    assert!(!all_of(&run).contains(&wrong));
}

/// No output at all, at the highest verbosity, of any command that knows the password.
#[test]
fn a_password_is_never_shown() {
    use base64::Engine as _;
    let registry = Registry::with_password();
    let host = registry.host();
    let home = home_with(&host, PASSWORD);
    let checkout = Checkout::of_services(&["alpha"]);
    let pushed = push(&checkout, &host)
        .env("HOME", home.path())
        .args(["--message-format", "json", "--metadata-file", "out.json"])
        .run()
        .expect(0);
    let login = Lighter::at("/")
        .env("HOME", home.path())
        .args(["login", "-v", &host, "-u", USER, "--password-stdin"])
        .stdin(PASSWORD)
        .run()
        .expect(0);
    let logout = Lighter::at("/")
        .env("HOME", home.path())
        .args(["logout", "-v", &host])
        .run()
        .expect(0);
    let file = fs_err::read_to_string(checkout.path().join("out.json")).expect("written");
    let pair = format!("{USER}:{PASSWORD}");
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
    for text in [all_of(&pushed), all_of(&login), all_of(&logout), file] {
        assert!(!text.contains("sentinel"), "{text}");
        assert!(!text.contains(&encoded), "{text}");
    }
}

#[test]
fn refusals_repeat_the_registrys_words_without_control_characters() {
    let body = |code: &str| {
        format!(
            r#"{{"errors":[{{"code":"{code}","message":"no \u001b[31mred\u0007\nsecond\u202eline"}}]}}"#
        )
    };
    for (status, code, how, hint) in [
        (
            404,
            "NAME_UNKNOWN",
            "",
            "check the name `shop/alpha`, or create the repository at the registry".to_owned(),
        ),
        (403, "DENIED", " without a login", String::new()),
    ] {
        let answer = body(code);
        let server = Scripted::new(move |request| match request.split_once(' ') {
            Some(("GET", "/v2/")) => reply(200, "{}"),
            _ => reply(status, &answer),
        });
        let host = server.host();
        let login =
            format!("log in with `cargo lighter login {host} --username USER --password-stdin`");
        let hint = if hint.is_empty() { login } else { hint };
        let cause = format!(
            "cannot open an upload in `{host}/shop/alpha`{how}: status {status} ({code}: no [31mred second \
             line)"
        );
        let run = refused(&host, &cause, &hint);
        assert!(run.stderr.chars().all(|c| c == '\n' || !c.is_control()));
    }
}

#[test]
fn a_registry_that_dies_in_the_middle_gets_no_manifest() {
    let server = taking_uploads(|_| Answer::HangUp);
    let host = server.host();
    let checkout = Checkout::of_services(&["alpha"]);
    let run = push(&checkout, &host)
        .args(["--metadata-file", "out.json"])
        .run();
    let run = run.expect(1);
    let message = format!(
        "error: service `alpha` could not be delivered\n  cannot deliver to `docker://{host}/shop`\n  "
    );
    assert!(run.stderr.contains(&message), "{}", run.stderr);
    let broke = format!("in `{host}/shop/alpha`: the connection to `{host}` broke\n  ");
    assert!(run.stderr.contains(&broke), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    let manifests =
        |request: &String| request.contains("/manifests/") && !request.starts_with("HEAD");
    assert!(
        !server.requests().iter().any(manifests),
        "{:?}",
        server.requests()
    );
    let text = fs_err::read_to_string(checkout.path().join("out.json")).expect("written");
    let summary: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(summary["services"][0]["status"], "failed");
    assert_eq!(summary["services"][0]["deliveries"][0]["status"], "failed");
    no_temporaries(checkout.path());
}

/// What moved before is what others deploy by now.
#[test]
fn tags_that_moved_before_one_failed_are_told() {
    for message_format in ["text", "json"] {
        let server = FaultRegistry::start(Settings::default());
        let no_more = fault_registry::Answer::status(400).body("no more");
        server.add(on("PUT", "/manifests/two").answer(no_more));
        let host = server.host();
        let checkout = Checkout::of_services(&["alpha"]);
        let run = push(&checkout, &host)
            .args(["-t", "one", "-t", "two", "-t", "three"])
            .args(["--message-format", message_format])
            .args(["--metadata-file", "out.json", "--image-refs", "refs.txt"])
            .run()
            .expect(1)
            .says(&["service `alpha` could not be delivered", ": status 400"]);
        let text = fs_err::read_to_string(checkout.path().join("out.json")).expect("written");
        let summary: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(summary["services"][0]["status"], "failed");
        let delivery = &summary["services"][0]["deliveries"][0];
        assert_eq!(delivery["status"], "failed");
        assert_eq!(delivery["tags"], serde_json::json!(["one"]));
        let digest = delivery["digest"].as_str().expect("a digest");
        let reference = format!("{host}/shop/alpha:one@{digest}");
        assert_eq!(delivery["reference"], serde_json::json!([reference]));
        let references = fs_err::read_to_string(checkout.path().join("refs.txt"));
        assert_eq!(references.expect("written"), format!("{reference}\n"));
        if message_format == "json" {
            let first = serde_json::from_str::<serde_json::Value>(run.lines()[0]).expect("JSON");
            assert_eq!(first["reason"], "lighter-image");
            assert_eq!(&first["delivery"], delivery);
        } else {
            assert_eq!(run.lines(), [reference]);
        }
        assert_eq!(server.count("", "/manifests/three"), 0);
    }
}

#[test]
fn an_interrupt_between_two_tags_hides_none_that_moved() {
    let server = FaultRegistry::start(Settings::default());
    server.add(on("PUT", "/manifests/two").act(Act::Silence));
    let host = server.host();
    let checkout = Checkout::of_services(&["alpha"]);
    let interrupt = Interrupt::new();
    let run = thread::scope(|scope| {
        scope.spawn(|| {
            server.wait_for("PUT", "/manifests/two");
            interrupt.send(Signal::Interrupt);
        });
        push(&checkout, &host)
            .args(["-t", "one", "-t", "two"])
            .interrupted_by(&interrupt)
            .run()
    });
    let run = run.expect(130);
    assert_eq!(run.lines().len(), 1);
    assert!(run.stdout.starts_with(&format!("{host}/shop/alpha:one@")));
}

/// The layout is given everything all the same, because one destination's failure is not another's.
#[test]
fn one_destination_that_fails_leaves_the_other_alone_with_keep_going() {
    let server = taking_uploads(|_| reply(400, "broken"));
    let checkout = Checkout::of_services(&["alpha"]);
    let run = |more: &[&str]| {
        let push = push(&checkout, &server.host()).args(["--to", "oci:out"]);
        let run = push.args(more).run().expect(1);
        let said = ": status 400 (broken)\n";
        assert!(run.stderr.contains(said), "{}", run.stderr);
        run
    };
    assert_eq!(run(&[]).stdout, "");
    let run = run(&["--keep-going"]);
    let images = crate::support::refusal::images(&checkout.path().join("out"));
    let expected: Vec<String> = images
        .iter()
        .map(|(name, digest)| format!("oci:out:{name}@{digest}"))
        .collect();
    assert_eq!(expected.len(), 1);
    assert_eq!(run.lines(), expected);
    no_temporaries(checkout.path());
}
