//! What a media type stands for, in the types of OCI and of Docker.

/// Whose types; one image must not mix them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Oci,
    Docker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Index,
    Manifest,
    Config,
    Layer(Compression),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// `None` for all that is no part of an image.
pub(super) fn classify(media_type: &str) -> Option<(Family, Kind)> {
    use Compression::{Gzip, None as Plain, Zstd};
    use Family::{Docker, Oci};
    Some(match media_type {
        "application/vnd.oci.image.index.v1+json" => (Oci, Kind::Index),
        "application/vnd.oci.image.manifest.v1+json" => (Oci, Kind::Manifest),
        "application/vnd.oci.image.config.v1+json" => (Oci, Kind::Config),
        "application/vnd.oci.image.layer.v1.tar" => (Oci, Kind::Layer(Plain)),
        "application/vnd.oci.image.layer.v1.tar+gzip" => (Oci, Kind::Layer(Gzip)),
        "application/vnd.oci.image.layer.v1.tar+zstd" => (Oci, Kind::Layer(Zstd)),
        "application/vnd.docker.distribution.manifest.list.v2+json" => (Docker, Kind::Index),
        "application/vnd.docker.distribution.manifest.v2+json" => (Docker, Kind::Manifest),
        "application/vnd.docker.container.image.v1+json" => (Docker, Kind::Config),
        "application/vnd.docker.image.rootfs.diff.tar" => (Docker, Kind::Layer(Plain)),
        "application/vnd.docker.image.rootfs.diff.tar.gzip" => (Docker, Kind::Layer(Gzip)),
        "application/vnd.docker.image.rootfs.diff.tar.zstd" => (Docker, Kind::Layer(Zstd)),
        _ => return None,
    })
}
