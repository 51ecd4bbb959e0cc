//! A: who we are.

use cargo_lighter::registry::RegistryError;

use super::scenario::{Scenario, counted, play, scenario};
use crate::fault_registry::{Act, Answer, Change, Guard, on};

const UPLOADS: &str = "/blobs/uploads/";
const LIFE: u64 = 300;

/// All tokens end just before a request of this kind is answered.
fn ended(id: &'static str, method: &'static str, part: &'static str) -> Scenario {
    scenario(id)
        .tokens(LIFE)
        .fault(on(method, part).act(Act::EndTokens))
        .then(|stage| counted(stage, "GET", "/token", 2))
}

fn challenged(id: &'static str, value: &str) -> Scenario {
    let header = Change::Header("WWW-Authenticate", value.to_owned());
    let act = Act::Alter(vec![header]);
    scenario(id).tokens(LIFE).fault(on("GET", "/v2/").act(act))
}

fn token(id: &'static str, old: &'static str, new: &'static str) -> Scenario {
    let act = Act::Alter(vec![Change::Replace(old, new)]);
    scenario(id)
        .tokens(LIFE)
        .fault(on("GET", "/token").always().act(act))
}

fn exchange_refused(id: &'static str, status: u16) -> Scenario {
    scenario(id)
        .tokens(LIFE)
        .login(Some("<token>:identity/secret"))
        .fault(on("POST", "/token").always().status(status))
        .then(|stage| counted(stage, "POST", "/token", 1))
        .then(|stage| counted(stage, "GET", "/token", 1))
}

#[test]
fn tokens() {
    play(vec![
        ended("A1a a token ends before a look", "HEAD", "/blobs/"),
        ended("A1b before an upload is opened", "POST", UPLOADS),
        ended("A1c while content is sent", "PUT", UPLOADS),
        ended("A1d before the manifest", "PUT", "/manifests/sha256"),
        ended("A1e before the tag", "PUT", "/manifests/v1"),
        scenario("A1f a token ends during a wait")
            .tokens(60)
            .fault(on("POST", UPLOADS).answer(Answer::status(503).with("Retry-After", "100"))),
        scenario("A1g a token that is never taken")
            .tokens(LIFE)
            .fault(on("PUT", UPLOADS).always().act(Act::EndTokens))
            .fails(|error| matches!(error, RegistryError::Unauthorized { status: 401, .. }))
            .then(|stage| {
                let asked = stage.server.count("GET", "/token");
                if asked <= 4 {
                    Ok(())
                } else {
                    Err(format!("{asked} tokens"))
                }
            }),
        scenario("A1h tokens that live shorter than an upload takes").tokens(2),
        token(
            "A2 clocks differ",
            "{\"expires_in\"",
            "{\"issued_at\":\"2099-01-01T00:00:00Z\",\"expires_in\"",
        ),
        token("A3a access_token", "\"token\"", "\"access_token\""),
        token(
            "A3b both names",
            "\"token\"",
            "\"token\":\"no\",\"access_token\"",
        ),
        scenario("A3d an identity token, which is exchanged")
            .tokens(LIFE)
            .two_services()
            .login(Some("<token>:identity/secret"))
            .then(|stage| counted(stage, "POST", "/token", 2)),
        exchange_refused("A3e a service that exchanges nothing, 404", 404),
        exchange_refused("A3f the same, 405", 405),
        scenario("A3g an identity token that ended is shown once")
            .tokens(LIFE)
            .login(Some("<token>:other/secret"))
            .fails(|error| matches!(error, RegistryError::LoginRefused { .. }))
            .then(|stage| counted(stage, "POST", "/token", 1))
            .then(|stage| counted(stage, "GET", "/token", 0)),
        token("A3c no lifetime", "\"expires_in\":300,", ""),
    ]);
}

#[test]
fn challenges() {
    let bearer = r#"Bearer realm="http://{host}/token",service="fault""#;
    let basic = scenario("A4a a password only").with(|settings| settings.guard = Guard::Basic);
    play(vec![
        basic,
        challenged("A4b in small letters", &bearer.replace("Bearer", "bearer")),
        challenged("A4c without quotes", &bearer.replace("\"fault\"", "fault")),
        challenged(
            "A4d two in one header",
            &format!("Basic realm=\"x\", {bearer}"),
        ),
        challenged("A4e names in capitals", &bearer.replace("realm", "REALM")),
        challenged(
            "A4f a realm elsewhere",
            "Bearer realm=\"http://{other}/token\"",
        )
        .fails(|error| matches!(error, RegistryError::BadTokenService { .. })),
        scenario("A5a 401 without a challenge")
            .tokens(LIFE)
            .fault(on("PUT", UPLOADS).status(401)),
        scenario("A5b 403 for a token that ended")
            .tokens(LIFE)
            .fault(on("HEAD", "/blobs/").answer(Answer::status(503).with("Retry-After", "60")))
            .fault(on("PUT", UPLOADS).status(403))
            .then(|stage| counted(stage, "GET", "/token", 2)),
        scenario("A5c 403 for good")
            .tokens(LIFE)
            .fault(
                on("POST", UPLOADS)
                    .always()
                    .answer(Answer::refusal(403, "DENIED")),
            )
            .fails(|error| matches!(error, RegistryError::Unauthorized { status: 403, .. }))
            .then(|stage| counted(stage, "GET", "/token", 1)),
        scenario("A6b a manifest needs another right, which the registry names")
            .tokens(LIFE)
            .with(|settings| settings.manifest_right = Some("delete"))
            .then(|stage| counted(stage, "GET", "/token", 2)),
        scenario("A6a a manifest needs a scope that we have")
            .tokens(LIFE)
            .fault(on("PUT", "/manifests/").answer(Answer::status(401).with(
                "WWW-Authenticate",
                format!("{bearer},error=\"insufficient_scope\""),
            ))),
        scenario("A7a a wrong password, shown to a token service once")
            .tokens(LIFE)
            .login(Some("me:wrong-secret"))
            .fails(|error| matches!(error, RegistryError::LoginRefused { .. }))
            .then(|stage| counted(stage, "GET", "/token", 1)),
        scenario("A7b a wrong password, shown to a registry once")
            .with(|settings| settings.guard = Guard::Basic)
            .login(Some("me:wrong-secret"))
            .fails(|error| matches!(error, RegistryError::LoginRefused { .. }))
            .then(|stage| counted(stage, "HEAD", "", 1)),
        scenario("A7c no password")
            .with(|settings| settings.guard = Guard::Basic)
            .login(None)
            .fails(|error| matches!(error, RegistryError::Unauthorized { user: None, .. })),
    ]);
}
