//! What a test needs around the client: a home with a docker configuration, files to push, a clock
//! that the test moves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::digest::Digest;
use crate::oci::Descriptor;
use crate::process::{Environment, Interrupt};
use crate::reference::{Repository, Tag};
use crate::registry::push::blob::Arrival;
use crate::registry::wire::content::Content;
use crate::registry::{Limits, ManifestReference, Options, Registry, RegistryError};
use crate::report::Clock;

pub(super) struct Stage {
    pub(super) home: TempDir,
    pub(super) environment: Environment,
    pub(super) interrupt: Interrupt,
    clock: Clock,
}

impl Stage {
    /// A home without a docker configuration.
    pub(super) fn anonymous() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let environment = Environment::new(
            home.path(),
            [
                ("DOCKER_CONFIG".into(), home.path().into()),
                // Nothing that podman keeps on this machine.
                ("XDG_RUNTIME_DIR".into(), home.path().into()),
                (
                    "PATH".into(),
                    format!("{}:/usr/bin:/bin", home.path().display()).into(),
                ),
                // Nothing of a test may go to a proxy.
                ("HTTPS_PROXY".into(), "http://127.0.0.1:1".into()),
                ("HTTP_PROXY".into(), "http://127.0.0.1:1".into()),
            ],
        );
        Self {
            home,
            environment,
            interrupt: Interrupt::new(),
            clock: Clock::by_hand(),
        }
    }

    /// A home whose configuration is `config`.
    pub(super) fn with_config(config: &str) -> Self {
        let stage = Self::anonymous();
        fs_err::write(stage.config(), config).expect("written");
        stage.set_mode(0o600);
        stage
    }

    /// Gives the configuration this mode.
    pub(super) fn set_mode(&self, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(mode);
        fs_err::set_permissions(self.config(), mode).expect("set");
    }

    /// A home whose configuration has `me` with the password `secret` for a registry.
    pub(super) fn with_login(registry: &str) -> Self {
        let config = format!(r#"{{"auths":{{"{registry}":{{"auth":"bWU6c2VjcmV0"}}}}}}"#);
        Self::with_config(&config)
    }

    pub(super) fn config(&self) -> PathBuf {
        self.home.path().join("config.json")
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub(super) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A client with the real time limits, whose pauses only move the clock.
    pub(super) fn registry(&self) -> Registry {
        self.registry_within(Limits::default())
    }

    /// A client that gives a server little time.
    pub(super) fn impatient_registry(&self) -> Registry {
        let short = Duration::from_millis(100);
        self.registry_within(Limits {
            answer: short,
            commit: short,
            idle: short,
            ..Limits::default()
        })
    }

    pub(super) fn registry_within(&self, limits: Limits) -> Registry {
        self.registry_with(Options {
            limits,
            ..Options::default()
        })
    }

    pub(super) fn registry_with(&self, options: Options) -> Registry {
        Registry::with(&self.environment, self.clock(), &self.interrupt, options).expect("a client")
    }

    /// A file with a descriptor that fits it.
    pub(super) fn blob(&self, content: &[u8]) -> (Descriptor, PathBuf) {
        let digest = Digest::of(content);
        let path = self.home.path().join(digest.hex());
        fs_err::write(&path, content).expect("written");
        let descriptor = Descriptor::new("application/x", digest, content.len() as u64);
        (descriptor, path)
    }

    /// A credential helper `docker-credential-NAME` that is this shell script.
    pub(super) fn helper(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.home.path().join(format!("docker-credential-{name}"));
        fs_err::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("set");
    }
}

pub(super) fn repository(host: &str) -> Repository {
    Repository::parse(&format!("{host}/shop/orders")).expect("legal")
}

pub(super) fn tag(tag: &str) -> ManifestReference {
    ManifestReference::Tag(Tag::parse(tag).expect("legal"))
}

/// What pushing a blob alone came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlobOutcome {
    Existed { requests: u64 },
    Mounted { requests: u64 },
    Uploaded { bytes: u64, requests: u64 },
}

impl BlobOutcome {
    /// Bytes of the blob if it was sent, else 0.
    pub(super) fn uploaded_bytes(self) -> u64 {
        match self {
            Self::Existed { .. } | Self::Mounted { .. } => 0,
            Self::Uploaded { bytes, .. } => bytes,
        }
    }

    /// Requests sent for it, including those for tokens.
    pub(super) fn requests(self) -> u64 {
        match self {
            Self::Existed { requests }
            | Self::Mounted { requests }
            | Self::Uploaded { requests, .. } => requests,
        }
    }
}

impl Registry {
    /// Makes sure that the registry has a blob, sending the file `path` if it has not.
    pub(super) fn push_blob(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        path: &Path,
    ) -> Result<BlobOutcome, RegistryError> {
        self.push_alone(repository, blob, &Content::file(path.to_owned(), blob.size))
    }

    /// The same from memory.
    pub(super) fn push_blob_bytes(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        bytes: &[u8],
    ) -> Result<BlobOutcome, RegistryError> {
        let content = Content::Bytes(bytes::Bytes::copy_from_slice(bytes));
        self.push_alone(repository, blob, &content)
    }

    fn push_alone(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        content: &Content,
    ) -> Result<BlobOutcome, RegistryError> {
        let (arrival, requests) = self.push_content(repository, blob, content)?;
        let bytes = blob.size;
        Ok(match arrival {
            Arrival::Existed => BlobOutcome::Existed { requests },
            Arrival::Mounted => BlobOutcome::Mounted { requests },
            Arrival::Uploaded => BlobOutcome::Uploaded { bytes, requests },
        })
    }
}
