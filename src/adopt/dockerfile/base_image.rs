//! The image that a Dockerfile builds on, of which nothing is left.

use super::stage::{Stage, root};
use crate::adopt::paths::name;

/// The image under a stage, as named.
pub(in crate::adopt) fn image(stages: &[Stage], stage: usize) -> &str {
    root(stages, stage).map_or("", |root| &root.image)
}

/// `alpine` of `docker.io/library/alpine:3.20@sha256:…`, and its tag.
fn parts(image: &str) -> (&str, &str) {
    let plain = image.split('@').next().unwrap_or_default();
    let last = name(plain);
    last.split_once(':').unwrap_or((last, ""))
}

/// Whether musl is the C library there.
pub(in crate::adopt) fn is_alpine(image: &str) -> bool {
    let (name, tag) = parts(image);
    name == "alpine" || tag.contains("alpine") || name.contains("musl")
}

/// Distributions whose users have fixed numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::adopt) enum Family {
    Debian,
    Alpine,
    #[default]
    Other,
}

/// The distribution of an image.
pub(in crate::adopt) fn family(image: &str) -> Family {
    let (name, tag) = parts(image);
    if name == "alpine" || tag.contains("alpine") {
        Family::Alpine
    } else if matches!(
        name,
        "debian" | "ubuntu" | "buildpack-deps" | "rust" | "minideb"
    ) {
        Family::Debian
    } else {
        Family::Other
    }
}

/// Whether a dynamic executable could not run there.
pub(in crate::adopt) fn is_static(image: &str) -> bool {
    let (name, tag) = parts(image);
    name == "scratch"
        || name.starts_with("static")
        || (name == "busybox" && !tag.contains("glibc"))
        || is_alpine(image)
}

/// Whether it has hardly more than what executables link.
pub(in crate::adopt) fn is_distroless(image: &str) -> bool {
    image.contains("distroless") || image.starts_with("cgr.dev/")
}

/// Whether its user is root; of images that nobody knows, nothing is said.
pub(in crate::adopt) fn runs_as_root(image: &str) -> bool {
    let (_, tag) = parts(image);
    let non_root = tag.contains("nonroot") || image.starts_with("cgr.dev/");
    !non_root && (is_distroless(image) || is_known(image))
}

/// Whether it is one of those that many know.
pub(in crate::adopt) fn is_known(image: &str) -> bool {
    const KNOWN: &[&str] = &[
        "scratch",
        "debian",
        "ubuntu",
        "alpine",
        "busybox",
        "fedora",
        "rust",
        "buildpack-deps",
        "ubi",
        "ubi-minimal",
        "ubi-micro",
        "rockylinux",
        "almalinux",
        "amazonlinux",
        "archlinux",
        "wolfi-base",
        "photon",
        "azurelinux",
        "opensuse",
        "leap",
    ];
    KNOWN.contains(&parts(image).0)
}
