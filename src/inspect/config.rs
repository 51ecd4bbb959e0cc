//! How an image runs, as its configuration says; any field may be missing or `null`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::oci::Platform;

/// A configuration as somebody may have written it.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Document {
    pub(super) created: Option<String>,
    architecture: Option<String>,
    os: Option<String>,
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
    shell: Option<Value>,
    on_build: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
struct Healthcheck {
    test: Option<Vec<String>>,
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
    /// Docker's health check.
    pub healthcheck: Vec<String>,
    /// Docker's shell, which runs what a Dockerfile says without brackets.
    pub shell: Vec<String>,
    /// Docker's orders for a Dockerfile that begins with the image.
    pub on_build: Vec<String>,
    /// Facts about the image.
    pub labels: BTreeMap<String, String>,
}

impl Document {
    /// How the image runs.
    pub(super) fn execution(&mut self) -> Execution {
        let raw = self.config.take().unwrap_or_default();
        let keys =
            |map: Option<BTreeMap<String, Value>>| map.unwrap_or_default().into_keys().collect();
        let check = raw.healthcheck.and_then(|check| check.test);
        Execution {
            user: raw.user.unwrap_or_default(),
            entrypoint: raw.entrypoint.unwrap_or_default(),
            cmd: raw.cmd.unwrap_or_default(),
            env: raw.env.unwrap_or_default(),
            workdir: raw.working_dir.unwrap_or_default(),
            ports: keys(raw.exposed_ports),
            volumes: keys(raw.volumes),
            stop_signal: raw.stop_signal.filter(|signal| !signal.is_empty()),
            healthcheck: check.unwrap_or_default(),
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
    let text = |item: Value| match item {
        Value::String(text) => text,
        other => other.to_string(),
    };
    items.into_iter().map(text).collect()
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
            field in "(config|rootfs|history|os|created)",
            value in r#"(null|1|""|\[\]|\{\}|\[\{"created_by":"[a-z #]{0,9}"\}\]|\{"(Env|Cmd|Volumes|Labels|User)":(null|\[\]|\{\}|"x"|\["a"\])\})"#,
        ) {
            let text = format!("{{\"{field}\":{value}}}");
            if let Ok(mut document) = serde_json::from_str::<Document>(&text) {
                let _ = (document.execution(), document.platform(), document.makers(1));
            }
        }
    }
}
