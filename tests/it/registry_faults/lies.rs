//! L: registries that acknowledge what they do not do. A success is never told where the image is not
//! stored: the table asserts that for every scenario, and here nothing else is at stake.

use cargo_lighter::registry::RegistryError;

use super::scenario::{Scenario, play, scenario};
use super::stage::Stage;
use crate::fault_registry::{Act, Answer, Settings, on};

const UPLOADS: &str = "/blobs/uploads/";
const BY_DIGEST: &str = "/manifests/sha256:";

fn not_stored(error: &RegistryError) -> bool {
    matches!(error, RegistryError::NotStored { .. })
}

fn lie(id: &str, method: &'static str, part: &'static str, act: Act) -> Scenario {
    scenario(id).fault(on(method, part).act(act))
}

fn always(id: &str, method: &'static str, part: &'static str, act: Act) -> Scenario {
    scenario(id).fault(on(method, part).always().act(act))
}

#[test]
fn lying_registries() {
    play(vec![
        lie(
            "L1a a blob that is not stored, once",
            "PUT",
            UPLOADS,
            Act::Pretend,
        ),
        always(
            "L1b a blob that is not stored",
            "PUT",
            UPLOADS,
            Act::Pretend,
        )
        .fails(not_stored),
        lie(
            "L2a a blob that is stored in part, once",
            "PUT",
            UPLOADS,
            Act::Keep(1000),
        ),
        always(
            "L2b a blob that is stored in part",
            "PUT",
            UPLOADS,
            Act::Keep(10),
        )
        .fails(not_stored),
        lie(
            "L3 a blob that is not taken over",
            "POST",
            "mount=",
            Act::Pretend,
        )
        .two_services(),
        always(
            "L4 a manifest that is not stored",
            "PUT",
            BY_DIGEST,
            Act::Pretend,
        )
        .fails(not_stored),
        always(
            "L5 a tag that does not move",
            "PUT",
            "/manifests/v1",
            Act::Pretend,
        )
        .fails(not_stored),
        always(
            "L6 a tag that stays with another image",
            "PUT",
            "/manifests/v1",
            Act::Pretend,
        )
        .other_before()
        .fails(|error| matches!(error, RegistryError::TagElsewhere { .. })),
        lie(
            "L7 blobs that vanish before the manifest",
            "PUT",
            BY_DIGEST,
            Act::LoseBlobs,
        ),
        always(
            "L8 blobs that are there only when asked for",
            "HEAD",
            "/blobs/",
            Act::Answer(Answer::status(200).with("Content-Length", "3145728")),
        ),
        lie(
            "L9 a piece that is not stored",
            "PUT",
            UPLOADS,
            Act::Answer(Answer::status(413)),
        )
        .fault(on("PATCH", UPLOADS).act(Act::Pretend)),
        lie(
            "L10 a blob that is not stored, where nobody may look",
            "PUT",
            UPLOADS,
            Act::Pretend,
        )
        .fault(on("HEAD", "/blobs/").always().status(405)),
    ]);
}

/// Nobody but us would notice: the manifest is taken, and what it names is not there.
#[test]
fn registries_that_take_manifests_of_what_they_do_not_have() {
    play(vec![
        lie(
            "L7b blobs that vanish with the manifest, once",
            "PUT",
            BY_DIGEST,
            Act::DropBlobs,
        ),
        always(
            "L7c blobs that vanish with the manifest",
            "PUT",
            BY_DIGEST,
            Act::DropBlobs,
        )
        .fails(not_stored),
        lie(
            "L7d a blob that is not stored, once, where manifests are not checked",
            "PUT",
            UPLOADS,
            Act::Pretend,
        )
        .with(|settings| settings.unknown_status = None),
        always(
            "L7e a blob that is not stored, where manifests are not checked",
            "PUT",
            UPLOADS,
            Act::Pretend,
        )
        .with(|settings| settings.unknown_status = None)
        .fails(not_stored),
        lie(
            "L7f a blob that is not taken over, where manifests are not checked",
            "POST",
            "mount=",
            Act::Pretend,
        )
        .with(|settings| settings.unknown_status = None)
        .two_services(),
    ]);
}

/// The push failed and left its manifest; the next one took that for a proof, and moved the tag.
#[test]
fn a_manifest_that_a_failed_push_left_is_no_proof_of_its_blobs() {
    let settings = Settings {
        unknown_status: None,
        ..Settings::default()
    };
    let stage = Stage::new(settings, None);
    let image = stage.image(1);
    let lost = image.layers[1].0.digest.hex();
    stage.server.add(on("PUT", lost).always().act(Act::Pretend));
    for _ in 0..2 {
        let pushed = stage.client().push("orders", &image, &["v1"]);
        pushed.expect_err("a layer is lost");
        assert!(stage.server.manifest("shop/orders", "v1").is_none());
    }
}

#[test]
fn what_was_lost_and_sent_again_is_counted_once() {
    let lost = on("PUT", BY_DIGEST).act(Act::DropBlobs);
    let counts = [None, Some(lost)].map(|fault| {
        let stage = Stage::new(Settings::default(), None);
        if let Some(fault) = fault {
            stage.server.add(fault);
        }
        let pushed = stage.client().push("orders", &stage.image(1), &["v1"]);
        pushed.expect("pushed").uploaded_bytes
    });
    assert_eq!(counts[0], counts[1]);
}
