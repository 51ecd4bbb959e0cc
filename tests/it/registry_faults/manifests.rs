//! M: manifests and tags, and what a registry says of blobs when it gets a manifest.

use cargo_lighter::hint::Hint as _;
use cargo_lighter::registry::RegistryError;

use super::scenario::{Scenario, counted, play, scenario};
use super::stage::Stage;
use crate::fault_registry::{Act, Answer, Change, on};

const BY_DIGEST: &str = "/manifests/sha256:";

fn blob_unknown() -> Answer {
    Answer::refusal(400, "MANIFEST_BLOB_UNKNOWN")
}

/// Nobody finds a manifest, so that tags are put that are there.
fn blind(scenario: Scenario) -> Scenario {
    scenario.fault(on("HEAD", "/manifests/").times(2).status(404))
}

#[test]
fn unknown_blobs() {
    let unknown =
        |id, times| scenario(id).fault(on("PUT", BY_DIGEST).times(times).answer(blob_unknown()));
    play(vec![
        unknown("U19a once", 1).waits(1, 2),
        unknown("U19b three times", 3).waits(7, 8),
        unknown("U19c four times", 4).waits(15, 16),
        unknown("U19d for ever", usize::MAX)
            .fails(|error| matches!(error, RegistryError::Refused { status: 400, .. }))
            .waits(15, 16)
            .then(|stage| counted(stage, "PUT", BY_DIGEST, 5)),
        scenario("U19e blobs that are lost meanwhile")
            .fault(on("PUT", BY_DIGEST).act(Act::LoseBlobs)),
        scenario("U19f the same, told by 404")
            .with(|settings| settings.unknown_status = Some(404))
            .fault(on("PUT", BY_DIGEST).act(Act::LoseBlobs)),
        scenario("U19g when the tag is put")
            .fault(on("PUT", "/manifests/v1").times(2).answer(blob_unknown()))
            .waits(3, 4),
    ]);
}

/// The error names the kind, and what to do says something else than to try again.
fn names_the_kind(error: &RegistryError) -> bool {
    let kind = "`application/vnd.oci.image.manifest.v1+json`";
    let told = error.to_string().contains(kind);
    let advised = error.hint().is_some_and(|hint| hint.contains("update"));
    matches!(error, RegistryError::KindRefused { .. }) && told && advised
}

#[test]
fn kinds_of_manifests() {
    let words = |status, code: &str, message: &str| {
        let error = serde_json::json!({ "code": code, "message": message });
        Answer::status(status).json(&serde_json::json!({ "errors": [error] }))
    };
    let refused = |id, answer| {
        scenario(id)
            .fault(on("PUT", BY_DIGEST).always().answer(answer))
            .then(|stage| counted(stage, "PUT", BY_DIGEST, 1))
            .then(|stage| counted(stage, "PUT", "/manifests/v1", 0))
    };
    let no_kind = |error: &RegistryError| matches!(error, RegistryError::Refused { .. });
    play(vec![
        refused("M5a a kind that is not taken, 415", Answer::status(415)).fails(names_the_kind),
        refused(
            "M5b the same, 405",
            words(405, "UNSUPPORTED", "The operation is unsupported."),
        )
        .fails(names_the_kind),
        refused(
            "M5c the same, 400",
            words(
                400,
                "MANIFEST_INVALID",
                "mediaType in manifest should be another",
            ),
        )
        .fails(names_the_kind),
        refused(
            "M5d another flaw of a manifest",
            words(400, "MANIFEST_INVALID", "layer 2 is too large"),
        )
        .fails(no_kind),
        scenario("M5e a tag may have another rule, and is told of the same")
            .fault(on("PUT", "/manifests/v1").always().status(415))
            .fails(names_the_kind),
    ]);
}

fn ordered(stage: &Stage) -> Result<(), String> {
    let log = stage.server.log();
    let puts: Vec<&str> = log
        .iter()
        .filter(|exchange| exchange.method == "PUT")
        .map(|exchange| exchange.path.as_str())
        .collect();
    let kinds: Vec<&str> = puts
        .iter()
        .map(|path| match path {
            path if path.contains("/blobs/") => "blob",
            path if path.contains(BY_DIGEST) => "manifest",
            _ => "tag",
        })
        .collect();
    if kinds == ["blob", "blob", "blob", "manifest", "tag"] {
        Ok(())
    } else {
        Err(format!("{kinds:?}"))
    }
}

#[test]
fn manifests_and_tags() {
    let altered = |id, part: &'static str, change| {
        scenario(id).fault(on("PUT", part).always().act(Act::Alter(vec![change])))
    };
    let digest = |value: &str| Change::Header("Docker-Content-Digest", value.to_owned());
    let other = format!("sha256:{}", "0".repeat(64));
    let immutable = |id, status| {
        scenario(id).with(|settings| {
            settings.immutable_tags = true;
            settings.immutable_status = status;
        })
    };
    let taken = |error: &RegistryError| {
        let text = error.to_string();
        matches!(error, RegistryError::TagTaken { .. }) && text.matches("sha256:").count() == 2
    };
    let mismatch = |error: &RegistryError| matches!(error, RegistryError::DigestMismatch { .. });
    play(vec![
        scenario("M1 blobs, then the manifest, then the tag").then(ordered),
        blind(immutable("M2a a tag that does not move and need not", 400).pushed_before()),
        blind(immutable("M2b the same, told by 409", 409).pushed_before()),
        blind(immutable("M2c the same, told by 403", 403).pushed_before()),
        immutable("M2d a tag that does not move and should", 400)
            .other_before()
            .fails(taken),
        immutable("M2e the same, told by 412", 412)
            .other_before()
            .fails(taken),
        scenario("M2f an answer to a tag that is lost")
            .fault(on("PUT", "/manifests/v1").act(Act::LoseAnswer)),
        immutable("M2g the same where tags do not move", 400)
            .fault(on("PUT", "/manifests/v1").act(Act::LoseAnswer)),
        scenario("M3 a repository that does not exist")
            .with(|settings| settings.repositories = Some(vec!["shop/other".to_owned()]))
            .fails(|error| matches!(error, RegistryError::NotFound { .. }))
            .then(no_blob_is_tried_again),
        altered(
            "M4a another digest of the manifest",
            BY_DIGEST,
            digest(&other),
        )
        .fails(mismatch),
        altered("M4b another digest of a blob", "/blobs/", digest(&other)).fails(mismatch),
        altered(
            "M4c another digest of a tag",
            "/manifests/v1",
            digest(&other),
        )
        .fails(mismatch),
        altered(
            "M4d a digest that is none",
            BY_DIGEST,
            digest("sha256:../x"),
        )
        .fails(mismatch),
        altered(
            "M4e no digest",
            "",
            Change::Without("Docker-Content-Digest"),
        ),
        altered(
            "M4f a manifest answered with 202",
            BY_DIGEST,
            Change::Status(202),
        ),
        scenario("M8a a look at manifests answered with 405")
            .fault(on("HEAD", "/manifests/").always().status(405)),
        scenario("M8b who may not look may push")
            .fault(on("HEAD", "/manifests/").always().status(403))
            .fault(on("GET", "/manifests/").always().status(403)),
        scenario("M8d the same where nobody may look in any way")
            .fault(on("HEAD", "/manifests/").always().status(405))
            .fault(on("GET", "/manifests/").always().status(405)),
        scenario("M8c a look without a digest")
            .pushed_before()
            .fault(
                on("HEAD", "/manifests/")
                    .always()
                    .act(Act::Alter(vec![Change::Without("Docker-Content-Digest")])),
            )
            .then(|stage| counted(stage, "PUT", "", 0)),
        scenario("M9 an answer to a manifest that is lost")
            .fault(on("PUT", BY_DIGEST).act(Act::LoseAnswer)),
    ]);
}

/// The blobs of an image go beside each other, so that the first refusal may find others under way.
fn no_blob_is_tried_again(stage: &Stage) -> Result<(), String> {
    let blobs = 3;
    let opened = stage.server.count("POST", "/blobs/uploads/");
    if (1..=blobs).contains(&opened) {
        Ok(())
    } else {
        Err(format!("{opened} uploads were opened for {blobs} blobs"))
    }
}
