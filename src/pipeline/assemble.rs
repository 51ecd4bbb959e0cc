//! One executable and its service's settings to one image.

use std::collections::BTreeMap;
use std::path::Path;

use super::check::compression;
use super::shared_layers::{APPLICATION, ASSETS, SharedLayers};
use super::stack::stack;
use super::{Checked, PipelineError};
use crate::compile::Artifact;
use crate::config::{Created, Linkage, ServiceConfig, User};
use crate::fs::{Content, ImagePath, Node, Owner, Tree, TreeError};
use crate::image::{self, Image, LayerEntry, Settings};
use crate::layer::{Layer, collect_assets};
use crate::plan::{Plan, PlannedService};
use crate::report::LibrarySummary;
use crate::runtime::{self, LibraryRoot, RuntimeFiles};
use crate::since::Revision;

/// Mode of the executable: nobody, not even its owner, needs to write to it.
const EXECUTABLE: u32 = 0o755;
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// An image and what is in it.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) image: Image,
    pub(super) layers: Vec<Layer>,
    pub(super) libraries: Vec<LibrarySummary>,
    pub(super) warnings: Vec<String>,
}

impl Assembled {
    /// Its size as it is stored and moved: layers, configuration and manifest.
    pub(super) fn bytes(&self) -> u64 {
        let documents = [&self.image.config, &self.image.manifest];
        let layers = self.layers.iter().map(|layer| layer.descriptor.size);
        let documents = documents.map(|document| document.descriptor().size);
        layers.chain(documents).sum()
    }
}

/// Makes the image of the service at `index` of the plan from its executable.
pub(super) fn assemble(
    plan: &Plan,
    index: usize,
    artifact: &Artifact,
    checked: &Checked,
    layers: &SharedLayers<'_>,
) -> Result<Assembled, PipelineError> {
    let service = &plan.services[index];
    let config = &service.config;
    let root = &config.library_root.value;
    let library_root = match checked.library_roots.get(root) {
        Some(library_root) => library_root,
        None => &LibraryRoot::open(root)?,
    };
    let files = runtime::find(&runtime::Request {
        service: &service.service,
        executable: &artifact.executable,
        platform: &service.platform,
        library_root,
        extra_libraries: &config.extra_libs.value,
        ca_certificates: config.ca_certificates.value,
        tzdata: config.tzdata.value,
    })?;
    if config.linkage.value == Linkage::Static && files.linkage != runtime::Linkage::Static {
        return Err(PipelineError::NotStatic(service.service.clone()));
    }
    let assets = collect_assets(
        &config.assets.value,
        &plan.repository_root,
        &plan.target_directory,
    )?
    .tree;
    let application = application_tree(config, &artifact.executable)?;
    let layers = make_layers(plan, index, layers, &files, &assets, &application)?;
    let entries: Vec<LayerEntry> = layers
        .iter()
        .map(|layer| LayerEntry {
            descriptor: layer.descriptor.clone(),
            diff_id: layer.diff_id,
            purpose: layer.purpose.clone(),
        })
        .collect();
    let created = created(plan, config, checked.revision.as_ref());
    let settings = settings(service, image::rfc3339(created)?);
    let image = image::assemble(&settings, &entries)?;
    Ok(Assembled {
        image,
        layers,
        libraries: files.found,
        warnings: files.warnings,
    })
}

/// Lowest first; those with nothing in them are left out.
fn make_layers(
    plan: &Plan,
    index: usize,
    layers: &SharedLayers<'_>,
    files: &RuntimeFiles,
    assets: &Tree,
    application: &Tree,
) -> Result<Vec<Layer>, PipelineError> {
    let compression = compression(&plan.services[index])?;
    let stacked = stack(&[
        ("runtime", &files.base),
        ("glibc", &files.glibc),
        ("libraries", &files.libraries),
        (ASSETS, assets),
        (APPLICATION, application),
    ])?;
    stacked
        .iter()
        .filter(|(_, tree)| !tree.is_empty())
        .map(|(purpose, tree)| layers.make(index, tree, purpose, compression))
        .collect()
}

/// The executable, links to it, and directories that must exist.
pub(super) fn application_tree(
    config: &ServiceConfig,
    executable: &Path,
) -> Result<Tree, TreeError> {
    let mut tree = Tree::new();
    let content = Content::File(executable.to_owned());
    let path = &config.path.value;
    tree.insert(
        path.clone(),
        Node::File {
            mode: EXECUTABLE,
            content,
        },
    )?;
    for link in &config.links.value {
        tree.insert(
            link.clone(),
            Node::Symlink {
                target: path.absolute(),
            },
        )?;
    }
    let User { uid, gid } = config.user.value;
    let owner = Owner { uid, gid };
    for volume in &config.volumes.value {
        tree.insert(volume.clone(), Node::Directory { mode: 0o755, owner })?;
    }
    if let Ok(workdir) = ImagePath::new(&config.workdir.value)
        && !matches!(tree.get(&workdir), Some(Node::Directory { .. }))
    {
        tree.insert(
            workdir,
            Node::Directory {
                mode: 0o755,
                owner: Owner::ROOT,
            },
        )?;
    }
    Ok(tree)
}

/// Seconds since 1970 that the image says it was made: `SOURCE_DATE_EPOCH` always wins.
pub(super) fn created(plan: &Plan, config: &ServiceConfig, revision: Option<&Revision>) -> u64 {
    let commit = revision.map(|revision| revision.committed);
    match (plan.source_date_epoch, config.created.value) {
        (Some(epoch), _) => epoch,
        (None, Created::Commit) => commit.unwrap_or_default(),
        (None, Created::Epoch) => 0,
    }
}

pub(super) fn settings(service: &PlannedService, created: String) -> Settings {
    let config = &service.config;
    let executable = config.path.value.absolute();
    let healthcheck = config.healthcheck.value.as_ref().map(|words| {
        std::iter::once(executable.clone())
            .chain(words.iter().cloned())
            .collect()
    });
    Settings {
        platform: service.platform.clone(),
        created,
        user: config.user.value.to_string(),
        workdir: config.workdir.value.clone(),
        entrypoint: vec![executable],
        args: config.args.value.clone(),
        env: environment(config).into_iter().collect(),
        ports: config.ports.value.iter().map(ToString::to_string).collect(),
        volumes: config
            .volumes
            .value
            .iter()
            .map(ImagePath::absolute)
            .collect(),
        stop_signal: config.stop_signal.value.clone(),
        healthcheck,
        labels: service.labels.clone(),
        annotations: service.annotations.clone(),
    }
}

/// Where executables are looked for: in the service's directory first, unless that is where all are.
fn search_path(directory: Option<&str>) -> String {
    let is_among = |directory: &&str| PATH.split(':').any(|other| other == *directory);
    match directory.filter(|directory| !is_among(directory)) {
        Some(directory) => format!("{directory}:{PATH}"),
        None => PATH.to_owned(),
    }
}

/// Variables that every image has, unless the user says otherwise.
fn environment(config: &ServiceConfig) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let directory = config.path.value.parent().map(|parent| parent.absolute());
    variables.insert("PATH".to_owned(), search_path(directory.as_deref()));
    if config.ca_certificates.value {
        variables.insert("SSL_CERT_FILE".to_owned(), CERTIFICATES.to_owned());
    }
    variables.extend(config.env.value.clone());
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It stood there twice.
    #[test]
    fn a_directory_of_executables_is_not_named_twice() {
        let usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        assert_eq!(search_path(Some("/app")), format!("/app:{usual}"));
        for directory in [Some("/usr/local/bin"), Some("/bin"), None] {
            assert_eq!(search_path(directory), usual);
        }
    }
}
