//! Several credentials for one registry.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::fake::Fake;
use super::server::{Answer, Server};
use super::stage::Stage;
use crate::reference::Repository;

#[test]
fn each_part_of_a_registry_gets_its_own_credential() {
    let fake = Arc::new(Fake::default());
    let server = Server::start(move |request| {
        let pair = |user: &str| format!("Basic {}", STANDARD.encode(format!("{user}:secret")));
        let wanted = match request.path() {
            path if path.starts_with("/v2/acme/") => Some(pair("acme")),
            path if path.starts_with("/v2/shop/") => Some(pair("shop")),
            _ => None,
        };
        let shown = request.authorization();
        match wanted {
            Some(wanted) if shown == Some(&*wanted) => fake.answer(request),
            None if shown.is_some() => fake.answer(request),
            _ => Answer::status(401).with("WWW-Authenticate", "Basic realm=\"x\"".to_owned()),
        }
    });
    let host = server.host();
    let pair = |user: &str| STANDARD.encode(format!("{user}:secret"));
    let stage = Stage::with_config(&format!(
        r#"{{"auths":{{"{host}/acme":{{"auth":"{}"}},"{host}/shop":{{"auth":"{}"}}}}}}"#,
        pair("acme"),
        pair("shop"),
    ));
    let registry = stage.registry();
    for (path, user) in [
        ("acme/orders", "acme"),
        ("shop/web", "shop"),
        ("acme/x", "acme"),
    ] {
        let repository = Repository::parse(&format!("{host}/{path}")).expect("legal");
        let found = registry.user(&repository).expect("looked up");
        assert_eq!(found.expect("somebody").name, user);
        registry.check_push(&repository).expect("taken");
    }
    let other = Repository::parse(&format!("{host}/other/x")).expect("legal");
    assert_eq!(registry.user(&other).expect("looked up"), None);
    registry.check_push(&other).expect_err("anonymous");
    // How the registry wants to be told who we are is asked once, whoever we are.
    let received = server.received();
    let pings = received.iter().filter(|request| request.path() == "/v2/");
    assert_eq!(pings.count(), 1);
    assert_eq!(registry.warnings(), Vec::<String>::new());
}

#[test]
fn a_registry_is_pinged_once_also_where_all_begin_at_the_same_time() {
    let fake = Fake::default();
    let server = Server::start(move |request| fake.answer(request));
    let host = server.host();
    let stage = Stage::with_config(&format!(
        r#"{{"auths":{{"{host}/a":{{"auth":"bWU6c2VjcmV0"}},"{host}/b":{{"auth":"bWU6c2VjcmV0"}}}}}}"#
    ));
    let registry = stage.registry();
    std::thread::scope(|scope| {
        for path in ["a/x", "b/x", "c/x", "a/y"] {
            let repository = Repository::parse(&format!("{host}/{path}")).expect("legal");
            let registry = &registry;
            scope.spawn(move || registry.check_push(&repository).expect("taken"));
        }
    });
    let received = server.received();
    let pings = received.iter().filter(|request| request.path() == "/v2/");
    assert_eq!(pings.count(), 1);
}

#[test]
fn passwords_that_others_may_read_are_warned_of_once() {
    let fake = Fake::default();
    let server = Server::start(move |request| fake.answer(request));
    let host = server.host();
    let stage = Stage::with_login(&host);
    stage.set_mode(0o666);
    let registry = stage.registry();
    for path in ["a/x", "b/x"] {
        let repository = Repository::parse(&format!("{host}/{path}")).expect("legal");
        registry.check_push(&repository).expect("taken");
    }
    let path = stage.config().display().to_string();
    let expected = format!(
        "`{path}` is where credentials are kept, and others than its owner may write it (mode 0666): type `chmod 600 {path}`"
    );
    assert_eq!(registry.warnings(), [expected]);
}

#[test]
fn the_name_of_a_user_is_one_line_in_errors() {
    let server = Server::start(|_| {
        Answer::status(401).with("WWW-Authenticate", "Basic realm=\"x\"".to_owned())
    });
    let pair = STANDARD.encode("m\ne\u{202e}\u{61c}x:secret");
    let host = server.host();
    let stage = Stage::with_config(&format!(r#"{{"auths":{{"{host}":{{"auth":"{pair}"}}}}}}"#));
    let repository = Repository::parse(&format!("{host}/a/x")).expect("legal");
    let error = stage.registry().check_push(&repository);
    let error = error.expect_err("refused").to_string();
    assert!(error.contains("the login of `m e x` from"), "{error}");
}
