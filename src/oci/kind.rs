//! What a media type stands for, in the types of OCI and of Docker.

/// Whose media types; one image must not mix them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// The image specification's.
    Oci,
    /// Docker's, from before there was one.
    Docker,
}

/// A part of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An index of manifests.
    Index,
    /// A manifest.
    Manifest,
    /// A configuration.
    Config,
    /// A layer.
    Layer(LayerCompression),
}

/// How a layer is compressed, by its media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayerCompression {
    /// Not at all.
    None,
    /// By gzip, in any number of members.
    Gzip,
    /// By zstd, in any number of frames.
    Zstd,
}

/// What a media type stands for; `None` for all that is no part of an image.
pub fn classify(media_type: &str) -> Option<(Family, Kind)> {
    use Family::{Docker, Oci};
    use LayerCompression::{Gzip, None as Plain, Zstd};
    Some(match media_type {
        "application/vnd.oci.image.index.v1+json" => (Oci, Kind::Index),
        "application/vnd.oci.image.manifest.v1+json" => (Oci, Kind::Manifest),
        "application/vnd.oci.image.config.v1+json" => (Oci, Kind::Config),
        "application/vnd.oci.image.layer.v1.tar"
        | "application/vnd.oci.image.layer.nondistributable.v1.tar" => (Oci, Kind::Layer(Plain)),
        "application/vnd.oci.image.layer.v1.tar+gzip"
        | "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" => {
            (Oci, Kind::Layer(Gzip))
        }
        "application/vnd.oci.image.layer.v1.tar+zstd"
        | "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd" => {
            (Oci, Kind::Layer(Zstd))
        }
        "application/vnd.docker.distribution.manifest.list.v2+json" => (Docker, Kind::Index),
        "application/vnd.docker.distribution.manifest.v2+json" => (Docker, Kind::Manifest),
        "application/vnd.docker.container.image.v1+json" => (Docker, Kind::Config),
        "application/vnd.docker.image.rootfs.diff.tar"
        | "application/vnd.docker.image.rootfs.foreign.diff.tar" => (Docker, Kind::Layer(Plain)),
        "application/vnd.docker.image.rootfs.diff.tar.gzip"
        | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => {
            (Docker, Kind::Layer(Gzip))
        }
        "application/vnd.docker.image.rootfs.diff.tar.zstd" => (Docker, Kind::Layer(Zstd)),
        _ => return None,
    })
}

/// Whether a media type is that of a layer whose owner hands it out alone: whoever stores the image may leave
/// it out (image-spec, layer.md, "Non-Distributable Layers"; Docker calls it foreign).
pub fn may_not_be_handed_on(media_type: &str) -> bool {
    let begins = [
        "application/vnd.oci.image.layer.nondistributable.",
        "application/vnd.docker.image.rootfs.foreign.",
    ];
    begins.iter().any(|begin| media_type.starts_with(begin))
}
