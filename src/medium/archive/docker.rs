//! `manifest.json`, docker's list of the images in an archive (moby, `image/spec/spec.md`).

use serde::{Deserialize, Serialize};

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(super) struct DockerImage {
    /// The entry that holds the configuration.
    pub(super) config: String,
    /// `NAME:TAG` each. Go writes an empty list as `null`.
    #[serde(default)]
    pub(super) repo_tags: Option<Vec<String>>,
    /// The entries that hold the layers, lowest first.
    #[serde(default)]
    pub(super) layers: Option<Vec<String>>,
}

/// The full name that docker and containerd know `NAME:TAG` by: what names no registry is docker's.
pub(super) fn full_name(name: &str) -> String {
    match name.split_once('/') {
        Some((host, _)) if crate::reference::names_a_registry(host) => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
        None => format!("docker.io/library/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::full_name;

    #[test]
    fn names_without_a_registry_are_dockers() {
        for (name, full) in [
            ("orders:1", "docker.io/library/orders:1"),
            ("shop/orders:1", "docker.io/shop/orders:1"),
            ("localhost/orders:1", "localhost/orders:1"),
            ("ghcr.io/shop/orders:1", "ghcr.io/shop/orders:1"),
            ("localhost:5000/orders:1", "localhost:5000/orders:1"),
        ] {
            assert_eq!(full_name(name), full);
        }
    }
}
