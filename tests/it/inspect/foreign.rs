//! Images of other tools that are right, and unusual: nothing is said against them that is not so.

use std::path::Path;
use std::process::Command;

use cargo_lighter::oci::media_type;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use tar::EntryType;

use super::draft::{Draft, File, Laid, Layer, file, header, link};
use crate::support::cli::{Lighter, Run};
use crate::support::tools::run;

fn inspect(directory: &Path, words: &[&str]) -> Run {
    Lighter::at(directory)
        .args(["inspect", "oci:layout"])
        .args(words.iter().copied())
        .run()
}

/// A file of the layout as JSON, changed.
fn change(path: &Path, edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let bytes = fs_err::read(path).expect("readable");
    let mut value = serde_json::from_slice(&bytes).expect("JSON");
    edit(&mut value);
    value.to_string().into_bytes()
}

/// The same image with digests of sha512 everywhere.
fn with_sha512(draft: &Draft) -> Laid {
    let laid = Laid::of(draft);
    let layout = laid.path().join("layout");
    let blobs = layout.join("blobs/sha512");
    fs_err::create_dir(&blobs).expect("made");
    let digest = |bytes: &[u8]| {
        let hash = Sha512::digest(bytes);
        let hex = hash
            .iter()
            .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        (format!("sha512:{hex}"), blobs.join(hex))
    };
    let put = |descriptor: &mut Value, bytes: &[u8]| {
        let (digest, path) = digest(bytes);
        fs_err::write(path, bytes).expect("written");
        descriptor["digest"] = digest.into();
        descriptor["size"] = bytes.len().into();
    };
    let config = change(&laid.blob(&laid.written.config), |config| {
        config["rootfs"]["diff_ids"][0] = digest(&draft.layers[0].tar).0.into();
    });
    let manifest = change(&laid.blob(&laid.written.manifest), |manifest| {
        put(&mut manifest["config"], &config);
        put(&mut manifest["layers"][0], &draft.layers[0].blob);
    });
    let index = change(&layout.join("index.json"), |index| {
        put(&mut index["manifests"][0], &manifest);
    });
    fs_err::write(layout.join("index.json"), index).expect("written");
    fs_err::remove_dir_all(layout.join("blobs/sha256")).expect("removed");
    laid
}

#[test]
fn digests_of_sha512_are_checked_as_those_of_sha256_are() {
    let laid = with_sha512(&Draft::default());
    let run = inspect(laid.path(), &["--verify", "--strict"]).expect(0);
    assert!(run.stdout.contains("nothing violates"), "{}", run.stdout);
    // Who looks into it is told why not, and nothing false.
    inspect(laid.path(), &[]).expect(1).says(&[
        "`index.json` of `oci:layout` has digests of sha512",
        "hint: `--verify` checks such images",
    ]);
    let blobs = fs_err::read_dir(laid.path().join("layout/blobs/sha512")).expect("listed");
    for blob in blobs {
        let path = blob.expect("listed").path();
        let good = fs_err::read(&path).expect("readable");
        let mut bad = good.clone();
        *bad.last_mut().expect("not empty") ^= 1;
        fs_err::write(&path, bad).expect("written");
        let run = inspect(laid.path(), &["--verify"]).expect(3);
        let says = "has content of digest sha512:";
        assert!(run.stdout.contains(says), "{}", run.stdout);
        fs_err::write(&path, good).expect("written");
    }
    let mut draft = Draft::default();
    draft.layers[0].tar.extend([0; 512]);
    let laid = with_sha512(&draft);
    let run = inspect(laid.path(), &["--verify"]).expect(3);
    assert!(run.stdout.contains("unpacks to sha512:"), "{}", run.stdout);
}

#[test]
fn a_digest_of_an_unknown_algorithm_is_no_violation() {
    let laid = Laid::of(&Draft {
        manifest: |manifest| {
            manifest["config"]["digest"] = "blake3:00ff".into();
        },
        ..Draft::default()
    });
    let blobs = laid.path().join("layout/blobs/blake3");
    fs_err::create_dir(&blobs).expect("made");
    fs_err::write(blobs.join("00ff"), "{}").expect("written");
    let run = inspect(laid.path(), &["--verify"]).expect(0);
    let line = "  remark (2): a digest is of an algorithm that is not checked\n";
    assert!(run.stdout.contains(line), "{}", run.stdout);
    inspect(laid.path(), &[])
        .expect(1)
        .says(&["has digests of blake3", "hint: copy the image"]);
}

/// An image whose layer is of this type and at another place.
fn kept_elsewhere(media_type: &'static str, manifest: fn(&mut Value)) -> Laid {
    let mut draft = Draft {
        manifest,
        ..Draft::default()
    };
    draft.layers[0].media_type = media_type;
    Laid::of(&draft)
}

#[test]
fn layers_that_must_not_be_handed_on_are_layers() {
    for (suffix, compress) in [("", false), ("+gzip", true)] {
        let name = format!("application/vnd.oci.image.layer.nondistributable.v1.tar{suffix}");
        let mut draft = Draft::default();
        draft.layers[0].media_type = Box::leak(name.into_boxed_str());
        if !compress {
            draft.layers[0].blob = draft.layers[0].tar.clone();
        }
        let laid = Laid::of(&draft);
        inspect(laid.path(), &["--verify", "--strict"]).expect(0);
        inspect(laid.path(), &[]).expect(0);
        // What is here is checked.
        fs_err::write(laid.blob(&laid.written.layers[0]), "else").expect("written");
        inspect(laid.path(), &["--verify"]).expect(3);
    }
}

#[test]
fn a_layer_that_is_kept_elsewhere_is_not_missing() {
    let urls: fn(&mut Value) = |manifest| {
        manifest["layers"][0]["urls"] = json!(["https://example.com/layer"]);
    };
    let foreign: fn(&mut Value) = |manifest| {
        manifest["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json".into();
        manifest["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json".into();
        manifest["layers"][0]["urls"] = json!(["https://example.com/layer"]);
    };
    let oci = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    let docker = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    for (media_type, manifest, code) in [
        (oci, urls, 0),
        (docker, foreign, 0),
        // Nobody says where it is, or it may be handed on.
        (oci, |_: &mut Value| {}, 3),
        (media_type::LAYER_GZIP, urls, 3),
    ] {
        let laid = kept_elsewhere(media_type, manifest);
        if media_type == docker {
            let path = laid.path().join("layout/index.json");
            let index = change(&path, |index| {
                index["manifests"][0]["mediaType"] =
                    "application/vnd.docker.distribution.manifest.v2+json".into();
            });
            fs_err::write(path, index).expect("written");
        }
        let layer = laid.written.layers[0];
        fs_err::remove_file(laid.blob(&layer)).expect("removed");
        let run = inspect(laid.path(), &["--verify"]).expect(code);
        if code == 0 {
            let line = "  remark (1): a layer is kept elsewhere, and was not checked\n";
            assert!(run.stdout.contains(line), "{}", run.stdout);
            inspect(laid.path(), &[]).expect(1).says(&[
                "is not with the image, but at `https://example.com/layer`",
                "hint: check what is with it: `cargo lighter inspect --verify oci:layout",
            ]);
        } else {
            assert!(run.stdout.contains("which is missing"), "{}", run.stdout);
        }
    }
}

#[test]
fn what_git_archives_is_a_layer() {
    let laid = Laid::of(&Draft::default());
    let work = laid.path().join("work");
    fs_err::create_dir(&work).expect("made");
    fs_err::write(work.join("a"), "content").expect("written");
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=x", "-c", "user.email=x@example.com"]);
        run(command.args(arguments).current_dir(&work));
    };
    git(&["init", "-q"]);
    git(&["add", "a"]);
    git(&["commit", "-q", "-m", "x"]);
    git(&["archive", "-o", "layer.tar", "HEAD"]);
    let tar = fs_err::read(work.join("layer.tar")).expect("written");
    assert_eq!(tar[156], b'g', "the kind of the first entry");
    let laid = Laid::of(&Draft {
        layers: vec![Layer::of_tar(tar)],
        ..Draft::default()
    });
    let run = inspect(laid.path(), &["--verify"]).expect(0);
    let line = "  remark (1): of an entry, it has records for all entries behind it\n";
    assert!(run.stdout.contains(line), "{}", run.stdout);
    assert!(!run.stdout.contains("special file"), "{}", run.stdout);
    inspect(laid.path(), &[]).expect(0);
}

#[test]
fn records_for_all_entries_may_be_called_as_posix_has_it() {
    let records = File {
        kind: EntryType::XGlobalHeader,
        ..file("/tmp/GlobalHead.1.1", "13 comment=x\n")
    };
    let laid = Laid::of(&Draft {
        layers: vec![Layer::of(&[records, file("a", "")])],
        ..Draft::default()
    });
    inspect(laid.path(), &["--verify"]).expect(0);
    let run = inspect(laid.path(), &[]).expect(0);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
}

#[test]
fn a_hard_link_to_a_link_of_the_same_layer_is_none_to_nothing() {
    let linked = File {
        kind: EntryType::Link,
        ..link("b", "a")
    };
    let laid = Laid::of(&Draft {
        layers: vec![Layer::of(&[link("a", "/etc"), linked])],
        ..Draft::default()
    });
    inspect(laid.path(), &["--verify", "--strict"]).expect(0);
    inspect(laid.path(), &[]).expect(0);
    assert_eq!(header(&link("a", "/etc")).entry_type(), EntryType::Symlink);
}
