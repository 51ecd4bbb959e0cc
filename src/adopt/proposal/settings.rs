//! What a Dockerfile says of the process: user, arguments, checks, variables, ports.

use std::collections::BTreeSet;

use toml_edit::{Array, Value};

use crate::adopt::dockerfile::{Form, Said, Settings, Stage, base_image, lack, refusal};
use crate::adopt::launch::{Launch, Switch};
use crate::adopt::layers::{Numbers, Users};
use crate::adopt::manifest::{Draft, Thing};
use crate::adopt::paths::absolute;
use crate::adopt::secrets::{holds_secret, is_secret_pair};

/// More ports of one range are not listed.
const MAX_PORTS: u16 = 1_000;

/// The user; gives whether that is root.
pub(super) fn user(
    stages: &[Stage],
    stage: usize,
    settings: &Settings,
    launch: &Launch,
    draft: &mut Draft<'_>,
) -> bool {
    let users = Users::of(stages, stage);
    if let Some(switch) = &launch.switch {
        return switched(launch.line, switch, &users, draft);
    }
    let Some(said) = &settings.user else {
        let image = base_image::image(stages, stage);
        if base_image::runs_as_root(image) {
            let line = stages.get(stage).map_or(0, |stage| stage.line);
            draft.lost(
                line,
                "nothing says `USER`: the old image runs as root, the new one as 65532:65532",
                "if it must be root, for ports below 1024 or files it writes, set `user = \"0:0\"`",
            );
        }
        return false;
    };
    if !is_usable("`USER`", said, draft) {
        return false;
    }
    match users.numbers(&said.value) {
        Numbers::Known(numbers) => {
            draft.set(said.line, "user", numbers.as_str());
            numbers.starts_with("0:")
        }
        Numbers::Assumed(numbers) => {
            draft.set(said.line, "user", numbers.as_str());
            draft.changed(
                said.line,
                &format!("`USER {}` names no group: it becomes {numbers}", said.value),
                "",
            );
            numbers.starts_with("0:")
        }
        Numbers::Bare(numbers) => {
            draft.set(said.line, "user", numbers.as_str());
            draft.changed(
                said.line,
                &format!(
                    "`USER {}` names no group: it becomes {numbers}, and docker gives group 0 to users that `/etc/passwd` has not",
                    said.value
                ),
                &format!("where the service needs files of group 0, set `user = \"{}:0\"`", said.value),
            );
            false
        }
        Numbers::Guessed { numbers, group } => {
            draft.set(said.line, "user", numbers.as_str());
            draft.lost(
                said.line,
                &format!(
                    "nothing here says the number of group `{group}`: `USER {}` becomes {numbers}",
                    said.value
                ),
                "set `user` to the right numbers, if files elsewhere belong to that group",
            );
            numbers.starts_with("0:")
        }
        Numbers::TooLarge => {
            draft.lost(
                said.line,
                &format!("`USER {}` has a number above 2147483647, which Kubernetes refuses", said.value),
                "the new image runs as 65532:65532; set `user` to smaller numbers, such as `user = \"1000:1000\"`",
            );
            false
        }
        Numbers::Unknown => {
            draft.lost(
                said.line,
                &format!(
                    "nothing here says the number of user `{}`: the new image runs as 65532:65532",
                    said.value
                ),
                "if files elsewhere belong to that user, set `user` to its numbers, such as `user = \"1000:1000\"`: `docker run --rm --entrypoint id IMAGE` tells those of the old image",
            );
            false
        }
    }
}

/// The user as whom a program like `gosu` starts the service; gives whether that is root.
fn switched(line: usize, switch: &Switch, users: &Users, draft: &mut Draft<'_>) -> bool {
    let Switch { program, user } = switch;
    let numbers = user.as_deref().map(|user| users.numbers(user));
    if let Some(
        Numbers::Known(numbers)
        | Numbers::Assumed(numbers)
        | Numbers::Bare(numbers)
        | Numbers::Guessed { numbers, .. },
    ) = numbers
    {
        draft.set(line, "user", numbers.as_str());
        draft.changed(
            line,
            &format!("`{program}` is not in the image: the service runs as {numbers} from the start, and nothing as root before"),
            "what root does before belongs into the program, or into a job of its own",
        );
        return numbers.starts_with("0:");
    }
    let why = match user {
        Some(user) => format!("nothing here says the number of user `{user}`"),
        None => "its user is chosen by a shell".to_owned(),
    };
    draft.lost(
        line,
        &format!("`{program}` is not in the image, and nothing runs as root first: {why}"),
        "the service runs as 65532:65532; set `user` to numbers, such as `user = \"1000:1000\"`, if files elsewhere belong to another",
    );
    false
}

/// Where it starts, with which arguments, and what stops it.
pub(super) fn process(settings: &Settings, launch: &Launch, draft: &mut Draft<'_>) {
    if let Some(said) = &settings.workdir
        && is_usable("`WORKDIR`", said, draft)
    {
        draft.set(said.line, "workdir", said.value.as_str());
    }
    let args = without_secrets(launch.line, "args", &launch.args, draft);
    if !args.is_empty() {
        draft.set(launch.line, "args", args);
    }
    if let Some(said) = &settings.stop_signal
        && is_usable("`STOPSIGNAL`", said, draft)
        && said.unset.is_empty()
    {
        let upper = said.value.to_uppercase();
        let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
        let is_number = bare.bytes().all(|byte| byte.is_ascii_digit());
        let signal = if is_number {
            bare.to_owned()
        } else {
            format!("SIG{bare}")
        };
        // One that is none is told as it is written.
        let signal = if draft.takes("stop-signal", &Value::from(signal.as_str())) {
            signal
        } else {
            said.value.clone()
        };
        draft.set(said.line, "stop-signal", signal);
    }
}

/// Variables, labels, ports and volumes.
pub(super) fn values(settings: &Settings, draft: &mut Draft<'_>) {
    for (name, said) in &settings.env {
        let what = format!("`ENV {name}`");
        if !is_usable_variable(&what, said, settings, draft) {
            continue;
        }
        draft.entry(said.line, "env", name, &said.value);
        if name == "TZ" && !matches!(said.value.as_str(), "UTC" | "Etc/UTC" | "GMT" | "") {
            draft.set(said.line, "tzdata", true);
        }
    }
    for (name, said) in &settings.labels {
        let what = format!("label `{name}`");
        if is_usable(&what, said, draft) && said.unset.is_empty() {
            draft.entry(said.line, "labels", name, &said.value);
        }
    }
    let mut ports = Vec::new();
    for said in &settings.ports {
        if !is_usable("`EXPOSE`", said, draft) || said.value.is_empty() {
            continue;
        }
        ports.extend(
            ports_of(&said.value)
                .into_iter()
                .map(|port| (said.line, port)),
        );
    }
    draft.list("ports", ports);
    let mut volumes = Vec::new();
    for said in &settings.volumes {
        let what = format!("volume `{}`", said.value);
        if is_usable("`VOLUME`", said, draft)
            && !said.value.is_empty()
            && draft.stands(said.line, &what, &said.value, Thing::Directory)
        {
            volumes.push((said.line, said.value.as_str()));
        }
    }
    draft.list("volumes", volumes);
}

/// Lists of words that docker takes for texts.
pub(super) fn lists(settings: &Settings, draft: &mut Draft<'_>) {
    let check = settings.healthcheck.as_ref();
    let check = check.and_then(|said| Some((said.line, said.value.form.as_ref()?)));
    let entrypoint = settings.entrypoint.as_ref();
    let command = settings.command.as_ref();
    for (what, form) in [
        (
            "ENTRYPOINT",
            entrypoint.map(|said| (said.line, &said.value)),
        ),
        ("CMD", command.map(|said| (said.line, &said.value))),
        ("HEALTHCHECK", check),
    ] {
        if let Some((line, form)) = form
            && form.is_broken_list()
        {
            let why = match form {
                Form::Shell { text, .. } if text.contains('\'') => {
                    ", as JSON knows only double quotes"
                }
                _ => "",
            };
            draft.lost(
                line,
                &format!("`{what}` begins with `[` and is no JSON: docker gives the text to a shell{why}"),
                "write each word in double quotes, with commas between them, such as `[\"/app/orders\", \"-x\"]`",
            );
        }
    }
}

const OF_SECRETS: &str = "give it to the service when it runs, such as from a Kubernetes Secret, and take it out of the Dockerfile";

/// Whether a value may be taken over; tells why not, and what it lacks.
fn is_usable(what: &str, said: &Said<String>, draft: &mut Draft<'_>) -> bool {
    for name in &said.unset {
        draft.remarks.push(lack(said.line, what, name));
    }
    is_legal(what, said, draft)
}

/// The same of an `ENV`: what stands beside it is told in another way.
fn is_usable_variable(
    what: &str,
    said: &Said<String>,
    settings: &Settings,
    draft: &mut Draft<'_>,
) -> bool {
    let is_beside = |other: &str| {
        let other = settings.env.get(other);
        other.is_some_and(|other| other.line == said.line && other != said)
    };
    for name in &said.unset {
        if is_beside(name) {
            draft.lost(
                said.line,
                &format!("{what} needs `{name}`, which has no value before that line"),
                &format!("docker takes values of the lines before: give `{name}` its value in an `ENV` of its own"),
            );
        } else {
            draft.remarks.push(lack(said.line, what, name));
        }
    }
    is_legal(what, said, draft)
}

/// Whether docker takes a value, and it may be told.
fn is_legal(what: &str, said: &Said<String>, draft: &mut Draft<'_>) -> bool {
    if let Some(refused) = said.refused.as_ref().filter(|_| !said.secret) {
        draft.remarks.push(refusal(said.line, what, refused));
    }
    if said.secret {
        let why = "its value is not taken over, as everyone who has the image could read it";
        draft.lost(
            said.line,
            &format!("{what} looks like a secret: {why}"),
            OF_SECRETS,
        );
    }
    !said.secret && said.refused.is_none()
}

/// Arguments but for those that look like secrets, which are told.
pub(super) fn without_secrets(
    line: usize,
    key: &str,
    args: &[String],
    draft: &mut Draft<'_>,
) -> Array {
    let mut kept: Vec<&String> = Vec::new();
    let mut args = args.iter().peekable();
    while let Some(word) = args.next() {
        let dropped =
            args.next_if(|next| is_secret_pair(word, next)).is_some() || holds_secret(word);
        if !dropped {
            kept.push(word);
            continue;
        }
        // A flag without its value would be another one.
        let is_flag = |word: &&mut &String| word.starts_with('-') && !word.contains('=');
        let flag = if word.starts_with('-') {
            word.split('=').next().map(str::to_owned)
        } else {
            kept.pop_if(|word| is_flag(&word)).cloned()
        };
        let what = match flag {
            Some(flag) => format!("`{flag}` looks like a secret: it is"),
            None => "an argument looks like a secret: it is".to_owned(),
        };
        draft.lost(line, &format!("{what} left out of `{key}`"), OF_SECRETS);
    }
    kept.into_iter().map(String::as_str).collect()
}

/// `8080`, `53/udp`, `8000-8003`; of `127.0.0.1:8443:443`, the port of the container.
fn ports_of(text: &str) -> Vec<Value> {
    let lower = text.to_lowercase();
    let (numbers, protocol) = lower.split_once('/').unwrap_or((&lower, "tcp"));
    let (_, numbers) = numbers.rsplit_once(':').unwrap_or(("", numbers));
    let port = |number: u16| match protocol {
        "tcp" => Value::from(i64::from(number)),
        _ => Value::from(format!("{number}/{protocol}")),
    };
    let range = numbers.split_once('-').and_then(|(first, last)| {
        let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last && last - first < MAX_PORTS).then_some(first..=last)
    });
    match (range, numbers.parse()) {
        (Some(range), _) => range.map(port).collect(),
        (None, Ok(number)) => vec![port(number)],
        // The configuration says what is wrong with it.
        (None, Err(_)) => vec![Value::from(text)],
    }
}

/// Directories that the settings name.
pub(super) fn directories(settings: &Settings) -> BTreeSet<String> {
    let volumes = settings
        .volumes
        .iter()
        .map(|said| absolute("/", &said.value));
    volumes.chain([settings.directory().to_owned()]).collect()
}
