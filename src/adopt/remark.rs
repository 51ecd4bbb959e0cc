//! What a proposal does not say as the Dockerfile did.

use serde::Serialize;

use crate::hint::quoted_list;
use crate::report::printable;

/// How much a remark matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// Carried, but in another way.
    Changed,
    /// Not carried: someone has to do something, or to know that nothing need be done.
    Lost,
}

/// Something that the proposal cannot carry, or carries in another way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Remark {
    /// The line of the Dockerfile, from 1; 0 where it is about none of them.
    pub line: usize,
    /// How much it matters.
    pub weight: Weight,
    /// What is so, fit for a terminal.
    pub message: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Remark {
    /// Something that is left out.
    pub(super) fn lost(line: usize, message: &str, advice: &str) -> Self {
        Self::new(line, Weight::Lost, message, advice)
    }

    /// Something that becomes another thing.
    pub(super) fn changed(line: usize, message: &str, advice: &str) -> Self {
        Self::new(line, Weight::Changed, message, advice)
    }

    fn new(line: usize, weight: Weight, message: &str, advice: &str) -> Self {
        Self {
            line,
            weight,
            message: printable(message),
            advice: (!advice.is_empty()).then(|| printable(advice)),
        }
    }
}

/// Names in one sentence; the first of very many.
pub(super) fn list(names: &[String]) -> String {
    shortened(names, 12)
}

/// The same where the first few are enough to know what is meant.
pub(super) fn few(names: &[String]) -> String {
    shortened(names, 3)
}

fn shortened(names: &[String], shown: usize) -> String {
    let first: Vec<&str> = names.iter().take(shown).map(String::as_str).collect();
    match names.len().saturating_sub(shown) {
        0 => quoted_list(&first).replace(" or ", " and "),
        more => {
            let first: Vec<String> = first.iter().map(|name| format!("`{name}`")).collect();
            format!("{} and {more} more", first.join(", "))
        }
    }
}
