//! docker-registry over TLS: an authority of one's own, client certificates, passwords, all together.

use std::path::Path;
use std::process::Command;

use fs_err as fs;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use crate::support::cli::{Lighter, Run};
use crate::support::registry::{PASSWORD, Registry, USER};

/// An authority, and certificates of it for a server at 127.0.0.1 and for a client.
struct Authority {
    directory: TempDir,
}

impl Authority {
    fn new() -> Self {
        Self::until(4000)
    }

    /// One whose certificates end with the year before this.
    fn until(year: i32) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let key = KeyPair::generate().expect("a key");
        let mut parameters = CertificateParams::new([]).expect("legal");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).expect("signed");
        let this = Self { directory };
        this.write("ca.crt", &certificate.pem());
        let issuer = Issuer::new(parameters, key);
        for (name, purpose) in [
            ("server", ExtendedKeyUsagePurpose::ServerAuth),
            ("client", ExtendedKeyUsagePurpose::ClientAuth),
        ] {
            let key = KeyPair::generate().expect("a key");
            let mut parameters = CertificateParams::new(["127.0.0.1".to_owned()]).expect("legal");
            parameters.extended_key_usages = vec![purpose];
            parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
            let certificate = parameters.signed_by(&key, &issuer).expect("signed");
            this.write(&format!("{name}.cert"), &certificate.pem());
            this.write(&format!("{name}.key"), &key.serialize_pem());
        }
        this
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.path().join(name), text).expect("written");
    }

    fn file(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// The line of docker-registry's configuration that makes it serve TLS.
    fn http(&self, asks_clients: bool) -> String {
        let clients = if asks_clients {
            format!(", clientcas: ['{}']", self.file("ca.crt"))
        } else {
            String::new()
        };
        let (certificate, key) = (self.file("server.cert"), self.file("server.key"));
        format!(", tls: {{certificate: '{certificate}', key: '{key}'{clients}}}")
    }
}

/// A home with the certificates in `files` for a registry.
struct Home(TempDir);

impl Home {
    fn new(host: &str, authority: &Authority, files: &[&str]) -> Self {
        let home = Self(TempDir::new().expect("a temporary directory"));
        let place = home.certificates(host);
        fs::create_dir_all(&place).expect("made");
        for name in files {
            fs::copy(authority.file(name), place.join(name)).expect("copied");
        }
        home
    }

    fn certificates(&self, host: &str) -> std::path::PathBuf {
        self.0.path().join("containers/certs.d").join(host)
    }

    fn run(&self, arguments: &[&str], stdin: &str) -> Run {
        Lighter::at(self.0.path())
            .env("XDG_CONFIG_HOME", self.0.path())
            .env("DOCKER_CONFIG", self.0.path())
            .args(arguments.iter().copied())
            .stdin(stdin)
            .run()
    }

    fn check(&self, host: &str) -> Run {
        self.run(&["auth", "check", &format!("{host}/shop/orders")], "")
    }
}

fn log_in(home: &Home, host: &str) -> Run {
    let arguments = ["login", host, "--username", USER, "--password-stdin"];
    home.run(&arguments, PASSWORD)
}

#[test]
fn an_own_authority_is_believed_for_its_host_only() {
    let authority = Authority::new();
    let registry = Registry::with_http(&authority.http(false), false);
    let host = registry.host();
    let home = Home::new(&host, &authority, &["ca.crt"]);
    let ran = home.check(&host);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("push        taken"), "{}", ran.stdout);
    // Another authority of the same home says nothing about this host.
    let other = Home::new(&host, &Authority::new(), &["ca.crt"]);
    let ran = other.check(&host);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("certs.d"), "{}", ran.stderr);
    // Without a word about it, this machine is spoken to in the open, and told what is missing.
    let none = Home::new("elsewhere", &authority, &["ca.crt"]);
    let ran = none.check(&host);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains(&format!("certs.d/{host}/ca.crt")),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_client_certificate_and_a_password_are_shown_together() {
    let authority = Authority::new();
    let registry = Registry::with_http(&authority.http(true), true);
    let host = registry.host();
    let nobody = Home::new(&host, &authority, &["ca.crt"]);
    assert_eq!(nobody.check(&host).code, 1);
    let home = Home::new(&host, &authority, &["ca.crt", "client.cert", "client.key"]);
    let anonymous = home.check(&host);
    assert_eq!(anonymous.code, 1);
    assert!(anonymous.stdout.contains("nobody"), "{}", anonymous.stdout);
    let ran = log_in(&home, &host);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = home.check(&host);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains(&format!("`{USER}`")), "{}", ran.stdout);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(PASSWORD));
    let seen = skopeo_logs_in(&host, &home.certificates(&host));
    assert!(seen, "skopeo reads the same directory");
}

/// Whether skopeo gets in with the same certificates.
fn skopeo_logs_in(host: &str, certificates: &Path) -> bool {
    let place = TempDir::new().expect("a temporary directory");
    let status = Command::new("skopeo")
        .arg("login")
        .arg("--cert-dir")
        .arg(certificates)
        .arg("--authfile")
        .arg(place.path().join("auth.json"))
        .args(["--username", USER, "--password", PASSWORD, host])
        .status();
    status.expect("skopeo is installed by tests/run").success()
}

#[test]
fn a_certificate_that_ended_is_told() {
    let authority = Authority::until(2020);
    let registry = Registry::with_http(&authority.http(false), false);
    let host = registry.host();
    let home = Home::new(&host, &authority, &["ca.crt"]);
    let ran = home.check(&host);
    assert_eq!(ran.code, 1);
    let said = ran.stderr.to_lowercase();
    assert!(said.contains("expired"), "{}", ran.stderr);
    assert!(said.contains("must be renewed"), "{}", ran.stderr);
}

#[test]
fn half_a_client_certificate_is_named_before_anything_is_sent() {
    let authority = Authority::new();
    let home = Home::new("127.0.0.1:1", &authority, &["client.cert"]);
    let ran = home.check("127.0.0.1:1");
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("client.key"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
}
