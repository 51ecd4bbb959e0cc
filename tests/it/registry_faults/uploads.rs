//! U: uploads.

use cargo_lighter::hint::Hint as _;
use cargo_lighter::registry::RegistryError;

use super::scenario::{Scenario, counted, play, scenario};
use crate::fault_registry::{Act, Answer, Change, Fault, Guard, Origin, Scopes, on};

const UPLOADS: &str = "/blobs/uploads/";
const BLOBS: &str = "/blobs/sha256:";

/// Every upload is opened with this `Location`.
fn location(id: &'static str, value: &str) -> Scenario {
    scenario(id).fault(on("POST", UPLOADS).always().header("Location", value))
}

/// The first commit is answered so.
fn commit(id: &'static str, act: Act) -> Scenario {
    scenario(id).fault(on("PUT", UPLOADS).act(act))
}

fn status(status: u16) -> Act {
    Act::Answer(Answer::status(status))
}

fn alter(change: Change) -> Act {
    Act::Alter(vec![change])
}

fn refusal(status: u16, code: &str) -> Act {
    Act::Answer(Answer::refusal(status, code))
}

fn is_elsewhere(error: &RegistryError) -> bool {
    let hint = error.hint().unwrap_or_default();
    matches!(error, RegistryError::Elsewhere { .. }) && hint.contains("external address")
}

/// It was told to create the repository.
fn forgets(error: &RegistryError) -> bool {
    let hint = error.hint().unwrap_or_default();
    matches!(error, RegistryError::UploadLost { .. }) && hint.contains("forgets what it began")
}

fn is_protocol(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Protocol { .. })
}

fn is_sent_away(error: &RegistryError) -> bool {
    matches!(error, RegistryError::SentAway { .. })
}

#[test]
fn addresses_of_uploads() {
    play(vec![
        scenario("U1 relative, with a query that must stay"),
        location("U1a absolute, the same origin", "http://{host}{location}"),
        location("U2a relative without a slash", "{id}"),
        location("U2b relative with dots", "../uploads/{id}"),
        location("U2c without a scheme", "//{host}{location}"),
        location("U2d with a fragment", "{location}#part"),
        location(
            "U3a another origin, which is a store",
            "http://{other}{location}",
        )
        .tokens(300)
        .then(|stage| {
            let log = stage.server.log();
            let puts = log
                .iter()
                .filter(|exchange| exchange.origin == Origin::Other);
            if puts.count() == 3 {
                Ok(())
            } else {
                Err("three uploads there".to_owned())
            }
        }),
        location(
            "U3b another origin, which asks for a login",
            "http://{other}{location}",
        )
        .tokens(300)
        .fault(
            on("PUT", "").at_other().always().answer(
                Answer::status(401).with("WWW-Authenticate", "Basic realm=\"give it to me\""),
            ),
        )
        .fails(is_elsewhere),
        location(
            "U3c a port where nobody listens",
            "http://127.0.0.1:1{location}",
        )
        .fails(is_elsewhere),
        location("U3d another scheme", "https://{host}{location}").fails(is_elsewhere),
        scenario("U4a no address")
            .fault(on("POST", UPLOADS).act(alter(Change::Without("Location"))))
            .fails(is_protocol),
        location("U4b garbage", "http://[::bad/").fails(is_sent_away),
        location("U4c an internal address", "http://10.0.0.1/x").fails(is_sent_away),
        location("U4d with a password", "http://a:b@{host}{location}").fails(is_sent_away),
        scenario("U4e no address of a stored manifest").fault(
            on("PUT", "/manifests/")
                .always()
                .act(alter(Change::Without("Location"))),
        ),
        scenario("U4f no address of a stored blob").fault(
            on("PUT", UPLOADS)
                .always()
                .act(alter(Change::Without("Location"))),
        ),
        scenario("U4g an upload that is sent on to a store")
            .fault(
                on("PUT", UPLOADS)
                    .answer(Answer::status(307).with("Location", "http://{other}{path}?signed=1")),
            )
            .fault(on("PUT", "signed=1").at_other().act(Act::Pretend))
            // What the store has is nothing to this registry, so that the blob is sent again.
            .then(|stage| counted(stage, "PUT", UPLOADS, 4)),
    ]);
}

#[test]
fn statuses_and_shapes_of_uploads() {
    let answered = |id, status| {
        scenario(id).fault(
            on("PUT", UPLOADS)
                .always()
                .act(alter(Change::Status(status))),
        )
    };
    let opened = |id, status| {
        scenario(id).fault(
            on("POST", UPLOADS)
                .always()
                .act(alter(Change::Status(status))),
        )
    };
    let pieces = |stage: &super::stage::Stage| {
        let log = stage.server.log();
        let ranges: Vec<&str> = log
            .iter()
            .filter_map(|exchange| exchange.header("content-range"))
            .collect();
        if ranges.is_empty() {
            Err("no pieces".to_owned())
        } else {
            Ok(())
        }
    };
    play(vec![
        answered("U5a a commit answered with 200", 200),
        answered("U5b a commit answered with 202", 202),
        answered("U5c a commit answered with 204", 204),
        opened("U5d an upload opened with 200", 200),
        opened("U5e an upload opened with 201", 201),
        commit("U6a content in a PUT is refused with 405", status(405))
            .then(|stage| counted(stage, "PATCH", UPLOADS, 1)),
        commit("U6b with 501", status(501)).then(|stage| counted(stage, "PATCH", UPLOADS, 1)),
        commit("U6c with 415", status(415)).then(|stage| counted(stage, "PATCH", UPLOADS, 1)),
        commit("U6d content in a PATCH is refused, too", status(405))
            .fault(on("PATCH", UPLOADS).always().status(405))
            .fails(|error| matches!(error, RegistryError::Refused { status: 405, .. })),
        commit("U6e a PATCH answered with 201", status(405))
            .fault(on("PATCH", UPLOADS).act(alter(Change::Status(201)))),
        scenario("U6f nothing is ever sent in pieces unasked")
            .then(|stage| counted(stage, "PATCH", "", 0)),
        commit("U7 416", status(416)).then(|stage| counted(stage, "PATCH", "", 0)),
        commit("U8a 413", status(413)).then(pieces),
        commit(
            "U8b 413 before all is sent, and the end of the connection",
            Act::Early {
                answer: Answer::status(413),
                drain: true,
            },
        )
        .then(pieces),
        commit("U8c 413 to large pieces, too", status(413))
            .fault(on("PATCH", UPLOADS).status(413))
            .then(pieces),
        commit("U8d 413, and pieces have a smallest size", status(413))
            .fault(on("PATCH", UPLOADS).status(413))
            .with(|settings| settings.chunk_minimum = Some(1_500_000))
            .then(pieces),
        commit("U8f a registry that counts one byte too many", status(413)).fault(
            on("PATCH", UPLOADS)
                .always()
                .act(alter(Change::Header("Range", "0-99999999".to_owned()))),
        ),
        scenario("U8e 413 to everything")
            .fault(on("PUT", UPLOADS).always().status(413))
            .fault(on("PATCH", UPLOADS).always().status(413))
            .fails(|error| {
                let hint = error.hint().unwrap_or_default();
                matches!(error, RegistryError::Refused { status: 413, .. })
                    && hint.contains("limit")
            }),
        commit("U8f a piece that is taken in part", status(413))
            .fault(on("PATCH", UPLOADS).header("Range", "0-99")),
        commit("U8g 416 to a piece", status(413)).fault(on("PATCH", UPLOADS).status(416)),
        commit(
            "U9a a refusal before all is sent",
            Act::Early {
                answer: Answer::refusal(400, "DIGEST_INVALID"),
                drain: true,
            },
        )
        .fails(|error| matches!(error, RegistryError::Refused { status: 400, .. })),
        commit(
            "U9b a busy registry that does not listen to the end",
            Act::Early {
                answer: Answer::status(503),
                drain: true,
            },
        ),
        commit(
            "U9c a busy registry that closes at once",
            Act::Early {
                answer: Answer::status(503),
                drain: false,
            },
        ),
    ]);
}

#[test]
fn uploads_that_break() {
    let reset = |after| Act::Reset { after };
    let broken = |id, count| {
        scenario(id).one_upload().fault(
            on("PUT", UPLOADS)
                .times(count)
                .act(Act::Reset { after: 1_000_000 }),
        )
    };
    play(vec![
        commit("U10a a reset before the body", reset(0)),
        commit("U10b a reset within the body", reset(1_000_000)),
        commit("U10c a reset after the body", reset(u64::MAX)),
        broken("U10d twice", 2),
        broken("U10e four times", 4),
        scenario("U10f for ever")
            .fault(on("PUT", UPLOADS).always().act(reset(0)))
            .fails(|error| matches!(error, RegistryError::Lost { .. })),
        scenario("U10g a reset when it is opened").fault(on("POST", UPLOADS).act(reset(0))),
        scenario("U10h a reset of a look").fault(on("HEAD", BLOBS).act(reset(0))),
        scenario("U10i a reset of the confirmation")
            .fault(on("HEAD", BLOBS).after(3).act(reset(0))),
        commit("U11a a session that is lost", Act::LoseSessions),
        scenario("U11b twice")
            .one_upload()
            .fault(on("PUT", UPLOADS).times(2).act(Act::LoseSessions)),
        commit(
            "U11c a session that is lost between PATCH and PUT",
            status(405),
        )
        .fault(on("PATCH", UPLOADS).act(Act::LoseSessions)),
        commit(
            "U11d a session that is no longer right",
            refusal(400, "BLOB_UPLOAD_INVALID"),
        ),
        scenario("U11e sessions that are always lost")
            .fault(on("PUT", UPLOADS).always().act(Act::LoseSessions))
            .fails(forgets),
        commit("U12a a commit whose answer is lost", Act::LoseAnswer)
            .then(|stage| counted(stage, "PUT", UPLOADS, 3)),
        scenario("U12b all commits' answers are lost")
            .fault(on("PUT", UPLOADS).always().act(Act::LoseAnswer))
            .then(|stage| counted(stage, "PUT", UPLOADS, 3)),
        commit(
            "U12c a commit that worked and is answered with 500",
            alter(Change::Status(500)),
        )
        .then(|stage| counted(stage, "PUT", UPLOADS, 3)),
        commit(
            "U12d a commit that worked and is answered with 404",
            alter(Change::Status(404)),
        )
        .then(|stage| counted(stage, "PUT", UPLOADS, 3)),
        commit("U13a a commit that fails with 500", status(500)),
        commit(
            "U13b with 502 in HTML",
            Act::Answer(Answer::status(502).body("<html>bad gateway</html>")),
        ),
        scenario("U13c four times")
            .one_upload()
            .fault(on("PUT", UPLOADS).times(4).status(500)),
        scenario("U13d for ever")
            .fault(on("PUT", UPLOADS).always().status(500))
            .fails(|error| matches!(error, RegistryError::Refused { status: 500, .. })),
    ]);
}

#[test]
fn blobs_from_other_repositories() {
    let refused = |id, status| {
        scenario(id)
            .two_services()
            .tokens(300)
            .fault(on("POST", "mount=").always().status(status))
            .then(|stage| counted(stage, "PUT", UPLOADS, 6))
    };
    let scopes = |id, scopes| {
        scenario(id).two_services().with(|settings| {
            settings.guard = Guard::Bearer {
                seconds: 300,
                scopes,
            };
        })
    };
    play(vec![
        scenario("U14a a mount that works")
            .two_services()
            .tokens(300)
            .then(|stage| counted(stage, "PUT", UPLOADS, 5)),
        scenario("U14b a mount that opens an upload, which is used")
            .two_services()
            .with(|settings| settings.mounts = false)
            .then(|stage| {
                counted(stage, "POST", UPLOADS, 6)?;
                if stage.server.open_uploads() == 0 {
                    Ok(())
                } else {
                    Err("left open".to_owned())
                }
            }),
        refused("U15a a mount that is refused with 401", 401),
        refused("U15b with 403", 403),
        refused("U15c with 404", 404),
        refused("U15d with 405", 405),
        refused("U15e with 400", 400),
        scenario("U15l a mount whose connection breaks")
            .two_services()
            .tokens(300)
            .fault(on("POST", "mount=").always().act(Act::Reset { after: 0 }))
            .waits(0, 1)
            .then(|stage| counted(stage, "POST", "mount=", 0))
            .then(|stage| counted(stage, "PUT", UPLOADS, 6)),
        scenario("U15j a mount for which the token ended")
            .two_services()
            .tokens(300)
            .fault(on("POST", "mount=").act(Act::EndTokens))
            .then(|stage| {
                // What else is on its way when the token ends is sent again; the common layer is not.
                let log = stage.server.log();
                let large = log.iter().filter(|exchange| exchange.body > 1_000_000);
                match large.count() {
                    1 => Ok(()),
                    other => Err(format!("the common layer was sent {other} times")),
                }
            })
            .then(|stage| counted(stage, "GET", "/token", 3)),
        scenario("U15k a mount that is sent elsewhere")
            .two_services()
            .tokens(300)
            .fault(
                on("POST", "mount=")
                    .always()
                    .answer(Answer::status(307).with("Location", "http://{other}/x")),
            )
            .then(|stage| counted(stage, "PUT", UPLOADS, 6)),
        scenario("U15h a token service that refuses what it does not grant in full")
            .two_services()
            .tokens(300)
            .fault(on("GET", "%3Apull&").always().status(403))
            .then(|stage| counted(stage, "GET", "/token", 3)),
        scenario("U15i a token service that answers 401 to several scopes")
            .two_services()
            .tokens(300)
            .fault(on("GET", "%3Apull&").always().status(401)),
        scopes(
            "U15f a token service that grants only the first scope",
            Scopes::OnlyFirst,
        )
        .then(|stage| counted(stage, "GET", "/token", 2)),
        scopes(
            "U15g a token service that grants only the last scope",
            Scopes::OnlyLast,
        )
        .then(|stage| counted(stage, "GET", "/token", 3)),
    ]);
}

#[test]
fn looks_that_say_little() {
    let look = |id, fault: Fault| scenario(id).fault(fault);
    let always = || on("HEAD", BLOBS).always();
    play(vec![
        look("U16a 405", always().status(405)),
        look("U16b 403", always().status(403)),
        look("U16c 400", always().status(400)),
        look("U16d 403 to GET, too", always().status(403))
            .fault(on("GET", BLOBS).always().status(403)),
        look(
            "U17a sent on to a store",
            always().answer(Answer::status(307).with("Location", "http://{other}{path}")),
        )
        .tokens(300),
        look(
            "U17b sent on in a circle",
            always().answer(Answer::status(302).with("Location", "http://{host}{path}")),
        ),
        look(
            "U17c sent on to an internal address",
            always().answer(Answer::status(302).with("Location", "http://169.254.169.254/")),
        ),
        look(
            "U17d the same of GET",
            always().answer(Answer::status(302).with("Location", "http://169.254.169.254/")),
        )
        .fault(
            on("GET", BLOBS)
                .always()
                .answer(Answer::status(302).with("Location", "http://169.254.169.254/")),
        ),
        look(
            "U17e sent on to where nobody listens",
            always().answer(Answer::status(307).with("Location", "http://127.0.0.1:1/x")),
        ),
        look("U16e 501", always().status(501)),
        look("U16f 500", always().status(500)),
        look("U16g 410", always().status(410)),
        look("U16h the end of the connection", always().act(Act::HangUp)),
        look("U16i 500, and to GET, too", always().status(500))
            .fault(on("GET", BLOBS).always().status(500))
            .fails(|error| matches!(error, RegistryError::Refused { status: 500, .. })),
        look("U16j a login that nobody has", always().status(401))
            .fails(|error| matches!(error, RegistryError::Unauthorized { status: 401, .. })),
        look(
            "U18a no length",
            always().act(alter(Change::Without("Content-Length"))),
        ),
        look(
            "U18b another length",
            always().answer(Answer::status(200).with("Content-Length", "1")),
        ),
    ]);
}
