//! From a descriptor through indexes and manifests down to the layers.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::blobs::Blobs;
use super::digest::{ContentDigest, Written};
use super::findings::Findings;
use super::json::{Field, Shape};
use super::loose::{Descriptor, Index, Manifest, Told};
use super::problem::Problem;
use crate::digest::Digest;
use crate::medium::{MANIFEST_LIMIT, read_capped};
use crate::oci::{Family, Kind, LayerCompression, classify, may_not_be_handed_on};
use crate::report::printable;

const MAX_DEPTH: u32 = 8;
/// The configuration of what has none (image-spec, manifest.md, "Guidance for an Empty Descriptor").
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// One walk; blobs remember what was seen before, so that each layer is read once.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub(super) blobs: &'a mut Blobs,
    pub(super) findings: &'a mut Findings,
    documents: BTreeSet<ContentDigest>,
    /// Of the document that is read.
    pub(super) family: Family,
    /// Uncompressed digests.
    pub(super) layers: BTreeMap<(ContentDigest, LayerCompression), Option<Digest>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(blobs: &'a mut Blobs, findings: &'a mut Findings) -> Self {
        Self {
            blobs,
            findings,
            documents: BTreeSet::new(),
            family: Family::Oci,
            layers: BTreeMap::new(),
        }
    }

    /// Checks what `descriptor` points at; `depth` counts the indexes above it.
    pub(super) fn follow(
        &mut self,
        at: &str,
        descriptor: Descriptor,
        depth: u32,
    ) -> io::Result<()> {
        let Some(target) = self.target(at, descriptor)? else {
            return Ok(());
        };
        // Artifacts of any other kind may stand in an index.
        let Some((family, kind)) = classify(&target.media_type) else {
            return Ok(());
        };
        let around = std::mem::replace(&mut self.family, family);
        match kind {
            Kind::Index => self.index(at, &target, depth)?,
            Kind::Manifest => self.manifest(&target, family)?,
            Kind::Config | Kind::Layer(_) => {
                self.media_type(at, &target.media_type, "that of a manifest or index");
            }
        }
        self.family = around;
        Ok(())
    }

    /// Checks a descriptor and the content it points at, unless that is not there.
    pub(super) fn target(
        &mut self,
        at: &str,
        descriptor: Descriptor,
    ) -> io::Result<Option<Target>> {
        let described = self.describe(at, descriptor);
        let Some(digest) = described.digest else {
            return Ok(None);
        };
        let is_first = self.blobs.refer(digest);
        let Some(measured) = self.blobs.measure(&digest)? else {
            let at = at.to_owned();
            let may_be_elsewhere = may_not_be_handed_on(&described.media_type);
            self.findings
                .add(if may_be_elsewhere && described.has_urls {
                    Problem::Elsewhere { at, digest }
                } else {
                    Problem::MissingBlob { at, digest }
                });
            return Ok(None);
        };
        if let Some(expected) = described.size.filter(|size| *size != measured.size) {
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
            media_type: described.media_type,
            platform: described.platform,
        }))
    }

    /// The target's content as `T`, unless it is too large or something else.
    pub(super) fn document<T: Shape>(
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
        Ok(Field::document(&bytes)
            .map_err(|error| {
                self.findings.add(Problem::Json {
                    at: at.to_owned(),
                    error,
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
        self.schema(&at, index.schema_version, index.media_type, target);
        self.findings.take(&at, "artifactType", index.artifact_type);
        self.findings
            .annotations(&at, self.family, index.annotations);
        self.subject(&at, index.subject);
        let entries = self
            .findings
            .required(&at, "manifests", index.manifests)
            .unwrap_or_default();
        let entries = self.findings.elements(&at, "manifests", entries);
        for (position, entry) in entries.into_iter().enumerate() {
            if let Some(entry) = entry {
                self.follow(&format!("{at}, entry {}", position + 1), entry, depth + 1)?;
            }
        }
        Ok(())
    }

    fn manifest(&mut self, target: &Target, family: Family) -> io::Result<()> {
        if !self.documents.insert(target.digest) {
            return Ok(());
        }
        let at = format!("manifest {}", target.digest);
        let Some(manifest) = self.document::<Manifest>(&at, target)? else {
            return Ok(());
        };
        self.schema(&at, manifest.schema_version, manifest.media_type, target);
        let artifact_type = manifest.artifact_type;
        let artifact_type = self.findings.take(&at, "artifactType", artifact_type);
        self.findings.annotations(&at, family, manifest.annotations);
        self.subject(&at, manifest.subject);
        let config = self.findings.required(&at, "config", manifest.config);
        let Some(config) = config else {
            return Ok(());
        };
        let config = self.target(&format!("{at}, config"), config)?;
        let layers = self
            .findings
            .required(&at, "layers", manifest.layers)
            .map(|layers| self.findings.elements(&at, "layers", layers));
        let Some(config) = config else {
            return self.opaque_layers(&at, layers.unwrap_or_default());
        };
        if let Some((config_family, Kind::Config)) = classify(&config.media_type) {
            if config_family != family {
                self.media_type(&at, &config.media_type, "of its manifest's kind");
            }
            return self.image(&at, family, &config, layers, target.platform.as_ref());
        }
        let layers = layers.unwrap_or_default();
        if artifact_type.is_none() && layers.iter().flatten().any(is_layer) {
            let at = format!("{at}, config");
            self.media_type(&at, &config.media_type, "that of a configuration");
        } else if artifact_type.is_none() && config.media_type == EMPTY {
            self.missing(&at, "artifactType");
        }
        self.opaque_layers(&at, layers)
    }

    pub(super) fn opaque_layers(
        &mut self,
        at: &str,
        layers: Vec<Option<Descriptor>>,
    ) -> io::Result<()> {
        for (position, descriptor) in layers.into_iter().enumerate() {
            if let Some(descriptor) = descriptor {
                self.target(&format!("{at}, layer {}", position + 1), descriptor)?;
            }
        }
        Ok(())
    }

    /// What an artifact is about need not be there.
    fn subject(&mut self, at: &str, subject: Field<Descriptor>) {
        if let Some(subject) = self.findings.take(at, "subject", subject) {
            let subject = self.describe(&format!("{at}, subject"), subject);
            if let Some(digest) = subject.digest {
                self.blobs.refer(digest);
            }
        }
    }

    fn schema(
        &mut self,
        at: &str,
        version: Field<u64>,
        media_type: Field<String>,
        target: &Target,
    ) {
        check_schema(at, version, self.findings);
        // The field may be absent, but not contradict the descriptor.
        let own = self.findings.take(at, "mediaType", media_type);
        if let Some(other) = own.filter(|found| *found != target.media_type) {
            self.media_type(at, &other, "its descriptor's");
        }
    }

    /// A digest that can be checked; `None` after what is wrong with another one was noted.
    pub(super) fn digest(&mut self, at: &str, text: &str) -> Option<ContentDigest> {
        let written = Written::of(text);
        if let Some(Written::Known(digest)) = written {
            return Some(digest);
        }
        let (at, text) = (at.to_owned(), printable(text));
        self.findings.add(match written {
            None => Problem::Digest { at, text },
            Some(_) => Problem::Unchecked { at, text },
        });
        None
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
    pub(super) digest: ContentDigest,
    /// As measured.
    size: u64,
    /// As the descriptor says.
    pub(super) media_type: String,
    /// As the descriptor says.
    platform: Option<Told>,
}

pub(super) fn is_layer(descriptor: &Descriptor) -> bool {
    let Field::Read(media_type) = &descriptor.media_type else {
        return false;
    };
    matches!(classify(media_type), Some((_, Kind::Layer(_))))
}

pub(super) fn check_schema(at: &str, version: Field<u64>, findings: &mut Findings) {
    let version = findings.required(at, "schemaVersion", version);
    if let Some(found) = version.filter(|version| *version != 2) {
        findings.add(Problem::SchemaVersion {
            at: at.to_owned(),
            found,
        });
    }
}
