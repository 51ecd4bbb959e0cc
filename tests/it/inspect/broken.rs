//! Images with one violation each.

use cargo_lighter::digest::Digest;
use cargo_lighter::oci::media_type;
use serde_json::{Value, json};
use tar::EntryType;

use super::draft::{Draft, File, Laid, Layer, directory, file, gzip, header, link, tar_of};

/// A broken image: what is changed before it is written, what afterwards, and what must be said.
pub(super) struct Broken {
    pub(super) name: &'static str,
    pub(super) draft: Draft,
    pub(super) after: fn(&Laid),
    pub(super) says: &'static str,
}

fn broken(name: &'static str, says: &'static str, change: impl FnOnce(&mut Draft)) -> Broken {
    let mut draft = Draft::default();
    change(&mut draft);
    Broken {
        name,
        draft,
        after: |_| {},
        says,
    }
}

fn damaged(name: &'static str, says: &'static str, after: fn(&Laid)) -> Broken {
    Broken {
        after,
        ..broken(name, says, |_| {})
    }
}

/// An image whose layer has these files.
fn of_files(name: &'static str, says: &'static str, files: &[File]) -> Broken {
    broken(name, says, |draft| draft.layers = vec![Layer::of(files)])
}

fn of_tar(name: &'static str, says: &'static str, tar: Vec<u8>) -> Broken {
    broken(name, says, |draft| draft.layers = vec![Layer::of_tar(tar)])
}

fn hard_link(path: &str, target: &str) -> File {
    File {
        kind: EntryType::Link,
        ..link(path, target)
    }
}

/// A tar whose only entry has a mode that is no number.
fn with_damaged_mode() -> Vec<u8> {
    let mut header = header(&file("a", ""));
    header.as_old_mut().mode = *b"rwxr-xr-";
    header.set_cksum();
    [header.as_bytes().as_slice(), &[0; 1024]].concat()
}

/// A tar whose only entry has an extended record that is longer than it says.
fn with_damaged_record() -> Vec<u8> {
    let records = File {
        kind: EntryType::XHeader,
        ..file("x", "99 mtime=1\n")
    };
    let mut tar = tar_of(&[records]);
    tar.truncate(1024);
    tar.extend(tar_of(&[file("a", "")]));
    tar
}

fn edit(laid: &Laid, name: &str, from: &str, to: &str) {
    let path = laid.path().join("layout").join(name);
    let text = fs_err::read_to_string(&path).expect("text");
    assert!(text.contains(from), "{text}");
    fs_err::write(path, text.replace(from, to)).expect("written");
}

fn layouts() -> Vec<Broken> {
    vec![
        broken(
            "header of another version",
            "`oci-layout` names version `1.1.0`",
            |draft| {
                draft.header["imageLayoutVersion"] = "1.1.0".into();
            },
        ),
        broken(
            "header without a version",
            "`oci-layout` has no `imageLayoutVersion`",
            |draft| {
                draft.header = json!({});
            },
        ),
        broken(
            "header of another kind",
            "`oci-layout` is not a valid document",
            |draft| {
                draft.header = json!([]);
            },
        ),
        damaged("no header", "`oci-layout` is missing", |laid| {
            fs_err::remove_file(laid.path().join("layout/oci-layout")).expect("removed");
        }),
        damaged("no index", "`index.json` is missing", |laid| {
            fs_err::remove_file(laid.path().join("layout/index.json")).expect("removed");
        }),
        damaged(
            "no blobs",
            "`blobs` is missing or not a directory",
            |laid| {
                fs_err::remove_dir_all(laid.path().join("layout/blobs")).expect("removed");
                let empty = r#"{"schemaVersion":2,"manifests":[]}"#;
                fs_err::write(laid.path().join("layout/index.json"), empty).expect("written");
            },
        ),
        damaged(
            "header beyond all measure",
            "`oci-layout` has 4194305 bytes, more than 4194304",
            |laid| {
                let header = r#"{"imageLayoutVersion":"1.0.0"}"#;
                let header = format!("{header}{}", " ".repeat((4 << 20) + 1 - header.len()));
                fs_err::write(laid.path().join("layout/oci-layout"), header).expect("written");
            },
        ),
        damaged(
            "index that is no JSON",
            "`index.json` is not a valid document",
            |laid| {
                fs_err::write(laid.path().join("layout/index.json"), "{").expect("written");
            },
        ),
        damaged(
            "blob without a digest for a name",
            "`blobs/sha256/notes` is not a blob",
            |laid| {
                fs_err::write(laid.path().join("layout/blobs/sha256/notes"), "").expect("written");
            },
        ),
    ]
}

fn indexes() -> Vec<Broken> {
    vec![
        broken(
            "index of schema 1",
            "`index.json` has schema version 1, not 2",
            |draft| {
                draft.index = |index| index["schemaVersion"] = 1.into();
            },
        ),
        broken(
            "index without a schema",
            "`index.json` has no `schemaVersion`",
            |draft| {
                draft.index = |index| index["schemaVersion"] = Value::Null;
            },
        ),
        broken(
            "index of another type",
            "`index.json` has the media type",
            |draft| {
                draft.index = |index| index["mediaType"] = media_type::MANIFEST.into();
            },
        ),
        broken(
            "index without a list",
            "`index.json` has no `manifests`",
            |draft| {
                draft.index = |index| index["manifests"] = Value::Null;
            },
        ),
        broken("illegal name", "`a b` is no legal image name", |draft| {
            "a b".clone_into(&mut draft.name);
        }),
        broken("entry of another size", "bytes, but it has", |draft| {
            draft.index = |index| index["manifests"][0]["size"] = 1.into();
        }),
        broken(
            "entry without a type",
            "entry 1 has no `mediaType`",
            |draft| {
                draft.index = |index| index["manifests"][0]["mediaType"] = Value::Null;
            },
        ),
        broken(
            "entry without a digest",
            "entry 1 has no `digest`",
            |draft| {
                draft.index = |index| index["manifests"][0]["digest"] = Value::Null;
            },
        ),
        broken(
            "entry that is a layer",
            "not that of a manifest or index",
            |draft| {
                draft.index = |index| index["manifests"][0]["mediaType"] = media_type::LAYER.into();
            },
        ),
        broken(
            "entry for another platform",
            "is for linux/arm64, but its configuration is for linux/amd64",
            |draft| {
                draft.index =
                    |index| index["manifests"][0]["platform"]["architecture"] = "arm64".into();
            },
        ),
    ]
}

fn manifests() -> Vec<Broken> {
    vec![
        broken(
            "manifest of schema 1",
            "has schema version 1, not 2",
            |draft| {
                draft.manifest = |manifest| manifest["schemaVersion"] = 1.into();
            },
        ),
        broken(
            "manifest that calls itself an index",
            "not its descriptor's",
            |draft| {
                draft.manifest = |manifest| manifest["mediaType"] = media_type::INDEX.into();
            },
        ),
        broken(
            "manifest without a configuration",
            "has no `config`",
            |draft| {
                draft.manifest = |manifest| manifest["config"] = Value::Null;
            },
        ),
        broken("manifest without layers", "has no `layers`", |draft| {
            draft.layers.clear();
            draft.manifest = |manifest| manifest["layers"] = Value::Null;
        }),
        broken(
            "manifest of another shape",
            "has `7` as `layers`, which must be a list",
            |draft| {
                draft.manifest = |manifest| manifest["layers"] = 7.into();
            },
        ),
        broken(
            "manifest beyond all measure",
            "has 4194305 bytes, more than 4194304",
            |draft| {
                draft.manifest = |manifest| {
                    manifest["padding"] = "".into();
                    let length = manifest.to_string().len();
                    manifest["padding"] = "x".repeat((4 << 20) + 1 - length).into();
                };
            },
        ),
        broken(
            "configuration of another type",
            "config has the media type `application/json`",
            |draft| {
                draft.manifest =
                    |manifest| manifest["config"]["mediaType"] = "application/json".into();
            },
        ),
        broken(
            "layer of Docker's types",
            "not of its manifest's kind",
            |draft| {
                draft.manifest = |manifest| {
                    let docker = "application/vnd.docker.image.rootfs.diff.tar.gzip";
                    manifest["layers"][0]["mediaType"] = docker.into();
                };
            },
        ),
        broken(
            "layer of no type",
            "`text/plain`, not that of a layer",
            |draft| {
                draft.manifest =
                    |manifest| manifest["layers"][0]["mediaType"] = "text/plain".into();
            },
        ),
        broken("layer without a size", "layer 1 has no `size`", |draft| {
            draft.manifest = |manifest| manifest["layers"][0]["size"] = Value::Null;
        }),
        broken("layer of another size", "bytes, but it has", |draft| {
            draft.manifest = |manifest| manifest["layers"][0]["size"] = 7.into();
        }),
        broken(
            "layer twice",
            "has 2 layers, but its configuration has 1",
            |draft| {
                draft.manifest = |manifest| {
                    let again = manifest["layers"][0].clone();
                    manifest["layers"] = json!([again.clone(), again]);
                };
            },
        ),
        broken(
            "layer with a digest in capitals",
            "which is no algorithm and its digits in lower case",
            |draft| {
                draft.manifest = |manifest| {
                    let digest = manifest["layers"][0]["digest"].as_str().expect("text");
                    manifest["layers"][0]["digest"] = digest.to_uppercase().into();
                };
            },
        ),
    ]
}

fn configurations() -> Vec<Broken> {
    vec![
        broken(
            "configuration of another shape",
            "has `7` as `rootfs`, which must be an object",
            |draft| {
                draft.config = |config| config["rootfs"] = 7.into();
            },
        ),
        broken(
            "root file system of another kind",
            "has a root file system of type `tree`",
            |draft| {
                draft.config = |config| config["rootfs"]["type"] = "tree".into();
            },
        ),
        broken(
            "uncompressed digest that is none",
            "which is no algorithm and its digits in lower case",
            |draft| {
                draft.config = |config| config["rootfs"]["diff_ids"][0] = "sha512:00".into();
            },
        ),
        broken(
            "uncompressed digest of something else",
            "but its configuration says",
            |draft| {
                draft.config = |config| {
                    config["rootfs"]["diff_ids"][0] = Digest::of(b"else").to_string().into();
                };
            },
        ),
        broken(
            "history that is too long",
            "has 2 history entries with a layer for 1 layer",
            |draft| {
                draft.config = |config| {
                    let again = config["history"][0].clone();
                    config["history"] = json!([again.clone(), again]);
                };
            },
        ),
        broken("configuration without a system", "has no `os`", |draft| {
            draft.config = |config| config["os"] = "".into();
            draft.index = |index| index["manifests"][0]["platform"] = Value::Null;
        }),
        broken(
            "configuration without a processor",
            "has no `architecture`",
            |draft| {
                draft.config = |config| config["architecture"] = Value::Null;
                draft.index = |index| index["manifests"][0]["platform"] = Value::Null;
            },
        ),
        damaged(
            "configuration that was changed",
            "has content of digest",
            |laid| {
                let name = format!("blobs/sha256/{}", laid.written.config.hex());
                edit(laid, &name, "PATH=/app", "PATH=/ape");
            },
        ),
        damaged("layer that is gone", "which is missing", |laid| {
            fs_err::remove_file(laid.blob(&laid.written.layers[0])).expect("removed");
        }),
    ]
}

fn layers() -> Vec<Broken> {
    let good = || tar_of(&[directory("app/"), file("app/orders", "#!")]);
    let cut = gzip(&good());
    let cut = cut[..cut.len() - 9].to_vec();
    vec![
        broken(
            "layer that is not compressed",
            "cannot be decompressed",
            |draft| {
                draft.layers[0].blob = draft.layers[0].tar.clone();
            },
        ),
        broken(
            "layer of another compression",
            "cannot be decompressed",
            |draft| {
                draft.layers[0].media_type = media_type::LAYER_ZSTD;
            },
        ),
        broken("layer that was cut", "cannot be decompressed", |draft| {
            draft.layers[0].blob = cut;
        }),
        broken(
            "something behind the compressed layer",
            "cannot be decompressed",
            |draft| draft.layers[0].blob.extend(b"and more"),
        ),
        of_tar("layer that is no tar", "is not a valid tar", vec![7; 2048]),
        of_tar("tar without an end", "does not end as it should", {
            let tar = good();
            tar[..tar.len() - 1024].to_vec()
        }),
        of_tar(
            "tar with something behind it",
            "does not end as it should",
            [good(), vec![1; 512], vec![0; 1024]].concat(),
        ),
    ]
}

fn entries() -> Vec<Broken> {
    vec![
        of_files(
            "name twice",
            "entry `a`: its name is there twice",
            &[file("a", ""), file("a", "")],
        ),
        of_files(
            "whiteout of nothing",
            "entry `a/.wh.`: it orders to delete something without a name of its own",
            &[file("a/.wh.", "")],
        ),
        of_files(
            "whiteout of the directory above",
            "entry `.wh...`: it orders to delete something without a name of its own",
            &[file(".wh...", "")],
        ),
        of_files(
            "whiteout of the directory itself",
            "entry `.wh..`: it orders to delete something without a name of its own",
            &[file(".wh..", "")],
        ),
        of_files(
            "absolute name",
            "entry `/etc/passwd`: its name begins with a slash",
            &[file("/etc/passwd", "")],
        ),
        of_files(
            "climbing name",
            "entry `a/../../b`: its name leads out",
            &[file("a/../../b", "")],
        ),
        of_files(
            "name with a way back",
            "entry `a/../b`: its name has `..` in it",
            &[file("a/../b", "")],
        ),
        of_files(
            "name with an empty part",
            "entry `a//b`: its name has an empty part",
            &[file("a//b", "")],
        ),
        of_files(
            "file behind a link to itself",
            "entry `a/b`: it is behind links without an end",
            &[link("a", "a"), file("a/b", "")],
        ),
        of_files(
            "file below a file",
            "entry `a/b`: it is below a file of the same layer",
            &[file("a", ""), file("a/b", "")],
        ),
        of_files(
            "file below a hard link to a file",
            "entry `b/c`: it is below a file of the same layer",
            &[file("a", ""), hard_link("b", "a"), file("b/c", "")],
        ),
        of_files(
            "hard link to nothing",
            "it links to no earlier file",
            &[hard_link("a", "b")],
        ),
        of_files(
            "owner beyond numbers",
            "its owner is no sensible number",
            &[File {
                owner: (1 << 40, 0),
                ..file("a", "")
            }],
        ),
        of_tar("damaged mode", "its header is damaged", with_damaged_mode()),
        of_tar(
            "damaged record",
            "its header is damaged",
            with_damaged_record(),
        ),
    ]
}

/// All of them.
pub(super) fn table() -> Vec<Broken> {
    let parts = [
        layouts(),
        indexes(),
        manifests(),
        configurations(),
        layers(),
        entries(),
    ];
    parts.into_iter().flatten().collect()
}
