//! Something that is missing.

use crate::hint::{Packages, System};

/// Something that services need and this machine has not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What is missing, as a sentence without a full stop.
    pub what: String,
    /// Who needs it.
    pub because: Option<String>,
    /// The services that cannot be built or pushed without it, sorted; empty where all are meant.
    pub services: Vec<String>,
    /// What to type on each system, where packages mend it.
    pub commands: Vec<(System, String)>,
    /// What to type or change on any system.
    pub hint: Option<String>,
}

impl Finding {
    /// Something missing that has no remedy yet.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            because: None,
            services: Vec::new(),
            commands: Vec::new(),
            hint: None,
        }
    }

    /// With who needs it.
    pub(super) fn because(mut self, because: impl Into<String>) -> Self {
        self.because = Some(because.into());
        self
    }

    /// With whom it is missing for.
    pub(super) fn services<'a>(mut self, services: impl IntoIterator<Item = &'a str>) -> Self {
        self.services = services.into_iter().map(str::to_owned).collect();
        self.services.sort();
        self.services.dedup();
        self
    }

    /// With packages that mend it.
    pub(super) fn packages(self, packages: &Packages<'_>) -> Self {
        self.commands(packages.commands())
    }

    /// With what to type on each system.
    pub(super) fn commands(mut self, commands: Vec<(System, String)>) -> Self {
        self.commands = commands;
        self
    }

    /// With what mends it on any system.
    pub(super) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// What to type here: the command of this system, of all systems where this one is not known, and
    /// the hint.
    pub(super) fn remedies(&self, system: Option<System>) -> Vec<String> {
        let fitting = self
            .commands
            .iter()
            .filter(|(of, _)| system.is_none_or(|here| here == *of));
        let commands = fitting.map(|(of, command)| match system {
            Some(_) => format!("`{command}`"),
            None => format!("{}: `{command}`", of.name()),
        });
        commands.chain(self.hint.clone()).collect()
    }
}
