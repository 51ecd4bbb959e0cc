//! A registry with a password, and every place a password may come from.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::check::{Copied, read_json};
use crate::support::cli::{Lighter, Run};
use crate::support::registry::{PASSWORD, Registry, USER};
use crate::support::workspace::{Checkout, SHOP_SERVICES, shop};

/// Pushes the whole shop with a docker configuration, and looks at what arrived.
#[track_caller]
fn all_are_pushed(registry: &Registry, home: &Home) {
    let repo = format!("{}/shop", registry.host());
    let run = home
        .lighter()
        .args(["push", "-v", "--repo", &repo])
        .run()
        .expect(0);
    keeps_quiet_about_the_password(&run);
    assert_eq!(run.lines().len(), SHOP_SERVICES.len() * 2);
    let credentials = format!("{USER}:{PASSWORD}");
    Copied::of_registry(&repo, &SHOP_SERVICES, Some(&credentials));
}

fn keeps_quiet_about_the_password(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        assert!(!text.contains(PASSWORD), "{text}");
        assert!(!text.contains(&pair()), "{text}");
    }
}

/// User and password as docker writes them.
fn pair() -> String {
    STANDARD.encode(format!("{USER}:{PASSWORD}"))
}

/// A user's docker configuration, and helper programs.
struct Home {
    checkout: Checkout,
    registry: String,
}

impl Home {
    fn new(registry: &Registry) -> Self {
        let checkout = Checkout::empty();
        fs_err::create_dir(checkout.path().join("docker")).expect("created");
        Self {
            checkout,
            registry: registry.host(),
        }
    }

    fn with_config(self, config: &Value) -> Self {
        self.checkout
            .write("docker/config.json", &config.to_string());
        self.checkout.set_mode("docker/config.json", 0o600);
        self
    }

    /// A helper that keeps one secret in a file, and a log of what it was asked.
    fn with_helper(self, name: &str, secret: Option<&str>) -> Self {
        let kept = self.checkout.path().join(format!("{name}-kept"));
        if let Some(secret) = secret {
            let answer = json!({ "ServerURL": self.registry, "Username": USER, "Secret": secret });
            fs_err::write(&kept, answer.to_string()).expect("written");
        }
        let script = format!(
            "#!/bin/sh\ninput=$(cat)\necho \"$1 $input\" >> '{log}'\ncase \"$1\" in\n\
             get) if [ -e '{kept}' ]; then cat '{kept}'; else echo 'credentials not found in native keychain'; exit 1; fi ;;\n\
             store) printf '%s' \"$input\" > '{kept}' ;;\n\
             erase) rm -f '{kept}' ;;\n\
             *) exit 1 ;;\nesac\n",
            log = self.log(name).display(),
            kept = kept.display()
        );
        self.checkout
            .write_executable(&format!("bin/docker-credential-{name}"), &script);
        self
    }

    fn log(&self, helper: &str) -> PathBuf {
        self.checkout.path().join(format!("{helper}-log"))
    }

    /// What a helper was asked, a line a question.
    fn asked(&self, helper: &str) -> Vec<String> {
        let log = fs_err::read_to_string(self.log(helper)).expect("it was asked");
        log.lines().map(str::to_owned).collect()
    }

    fn config(&self) -> PathBuf {
        self.checkout.path().join("docker/config.json")
    }

    fn lighter(&self) -> Lighter {
        Lighter::at(shop())
            .env("DOCKER_CONFIG", self.checkout.path().join("docker"))
            .first_on_path(&self.checkout.path().join("bin"))
    }
}

#[test]
fn auths_of_the_docker_configuration_are_used() {
    let registry = Registry::with_password();
    let config = json!({ "auths": { registry.host(): { "auth": pair() } } });
    all_are_pushed(&registry, &Home::new(&registry).with_config(&config));
}

#[test]
fn passwords_that_others_may_read_are_warned_of_once() {
    let registries = [Registry::with_password(), Registry::with_password()];
    let [first, second] = registries.each_ref().map(Registry::host);
    let config = json!({ "auths": { &first: { "auth": pair() }, &second: { "auth": pair() } } });
    let home = Home::new(&registries[0]).with_config(&config);
    let checkout = Checkout::of_services(&["orders", "users"]);
    let run = |mode| {
        home.checkout.set_mode("docker/config.json", mode);
        let run = Lighter::at(checkout.path())
            .env("DOCKER_CONFIG", home.checkout.path().join("docker"))
            .args(["build", "--to", &format!("docker://{first}/shop")])
            .args(["--to", &format!("docker://{second}/shop")])
            .run()
            .expect(0);
        let lines = run.stderr.lines();
        let told = lines.filter(|line| line.contains("config.json"));
        told.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(run(0o600), Vec::<String>::new());
    let path = home.config().display().to_string();
    let expected = format!(
        "warning: `{path}` is where credentials are kept, and others than its owner may read it (mode 0644): type \
         `chmod 600 '{path}'`"
    );
    assert_eq!(run(0o644), [expected]);
}

#[test]
fn the_credential_store_is_asked_for_this_registry() {
    let registry = Registry::with_password();
    let home = Home::new(&registry)
        .with_config(&json!({ "credsStore": "harbourstore" }))
        .with_helper("harbourstore", Some(PASSWORD));
    all_are_pushed(&registry, &home);
    let asked = home.asked("harbourstore");
    assert!(
        asked
            .iter()
            .all(|question| *question == format!("get {}", registry.host())),
        "{asked:?}"
    );
}

#[test]
fn a_helper_for_one_registry_wins_over_the_store() {
    let registry = Registry::with_password();
    let config = json!({
        "credHelpers": { registry.host(): "harbourhelper" },
        "credsStore": "harbourstore",
    });
    let home = Home::new(&registry)
        .with_config(&config)
        .with_helper("harbourhelper", Some(PASSWORD))
        .with_helper("harbourstore", Some("of another registry"));
    all_are_pushed(&registry, &home);
    assert!(!home.log("harbourstore").exists());
}

#[test]
fn login_stores_credentials_and_logout_removes_them() {
    let registry = Registry::with_password();
    let home = Home::new(&registry).with_config(&json!({ "credHelpers": { "ghcr.io": "other" } }));
    let logged_in = log_in(&home, PASSWORD).expect(0);
    keeps_quiet_about_the_password(&logged_in);
    all_are_pushed(&registry, &home);
    let config = read_json(&home.config());
    assert_eq!(config["credHelpers"]["ghcr.io"], "other");
    assert_eq!(config["auths"][registry.host()]["auth"], pair());
    assert_eq!(mode(&home.config()), 0o600);
    home.lighter()
        .args(["logout", &registry.host()])
        .run()
        .expect(0);
    is_refused(&home, &registry);
}

#[test]
fn login_hands_the_password_to_the_credential_store() {
    let registry = Registry::with_password();
    let home = Home::new(&registry)
        .with_config(&json!({ "credsStore": "harbourstore" }))
        .with_helper("harbourstore", None);
    log_in(&home, PASSWORD).expect(0);
    let config = fs_err::read_to_string(home.config()).expect("readable");
    assert!(!config.contains(&pair()) && !config.contains(PASSWORD));
    let stored = home.asked("harbourstore");
    assert!(stored.iter().any(|line| line.starts_with("store ")));
    all_are_pushed(&registry, &home);
    home.lighter()
        .args(["logout", &registry.host()])
        .run()
        .expect(0);
    let last = home.asked("harbourstore").pop();
    assert_eq!(last, Some(format!("erase {}", registry.host())));
    is_refused(&home, &registry);
}

/// In a process group of its own a helper would be stopped the moment it reads from the terminal.
#[test]
fn a_helper_may_ask_on_the_terminal() {
    let registry = Registry::with_password();
    let home = Home::new(&registry).with_config(&json!({ "credsStore": "asking", "auths": {} }));
    let script = format!(
        "#!/bin/sh\ncat > /dev/null\nread secret < /dev/tty\n\
         printf '{{\"ServerURL\":\"\",\"Username\":\"{USER}\",\"Secret\":\"%s\"}}' \"$secret\"\n"
    );
    home.checkout
        .write_executable("bin/docker-credential-asking", &script);
    let checkout = Checkout::of_services(&["alpha"]);
    let repo = format!("{}/shop", registry.host());
    let lighter = home
        .lighter()
        .args(["push", "-q", "--repo", &repo])
        .args(["--manifest-path".into(), checkout.path().join("Cargo.toml")]);
    let run = lighter.run_on_terminal(&format!("{PASSWORD}\n"));
    let run = run.expect(0);
    assert!(
        run.stdout.contains(&format!("{repo}/alpha:latest@")),
        "{run:?}"
    );
}

/// Everybody's build scripts would read what is to be shown to one registry.
#[test]
fn the_password_in_a_variable_reaches_neither_build_scripts_nor_helpers_of_other_hosts() {
    let registry = Registry::with_password();
    let home = Home::new(&registry)
        .with_config(&json!({ "credHelpers": { registry.host(): "nosy" } }))
        .with_helper("kept", Some(PASSWORD));
    let script = format!(
        "#!/bin/sh\nenv > '{}'\nexec docker-credential-kept \"$@\"\n",
        home.log("nosy").display()
    );
    home.checkout
        .write_executable("bin/docker-credential-nosy", &script);
    let checkout = Checkout::of_services(&["alpha"]);
    let build = r#"fn main() {
        for (name, value) in std::env::vars() {
            if name.starts_with("LIGHTER_REGISTRY_") {
                println!("cargo::warning=it sees {name}={value}");
            }
        }
        println!("cargo::warning=it looked");
    }"#;
    checkout.write("alpha/build.rs", build);
    let run = home
        .lighter()
        .env("LIGHTER_REGISTRY_USER", "stranger")
        .env("LIGHTER_REGISTRY_PASSWORD", "hunter2-of-another")
        .env("LIGHTER_REGISTRY_HOST", "ghcr.io")
        .args([
            "push",
            "-vv",
            "--repo",
            &format!("{}/shop", registry.host()),
        ])
        .args(["--manifest-path".into(), checkout.path().join("Cargo.toml")])
        .run()
        .expect(0)
        .says(&["it looked"]);
    assert!(
        !run.stderr.contains("it sees LIGHTER_REGISTRY_USER"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    let seen = home.asked("nosy").join("\n");
    assert!(seen.contains("DOCKER_CONFIG="), "{seen}");
    assert!(
        !seen.contains("hunter2") && !seen.contains("stranger"),
        "{seen}"
    );
}

#[test]
fn login_takes_the_address_that_docker_takes() {
    let registry = Registry::with_password();
    let home = Home::new(&registry);
    for address in [
        "http://HOST",
        "https://HOST",
        "https://HOST/v1/",
        "https://HOST/v2",
    ] {
        let address = address.replace("HOST", &registry.host());
        let log_in = home
            .lighter()
            .args(["login", "-u", USER, "--password-stdin"]);
        log_in.args([&address]).stdin(PASSWORD).run().expect(0);
        let auths = &read_json(&home.config())["auths"];
        assert_eq!(
            *auths,
            json!({ registry.host(): { "auth": pair() } }),
            "{address}"
        );
    }
    let log_in = home
        .lighter()
        .args(["login", "-u", USER, "--password-stdin"]);
    let path = format!("https://{}/acme", registry.host());
    log_in.args([&path]).stdin(PASSWORD).run().expect(2);
}

#[test]
fn what_is_wrong_with_a_login_is_said_before_anything_is_sent() {
    let home = Lighter::at("/")
        .env("DOCKER_CONFIG", "/nonexistent")
        .stdin(PASSWORD);
    // Nobody listens there: who asks it ends with 1.
    let forgotten = home.clone().args(["login", "127.0.0.1:1", "-u", USER]);
    forgotten
        .run()
        .expect(2)
        .says(&["hint: add `--password-stdin`"]);
    let nameless = home.args(["login", "127.0.0.1:1", "-u", "", "--password-stdin"]);
    nameless.run().expect(2).says(&["a user name is not empty"]);
}

#[test]
fn a_wrong_password_is_not_stored() {
    let registry = Registry::with_password();
    let home = Home::new(&registry);
    log_in(&home, "not the password")
        .expect(1)
        .says(&[&registry.host(), "hint: "]);
    assert!(!home.config().exists());
}

fn log_in(home: &Home, password: &str) -> Run {
    home.lighter()
        .args(["login", "--username", USER, "--password-stdin"])
        .args([&home.registry])
        .stdin(&format!("{password}\n"))
        .run()
}

/// A push without credentials ends before anything is compiled.
#[track_caller]
fn is_refused(home: &Home, registry: &Registry) {
    let repo = format!("{}/shop", registry.host());
    let refused = home
        .lighter()
        .args(["push", "--repo", &repo])
        .run()
        .expect(1)
        .says(&[&registry.host(), "401", "hint: ", "cargo lighter login"]);
    assert!(!refused.stderr.contains("Building"), "{}", refused.stderr);
    assert_eq!(refused.stdout, "");
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().expect("there").permissions().mode() & 0o777
}
