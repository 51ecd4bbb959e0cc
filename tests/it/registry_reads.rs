//! Reading from registries: as nobody first, whole or not at all, and never more than was announced.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cargo_lighter::digest::Digest;
use cargo_lighter::hint::Hint as _;
use cargo_lighter::oci::{Descriptor, Document, Manifest, media_type};
use cargo_lighter::process::{Environment, Interrupt};
use cargo_lighter::reference::{Repository, Tag};
use cargo_lighter::registry::{Limits, ManifestReference, Options, Registry, RegistryError};
use cargo_lighter::report::{Clock, Meter};
use tempfile::TempDir;

use crate::fault_registry::{
    Act, Anonymous, Answer, Change, Fault, FaultRegistry, Flood, Guard, Origin, Scopes, Settings,
    on,
};

const TOKENS: Guard = Guard::Bearer {
    seconds: 300,
    scopes: Scopes::All,
};
/// What a helper says that knows the password.
const KNOWS: &str = r#"echo '{"Username":"me","Secret":"secret"}'"#;

/// A registry with one image, and a home with a credential helper that writes down when it ran.
struct Stage {
    server: FaultRegistry,
    home: TempDir,
    environment: Environment,
    clock: Clock,
    limits: Limits,
    layer: Descriptor,
    manifest: Document,
    meter: Meter,
}

impl Stage {
    fn new(guard: Guard, anonymous: Anonymous) -> Self {
        let clock = Clock::by_hand();
        let told = clock.clone();
        let server = FaultRegistry::start(Settings {
            guard,
            anonymous,
            now: Arc::new(move || told.now()),
            ..Settings::default()
        });
        let home = tempfile::tempdir().expect("a directory");
        let variables = [
            ("DOCKER_CONFIG".into(), home.path().into()),
            ("XDG_RUNTIME_DIR".into(), home.path().into()),
            (
                "PATH".into(),
                format!("{}:/usr/bin:/bin", home.path().display()).into(),
            ),
        ];
        let content: Vec<u8> = (0..=250).cycle().take(1_500_000).collect();
        let size = content.len() as u64;
        let layer = Descriptor::new(media_type::LAYER, Digest::of(&content), size);
        let config = Document::new(media_type::CONFIG, &serde_json::json!({})).expect("JSON");
        let layers = vec![layer.clone()];
        let manifest = Manifest::new(config.descriptor().clone(), layers, [].into());
        let stage = Self {
            environment: Environment::new(home.path(), variables),
            server,
            home,
            clock,
            limits: Limits::default(),
            layer,
            manifest: Document::new(media_type::MANIFEST, &manifest).expect("JSON"),
            meter: Meter::default(),
        };
        stage.helper(KNOWS);
        let client = stage.client();
        let repository = stage.repository();
        for (digest, bytes) in [
            (config.digest(), config.bytes()),
            (stage.layer.digest, &content),
        ] {
            stage
                .server
                .store_blob(repository.path(), &digest.to_string(), bytes);
        }
        let put = client.push_manifest(
            &repository,
            &tag("v1"),
            media_type::MANIFEST,
            stage.manifest.bytes(),
        );
        put.expect("pushed");
        stage.server.forget();
        let _ = fs_err::remove_file(stage.ran());
        stage
    }

    fn helper(&self, script: &str) {
        let path = self.home.path().join("docker-credential-told");
        let script = format!(
            "#!/bin/sh\necho run >> '{}'\n{script}\n",
            self.ran().display()
        );
        fs_err::write(&path, script).expect("written");
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("set");
        let config = r#"{"credsStore":"told"}"#;
        fs_err::write(self.home.path().join("config.json"), config).expect("written");
    }

    fn without_helper(self) -> Self {
        fs_err::remove_file(self.home.path().join("config.json")).expect("removed");
        self
    }

    fn impatient(mut self) -> Self {
        let short = Duration::from_millis(300);
        self.limits = Limits {
            answer: short,
            idle: short,
            ..Limits::default()
        };
        self
    }

    fn with(self, fault: Fault) -> Self {
        self.server.add(fault);
        self
    }

    fn ran(&self) -> PathBuf {
        self.home.path().join("ran")
    }

    /// How often the helper ran.
    fn runs(&self) -> usize {
        fs_err::read_to_string(self.ran()).map_or(0, |text| text.lines().count())
    }

    fn client(&self) -> Registry {
        let options = Options {
            limits: self.limits,
            seed: Some(7),
            ..Options::default()
        };
        let clock = self.clock.clone();
        Registry::with(&self.environment, clock, &Interrupt::new(), options).expect("a client")
    }

    fn repository(&self) -> Repository {
        Repository::parse(&format!("{}/shop/orders", self.server.host())).expect("legal")
    }

    fn manifest(&self) -> Result<Vec<u8>, RegistryError> {
        let pulled = self.client().pull_manifest(&self.repository(), &tag("v1"));
        pulled.map(|pulled| {
            assert_eq!(&pulled.descriptor, self.manifest.descriptor());
            pulled.bytes
        })
    }

    fn blob(&self) -> Result<Vec<u8>, RegistryError> {
        let path = self.home.path().join("blob");
        self.client()
            .pull_blob(&self.repository(), &self.layer, &path, &self.meter)?;
        Ok(fs_err::read(path).expect("readable"))
    }

    /// `METHOD PATH STATUS` of what came in, with repository and digests left out.
    fn log(&self) -> Vec<String> {
        let log = self.server.log();
        log.iter()
            .map(|exchange| {
                let path = exchange.path.replace("/v2/shop/orders/", "");
                let path = path.split("sha256:").next().unwrap_or_default();
                let status = exchange.status.unwrap_or(0);
                let shown = exchange.header("authorization").unwrap_or("-");
                let shown = shown.split(' ').next().unwrap_or_default();
                format!("{} {path} {shown} {status}", exchange.method)
            })
            .collect()
    }
}

fn tag(text: &str) -> ManifestReference {
    ManifestReference::Tag(Tag::parse(text).expect("legal"))
}

#[test]
fn a_public_image_is_read_without_running_a_helper() {
    let stage = Stage::new(TOKENS, Anonymous::Reads);
    let client = stage.client();
    let repository = stage.repository();
    let pulled = client.pull_manifest(&repository, &tag("v1")).expect("read");
    assert_eq!(pulled.bytes, stage.manifest.bytes());
    assert_eq!(&pulled.descriptor, stage.manifest.descriptor());
    let path = stage.home.path().join("blob");
    client
        .pull_blob(&repository, &stage.layer, &path, &stage.meter)
        .expect("read");
    let content = fs_err::read(&path).expect("readable");
    assert_eq!(Digest::of(&content), stage.layer.digest);
    let found = client.resolve(&repository, &tag("v1")).expect("asked");
    assert_eq!(found, Some(stage.manifest.digest()));
    let found = client.resolve(&repository, &tag("v2")).expect("asked");
    assert_eq!(found, None);
    assert_eq!(stage.runs(), 0);
    assert_eq!(
        stage.log(),
        [
            "GET /v2/ - 401",
            "GET /token - 200",
            "GET manifests/v1 Bearer 200",
            "GET blobs/ Bearer 200",
            "HEAD manifests/v1 Bearer 200",
            "HEAD manifests/v2 Bearer 404",
        ]
    );
    assert_eq!(client.requests(), 6);
}

#[test]
fn an_open_registry_and_one_with_passwords_for_writers_are_read_without_a_helper() {
    for guard in [Guard::Open, Guard::Basic] {
        let stage = Stage::new(guard, Anonymous::Reads);
        stage.manifest().expect("read");
        stage.blob().expect("read");
        assert_eq!(stage.runs(), 0, "{guard:?}");
        assert!(stage.log().iter().all(|line| line.contains(" - ")));
    }
}

#[test]
fn a_private_image_is_read_with_the_credential_which_is_looked_up_once() {
    for (guard, anonymous, requests) in [
        (TOKENS, Anonymous::Refused, 6),
        (TOKENS, Anonymous::Nothing, 7),
        (Guard::Basic, Anonymous::Refused, 5),
    ] {
        let stage = Stage::new(guard, anonymous);
        let client = stage.client();
        let repository = stage.repository();
        for _ in 0..3 {
            client.pull_manifest(&repository, &tag("v1")).expect("read");
        }
        assert_eq!(stage.runs(), 1, "{guard:?} {anonymous:?}");
        let log = stage.log();
        assert_eq!(log.len(), requests, "{anonymous:?}: {log:#?}");
        assert_eq!(stage.server.count("GET", "/v2/shop/orders/manifests/v1"), {
            if guard == TOKENS && anonymous == Anonymous::Refused {
                3
            } else {
                4
            }
        });
    }
}

#[test]
fn a_token_service_that_denies_nobody_is_asked_again_with_the_credential() {
    let denied = Answer::refusal(403, "DENIED");
    let stage = Stage::new(TOKENS, Anonymous::Reads).with(on("GET", "/token").answer(denied));
    stage.manifest().expect("read");
    assert_eq!(stage.runs(), 1);
}

#[test]
fn without_a_credential_the_refusal_is_told() {
    let stage = Stage::new(TOKENS, Anonymous::Nothing).without_helper();
    let error = stage.manifest().expect_err("private");
    assert!(
        matches!(
            error,
            RegistryError::Unauthorized {
                user: None,
                status: 401,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("without a login"), "{error}");
    assert!(
        error
            .hint()
            .expect("a hint")
            .contains("cargo lighter login")
    );
}

#[test]
fn a_wrong_password_and_a_broken_helper_are_told() {
    let stage = Stage::new(TOKENS, Anonymous::Nothing);
    stage.helper(r#"echo '{"Username":"me","Secret":"wrong"}'"#);
    let error = stage.manifest().expect_err("refused");
    assert!(
        matches!(error, RegistryError::LoginRefused { .. }),
        "{error}"
    );
    stage.helper("echo broken >&2; exit 1");
    let error = stage.manifest().expect_err("no credential");
    assert!(matches!(error, RegistryError::Credential(_)), "{error}");
}

#[test]
fn a_read_that_the_user_has_no_right_to_says_so() {
    let denied = Answer::refusal(403, "DENIED");
    let stage = Stage::new(Guard::Basic, Anonymous::Refused)
        .with(on("GET", "/manifests/").after(1).always().answer(denied));
    let error = stage.manifest().expect_err("denied");
    assert!(
        matches!(&error, RegistryError::Unauthorized { user: Some(user), status: 403, .. } if user.name == "me"),
        "{error}"
    );
    let hint = error.hint().expect("a hint");
    assert!(hint.contains("`me` may read it"), "{hint}");
}

#[test]
fn what_is_not_there_is_told_without_a_helper() {
    let stage = Stage::new(TOKENS, Anonymous::Reads);
    let client = stage.client();
    let error = client
        .pull_manifest(&stage.repository(), &tag("nowhere"))
        .expect_err("none");
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
    assert!(error.hint().expect("a hint").contains("`shop/orders`"));
    assert_eq!(stage.runs(), 0);
}

#[test]
fn a_blob_is_read_from_another_origin_that_gets_no_token() {
    let redirect = Answer::status(307).with("Location", "http://{other}{path}?signature=x");
    let stage = Stage::new(TOKENS, Anonymous::Nothing).with(on("GET", "/blobs/").answer(redirect));
    // Only the registry is guarded; the store has what the registry has.
    let content = stage.blob().expect("read");
    assert_eq!(Digest::of(&content), stage.layer.digest);
    assert_eq!(stage.meter.moved(), stage.layer.size);
    let log = stage.server.log();
    let other: Vec<_> = log
        .iter()
        .filter(|exchange| exchange.origin == Origin::Other)
        .collect();
    assert_eq!(other.len(), 1, "{log:#?}");
    assert_eq!(other[0].header("authorization"), None);
    assert_eq!(other[0].query, "signature=x");
}

#[test]
fn a_store_that_refuses_is_told_and_no_reason_to_log_in() {
    let redirect = Answer::status(307).with("Location", "http://{other}{path}");
    let stage = Stage::new(Guard::Open, Anonymous::Reads)
        .with(on("GET", "/blobs/").always().answer(redirect))
        .with(on("GET", "").at_other().always().status(403));
    let error = stage.blob().expect_err("refused");
    assert!(matches!(error, RegistryError::Elsewhere { .. }), "{error}");
    assert_eq!(stage.runs(), 0);
}

#[test]
fn an_address_that_ended_is_asked_for_again() {
    let redirect = Answer::status(307).with("Location", "http://{other}{path}");
    let stage = Stage::new(Guard::Open, Anonymous::Reads)
        .with(on("GET", "/blobs/").always().answer(redirect))
        .with(on("GET", "").at_other().status(403));
    stage.blob().expect("read");
    assert_eq!(stage.server.count("GET", "/blobs/"), 2);
}

#[test]
fn nothing_is_asked_of_addresses_that_a_registry_may_not_name() {
    for location in [
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "http://store.example/x",
    ] {
        let redirect = Answer::status(307).with("Location", location);
        let stage =
            Stage::new(Guard::Open, Anonymous::Reads).with(on("GET", "/blobs/").answer(redirect));
        let error = stage.blob().expect_err("refused");
        assert!(matches!(error, RegistryError::SentAway { .. }), "{error}");
    }
}

#[test]
fn what_breaks_goes_on_where_it_broke() {
    let stage = Stage::new(Guard::Open, Anonymous::Reads)
        .with(on("GET", "/blobs/").act(Act::Truncate(600_000)));
    let content = stage.blob().expect("read");
    assert_eq!(Digest::of(&content), stage.layer.digest);
    assert_eq!(stage.meter.moved(), stage.layer.size);
    let log = stage.server.log();
    let ranges: Vec<_> = log
        .iter()
        .filter(|exchange| exchange.is("GET", "/blobs/"))
        .map(|exchange| (exchange.header("range"), exchange.status))
        .collect();
    assert_eq!(ranges.len(), 2, "{log:#?}");
    assert_eq!(ranges[0], (None, Some(200)));
    assert!(ranges[1].0.is_some_and(|range| range.starts_with("bytes=")));
    assert_eq!(ranges[1].1, Some(206));
}

#[test]
fn a_registry_that_knows_no_parts_is_read_from_the_beginning() {
    for second in [
        Act::Alter(vec![Change::Status(416)]),
        Act::Answer(Answer::status(503)),
        Act::HangUp,
    ] {
        let stage = Stage::new(Guard::Open, Anonymous::Reads)
            .with(on("GET", "/blobs/").act(Act::Truncate(600_000)))
            .with(on("GET", "/blobs/").act(second));
        let content = stage.blob().expect("read");
        assert_eq!(Digest::of(&content), stage.layer.digest);
        assert_eq!(stage.meter.moved(), stage.layer.size);
    }
}

#[test]
fn passing_troubles_are_survived() {
    for act in [
        Act::Answer(Answer::status(503).with("Retry-After", "3")),
        Act::Answer(Answer::status(429)),
        Act::HangUp,
        Act::Reset { after: 0 },
        Act::Silence,
    ] {
        let stage = Stage::new(TOKENS, Anonymous::Reads)
            .impatient()
            .with(on("GET", "/manifests/").act(act.clone()))
            .with(on("GET", "/blobs/").act(act));
        stage.manifest().expect("read");
        stage.blob().expect("read");
        assert_eq!(stage.runs(), 0);
    }
}

#[test]
fn a_token_that_ends_is_renewed() {
    let stage = Stage::new(TOKENS, Anonymous::Reads).with(on("GET", "/blobs/").act(Act::EndTokens));
    stage.blob().expect("read");
    assert_eq!(stage.server.count("GET", "/token"), 2);
    assert_eq!(stage.runs(), 0);
}

#[test]
fn another_manifest_than_asked_for_is_refused() {
    let other = Answer::status(200)
        .with("Content-Type", media_type::MANIFEST)
        .body("{}");
    let stage =
        Stage::new(Guard::Open, Anonymous::Reads).with(on("GET", "/manifests/").answer(other));
    let digest = ManifestReference::Digest(stage.manifest.digest());
    let pulled = stage.client().pull_manifest(&stage.repository(), &digest);
    assert!(
        matches!(pulled, Err(RegistryError::OtherContent { .. })),
        "{pulled:?}"
    );
}

#[test]
fn a_manifest_that_is_not_what_the_registry_says_is_refused() {
    let digest = Digest::of(b"another").to_string();
    let stage = Stage::new(Guard::Open, Anonymous::Reads)
        .with(on("GET", "/manifests/").header("Docker-Content-Digest", &digest));
    let error = stage.manifest().expect_err("another");
    assert!(
        matches!(error, RegistryError::OtherContent { .. }),
        "{error}"
    );
}

#[test]
fn another_blob_than_asked_for_is_refused() {
    let same_size = vec![7; 1_500_000];
    let stage = Stage::new(Guard::Open, Anonymous::Reads)
        .with(on("GET", "/blobs/").answer(Answer::status(200).body(same_size)));
    let error = stage.blob().expect_err("another");
    assert!(
        matches!(error, RegistryError::OtherContent { .. }),
        "{error}"
    );
    assert!(error.hint().is_some());
    assert_eq!(stage.meter.moved(), 0);
}

#[test]
fn a_blob_of_another_size_is_refused_before_it_is_read() {
    for size in [10, 1_499_999, 1_500_001] {
        let stage = Stage::new(Guard::Open, Anonymous::Reads)
            .with(on("GET", "/blobs/").answer(Answer::status(200).body(vec![7; size])));
        let error = stage.blob().expect_err("another");
        let text = error.to_string();
        assert!(matches!(error, RegistryError::Protocol { .. }), "{text}");
        assert!(text.contains(&format!("announces {size} bytes")), "{text}");
    }
}

#[test]
fn a_blob_that_always_ends_early_is_refused() {
    let stage = Stage::new(Guard::Open, Anonymous::Reads)
        .with(on("GET", "/blobs/").always().act(Act::Truncate(1000)));
    let error = stage.blob().expect_err("truncated");
    assert!(matches!(error, RegistryError::Lost { .. }), "{error}");
    assert_eq!(stage.server.count("GET", "/blobs/"), 6);
    assert_eq!(stage.meter.moved(), 0);
}

#[test]
fn a_body_without_an_end_is_not_taken() {
    let raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\naaaaa\r\n5\r\nbbbbb\r\n";
    let mut stage = Stage::new(Guard::Open, Anonymous::Reads)
        .with(on("GET", "/blobs/").act(Act::Raw(raw)))
        .with(on("GET", "/manifests/").act(Act::Flood(200, Flood::Body)));
    stage.layer.size = 7;
    let error = stage.blob().expect_err("too much");
    assert!(error.to_string().contains("more than 7 bytes"), "{error}");
    let error = stage.manifest().expect_err("too much");
    assert!(
        error.to_string().contains("more than 4194304 bytes"),
        "{error}"
    );
    assert!(stage.server.flooded() < 64 * 1024 * 1024);
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let stage = Stage::new(Guard::Open, Anonymous::Reads);
    let path = stage.home.path().join("nowhere/blob");
    let client = stage.client();
    let error = client
        .pull_blob(&stage.repository(), &stage.layer, &path, &stage.meter)
        .expect_err("no directory");
    assert!(matches!(error, RegistryError::Disk { .. }), "{error}");
    let cause = std::error::Error::source(&error).expect("a cause");
    assert!(cause.to_string().contains("nowhere/blob"), "{cause}");
}
