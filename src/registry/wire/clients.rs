//! The HTTP clients of a run: each is a pool of connections that are made in the same way.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use reqwest::{Client, NoProxy, Proxy, Url};
use rustls::crypto::CryptoProvider;
use tokio::sync::Mutex;

use super::certificates;
use super::resolver::GuardedResolver;
use super::transport::common;
use super::trust;
use crate::process::Environment;
use crate::registry::addresses::address::host_of;
use crate::registry::addresses::endpoint::Endpoint;
use crate::registry::addresses::vouched::Vouched;
use crate::registry::errors::error::{Cause, RegistryError};
use crate::registry::errors::failure::last_cause;
use crate::registry::options::Limits;

const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// Never reached through a proxy, whatever `NO_PROXY` says.
const NEVER_PROXIED: &str = "localhost,127.0.0.0/8,::1";

/// The clients of a run.
#[derive(Debug)]
pub(in crate::registry) struct Clients {
    recipe: Recipe,
    plain: Client,
    secure: Mutex<Secure>,
}

/// Made when first needed: a machine without certificates can use a registry of its own.
#[derive(Debug, Default)]
struct Secure {
    /// What was found out of hosts, by their names and the registries that named them.
    ways: BTreeMap<Named, Way>,
    clients: BTreeMap<Way, Client>,
}

/// A host, and whose word leads to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    host: String,
    /// The registry that named the host, whose name must not lead inside on its word.
    by: Option<String>,
}

/// What makes connections differ: certificates of their own, and whose word leads to a host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    /// The directory of certificates for the host.
    certificates: Option<PathBuf>,
    named_by: Option<String>,
}

/// How clients are made.
#[derive(Debug, Clone)]
struct Recipe {
    environment: Environment,
    limits: Limits,
    /// May be inside on the word of whoever names them.
    vouched: Vouched,
}

impl Clients {
    /// None but for plain http yet.
    ///
    /// # Errors
    /// [`RegistryError::Setup`] when the client library refuses its settings.
    pub(in crate::registry) fn new(
        environment: &Environment,
        limits: Limits,
    ) -> Result<Self, RegistryError> {
        // Somebody else's provider is as good; only none at all is a mistake.
        let _ = CryptoProvider::install_default(rustls::crypto::ring::default_provider());
        let plain = common(limits)
            .no_proxy()
            .tls_certs_only([])
            .build()
            .map_err(|error| setup(&error))?;
        Ok(Self {
            recipe: Recipe {
                environment: environment.clone(),
                limits,
                vouched: Vouched::of(environment),
            },
            plain,
            secure: Mutex::default(),
        })
    }

    /// The client for an address, to which `endpoint` belongs or leads.
    pub(in crate::registry) async fn of(
        &self,
        url: &Url,
        endpoint: &Endpoint,
    ) -> Result<Client, RegistryError> {
        if url.scheme() == "http" {
            return Ok(self.plain.clone());
        }
        let known = endpoint.owns(url) || self.recipe.vouched.has(url);
        let foreign = !known && !endpoint.is_loopback();
        let named = Named {
            host: host_of(url),
            by: foreign.then(|| endpoint.host().to_owned()),
        };
        let mut secure = self.secure.lock().await;
        if let Some(client) = secure.known(&named) {
            return Ok(client);
        }
        let way = self.read(&named, Recipe::way).await?;
        let client = match secure.clients.get(&way) {
            Some(client) => client.clone(),
            None => self.read(&way, Recipe::client).await??,
        };
        secure.ways.insert(named, way.clone());
        secure.clients.insert(way, client.clone());
        Ok(client)
    }

    /// Does what reads files where nobody else waits for it.
    async fn read<A, T>(&self, argument: &A, read: fn(&Recipe, &A) -> T) -> Result<T, RegistryError>
    where
        A: Clone + Send + 'static,
        T: Send + 'static,
    {
        let (recipe, argument) = (self.recipe.clone(), argument.clone());
        let reading = tokio::task::spawn_blocking(move || read(&recipe, &argument));
        reading.await.map_err(|_| RegistryError::Interrupted)
    }

    /// What a proxy that did not lead anywhere is, where it is one that is not spoken to.
    pub(in crate::registry) fn unsupported_proxy(&self) -> Option<RegistryError> {
        let (variable, address) = self.recipe.proxy_set()?;
        let scheme = unsupported(address)?;
        Some(RegistryError::ProxyKind { variable, scheme })
    }

    /// The variable that names a proxy, if one does.
    pub(in crate::registry) fn proxy_variable(&self) -> Option<&'static str> {
        let (variable, _) = self.recipe.proxy_set()?;
        Some(variable)
    }
}

impl Secure {
    fn known(&self, named: &Named) -> Option<Client> {
        self.clients.get(self.ways.get(named)?).cloned()
    }
}

impl Recipe {
    fn way(&self, named: &Named) -> Way {
        Way {
            certificates: certificates::directory(&self.environment, &named.host),
            named_by: named.by.clone(),
        }
    }

    fn client(&self, way: &Way) -> Result<Client, RegistryError> {
        let mut builder = common(self.limits).https_only(true).no_proxy();
        if let Some(certificates) = trust::certificates(&self.environment)? {
            builder = builder.tls_certs_only(certificates);
        }
        if let Some(directory) = &way.certificates {
            let own = certificates::read(directory)?;
            builder = builder.tls_certs_merge(own.authorities);
            if let Some(identity) = own.identity {
                builder = builder.identity(identity);
            }
        }
        if let Some(proxy) = self.proxy()? {
            builder = builder.proxy(proxy);
        }
        if let Some(registry) = &way.named_by {
            let resolver = GuardedResolver::new(registry, self.proxy_host());
            builder = builder.dns_resolver(Arc::new(resolver));
        }
        builder.build().map_err(|error| setup(&error))
    }

    fn proxy_host(&self) -> Option<String> {
        let (_, address) = self.proxy_set()?;
        let url = Url::parse(address).or_else(|_| Url::parse(&format!("http://{address}")));
        Some(url.ok()?.host_str()?.to_owned())
    }

    /// The variable that names a proxy, and the proxy's address.
    fn proxy_set(&self) -> Option<(&'static str, &str)> {
        let set = |name: &&'static str| Some((*name, self.environment.get(name)?));
        PROXY_VARIABLES.iter().find_map(set)
    }

    fn proxy(&self) -> Result<Option<Proxy>, RegistryError> {
        let Some((variable, address)) = self.proxy_set() else {
            return Ok(None);
        };
        let excluded = ["NO_PROXY", "no_proxy"]
            .iter()
            .find_map(|name| self.environment.get(name))
            .unwrap_or("");
        let excluded = NoProxy::from_string(&format!("{excluded},{NEVER_PROXIED}"));
        // The library knows these, and says so when they are used; others it would pass over.
        if let Some(scheme) = unsupported(address).filter(|scheme| !scheme.starts_with("socks")) {
            return Err(RegistryError::ProxyKind { variable, scheme });
        }
        let proxy = Proxy::all(address).map_err(|_| RegistryError::Proxy { variable })?;
        Ok(Some(proxy.no_proxy(excluded)))
    }
}

/// What an address of a proxy begins with, where that is nothing that is spoken. One without a scheme is `http`.
fn unsupported(address: &str) -> Option<String> {
    let (scheme, _) = address.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let is_scheme = scheme.chars().all(|c| c.is_ascii_alphanumeric()) && !scheme.is_empty();
    (is_scheme && scheme != "http" && scheme != "https").then_some(scheme)
}

fn setup(error: &reqwest::Error) -> RegistryError {
    RegistryError::Setup {
        source: Cause(last_cause(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_of_other_kinds_than_http_are_known_by_their_address() {
        for (address, scheme) in [
            ("http://proxy:3128", None),
            ("HTTPS://me:pw@proxy", None),
            ("proxy:3128", None),
            ("", None),
            ("socks5://127.0.0.1:1080", Some("socks5")),
            ("SOCKS5H://me:pw@proxy", Some("socks5h")),
            ("socks4a://proxy", Some("socks4a")),
            ("ftp://proxy", Some("ftp")),
        ] {
            assert_eq!(unsupported(address).as_deref(), scheme, "{address}");
        }
    }

    /// Where `NO_PROXY` names the host, it is in nobody's way.
    #[test]
    fn a_proxy_that_the_library_knows_is_refused_when_it_is_used() {
        let client = |address: &str| {
            let environment = Environment::new("/", []).with("ALL_PROXY", address);
            let clients = Clients::new(&environment, Limits::default()).expect("clients");
            let endpoint = Endpoint::of("registry.example").expect("legal");
            let url = Url::parse("https://registry.example/v2/").expect("an URL");
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let client = runtime.block_on(clients.of(&url, &endpoint)).map(drop);
            (client, clients.unsupported_proxy())
        };
        let (made, unsupported) = client("socks5://me:pw@127.0.0.1:1080");
        made.expect("a client");
        let error = unsupported.expect("not spoken").to_string();
        let expected = "ALL_PROXY names a proxy of the kind `socks5`, which is not supported";
        assert_eq!(error, expected);
        let (refused, _) = client("ftp://me:pw@127.0.0.1:1");
        let error = refused.expect_err("not known").to_string();
        assert_eq!(error, expected.replace("socks5", "ftp"));
        let (made, unsupported) = client("http://127.0.0.1:1");
        made.expect("a client");
        assert!(unsupported.is_none());
    }

    /// Looking for certificates takes several looks at the disk, and a push sends hundreds of requests.
    #[test]
    fn certificates_of_a_host_are_looked_for_once() {
        let home = tempfile::tempdir().expect("a directory");
        let environment = Environment::new(home.path(), [("HOME".into(), home.path().into())]);
        let clients = Clients::new(&environment, Limits::default()).expect("clients");
        let endpoint = Endpoint::of("registry.example").expect("legal");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let ask = |url: &str| {
            let url = Url::parse(url).expect("an URL");
            runtime.block_on(clients.of(&url, &endpoint))
        };
        ask("https://registry.example/v2/").expect("a client");
        let directory = home
            .path()
            .join(".config/containers/certs.d/registry.example");
        fs_err::create_dir_all(&directory).expect("made");
        fs_err::write(directory.join("ca.crt"), "no certificate").expect("written");
        ask("https://registry.example/v2/").expect("the same client");
        let other = home.path().join(".config/containers/certs.d/store.example");
        fs_err::rename(&directory, other).expect("moved");
        ask("https://store.example/x").expect_err("certificates that are none");
        ask("https://other.example/x").expect("a client");
    }
}
