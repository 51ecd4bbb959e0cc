//! Layers' descriptors and settings to a configuration and a manifest.
//!
//! Nothing is read or written here: the same layers and settings give the same bytes anywhere.

use std::collections::{BTreeMap, BTreeSet};

use super::{ImageError, Settings};
use crate::digest::Digest;
use crate::oci::{
    Descriptor, Document, Empty, Execution, Healthcheck, History, ImageConfig, Manifest, RootFs,
    media_type,
};

/// What containerd's overlay file system can stack.
const MAX_LAYERS: usize = 127;
const CREATED_BY: &str = "cargo lighter";

/// One layer, lowest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerEntry {
    /// The blob as stored.
    pub descriptor: Descriptor,
    /// The digest of the uncompressed tar.
    pub diff_id: Digest,
    /// What is in it, in a word: the comment of its history entry.
    pub purpose: String,
}

/// An image for one platform: its documents, and what they point at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// How it runs.
    pub config: Document,
    /// The whole.
    pub manifest: Document,
    /// Lowest first.
    pub layers: Vec<Descriptor>,
    /// Uncompressed digests in the order of `layers`.
    pub diff_ids: Vec<Digest>,
    descriptor: Descriptor,
}

impl Image {
    /// What an index should say of the image: the manifest's descriptor with its platform.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
}

/// Makes the documents of an image for one platform; no index is put around it.
///
/// # Errors
/// [`ImageError`] when there is no layer, one of another kind, or an impossible variable name.
pub fn assemble(settings: &Settings, layers: &[LayerEntry]) -> Result<Image, ImageError> {
    check_layers(layers)?;
    let diff_ids: Vec<Digest> = layers.iter().map(|layer| layer.diff_id).collect();
    let config = ImageConfig {
        created: Some(settings.created.clone()),
        architecture: settings.platform.architecture.clone(),
        variant: settings.platform.variant.clone(),
        os: settings.platform.os.clone(),
        config: execution(settings)?,
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: diff_ids.clone(),
        },
        history: layers
            .iter()
            .map(|layer| History {
                created: Some(settings.created.clone()),
                created_by: Some(CREATED_BY.to_owned()),
                comment: Some(layer.purpose.clone()),
                empty_layer: false,
            })
            .collect(),
    };
    let config = Document::new(media_type::CONFIG, &config)?;
    let layers: Vec<Descriptor> = layers
        .iter()
        .map(|layer| layer.descriptor.clone())
        .collect();
    let manifest = Manifest::new(
        config.descriptor().clone(),
        layers.clone(),
        settings.annotations.clone(),
    );
    let manifest = Document::new(media_type::MANIFEST, &manifest)?;
    let descriptor = Descriptor {
        platform: Some(settings.platform.clone()),
        ..manifest.descriptor().clone()
    };
    Ok(Image {
        config,
        manifest,
        layers,
        diff_ids,
        descriptor,
    })
}

fn check_layers(layers: &[LayerEntry]) -> Result<(), ImageError> {
    if layers.is_empty() {
        return Err(ImageError::NoLayers);
    }
    if layers.len() > MAX_LAYERS {
        return Err(ImageError::TooManyLayers {
            count: layers.len(),
            limit: MAX_LAYERS,
        });
    }
    let known = [
        media_type::LAYER,
        media_type::LAYER_GZIP,
        media_type::LAYER_ZSTD,
    ];
    layers
        .iter()
        .find(|layer| !known.contains(&layer.descriptor.media_type.as_str()))
        .map_or(Ok(()), |layer| {
            Err(ImageError::LayerType {
                media_type: layer.descriptor.media_type.clone(),
            })
        })
}

fn execution(settings: &Settings) -> Result<Execution, ImageError> {
    Ok(Execution {
        user: settings.user.clone(),
        exposed_ports: set(&settings.ports),
        env: environment(&settings.env)?,
        entrypoint: settings.entrypoint.clone(),
        cmd: settings.args.clone(),
        healthcheck: settings.healthcheck.as_ref().map(|command| Healthcheck {
            test: std::iter::once("CMD".to_owned())
                .chain(command.iter().cloned())
                .collect(),
        }),
        volumes: set(&settings.volumes),
        working_dir: settings.workdir.clone(),
        labels: settings.labels.clone(),
        stop_signal: settings.stop_signal.clone(),
    })
}

#[expect(
    clippy::zero_sized_map_values,
    reason = "the specification's sets are objects with empty values"
)]
fn set(names: &BTreeSet<String>) -> BTreeMap<String, Empty> {
    names.iter().map(|name| (name.clone(), Empty {})).collect()
}

fn environment(variables: &[(String, String)]) -> Result<Vec<String>, ImageError> {
    variables
        .iter()
        .map(|(name, value)| {
            let illegal =
                name.is_empty() || name.contains('=') || name.chars().any(char::is_control);
            if illegal {
                return Err(ImageError::Environment { name: name.clone() });
            }
            Ok(format!("{name}={value}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Platform;

    fn settings() -> Settings {
        let text = str::to_owned;
        Settings {
            platform: Platform::linux("amd64"),
            created: "1970-01-01T00:00:00Z".to_owned(),
            user: "65532:65532".to_owned(),
            workdir: "/".to_owned(),
            entrypoint: vec![text("/app/orders")],
            args: vec![text("--serve")],
            env: vec![(text("Z"), text("1")), (text("A"), text("x=y"))],
            ports: ["8080/tcp", "53/udp"].map(text).into(),
            volumes: ["/data"].map(text).into(),
            stop_signal: Some(text("SIGINT")),
            healthcheck: Some(vec![text("/app/orders"), text("check")]),
            labels: [(text("b"), text("2")), (text("a"), text("1"))].into(),
            annotations: [(text("n"), text("v"))].into(),
        }
    }

    fn layer(content: &str) -> LayerEntry {
        let digest = Digest::of(content.as_bytes());
        LayerEntry {
            descriptor: Descriptor::new(media_type::LAYER_GZIP, digest, 9),
            diff_id: Digest::of(b"tar"),
            purpose: content.to_owned(),
        }
    }

    #[test]
    fn the_configuration_is_written_as_the_specification_has_it() {
        let image = assemble(&settings(), &[layer("runtime")]).expect("an image");
        let config = String::from_utf8_lossy(image.config.bytes());
        let expected = format!(
            concat!(
                r#"{{"created":"1970-01-01T00:00:00Z","architecture":"amd64","os":"linux","#,
                r#""config":{{"User":"65532:65532","ExposedPorts":{{"53/udp":{{}},"8080/tcp":{{}}}},"#,
                r#""Env":["Z=1","A=x=y"],"Entrypoint":["/app/orders"],"Cmd":["--serve"],"#,
                r#""Healthcheck":{{"Test":["CMD","/app/orders","check"]}},"#,
                r#""Volumes":{{"/data":{{}}}},"WorkingDir":"/","#,
                r#""Labels":{{"a":"1","b":"2"}},"StopSignal":"SIGINT"}},"#,
                r#""rootfs":{{"type":"layers","diff_ids":["{}"]}},"#,
                r#""history":[{{"created":"1970-01-01T00:00:00Z","#,
                r#""created_by":"cargo lighter","comment":"runtime"}}]}}"#
            ),
            Digest::of(b"tar")
        );
        assert_eq!(config, expected);
    }

    #[test]
    fn the_manifest_points_at_everything_in_order() {
        let layers = [layer("runtime"), layer("app")];
        let image = assemble(&settings(), &layers).expect("an image");
        let manifest: Manifest = serde_json::from_slice(image.manifest.bytes()).expect("JSON");
        assert_eq!(manifest.config, *image.config.descriptor());
        assert_eq!(manifest.layers, image.layers);
        assert_eq!(manifest.layers[1], layers[1].descriptor);
        assert_eq!(manifest.annotations["n"], "v");
        assert_eq!(image.descriptor().digest, image.manifest.digest());
        assert_eq!(image.descriptor().platform, Some(Platform::linux("amd64")));
    }

    #[test]
    fn impossible_images_are_refused() {
        assert!(matches!(
            assemble(&settings(), &[]),
            Err(ImageError::NoLayers)
        ));
        let many = vec![layer("x"); MAX_LAYERS + 1];
        assert!(matches!(
            assemble(&settings(), &many),
            Err(ImageError::TooManyLayers { .. })
        ));
        let mut odd = layer("x");
        odd.descriptor.media_type = media_type::CONFIG.to_owned();
        assert!(matches!(
            assemble(&settings(), &[odd]),
            Err(ImageError::LayerType { .. })
        ));
        for name in ["", "A=B", "A\0"] {
            let mut settings = settings();
            settings.env.push((name.to_owned(), String::new()));
            assert!(matches!(
                assemble(&settings, &[layer("x")]),
                Err(ImageError::Environment { .. })
            ));
        }
    }
}
