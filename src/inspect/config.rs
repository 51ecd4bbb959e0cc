//! How an image runs, as its configuration says; any field may be missing or `null`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::layout::command;
use crate::digest::Digest;
use crate::oci::Platform;

/// A configuration as somebody may have written it.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Document {
    pub(super) created: Option<String>,
    architecture: Option<String>,
    os: Option<String>,
    // Of other systems: any value is taken.
    #[serde(rename = "os.version")]
    os_version: Option<Value>,
    #[serde(rename = "os.features")]
    os_features: Option<Value>,
    variant: Option<String>,
    config: Option<Raw>,
    rootfs: Option<RootFs>,
    history: Option<Vec<History>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
struct Raw {
    user: Option<String>,
    exposed_ports: Option<BTreeMap<String, Value>>,
    env: Option<Vec<String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    volumes: Option<BTreeMap<String, Value>>,
    working_dir: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    stop_signal: Option<String>,
    healthcheck: Option<Healthcheck>,
    // Docker's own, of which the specification says nothing: any value is taken.
    hostname: Option<Value>,
    stop_timeout: Option<Value>,
    shell: Option<Value>,
    on_build: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
struct Healthcheck {
    test: Option<Vec<String>>,
    interval: Option<Value>,
    timeout: Option<Value>,
    start_period: Option<Value>,
    start_interval: Option<Value>,
    retries: Option<Value>,
}

impl Healthcheck {
    /// What is set beside the command, by docker's names.
    fn options(&self) -> BTreeMap<String, String> {
        let options = [
            ("Interval", &self.interval),
            ("Retries", &self.retries),
            ("StartInterval", &self.start_interval),
            ("StartPeriod", &self.start_period),
            ("Timeout", &self.timeout),
        ];
        // Docker takes 0 for nothing.
        let set = options.into_iter().filter_map(|(name, value)| {
            let value = text(value.clone()?)?;
            (value != "0").then(|| (name.to_owned(), value))
        });
        set.collect()
    }
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object")]
struct RootFs {
    diff_ids: Option<Vec<Digest>>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object")]
struct History {
    created_by: Option<String>,
    comment: Option<String>,
    empty_layer: Option<bool>,
}

/// What is run, as whom, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Execution {
    /// User and group; empty is root.
    pub user: String,
    /// The executable and what always follows it.
    pub entrypoint: Vec<String>,
    /// Arguments that a caller may replace.
    pub cmd: Vec<String>,
    /// `NAME=value`, in order.
    pub env: Vec<String>,
    /// Where the process starts; empty is `/`.
    pub workdir: String,
    /// Such as `8080/tcp`, sorted.
    pub ports: Vec<String>,
    /// Directories that hold data from outside, sorted.
    pub volumes: Vec<String>,
    /// What stops it, when not SIGTERM.
    pub stop_signal: Option<String>,
    /// Seconds that docker waits for it to stop, where they are set.
    pub stop_timeout: Option<String>,
    /// What the machine is called inside, where docker was told.
    pub hostname: Option<String>,
    /// Docker's health check.
    pub healthcheck: Vec<String>,
    /// When that runs and what it may take, by docker's names; times in nanoseconds.
    pub healthcheck_options: BTreeMap<String, String>,
    /// Docker's shell, which runs what a Dockerfile says without brackets.
    pub shell: Vec<String>,
    /// Docker's orders for a Dockerfile that begins with the image.
    pub on_build: Vec<String>,
    /// Facts about the image.
    pub labels: BTreeMap<String, String>,
}

impl Execution {
    /// The health check in one line.
    pub(super) fn healthcheck_text(&self) -> String {
        let options = self.healthcheck_options.iter();
        let options = options.map(|(name, value)| match (name.as_str(), value.parse()) {
            ("Retries", _) | (_, Err(_)) => format!("{name} {value}"),
            (_, Ok(nanoseconds)) => format!("{name} {}", duration(nanoseconds)),
        });
        let command = (!self.healthcheck.is_empty()).then(|| command(&self.healthcheck));
        let parts: Vec<String> = command.into_iter().chain(options).collect();
        parts.join(", ")
    }
}

/// Nanoseconds as a Dockerfile says them, such as `1m30s`: two that differ read differently.
fn duration(nanoseconds: u64) -> String {
    let units = [
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ];
    let mut rest: u64 = nanoseconds;
    let mut text = String::new();
    for (unit, length) in units {
        if rest >= length {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}{unit}", rest / length);
            rest %= length;
        }
    }
    text
}

impl Document {
    /// How the image runs.
    pub(super) fn execution(&mut self) -> Execution {
        let raw = self.config.take().unwrap_or_default();
        let keys =
            |map: Option<BTreeMap<String, Value>>| map.unwrap_or_default().into_keys().collect();
        let check = raw.healthcheck.unwrap_or_default();
        Execution {
            user: raw.user.unwrap_or_default(),
            entrypoint: raw.entrypoint.unwrap_or_default(),
            cmd: raw.cmd.unwrap_or_default(),
            env: raw.env.unwrap_or_default(),
            workdir: raw.working_dir.unwrap_or_default(),
            ports: keys(raw.exposed_ports),
            volumes: keys(raw.volumes),
            stop_signal: raw.stop_signal.filter(|signal| !signal.is_empty()),
            stop_timeout: raw.stop_timeout.and_then(text),
            hostname: raw.hostname.and_then(text),
            healthcheck_options: check.options(),
            healthcheck: check.test.unwrap_or_default(),
            shell: texts(raw.shell),
            on_build: texts(raw.on_build),
            labels: raw.labels.unwrap_or_default(),
        }
    }

    /// What it runs on, as far as it says.
    pub(super) fn platform(&self) -> Platform {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        Platform {
            architecture: part(&self.architecture),
            os: part(&self.os),
            variant: self.variant.clone().filter(|text| !text.is_empty()),
        }
    }

    /// The version of the system that it needs, where that is told.
    pub(super) fn os_version(&self) -> Option<String> {
        text(self.os_version.clone()?)
    }

    /// What the system must be able to, sorted.
    pub(super) fn os_features(&self) -> Vec<String> {
        let mut features = texts(self.os_features.clone());
        features.sort();
        features.dedup();
        features
    }

    /// Digests of the uncompressed layers.
    pub(super) fn diff_ids(&self) -> &[Digest] {
        let diff_ids = self.rootfs.as_ref().and_then(|root| root.diff_ids.as_ref());
        diff_ids.map_or(&[], Vec::as_slice)
    }

    /// What made each of `count` layers, where the history tells so.
    pub(super) fn makers(&self, count: usize) -> Vec<String> {
        let history = self.history.iter().flatten();
        let makers: Vec<String> = history
            .filter(|entry| entry.empty_layer != Some(true))
            .map(maker)
            .collect();
        if makers.len() == count {
            makers
        } else {
            vec![String::new(); count]
        }
    }
}

/// The texts of a list that may be anything.
fn texts(value: Option<Value>) -> Vec<String> {
    let items = match value {
        Some(Value::Array(items)) => items,
        None | Some(Value::Null) => Vec::new(),
        Some(other) => vec![other],
    };
    items.into_iter().map(words).collect()
}

/// The text of a value that may be anything; nothing of what is empty.
fn text(value: Value) -> Option<String> {
    let text = (!value.is_null()).then(|| words(value));
    text.filter(|text| !text.is_empty())
}

fn words(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// What this program, or a Dockerfile, says of a layer.
fn maker(entry: &History) -> String {
    let comment = entry.comment.as_deref().unwrap_or_default();
    let command = entry.created_by.as_deref().unwrap_or_default();
    // BuildKit tells its own name as a comment.
    if !comment.is_empty() && !comment.starts_with("buildkit") {
        return comment.to_owned();
    }
    let command = command.trim().trim_end_matches("# buildkit").trim_end();
    if let Some(instruction) = command.strip_prefix("/bin/sh -c #(nop) ") {
        return instruction.trim().to_owned();
    }
    let command = command.strip_prefix("RUN ").unwrap_or(command);
    match command.strip_prefix("/bin/sh -c ") {
        Some(shell) => format!("RUN {}", shell.trim()),
        None => command.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Document {
        serde_json::from_str(text).expect("a configuration")
    }

    #[test]
    fn what_docker_leaves_null_is_missing() {
        let mut document = read(
            r#"{"config":{"Env":null,"Entrypoint":null,"Cmd":["sh"],"ExposedPorts":null,"Volumes":{"/b":{},"/a":{}},
                "Labels":null,"Healthcheck":{"Test":null},"StopSignal":""},"rootfs":null,"history":null}"#,
        );
        let execution = document.execution();
        assert_eq!(execution.cmd, ["sh"]);
        assert_eq!(execution.volumes, ["/a", "/b"]);
        assert_eq!(execution.stop_signal, None);
        assert_eq!(document.diff_ids(), []);
        assert_eq!(document.makers(1), [""]);
        assert_eq!(read("{}").execution(), Execution::default());
    }

    #[test]
    fn times_of_a_health_check_are_those_of_dockerfiles() {
        for (nanoseconds, text) in [
            (5_000_000_000, "5s"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h"),
            (1_500_000_000, "1s500ms"),
            (1_001, "1us1ns"),
        ] {
            assert_eq!(duration(nanoseconds), text);
        }
        let mut document = read(
            r#"{"config":{"Healthcheck":{"Test":["CMD","a"],"Interval":5000000000,"Retries":3,"Timeout":-1}}}"#,
        );
        let expected = "CMD a, Interval 5s, Retries 3, Timeout -1";
        assert_eq!(document.execution().healthcheck_text(), expected);
    }

    #[test]
    fn makers_of_layers_are_told_in_the_words_of_dockerfiles() {
        let document = read(
            r#"{"history":[
                {"created_by":"/bin/sh -c #(nop) ADD file:1 in / "},
                {"created_by":"/bin/sh -c #(nop)  CMD [\"sh\"]","empty_layer":true},
                {"created_by":"RUN /bin/sh -c apt-get update # buildkit","comment":"buildkit.dockerfile.v0"},
                {"created_by":"COPY app / # buildkit","comment":"buildkit.dockerfile.v0"},
                {"created_by":"cargo lighter","comment":"glibc"}]}"#,
        );
        let expected = [
            "ADD file:1 in /",
            "RUN apt-get update",
            "COPY app /",
            "glibc",
        ];
        assert_eq!(document.makers(4), expected);
        // A history that does not fit the layers tells nothing.
        assert_eq!(document.makers(3), ["", "", ""]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = serde_json::from_slice::<Document>(&bytes);
        }

        #[test]
        fn near_documents_are_read_without_a_panic(
            field in "(config|rootfs|history|os|os\\.version|os\\.features|created)",
            value in r#"(null|1|""|\[\]|\{\}|\[\{"created_by":"[a-z #]{0,9}"\}\]|\{"(Env|Cmd|Volumes|Labels|User|Hostname|StopTimeout|Healthcheck)":(null|\[\]|\{\}|"x"|\["a"\])\})"#,
        ) {
            let text = format!("{{\"{field}\":{value}}}");
            if let Ok(mut document) = serde_json::from_str::<Document>(&text) {
                let _ = (document.execution(), document.platform(), document.makers(1));
                let _ = (document.os_version(), document.os_features());
            }
        }
    }
}
