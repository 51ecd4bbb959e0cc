//! An image's configuration, and its layers against it.

use std::io;

use super::digest::ContentDigest;
use super::json::Field;
use super::loose::{Config, Descriptor, History, List, RootFs, Told};
use super::problem::Problem;
use super::walk::{Target, Walk, is_layer};
use super::{execution, layer};
use crate::digest::Digest;
use crate::image::time::is_rfc3339;
use crate::oci::{Family, Kind, LayerCompression, classify};
use crate::report::printable;

impl Walk<'_> {
    /// An image; `layers` are those of its manifest, where it has a list of them.
    pub(super) fn image(
        &mut self,
        at: &str,
        family: Family,
        config: &Target,
        layers: Option<Vec<Option<Descriptor>>>,
        platform: Option<&Told>,
    ) -> io::Result<()> {
        let config_at = format!("configuration {}", config.digest);
        let count = layers.as_ref().map(Vec::len);
        let layers = layers.unwrap_or_default();
        let Some(mut config) = self.document::<Config>(&config_at, config)? else {
            return self.image_layers(at, family, layers, None);
        };
        let own = config.take_platform();
        // How BuildKit keeps attestations in an index: configured as images, but not to be run.
        let is_unknown = matches!(&own.os, Field::Read(os) if os == "unknown");
        if is_unknown && !layers.iter().flatten().any(is_layer) {
            return self.opaque_layers(at, layers);
        }
        let own = self.told(&config_at, "", own);
        self.platform(at, &config_at, platform, &own);
        self.time(&config_at, "created", config.created);
        self.findings.take(&config_at, "author", config.author);
        if let Some(execution) = self.findings.take(&config_at, "config", config.execution) {
            let is_linux = own.os.as_deref() == Some("linux");
            execution::check(&config_at, execution, is_linux, self.findings);
        }
        let diff_ids = self.root_fs(&config_at, config.rootfs);
        if let (Some(layers), Some(diff_ids)) = (count, &diff_ids)
            && layers != diff_ids.len()
        {
            self.findings.add(Problem::LayerCount {
                at: at.to_owned(),
                layers,
                diff_ids: diff_ids.len(),
            });
        }
        let diff_id_count = diff_ids.as_ref().map(Vec::len);
        self.history(&config_at, config.history, diff_id_count);
        self.image_layers(at, family, layers, diff_ids.as_deref())
    }

    fn platform(&mut self, at: &str, config_at: &str, descriptor: Option<&Told>, config: &Told) {
        for (field, value) in [("architecture", &config.architecture), ("os", &config.os)] {
            if value.as_deref() == Some("") {
                self.missing(config_at, field);
            }
        }
        // What is missing or of another type was told before.
        if let Some(descriptor) = descriptor.filter(|descriptor| {
            descriptor.is_whole() && config.is_whole() && !descriptor.fits(config)
        }) {
            self.findings.add(Problem::Platform {
                at: at.to_owned(),
                descriptor: printable(&descriptor.to_string()),
                config: printable(&config.to_string()),
            });
        }
    }

    fn time(&mut self, at: &str, field: &str, time: Field<String>) {
        let time = self.findings.take(at, field, time);
        if let Some(found) = time.filter(|time| !is_rfc3339(time)) {
            self.findings.add(Problem::Form {
                at: at.to_owned(),
                field: field.to_owned(),
                found: printable(&found),
                expected: "time as of RFC 3339",
            });
        }
    }

    fn history(&mut self, at: &str, history: Field<List<History>>, diff_ids: Option<usize>) {
        let history = self.findings.take(at, "history", history);
        let entries = history.map(|list| self.findings.elements(at, "history", list));
        let entries = entries.unwrap_or_default();
        if entries.is_empty() {
            if diff_ids.is_some_and(|count| count > 0) {
                self.findings.add(Problem::NoHistory { at: at.to_owned() });
            }
            return;
        }
        // Of what cannot be read nobody knows whether it has a layer.
        let mut with_layer = Some(0);
        for (position, entry) in entries.into_iter().enumerate() {
            let Some(entry) = entry else {
                with_layer = None;
                continue;
            };
            let named = |field: &str| format!("history[{position}].{field}");
            self.time(at, &named("created"), entry.created);
            for (field, text) in [
                ("created_by", entry.created_by),
                ("author", entry.author),
                ("comment", entry.comment),
            ] {
                self.findings.take(at, &named(field), text);
            }
            let is_wrong = matches!(entry.empty_layer, Field::Wrong(_));
            let is_empty = self
                .findings
                .take(at, &named("empty_layer"), entry.empty_layer);
            with_layer = with_layer
                .filter(|_| !is_wrong)
                .map(|count| count + usize::from(is_empty != Some(true)));
        }
        if let (Some(history), Some(diff_ids)) = (with_layer, diff_ids)
            && history != diff_ids
        {
            self.findings.add(Problem::HistoryCount {
                at: at.to_owned(),
                history,
                diff_ids,
            });
        }
    }

    /// The uncompressed digests as the configuration lists them, `None` for those that are none, and where
    /// there is no list.
    fn root_fs(&mut self, at: &str, root_fs: Field<RootFs>) -> Option<Vec<Option<ContentDigest>>> {
        let root_fs = self.findings.required(at, "rootfs", root_fs)?;
        let kind = self.findings.required(at, "rootfs.type", root_fs.kind);
        if let Some(kind) = kind.filter(|kind| kind != "layers") {
            self.findings.add(Problem::RootFs {
                at: at.to_owned(),
                found: printable(&kind),
            });
        }
        let diff_ids = root_fs.diff_ids;
        let diff_ids = self.findings.required(at, "rootfs.diff_ids", diff_ids)?;
        let diff_ids = self.findings.elements(at, "rootfs.diff_ids", diff_ids);
        let numbered = diff_ids.into_iter().enumerate();
        let digests = numbered.map(|(position, text)| {
            text.and_then(|text| self.digest(&format!("{at}, layer {}", position + 1), &text))
        });
        Some(digests.collect())
    }

    fn image_layers(
        &mut self,
        at: &str,
        family: Family,
        layers: Vec<Option<Descriptor>>,
        diff_ids: Option<&[Option<ContentDigest>]>,
    ) -> io::Result<()> {
        for (position, descriptor) in layers.into_iter().enumerate() {
            let at = format!("{at}, layer {}", position + 1);
            let Some(descriptor) = descriptor else {
                continue;
            };
            let Some(target) = self.target(&at, descriptor)? else {
                continue;
            };
            let Some((layer_family, Kind::Layer(compression))) = classify(&target.media_type)
            else {
                self.media_type(&at, &target.media_type, "that of a layer");
                continue;
            };
            if layer_family != family {
                self.media_type(&at, &target.media_type, "of its manifest's kind");
            }
            let found = self.layer(target.digest, compression)?;
            let expected = diff_ids.and_then(|diff_ids| *diff_ids.get(position)?);
            let (Some(expected), Some(found)) = (expected, found) else {
                continue;
            };
            let found = match expected {
                ContentDigest::Sha256(_) => found.into(),
                ContentDigest::Sha512(_) => {
                    let path = self.blobs.path(&target.digest);
                    layer::digest_as(&expected, &path, compression)?
                }
            };
            if expected != found {
                self.findings.add(Problem::DiffId {
                    at,
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }

    /// The layer's uncompressed digest, computed once however many images share it.
    fn layer(
        &mut self,
        digest: ContentDigest,
        compression: LayerCompression,
    ) -> io::Result<Option<Digest>> {
        if let Some(known) = self.layers.get(&(digest, compression)) {
            return Ok(*known);
        }
        let path = self.blobs.path(&digest);
        let diff_id = layer::check(&path, digest, compression, self.findings)?;
        self.layers.insert((digest, compression), diff_id);
        Ok(diff_id)
    }
}
