//! The time zone of a container: `/etc/localtime` in the old image, `TZ` in the new one.

use crate::adopt::layers::operands;
use crate::adopt::manifest::Draft;
use crate::adopt::paths::name;
use crate::adopt::shell::Ran;

/// What `/etc/localtime` is where nothing says otherwise.
const USUAL: &[&str] = &[
    "UTC",
    "Etc/UTC",
    "Universal",
    "Etc/Universal",
    "GMT",
    "Etc/GMT",
];
/// Where descriptions of zones are.
const DIRECTORY: &str = "zoneinfo/";

/// The zone that a command makes that of the image: `ln -s /usr/share/zoneinfo/Z /etc/localtime`, or
/// `echo Z > /etc/timezone`.
pub(in crate::adopt) fn chosen(ran: &Ran) -> Option<String> {
    let (program, arguments) = ran.words.split_first()?;
    let operands = operands(arguments);
    match name(program) {
        "ln" | "cp" | "mv" | "install" => {
            let (place, sources) = operands.split_last()?;
            sources.iter().find_map(|source| of_copy(source, place))
        }
        "echo" | "printf" if ran.writes.iter().any(|file| file == "/etc/timezone") => {
            let zone = operands.last()?;
            Some(zone.trim_end_matches("\\n").trim().to_owned())
        }
        _ => None,
    }
}

/// The same of a file that is copied to a place.
pub(super) fn of_copy(source: &str, place: &str) -> Option<String> {
    let (_, zone) = source.split_once(DIRECTORY)?;
    (place == "/etc/localtime").then(|| zone.to_owned())
}

/// Lets the service have a zone.
pub(in crate::adopt) fn adopt(line: usize, zone: &str, draft: &mut Draft<'_>) {
    if USUAL.contains(&zone) {
        return;
    }
    draft.set(line, "tzdata", true);
    if draft.has_entry("env", "TZ") {
        return;
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
    if zone.is_empty() || !zone.chars().all(is_plain) {
        draft.lost(
            line,
            "the time zone of the old image is chosen while it is built",
            "set `TZ` in `env`, such as `TZ = \"Europe/Berlin\"`",
        );
        return;
    }
    draft.entry(line, "env", "TZ", zone);
    draft.changed(
        line,
        &format!(
            "the image has no `/etc/localtime`: `TZ` of `env` says that the time zone is {zone}"
        ),
        "",
    );
}
