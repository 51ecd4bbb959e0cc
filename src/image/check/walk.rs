//! From a descriptor through indexes and manifests down to the layers.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::de::DeserializeOwned;

use super::blobs::Blobs;
use super::loose::{Descriptor, Index, Manifest, Platform};
use super::problem::{Findings, Problem};
use crate::digest::Digest;
use crate::medium::{MANIFEST_LIMIT, read_capped};
use crate::oci::{Family, Kind, LayerCompression, classify};
use crate::report::printable;

const MAX_DEPTH: u32 = 8;

/// One walk; blobs remember what was seen before, so that each layer is read once.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub(super) blobs: &'a mut Blobs,
    pub(super) findings: &'a mut Findings,
    documents: BTreeSet<Digest>,
    /// Uncompressed digests.
    pub(super) layers: BTreeMap<(Digest, LayerCompression), Option<Digest>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(blobs: &'a mut Blobs, findings: &'a mut Findings) -> Self {
        Self {
            blobs,
            findings,
            documents: BTreeSet::new(),
            layers: BTreeMap::new(),
        }
    }

    /// Checks what `descriptor` points at; `depth` counts the indexes above it.
    pub(super) fn follow(
        &mut self,
        at: &str,
        descriptor: &Descriptor,
        depth: u32,
    ) -> io::Result<()> {
        let Some(target) = self.target(at, descriptor)? else {
            return Ok(());
        };
        match classify(&target.media_type) {
            Some((_, Kind::Index)) => self.index(at, &target, depth),
            Some((family, Kind::Manifest)) => {
                self.manifest(&target, family, descriptor.platform.as_ref())
            }
            Some((_, Kind::Config | Kind::Layer(_))) => {
                self.media_type(at, &target.media_type, "that of a manifest or index");
                Ok(())
            }
            // Artifacts of any other kind may stand in an index.
            None => Ok(()),
        }
    }

    /// Checks a descriptor and the content it points at, unless that is not there.
    pub(super) fn target(
        &mut self,
        at: &str,
        descriptor: &Descriptor,
    ) -> io::Result<Option<Target>> {
        let media_type = descriptor.media_type.clone().unwrap_or_default();
        for (field, is_missing) in [
            ("mediaType", media_type.is_empty()),
            ("size", descriptor.size.is_none()),
        ] {
            if is_missing {
                self.missing(at, field);
            }
        }
        let Some(text) = &descriptor.digest else {
            self.missing(at, "digest");
            return Ok(None);
        };
        let Some(digest) = self.digest(at, text) else {
            return Ok(None);
        };
        let is_first = self.blobs.refer(digest);
        let Some(measured) = self.blobs.measure(&digest)? else {
            self.findings.add(Problem::MissingBlob {
                at: at.to_owned(),
                digest,
            });
            return Ok(None);
        };
        if let Some(expected) = descriptor.size.filter(|size| *size != measured.size) {
            self.findings.add(Problem::Size {
                at: at.to_owned(),
                digest,
                expected,
                found: measured.size,
            });
        }
        if is_first && measured.digest != digest {
            self.findings.add(Problem::Content {
                digest,
                found: measured.digest,
            });
        }
        Ok(Some(Target {
            digest,
            size: measured.size,
            media_type,
        }))
    }

    /// The target's content as `T`, unless it is too large or something else.
    pub(super) fn document<T: DeserializeOwned>(
        &mut self,
        at: &str,
        target: &Target,
    ) -> io::Result<Option<T>> {
        if target.size > MANIFEST_LIMIT {
            self.findings.add(Problem::TooLarge {
                at: at.to_owned(),
                size: target.size,
                limit: MANIFEST_LIMIT,
            });
            return Ok(None);
        }
        let bytes = read_capped(&self.blobs.path(&target.digest), MANIFEST_LIMIT)
            .map_err(io::Error::other)?;
        Ok(serde_json::from_slice(&bytes)
            .map_err(|error| {
                self.findings.add(Problem::Json {
                    at: at.to_owned(),
                    error: printable(&error.to_string()),
                });
            })
            .ok())
    }

    fn index(&mut self, at: &str, target: &Target, depth: u32) -> io::Result<()> {
        if depth >= MAX_DEPTH {
            self.findings.add(Problem::TooDeep {
                at: at.to_owned(),
                limit: MAX_DEPTH,
            });
            return Ok(());
        }
        if !self.documents.insert(target.digest) {
            return Ok(());
        }
        let at = format!("index {}", target.digest);
        let Some(index) = self.document::<Index>(&at, target)? else {
            return Ok(());
        };
        self.schema(
            &at,
            index.schema_version,
            index.media_type.as_deref(),
            target,
        );
        let Some(entries) = index.manifests else {
            self.missing(&at, "manifests");
            return Ok(());
        };
        for (position, entry) in entries.iter().enumerate() {
            self.follow(&format!("{at}, entry {}", position + 1), entry, depth + 1)?;
        }
        Ok(())
    }

    fn manifest(
        &mut self,
        target: &Target,
        family: Family,
        platform: Option<&Platform>,
    ) -> io::Result<()> {
        if !self.documents.insert(target.digest) {
            return Ok(());
        }
        let at = format!("manifest {}", target.digest);
        let Some(manifest) = self.document::<Manifest>(&at, target)? else {
            return Ok(());
        };
        let media_type = manifest.media_type.as_deref();
        self.schema(&at, manifest.schema_version, media_type, target);
        if let Some(subject) = manifest.subject.and_then(|subject| subject.digest)
            && let Some(digest) = self.digest(&format!("{at}, subject"), &subject)
        {
            self.blobs.refer(digest);
        }
        let Some(config) = &manifest.config else {
            self.missing(&at, "config");
            return Ok(());
        };
        let config = self.target(&format!("{at}, config"), config)?;
        let layers = manifest.layers.unwrap_or_else(|| {
            self.missing(&at, "layers");
            Vec::new()
        });
        let Some(config) = config else {
            return self.opaque_layers(&at, &layers);
        };
        if let Some((config_family, Kind::Config)) = classify(&config.media_type) {
            if config_family != family {
                self.media_type(&at, &config.media_type, "of its manifest's kind");
            }
            return self.image(&at, family, &config, &layers, platform);
        }
        if manifest.artifact_type.is_none() && layers.iter().any(is_layer) {
            let at = format!("{at}, config");
            self.media_type(&at, &config.media_type, "that of a configuration");
        }
        self.opaque_layers(&at, &layers)
    }

    pub(super) fn opaque_layers(&mut self, at: &str, layers: &[Descriptor]) -> io::Result<()> {
        for (position, descriptor) in layers.iter().enumerate() {
            self.target(&format!("{at}, layer {}", position + 1), descriptor)?;
        }
        Ok(())
    }

    fn schema(
        &mut self,
        at: &str,
        version: Option<u64>,
        media_type: Option<&str>,
        target: &Target,
    ) {
        check_schema(at, version, self.findings);
        // The field may be absent, but not contradict the descriptor.
        if let Some(other) = media_type.filter(|found| *found != target.media_type) {
            self.media_type(at, other, "its descriptor's");
        }
    }

    pub(super) fn digest(&mut self, at: &str, text: &str) -> Option<Digest> {
        let digest = text.parse().ok();
        if digest.is_none() {
            self.findings.add(Problem::Digest {
                at: at.to_owned(),
                text: printable(text),
            });
        }
        digest
    }

    pub(super) fn missing(&mut self, at: &str, field: &'static str) {
        self.findings.add(Problem::MissingField {
            at: at.to_owned(),
            field,
        });
    }

    pub(super) fn media_type(&mut self, at: &str, found: &str, expected: &'static str) {
        self.findings.add(Problem::MediaType {
            at: at.to_owned(),
            found: printable(found),
            expected,
        });
    }
}

/// A blob that is there, whatever its content.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) digest: Digest,
    /// As measured.
    size: u64,
    /// As the descriptor says.
    pub(super) media_type: String,
}

pub(super) fn is_layer(descriptor: &Descriptor) -> bool {
    let kind = descriptor.media_type.as_deref().and_then(classify);
    matches!(kind, Some((_, Kind::Layer(_))))
}

pub(super) fn check_schema(at: &str, version: Option<u64>, findings: &mut Findings) {
    match version {
        Some(2) => {}
        Some(found) => findings.add(Problem::SchemaVersion {
            at: at.to_owned(),
            found,
        }),
        None => findings.add(Problem::MissingField {
            at: at.to_owned(),
            field: "schemaVersion",
        }),
    }
}
