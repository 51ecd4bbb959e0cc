//! Token services that the user vouches for: a registry may name them though they are inside, where else only the
//! registry itself may be.

use reqwest::Url;

use super::address::host_of;
use crate::process::Environment;

/// Hosts with their ports, separated by commas.
const VARIABLE: &str = "LIGHTER_TOKEN_SERVICES";

/// Hosts, none unless the user says so.
#[derive(Debug, Clone, Default)]
pub(in crate::registry) struct Vouched(Vec<String>);

impl Vouched {
    /// Those that the environment names.
    pub(in crate::registry) fn of(environment: &Environment) -> Self {
        let text = environment.get(VARIABLE).unwrap_or_default();
        let hosts = text.split(',').map(|host| host.trim().to_ascii_lowercase());
        Self(hosts.filter(|host| !host.is_empty()).collect())
    }

    /// Whether an address is at one of them: the same host and port, of which 443 goes without saying.
    pub(in crate::registry) fn has(&self, url: &Url) -> bool {
        let host = host_of(url);
        let named = |known: &String| *known == host || known.strip_suffix(":443") == Some(&host);
        matches!(url.scheme(), "http" | "https") && self.0.iter().any(named)
    }
}
