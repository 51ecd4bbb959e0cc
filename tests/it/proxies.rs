//! Registries behind a proxy, proxies that lead nowhere, and names that lead inside.

use std::net::{TcpListener, ToSocketAddrs as _};

use crate::support::authority::{Authority, NAME};
use crate::support::cli::{Lighter, Run};
use crate::support::proxy::{Manner, Proxy};
use crate::support::registry::{PASSWORD, Registry, USER, free_port};
use crate::support::workspace::Checkout;

const PROXY_PASSWORD: &str = "pr0xy-sentinel";

/// A push to [`NAME`] by way of a proxy.
fn push(checkout: &Checkout, proxy: &str, port: u16) -> Lighter {
    Lighter::at(checkout.path())
        .args(["push", "-vv", "--repo", &format!("{NAME}:{port}/shop")])
        .env("HTTPS_PROXY", format!("http://me:{PROXY_PASSWORD}@{proxy}"))
}

fn port_of(registry: &Registry) -> u16 {
    let host = registry.host();
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    port.parse().expect("a port")
}

fn all_of(run: &Run) -> String {
    format!("{}{}", run.stdout, run.stderr)
}

#[test]
fn a_proxy_leads_to_the_registry_and_learns_no_password_of_it() {
    let authority = Authority::new();
    let registry = Registry::with_http(&authority.http(false), true);
    let port = port_of(&registry);
    let proxy = Proxy::new(Manner::Lead);
    let checkout = Checkout::of_services(&["alpha"]);
    let run = push(&checkout, &proxy.host(), port)
        .env("SSL_CERT_FILE", authority.file("ca.crt"))
        .env("LIGHTER_REGISTRY_USER", USER)
        .env("LIGHTER_REGISTRY_PASSWORD", PASSWORD)
        .env("LIGHTER_REGISTRY_HOST", format!("{NAME}:{port}"))
        .run_process(":")
        .expect(0);
    assert!(!all_of(&run).contains("sentinel"), "{run:?}");
    let heads = proxy.heads();
    assert!(!heads.is_empty());
    for head in heads {
        let first = format!("CONNECT {NAME}:{port} HTTP/1.1\r\n");
        assert!(head.starts_with(&first), "{head}");
        let mut lines = head.lines().map(str::to_lowercase);
        assert!(
            !lines.any(|line| line.starts_with("authorization")),
            "{head}"
        );
    }
}

/// A refusal before anything is compiled, after so many requests to the proxy.
#[track_caller]
fn refused(proxy: &str, causes: &str, hint: &str) {
    let checkout = Checkout::of_services(&["alpha"]);
    let run = push(&checkout, proxy, 443).run_process(":");
    let message = format!(
        "cannot deliver to `docker://{NAME}:443/shop`\n  cannot reach registry `{NAME}:443` through the \
         proxy that HTTPS_PROXY names\n  {causes}"
    );
    let run = run.refuses(1, &message, hint);
    assert!(!all_of(&run).contains("sentinel"));
    assert!(!checkout.path().join("target").exists());
}

#[test]
fn a_proxy_that_refuses_is_told_from_a_registry_that_is_not_there() {
    for status in [403, 502] {
        let proxy = Proxy::new(Manner::Refuse(status));
        refused(
            &proxy.host(),
            "tunnel error: unsuccessful",
            &format!(
                "check the name `{NAME}`, ask those who run the proxy to let it through, or name the host \
                 in NO_PROXY"
            ),
        );
        assert_eq!(proxy.heads().len(), 3);
    }
}

#[test]
fn a_proxy_that_wants_another_login_is_shown_it_once() {
    let proxy = Proxy::new(Manner::Refuse(407));
    refused(
        &proxy.host(),
        "tunnel error: proxy authorization required",
        "put the proxy's user and password into HTTPS_PROXY: `http://USER:PASSWORD@HOST:PORT`",
    );
    assert_eq!(proxy.heads().len(), 1);
}

#[test]
fn a_proxy_that_is_not_there_is_told() {
    let hint = "correct HTTPS_PROXY, or unset it; what NO_PROXY names is reached without the proxy";
    let nowhere = format!("127.0.0.1:{}", free_port());
    refused(&nowhere, "Connection refused (os error 111)", hint);
    let proxy = Proxy::new(Manner::HangUp);
    refused(&proxy.host(), "tunnel error: unexpected end of file", hint);
}

#[test]
fn a_proxy_of_another_kind_is_told_at_once() {
    let checkout = Checkout::of_services(&["alpha"]);
    for (variable, scheme) in [
        ("HTTPS_PROXY", "socks5"),
        ("all_proxy", "socks5h"),
        ("ALL_PROXY", "ftp"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let proxy = listener.local_addr().expect("bound");
        let run = Lighter::at(checkout.path())
            .args(["push", "-v", "--repo", &format!("{NAME}:443/shop")])
            .env(variable, format!("{scheme}://me:{PROXY_PASSWORD}@{proxy}"))
            .run_process(":");
        let message = format!(
            "cannot deliver to `docker://{NAME}:443/shop`\n  {variable} names a proxy of the kind `{scheme}`, \
             which is not supported"
        );
        let hint = format!(
            "name a proxy that speaks HTTP in {variable} (`http://HOST:PORT` or `https://HOST:PORT`), unset it, \
             or name the host in NO_PROXY"
        );
        let run = run.refuses(2, &message, &hint);
        assert!(!all_of(&run).contains("sentinel"));
        assert!(!all_of(&run).contains("again"), "{}", run.stderr);
        listener.set_nonblocking(true).expect("set");
        let nobody = listener.accept().expect_err("nobody came");
        assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    }
    assert!(!checkout.path().join("target").exists());
}

/// A name of this machine that does not say so.
fn inner_name() -> String {
    let hosts = fs_err::read_to_string("/etc/hosts").expect("readable");
    let names = hosts
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split_whitespace().skip(1));
    let says_so = |name: &str| name == "localhost" || name.ends_with(".localhost");
    let is_ours = |name: &&str| {
        let found = (*name, 0).to_socket_addrs();
        found.is_ok_and(|mut found| found.all(|address| address.ip().is_loopback()))
    };
    let mut others = names.filter(|name| !says_so(name));
    let found = others.find(is_ours);
    found.expect("/etc/hosts names this machine").to_owned()
}

/// The registry is outside, as far as anybody can tell, and names a host that is inside.
#[track_caller]
fn names_a_host_inside(start: impl FnOnce(&Authority, &str) -> Registry) {
    let name = inner_name();
    let inside = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("{name}:{}", inside.local_addr().expect("bound").port());
    let authority = Authority::new();
    let registry = start(&authority, &address);
    let proxy = Proxy::new(Manner::Lead);
    let checkout = Checkout::of_services(&["alpha"]);
    let run = push(&checkout, &proxy.host(), port_of(&registry))
        .env("SSL_CERT_FILE", authority.file("ca.crt"))
        .env("NO_PROXY", &name)
        .run_process(":")
        .expect(1)
        .says(&[
            &address,
            &format!("`{name}` leads to an internal address, "),
            "and the registry does not",
            "hint: ",
        ]);
    assert_eq!(run.stdout, "");
    inside.set_nonblocking(true).expect("set");
    let nobody = inside.accept().expect_err("nobody came");
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn an_upload_is_not_sent_to_a_name_that_leads_inside() {
    names_a_host_inside(|authority, address| {
        let http = format!("{}, host: 'https://{address}'", authority.http(false));
        Registry::with_http(&http, false)
    });
}

#[test]
fn a_token_is_not_asked_for_at_a_name_that_leads_inside() {
    names_a_host_inside(|authority, address| {
        let realm = format!("https://{address}/token");
        Registry::with_token_service(&authority.http(false), &realm, &authority.file("ca.crt"))
    });
}
