//! Manifests and indexes: exact bytes, by digest or by tag (distribution-spec, "Pushing Manifests").

use std::fmt;
use std::io::Read as _;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};

use super::course::MAX_CONFIRMATIONS;
use crate::digest::Digest;
use crate::reference::Tag;
use crate::registry::access::ready::Seen;
use crate::registry::call::sending::{Call, Persistence};
use crate::registry::errors::error::{LOOK, READ, RegistryError};
use crate::registry::wire::content::Content;
use crate::registry::wire::reply::Reply;
use crate::registry::wire::request::Request;

/// What registries have to take at least (distribution-spec, "Pushing Manifests"), and thus the most
/// that is sent or read.
const MAX_MANIFEST: usize = 4 * 1024 * 1024;
/// How often a registry may say that it does not know a blob which it has.
pub(in crate::registry) const MAX_ROUNDS: u32 = 4;
/// All kinds at once: without it, registries answer in formats of the past.
const ACCEPTED: HeaderValue = HeaderValue::from_static(
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json",
);

/// By what name a manifest is put or asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestReference {
    /// Its digest.
    Digest(Digest),
    /// A tag that points at it.
    Tag(Tag),
}

impl fmt::Display for ManifestReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(digest) => fmt::Display::fmt(digest, formatter),
            Self::Tag(tag) => fmt::Display::fmt(tag, formatter),
        }
    }
}

/// What pushing a manifest came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManifestOutcome {
    /// Its digest.
    pub digest: Digest,
    /// Requests sent for it, including those for tokens.
    pub requests: u64,
}

/// What looking for a manifest came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManifestFound {
    /// Its digest, if there is one.
    pub digest: Option<Digest>,
    /// Requests sent for it, including those for tokens.
    pub requests: u64,
}

/// What reading a manifest came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestRead {
    /// Its exact bytes, if there is one.
    pub bytes: Option<Vec<u8>>,
    /// Requests sent for it, including those for tokens.
    pub requests: u64,
}

/// What a registry answered to a manifest.
#[derive(Debug)]
pub(in crate::registry) enum Answered {
    /// A success.
    Taken(Reply),
    /// It does not know a blob that the manifest names.
    BlobUnknown(Reply),
    /// Anything else.
    Refused(Reply),
}

/// What is tried, in errors.
pub(in crate::registry) fn put_action(reference: &ManifestReference) -> String {
    format!("put manifest `{reference}`")
}

impl Call<'_> {
    /// Reads the manifest under a name; what a digest names is checked.
    pub(in crate::registry) async fn read_manifest(
        &self,
        reference: &ManifestReference,
    ) -> Result<ManifestRead, RegistryError> {
        let (action, reply) = self.get_manifest(reference).await?;
        if let Some(encoding) = reply.encoding().filter(|_| reply.is_success()) {
            return Err(self.packed(&action, &encoding));
        }
        let bytes = match reply.status.as_u16() {
            200..=299 => Some(reply.body.clone()),
            404 => None,
            _ => return Err(self.refused(&action, &reply)),
        };
        if let (Some(bytes), ManifestReference::Digest(expected)) = (&bytes, reference)
            && Digest::of(bytes) != *expected
        {
            return Err(self.protocol(&action, "it is another manifest".to_owned()));
        }
        Ok(ManifestRead {
            bytes,
            requests: self.requests(),
        })
    }

    /// Puts a manifest's exact bytes. Its blobs were brought before, so that a registry which does not
    /// know one gets some time.
    pub(in crate::registry) async fn push_manifest(
        &self,
        reference: &ManifestReference,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<ManifestOutcome, RegistryError> {
        let mut round = 0;
        loop {
            let sent = self.send_manifest(reference, media_type, bytes).await?;
            if matches!(sent, Answered::BlobUnknown(_)) && round < MAX_ROUNDS {
                round += 1;
                self.core.patience.pause(self.settling(round)).await;
                continue;
            }
            self.settle(reference, media_type, bytes, sent).await?;
            return Ok(ManifestOutcome {
                digest: Digest::of(bytes),
                requests: self.requests(),
            });
        }
    }

    /// Sends a manifest once.
    pub(in crate::registry) async fn send_manifest(
        &self,
        reference: &ManifestReference,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Answered, RegistryError> {
        let action = put_action(reference);
        if bytes.len() > MAX_MANIFEST {
            return Err(RegistryError::TooLarge {
                attempt: Box::new(self.attempt(&action)),
                size: bytes.len() as u64,
                limit: MAX_MANIFEST as u64,
            });
        }
        let media_type = HeaderValue::from_str(media_type).map_err(|_| {
            self.protocol(&action, "its media type has illegal characters".to_owned())
        })?;
        let request = Request::new(Method::PUT, self.manifest_url(reference), action)
            .header(CONTENT_TYPE, media_type)
            .content(Content::Bytes(Bytes::copy_from_slice(bytes)));
        let send = async |request: &Request| self.perform(request, Persistence::Patient).await;
        let reply = self.at_home(request, send).await?;
        let words = self.words(&reply);
        let unknown = ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"];
        Ok(match reply.status.as_u16() {
            200..=299 => Answered::Taken(reply),
            400 | 404 if unknown.iter().any(|code| words.has_code(code)) => {
                Answered::BlobUnknown(reply)
            }
            _ => Answered::Refused(reply),
        })
    }

    /// What a sent manifest came to: looked for if it was taken, and told if it was not.
    pub(in crate::registry) async fn settle(
        &self,
        reference: &ManifestReference,
        media_type: &str,
        bytes: &[u8],
        sent: Answered,
    ) -> Result<(), RegistryError> {
        let action = put_action(reference);
        match sent {
            Answered::Taken(reply) => {
                self.check_digest(&action, &Digest::of(bytes), &reply, false)?;
                if self.core.confirm {
                    self.confirm_manifest(reference, bytes).await?;
                }
                Ok(())
            }
            Answered::BlobUnknown(reply) => Err(self.refused(&action, &reply)),
            Answered::Refused(reply) => {
                let refused = self.refused_manifest(&action, media_type, &reply);
                match reference {
                    ManifestReference::Tag(_) => {
                        self.settle_tag(reference, bytes, &reply, refused).await
                    }
                    ManifestReference::Digest(_) => Err(refused),
                }
            }
        }
    }

    /// The error for a manifest that was not taken, perhaps because none of its kind is.
    fn refused_manifest(&self, action: &str, media_type: &str, reply: &Reply) -> RegistryError {
        let words = self.words(reply);
        let status = reply.status.as_u16();
        let told = match status {
            415 => true,
            400 | 405 => {
                let codes = ["MANIFEST_INVALID", "UNSUPPORTED"];
                let named = ["media type", "mediaType", "media-type", "MediaType"];
                codes.iter().any(|code| words.has_code(code))
                    && (status == 405 || named.iter().any(|name| words.mention(name)))
            }
            _ => false,
        };
        if !told {
            return self.refused(action, reply);
        }
        RegistryError::KindRefused {
            attempt: Box::new(self.attempt(action)),
            media_type: media_type.to_owned(),
            status,
            words: Box::new(words),
        }
    }

    /// Where tags do not move, one that leads to this manifest already is as good as moved.
    async fn settle_tag(
        &self,
        reference: &ManifestReference,
        bytes: &[u8],
        reply: &Reply,
        refused: RegistryError,
    ) -> Result<(), RegistryError> {
        if !matches!(reply.status.as_u16(), 400 | 403 | 405 | 409 | 412) {
            return Err(refused);
        }
        let ours = Digest::of(bytes);
        let found = self.ask_for_manifest(reference).await;
        let words = self.words(reply);
        let told = words.has_code("TAG_INVALID")
            || words.has_code("ImageTagAlreadyExistsException")
            || ["immutable", "already exists"]
                .iter()
                .any(|word| words.mention(word))
            || matches!(reply.status.as_u16(), 409 | 412);
        match found {
            Ok(Some(theirs)) if theirs == ours => Ok(()),
            Ok(Some(theirs)) if told => Err(RegistryError::TagTaken {
                attempt: Box::new(self.attempt(&put_action(reference))),
                ours,
                theirs,
            }),
            _ => Err(refused),
        }
    }

    /// Looks for what was put. The parts of a large registry may need some time to agree.
    async fn confirm_manifest(
        &self,
        reference: &ManifestReference,
        bytes: &[u8],
    ) -> Result<(), RegistryError> {
        let ours = Digest::of(bytes);
        let mut elsewhere = None;
        for count in 1..=MAX_CONFIRMATIONS {
            let found = match reference {
                ManifestReference::Digest(_) => self.reads_back(reference).await,
                // Some registries count every manifest that is read as a pull, and pulls are limited.
                ManifestReference::Tag(_) => self.ask_for_manifest(reference).await,
            };
            match found {
                Ok(Some(found)) if found == ours => return Ok(()),
                // Who may not read has only the registry's word.
                Err(error) if error.hides() => {
                    self.warn_of_its_word();
                    return Ok(());
                }
                Ok(found) => elsewhere = found,
                Err(error) => return Err(error),
            }
            if count < MAX_CONFIRMATIONS {
                self.core.patience.pause(self.settling(count)).await;
            }
        }
        let attempt = Box::new(self.attempt(&put_action(reference)));
        Err(match (reference, elsewhere) {
            (ManifestReference::Tag(_), Some(theirs)) => RegistryError::TagElsewhere {
                attempt,
                ours,
                theirs,
            },
            _ => RegistryError::NotStored { attempt },
        })
    }

    /// The answer to a request for a manifest, with what was asked, for errors.
    pub(in crate::registry) async fn get_manifest(
        &self,
        reference: &ManifestReference,
    ) -> Result<(String, Reply), RegistryError> {
        let action = format!("{READ}manifest `{reference}`");
        let request = Request::new(Method::GET, self.manifest_url(reference), action.clone())
            .header(ACCEPT, ACCEPTED)
            .whole(MAX_MANIFEST);
        Ok((action, self.follow(request).await?))
    }

    /// The error for a manifest that came packed: then its bytes are not those that a digest is of.
    pub(in crate::registry) fn packed(&self, action: &str, encoding: &str) -> RegistryError {
        let what = format!(
            "the registry, or something before it, packs its answer (`{encoding}`), which was not asked for"
        );
        self.protocol(action, what)
    }

    /// The digest of what an answer holds: of its bytes, or as it says where they are packed in a way that
    /// nobody asked for, and not the usual one.
    fn digest_of(
        &self,
        action: &str,
        reference: &ManifestReference,
        reply: &Reply,
    ) -> Result<Digest, RegistryError> {
        let found = Digest::of(&reply.body);
        let Some(encoding) = reply.encoding() else {
            return Ok(found);
        };
        // Some say that they pack, and do not.
        if *reference == ManifestReference::Digest(found) {
            return Ok(found);
        }
        if let Some(unpacked) = unpacked(&reply.body) {
            return Ok(Digest::of(&unpacked));
        }
        let told = reply
            .digest()
            .ok_or_else(|| self.packed(action, &encoding))?;
        self.warn_of_its_word();
        Ok(told)
    }

    /// The digest of the manifest that is there, read whole.
    async fn reads_back(
        &self,
        reference: &ManifestReference,
    ) -> Result<Option<Digest>, RegistryError> {
        let (action, reply) = self.get_manifest(reference).await?;
        match reply.status.as_u16() {
            200..=299 => self.digest_of(&action, reference, &reply).map(Some),
            400 | 404 => Ok(None),
            _ => Err(self.refused(&action, &reply)),
        }
    }

    /// The digest of the manifest under a name, if there is one.
    pub(in crate::registry) async fn manifest_exists(
        &self,
        reference: &ManifestReference,
    ) -> Result<ManifestFound, RegistryError> {
        Ok(ManifestFound {
            digest: self.look_for_manifest(reference).await?,
            requests: self.requests(),
        })
    }

    /// What a name leads to, unless that was asked before the first compile: then the answer is used, once.
    pub(in crate::registry) async fn look_for_manifest(
        &self,
        reference: &ManifestReference,
    ) -> Result<Option<Digest>, RegistryError> {
        if let ManifestReference::Tag(tag) = reference
            && let Some(Seen(found)) =
                self.access
                    .ready
                    .seen(&self.path(), tag, self.core.clock.now())
        {
            return Ok(found);
        }
        self.ask_for_manifest(reference).await
    }

    /// HEAD first; where that is not allowed or gives no digest, the manifest itself is read and
    /// hashed.
    pub(in crate::registry) async fn ask_for_manifest(
        &self,
        reference: &ManifestReference,
    ) -> Result<Option<Digest>, RegistryError> {
        let request = |method| {
            let action = format!("{LOOK}manifest `{reference}`");
            Request::new(method, self.manifest_url(reference), action).header(ACCEPT, ACCEPTED)
        };
        let head = request(Method::HEAD);
        let action = head.action.clone();
        let reply = self.follow(head).await?;
        match reply.status.as_u16() {
            404 => return Ok(None),
            200..=299 => {
                if let Some(digest) = reply.digest() {
                    return Ok(Some(digest));
                }
            }
            // A refusal may be meant for this way of asking only, and has no words here.
            400 | 401 | 403 | 405 | 406 | 501 => {}
            // Who is asked too much, or is broken, answers no other way of asking.
            _ => return Err(self.refused(&action, &reply)),
        }
        let request = request(Method::GET).whole(MAX_MANIFEST);
        let action = request.action.clone();
        let reply = self.follow(request).await?;
        match reply.status.as_u16() {
            200..=299 => Ok(Some(self.digest_of(&action, reference, &reply)?)),
            404 => Ok(None),
            _ => Err(self.refused(&action, &reply)),
        }
    }

    fn manifest_url(&self, reference: &ManifestReference) -> Url {
        self.url(&format!("manifests/{reference}"))
    }
}

/// What gzip holds, as far as a manifest may be long; nothing where it is none.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut unpacked = Vec::new();
    let limit = MAX_MANIFEST as u64 + 1;
    let mut reader = MultiGzDecoder::new(bytes).take(limit);
    reader.read_to_end(&mut unpacked).ok()?;
    (unpacked.len() <= MAX_MANIFEST).then_some(unpacked)
}
