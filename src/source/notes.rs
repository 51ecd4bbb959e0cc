//! What is to be said of an image's surroundings, which the layout that was made of them does not show.

use crate::digest::Digest;

/// What was found while a layout was made of something else; all text is printable.
#[derive(Debug, Default)]
pub struct Notes {
    /// Each with the manifest of the image that it is about, if it is only one.
    violations: Vec<(Option<Digest>, String)>,
    warnings: Vec<String>,
}

impl Notes {
    pub(super) fn violation(&mut self, manifest: Option<Digest>, text: String) {
        self.violations.push((manifest, text));
    }

    pub(super) fn warn(&mut self, text: String) {
        self.warnings.push(text);
    }

    /// What is wrong with the image of a manifest, or with any image, one sentence each.
    pub fn violations(&self, manifest: Option<Digest>) -> impl Iterator<Item = &str> {
        let meant = move |of: &Option<Digest>| {
            of.is_none_or(|of| manifest.is_none_or(|wanted| wanted == of))
        };
        let violations = self.violations.iter();
        let violations = violations.filter(move |(of, _)| meant(of));
        violations.map(|(_, text)| text.as_str())
    }

    /// What is odd, and no error, one sentence each.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        self.warnings.iter().map(String::as_str)
    }
}
