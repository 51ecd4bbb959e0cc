//! The certificate authorities of a root, as one file where every TLS library looks.

use super::RuntimeError;
use super::placement::file_node;
use super::root::LibraryRoot;
use crate::fs::{ImagePath, Tree};

/// Where the distributions have their bundle: Debian, Alpine and Arch; Fedora; openSUSE; newer
/// Fedora; macOS and OpenBSD.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
const PLACE: &str = "/etc/ssl/certs/ca-certificates.crt";
/// The package whose scripts make the bundle; no package owns the bundle itself.
pub(super) const PACKAGE: &str = "ca-certificates";
const MAX_BUNDLE: u64 = 32 * 1024 * 1024;
const MARK: &str = "-----BEGIN CERTIFICATE-----";

/// Adds the bundle of `root` at `/etc/ssl/certs/ca-certificates.crt`.
pub(super) fn add(tree: &mut Tree, root: &LibraryRoot) -> Result<(), RuntimeError> {
    for path in BUNDLES {
        let Some(resolved) = root.file(path)? else {
            continue;
        };
        let text = root.text(path, MAX_BUNDLE)?.unwrap_or_default();
        if !text.contains(MARK) {
            return Err(RuntimeError::NotCertificates(path.to_owned()));
        }
        tree.insert(ImagePath::new(PLACE)?, file_node(&resolved))?;
        return Ok(());
    }
    Err(RuntimeError::MissingCertificates(root.given().to_owned()))
}

#[cfg(test)]
mod tests {
    use fs_err as fs;
    use tempfile::TempDir;

    use super::*;
    use crate::fs::{Content, Node};
    use crate::hint::Hint as _;

    fn added(name: &str, text: &str) -> Result<Option<Node>, RuntimeError> {
        let directory = TempDir::new().expect("temp");
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("has one")).expect("directory");
        fs::write(path, text).expect("file");
        let mut tree = Tree::new();
        add(&mut tree, &LibraryRoot::open(directory.path())?)?;
        Ok(tree.get(&ImagePath::new(PLACE)?).cloned())
    }

    #[test]
    fn bundles_of_other_distributions_get_the_usual_place() {
        let node = added("etc/pki/tls/certs/ca-bundle.crt", MARK).expect("there");
        assert!(matches!(
            node,
            Some(Node::File { mode: 0o644, content: Content::File(path) })
                if path.ends_with("etc/pki/tls/certs/ca-bundle.crt")
        ));
    }

    #[test]
    fn an_empty_bundle_is_no_bundle() {
        let error = added("etc/ssl/cert.pem", "").expect_err("empty");
        assert!(matches!(error, RuntimeError::NotCertificates(_)));
    }

    #[test]
    fn a_root_without_certificates_says_how_to_get_them() {
        let error = added("etc/other", "").expect_err("none");
        assert!(matches!(error, RuntimeError::MissingCertificates(_)));
        let hint = error.hint().expect("one");
        assert!(hint.contains("apt-get install ca-certificates"), "{hint}");
    }
}
