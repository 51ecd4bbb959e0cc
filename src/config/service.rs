//! The configuration of one service: every key with a typed value.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::assets::{Asset, Input, assets, inputs};
use super::entries::{label, variable};
use super::execution::{directory, image_file, image_files, image_paths, ports, stop_signal, user};
use super::keys;
use super::names;
use super::origin::Value;
use super::reader::{Explained, Reader, UNSET};
use super::values::{
    Builder, Compression, Created, Linkage, Port, User, boolean, builder, command, compression,
    compression_level, created, library_root, linkage, profile, texts, words as some_words,
};
use crate::fs::ImagePath;
use crate::template::{Pattern, PatternError};

/// The configuration of one service, validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Registry and prefix that images are pushed to.
    pub repo: Value<Option<String>>,
    /// The image's name; see [`ServiceConfig::image_name`].
    pub name: Value<Pattern>,
    /// Tags with [`TAG_PLACEHOLDERS`](names::TAG_PLACEHOLDERS); at least one, each once.
    pub tags: Value<Vec<Pattern>>,
    /// Where the executable goes.
    pub path: Value<ImagePath>,
    /// Symbolic links to it; none of them is `path`.
    pub links: Value<Vec<ImagePath>>,
    /// cargo's profile.
    pub profile: Value<String>,
    /// Features, which the package has or which name another package's (`other/feature`).
    pub features: Value<Vec<String>>,
    /// Whether all features are activated.
    pub all_features: Value<bool>,
    /// Whether the default features are left out.
    pub no_default_features: Value<bool>,
    /// What compiles.
    pub builder: Value<Builder>,
    /// How the C library is linked.
    pub linkage: Value<Linkage>,
    /// Whether the executable is independent of the checkout's path.
    pub remap_paths: Value<bool>,
    /// Where shared libraries are taken from, absolute.
    pub library_root: Value<PathBuf>,
    /// Paths or sonames of libraries to add.
    pub extra_libs: Value<Vec<String>>,
    /// User and group of the process.
    pub user: Value<User>,
    /// Where the process starts: an absolute path in the image, maybe `/`.
    pub workdir: Value<String>,
    /// Arguments that a caller may replace.
    pub args: Value<Vec<String>>,
    /// Variables of the process, merged from all layers.
    pub env: Value<BTreeMap<String, String>>,
    /// Ports it listens on.
    pub ports: Value<BTreeSet<Port>>,
    /// Directories that hold data from outside.
    pub volumes: Value<BTreeSet<ImagePath>>,
    /// What stops it, when not SIGTERM: a signal's name or number.
    pub stop_signal: Value<Option<String>>,
    /// Arguments with which the executable checks itself; never empty.
    pub healthcheck: Value<Option<Vec<String>>>,
    /// Labels of the image, merged from all layers.
    pub labels: Value<BTreeMap<String, String>>,
    /// Annotations of the manifest, merged from all layers.
    pub annotations: Value<BTreeMap<String, String>>,
    /// The time that the image states.
    pub created: Value<Created>,
    /// Files to add.
    pub assets: Value<Vec<Asset>>,
    /// What the build reads that no scan can see.
    pub inputs: Value<Vec<Input>>,
    /// Whether root certificates are added.
    pub ca_certificates: Value<bool>,
    /// Whether time zones are added.
    pub tzdata: Value<bool>,
    /// How layers are compressed.
    pub compression: Value<Compression>,
    /// The level: 0 to 9 for gzip, 1 to 19 for zstd, `None` for the compression's own default and
    /// where nothing is compressed.
    pub compression_level: Value<Option<i32>>,
    pub(super) words: BTreeMap<&'static str, String>,
    explanation: Vec<Explained>,
}

impl ServiceConfig {
    /// Reads every key. `path` is where the executable goes unless a layer says otherwise, `words`
    /// are the values of the placeholders of `name` but for `repo`.
    pub(super) fn read(
        mut reader: Reader,
        path: ImagePath,
        words: BTreeMap<&'static str, String>,
    ) -> Self {
        let reading = &mut reader;
        let mut config = Self {
            repo: reading.optional(keys::REPO, names::repo),
            name: reading.value(keys::NAME, names::name),
            tags: reading.value(keys::TAGS, names::tags),
            path: reading.value_or(keys::PATH, image_file, path),
            links: reading.value(keys::LINKS, image_files),
            profile: reading.value(keys::PROFILE, profile),
            features: reading.value(keys::FEATURES, some_words),
            all_features: reading.value(keys::ALL_FEATURES, boolean),
            no_default_features: reading.value(keys::NO_DEFAULT_FEATURES, boolean),
            builder: reading.value(keys::BUILDER, builder),
            linkage: reading.value(keys::LINKAGE, linkage),
            remap_paths: reading.value(keys::REMAP_PATHS, boolean),
            library_root: reading.value(keys::LIBRARY_ROOT, library_root),
            extra_libs: reading.value(keys::EXTRA_LIBS, some_words),
            user: reading.value(keys::USER, user),
            workdir: reading.value(keys::WORKDIR, directory),
            args: reading.value(keys::ARGS, texts),
            env: reading.table(keys::ENV, variable),
            ports: reading.value(keys::PORTS, ports),
            volumes: reading.value(keys::VOLUMES, image_paths),
            stop_signal: reading.optional(keys::STOP_SIGNAL, stop_signal),
            healthcheck: reading.optional(keys::HEALTHCHECK, command),
            labels: reading.table(keys::LABELS, label),
            annotations: reading.table(keys::ANNOTATIONS, label),
            created: reading.value(keys::CREATED, created),
            assets: reading.value(keys::ASSETS, assets),
            inputs: reading.value(keys::INPUTS, inputs),
            ca_certificates: reading.value(keys::CA_CERTIFICATES, boolean),
            tzdata: reading.value(keys::TZDATA, boolean),
            compression: reading.value(keys::COMPRESSION, compression),
            compression_level: reading.optional(keys::COMPRESSION_LEVEL, compression_level),
            words,
            explanation: Vec::new(),
        };
        config.explanation = reader.finish();
        config
    }

    /// The image's name in `repo`, a registry with or without a prefix such as `ghcr.io/acme`, which
    /// may be another than the configured one: `ghcr.io/acme/orders`. A `name` without `{repo}`
    /// gives the same in every `repo`.
    ///
    /// # Errors
    /// Never for a service of a [`Config`](super::Config), whose patterns were checked.
    pub fn image_name(&self, repo: &str) -> Result<String, PatternError> {
        let mut values = self.words.clone();
        values.insert("repo", repo.to_owned());
        self.name.value.render(&values)
    }

    /// The image's name where there is no registry: [`ServiceConfig::image_name`] without what
    /// stands for `{repo}`, such as `orders`; the service's mapped name if nothing else is left.
    ///
    /// # Errors
    /// As [`ServiceConfig::image_name`].
    pub fn short_name(&self) -> Result<String, PatternError> {
        let rendered = self.image_name("")?;
        let short = rendered.trim_start_matches(['/', '.', '_', '-']);
        if short.is_empty() {
            return Ok(self.words.get("service").cloned().unwrap_or_default());
        }
        Ok(short.to_owned())
    }

    /// Drops a level that belongs to another compression.
    pub(super) fn forget_compression_level(&mut self) {
        self.compression_level = Value {
            value: None,
            origin: self.compression.origin.clone(),
        };
        let key = keys::COMPRESSION_LEVEL.name;
        for row in self.explanation.iter_mut().filter(|row| row.key == key) {
            UNSET.clone_into(&mut row.value);
            row.origin = self.compression.origin.clone();
        }
    }

    /// Every value as a manifest would write it and where it comes from, in the order of
    /// [`keys::KEYS`]. Nothing in a configuration is secret.
    pub fn explain(&self) -> &[Explained] {
        &self.explanation
    }
}
