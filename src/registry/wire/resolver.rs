//! Looking up the names of hosts that a registry sends us to.
//!
//! That a name is no internal address says nothing about what it resolves to. Whoever can make a registry
//! name a host could otherwise make us send requests inside of our own network.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

use crate::registry::addresses::address::is_internal;

/// Looks names up for a registry, and refuses those that lead inside unless the registry is inside, too.
#[derive(Debug, Clone)]
pub(in crate::registry) struct GuardedResolver {
    /// The registry's host.
    registry: String,
    /// The host of a proxy, which is ours.
    proxy: Option<String>,
}

/// A name that leads inside.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` leads to an internal address, {address}, and the registry does not")]
struct LeadsInside {
    name: String,
    address: IpAddr,
}

impl GuardedResolver {
    /// For the registry on host `registry`; `proxy` may be anywhere.
    pub(in crate::registry) fn new(registry: impl Into<String>, proxy: Option<String>) -> Self {
        Self {
            registry: registry.into(),
            proxy,
        }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let name = name.as_str();
            let found = look_up(name).await?;
            let is_ours = name == this.registry || this.proxy.as_deref() == Some(name);
            if !is_ours
                && let Some(address) = inside(&found)
                // Where the registry cannot be looked up, it is not known to be inside.
                && inside(&look_up(&this.registry).await.unwrap_or_default()).is_none()
            {
                let name = name.to_owned();
                return Err(LeadsInside { name, address }.into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

async fn look_up(name: &str) -> std::io::Result<Vec<SocketAddr>> {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    Ok(tokio::net::lookup_host((bare, 0)).await?.collect())
}

/// The first internal address among those found.
fn inside(found: &[SocketAddr]) -> Option<IpAddr> {
    let addresses = found.iter().map(SocketAddr::ip);
    addresses.into_iter().find(|address| {
        is_internal(&match address {
            IpAddr::V4(address) => Host::Ipv4(*address),
            IpAddr::V6(address) => Host::Ipv6(*address),
        })
    })
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    fn resolve(resolver: &GuardedResolver, name: &str) -> Result<usize, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let name = Name::from_str(name).expect("a name");
        let found = runtime.block_on(resolver.resolve(name));
        found
            .map(Iterator::count)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_that_leads_inside_is_refused_to_a_registry_outside() {
        let outside = GuardedResolver::new("203.0.112.1", None);
        let error = resolve(&outside, "localhost").expect_err("inside");
        assert!(
            error.contains("`localhost`") && error.contains("internal"),
            "{error}"
        );
        assert!(resolve(&outside, "203.0.112.7").is_ok());
    }

    #[test]
    fn a_registry_inside_may_name_what_is_inside_and_a_proxy_is_ours() {
        assert!(resolve(&GuardedResolver::new("127.0.0.1", None), "localhost").is_ok());
        assert!(resolve(&GuardedResolver::new("localhost", None), "localhost").is_ok());
        let proxied = GuardedResolver::new("203.0.112.1", Some("localhost".to_owned()));
        assert!(resolve(&proxied, "localhost").is_ok());
    }
}
