//! R: what passes, and what does not.

use std::time::{Duration, SystemTime};

use cargo_lighter::registry::RegistryError;

use super::scenario::{Scenario, counted, play, scenario};
use super::stage::Stage;
use crate::fault_registry::{Act, Answer, Change, Flood, Guard, Scopes, Settings, on};

const UPLOADS: &str = "/blobs/uploads/";

fn busy(retry_after: &str) -> Answer {
    Answer::status(429).with("Retry-After", retry_after)
}

/// The first answers to opening an upload are `answer`.
fn opening(id: &'static str, times: usize, answer: Answer) -> Scenario {
    let fault = on("POST", UPLOADS).times(times).answer(answer);
    scenario(id).one_upload().fault(fault)
}

#[test]
fn busy_registries() {
    let date = Answer::status(429)
        .with("Date", "Wed, 21 Oct 2015 07:28:00 GMT")
        .with("Retry-After", "Wed, 21 Oct 2015 07:28:30 GMT");
    let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(30));
    let dated = busy(&later);
    play(vec![
        opening("R1a in seconds", 1, busy("8")).waits(8, 9),
        opening("R1b as a date", 1, date).waits(30, 33),
        opening(
            "R1o as a date, from a server that does not tell its own",
            1,
            dated,
        )
        .waits(27, 34),
        opening("R1p at once, five times", 5, busy("0")).waits(2, 16),
        opening("R1c without a time", 1, Answer::status(429)).waits(0, 1),
        opening("R1d five times", 5, busy("8")).waits(40, 44),
        opening("R1e six times", 6, busy("1"))
            .fails(|error| matches!(error, RegistryError::Busy { status: 429, .. })),
        opening(
            "R1f the longest wait",
            1,
            Answer::status(503).with("Retry-After", "120"),
        )
        .waits(120, 132),
        opening("R1g longer than that", 1, busy("21600"))
            .fails(|error| error.to_string().ends_with("it asks to wait 21600 s"))
            .then(|stage| counted(stage, "POST", "", 1)),
        scenario("R1h a look at the manifest")
            .fault(on("HEAD", "/manifests/").answer(busy("8")))
            .waits(8, 9),
        scenario("R1i a look at a blob")
            .fault(on("HEAD", "/blobs/").answer(busy("8")))
            .waits(8, 9),
        scenario("R1j a commit")
            .fault(on("PUT", UPLOADS).answer(busy("8")))
            .waits(8, 12),
        scenario("R1k a commit, for longer than anybody waits")
            .fault(on("PUT", UPLOADS).answer(busy("300")))
            .fails(|error| error.to_string().ends_with("it asks to wait 300 s")),
        scenario("R1l a manifest")
            .fault(on("PUT", "/manifests/").answer(busy("8")))
            .waits(8, 9),
        scenario("R1m a token")
            .tokens(300)
            .fault(on("GET", "/token").answer(busy("8")))
            .waits(8, 9),
        scenario("R1n the first question")
            .fault(on("GET", "/v2/").answer(busy("8")))
            .waits(8, 9),
    ]);
}

/// Those who are refused together with the same time to wait must not fail because they come back together.
#[test]
fn ten_pushes_to_a_registry_that_takes_one_request_at_a_time_end_well() {
    let settings = Settings {
        at_once: Some(1),
        ..Settings::default()
    };
    let stage = Stage::new(settings, None);
    let client = stage.client();
    let images: Vec<_> = (1..=10).map(|seed| stage.small_image(seed)).collect();
    std::thread::scope(|scope| {
        for (number, image) in images.iter().enumerate() {
            let (client, service) = (&client, format!("service-{number}"));
            scope.spawn(move || client.push(&service, image, &["v1"]).expect("pushed"));
        }
    });
    for (number, image) in images.iter().enumerate() {
        assert!(stage.has(&format!("service-{number}"), image, "v1"));
    }
    let log = stage.server.log();
    let refused = log.iter().filter(|seen| seen.status == Some(429)).count();
    assert!(
        refused > 0 && refused * 2 < log.len(),
        "{refused} of {}",
        log.len()
    );
}

/// What a request waited for may have taken longer than its token lives.
#[test]
fn a_wait_shows_no_token_that_ended_meanwhile() {
    let guard = Guard::Bearer {
        seconds: 60,
        scopes: Scopes::All,
    };
    let settings = Settings {
        guard,
        ..Settings::default()
    };
    let stage = Stage::new(settings, Some("me:secret"));
    stage
        .server
        .add(on("HEAD", "/manifests/").answer(busy("70")));
    let image = stage.image(1);
    stage
        .client()
        .push("orders", &image, &["v1"])
        .expect("pushed");
    let log = stage.server.log();
    let shown = log.iter().filter(|seen| seen.path != "/v2/");
    assert_eq!(shown.filter(|seen| seen.status == Some(401)).count(), 0);
}

#[test]
fn broken_registries() {
    let html = |status| Answer::status(status).body("<html>no</html>");
    play(vec![
        opening("R2a 500 four times", 4, Answer::status(500)).waits(0, 8),
        opening("R2b 502 in HTML", 2, html(502)),
        opening("R2c 408", 1, Answer::status(408)),
        opening("R2d 499", 1, Answer::status(499)),
        opening("R2e 522", 1, html(522)),
        opening("R2f 504 five times", 5, html(504)).waits(0, 16),
        opening("R2g 500 six times", 6, Answer::status(500))
            .fails(|error| matches!(error, RegistryError::Refused { status: 500, .. })),
        opening("R2h 501", 1, Answer::status(501))
            .fails(|error| matches!(error, RegistryError::Refused { status: 501, .. }))
            .then(|stage| counted(stage, "POST", "", 1)),
        scenario("R2i 503 to every kind of request")
            .tokens(300)
            .fault(on("GET", "/v2/").status(503))
            .fault(on("GET", "/token").status(503))
            .fault(on("HEAD", "/manifests/").status(503))
            .fault(on("HEAD", "/blobs/").status(503))
            .fault(on("POST", UPLOADS).status(503))
            .fault(on("PUT", UPLOADS).status(503))
            .fault(on("PUT", "/manifests/").status(503))
            .fault(on("GET", "/manifests/").status(503)),
        scenario("R2j 503 to every look, which is not made in another way")
            .fault(on("HEAD", "/manifests/").always().status(503))
            .fails(|error| matches!(error, RegistryError::Busy { status: 503, .. }))
            .then(|stage| counted(stage, "HEAD", "/manifests/", 6))
            .then(|stage| counted(stage, "GET", "/manifests/", 0)),
        scenario("R4a a token that is cut off")
            .tokens(300)
            .fault(on("GET", "/token").act(Act::Truncate(9))),
        scenario("R4b a token that is no JSON").tokens(300).fault(
            on("GET", "/token")
                .times(2)
                .act(Act::Alter(vec![Change::Replace("{", "[")])),
        ),
        scenario("R4c a manifest that is cut off when it is confirmed")
            .fault(on("GET", "/manifests/").act(Act::Truncate(9))),
        scenario("R4d a refusal that is no text")
            .fault(
                on("POST", UPLOADS).answer(
                    Answer::status(400)
                        .with("Content-Encoding", "gzip")
                        .body([0x1f, 0x8b, 8, 0, 27]),
                ),
            )
            .fails(|error| {
                let text = error.to_string();
                text.contains("status 400") && text.chars().all(|c| !c.is_control())
            }),
        scenario("R6a the end of a connection that was kept")
            .fault(on("POST", UPLOADS).act(Act::HangUp)),
        scenario("R6b five times")
            .one_upload()
            .fault(on("POST", UPLOADS).times(5).act(Act::HangUp)),
        scenario("R6d garbage instead of the very first answer")
            .fault(on("GET", "/v2/").act(Act::Raw(b"no http\r\n\r\n"))),
        scenario("R6c garbage instead of an answer")
            .fault(on("POST", UPLOADS).act(Act::Raw(b"no http\r\n\r\n"))),
    ]);
}

#[test]
fn silent_registries() {
    let silent = |id, method, part: &'static str| {
        scenario(id)
            .impatient()
            .fault(on(method, part).act(Act::Silence))
    };
    play(vec![
        silent("R3a once, to a look", "HEAD", "/blobs/"),
        silent("R3b once, to an upload that is opened", "POST", UPLOADS),
        silent("R3c once, to a commit", "PUT", UPLOADS),
        silent("R3d once, to a manifest", "PUT", "/manifests/"),
        scenario("R3e for ever")
            .impatient()
            .fault(on("POST", UPLOADS).always().act(Act::Silence))
            .fails(|error| matches!(error, RegistryError::TimedOut { .. })),
        scenario("R3f an answer that begins and never ends")
            .impatient()
            .fault(on("HEAD", "/manifests/").act(Act::Drip)),
        scenario("R3g a silent token service")
            .impatient()
            .tokens(300)
            .fault(on("GET", "/token").act(Act::Silence)),
    ]);
}

#[test]
fn floods() {
    let flood = |id, method, part: &'static str, status| {
        scenario(id)
            .tokens(300)
            .fault(
                on(method, part)
                    .always()
                    .act(Act::Flood(status, Flood::Body)),
            )
            .then(|stage| {
                let taken = stage.server.flooded();
                if taken < 100_000_000 {
                    Ok(())
                } else {
                    Err(format!("{taken} bytes"))
                }
            })
    };
    play(vec![
        flood("R7a a token without an end", "GET", "/token", 200)
            .fails(|error| matches!(error, RegistryError::Protocol { .. })),
        flood("R7b a refusal without an end", "POST", UPLOADS, 400)
            .fails(|error| error.to_string().len() < 2000),
        flood("R7c a manifest without an end", "GET", "/manifests/", 200)
            .fails(|error| matches!(error, RegistryError::Protocol { .. })),
        flood("R7d a success without an end", "POST", UPLOADS, 202)
            .fails(|error| matches!(error, RegistryError::Protocol { .. })),
    ]);
}
