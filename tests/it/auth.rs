//! `auth check`: whose word is shown, and what the registry says to it.

use fs_err as fs;
use tempfile::TempDir;

use crate::fault_registry::{Answer, FaultRegistry, Guard, Scopes, Settings, on};
use crate::support::cli::Lighter;
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
