//! Differences for people.

use std::fmt::Write as _;

use super::compare::{Change, Difference, Respect};
use super::layout::Page;
use super::text::rest;

/// Changes of one respect that are shown.
const MAX_CHANGES: usize = 20;

/// In what `new` differs from `old`, on a page of people's.
pub fn differences_text(new: &str, old: &str, differences: &[Difference], page: Page) -> String {
    let mut text = String::new();
    let all = |respects: &[Respect]| {
        let names: Vec<String> = respects.iter().map(ToString::to_string).collect();
        names.join(", ")
    };
    let respects: Vec<Respect> = differences.iter().map(|found| found.respect).collect();
    let head = if respects.is_empty() {
        format!("{new} is the same as {old} in {}", all(&Respect::ALL))
    } else {
        format!("{new} differs from {old} in {}", all(&respects))
    };
    for line in page.wrapped(&head, 0) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    }
    for found in differences {
        for (position, change) in found.changes.iter().take(MAX_CHANGES).enumerate() {
            let name = if position == 0 {
                found.respect.to_string()
            } else {
                String::new()
            };
            page.named(&mut text, &name, &line(change, page));
        }
        rest(&mut text, page, 14, found.changes.len(), MAX_CHANGES);
    }
    text
}

fn line(change: &Change, page: Page) -> String {
    let item = change.item.as_deref().map(|item| page.cut_path(item, 16));
    match (item, &change.new, &change.old) {
        (None, new, old) => format!("{}, was {}", value(new.as_ref()), value(old.as_ref())),
        (Some(item), Some(new), None) => format!("+ {}", with(&item, new)),
        (Some(item), None, Some(old)) => format!("- {}", with(&item, old)),
        (Some(item), new, old) => {
            format!(
                "~ {item}: {}, was {}",
                value(new.as_ref()),
                value(old.as_ref())
            )
        }
    }
}

fn with(item: &str, value: &str) -> String {
    if value.is_empty() {
        item.to_owned()
    } else {
        format!("{item}: {value}")
    }
}

fn value(text: Option<&String>) -> &str {
    match text.map(String::as_str) {
        None | Some("") => "nothing",
        Some(text) => text,
    }
}
