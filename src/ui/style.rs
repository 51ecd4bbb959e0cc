//! Colours, always beside a word that says the same.

/// How a word stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// cargo's verbs.
    Green,
    /// Errors.
    Red,
    /// Warnings.
    Yellow,
    /// Hints and notes.
    Cyan,
}

impl Style {
    /// `word` in bold and in colour, or as it is.
    pub(super) fn paint(self, word: &str, colors: bool) -> String {
        let code = match self {
            Self::Green => 32,
            Self::Red => 31,
            Self::Yellow => 33,
            Self::Cyan => 36,
        };
        if colors {
            format!("\u{1b}[1;{code}m{word}\u{1b}[0m")
        } else {
            word.to_owned()
        }
    }
}
