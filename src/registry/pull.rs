//! Reading: manifests and blobs, first as nobody (distribution-spec, "Pulling manifests" and "Pulling
//! blobs").
//!
//! Most images may be read by everybody. Credential helpers are slow, ask for fingers on keys, and tell a
//! registry who reads what; so they run only after a registry refused to answer without a name.

use std::path::Path;
use std::sync::Arc;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use crate::digest::Digest;
use crate::oci::Descriptor;
use crate::reference::Repository;
use crate::registry::access::core::Core;
use crate::registry::addresses::address::host_of;
use crate::registry::call::sending::Call;
use crate::registry::errors::error::{READ, RegistryError};
use crate::registry::push::manifest::ManifestReference;
use crate::registry::wire::request::Request;
use crate::registry::wire::sink::Sink;
use crate::report::{Meter, printable};

/// Walks from the registry to where it keeps a blob.
const MAX_WALKS: u32 = 3;
const MAX_MEDIA_TYPE: usize = 255;

/// A manifest as a registry gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestPull {
    /// Media type as the registry says, digest and size as measured.
    pub descriptor: Descriptor,
    /// The exact bytes.
    pub bytes: Vec<u8>,
}

/// Does `work` as nobody, and if the registry refuses that, as the user.
pub(super) async fn as_nobody_first<T>(
    core: &Core,
    repository: &Repository,
    work: impl AsyncFn(&Call<'_>) -> Result<T, RegistryError>,
) -> Result<T, RegistryError> {
    let Some(anonymous) = core.anonymous(repository)? else {
        let access = core.access(repository)?;
        return work(&Call::reading(core, repository, access)).await;
    };
    let refusal = match work(&Call::reading(core, repository, Arc::clone(&anonymous))).await {
        Err(error) if error.wants_login() => error,
        other => return other,
    };
    let access = core.access(repository)?;
    let call = Call::reading(core, repository, access);
    if call.credential().await?.is_none() {
        return Err(refusal);
    }
    core.remember_closed(repository);
    work(&call).await
}

impl Call<'_> {
    /// Reads a manifest; what a digest names is checked.
    pub(super) async fn pull_manifest(
        &self,
        reference: &ManifestReference,
    ) -> Result<ManifestPull, RegistryError> {
        let (action, reply) = self.get_manifest(reference).await?;
        if !reply.is_success() {
            return Err(self.refused(&action, &reply));
        }
        if let Some(encoding) = reply.encoding() {
            return Err(self.packed(&action, &encoding));
        }
        let found = Digest::of(&reply.body);
        let told = reply.digest();
        let expected = match reference {
            ManifestReference::Digest(digest) => Some(*digest),
            ManifestReference::Tag(_) => told,
        };
        if expected.is_some_and(|expected| expected != found) {
            return Err(RegistryError::OtherContent {
                attempt: Box::new(self.attempt(&action)),
                found,
            });
        }
        let media_type = reply.text(&CONTENT_TYPE).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        let media_type: String = printable(media_type).chars().take(MAX_MEDIA_TYPE).collect();
        let size = reply.body.len() as u64;
        Ok(ManifestPull {
            descriptor: Descriptor::new(media_type, found, size),
            bytes: reply.body,
        })
    }

    /// Reads a blob into a file; `meter` counts its bytes.
    pub(super) async fn pull_blob(
        &self,
        blob: &Descriptor,
        path: &Path,
        meter: &Meter,
    ) -> Result<(), RegistryError> {
        let _transfer = self.core.transfers.begin().await;
        let action = format!("{READ}blob `{}`", blob.digest);
        let sink = Arc::new(Sink::new(path.to_owned(), blob.size, meter));
        let mut walk = 1;
        loop {
            let url = self.url(&format!("blobs/{}", blob.digest));
            let request = Request::new(Method::GET, url, action.clone()).into_file(&sink);
            let reply = self.follow(request).await?;
            let elsewhere = !self.access.endpoint().owns(&reply.url);
            let no_such_part = reply.status.as_u16() == 416;
            if no_such_part {
                sink.restart().await;
            }
            // An address that was signed for us ends, and so may a part of something else.
            if walk < MAX_WALKS && (no_such_part || elsewhere && !reply.is_success()) {
                walk += 1;
                continue;
            }
            if elsewhere && !reply.is_success() {
                return Err(RegistryError::Elsewhere {
                    attempt: Box::new(self.attempt(&action)),
                    host: host_of(&reply.url),
                    source: Box::new(self.refused(&action, &reply)),
                });
            }
            if !reply.is_success() {
                return Err(self.refused(&action, &reply));
            }
            let is_pieced = sink.is_pieced().await;
            let failed = |failure: crate::registry::errors::failure::Failure| {
                let attempt = self.attempt(&action);
                failure.explain(attempt, host_of(&reply.url), false)
            };
            let found = sink.finish(&blob.digest).await.map_err(failed)?;
            if found == blob.digest {
                return Ok(());
            }
            if is_pieced && walk < MAX_WALKS {
                walk += 1;
                sink.restart().await;
                continue;
            }
            return Err(RegistryError::OtherContent {
                attempt: Box::new(self.attempt(&action)),
                found,
            });
        }
    }
}
