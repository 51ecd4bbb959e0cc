//! What docker calls a registry in its files and to its helpers.

use super::endpoint::is_docker_hub;

/// The key under which docker keeps the credential of Docker Hub.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// The host with its port, or a fixed URL for Docker Hub.
pub(super) fn server_key(registry: &str) -> String {
    if is_docker_hub(registry) {
        DOCKER_HUB_KEY.to_owned()
    } else {
        registry.to_ascii_lowercase()
    }
}

/// What a key of a file means: a server, and perhaps a part of a repository's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The server as [`server_key`] has it.
    pub(super) server: String,
    /// Empty for the whole server.
    pub(super) path: String,
}

impl Place {
    /// What a registry or repository is called in files.
    pub(super) fn of_name(name: &str) -> Self {
        let (host, path) = name.split_once('/').unwrap_or((name, ""));
        Self {
            server: server_key(host),
            path: path.trim_end_matches('/').to_owned(),
        }
    }

    /// What a key of a file means; `None` for a URL that is neither. Only the whole host matches, never a part
    /// of it.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        let scheme = ["https://", "http://"];
        let bare = scheme.iter().find_map(|scheme| key.strip_prefix(scheme));
        let (host, path) = bare
            .unwrap_or(key)
            .split_once('/')
            .unwrap_or_else(|| (bare.unwrap_or(key), ""));
        let path = match path.trim_end_matches('/') {
            // The root of the registry's API.
            "v1" | "v2" => "",
            // What follows a host in a URL is no repository.
            path if bare.is_some() && !path.is_empty() => return None,
            path => path,
        };
        (!host.is_empty()).then(|| Self {
            server: server_key(host),
            path: path.to_owned(),
        })
    }

    /// Whether an entry for this place is for `other`, too, unless there is one for a longer part of its path.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let rest = other.path.strip_prefix(&self.path);
        let whole = |rest: &str| self.path.is_empty() || rest.is_empty() || rest.starts_with('/');
        self.server == other.server && rest.is_some_and(whole)
    }
}
