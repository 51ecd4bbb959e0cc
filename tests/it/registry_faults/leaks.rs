//! C: attempts to be told a credential. How a push ends does not matter here; what counts is that the
//! other origin sees none.

use cargo_lighter::process::{Environment, Interrupt};
use cargo_lighter::registry::credential_source;

use super::scenario::{Scenario, counted, play, scenario};
use super::stage::Stage;
use crate::fault_registry::{
    Act, Answer, Change, Echo, Exchange, Guard, Origin, Scopes, Settings, on,
};

const UPLOADS: &str = "/blobs/uploads/";
const BLOBS: &str = "/blobs/sha256:";
const GUARDS: [Guard; 2] = [
    Guard::Basic,
    Guard::Bearer {
        seconds: 300,
        scopes: Scopes::All,
    },
];
/// What asks for a credential once it is asked something.
const GREED: &str = "Bearer realm=\"http://{other}/token\", Basic realm=\"tell me\"";

fn guarded(id: String, guard: Guard) -> Scenario {
    let greed = Answer::status(401).with("WWW-Authenticate", GREED);
    scenario(id)
        .with(|settings| settings.guard = guard)
        .either()
        .greedy(on("", "").at_other().always().answer(greed))
}

/// Tokens and signatures of other requests of the run were printed.
#[test]
fn a_registry_that_repeats_what_others_showed_is_not_repeated() {
    for guard in GUARDS {
        let settings = Settings {
            guard,
            echoes: Echo::Everything,
            ..Settings::default()
        };
        let stage = Stage::new(settings, Some("me:secret"));
        let client = stage.client();
        client
            .push("orders", &stage.image(1), &["v1"])
            .expect("pushed");
        let refused = on("PUT", "/users/manifests/").always().status(403);
        stage.server.add(refused);
        let error = client
            .push("users", &stage.image(2), &["v1"])
            .expect_err("refused");
        // It said a lot, and what is told of it holds no secret: the stage looks for that.
        assert!(error.to_string().contains("users"), "{error}");
        let words = cargo_lighter::report::with_causes(&error).join(" ");
        assert!(
            words.contains("others showed …") || words.contains("others showed B"),
            "{words}"
        );
    }
}

/// What one repository's credential is was printed when another was refused.
#[test]
fn a_registry_that_repeats_the_credential_of_another_repository_is_not_repeated() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let settings = Settings {
        guard: Guard::Basic,
        echoes: Echo::Everything,
        ..Settings::default()
    };
    let stage = Stage::new(settings, Some("me:secret"));
    let [ours, theirs] = ["me:secret", "you:another-word"].map(|pair| STANDARD.encode(pair));
    let place = format!("{}/shop", stage.server.host());
    let config = format!(
        r#"{{"auths":{{"{place}/orders":{{"auth":"{ours}"}},"{place}/users":{{"auth":"{theirs}"}}}}}}"#
    );
    fs_err::write(stage.home.path().join("config.json"), config).expect("written");
    let client = stage.client();
    let pushed = client.push("orders", &stage.image(1), &["v1"]);
    pushed.expect("pushed");
    // Only a refusal with a body has words.
    stage.server.add(on("HEAD", "/users/").always().status(404));
    let refused = client.push("users", &stage.image(2), &["v1"]);
    let error = refused.expect_err("another password");
    let words = cargo_lighter::report::with_causes(&error).join(" ");
    assert!(
        words.contains("others showed Basic … and Basic …"),
        "{words}"
    );
}

/// Nothing at all was sent to the other origin.
fn unheard(stage: &Stage) -> Result<(), String> {
    let log = stage.server.log();
    match log.iter().find(|exchange| exchange.origin == Origin::Other) {
        Some(exchange) => Err(format!("it was asked: {exchange:?}")),
        None => Ok(()),
    }
}

#[test]
fn hostile_token_services() {
    let realms = [
        "http://{other}/token",
        "https://{other}/token",
        "http://localhost:{other port}/token",
        "http://localhost.:{other port}/token",
        "http://0.0.0.0:{other port}/token",
        "http://127.1:{other port}/token",
        "http://0x7f.1:{other port}/token",
        "http://2130706433:{other port}/token",
        "http://[::1]:{other port}/token",
        "http://[::ffff:127.0.0.1]:{other port}/token",
        "http://{host}@{other}/token",
        "http://{host}:x@{other}/token",
        "http://me:secret-of-theirs@{host}/token",
        "http://{other}/token#http://{host}/token",
        "http://{other}/token?http://{host}/token",
        "http://{other}\\\\@{host}/token",
        "//{other}/token",
        "\\\\\\\\{other}/token",
        "https://169.254.169.254/latest/api/token",
        "http://auth.invalid/token",
        "file:///etc/passwd",
        "gopher://{other}/token",
        "ftp://{other}/token",
        "data:,x",
        "no address",
        "",
    ];
    play(
        realms
            .iter()
            .map(|realm| {
                let value = format!("Bearer realm=\"{realm}\",service=\"fault\"");
                let header = Change::Header("WWW-Authenticate", value);
                guarded(format!("C1 realm `{realm}`"), GUARDS[1])
                    .fault(on("GET", "/v2/").act(Act::Alter(vec![header])))
                    .then(unheard)
                    .then(|stage| counted(stage, "GET", "/token", 0))
            })
            .collect(),
    );
    let moved = |status| {
        let answer = Answer::status(status).with("Location", "http://{other}/token");
        guarded(
            format!("C2 a token service that sends on with {status}"),
            GUARDS[1],
        )
        .fault(on("", "/token").always().answer(answer))
        .then(unheard)
    };
    play([301, 302, 303, 307, 308].map(moved).into());
    let exchanged = |status| {
        let answer = Answer::status(status).with("Location", "http://{other}/token");
        guarded(
            format!("C3 the same with an identity token, {status}"),
            GUARDS[1],
        )
        .login(Some("<token>:identity/secret"))
        .fault(on("POST", "/token").always().answer(answer))
        .then(unheard)
    };
    play([307, 308].map(exchanged).into());
}

#[test]
fn hostile_addresses_of_uploads() {
    let locations = [
        "http://{other}{location}",
        "//{other}{location}",
        "\\\\{other}{location}",
        "http:\\\\{other}{location}",
        "http://localhost:{other port}{location}",
        "http://127.1:{other port}{location}",
        "http://2130706433:{other port}{location}",
        "http://[::ffff:127.0.0.1]:{other port}{location}",
        "https://{other}{location}",
        "http://{host}@{other}{location}",
        "http://{host}:x@{other}{location}",
        "http://{other}/#@{host}{location}",
        "http://{other}?@{host}{location}",
    ];
    for guard in GUARDS {
        let with = |method: &'static str, location: &str| {
            let header = Change::Header("Location", location.to_owned());
            guarded(format!("C4 {method} with {location}, {guard:?}"), guard)
                .fault(on(method, UPLOADS).always().act(Act::Alter(vec![header])))
        };
        play(locations.map(|location| with("POST", location)).into());
        // A session that begins at home and moves away.
        let moving = |location| with("PATCH", location).fault(on("PUT", UPLOADS).status(405));
        play(locations.map(moving).into());
    }
}

#[test]
fn a_store_that_sends_an_upload_back_to_the_registry_gets_no_permit_for_it() {
    let back = |method, status| {
        let answer = Answer::status(status)
            .with("Location", "http://{host}/v2/shop/victim/manifests/latest");
        let away = Change::Header("Location", "http://{other}{location}".to_owned());
        move |guard| {
            guarded(
                format!("C4 {method} sent back with {status}, {guard:?}"),
                guard,
            )
            .one_upload()
            .fault(on("POST", UPLOADS).always().act(Act::Alter(vec![away])))
            .fault(on(method, "").at_other().always().answer(answer))
            .then(|stage| {
                let log = stage.server.log();
                let to_victim = |exchange: &&Exchange| exchange.path.contains("victim");
                let mut asked = log.iter().filter(to_victim);
                match asked.find(|exchange| exchange.header("authorization").is_some()) {
                    Some(exchange) => Err(format!("it had a permit: {exchange:?}")),
                    None => Ok(()),
                }
            })
        }
    };
    for guard in GUARDS {
        play(vec![back("PUT", 307)(guard), back("PUT", 308)(guard)]);
        let pieces = back("PATCH", 202)(guard);
        play(vec![
            pieces.fault(on("PUT", UPLOADS).at_other().status(405)),
        ]);
    }
}

#[test]
fn hostile_redirects() {
    let kinds = [
        ("HEAD", BLOBS),
        ("HEAD", "/manifests/"),
        ("GET", "/manifests/"),
        ("PUT", UPLOADS),
        ("PUT", "/manifests/"),
        ("POST", UPLOADS),
        ("GET", "/v2/"),
    ];
    for guard in GUARDS {
        let sent_on = |(method, part): (&'static str, &'static str), status| {
            let answer = Answer::status(status).with("Location", "http://{other}{path}");
            guarded(
                format!("C5 {method} {part} sent on with {status}, {guard:?}"),
                guard,
            )
            .fault(on(method, part).times(6).answer(answer))
        };
        for status in [301, 302, 303, 307, 308] {
            play(kinds.map(|kind| sent_on(kind, status)).into());
        }
    }
}

#[test]
fn registries_that_look_like_another() {
    let home = tempfile::tempdir().expect("a directory");
    let config = r#"{"auths":{"ghcr.io":{"auth":"bWU6c2VjcmV0"},
        "registry.example:5000":{"auth":"bWU6c2VjcmV0"},
        "10.0.0.1":{"auth":"bWU6c2VjcmV0"}}}"#;
    fs_err::write(home.path().join("config.json"), config).expect("written");
    let variables = [("DOCKER_CONFIG".into(), home.path().into())];
    let environment = Environment::new(home.path(), variables);
    let look = |registry: &str| {
        credential_source(&environment, registry, &Interrupt::new()).expect("looked up")
    };
    for registry in ["ghcr.io", "registry.example:5000", "10.0.0.1"] {
        assert!(look(registry).is_some(), "{registry}");
    }
    for registry in [
        "ghcr.io.evil.example",
        "evil-ghcr.io",
        "xghcr.io",
        "ghcr.ioo",
        "ghcr.i",
        "ghcr.io.",
        "ghcr.io:80",
        "ghcr.io:5000",
        "sub.ghcr.io",
        "ghcr-io",
        "ghcr\u{3002}io",
        "\u{0261}hcr.io",
        "ghcr.io@evil.example",
        "evil.example@ghcr.io",
        "registry.example",
        "registry.example:5001",
        "registry.example:50000",
        "registry.example:500",
        "10.0.0.1:5000",
        "10.0.0.11",
        "110.0.0.1",
        "010.0.0.1",
        "10.1",
    ] {
        assert_eq!(look(registry), None, "{registry}");
    }
}

/// The same machine under another name is another registry.
#[test]
fn a_credential_for_an_address_is_not_shown_under_a_name() {
    let stage = Stage::new(
        Settings {
            guard: Guard::Basic,
            ..Settings::default()
        },
        Some("me:secret"),
    );
    let image = stage.image(1);
    let port = stage.server.host().replace("127.0.0.1", "localhost");
    stage
        .client()
        .at(&port)
        .push("orders", &image, &["v1"])
        .expect_err("no login for this name");
    let shown = |exchange: &Exchange| exchange.header("authorization").is_some();
    assert!(!stage.server.log().iter().any(shown));
}
