//! What an error suggests to type or change next.
//!
//! Every error type of this crate implements [`Hint`]; the command line prints the hint after the
//! error and its causes, separated by a blank line. A message says what is wrong, a hint says what
//! to do: the two are never mixed.

mod packages;

use std::error::Error;

pub use packages::{Packages, System};

/// An error that may know what the user should do next.
pub trait Hint: Error {
    /// One imperative sentence without a full stop, or `None` where there is nothing better to say
    /// than the error itself.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// An error of any room on its way to the user.
pub type BoxedHint = Box<dyn Hint + Send + Sync + 'static>;

impl<E> From<E> for BoxedHint
where
    E: Hint + Send + Sync + 'static,
{
    fn from(error: E) -> Self {
        Box::new(error)
    }
}

/// The names in `known` that a person who typed `unknown` may have meant, best first, at most three.
///
/// Similarity is Jaro-Winkler above 0.8, or one name containing the other, as cargo and git suggest.
pub fn near_names<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .filter_map(|name| {
            let score = strsim::jaro_winkler(&unknown.to_lowercase(), &name.to_lowercase());
            let contained =
                unknown.len() >= 3 && (name.contains(unknown) || unknown.contains(name));
            (score > 0.8 || contained).then_some((score, name))
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

/// `` `a` ``, `` `a` or `b` ``, `` `a`, `b` or `c` ``: names as a sentence lists them.
pub fn quoted_list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_nearest_names_first() {
        let known = ["orders", "billing", "order-export"];
        assert_eq!(near_names("ordes", known)[0], "orders");
        assert!(near_names("zzz", known).is_empty());
    }

    #[test]
    fn lists_names_as_a_sentence() {
        assert_eq!(quoted_list(&["a"]), "`a`");
        assert_eq!(quoted_list(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
