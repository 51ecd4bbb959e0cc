//! The image that a Dockerfile builds on, of which nothing is left.

use super::draft::Draft;
use super::paths::name;
use super::stage::{Stage, lineage};

/// The image under a stage, as named.
pub(super) fn image(stages: &[Stage], stage: usize) -> &str {
    lineage(stages, stage)
        .last()
        .and_then(|root| stages.get(*root))
        .map_or("", |root| &root.image)
}

/// `alpine` of `docker.io/library/alpine:3.20@sha256:…`, and its tag.
fn parts(image: &str) -> (&str, &str) {
    let plain = image.split('@').next().unwrap_or_default();
    let last = name(plain);
    last.split_once(':').unwrap_or((last, ""))
}

/// Whether musl is the C library there.
pub(super) fn is_alpine(image: &str) -> bool {
    let (name, tag) = parts(image);
    name == "alpine" || tag.contains("alpine") || name.contains("musl")
}

/// Distributions whose users have fixed numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Debian,
    Alpine,
    Other,
}

/// The distribution of an image.
pub(super) fn family(image: &str) -> Family {
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
pub(super) fn is_static(image: &str) -> bool {
    let (name, tag) = parts(image);
    name == "scratch"
        || name.starts_with("static")
        || (name == "busybox" && !tag.contains("glibc"))
        || is_alpine(image)
}

fn is_distroless(image: &str) -> bool {
    image.contains("distroless") || image.starts_with("cgr.dev/")
}

/// Whether its user is root; of images that nobody knows, nothing is said.
pub(super) fn runs_as_root(image: &str) -> bool {
    let (_, tag) = parts(image);
    let non_root = tag.contains("nonroot") || image.starts_with("cgr.dev/");
    !non_root && (is_distroless(image) || is_known(image))
}

fn is_known(image: &str) -> bool {
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

/// Says what is missing of it.
pub(super) fn adopt(stages: &[Stage], stage: usize, compiles: bool, draft: &mut Draft<'_>) {
    let image = image(stages, stage);
    let line = lineage(stages, stage)
        .last()
        .and_then(|root| stages.get(*root))
        .map_or(0, |root| root.line);
    if let Some(platform) = stages.get(stage).and_then(|stage| stage.platform.clone()) {
        draft.changed(
            line,
            &format!("`FROM` asks for the platform `{platform}`"),
            &format!("build with `--platform {platform}`"),
        );
    }
    if compiles {
        draft.changed(
            line,
            &format!("the old image holds the compiler and the sources, on `{image}`; the new one does not"),
            "",
        );
    } else if image == "scratch" {
        // It had no certificates unless something copies them, which sets this again.
        draft.set(line, "ca-certificates", false);
    } else if is_distroless(image) {
        draft.changed(
            line,
            &format!("nothing of `{image}` is in the image: it has certificates, users and what the executable links"),
            "set `tzdata = true` if the service knows time zones",
        );
    } else if is_known(image) {
        draft.changed(
            line,
            &format!(
                "nothing of `{image}` is in the image: it has no shell and no package manager"
            ),
            "",
        );
    } else {
        draft.lost(
            line,
            &format!("what `{image}` brings along cannot be known from here: files, variables, user, entry point"),
            "name what the service needs of it in `assets`, `env` and `user`",
        );
    }
}
