//! What docker calls a registry in its files and to its helpers.

use super::endpoint::is_docker_hub;

/// The key under which docker keeps the credential of Docker Hub.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// The host with its port, or a fixed URL for Docker Hub.
pub(in crate::registry) fn server_key(registry: &str) -> String {
    if is_docker_hub(registry) {
        DOCKER_HUB_KEY.to_owned()
    } else {
        registry.to_ascii_lowercase()
    }
}

/// The host, and the path behind it, of a name or of an address as docker takes it, with or without a scheme; the
/// root of a registry's API is no path.
pub(in crate::registry) fn host_and_path(text: &str) -> (&str, &str) {
    let bare = without_scheme(text).unwrap_or(text);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    match path.trim_end_matches('/') {
        "v1" | "v2" => (host, ""),
        path => (host, path),
    }
}

fn without_scheme(text: &str) -> Option<&str> {
    let schemes = ["https://", "http://"];
    schemes.iter().find_map(|scheme| text.strip_prefix(scheme))
}

/// What a key of a file means: a server, and perhaps a part of a repository's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) struct Place {
    /// The server as [`server_key`] has it.
    pub(in crate::registry) server: String,
    /// Empty for the whole server.
    pub(in crate::registry) path: String,
}

impl Place {
    /// What a registry or repository is called in files.
    pub(in crate::registry) fn of_name(name: &str) -> Self {
        let (host, path) = name.split_once('/').unwrap_or((name, ""));
        Self {
            server: server_key(host),
            path: path.trim_end_matches('/').to_owned(),
        }
    }

    /// What a key of a file is about, however it is written.
    pub(in crate::registry) fn of_entry(key: &str) -> Option<Self> {
        let (host, path) = host_and_path(key);
        (!host.is_empty()).then(|| Self {
            server: server_key(host),
            path: path.to_owned(),
        })
    }

    /// What a key of a file is for; `None` for a URL that is for neither. Only the whole host matches, never a part
    /// of it.
    pub(in crate::registry) fn of_key(key: &str) -> Option<Self> {
        // What follows a host in a URL is no repository.
        Self::of_entry(key).filter(|place| without_scheme(key).is_none() || place.path.is_empty())
    }

    /// Whether an entry for this place is for `other`, too, unless there is one for a longer part of its path.
    pub(in crate::registry) fn covers(&self, other: &Self) -> bool {
        let rest = other.path.strip_prefix(&self.path);
        let whole = |rest: &str| self.path.is_empty() || rest.is_empty() || rest.starts_with('/');
        self.server == other.server && rest.is_some_and(whole)
    }
}
