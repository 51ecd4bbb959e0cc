//! What a user got wrong, with the program as a process of its own: the error names it, the exit code is that
//! of a failure, and the hint leads on.

use crate::fault_registry::{
    Answer, Echo, Exchange, Fault, FaultRegistry, Guard, Origin, Scopes, Settings, on,
};
use crate::support::cli::{Lighter, Run};
use crate::support::workspace::Checkout;

const TOKENS: Guard = Guard::Bearer {
    seconds: 300,
    scopes: Scopes::All,
};

/// A push of a checkout under the tag `v1`, with a login.
fn push(checkout: &Checkout, server: &FaultRegistry, login: &str) -> Run {
    use base64::Engine as _;
    let host = server.host();
    let pair = base64::engine::general_purpose::STANDARD.encode(login);
    let config = format!(r#"{{"auths":{{"{host}":{{"auth":"{pair}"}}}}}}"#);
    checkout.write("home/config.json", &config);
    checkout.set_mode("home/config.json", 0o600);
    let run = Lighter::at(checkout.path())
        .env("DOCKER_CONFIG", checkout.path().join("home"))
        .args(["push", "-vv", "-t", "v1", "--repo", &format!("{host}/shop")])
        .run_process(":");
    let told = format!("{}{}", run.stdout, run.stderr);
    for secret in ["secret", &pair, "token-sentinel", "_state="] {
        assert!(!told.contains(secret), "{told}");
    }
    run
}

fn start(guard: Guard) -> FaultRegistry {
    FaultRegistry::start(Settings {
        guard,
        echoes: Echo::Request,
        ..Settings::default()
    })
}

/// Requests that showed a password, and what they got.
fn logins(server: &FaultRegistry) -> Vec<Option<u16>> {
    let shows = |exchange: &&Exchange| {
        let shown = exchange.header("authorization").unwrap_or_default();
        exchange.origin == Origin::Registry && shown.starts_with("Basic ")
    };
    let log = server.log();
    log.iter()
        .filter(shows)
        .map(|exchange| exchange.status)
        .collect()
}

#[test]
fn a_wrong_password_is_shown_once_however_many_services_there_are() {
    for guard in [TOKENS, Guard::Basic] {
        let server = start(guard);
        let host = server.host();
        let checkout = Checkout::of_services(&["orders", "users"]);
        let run = push(&checkout, &server, "me:wrong-secret")
            .expect(1)
            .says(&[
                &format!("registry `{host}` refuses the login of `me` from `"),
                "home/config.json`",
                &format!("hint: log in with `cargo lighter login {host} --username USER"),
            ]);
        assert_eq!(logins(&server), [Some(401)], "{guard:?}");
        assert_eq!(run.stdout, "");
        assert!(!checkout.path().join("target").exists());
    }
}

fn refused(fault: Fault) -> Run {
    let server = start(TOKENS);
    server.add(fault);
    let checkout = Checkout::of_services(&["orders"]);
    let run = push(&checkout, &server, "me:secret").expect(1);
    assert_eq!(server.count("PUT", ""), 0);
    assert_eq!(run.stdout, "");
    assert!(!checkout.path().join("target").exists());
    run
}

#[test]
fn who_may_not_push_is_told_before_anything_is_compiled() {
    let denied = || Answer::refusal(403, "DENIED");
    refused(on("POST", "/blobs/uploads/").always().answer(denied())).says(&[
        "shop/orders` as `me` (from `",
        "status 403 (DENIED: denied",
        "hint: check the name `shop/orders` and that `me` may push to it",
    ]);
    // A token service may be the one that knows.
    refused(on("GET", "/token").always().answer(denied())).says(&[
        "as `me` (from `",
        "status 403 (DENIED: denied",
        "hint: ",
    ]);
}

#[test]
fn a_tag_that_does_not_move_names_both_digests_unless_they_are_the_same() {
    let server = FaultRegistry::start(Settings {
        guard: TOKENS,
        immutable_tags: true,
        echoes: Echo::Request,
        ..Settings::default()
    });
    let checkout = Checkout::of_services(&["orders"]);
    let digest_of = |run: &Run| {
        let line = run.stdout.trim_end().to_owned();
        line.rsplit_once('@').expect("a digest").1.to_owned()
    };
    let standing = digest_of(&push(&checkout, &server, "me:secret").expect(0));
    // The registry refuses the tag again, which is no failure; where it is seen to stand, nobody asks.
    server.add(on("HEAD", "/manifests/").times(2).status(404));
    let again = push(&checkout, &server, "me:secret").expect(0);
    assert_eq!(digest_of(&again), standing);
    assert_eq!(server.count("PUT", "/manifests/v1"), 2);
    checkout.write("orders/src/main.rs", "fn main() {}\n");
    let run = push(&checkout, &server, "me:secret").expect(1).says(&[
        &format!("the tag leads to `{standing}` and does not move to `sha256:"),
        "hint: choose another tag (`--tag`), or allow tags of the repository to be moved",
    ]);
    let line = run.stderr.lines().find(|line| line.contains(&standing));
    let line = line.expect("the error's line");
    assert_eq!(line.matches("sha256:").count(), 2, "{line}");
    assert_eq!(run.stdout, "");
    let manifest = server.manifest("shop/orders", "v1").expect("it stands");
    let stands = cargo_lighter::digest::Digest::of(&manifest).to_string();
    assert_eq!(stands, standing);
}
