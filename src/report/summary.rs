//! The summary: what `--metadata-file` holds and the last JSON line says. Its shape is versioned.

use serde::Serialize;

use crate::digest::Digest;

/// Version of [`Summary`]'s shape; a field that goes or changes its meaning raises it.
pub const SCHEMA_VERSION: u32 = 1;

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// [`SCHEMA_VERSION`].
    pub version: u32,
    /// In plan order, also those that failed.
    pub services: Vec<ServiceSummary>,
}

/// What came of one service.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServiceSummary {
    /// The service's name.
    pub service: String,
    /// The package it comes from.
    pub package: String,
    /// How it ended.
    pub status: ServiceStatus,
    /// Its input key, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Digest>,
    /// The image's manifest or index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// What the image is made of, if it was made in this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSummary>,
    /// The git commit the work tree stands on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Whether the work tree differs from that commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
    /// Platforms of the image, such as `linux/amd64`.
    pub platforms: Vec<String>,
    /// Shared libraries in the image.
    pub libraries: Vec<LibrarySummary>,
    /// Where it went.
    pub deliveries: Vec<DeliverySummary>,
    /// How long it took.
    pub seconds: Seconds,
    /// Why it failed, the causes one a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What an image is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ImageSummary {
    /// Bytes of its layers, configuration and manifest, as they are stored and moved.
    pub bytes: u64,
    /// Its layers.
    pub layers: u64,
}

/// How a service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceStatus {
    /// Compiled and assembled in this run.
    Built,
    /// Taken from an earlier run.
    Reused,
    /// Unchanged: an image of the registry got the run's tags.
    Retagged,
    /// Not delivered everywhere.
    Failed,
}

/// A shared library in an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LibrarySummary {
    /// Where it stands in the image.
    pub path: String,
    /// The Debian package that owns it, where one does.
    pub package: Option<String>,
    /// That package's version.
    pub version: Option<String>,
    /// The library root it was copied from.
    pub root: String,
}

/// An image at one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliverySummary {
    /// The destination as the user wrote it.
    pub destination: String,
    /// One line for each tag that moved: `HOST/REPO/NAME:TAG@sha256:…`, `oci:DIR:NAME:TAG@sha256:…`.
    pub reference: Vec<String>,
    /// The tags that moved.
    pub tags: Vec<String>,
    /// The delivered manifest. Where none is kept, as in docker's archives and its classic store, the digest
    /// of the configuration, which docker calls the image's ID.
    pub digest: Digest,
    /// How it ended.
    pub status: DeliveryStatus,
    /// Blob bytes that moved.
    pub uploaded_bytes: u64,
    /// Blobs that the registry took over from another of its repositories.
    pub mounted_blobs: u64,
    /// Blobs that were already there.
    pub existing_blobs: u64,
    /// HTTP requests made.
    pub requests: u64,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryStatus {
    /// Stored in this run.
    Pushed,
    /// The same manifest was already there.
    Exists,
    /// Not delivered, or not under every tag.
    Failed,
}

/// How long a service's steps took.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Seconds {
    /// cargo.
    pub compile: f64,
    /// Layers and manifest.
    pub assemble: f64,
    /// All destinations.
    pub deliver: f64,
}
