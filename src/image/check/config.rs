//! An image's configuration, and its layers against it.

use std::io;

use super::layer;
use super::loose::{Config, Descriptor, Platform, RootFs};
use super::problem::Problem;
use super::walk::{Target, Walk, is_layer};
use crate::digest::Digest;
use crate::oci::{Family, Kind, LayerCompression, classify};
use crate::report::printable;

impl Walk<'_> {
    pub(super) fn image(
        &mut self,
        at: &str,
        family: Family,
        config: &Target,
        layers: &[Descriptor],
        platform: Option<&Platform>,
    ) -> io::Result<()> {
        let config_at = format!("configuration {}", config.digest);
        let Some(config) = self.document::<Config>(&config_at, config)? else {
            return self.image_layers(at, family, layers, &[]);
        };
        // How BuildKit keeps attestations in an index: configured as images, but not to be run.
        if config.os.as_deref() == Some("unknown") && !layers.iter().any(is_layer) {
            return self.opaque_layers(at, layers);
        }
        self.platform(at, &config_at, platform, &config);
        let diff_ids = self.root_fs(&config_at, config.rootfs);
        if layers.len() != diff_ids.len() {
            self.findings.add(Problem::LayerCount {
                at: at.to_owned(),
                layers: layers.len(),
                diff_ids: diff_ids.len(),
            });
        }
        let history = config.history.unwrap_or_default();
        let history = history
            .iter()
            .filter(|entry| entry.empty_layer != Some(true))
            .count();
        if history != diff_ids.len() {
            self.findings.add(Problem::HistoryCount {
                at: config_at,
                history,
                diff_ids: diff_ids.len(),
            });
        }
        self.image_layers(at, family, layers, &diff_ids)
    }

    fn platform(
        &mut self,
        at: &str,
        config_at: &str,
        descriptor: Option<&Platform>,
        config: &Config,
    ) {
        for (field, value) in [("architecture", &config.architecture), ("os", &config.os)] {
            if value.as_deref().unwrap_or_default().is_empty() {
                self.missing(config_at, field);
            }
        }
        let Some(descriptor) = descriptor else {
            return;
        };
        let config = Platform {
            architecture: config.architecture.clone(),
            os: config.os.clone(),
            variant: config.variant.clone(),
        };
        if !descriptor.fits(&config) {
            self.findings.add(Problem::Platform {
                at: at.to_owned(),
                descriptor: printable(&descriptor.to_string()),
                config: printable(&config.to_string()),
            });
        }
    }

    /// The uncompressed digests as the configuration lists them, `None` for those that are none.
    fn root_fs(&mut self, at: &str, root_fs: Option<RootFs>) -> Vec<Option<Digest>> {
        let Some(root_fs) = root_fs else {
            self.missing(at, "rootfs");
            return Vec::new();
        };
        let kind = root_fs.kind.unwrap_or_default();
        if kind != "layers" {
            self.findings.add(Problem::RootFs {
                at: at.to_owned(),
                found: printable(&kind),
            });
        }
        let Some(diff_ids) = root_fs.diff_ids else {
            self.missing(at, "diff_ids");
            return Vec::new();
        };
        diff_ids
            .iter()
            .enumerate()
            .map(|(position, text)| self.digest(&format!("{at}, layer {}", position + 1), text))
            .collect()
    }

    fn image_layers(
        &mut self,
        at: &str,
        family: Family,
        layers: &[Descriptor],
        diff_ids: &[Option<Digest>],
    ) -> io::Result<()> {
        for (position, descriptor) in layers.iter().enumerate() {
            let at = format!("{at}, layer {}", position + 1);
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
            let expected = diff_ids.get(position).copied().flatten();
            if let (Some(expected), Some(found)) = (expected, found)
                && expected != found
            {
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
        digest: Digest,
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
