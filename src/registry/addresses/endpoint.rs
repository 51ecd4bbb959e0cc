//! Where a registry listens.

use reqwest::Url;

use super::address;
use crate::reference::{Repository, without_login};
use crate::registry::errors::error::RegistryError;

/// The names under which people and tools know Docker Hub.
const DOCKER_HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

/// Whether a host is one of Docker Hub's names.
pub(in crate::registry) fn is_docker_hub(host: &str) -> bool {
    DOCKER_HUB.contains(&host.to_ascii_lowercase().as_str())
}

/// A registry's name as the user wrote it, and the URL of its API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) struct Endpoint {
    registry: String,
    base: Url,
}

impl Endpoint {
    /// The endpoint of `HOST[:PORT]`: https, or plain http where the host is this machine.
    pub(in crate::registry) fn of(registry: &str) -> Result<Self, RegistryError> {
        let secure = Self::over("https", registry)?;
        if secure
            .base
            .host()
            .is_some_and(|host| address::is_loopback(&host))
        {
            return Self::over("http", registry);
        }
        Ok(secure)
    }

    /// The endpoint with this scheme, wherever it is.
    pub(in crate::registry) fn over(scheme: &str, registry: &str) -> Result<Self, RegistryError> {
        let refuse = |why| RegistryError::InvalidRegistry {
            name: without_login(registry),
            why,
        };
        let illegal_port = |(_, port): (&str, &str)| {
            !port.is_empty()
                && port.parse::<u16>().is_err()
                && port.bytes().all(|b| b.is_ascii_digit())
        };
        if registry.rsplit_once(':').is_some_and(illegal_port) {
            return Err(refuse("ports end at 65535"));
        }
        if registry.contains(['/', '\\', '@', '?', '#']) || registry.contains(char::is_whitespace) {
            return Err(refuse("only a host and perhaps a port belong here"));
        }
        let host = if is_docker_hub(registry) {
            DOCKER_HUB_HOST
        } else {
            registry
        };
        let base = Url::parse(&format!("{scheme}://{host}/"))
            .map_err(|_| refuse("it is not a legal host name"))?;
        Ok(Self {
            registry: registry.to_owned(),
            base,
        })
    }

    /// The name as the user wrote it.
    pub(in crate::registry) fn registry(&self) -> &str {
        &self.registry
    }

    /// Whether an URL is the registry's own: same scheme, host and port. Nothing else gets its
    /// credentials.
    pub(in crate::registry) fn owns(&self, url: &Url) -> bool {
        self.base.origin() == url.origin()
    }

    /// Whether an URL names the registry's host, perhaps at another port.
    pub(in crate::registry) fn shares_host(&self, url: &Url) -> bool {
        self.base.host() == url.host()
    }

    /// Whether the registry is on this machine.
    pub(in crate::registry) fn is_loopback(&self) -> bool {
        self.base
            .host()
            .is_some_and(|host| address::is_loopback(&host))
    }

    /// The registry's host, without its port.
    pub(in crate::registry) fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// The URL that tells whether this is a registry: `/v2/`.
    pub(in crate::registry) fn root(&self) -> Url {
        self.with_path("/v2/")
    }

    /// The URL of something in a repository, such as `blobs/uploads/`.
    pub(in crate::registry) fn of_repository(&self, repository: &Repository, rest: &str) -> Url {
        self.with_path(&format!("/v2/{}/{rest}", self.api_path(repository)))
    }

    /// The repository's path as the API wants it: Docker Hub's official images are in `library`.
    pub(in crate::registry) fn api_path(&self, repository: &Repository) -> String {
        let path = repository.path();
        if is_docker_hub(&self.registry) && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        }
    }

    fn with_path(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for (registry, root) in [
            ("ghcr.io", "https://ghcr.io/v2/"),
            ("docker.io", "https://registry-1.docker.io/v2/"),
            ("localhost:5000", "http://localhost:5000/v2/"),
            ("127.0.0.2:80", "http://127.0.0.2/v2/"),
            ("[::1]:5000", "http://[::1]:5000/v2/"),
            ("a.localhost:5000", "https://a.localhost:5000/v2/"),
            ("localhost.:5000", "https://localhost.:5000/v2/"),
            ("10.0.0.1:5000", "https://10.0.0.1:5000/v2/"),
            (
                "localhost.evil.example",
                "https://localhost.evil.example/v2/",
            ),
        ] {
            let endpoint = Endpoint::of(registry).expect("legal");
            assert_eq!(endpoint.root().as_str(), root);
        }
    }

    #[test]
    fn refuses_what_is_more_than_a_host() {
        for registry in [
            "",
            "a/b",
            "user@ghcr.io",
            "ghcr.io?x",
            "a b",
            "[::",
            "ghcr.io\\x",
        ] {
            assert!(Endpoint::of(registry).is_err(), "{registry}");
        }
    }

    #[test]
    fn the_origin_has_scheme_host_and_port() {
        let endpoint = Endpoint::of("ghcr.io").expect("legal");
        let owns = |url| endpoint.owns(&Url::parse(url).expect("an URL"));
        assert!(owns("https://ghcr.io:443/x"));
        assert!(!owns("http://ghcr.io/x"));
        assert!(!owns("https://ghcr.io:444/x"));
        assert!(!owns("https://ghcr.io.evil.example/x"));
    }
}
