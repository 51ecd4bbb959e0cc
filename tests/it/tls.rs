//! docker-registry over TLS: an authority of one's own, client certificates, passwords, all together.

use std::path::Path;
use std::process::Command;

use fs_err as fs;
use tempfile::TempDir;

use crate::support::authority::Authority;
use crate::support::check::{assert_sound, read_json};
use crate::support::cli::{Lighter, Run};
use crate::support::registry::{PASSWORD, Registry, USER};
use crate::support::tools;
use crate::support::workspace::Checkout;

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
        let lighter = self.lighter(self.0.path());
        lighter.args(arguments.iter().copied()).stdin(stdin).run()
    }

    fn lighter(&self, directory: &Path) -> Lighter {
        Lighter::at(directory)
            .env("XDG_CONFIG_HOME", self.0.path())
            .env("DOCKER_CONFIG", self.0.path())
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
    // Whether its alert is heard or the connection breaks before is chance.
    nobody.check(&host).expect(1).says(&[
        "error: ",
        &format!("`~/.config/containers/certs.d/{host}/client.cert`"),
    ]);
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

/// A whole push, and what skopeo finds by the same authority.
fn pushed_image_is_seen_by_skopeo(with_password: bool) {
    let services = ["orders", "users"];
    let authority = Authority::new();
    let registry = Registry::with_http(&authority.http(false), with_password);
    let host = registry.host();
    let home = Home::new(&host, &authority, &["ca.crt"]);
    if with_password {
        log_in(&home, &host).expect(0);
    }
    let checkout = Checkout::of_services(&services);
    let repo = format!("{host}/shop");
    let run = home
        .lighter(checkout.path())
        .args(["push", "-vv", "--repo", &repo])
        .run_process(":")
        .expect(0);
    assert!(!format!("{}{}", run.stdout, run.stderr).contains(PASSWORD));
    let skopeo = |verb: &str, prefix: &str| {
        let mut command = Command::new("skopeo");
        command.arg(verb);
        let certificates = home.certificates(&host);
        command.arg(format!("--{prefix}cert-dir={}", certificates.display()));
        if with_password {
            command.arg(format!("--{prefix}creds={USER}:{PASSWORD}"));
        }
        command
    };
    assert_eq!(run.lines().len(), services.len());
    for (line, service) in run.lines().iter().zip(services) {
        let digest = line.strip_prefix(&format!("{repo}/{service}:latest@"));
        let digest = digest.expect("a reference with its digest");
        let image = format!("docker://{repo}/{service}:latest");
        let told = tools::run(
            skopeo("inspect", "")
                .arg("--format={{.Digest}}")
                .arg(&image),
        );
        assert_eq!(told.trim(), digest);
        let layout = checkout.path().join(format!("copy of {service}"));
        let copy = format!("oci:{}:latest", layout.display());
        let mut command = skopeo("copy", "src-");
        tools::run(command.args(["-q", "--preserve-digests", &image, &copy]));
        let index = read_json(&layout.join("index.json"));
        assert_eq!(index["manifests"][0]["digest"], digest);
        assert_sound(&layout);
    }
}

#[test]
fn an_image_pushed_over_tls_is_what_skopeo_sees() {
    pushed_image_is_seen_by_skopeo(false);
}

#[test]
fn an_image_pushed_over_tls_with_a_password_is_what_skopeo_sees() {
    pushed_image_is_seen_by_skopeo(true);
}

#[test]
fn a_push_to_a_registry_whose_certificate_ended_ends_before_it_began() {
    let authority = Authority::until(2020);
    let registry = Registry::with_http(&authority.http(false), false);
    let host = registry.host();
    let home = Home::new(&host, &authority, &["ca.crt"]);
    let checkout = Checkout::of_services(&["orders"]);
    let run = home
        .lighter(checkout.path())
        .args(["push", "--repo", &format!("{host}/shop")])
        .run_process(":")
        .expect(1)
        .says(&[
            &format!("no secure connection to registry `{host}`"),
            "hint: the registry's certificate must be renewed",
        ]);
    assert!(
        run.stderr.to_lowercase().contains("expired"),
        "{}",
        run.stderr
    );
    assert_eq!(run.stdout, "");
    assert!(!checkout.path().join("target").exists());
}

#[test]
fn a_certificate_that_ended_is_told() {
    let authority = Authority::until(2020);
    let registry = Registry::with_http(&authority.http(false), false);
    let host = registry.host();
    let home = Home::new(&host, &authority, &["ca.crt"]);
    let ran = home.check(&host);
    assert_eq!(ran.code, 1);
    let said = &ran.stderr;
    assert!(said.contains("its certificate expired on "), "{said}");
    assert!(said.contains(" 2020 "), "{said}");
    assert!(said.contains("must be renewed"), "{said}");
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

#[test]
fn the_key_of_another_certificate_is_named_with_it() {
    let authority = Authority::new();
    let home = Home::new("127.0.0.1:1", &authority, &["client.cert"]);
    let place = home.certificates("127.0.0.1:1");
    fs::copy(authority.file("server.key"), place.join("client.key")).expect("copied");
    let [certificate, key] = ["client.cert", "client.key"].map(|name| place.join(name));
    home.check("127.0.0.1:1").expect(1).says(&[
        &format!("cannot use the certificates of `{}`", certificate.display()),
        &format!("`{}` is the key of another certificate", key.display()),
        "hint: ",
    ]);
}
