//! What goes wrong on the way.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::fake::Fake;
use super::server::{Answer, Received, Server};
use super::stage::{Stage, repository, tag};
use crate::hint::Hint as _;
use crate::oci::media_type::MANIFEST;
use crate::process::Signal;
use crate::registry::{Options, Registry, RegistryError};
use crate::report::Clock;

/// A registry whose first `times` answers to requests that `matches` finds are `fault`.
fn failing(
    times: usize,
    matches: impl Fn(&Received) -> bool + Send + Sync + 'static,
    fault: Answer,
) -> (Arc<Fake>, Server) {
    let fake = Arc::new(Fake::default());
    let (inner, seen) = (Arc::clone(&fake), AtomicUsize::new(0));
    let server = Server::start(move |request| {
        if matches(request) && seen.fetch_add(1, Ordering::SeqCst) < times {
            fault.clone()
        } else {
            inner.answer(request)
        }
    });
    (fake, server)
}

fn push_all(server: &Server) -> Result<(), RegistryError> {
    let stage = Stage::anonymous();
    let (registry, repository) = (stage.registry(), repository(&server.host()));
    let (blob, path) = stage.blob(&vec![1; 300_000]);
    registry.check_push(&repository)?;
    registry.push_blob(&repository, &blob, &path)?;
    registry.push_manifest(&repository, &tag("v1"), MANIFEST, b"{}")?;
    Ok(())
}

#[test]
fn a_busy_registry_is_asked_again_when_it_says() {
    let busy = |status| {
        Answer::status(status)
            .with("Retry-After", "0")
            .body("<html>")
    };
    for part in [
        "GET /v2/",
        "HEAD /v2/shop",
        "POST /v2/shop",
        "PUT /v2/shop/orders/blobs",
    ] {
        for status in [429, 500, 503] {
            let matches = move |request: &Received| {
                format!("{} {}", request.method, request.path()).starts_with(part)
            };
            let (fake, server) = failing(3, matches, busy(status));
            push_all(&server).unwrap_or_else(|error| panic!("{part} {status}: {error}"));
            assert_eq!(fake.blobs(), [vec![1; 300_000]]);
        }
    }
    let (_, server) = failing(
        3,
        |request| request.path().contains("/manifests/"),
        busy(502),
    );
    push_all(&server).expect("pushed");
}

#[test]
fn patience_has_an_end() {
    let always = Answer::status(503).with("Retry-After", "0");
    let (_, server) = failing(100, |request| request.method == "POST", always);
    let error = push_all(&server).expect_err("always busy");
    assert!(
        matches!(error, RegistryError::Busy { status: 503, .. }),
        "{error}"
    );
    assert_eq!(server.count("POST", ""), 6);
    let long = Answer::status(429).with("Retry-After", "21600");
    let (_, server) = failing(100, |request| request.method == "POST", long);
    let error = push_all(&server).expect_err("always busy");
    assert!(
        error.to_string().ends_with("it asks to wait 21600 s"),
        "{error}"
    );
    assert_eq!(server.count("POST", ""), 1);
}

#[test]
fn a_broken_connection_is_made_again() {
    let (fake, server) = failing(1, |request| request.method == "PUT", Answer::Hangup);
    push_all(&server).expect("pushed");
    assert_eq!(fake.blobs().len(), 1);
    assert_eq!(
        server.count("POST", ""),
        3,
        "the preflight's session, and two of the push"
    );
}

#[test]
fn a_commit_whose_answer_was_lost_is_found() {
    let fake = Arc::new(Fake::default());
    let server = {
        let fake = Arc::clone(&fake);
        Server::start(move |request| {
            let answer = fake.answer(request);
            let commit = request.method == "PUT" && request.path().contains("/blobs/");
            if commit { Answer::Hangup } else { answer }
        })
    };
    push_all(&server).expect("pushed");
    assert_eq!(server.count("PUT", "/blobs/"), 1);
}

#[test]
fn a_lost_session_is_opened_again() {
    let lost = Answer::status(404).body(r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#);
    let (fake, server) = failing(1, |request| request.method == "PUT", lost);
    push_all(&server).expect("pushed");
    assert_eq!(fake.blobs().len(), 1);
}

#[test]
fn a_silent_registry_is_given_up() {
    // A look: the root, then three attempts. A commit: root, look, session, commit, look, the second
    // session and commit. A busy machine may time out more often, never less,
    // so what the client sent is counted, not what the server had time to read.
    for (method, action, attempts) in [("HEAD", "look for", 4), ("PUT", "upload", 7)] {
        let (_, server) = failing(
            usize::MAX,
            move |request| request.method == method,
            Answer::Silence,
        );
        let stage = Stage::anonymous();
        let (blob, path) = stage.blob(b"content");
        let registry = stage.impatient_registry();
        let error = registry
            .push_blob(&repository(&server.host()), &blob, &path)
            .expect_err("silence");
        let RegistryError::TimedOut { attempt, .. } = error else {
            panic!("a time limit expected: {error}");
        };
        assert!(attempt.action.starts_with(action), "{attempt}");
        assert!(registry.requests() >= attempts, "{}", registry.requests());
    }
}

#[test]
fn floods_are_cut() {
    let challenge = |request: &Received| {
        let realm = format!("http://{}/token", request.header("host").expect("a host"));
        let value = format!(r#"Bearer realm="{realm}""#);
        Answer::status(401).with("WWW-Authenticate", value)
    };
    let token = Server::start(move |request| match request.path() {
        "/token" => Answer::Flood(200),
        _ => challenge(request),
    });
    let error = push_all(&token).expect_err("a flood");
    assert!(
        error.to_string().contains("more than 65536 bytes"),
        "{error}"
    );
    let (_, refusal) = failing(1, |request| request.method == "POST", Answer::Flood(400));
    let error = push_all(&refusal).expect_err("a flood");
    assert!(error.to_string().len() < 2000, "{error}");
    let (_, manifest) = failing(
        9,
        |request| request.path().contains("v1"),
        Answer::Flood(200),
    );
    let stage = Stage::anonymous();
    let found = stage
        .registry()
        .manifest_exists(&repository(&manifest.host()), &tag("v1"));
    assert!(
        matches!(found, Err(RegistryError::Protocol { .. })),
        "{found:?}"
    );
    for server in [token, refusal, manifest] {
        assert!(server.flooded() < 100_000_000, "{}", server.flooded());
    }
}

#[test]
fn nobody_listening_is_said_soon() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let host = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let stage = Stage::anonymous();
    let registry = stage.registry();
    let error = registry.check_push(&repository(&host)).expect_err("nobody");
    assert_eq!(error.to_string(), format!("cannot reach registry `{host}`"));
    let cause = std::error::Error::source(&error)
        .expect("a cause")
        .to_string();
    assert!(cause.starts_with("Connection refused"), "{cause}");
    assert!(error.hint().expect("a hint").contains(&host));
    assert_eq!(registry.requests(), 3);
}

#[test]
fn a_tls_server_on_this_machine_is_recognised() {
    let alert = Answer::Raw(vec![0x15, 3, 1, 0, 2, 2, 70]);
    let words = Answer::status(400).body("Client sent an HTTP request to an HTTPS server.\n");
    // Garbage may come from a broken connection; words do not.
    for (answer, requests) in [(alert, 3), (words, 1)] {
        let server = Server::start(move |_| answer.clone());
        let error = push_all(&server).expect_err("https");
        assert!(matches!(error, RegistryError::NotPlain { .. }), "{error:?}");
        assert_eq!(server.received().len(), requests);
    }
}

#[test]
fn garbage_from_a_registry_that_answered_before_is_a_broken_connection() {
    let garbage = Answer::Raw(b"no http at all\r\n\r\n".to_vec());
    let (fake, server) = failing(1, |request| request.method == "HEAD", garbage);
    push_all(&server).expect("pushed");
    assert_eq!(fake.blobs().len(), 1);
}

#[test]
fn an_interrupt_ends_a_wait() {
    let stage = Stage::anonymous();
    let interrupt = stage.interrupt.clone();
    let server = Server::start(move |_| {
        interrupt.send(Signal::Interrupt);
        Answer::Silence
    });
    let started = Instant::now();
    let error = stage
        .registry()
        .check_push(&repository(&server.host()))
        .expect_err("interrupted");
    assert!(matches!(error, RegistryError::Interrupted));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn an_interrupt_ends_the_wait_that_a_registry_asks_for() {
    let stage = Stage::anonymous();
    let interrupt = stage.interrupt.clone();
    let server = Server::start(move |_| {
        interrupt.send(Signal::Interrupt);
        Answer::status(429).with("Retry-After", "100")
    });
    let (clock, options) = (Clock::monotonic(), Options::default());
    let registry = Registry::with(&stage.environment, clock, &stage.interrupt, options);
    let started = Instant::now();
    let error = registry
        .expect("a client")
        .check_push(&repository(&server.host()))
        .expect_err("interrupted");
    assert!(matches!(error, RegistryError::Interrupted));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_success_whose_body_drips_holds_nobody_up() {
    let fake = Fake::default();
    let server = Server::start(move |request| {
        let Answer::Reply { status: 202, .. } = fake.answer(request) else {
            return fake.answer(request);
        };
        let head = "HTTP/1.1 202 X\r\nLocation: session-1?_state=a%2Bb%3D\r\nContent-Length: 1000";
        Answer::Holding(format!("{head}\r\n\r\nx").into_bytes())
    });
    let started = Instant::now();
    push_all(&server).expect("pushed");
    assert!(started.elapsed() < Duration::from_secs(9));
}

/// Whoever is asked to go on again and again keeps the threads that read busy, and our clock with them.
#[test]
fn an_interrupt_ends_an_answer_that_never_comes_to_its_point() {
    let server = Server::start(|_| Answer::Endless(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()));
    let stage = Stage::anonymous();
    let registry = stage.registry();
    let interrupted = std::thread::scope(|scope| {
        let told = scope.spawn(|| {
            while server.flooded() < 1_000_000 {
                std::thread::yield_now();
            }
            stage.interrupt.send(Signal::Interrupt);
            Instant::now()
        });
        let error = registry
            .check_push(&repository(&server.host()))
            .expect_err("interrupted");
        assert!(matches!(error, RegistryError::Interrupted), "{error}");
        told.join().expect("no panic")
    });
    drop(registry);
    assert!(interrupted.elapsed() < Duration::from_secs(4));
}

#[test]
fn what_is_no_http_is_not_said_to_serve_tls_unless_it_says_so() {
    let hint = |answer: Answer| {
        let server = Server::start(move |_| answer.clone());
        let stage = Stage::anonymous();
        let error = stage
            .registry()
            .check_push(&repository(&server.host()))
            .expect_err("no HTTP");
        let text = format!("{error}: {}", error.hint().unwrap_or_default());
        text.replace(&server.host(), "HOST")
    };
    let ssh = hint(Answer::Raw(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()));
    assert!(ssh.contains("check the port of `HOST`"), "{ssh}");
    let tls = hint(Answer::status(400).body("Client sent an HTTP request to an HTTPS server."));
    assert!(
        tls.contains("`HOST` is used over plain http, and serves TLS"),
        "{tls}"
    );
    let large = format!("HTTP/1.1 200 X\r\nX: {}\r\n\r\n", "x".repeat(1_000_000));
    let large = hint(Answer::Raw(large.into_bytes()));
    assert!(large.contains("head of the answer is too large"), "{large}");
}
