//! Events as lines for people.

use super::style::Style;
use crate::report::{DeliverySummary, Event, Step, printable_lines, size};

/// Width of cargo's verb column.
const COLUMN: usize = 12;

/// `        Verb subject`.
pub(super) fn status(verb: &str, subject: &str, colors: bool) -> String {
    let padding = " ".repeat(COLUMN.saturating_sub(verb.len()));
    format!("{padding}{} {subject}", Style::Green.paint(verb, colors))
}

/// `warning: …`.
pub(super) fn warning(text: &str, colors: bool) -> String {
    let word = Style::Yellow.paint("warning", colors);
    format!("{word}: {}", printable_lines(text))
}

/// `error: …`, causes indented, a blank line, `hint: …`.
pub(super) fn error(lines: &[String], hint: Option<&str>, colors: bool) -> String {
    let (first, causes) = lines
        .split_first()
        .map_or(("", lines), |(first, rest)| (first.as_str(), rest));
    let word = Style::Red.paint("error", colors);
    let mut all = vec![format!("{word}: {}", printable_lines(first))];
    all.extend(
        causes
            .iter()
            .map(|cause| format!("  {}", printable_lines(cause).replace('\n', "\n  "))),
    );
    if let Some(hint) = hint {
        let word = Style::Cyan.paint("hint", colors);
        all.push(String::new());
        all.push(format!("{word}: {}", printable_lines(hint)));
    }
    all.join("\n")
}

/// The line for a step that begins; only steps that may take long have one.
pub(super) fn started(event: &Event, colors: bool) -> Option<String> {
    let Event::Started {
        service,
        step,
        detail,
    } = event
    else {
        return None;
    };
    let verb = match step {
        Step::Compile => "Building",
        Step::Deliver => "Delivering",
        Step::Assemble => return None,
    };
    Some(status(verb, &joined(service, detail), colors))
}

/// The line for a step that ended.
pub(super) fn finished(event: &Event, colors: bool) -> Option<String> {
    let Event::Finished {
        service,
        step,
        detail,
        seconds,
        bytes,
    } = event
    else {
        return None;
    };
    let verb = match step {
        Step::Compile => "Built",
        Step::Assemble => "Assembled",
        // Nobody finds it by a name before its tags moved.
        Step::Deliver => "Stored",
    };
    let size = bytes
        .map(|bytes| format!(", {}", size(bytes)))
        .unwrap_or_default();
    Some(status(
        verb,
        &format!("{}{size} in {seconds:.2}s", joined(service, detail)),
        colors,
    ))
}

/// The line for tags that moved.
pub(super) fn tagged(service: &str, delivery: &DeliverySummary, colors: bool) -> String {
    let (tags, place) = (delivery.tags.join(", "), &delivery.destination);
    let subject = format!("`{service}` {tags} at {place}");
    status("Tagged", &printable_lines(&subject), colors)
}

fn joined(service: &str, detail: &str) -> String {
    if detail.is_empty() {
        format!("`{service}`")
    } else {
        format!("`{service}` {detail}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_indent_causes_and_set_hints_apart() {
        let lines = ["cannot push".to_owned(), "refused\nby peer".to_owned()];
        assert_eq!(
            error(&lines, Some("log in"), false),
            "error: cannot push\n  refused\n  by peer\n\nhint: log in"
        );
    }
}
