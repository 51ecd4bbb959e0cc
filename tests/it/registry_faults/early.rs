//! Before the first compile, and at an early end: what is asked, what is left open.

use std::thread;
use std::time::{Duration, Instant};

use cargo_lighter::hint::Hint as _;
use cargo_lighter::process::{Interrupt, Signal};
use cargo_lighter::registry::Options;

use super::requests::{expected, kinds, with_an_image, with_tokens};
use super::stage::Stage;
use crate::fault_registry::{Act, Answer, Exchange, Guard, Scopes, Settings, on};

const UPLOADS: &str = "/blobs/uploads/";

#[test]
fn an_early_look_at_a_new_repository_opens_the_upload_that_carries_the_first_blob() {
    let stage = with_tokens();
    let image = stage.image(1);
    let client = stage.client();
    client.prepare("orders", "v1").expect("it can be pushed to");
    let early = expected(&[
        ("GET ping", 1),
        ("GET token", 1),
        ("HEAD tag", 1),
        ("POST upload", 1),
    ]);
    assert_eq!(kinds(&stage.server.log()), early);
    client.push("orders", &image, &["v1"]).expect("pushed");
    assert!(stage.has("orders", &image, "v1"));
    drop(client);
    // As many as without the early look, and nothing is left open.
    let log = kinds(&stage.server.log());
    for (kind, count) in [
        ("GET ping", 1),
        ("GET token", 1),
        ("POST upload", 3),
        ("PUT upload", 3),
    ] {
        assert!(log.contains(&(kind.to_owned(), count)), "{kind}: {log:?}");
    }
    assert!(
        !log.iter().any(|(kind, _)| kind.starts_with("DELETE")),
        "{log:?}"
    );
}

#[test]
fn an_early_look_at_an_image_that_is_there_is_the_only_one() {
    let (stage, image) = with_an_image();
    let client = stage.client();
    client.prepare("orders", "v1").expect("it can be pushed to");
    client.push("orders", &image, &["v1"]).expect("pushed");
    drop(client);
    let expected = expected(&[("GET ping", 1), ("GET token", 1), ("HEAD tag", 1)]);
    assert_eq!(kinds(&stage.server.log()), expected);
}

#[test]
fn an_early_look_is_not_believed_after_a_long_compile() {
    let (stage, image) = with_an_image();
    let client = stage.client();
    client.prepare("orders", "v1").expect("it can be pushed to");
    stage.clock.advance(Duration::from_secs(61));
    let gone = stage.server.manifest("shop/orders", "v1");
    assert!(gone.is_some());
    stage
        .server
        .add(on("HEAD", "/manifests/").always().status(404));
    client.push("orders", &image, &["v1"]).ok();
    let log = kinds(&stage.server.log());
    assert!(log.contains(&("PUT manifest".to_owned(), 1)), "{log:?}");
}

#[test]
fn a_token_that_says_it_may_not_push_is_told_before_the_compile() {
    let settings = Settings {
        guard: Guard::Bearer {
            seconds: 300,
            scopes: Scopes::OnlyPull,
        },
        ..Settings::default()
    };
    let stage = Stage::new(settings, Some("me:secret"));
    let digest = format!("sha256:{}", "0".repeat(64));
    let there = Answer::status(200).with("Docker-Content-Digest", digest);
    stage.server.add(on("HEAD", "/manifests/").answer(there));
    let error = stage.client().prepare("orders", "v1");
    let error = error.expect_err("no right");
    let told = cargo_lighter::report::with_causes(&error).join(": ");
    assert!(told.contains("grants no right to push"), "{told}");
    assert!(error.hint().is_some_and(|hint| hint.contains("may push")));
    let log = kinds(&stage.server.log());
    assert!(
        log.iter().all(|(kind, _)| !kind.contains("upload")),
        "{log:?}"
    );
}

#[test]
fn an_early_upload_that_nothing_needed_is_closed() {
    let stage = with_tokens();
    let client = stage.client();
    client.prepare("orders", "v1").expect("it can be pushed to");
    drop(client);
    let log = kinds(&stage.server.log());
    assert!(log.contains(&("DELETE upload".to_owned(), 1)), "{log:?}");
}

#[test]
fn an_early_upload_that_ended_before_it_was_needed_is_replaced() {
    let stage = with_tokens();
    let image = stage.image(1);
    let client = stage.client();
    client.prepare("orders", "v1").expect("it can be pushed to");
    stage.server.add(on("PUT", UPLOADS).act(Act::LoseSessions));
    client.push("orders", &image, &["v1"]).expect("pushed");
    assert!(stage.has("orders", &image, "v1"));
}

#[test]
fn an_interrupted_push_closes_its_uploads_and_ends_within_two_seconds() {
    let stage = with_tokens();
    let image = stage.image(1);
    let interrupt = Interrupt::new();
    let client = stage.client_of(stage.options(true), &interrupt);
    stage
        .server
        .add(on("PUT", UPLOADS).always().act(Act::Silence));
    let (error, took) = thread::scope(|scope| {
        let pushing = scope.spawn(|| {
            let error = client
                .push("orders", &image, &["v1"])
                .expect_err("interrupted");
            (error, Instant::now())
        });
        let uploading = |log: &[(String, usize)]| log.iter().any(|(kind, _)| kind == "PUT upload");
        while !uploading(&kinds(&stage.server.log())) {
            thread::yield_now();
        }
        interrupt.send(Signal::Interrupt);
        let raised = Instant::now();
        let (error, ended) = pushing.join().expect("no panic");
        (error, ended.duration_since(raised))
    });
    assert!(error.to_string().contains("interrupted"), "{error}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    let log = kinds(&stage.server.log());
    let closed = log.iter().find(|(kind, _)| kind == "DELETE upload");
    assert!(closed.is_some_and(|(_, count)| *count >= 1), "{log:?}");
}

#[test]
fn a_budget_that_is_used_up_ends_waits_and_is_named() {
    let stage = with_tokens();
    let image = stage.image(1);
    let options = Options {
        budget: Some(Duration::from_secs(30)),
        ..stage.options(true)
    };
    let client = stage.client_of(options, &Interrupt::new());
    stage
        .server
        .add(on("PUT", "/manifests/").always().act(Act::Silence));
    let error = thread::scope(|scope| {
        let pushing = scope.spawn(|| client.push("orders", &image, &["v1"]));
        let waiting = |log: &[(String, usize)]| log.iter().any(|(kind, _)| kind == "PUT manifest");
        while !waiting(&kinds(&stage.server.log())) {
            thread::yield_now();
        }
        stage.clock.advance(Duration::from_secs(31));
        pushing.join().expect("no panic").expect_err("out of time")
    });
    assert!(error.to_string().contains("30 s"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("--timeout")));
}

/// Its answer comes when nobody waits for it any more.
#[test]
fn an_upload_that_is_being_opened_at_an_interrupt_is_closed() {
    let stage = Stage::new(Settings::default(), None);
    let image = stage.image(1);
    let late = Act::Late(Duration::from_millis(300));
    stage.server.add(on("POST", UPLOADS).always().act(late));
    let interrupt = Interrupt::new();
    let client = stage.client_of(stage.options(true), &interrupt);
    let pushed = thread::scope(|scope| {
        let pushing = scope.spawn(|| client.push("orders", &image, &["v1"]));
        stage.server.wait_for("POST", UPLOADS);
        interrupt.send(Signal::Interrupt);
        pushing.join().expect("no panic")
    });
    pushed.expect_err("interrupted");
    assert_eq!(stage.server.open_uploads(), 0);
}

#[test]
fn an_upload_that_a_registry_opened_instead_of_taking_a_layer_over_is_closed_at_an_interrupt() {
    let settings = Settings {
        mounts: false,
        ..Settings::default()
    };
    let stage = Stage::new(settings, None);
    let interrupt = Interrupt::new();
    let client = stage.client_of(stage.options(true), &interrupt);
    client.expect(&["users", "orders"]);
    let pushed = client.push("users", &stage.image(1), &["v1"]);
    pushed.expect("pushed");
    stage.server.forget();
    stage
        .server
        .add(on("PUT", UPLOADS).always().act(Act::Silence));
    let image = stage.image(2);
    let common = image.layers[0].0.digest.hex();
    let pushed = thread::scope(|scope| {
        let pushing = scope.spawn(|| client.push("orders", &image, &["v1"]));
        let sent = |seen: &Exchange| seen.method == "PUT" && seen.query.contains(&common);
        while !stage.server.log().iter().any(sent) {
            thread::yield_now();
        }
        interrupt.send(Signal::Interrupt);
        pushing.join().expect("no panic")
    });
    pushed.expect_err("interrupted");
    let log = stage.server.log();
    let mounts = log.iter().filter(|seen| seen.query.contains("mount="));
    assert_eq!(
        mounts.map(|seen| seen.status).collect::<Vec<_>>(),
        [Some(202)]
    );
    assert_eq!(stage.server.open_uploads(), 0);
}
