//! An authority of a test's own, and what it certifies.

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// A registry that is no name of this machine.
pub(crate) const NAME: &str = "registry.example";

/// An authority, and certificates of it for a client and for a server at 127.0.0.1, which is [`NAME`], too.
pub(crate) struct Authority {
    directory: TempDir,
}

impl Authority {
    /// A new one.
    pub(crate) fn new() -> Self {
        Self::until(4000)
    }

    /// One whose certificates end with the year before this.
    pub(crate) fn until(year: i32) -> Self {
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
            let mut parameters =
                CertificateParams::new(["127.0.0.1".to_owned(), NAME.to_owned()]).expect("legal");
            parameters.extended_key_usages = vec![purpose];
            parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
            let certificate = parameters.signed_by(&key, &issuer).expect("signed");
            this.write(&format!("{name}.cert"), &certificate.pem());
            this.write(&format!("{name}.key"), &key.serialize_pem());
        }
        this
    }

    fn write(&self, name: &str, text: &str) {
        fs_err::write(self.directory.path().join(name), text).expect("written");
    }

    /// Where a file of it is: `ca.crt`, `server.cert` and `server.key`, `client.cert` and `client.key`.
    pub(crate) fn file(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// The part of docker-registry's configuration that makes it serve TLS.
    pub(crate) fn http(&self, asks_clients: bool) -> String {
        let clients = if asks_clients {
            format!(", clientcas: ['{}']", self.file("ca.crt"))
        } else {
            String::new()
        };
        let (certificate, key) = (self.file("server.cert"), self.file("server.key"));
        format!(", tls: {{certificate: '{certificate}', key: '{key}'{clients}}}")
    }
}
