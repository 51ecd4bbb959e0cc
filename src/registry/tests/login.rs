//! Keeping and forgetting credentials.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::server::{Answer, Server};
use super::stage::Stage;
use crate::registry::{
    CredentialSource, Options, RegistryError, Secret, credential_source, login, logout,
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
    let place = logout(&stage.environment, &server.host(), &stage.interrupt).expect("forgotten");
    assert_eq!(place, [CredentialSource::File(stage.config())]);
    assert_eq!(read(&stage)["auths"], json!({"ghcr.io": {"auth": "eDp5"}}));
    let again = logout(&stage.environment, &server.host(), &stage.interrupt);
    assert_eq!(again.expect("nothing to do"), []);
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
    let place = logout(&stage.environment, &server.host(), &stage.interrupt).expect("forgotten");
    assert_eq!(
        place,
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
