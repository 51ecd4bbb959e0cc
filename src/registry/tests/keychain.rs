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
}
