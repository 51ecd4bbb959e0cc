//! Layout, index, manifest and configuration.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixture::{Fixture, NAME, cases, put};
use crate::digest::Digest;
use crate::image::{Problem, check_image, check_layout};
use crate::medium::{LayoutReader, LayoutWriter, MANIFEST_LIMIT};
use crate::oci::{Document, Index, media_type};

/// Asserts that a pattern matches the only problem.
macro_rules! assert_only {
    ($problems:expr, $pattern:pat) => {
        let problems = $problems;
        assert!(matches!(problems.as_slice(), [$pattern]), "{problems:?}");
    };
}

#[test]
fn a_good_layout_has_no_problem() {
    let layout = Fixture::default().write();
    assert_eq!(layout.problems(), []);
    let reader = LayoutReader::open(&layout.path).expect("a layout");
    let image = reader.resolve(Some(NAME)).expect("named");
    assert_eq!(check_image(&reader, &image).expect("checked"), []);
}

#[test]
fn a_missing_directory_is_no_layout() {
    let layout = Fixture::default().write();
    check_layout(&layout.path.join("nowhere")).expect_err("not there");
}

#[test]
fn a_flipped_byte_is_found_in_every_blob() {
    let layout = Fixture::default().write();
    let descriptors = [
        layout.config.clone(),
        layout.manifest.clone(),
        layout.layer.clone(),
    ];
    for descriptor in descriptors {
        let path = layout.blob(&descriptor);
        let good = fs_err::read(&path).expect("readable");
        for position in [0, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[position] ^= 1;
            fs_err::write(&path, &bad).expect("written");
            let expected = Problem::Content {
                digest: descriptor.digest.into(),
                found: Digest::of(&bad).into(),
            };
            let problems = layout.problems();
            assert!(problems.contains(&expected), "{problems:?}");
        }
        fs_err::write(&path, &good).expect("written");
    }
    assert_eq!(layout.problems(), []);
}

#[test]
fn a_truncated_blob_is_found() {
    let layout = Fixture::default().write();
    let path = layout.blob(&layout.layer);
    let good = fs_err::read(&path).expect("readable");
    fs_err::write(&path, &good[..good.len() - 1]).expect("written");
    let problems = layout.problems();
    assert!(
        matches!(
            problems.as_slice(),
            [
                Problem::Size { .. },
                Problem::Content { .. },
                Problem::Compression { .. }
            ]
        ),
        "{problems:?}"
    );
}

#[test]
fn a_missing_blob_is_found() {
    let layout = Fixture::default().write();
    fs_err::remove_file(layout.blob(&layout.layer)).expect("removed");
    assert_only!(layout.problems(), Problem::MissingBlob { .. });
}

#[test]
fn files_of_the_layout_are_checked() {
    let layout = Fixture::default().write();
    layout.replace("oci-layout", "1.0.0", "1.1.0");
    assert_only!(layout.problems(), Problem::Version { .. });
    fs_err::write(layout.path.join("oci-layout"), "{}").expect("written");
    assert_only!(layout.problems(), Problem::MissingField { .. });
    fs_err::write(layout.path.join("oci-layout"), "1.0.0").expect("written");
    assert_only!(layout.problems(), Problem::Json { .. });
    fs_err::remove_file(layout.path.join("oci-layout")).expect("removed");
    assert_only!(
        layout.problems(),
        Problem::MissingFile { path: "oci-layout" }
    );
}

#[test]
fn names_of_blobs_are_digests_in_lower_case() {
    let layout = Fixture::default().write();
    let upper = layout.layer.digest.hex().to_uppercase();
    let names = [
        "sha256/x".to_owned(),
        format!("sha256/{upper}"),
        "md5".to_owned(),
    ];
    for name in names {
        let path = layout.path.join("blobs").join(&name);
        fs_err::write(&path, "").expect("written");
        assert_eq!(layout.problems(), [Problem::BlobName { name }]);
        fs_err::remove_file(path).expect("removed");
    }
}

#[test]
fn unreferenced_blobs_are_listed_and_checked() {
    let layout = Fixture::default().write();
    let digest = Digest::of(b"nobody's");
    let path = layout.path.join("blobs/sha256").join(digest.hex());
    let digest = digest.into();
    fs_err::write(&path, "nobody's").expect("written");
    let problems = layout.problems();
    assert_eq!(problems, [Problem::Unreferenced { digest }]);
    assert!(!problems[0].breaks_specification());
    fs_err::write(&path, "other").expect("written");
    assert_eq!(
        layout.problems(),
        [
            Problem::Unreferenced { digest },
            Problem::Content {
                digest,
                found: Digest::of(b"other").into()
            }
        ]
    );
}

#[test]
fn the_index_is_checked() {
    let layout = Fixture::default().write();
    let good = fs_err::read_to_string(layout.path.join("index.json")).expect("readable");
    let entry = serde_json::from_str::<Value>(&good).expect("JSON")["manifests"][0].to_string();
    let problems = |from: &str, to: &str| {
        layout.replace("index.json", from, to);
        let problems = layout.problems();
        fs_err::write(layout.path.join("index.json"), &good).expect("written");
        problems
    };
    let digest = layout.manifest.digest.to_string();
    let size = format!("\"size\":{}", layout.manifest.size);
    assert_only!(
        problems(r#""schemaVersion":2"#, r#""schemaVersion":1"#),
        Problem::SchemaVersion { .. }
    );
    assert_only!(
        problems(media_type::INDEX, media_type::MANIFEST),
        Problem::MediaType { .. }
    );
    assert_only!(problems(NAME, "a b"), Problem::IllegalName { .. });
    assert_only!(problems(&size, "\"size\":1"), Problem::Size { .. });
    assert!(matches!(
        problems(&digest, &digest.to_uppercase())[0],
        Problem::Digest { .. }
    ));
    assert_only!(problems(&size, "\"size\":-1"), Problem::Type { .. });
    assert_only!(
        problems(r#""manifests":["#, &format!(r#""manifests":[{entry},"#)),
        Problem::DuplicateName { .. }
    );
    assert_only!(problems("amd64", "arm64"), Problem::Platform { .. });
    assert!(matches!(
        problems("manifests", "manifest")[0],
        Problem::MissingField {
            field: "manifests",
            ..
        }
    ));
}

#[test]
fn the_manifest_is_checked() {
    let problems = |manifest: fn(&mut Value)| {
        Fixture {
            manifest,
            ..Fixture::default()
        }
        .problems()
    };
    assert_only!(
        problems(|manifest| manifest["schemaVersion"] = 1.into()),
        Problem::SchemaVersion { found: 1, .. }
    );
    assert_only!(
        problems(|manifest| manifest["mediaType"] = media_type::INDEX.into()),
        Problem::MediaType { .. }
    );
    assert_only!(
        problems(|manifest| {
            let docker = "application/vnd.docker.image.rootfs.diff.tar.gzip";
            manifest["layers"][0]["mediaType"] = docker.into();
        }),
        Problem::MediaType { .. }
    );
    assert_only!(
        problems(|manifest| manifest["layers"][0]["mediaType"] = "text/plain".into()),
        Problem::MediaType { .. }
    );
    assert_only!(
        problems(|manifest| manifest["config"]["mediaType"] = "application/json".into()),
        Problem::MediaType { .. }
    );
    assert_only!(
        problems(|manifest| {
            let again = manifest["layers"][0].clone();
            manifest["layers"] = json!([again.clone(), again]);
        }),
        Problem::LayerCount {
            layers: 2,
            diff_ids: 1,
            ..
        }
    );
    assert_only!(
        problems(|manifest| manifest["layers"][0]["size"] = Value::Null),
        Problem::MissingField { field: "size", .. }
    );
}

#[test]
fn the_configuration_is_checked() {
    let problems = |config: fn(&mut Value)| {
        Fixture {
            config,
            ..Fixture::default()
        }
        .problems()
    };
    assert_only!(
        problems(|config| config["history"] = Value::Null),
        Problem::NoHistory { .. }
    );
    assert_eq!(
        problems(|config| {
            let entry = config["history"][0].clone();
            config["history"] = json!([{"empty_layer": true}, entry]);
        }),
        []
    );
    assert_only!(
        problems(|config| config["rootfs"]["type"] = "tree".into()),
        Problem::RootFs { .. }
    );
    assert_only!(
        problems(|config| {
            let digest = config["rootfs"]["diff_ids"][0].to_string();
            config["rootfs"]["diff_ids"][0] = digest.trim_matches('"').to_uppercase().into();
        }),
        Problem::Digest { .. }
    );
    assert_only!(
        problems(|config| config["architecture"] = "arm64".into()),
        Problem::Platform { .. }
    );
    assert_only!(
        problems(|config| config["os"] = "unknown".into()),
        Problem::Platform { .. }
    );
    assert_eq!(problems(|config| config["variant"] = "v2".into()), []);
    let problems = problems(|config| config["os"] = Value::Null);
    assert!(matches!(
        problems[0],
        Problem::MissingField { field: "os", .. }
    ));
}

#[test]
fn swapped_uncompressed_digests_are_found() {
    use super::fixture::{file, gzip, settings, tar_of};
    use crate::image::{LayerEntry, assemble};
    let keep = tempfile::tempdir().expect("a temporary directory");
    let writer = LayoutWriter::open(keep.path()).expect("opened");
    let tars = ["a", "b"].map(|name| tar_of(&[file(name)]));
    let layer = |blob: usize, diff_id: usize| LayerEntry {
        descriptor: put(&writer, media_type::LAYER_GZIP, &gzip(&tars[blob])),
        diff_id: Digest::of(&tars[diff_id]),
        purpose: "app".to_owned(),
    };
    let image = assemble(&settings(), &[layer(0, 1), layer(1, 0)]).expect("an image");
    for document in [&image.config, &image.manifest] {
        writer
            .put_blob_bytes(document.descriptor(), document.bytes())
            .expect("stored");
    }
    let reader = LayoutReader::open(keep.path()).expect("a layout");
    let problems = check_image(&reader, image.descriptor()).expect("checked");
    assert!(
        matches!(
            problems.as_slice(),
            [Problem::DiffId { .. }, Problem::DiffId { .. }]
        ),
        "{problems:?}"
    );
}

#[test]
fn nested_indexes_and_artifacts_are_followed() {
    let layout = Fixture::default().write();
    let writer = LayoutWriter::open(&layout.path).expect("opened");
    let artifact = json!({
        "schemaVersion": 2,
        "mediaType": media_type::MANIFEST,
        "artifactType": "application/spdx+json",
        "config": put(&writer, "application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [put(&writer, "application/spdx+json", b"not a tar")],
        "subject": layout.manifest,
    });
    let artifact = put(
        &writer,
        media_type::MANIFEST,
        artifact.to_string().as_bytes(),
    );
    let mut top = layout.manifest.clone();
    for _ in 0..8 {
        let index = Index::new(vec![top, artifact.clone()]);
        let document = Document::new(media_type::INDEX, &index).expect("serializable");
        top = put(&writer, media_type::INDEX, document.bytes());
    }
    let tag = |name: &str| writer.tag(&[(name.to_owned(), top.clone())]);
    tag(NAME).expect("tagged");
    assert_eq!(layout.problems(), []);
    let index = Index::new(vec![top.clone()]);
    let document = Document::new(media_type::INDEX, &index).expect("serializable");
    let deeper = put(&writer, media_type::INDEX, document.bytes());
    writer.tag(&[(NAME.to_owned(), deeper)]).expect("tagged");
    assert!(matches!(
        layout.problems()[0],
        Problem::TooDeep { limit: 8, .. }
    ));
}

#[test]
fn documents_beyond_the_limit_are_not_read() {
    let layout = Fixture::default().write();
    let writer = LayoutWriter::open(&layout.path).expect("opened");
    let length = usize::try_from(MANIFEST_LIMIT).expect("small") + 1;
    let large = put(&writer, media_type::MANIFEST, &vec![b' '; length]);
    writer
        .tag(&[("large:1".to_owned(), large)])
        .expect("tagged");
    assert_only!(layout.problems(), Problem::TooLarge { .. });
}

fn any_json() -> impl Strategy<Value = String> {
    let field = r#""(schemaVersion|mediaType|manifests|config|layers|digest|size|rootfs|history)":(2|-1|null|\[\]|\[null\]|\[\{\}\]|\{\}|"sha256:"|"application/vnd.oci.image.manifest.v1\+json")"#;
    prop::collection::vec(field, 0..5).prop_map(|fields| format!("{{{}}}", fields.join(",")))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_document_is_checked_without_a_panic(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            any_json().prop_map(String::into_bytes),
        ],
    ) {
        let layout = Fixture::default().write();
        for path in [
            layout.blob(&layout.config),
            layout.blob(&layout.manifest),
            layout.path.join("index.json"),
            layout.path.join("oci-layout"),
        ] {
            fs_err::write(path, &bytes).expect("written");
            prop_assert!(!layout.problems().is_empty());
        }
    }
}
