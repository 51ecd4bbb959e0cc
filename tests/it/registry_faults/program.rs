//! Some of the scenarios again, with the program as a process of its own and real time.

use cargo_lighter::digest::Digest;
use serde_json::Value;

use crate::fault_registry::{Act, Answer, Echo, Fault, FaultRegistry, Guard, Scopes, Settings, on};
use crate::support::cli::Lighter;
use crate::support::workspace::Checkout;

const UPLOADS: &str = "/blobs/uploads/";
const SERVICES: [&str; 2] = ["orders", "users"];
const SECRETS: [&str; 4] = ["me:secret", "bWU6c2VjcmV0", "token-sentinel", "_state="];

fn scenarios() -> Vec<(&'static str, Vec<Fault>, i32)> {
    let status = |method, part: &'static str, status| on(method, part).status(status);
    let lost = || Act::LoseAnswer;
    let whole = |id, fault| (id, vec![fault], 0);
    vec![
        ("no fault", vec![], 0),
        whole("U8a", status("PUT", UPLOADS, 413)),
        whole("U10b", on("PUT", UPLOADS).act(Act::Reset { after: 100 })),
        whole("U12a", on("PUT", UPLOADS).act(lost())),
        whole("U19e", on("PUT", "/manifests/sha256").act(Act::LoseBlobs)),
        whole("A1c", on("PUT", UPLOADS).act(Act::EndTokens)),
        whole(
            "R1a",
            on("POST", UPLOADS).answer(Answer::status(429).with("Retry-After", "1")),
        ),
        whole(
            "R2b",
            on("", "")
                .after(3)
                .times(2)
                .answer(Answer::status(502).body("<html>no</html>")),
        ),
        whole("L1a", on("PUT", UPLOADS).act(Act::Pretend)),
        (
            "L4",
            vec![on("PUT", "/manifests/sha256").always().act(Act::Pretend)],
            1,
        ),
        (
            "R1g",
            vec![on("HEAD", "/blobs/").answer(Answer::status(429).with("Retry-After", "9999"))],
            1,
        ),
    ]
}

/// Whether a manifest and all that it names are stored.
pub(super) fn is_whole(server: &FaultRegistry, service: &str) -> bool {
    let repository = format!("shop/{service}");
    let Some(manifest) = server.manifest(&repository, "v1") else {
        return false;
    };
    let document: Value = serde_json::from_slice(&manifest).expect("JSON");
    let layers = document["layers"].as_array().expect("a list").iter();
    layers.chain([&document["config"]]).all(|blob| {
        let digest = blob["digest"].as_str().expect("a digest");
        let stored = server.blob(&repository, digest);
        stored.is_some_and(|bytes| Digest::of(&bytes).to_string() == digest)
    })
}

#[test]
fn the_program_itself_survives_and_tells_no_secret() {
    let checkout = Checkout::of_services(&SERVICES);
    let home = Checkout::empty();
    for (id, faults, code) in scenarios() {
        let server = FaultRegistry::start(Settings {
            guard: Guard::Bearer {
                seconds: 300,
                scopes: Scopes::All,
            },
            echoes: Echo::Request,
            ..Settings::default()
        });
        let host = server.host();
        let config = format!(r#"{{"auths":{{"{host}":{{"auth":"bWU6c2VjcmV0"}}}}}}"#);
        home.write("config.json", &config);
        home.set_mode("config.json", 0o600);
        for fault in faults {
            server.add(fault);
        }
        let run = Lighter::at(checkout.path())
            .env("DOCKER_CONFIG", home.path())
            .args(["push", "-vv", "-t", "v1", "--metadata-file", "out.json"])
            .args(["--repo", &format!("{host}/shop")])
            .run_process(":");
        assert_eq!(run.code, code, "{id}: {}", run.stderr);
        assert_eq!(server.unused(), Vec::<usize>::new(), "{id}");
        let summary = fs_err::read_to_string(checkout.path().join("out.json")).expect("written");
        for text in [&run.stdout, &run.stderr, &summary] {
            for secret in SECRETS {
                assert!(!text.contains(secret), "{id}: {text}");
            }
        }
        let told = run.lines().len();
        assert_eq!(told, if code == 0 { SERVICES.len() } else { 0 }, "{id}");
        for service in SERVICES {
            assert!(code != 0 || is_whole(&server, service), "{id}: {service}");
        }
    }
}

/// With `--no-verify-push` a registry's word is enough, and saves a request for each blob.
#[test]
fn confirmations_can_be_left_out() {
    let checkout = Checkout::of_services(&["orders"]);
    let requests = |flags: &[&str]| {
        let server = FaultRegistry::start(Settings::default());
        Lighter::at(checkout.path())
            .args(["push", "--repo", &format!("{}/shop", server.host())])
            .args(flags)
            .run()
            .expect(0);
        let kinds = ["HEAD", "GET", "POST", "PUT"];
        kinds.map(|method| server.count(method, ""))
    };
    let [heads, gets, posts, puts] = requests(&[]);
    // The upload that is opened before the first compile carries a blob; the manifest is put twice.
    let blobs = posts;
    assert_eq!(puts, blobs + 2);
    assert_eq!(heads, 2 * blobs + 2);
    assert_eq!(gets, 2);
    assert_eq!(requests(&["--no-verify-push"]), [blobs + 1, 1, posts, puts]);
}

/// W1: what a registry warns of is told once, made fit for a terminal, and not for ever.
#[test]
fn warnings_of_a_registry_are_told_once() {
    let checkout = Checkout::of_services(&["orders"]);
    let server = FaultRegistry::start(Settings::default());
    let warn = |method, text: &str| on(method, "").always().header("Warning", text);
    server.add(warn("GET", "299 - \"this registry ends \u{202e}soon\""));
    server.add(warn("HEAD", "110 - \"nobody reads this\""));
    server.add(warn("POST", "299 - \"this repository is full\""));
    let run = Lighter::at(checkout.path())
        .args(["push", "--repo", &format!("{}/shop", server.host())])
        .run()
        .expect(0);
    let told: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.contains(" says: "))
        .collect();
    let host = server.host();
    let expected = ["this registry ends soon", "this repository is full"];
    assert_eq!(
        told,
        expected.map(|text| format!("warning: {host} says: {text}"))
    );
}
