//! Flags that take one of a few words.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};

/// Takes any text, which the configuration judges together with all else, and tells `--help`, manuals and
/// shells the words that it will accept.
#[derive(Debug, Clone)]
pub(super) struct Choice(Vec<&'static str>);

impl Choice {
    /// The words of a setting.
    pub(super) fn of<T>(named: &'static [(&'static str, T)]) -> Self {
        Self(named.iter().map(|(name, _)| *name).collect())
    }
}

impl TypedValueParser for Choice {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}
