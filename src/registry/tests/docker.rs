//! The client against docker's own registry.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::stage::{BlobOutcome, Stage, repository, tag};
use crate::digest::Digest;
use crate::hint::Hint as _;
use crate::oci::media_type::{CONFIG, LAYER_GZIP, MANIFEST};
use crate::oci::{Descriptor, Document, Manifest};
use crate::registry::{ManifestReference, RegistryError};

/// A running `docker-registry`, stopped when dropped.
struct DockerRegistry {
    child: Child,
    host: String,
}

impl DockerRegistry {
    /// Starts one on a free port.
    fn start(stage: &Stage, password: Option<&str>) -> Self {
        let root = stage.home.path().display().to_string();
        let mut auth = String::new();
        if let Some(password) = password {
            let users = Command::new("htpasswd")
                .args(["-Bbn", "me", password])
                .output()
                .expect("htpasswd is installed by tests/run");
            fs_err::write(format!("{root}/users"), users.stdout).expect("written");
            auth = format!("auth: {{htpasswd: {{realm: x, path: {root}/users}}}}\n");
        }
        // Somebody else may take the free port first.
        let started = (0..5).find_map(|_| {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let host = listener.local_addr().expect("an address").to_string();
            let config = format!(
                "version: 0.1\n\
                 storage: {{filesystem: {{rootdirectory: {root}/data}}, delete: {{enabled: true}}}}\n\
                 http: {{addr: {host}}}\n{auth}"
            );
            let file = format!("{root}/registry.yml");
            fs_err::write(&file, config).expect("written");
            drop(listener);
            let child = Command::new("docker-registry")
                .args(["serve", &file])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("docker-registry is installed by tests/run");
            let mut registry = Self { child, host };
            registry.listens().then_some(registry)
        });
        started.expect("a registry that listens")
    }

    /// Waits until it answers; `false` if it ended instead.
    fn listens(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(&self.host).is_err() {
            assert!(Instant::now() < deadline, "docker-registry does not listen");
            if self.child.try_wait().expect("a child").is_some() {
                return false;
            }
            std::thread::yield_now();
        }
        true
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Pushes two blobs and a manifest; returns the bytes uploaded.
fn push_image(stage: &Stage, host: &str) -> u64 {
    let (registry, repository) = (stage.registry(), repository(host));
    registry.check_push(&repository).expect("a push can work");
    let layer_bytes: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let (layer, path) = stage.blob(&layer_bytes);
    let layer = Descriptor::new(LAYER_GZIP, layer.digest, layer.size);
    let config = Descriptor::new(CONFIG, Digest::of(b"{}"), 2);
    let outcomes = [
        registry
            .push_blob(&repository, &layer, &path)
            .expect("pushed"),
        registry
            .push_blob_bytes(&repository, &config, b"{}")
            .expect("pushed"),
    ];
    let manifest = Manifest::new(config, vec![layer], std::collections::BTreeMap::new());
    let manifest = Document::new(MANIFEST, &manifest).expect("serialized");
    for reference in [ManifestReference::Digest(manifest.digest()), tag("v1")] {
        let put = registry.push_manifest(&repository, &reference, MANIFEST, manifest.bytes());
        assert_eq!(put.expect("put").digest, manifest.digest());
        let found = registry
            .manifest_exists(&repository, &reference)
            .expect("asked");
        assert_eq!(found.digest, Some(manifest.digest()));
    }
    assert_eq!(
        registry
            .manifest_exists(&repository, &tag("none"))
            .expect("asked")
            .digest,
        None
    );
    outcomes.into_iter().map(BlobOutcome::uploaded_bytes).sum()
}

#[test]
fn an_open_registry_takes_an_image_once() {
    let stage = Stage::anonymous();
    let server = DockerRegistry::start(&stage, None);
    assert_eq!(push_image(&stage, &server.host), 3_000_002);
    assert_eq!(push_image(&stage, &server.host), 0);
}

#[test]
fn a_registry_with_passwords_takes_an_image_once() {
    let place = Stage::anonymous();
    let server = DockerRegistry::start(&place, Some("secret"));
    let stage = Stage::with_login(&server.host);
    assert_eq!(push_image(&stage, &server.host), 3_000_002);
    assert_eq!(push_image(&stage, &server.host), 0);
    let error = Stage::anonymous()
        .registry()
        .check_push(&repository(&server.host))
        .expect_err("refused");
    assert!(
        error
            .hint()
            .expect("a hint")
            .contains("cargo lighter login"),
        "{error}"
    );
}

#[test]
fn a_registry_with_another_password_refuses_the_login() {
    let place = Stage::anonymous();
    let server = DockerRegistry::start(&place, Some("other"));
    let stage = Stage::with_login(&server.host);
    let error = stage
        .registry()
        .check_push(&repository(&server.host))
        .expect_err("refused");
    assert!(
        matches!(error, RegistryError::LoginRefused { .. }),
        "{error}"
    );
}
