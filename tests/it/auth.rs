//! `auth check`: whose word is shown, and what the registry says to it.

use fs_err as fs;
use tempfile::TempDir;

use crate::fault_registry::{Act, Answer, Change, FaultRegistry, Guard, Scopes, Settings, on};
use crate::support::cli::{Lighter, Run};
use crate::support::registry::{PASSWORD, Registry, USER};

fn check(home: &TempDir, host: &str) -> Lighter {
    Lighter::at(home.path()).env("HOME", home.path()).args([
        "auth",
        "check",
        &format!("{host}/shop/orders:1.0"),
    ])
}

#[test]
fn each_place_of_a_credential_is_named_with_the_registrys_answer() {
    let registry = Registry::with_password();
    let host = registry.host();
    let home = TempDir::new().expect("a temporary directory");
    let nobody = check(&home, &host).run().expect(1);
    let rows = format!(
        "repository  {host}/shop/orders\nas          nobody: no credential is configured for it\n\
         scope       none: the registry did not ask for a token\n\
         answer      status 401 (UNAUTHORIZED: authentication required)\npush        not taken\n"
    );
    assert_eq!(nobody.stdout, rows);
    nobody.says(&["without a login: status 401", "hint: log in with"]);

    let file = home.path().join(".config/containers/auth.json");
    fs::create_dir_all(file.parent().expect("has one")).expect("made");
    let entry =
        format!(r#"{{"auths":{{"{host}/shop":{{"username":"{USER}","password":"{PASSWORD}"}}}}}}"#);
    fs::write(&file, entry).expect("written");
    let known = check(&home, &host).run().expect(0);
    let who = format!("as          `{USER}`, from `{}`\n", file.display());
    assert!(known.stdout.contains(&who), "{}", known.stdout);
    assert!(
        known
            .stdout
            .ends_with("answer      status 202\npush        taken\n"),
        "{}",
        known.stdout
    );
    let json = check(&home, &host)
        .args(["--format", "json"])
        .run()
        .expect(0);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["user"], USER);
    assert_eq!(json["push"], true);
    assert_eq!(json["scope"], serde_json::Value::Null);
    assert_eq!(json["answer"], "status 202");
    let detailed = check(&home, &host).args(["-v"]).run().expect(0);
    detailed.says(&[&format!(
        "`{host}` is shown the credential of `{USER}` for `{host}`, from `{}`",
        file.display()
    )]);

    let of_environment = |password: &str, bound: &str| {
        check(&home, &host)
            .env("LIGHTER_REGISTRY_USER", USER)
            .env("LIGHTER_REGISTRY_PASSWORD", password)
            .env("LIGHTER_REGISTRY_HOST", bound)
            .run()
    };
    let wrong = of_environment("wr0ng-sentinel", &host).expect(1);
    assert!(!format!("{}{}", wrong.stdout, wrong.stderr).contains("sentinel"));
    wrong.says(&[
        "from LIGHTER_REGISTRY_USER",
        "hint: correct LIGHTER_REGISTRY_USER",
    ]);
    // It is for another host, and not shown here.
    let other = of_environment("wr0ng-sentinel", "ghcr.io").expect(0);
    assert!(other.stdout.contains("auth.json"), "{}", other.stdout);
}

#[test]
fn the_scope_that_a_token_was_asked_with_is_told_with_the_registrys_own_answer() {
    let server = FaultRegistry::start(Settings {
        guard: Guard::Bearer {
            seconds: 300,
            scopes: Scopes::All,
        },
        ..Settings::default()
    });
    let host = server.host();
    let home = TempDir::new().expect("a temporary directory");
    let file = home.path().join(".docker/config.json");
    fs::create_dir_all(file.parent().expect("has one")).expect("made");
    let entry = format!(r#"{{"auths":{{"{host}":{{"username":"me","password":"secret"}}}}}}"#);
    fs::write(&file, entry).expect("written");
    let taken = check(&home, &host).run().expect(0);
    let end = "scope       `repository:shop/orders:pull,push`\nanswer      status 202\n\
               push        taken\n";
    assert!(taken.stdout.ends_with(end), "{}", taken.stdout);

    server.add(on("POST", "").answer(Answer::refusal(403, "DENIED")));
    let refused = check(&home, &host)
        .args(["--format", "json"])
        .run()
        .expect(1);
    let json: serde_json::Value = serde_json::from_str(&refused.stdout).expect("JSON");
    assert_eq!(json["scope"], "repository:shop/orders:pull,push");
    assert_eq!(json["answer"], "status 403 (DENIED: denied)");
    assert_eq!(json["push"], false);
}

/// It would not be that of any registry, and nobody would know why.
#[test]
fn a_host_with_a_scheme_is_refused_and_not_passed_over() {
    let home = TempDir::new().expect("a temporary directory");
    let run = check(&home, "127.0.0.1:1")
        .env("LIGHTER_REGISTRY_USER", USER)
        .env("LIGHTER_REGISTRY_PASSWORD", PASSWORD)
        .env("LIGHTER_REGISTRY_HOST", "http://127.0.0.1:1")
        .run();
    run.expect(1).says(&[
        "error: LIGHTER_REGISTRY_HOST does not begin with the name of a registry",
        "hint: set LIGHTER_REGISTRY_HOST to a host",
    ]);
}

#[test]
fn what_names_no_repository_is_a_mistake_of_the_command_line() {
    let home = TempDir::new().expect("a temporary directory");
    for text in ["orders", "ghcr.io", "ghcr.io/Orders"] {
        let run = Lighter::at(home.path()).args(["auth", "check", text]).run();
        run.expect(2).says(&["error: `", "hint: "]);
    }
}

#[test]
fn a_registry_that_never_answered_did_not_ask_for_nothing() {
    let home = TempDir::new().expect("a temporary directory");
    let run = check(&home, "127.0.0.1:1").run().expect(1);
    let end = "scope       unknown: the registry gave no answer\nanswer      none\n\
               push        not taken\n";
    assert!(run.stdout.ends_with(end), "{}", run.stdout);
}

#[test]
fn a_registry_behind_a_proxy_that_names_itself_by_http_gets_the_hint_of_other_wrong_names() {
    let server = FaultRegistry::start(Settings::default());
    let host = server.host();
    let location = Change::Header("Location", "http://registry.example{location}".to_owned());
    server.add(on("POST", "").act(Act::Alter(vec![location])));
    let home = TempDir::new().expect("a temporary directory");
    check(&home, &host).run().expect(1).says(&[
        "an address on `registry.example`, which is not https",
        "hint: if that is `",
        "`http.relativeurls`",
    ]);
}

#[test]
fn a_registry_that_lets_nobody_write_is_called_read_only() {
    let server = FaultRegistry::start(Settings::default());
    server.add(on("POST", "").answer(Answer::refusal(405, "UNSUPPORTED")));
    let home = TempDir::new().expect("a temporary directory");
    let run = check(&home, &server.host()).run().expect(1);
    run.says(&["status 405", "hint: `", "it is likely read-only"]);
}

/// Files of a home by the user's own paths, and what is left of them after a logout.
fn after_logout(home: &TempDir, auths: &serde_json::Value, name: &str) -> (Run, serde_json::Value) {
    let file = home.path().join("config.json");
    let config = serde_json::json!({ "auths": auths });
    fs::write(&file, config.to_string()).expect("written");
    let lighter = Lighter::at(home.path()).env("DOCKER_CONFIG", home.path());
    let run = lighter.args(["logout", name]).run().expect(0);
    let mut left: serde_json::Value =
        serde_json::from_slice(&fs::read(file).expect("readable")).expect("JSON");
    (run, left["auths"].take())
}

#[test]
fn a_logout_by_an_address_removes_what_docker_would_and_does_not_claim_that_nothing_was_there() {
    let home = TempDir::new().expect("a temporary directory");
    let entry = serde_json::json!({ "auth": "bWU6c2VjcmV0" });
    for key in [
        "ghcr.io",
        "https://ghcr.io",
        "http://ghcr.io/v2/",
        "https://ghcr.io/v1/",
    ] {
        for name in [
            "ghcr.io",
            "https://ghcr.io",
            "http://ghcr.io",
            "https://ghcr.io/v1/",
        ] {
            let auths = serde_json::json!({ key: entry, "other.io": entry });
            let (run, left) = after_logout(&home, &auths, name);
            assert_eq!(
                left,
                serde_json::json!({ "other.io": entry }),
                "{key} by {name}"
            );
            run.says(&["Removed credentials for"]);
        }
    }
}

#[test]
fn a_key_with_a_scheme_and_a_path_is_told_and_can_be_removed() {
    let home = TempDir::new().expect("a temporary directory");
    let entry = serde_json::json!({ "auth": "bWU6c2VjcmV0" });
    let auths = serde_json::json!({ "https://quay.io/acme": entry, "quay.io/acme": entry, "quay.io": entry });
    let (run, left) = after_logout(&home, &auths, "quay.io");
    run.says(&["still has credentials for quay.io/acme; remove them with `cargo lighter logout quay.io/acme`"]);
    assert_eq!(left.as_object().map(serde_json::Map::len), Some(2));
    for name in ["quay.io/acme", "https://quay.io/acme"] {
        let (_, left) = after_logout(&home, &auths, name);
        assert_eq!(left, serde_json::json!({ "quay.io": entry }), "{name}");
    }
}
