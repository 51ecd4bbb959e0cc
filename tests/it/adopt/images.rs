//! The image that a Dockerfile makes, and the one that its proposal makes.
//!
//! Every shape of `shapes/` is built by buildah on nothing instead of on its bases, without its `RUN`;
//! neither says anything of the configuration. Where the two images differ by design, a table says how
//! and why.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use toml_edit::DocumentMut;

use super::by_design::{BY_DESIGN, USUAL};
use super::scratch::{Old, on_scratch};
use super::shapes::{OUT, shapes};
use super::workspace;
use crate::support::cli::Lighter;
use crate::support::tools::{is_root, run, skipped};
use crate::support::workspace::{Checkout, TARGET};

/// What every Dockerfile here begins with: an executable that was built before.
const HEAD: &str = "FROM scratch\nCOPY target/release/orders /app/orders\n";
/// Executables of the workspace.
const BINARIES: &[&str] = &["orders", "invoice", "report"];
/// What is compiled, and how, says nothing of the configuration: all images hold the same executables.
const OF_NO_CONFIGURATION: &[&str] = &[
    "profile",
    "features",
    "no-default-features",
    "linkage",
    "builder",
    // Many files, and no word in the configuration.
    "tzdata",
];

#[test]
fn images_are_configured_as_those_of_their_dockerfiles() {
    if !is_root() {
        skipped("buildah builds for others than root in a namespace of its own");
        return;
    }
    let bench = Bench::new();
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    let cases = CASES.iter().map(|(what, rest)| {
        let dockerfile = format!("{HEAD}{rest}");
        ((*what).to_owned(), dockerfile)
    });
    let cases: Vec<(String, String)> = cases.chain(dockerfiles_of_shapes()).collect();
    assert!(cases.len() >= 30, "{}", cases.len());
    let (old, new) = std::thread::scope(|threads| {
        let old = threads.spawn(|| {
            let images = cases.iter().map(|(what, text)| bench.buildah(what, text));
            images.collect::<Vec<Value>>()
        });
        let new: Vec<(String, Value)> = cases.iter().map(|(_, text)| bench.ours(text)).collect();
        (old.join().expect("built"), new)
    });
    for (((what, _), old), (service, new)) in cases.iter().zip(&old).zip(&new) {
        let old = facts(old);
        let new = without_titles(facts(new), &old, service);
        for (key, before, after) in differences(&old, &new) {
            let row = BY_DESIGN.iter().position(|row| {
                (row.0 == "*" || row.0 == what) && (row.1, row.2, row.3) == (&key, &before, &after)
            });
            match row {
                Some(row) => drop(used.insert(row)),
                None => wrong.push(format!("({what:?}, {key:?}, {before:?}, {after:?}, \"\"),")),
            }
        }
    }
    let stale = (0..BY_DESIGN.len()).filter(|row| !used.contains(row));
    wrong.extend(stale.map(|row| format!("no longer so: {:?}", BY_DESIGN[row])));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn dockerfiles_of_shapes() -> Vec<(String, String)> {
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().expect("has one").to_string_lossy();
        let whole = fs_err::read_to_string(path).expect("readable");
        let (dockerfile, _) = whole.split_once(OUT).expect("has an output");
        (name.into_owned(), dockerfile.to_owned())
    };
    shapes().iter().map(read).collect()
}

const CASES: &[(&str, &str)] = &[
    (
        "an entry point",
        "USER 65532:65532\nENTRYPOINT [\"/app/orders\"]\n",
    ),
    (
        "arguments of a command",
        "USER 1000:1001\nENTRYPOINT [\"/app/orders\"]\nCMD [\"--listen\", \"0.0.0.0:80\", \"a b\", \"\\\"\"]\n",
    ),
    (
        "everything",
        "ARG WHO=world\n\
         ENV RUST_LOG=info GREETING=\"hello $WHO\" EMPTY= \\\n  # why\n  SECOND=${GREETING:-no}x\n\
         ENV OLD some words\n\
         LABEL com.example.a=1 \"com.example.b c\"=\"x = \\\"y\\\"\" \\\n  com.example.d='$WHO'\n\
         WORKDIR /srv\nWORKDIR data\n\
         EXPOSE 8080 53/udp\n\
         VOLUME [\"/srv/data\", \"/cache\"]\n\
         STOPSIGNAL SIGINT\n\
         USER 7:8\n\
         HEALTHCHECK CMD [\"/app/orders\", \"health\"]\n\
         ENTRYPOINT [\"/app/orders\"]\nCMD [\"serve\"]\n",
    ),
    (
        "an entry point takes away the command before it",
        "CMD [\"old\"]\nUSER 0:0\nENTRYPOINT [\"/app/orders\"]\nCMD [\"new\"]\nSTOPSIGNAL 9\n",
    ),
    (
        "stages on each other",
        "ENV A=1 PORT=80\nEXPOSE $PORT\nWORKDIR /x\nLABEL a=b\n\
         FROM scratch AS other\nENV NEVER=1\n\
         FROM scratch\nCOPY --from=0 /app/orders /app/orders\nUSER 1:1\nENV A=2\nENTRYPOINT [\"/app/orders\"]\n",
    ),
];

/// One workspace for all proposals, one context for all Dockerfiles, and executables compiled once.
struct Bench {
    workspace: Checkout,
    manifests: Vec<(&'static str, String)>,
    context: Checkout,
    storage: TempDir,
}

impl Bench {
    fn new() -> Self {
        let checkout = workspace();
        // Layers are not compared, and need not be made small.
        checkout.append(
            "Cargo.toml",
            "\n[workspace.metadata.lighter]\ncompression = \"none\"\n",
        );
        checkout.cargo(&["build", "--release", "--target", TARGET]);
        let built = checkout.path().join("target").join(TARGET).join("release");
        let context = workspace();
        for place in [context.path(), checkout.path()] {
            let release = place.join("target/release");
            fs_err::create_dir_all(&release).expect("created");
            for name in BINARIES {
                fs_err::copy(built.join(name), release.join(name)).expect("copied");
            }
        }
        let manifests = ["orders/Cargo.toml", "billing/Cargo.toml"].map(|path| {
            let text = fs_err::read_to_string(checkout.path().join(path)).expect("readable");
            (path, text)
        });
        Self {
            workspace: checkout,
            manifests: manifests.to_vec(),
            context,
            storage: TempDir::new().expect("a temporary directory"),
        }
    }

    /// What buildah makes of a Dockerfile on nothing.
    #[track_caller]
    fn buildah(&self, what: &str, dockerfile: &str) -> Value {
        let Old { text, files } = on_scratch(dockerfile);
        let before = self.context.path().join("old");
        if before.exists() {
            fs_err::remove_dir_all(before).expect("removed");
        }
        self.context.write("Dockerfile", &text);
        for file in files {
            let place = self.context.path().join(file);
            fs_err::create_dir_all(place.parent().expect("has one")).expect("created");
            let executable = self.context.path().join("target/release/orders");
            fs_err::copy(executable, place).expect("copied");
        }
        let storage = self.storage.path();
        let image = TempDir::new().expect("a temporary directory");
        // The OCI's form has no room for all that a Dockerfile says.
        let place = format!("dir:{}", image.path().display());
        let mut build = Command::new("buildah");
        build
            .arg("--root")
            .arg(storage.join("root"))
            .arg("--runroot")
            .arg(storage.join("run"))
            .args(["--storage-driver", "vfs", "build", "--isolation", "chroot"])
            .args(["--format", "docker", "--quiet", "-t", &place])
            .arg(self.context.path());
        let output = crate::support::tools::output(&mut build);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{what}: {said}\n{text}");
        config(&place)
    }

    /// The service, and what the program makes of the proposal.
    fn ours(&self, dockerfile: &str) -> (String, Value) {
        let checkout = &self.workspace;
        for (path, text) in &self.manifests {
            checkout.write(path, text);
        }
        checkout.write("Dockerfile", dockerfile);
        let adopted = Lighter::at(checkout.path())
            .args(["adopt", "Dockerfile", "--offline", "--write"])
            .args(["--format", "json"])
            .run()
            .expect(0);
        let document: Value = serde_json::from_str(&adopted.stdout).expect("JSON");
        let service = document["service"].as_str().expect("a name").to_owned();
        for (path, _) in &self.manifests {
            self.keep_the_build(path, &service);
        }
        let layout = checkout.path().join("target/layout");
        Lighter::at(checkout.path())
            .args(["build", &service, "--offline", "--target", TARGET, "--to"])
            .args([format!("oci:{}", layout.display())])
            .run()
            .expect(0);
        // skopeo takes the part after the first colon for the tag.
        let source = format!("oci:{}:{service}:latest", layout.display());
        let copy = TempDir::new().expect("a temporary directory");
        let place = format!("dir:{}", copy.path().display());
        run(Command::new("skopeo").args(["copy", "-q", &source, &place]));
        (service, config(&place))
    }

    /// Takes keys out of a manifest, so that nothing is compiled once more.
    fn keep_the_build(&self, path: &str, service: &str) {
        let text = fs_err::read_to_string(self.workspace.path().join(path)).expect("readable");
        let mut manifest: DocumentMut = text.parse().expect("TOML");
        let metadata = manifest["package"].get("metadata");
        let Some(lighter) = metadata.and_then(|metadata| metadata.get("lighter")) else {
            return;
        };
        let is_of_binary = lighter.get("bin").is_some();
        let mut table = &mut manifest["package"]["metadata"]["lighter"];
        if is_of_binary {
            table = &mut table["bin"][service];
        }
        let table = table.as_table_like_mut().expect("a table");
        for key in OF_NO_CONFIGURATION {
            table.remove(key);
        }
        self.workspace.write(path, &manifest.to_string());
    }
}

/// All of an image's configuration, whatever form it has.
#[track_caller]
fn config(place: &str) -> Value {
    let text = run(Command::new("skopeo").args(["inspect", "--config", "--raw", place]));
    let mut document: Value = serde_json::from_str(&text).expect("JSON");
    document["config"].take()
}

/// All that a configuration says, each variable, label, port and volume on its own.
fn facts(config: &Value) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let list = |key: &str| config[key].as_array().cloned().unwrap_or_default();
    let argv = [list("Entrypoint"), list("Cmd")].concat();
    facts.insert("argv".to_owned(), Value::from(argv).to_string());
    for variable in list("Env") {
        let variable = variable.as_str().expect("a text");
        let (name, value) = variable.split_once('=').expect("has a value");
        facts.insert(format!("Env {name}"), value.to_owned());
    }
    for key in ["ExposedPorts", "Volumes", "Labels"] {
        for (name, value) in config[key].as_object().into_iter().flatten() {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            facts.insert(format!("{key} {name}"), value);
        }
    }
    // The specification's default.
    let directory = config["WorkingDir"]
        .as_str()
        .filter(|text| !text.is_empty());
    facts.insert("WorkingDir".to_owned(), directory.unwrap_or("/").to_owned());
    for key in ["User", "StopSignal", "Healthcheck", "OnBuild", "Shell"] {
        let value = &config[key];
        if !value.is_null() && *value != json!("") && *value != json!([]) {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            facts.insert(key.to_owned(), value);
        }
    }
    // What buildah says of itself.
    facts.remove("Labels io.buildah.version");
    facts
}

/// Without what this program says of every package, where a Dockerfile does not.
fn without_titles(
    mut new: BTreeMap<String, String>,
    old: &BTreeMap<String, String>,
    service: &str,
) -> BTreeMap<String, String> {
    for (name, value) in [("title", service), ("version", "0.1.0")] {
        let key = format!("Labels org.opencontainers.image.{name}");
        if !old.contains_key(&key) {
            assert_eq!(new.remove(&key).as_deref(), Some(value), "{key}");
        }
    }
    new
}

/// What two configurations say differently; nothing is an empty text.
fn differences(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> Vec<(String, String, String)> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let of = |facts: &BTreeMap<String, String>, key| facts.get(key).cloned().unwrap_or_default();
    keys.into_iter()
        .map(|key| (key.clone(), of(old, key), of(new, key)))
        .map(|(key, before, after)| match key.as_str() {
            "argv" => (key, found(&before, &after, old), after),
            "Env PATH" => {
                let after = without_own(&after, &new["argv"]);
                (key, before, after)
            }
            _ => (key, before, after),
        })
        .filter(|(_, before, after)| before != after)
        .collect()
}

/// A command line whose program has a path: a container looks it up in `PATH`, or begins in the working
/// directory.
fn found(before: &str, after: &str, old: &BTreeMap<String, String>) -> String {
    let words = |text: &str| serde_json::from_str::<Vec<String>>(text).expect("a list");
    let mut before = words(before);
    let (Some(program), Some(path)) = (before.first_mut(), words(after).first().cloned()) else {
        return Value::from(before).to_string();
    };
    let places = old.get("Env PATH").map_or(USUAL, String::as_str);
    let is_it = if let Some(relative) = program.strip_prefix("./") {
        Path::new(&old["WorkingDir"]).join(relative) == Path::new(&path)
    } else {
        let mut places = places.split(':');
        !program.contains('/') && places.any(|place| format!("{place}/{program}") == path)
    };
    if is_it {
        *program = path;
    }
    Value::from(before).to_string()
}

/// `PATH` with `DIR` for the directory of the executable, where it begins with that.
fn without_own(path: &str, argv: &str) -> String {
    let words: Vec<String> = serde_json::from_str(argv).expect("a list");
    let directory = words[0]
        .rsplit_once('/')
        .map_or("", |(directory, _)| directory);
    match path.strip_prefix(&format!("{directory}:")) {
        Some(rest) => format!("DIR:{rest}"),
        None => path.to_owned(),
    }
}
