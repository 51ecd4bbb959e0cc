//! Our own checker, let loose on everything that tests make.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_lighter::image::{Problem, check_layout};
use cargo_lighter::medium::{LayoutReader, REF_NAME};
use serde_json::Value;
use tempfile::TempDir;

use super::tools::run;

/// Fails if the checker finds anything wrong with a layout.
#[track_caller]
pub(crate) fn assert_sound(layout: &Path) {
    assert_sound_but_for(layout, &[]);
}

/// The same for a layout that also holds `foreign` blobs, which nothing refers to.
#[track_caller]
pub(crate) fn assert_sound_but_for(layout: &Path, foreign: &[PathBuf]) {
    let name = |path: &PathBuf| path.file_name().map(ToOwned::to_owned);
    let known: Vec<_> = foreign.iter().filter_map(name).collect();
    let mut problems = check_layout(layout).expect("readable");
    problems.retain(|problem| match problem {
        Problem::Unreferenced { .. } => {
            let text = problem.to_string();
            !known
                .iter()
                .any(|name| text.contains(&*name.to_string_lossy()))
        }
        _ => true,
    });
    assert!(problems.is_empty(), "{}: {problems:#?}", layout.display());
}

/// A layout that was copied from a registry without changing a digest.
#[derive(Debug)]
pub(crate) struct Copied {
    directory: TempDir,
}

impl Copied {
    /// Copies `REPO/SERVICE:latest` for each service, and checks the result.
    #[track_caller]
    pub(crate) fn of_registry(repo: &str, services: &[&str], credentials: Option<&str>) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        for service in services {
            let mut command = Command::new("skopeo");
            command.args(["copy", "-q", "--all", "--preserve-digests"]);
            command.arg("--src-tls-verify=false");
            if let Some(credentials) = credentials {
                command.args(["--src-creds", credentials]);
            }
            let layout = directory.path().join("layout");
            run(command
                .arg(format!("docker://{repo}/{service}:latest"))
                .arg(format!("oci:{}:{service}:latest", layout.display())));
        }
        let copied = Self { directory };
        assert_sound(&copied.layout());
        copied
    }

    /// Where it is.
    pub(crate) fn layout(&self) -> PathBuf {
        self.directory.path().join("layout")
    }
}

/// An image of a layout, as its documents describe it.
#[derive(Debug)]
pub(crate) struct Described {
    /// The manifest.
    pub(crate) manifest: Value,
    /// The configuration.
    pub(crate) config: Value,
    layout: PathBuf,
}

impl Described {
    /// The image that is named `NAME:TAG`.
    #[track_caller]
    pub(crate) fn of(layout: &Path, name: &str) -> Self {
        let reader = LayoutReader::open(layout).expect("a layout");
        let descriptor = reader.resolve(Some(name)).expect("the image is there");
        let manifest = reader.read_document(&descriptor).expect("readable");
        let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
        let config = fs_err::read(blob(layout, &manifest["config"])).expect("readable");
        Self {
            manifest,
            config: serde_json::from_slice(&config).expect("JSON"),
            layout: layout.to_owned(),
        }
    }

    /// Digests of the layers, lowest first.
    pub(crate) fn layers(&self) -> Vec<String> {
        let layers = self.manifest["layers"].as_array().expect("a list");
        layers
            .iter()
            .map(|layer| layer["digest"].as_str().expect("a string").to_owned())
            .collect()
    }

    /// Bytes of all layers and the configuration, as they are stored and sent.
    pub(crate) fn size(&self) -> u64 {
        let layers = self.manifest["layers"].as_array().expect("a list");
        layers
            .iter()
            .chain([&self.manifest["config"]])
            .map(|descriptor| descriptor["size"].as_u64().expect("a number"))
            .sum()
    }

    /// The file of a layer.
    pub(crate) fn layer_file(&self, index: usize) -> PathBuf {
        blob(&self.layout, &self.manifest["layers"][index])
    }

    /// Names of all files, of all layers.
    pub(crate) fn files(&self) -> Vec<String> {
        let layers = 0..self.layers().len();
        let list = |index| run(Command::new("tar").arg("-tf").arg(self.layer_file(index)));
        let listed: Vec<String> = layers.map(list).collect();
        let names = listed.iter().flat_map(|text| text.lines());
        names.map(str::to_owned).collect()
    }

    /// The bytes of `/app/NAME`.
    pub(crate) fn executable(&self, name: &str) -> Vec<u8> {
        let last = self.layer_file(self.layers().len() - 1);
        let output = super::tools::output(
            Command::new("tar")
                .arg("-xOf")
                .arg(last)
                .arg(format!("app/{name}")),
        );
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }
}

/// Names of the images of a layout, sorted.
pub(crate) fn names(layout: &Path) -> Vec<String> {
    let index: Value = read_json(&layout.join("index.json"));
    let entries = index["manifests"].as_array().expect("a list");
    let name = |entry: &Value| entry["annotations"][REF_NAME].as_str().map(str::to_owned);
    let mut names: Vec<String> = entries.iter().filter_map(name).collect();
    names.sort();
    names
}

/// Digests of all blobs of a layout, sorted.
pub(crate) fn blobs(layout: &Path) -> Vec<String> {
    let entries = fs_err::read_dir(layout.join("blobs/sha256")).expect("readable");
    let name = |entry: fs_err::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries
        .map(|entry| name(entry.expect("readable")))
        .collect();
    names.sort();
    names
}

/// A file as JSON.
#[track_caller]
pub(crate) fn read_json(path: &Path) -> Value {
    let bytes = fs_err::read(path).expect("readable");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn blob(layout: &Path, descriptor: &Value) -> PathBuf {
    let digest = descriptor["digest"].as_str().expect("a digest");
    layout.join("blobs").join(digest.replace(':', "/"))
}
