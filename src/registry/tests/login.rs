//! Keeping and forgetting credentials.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::server::{Answer, Server};
use super::stage::Stage;
use crate::registry::{
    CredentialSource, Logout, Options, RegistryError, Secret, credential_source, login, logout,
};

/// A registry that takes `me` with the password `secret`.
fn basic() -> Server {
    Server::start(|request| match request.authorization() {
        Some("Basic bWU6c2VjcmV0") => Answer::status(200),
        _ => Answer::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
    })
}

fn log_in(
    stage: &Stage,
    server: &Server,
    password: &str,
) -> Result<CredentialSource, RegistryError> {
    let secret = Secret::new(password);
    let (host, clock) = (server.host(), stage.clock());
    login(
        &stage.environment,
        &host,
        "me",
        &secret,
        Options::default(),
        clock,
        &stage.interrupt,
    )
}

fn read(stage: &Stage) -> Value {
    let text = fs_err::read(stage.config()).expect("readable");
    serde_json::from_slice(&text).expect("JSON")
}

#[test]
fn a_login_is_kept_privately_beside_everything_else() {
    let server = basic();
    let stage = Stage::with_config(r#"{"auths":{"ghcr.io":{"auth":"eDp5"}},"proxies":{"a":1.5}}"#);
    let place = log_in(&stage, &server, "secret").expect("taken");
    assert_eq!(place, CredentialSource::File(stage.config()));
    let expected = json!({
        "auths": {"ghcr.io": {"auth": "eDp5"}, server.host(): {"auth": "bWU6c2VjcmV0"}},
        "proxies": {"a": 1.5},
    });
    assert_eq!(read(&stage), expected);
    let mode = fs_err::metadata(stage.config())
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let found = credential_source(&stage.environment, &server.host(), &stage.interrupt);
    assert_eq!(found.expect("read").expect("kept").0.user(), "me");
    let done = logout(&stage.environment, &server.host(), &stage.interrupt).expect("forgotten");
    assert_eq!(done.removed, [CredentialSource::File(stage.config())]);
    assert_eq!(read(&stage)["auths"], json!({"ghcr.io": {"auth": "eDp5"}}));
    let again = logout(&stage.environment, &server.host(), &stage.interrupt);
    assert_eq!(again.expect("nothing to do"), Logout::default());
}

#[test]
fn a_login_keeps_what_others_stored_meanwhile() {
    let stage = Stage::anonymous();
    let config = stage.config();
    let server = Server::start(move |request| {
        let other = r#"{"auths":{"ghcr.io":{"auth":"eDp5"}}}"#;
        fs_err::write(&config, other).expect("written");
        match request.authorization() {
            Some("Basic bWU6c2VjcmV0") => Answer::status(200),
            _ => Answer::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
        }
    });
    log_in(&stage, &server, "secret").expect("taken");
    let expected = json!({"ghcr.io": {"auth": "eDp5"}, server.host(): {"auth": "bWU6c2VjcmV0"}});
    assert_eq!(read(&stage)["auths"], expected);
}

#[test]
fn a_refused_login_is_not_kept() {
    let server = basic();
    let stage = Stage::anonymous();
    let error = log_in(&stage, &server, "wr0ng").expect_err("refused");
    assert!(
        matches!(error, RegistryError::LoginRefused { .. }),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains("wr0ng"));
    assert!(!stage.config().exists());
}

#[test]
fn a_login_goes_to_the_configured_helper() {
    let server = basic();
    let stage = Stage::with_config(r#"{"credsStore":"vault"}"#);
    stage.helper("vault", r#"cat > "$0.$1""#);
    let place = log_in(&stage, &server, "secret").expect("taken");
    assert_eq!(
        place,
        CredentialSource::Helper("docker-credential-vault".to_owned())
    );
    let given = |verb| {
        let name = format!("docker-credential-vault.{verb}");
        fs_err::read_to_string(stage.home.path().join(name)).expect("given")
    };
    let stored: Value = serde_json::from_str(&given("store")).expect("JSON");
    let expected = json!({"ServerURL": server.host(), "Username": "me", "Secret": "secret"});
    assert_eq!(stored, expected);
    assert_eq!(read(&stage), json!({"credsStore": "vault"}));
    let done = logout(&stage.environment, &server.host(), &stage.interrupt).expect("forgotten");
    assert_eq!(
        done.removed,
        [CredentialSource::Helper(
            "docker-credential-vault".to_owned()
        )]
    );
    assert_eq!(given("erase"), server.host());
}

#[test]
fn a_symbolic_link_to_the_configuration_stays_one() {
    let server = basic();
    let stage = Stage::anonymous();
    let target = stage.home.path().join("elsewhere.json");
    fs_err::write(&target, "{}").expect("written");
    std::os::unix::fs::symlink(&target, stage.config()).expect("linked");
    log_in(&stage, &server, "secret").expect("taken");
    assert!(stage.config().is_symlink());
    assert!(
        fs_err::read_to_string(&target)
            .expect("readable")
            .contains("bWU6c2VjcmV0")
    );
}

#[test]
fn a_link_to_a_configuration_that_is_yet_to_be_written_stays_one() {
    let server = basic();
    let stage = Stage::anonymous();
    let target = stage.home.path().join("vault/elsewhere.json");
    std::os::unix::fs::symlink("vault/elsewhere.json", stage.config()).expect("linked");
    log_in(&stage, &server, "secret").expect("taken");
    assert!(stage.config().is_symlink());
    let kept = fs_err::read_to_string(&target).expect("readable");
    assert!(kept.contains("bWU6c2VjcmV0"), "{kept}");
    let circle = Stage::anonymous();
    std::os::unix::fs::symlink("config.json", circle.config()).expect("linked");
    log_in(&circle, &server, "secret").expect_err("a circle");
    assert!(circle.config().is_symlink());
}

#[test]
fn a_login_rewrites_nothing_that_others_keep_in_the_file() {
    let server = basic();
    let others = "\"zeta\": {\"b\": 1e400, \"a\":   12345678901234567890.5},\n\t\"alpha\": [1,2]";
    let entry = r#""ghcr.io": { "auth": "eDp5", "email": 1.00 }"#;
    let stage = Stage::with_config(&format!("{{\n\t{others},\n\t\"auths\": {{{entry}}}\n}}\n"));
    log_in(&stage, &server, "secret").expect("taken");
    let text = fs_err::read_to_string(stage.config()).expect("readable");
    assert!(text.contains(others), "{text}");
    assert!(
        text.contains(r#"{ "auth": "eDp5", "email": 1.00 }"#),
        "{text}"
    );
    logout(&stage.environment, &server.host(), &stage.interrupt).expect("forgotten");
    let text = fs_err::read_to_string(stage.config()).expect("readable");
    assert!(
        text.contains(others) && !text.contains("bWU6c2VjcmV0"),
        "{text}"
    );
}

#[test]
fn a_logout_tells_which_parts_of_a_registry_keep_their_credentials() {
    let stage = Stage::with_config(
        r#"{"auths":{"ghcr.io":{"auth":"eDp5"},"ghcr.io/acme":{"auth":"eDp5"},"quay.io/x":{}}}"#,
    );
    let file = || CredentialSource::File(stage.config());
    let log_out = |name| logout(&stage.environment, name, &stage.interrupt).expect("forgotten");
    let whole = log_out("ghcr.io");
    assert_eq!(whole.removed, [file()]);
    assert_eq!(whole.left, [("ghcr.io/acme".to_owned(), file())]);
    assert_eq!(log_out("ghcr.io/other"), Logout::default());
    let part = log_out("ghcr.io/acme");
    assert_eq!((part.removed, part.left), (vec![file()], Vec::new()));
    assert_eq!(read(&stage), json!({"auths": {"quay.io/x": {}}}));
}
