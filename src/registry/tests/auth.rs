//! Who gets to see which credential.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use super::fake::Fake;
use super::server::{Answer, Received, Server};
use super::stage::{Stage, repository, tag};
use crate::hint::Hint as _;
use crate::oci::media_type::MANIFEST;
use crate::reference::Repository;
use crate::registry::{CredentialSource, RegistryError, credential_source};

const BASIC_ME: &str = "Basic bWU6c2VjcmV0";
const TOKEN_TARGET: &str =
    "/token?service=fake&scope=repository%3Ashop%2Forders%3Apull%2Cpush&account=me";

/// Answers 401 with a challenge for the token service `/token` of the same server.
fn challenge(request: &Received) -> Answer {
    let host = request.header("host").expect("a host");
    let value = format!(r#"Bearer realm="http://{host}/token",service="fake""#);
    Answer::status(401).with("WWW-Authenticate", value)
}

/// A registry with a token service on the same origin; tokens are numbered, and only the newest is
/// good.
fn bearer_server(fake: &Arc<Fake>, token_answer: fn(&Received, usize) -> Answer) -> Server {
    let (fake, issued) = (Arc::clone(fake), AtomicUsize::new(0));
    Server::start(move |request| {
        if request.path() == "/token" {
            let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
            return token_answer(request, number);
        }
        let good = format!("Bearer t{}", issued.load(Ordering::SeqCst));
        if request.authorization() == Some(&good) {
            fake.answer(request)
        } else {
            challenge(request)
        }
    })
}

fn token(request: &Received, number: usize) -> Answer {
    if request.authorization() == Some(BASIC_ME) {
        Answer::status(200).body(format!(r#"{{"token":"t{number}","expires_in":300}}"#))
    } else {
        Answer::status(401).body(r#"{"details":"incorrect username or password"}"#)
    }
}

#[test]
fn a_token_is_fetched_once_for_everything_a_push_does() {
    let fake = Arc::new(Fake::default());
    let server = bearer_server(&fake, token);
    let stage = Stage::with_login(&server.host());
    let (registry, repository) = (stage.registry(), repository(&server.host()));
    registry.check_push(&repository).expect("a push can work");
    thread::scope(|scope| {
        for number in 0..8_u8 {
            let (stage, registry, repository) = (&stage, &registry, &repository);
            scope.spawn(move || {
                let (blob, path) = stage.blob(&[number; 1000]);
                registry
                    .push_blob(repository, &blob, &path)
                    .expect("pushed");
            });
        }
    });
    let put = registry.push_manifest(&repository, &tag("v1"), MANIFEST, b"{}");
    // Put, and looked for.
    assert_eq!(put.expect("put").requests, 2);
    assert_eq!(fake.blobs().len(), 8);
    let asked: Vec<String> = server
        .received()
        .into_iter()
        .filter(|request| matches!(request.path(), "/v2/" | "/token"))
        .map(|request| request.target)
        .collect();
    assert_eq!(asked, ["/v2/", TOKEN_TARGET]);
    assert_eq!(registry.requests(), server.received().len() as u64);
}

#[test]
fn the_password_goes_to_the_token_service_and_nowhere_else() {
    let fake = Arc::new(Fake::default());
    let server = bearer_server(&fake, token);
    let stage = Stage::with_login(&server.host());
    stage
        .registry()
        .check_push(&repository(&server.host()))
        .expect("fine");
    for request in server.received() {
        let showed = request
            .authorization()
            .is_some_and(|value| value.starts_with("Basic"));
        assert_eq!(showed, request.path() == "/token", "{}", request.target);
    }
}

#[test]
fn a_token_is_renewed_by_the_clock() {
    let fake = Arc::new(Fake::default());
    let server = bearer_server(&fake, token);
    let stage = Stage::with_login(&server.host());
    let (registry, repository) = (stage.registry(), repository(&server.host()));
    let ask = || registry.manifest_exists(&repository, &tag("v1"));
    assert_eq!(ask().expect("asked").digest, None);
    stage.pass(200);
    assert_eq!(ask().expect("asked").digest, None);
    assert_eq!(server.count("GET", "/token"), 1);
    stage.pass(200);
    assert_eq!(ask().expect("asked").digest, None);
    assert_eq!(server.count("GET", "/token"), 2);
}

#[test]
fn a_rejected_token_is_replaced_once_and_the_body_sent_again() {
    let fake = Arc::new(Fake::default());
    let rejected = AtomicUsize::new(0);
    let server = {
        let (fake, issued) = (Arc::clone(&fake), AtomicUsize::new(0));
        Server::start(move |request| match request.authorization() {
            _ if request.path() == "/token" => {
                token(request, issued.fetch_add(1, Ordering::SeqCst) + 1)
            }
            None => challenge(request),
            Some("Bearer t1") if request.method == "PUT" => {
                rejected.fetch_add(1, Ordering::SeqCst);
                challenge(request)
            }
            Some(_) => fake.answer(request),
        })
    };
    let stage = Stage::with_login(&server.host());
    let (blob, path) = stage.blob(&vec![7; 700_000]);
    let registry = stage.registry();
    let outcome = registry.push_blob(&repository(&server.host()), &blob, &path);
    assert_eq!(outcome.expect("pushed").uploaded_bytes(), 700_000);
    assert_eq!(fake.blobs(), [vec![7; 700_000]]);
    assert_eq!(server.count("GET", "/token"), 2);
    assert_eq!(server.count("PUT", "/blobs/"), 2);
    assert_eq!(server.count("POST", "/blobs/"), 1);
}

#[test]
fn a_token_that_never_works_ends_in_an_error_that_names_the_user() {
    let server = Server::start(|request| match request.path() {
        "/token" => token(request, 1),
        _ => challenge(request).body(r#"{"errors":[{"code":"UNAUTHORIZED","message":"no t1"}]}"#),
    });
    let stage = Stage::with_login(&server.host());
    let error = stage
        .registry()
        .check_push(&repository(&server.host()))
        .expect_err("refused");
    let text = error.to_string();
    let expected = format!(
        "cannot open an upload in `{}/shop/orders` as `me`",
        server.host()
    );
    assert!(text.starts_with(&expected), "{text}");
    assert!(text.ends_with("status 401 (UNAUTHORIZED: no …)"), "{text}");
    assert_eq!(server.count("GET", "/token"), 2);
}

#[test]
fn basic_goes_with_every_request() {
    let fake = Arc::new(Fake::default());
    let server = {
        let fake = Arc::clone(&fake);
        Server::start(move |request| match request.authorization() {
            Some(BASIC_ME) => fake.answer(request),
            _ => Answer::status(401).with("WWW-Authenticate", "Basic realm=\"fake\""),
        })
    };
    let stage = Stage::with_login(&server.host());
    let (blob, path) = stage.blob(b"content");
    let outcome = stage
        .registry()
        .push_blob(&repository(&server.host()), &blob, &path)
        .expect("pushed");
    assert_eq!((outcome.uploaded_bytes(), outcome.requests()), (7, 5));
    let anonymous = Stage::anonymous();
    let error = anonymous
        .registry()
        .check_push(&repository(&server.host()))
        .expect_err("refused");
    assert!(
        matches!(error, RegistryError::Unauthorized { user: None, .. }),
        "{error}"
    );
    let hint = error.hint().expect("a hint");
    let command = format!("`cargo lighter login {} ", server.host());
    assert!(hint.contains(&command), "{hint}");
}

fn assert_login_refused_once(server: &Server, stage: &Stage) {
    let registry = stage.registry();
    let repository = repository(&server.host());
    let first = registry.check_push(&repository).expect_err("refused");
    let second = registry.check_push(&repository).expect_err("refused");
    let shown = server
        .received()
        .iter()
        .filter(|request| request.authorization().is_some())
        .count();
    assert_eq!(shown, 1, "a wrong password is shown once in a run");
    for error in [first, second] {
        let text = format!("{error} {error:?}");
        assert!(
            matches!(error, RegistryError::LoginRefused { .. }),
            "{text}"
        );
        for part in [
            server.host(),
            "`me`".to_owned(),
            stage.config().display().to_string(),
        ] {
            assert!(text.contains(&part), "{text}");
        }
        for secret in ["secret", "bWU6c2VjcmV0"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn a_wrong_password_is_shown_to_a_token_service_once() {
    let server = Server::start(|request| match request.path() {
        "/token" => Answer::status(401).body(r#"{"details":"me:secret bWU6c2VjcmV0 is wrong"}"#),
        _ => challenge(request),
    });
    assert_login_refused_once(&server, &Stage::with_login(&server.host()));
}

#[test]
fn a_wrong_password_is_shown_to_a_registry_once() {
    let server = Server::start(|_| {
        Answer::status(401)
            .with("WWW-Authenticate", "Basic realm=x")
            .body("secret is wrong")
    });
    assert_login_refused_once(&server, &Stage::with_login(&server.host()));
}

#[test]
fn a_401_for_one_repository_does_not_spoil_the_registry() {
    let fake = Arc::new(Fake::default());
    let server = Server::start(move |request| {
        let good = request.authorization() == Some(BASIC_ME);
        if good && !request.path().contains("/forbidden/") {
            fake.answer(request)
        } else {
            Answer::status(401).with("WWW-Authenticate", "Basic realm=x")
        }
    });
    let stage = Stage::with_login(&server.host());
    let (registry, allowed) = (stage.registry(), repository(&server.host()));
    let forbidden = format!("{}/forbidden/x", server.host());
    let forbidden = Repository::parse(&forbidden).expect("legal");
    registry.check_push(&allowed).expect("allowed");
    let error = registry.check_push(&forbidden).expect_err("forbidden");
    assert!(
        matches!(error, RegistryError::Unauthorized { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("forbidden/x"), "{error}");
    registry.check_push(&allowed).expect("still allowed");
}

#[test]
fn an_identity_token_is_exchanged_by_post() {
    let fake = Arc::new(Fake::default());
    let server = bearer_server(&fake, |request, number| {
        let form = "service=fake&scope=repository%3Ashop%2Forders%3Apull%2Cpush\
                    &grant_type=refresh_token&client_id=cargo-lighter&refresh_token=long%2Flived";
        let right = request.method == "POST"
            && request.body == form.as_bytes()
            && request.authorization().is_none();
        if right {
            Answer::status(200).body(format!(r#"{{"access_token":"t{number}"}}"#))
        } else {
            Answer::status(400)
        }
    });
    let config = format!(
        r#"{{"auths":{{"{}":{{"identitytoken":"long/lived"}}}}}}"#,
        server.host()
    );
    let stage = Stage::with_config(&config);
    stage
        .registry()
        .check_push(&repository(&server.host()))
        .expect("taken");
}

#[test]
fn a_hostile_realm_gets_no_request() {
    let evil = Server::start(|_| Answer::status(200).body(r#"{"token":"t1"}"#));
    let port = evil.host().rsplit(':').next().expect("a port").to_owned();
    let realms = [
        evil.url("/token"),
        format!("http://localhost:{port}/token"),
        format!("http://localhost.:{port}/token"),
        format!("http://0.0.0.0:{port}/token"),
        format!("http://[::ffff:127.0.0.1]:{port}/token"),
        format!("http://2130706433:{port}/token"),
        format!("https://127.0.0.1:{port}/token"),
        format!("http://HOST@127.0.0.1:{port}/token"),
        "http://user:password@HOST/token".to_owned(),
        "https://169.254.169.254/token".to_owned(),
        "http://auth.example/token".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://HOST/".to_owned(),
        "not an url".to_owned(),
        String::new(),
    ];
    for realm in realms {
        let scripted = realm.clone();
        let server = Server::start(move |request| {
            let host = request.header("host").expect("a host");
            let value = format!(r#"Bearer realm="{}""#, scripted.replace("HOST", host));
            Answer::status(401).with("WWW-Authenticate", value)
        });
        let stage = Stage::with_login(&server.host());
        let error = stage
            .registry()
            .check_push(&repository(&server.host()))
            .expect_err("refused");
        assert!(
            matches!(error, RegistryError::BadTokenService { .. }),
            "{realm}: {error}"
        );
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("realm") || hint.contains("LIGHTER_"))
        );
        assert_eq!(server.received().len(), 1, "{realm}");
        assert!(evil.received().is_empty(), "{realm}");
    }
}

#[test]
fn a_token_service_is_not_followed_elsewhere() {
    let evil = Server::start(|_| Answer::status(200).body(r#"{"token":"t1"}"#));
    let target = evil.url("/token");
    let server = Server::start(move |request| match request.path() {
        "/token" => Answer::status(307).with("Location", target.clone()),
        _ => challenge(request),
    });
    let stage = Stage::with_login(&server.host());
    let error = stage
        .registry()
        .check_push(&repository(&server.host()))
        .expect_err("refused");
    assert!(
        matches!(error, RegistryError::Refused { status: 307, .. }),
        "{error}"
    );
    assert!(evil.received().is_empty());
}

#[test]
fn a_token_service_that_is_not_there_is_no_missing_repository() {
    let server = bearer_server(&Arc::default(), |_, _| Answer::status(404));
    let host = server.host();
    let stage = Stage::anonymous();
    let error = stage
        .registry()
        .check_push(&repository(&host))
        .expect_err("no token");
    assert_eq!(
        error.to_string(),
        format!(
            "cannot get a token from `http://{host}/token` for `{host}/shop/orders`: status 404"
        )
    );
    let hint = error.hint().expect("a hint");
    assert!(hint.contains("`realm`") && hint.contains(&host), "{hint}");
    assert!(!hint.contains("shop/orders"), "{hint}");
}

#[test]
fn a_silent_token_service_is_named() {
    let server = bearer_server(&Arc::default(), |_, _| Answer::Silence);
    let host = server.host();
    let stage = Stage::anonymous();
    let error = stage
        .impatient_registry()
        .check_push(&repository(&host))
        .expect_err("no token");
    let RegistryError::TimedOut { attempt, .. } = &error else {
        panic!("a time limit expected: {error}");
    };
    assert_eq!(attempt.token_service, Some(format!("http://{host}/token")));
    let start = format!("cannot get a token from `http://{host}/token` for `{host}/shop/orders`: ");
    assert!(error.to_string().starts_with(&start), "{error}");
    let hint = error.hint().expect("a hint");
    let reach = format!("check that `{host}` can be reached from here");
    assert!(hint.starts_with(&reach), "{hint}");
    assert!(hint.contains("token service"), "{hint}");
}

#[test]
fn another_origin_gets_neither_the_token_nor_an_answer_to_its_challenge() {
    let fake = Arc::new(Fake::default());
    let store = Server::start(|request| challenge(request).body("who are you"));
    let session = store.url("/session?_state=a%2Bb%3D");
    let server = {
        let (fake, issued) = (Arc::clone(&fake), OnceLock::new());
        Server::start(move |request| match request.authorization() {
            _ if request.path() == "/token" => {
                issued.set(()).expect("one token");
                token(request, 1)
            }
            None => challenge(request),
            Some(_) if request.method == "POST" => {
                Answer::status(202).with("Location", session.clone())
            }
            Some(_) => fake.answer(request),
        })
    };
    let stage = Stage::with_login(&server.host());
    let (blob, path) = stage.blob(b"content");
    let error = stage
        .registry()
        .push_blob(&repository(&server.host()), &blob, &path)
        .expect_err("refused");
    let RegistryError::Elsewhere { source, host, .. } = &error else {
        panic!("the other host is to be named: {error}");
    };
    assert!(matches!(**source, RegistryError::Unauthorized { .. }));
    assert_eq!(*host, store.host());
    let seen = store.received();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].authorization(), None);
    assert_eq!(server.count("GET", "/token"), 1);
}

#[test]
fn helpers_are_asked_for_the_exact_registry() {
    let stage = Stage::with_config(
        r#"{"credHelpers":{"ghcr.io":"own"},"credsStore":"general","auths":{"quay.io":{"auth":"bWU6c2VjcmV0"}}}"#,
    );
    stage.helper(
        "own",
        r#"read server; echo "{\"Username\":\"$1-$server\",\"Secret\":\"s\"}""#,
    );
    stage.helper(
        "general",
        "echo credentials not found in native keychain; exit 1",
    );
    let look = |registry| {
        credential_source(&stage.environment, registry, &stage.interrupt).expect("looked up")
    };
    let (credential, source) = look("ghcr.io").expect("a credential");
    assert_eq!(credential.user(), "get-ghcr.io");
    assert_eq!(
        source,
        CredentialSource::Helper("docker-credential-own".to_owned())
    );
    // As docker has it, the file's own entries do not count where a store is configured.
    assert_eq!(look("quay.io"), None);
}

#[test]
fn a_helper_that_fails_with_a_credential_is_not_quoted() {
    for answer in [
        r#"{"Username":"me","Secret":"hunter2"}"#,
        r#"warning {"Secret":"hunter2"}"#,
        r#""hunter2""#,
        // In plain words, too.
        "cannot unlock with hunter2",
    ] {
        let stage = Stage::with_config(r#"{"credsStore":"bad"}"#);
        stage.helper("bad", &format!("echo '{answer}'; exit 1"));
        let error =
            credential_source(&stage.environment, "ghcr.io", &stage.interrupt).expect_err("failed");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn the_words_of_a_helper_are_for_those_who_ask_for_detail() {
    let stage = Stage::with_config(r#"{"credsStore":"bad"}"#);
    stage.helper("bad", "echo keychain is locked; exit 1");
    let registry = stage.registry();
    let error = registry.user(&repository("ghcr.io")).expect_err("it fails");
    assert!(
        !format!("{error} {error:?}").contains("locked"),
        "{error:?}"
    );
    assert!(error.hint().expect("a hint").contains("`-v`"));
    assert_eq!(
        registry.notes(),
        ["`docker-credential-bad` says: keychain is locked"]
    );
}

#[test]
fn detail_tells_which_host_sees_whose_credential_and_nothing_of_it() {
    let fake = Arc::new(Fake::default());
    let server = bearer_server(&fake, token);
    let stage = Stage::with_login(&server.host());
    let registry = stage.registry();
    registry
        .check_push(&repository(&server.host()))
        .expect("taken");
    let (host, config) = (server.host(), stage.config());
    let line = format!(
        "`{host}` is shown the credential of `me` for `{host}`, from `{}`",
        config.display()
    );
    assert_eq!(registry.notes(), [line]);
    assert_eq!(registry.notes(), Vec::<String>::new());
    let scope = registry.scope(&repository(&host)).expect("legal");
    assert_eq!(scope.as_deref(), Some("repository:shop/orders:pull,push"));
}

#[test]
fn a_broken_helper_is_not_taken_for_anonymous() {
    for (script, word) in [
        (
            "echo keychain is locked; exit 1",
            "`docker-credential-bad` failed",
        ),
        ("echo no json", "no legal answer"),
        ("echo '{}'", "no legal answer"),
        (
            "head -c 70000 /dev/zero",
            "cannot ask the credential helper",
        ),
    ] {
        let stage = Stage::with_config(r#"{"credsStore":"bad"}"#);
        stage.helper("bad", script);
        let error =
            credential_source(&stage.environment, "ghcr.io", &stage.interrupt).expect_err("broken");
        assert!(error.to_string().contains(word), "{error}");
    }
    let stage = Stage::with_config(r#"{"credsStore":"missing"}"#);
    let error =
        credential_source(&stage.environment, "ghcr.io", &stage.interrupt).expect_err("missing");
    assert!(
        error
            .hint()
            .expect("a hint")
            .contains("docker-credential-missing")
    );
}

#[test]
fn a_token_service_on_another_port_is_asked_where_the_user_vouches_for_it() {
    let service = Server::start(|request| token(request, 1));
    let realm = service.url("/token");
    let fake = Fake::default();
    let server = Server::start(move |request| {
        if request.authorization() == Some("Bearer t1") {
            return fake.answer(request);
        }
        let value = format!(r#"Bearer realm="{realm}",service="fake""#);
        Answer::status(401).with("WWW-Authenticate", value)
    });
    let mut stage = Stage::with_login(&server.host());
    let check = |stage: &Stage| stage.registry().check_push(&repository(&server.host()));
    let error = check(&stage).expect_err("internal");
    let hint = error.hint().expect("a hint");
    let setting = format!("LIGHTER_TOKEN_SERVICES={}", service.host());
    assert!(hint.contains(&setting), "{hint}");
    assert_eq!(service.received().len(), 0);
    let environment = stage.environment.clone();
    stage.environment = environment.with("LIGHTER_TOKEN_SERVICES", service.host());
    check(&stage).expect("taken");
    assert_eq!(service.received().len(), 1);
}
