//! Which hosts are inside: this machine, a private network, the metadata service of a cloud.
//!
//! A registry on the internet has no business sending us there (request forgery); the ranges are
//! those of the IANA special-purpose address registries.

use std::net::{Ipv4Addr, Ipv6Addr};

use reqwest::Url;
use url::Host;

/// An address that a registry named and that nothing may be sent to. Only the host is repeated: the
/// rest may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::registry) enum BadAddress {
    /// No URL at all.
    #[error("which is no URL")]
    NoUrl,
    /// A user's name or password in the URL.
    #[error("on `{0}`, which holds a user name or password")]
    UserInfo(String),
    /// Another scheme than https.
    #[error("on `{0}`, which is not https")]
    Scheme(String),
    /// A machine that only we, or the registry, can reach.
    #[error("on `{0}`, which is an internal address and not the registry's own")]
    Internal(String),
    /// A host name with a dot at its end, which escapes comparisons.
    #[error("on `{0}`, which ends with a dot")]
    TrailingDot(String),
}

/// An URL's host and port, for messages.
pub(in crate::registry) fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => format!("{}:", url.scheme()),
    }
}

/// Whether a host is this machine whoever looks its name up. Resolvers may send what ends with
/// `.localhost` anywhere.
pub(in crate::registry) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Whether a host is an address that no public service has, or a name of this machine.
pub(in crate::registry) fn is_internal(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => is_localhost(name),
        Host::Ipv4(address) => is_internal_v4(*address),
        Host::Ipv6(address) => is_internal_v6(*address),
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

fn is_internal_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    // Public by its number, and answered by the host of each virtual machine of Azure.
    let is_wire_server = address == Ipv4Addr::new(168, 63, 129, 16);
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || is_wire_server
        || first == 0
        || first >= 240
        || (first == 100 && (64..128).contains(&second))
        || (first == 198 && (second == 18 || second == 19))
        || (first == 192 && second == 0 && third == 0)
}

fn is_internal_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || is_local_translation(address)
        || embedded_v4(address).is_some_and(is_internal_v4)
}

/// Whether an address is for translation within a network (RFC 8215): where in it the IPv4 address stands, that network
/// alone knows.
fn is_local_translation(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [0x64, 0xff9b, 1, ..])
}

/// The IPv4 address that an IPv6 one stands for: mapped, compatible, translated, NAT64 or 6to4.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(from(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn internal(url: &str) -> bool {
        let url = Url::parse(url).expect("an URL");
        is_internal(&url.host().expect("a host"))
    }

    #[test]
    fn every_way_to_write_an_inner_address_is_seen() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f000001",
            "2130706433",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "168.63.129.16",
            "224.0.0.1",
            "255.255.255.255",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "[::1]",
            "[::]",
            "[::ffff:169.254.169.254]",
            "[::ffff:7f00:1]",
            "[::ffff:168.63.129.16]",
            "[::ffff:0:169.254.169.254]",
            "[::ffff:0:7f00:1]",
            "[64:ff9b::a9fe:a9fe]",
            "[64:ff9b:1::808:808]",
            "[64:ff9b:1:ffff:ffff:ffff:ffff:ffff]",
            "[2002:a9fe:a9fe::]",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[ff02::1]",
        ] {
            assert!(internal(&format!("https://{host}/")), "{host}");
        }
    }

    #[test]
    fn public_hosts_are_outside() {
        for host in [
            "ghcr.io",
            "8.8.8.8",
            "168.63.129.17",
            "[::ffff:0:8.8.8.8]",
            "[64:ff9b::808:808]",
            "[64:ff9b:2::a9fe:a9fe]",
            "[2606:4700::1111]",
            "localhost.example",
        ] {
            assert!(!internal(&format!("https://{host}/")), "{host}");
        }
    }
}
