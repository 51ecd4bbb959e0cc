//! The programs that container engines are spoken to by.

use std::time::Duration;

use super::EngineError;
use crate::process::{Captured, Environment, Interrupt, Program};
use crate::report::printable;

/// For questions, which an engine far away may answer slowly.
const ANSWER: Duration = Duration::from_secs(30);
/// For taking in images: some gigabytes on a slow disk.
const LOAD: Duration = Duration::from_hours(1);
/// What `image inspect` says about some hundred images.
const OUTPUT: usize = 32 << 20;

/// Which engine is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineChoice {
    /// `docker-daemon:`.
    Docker,
    /// `containers-storage:`.
    Podman,
    /// `--load`: the first that answers.
    Any,
}

impl EngineChoice {
    /// In the order in which they are asked.
    pub(super) fn engines(self) -> &'static [Engine] {
        match self {
            Self::Docker => &[Engine::Docker],
            Self::Podman => &[Engine::Podman],
            Self::Any => &[Engine::Docker, Engine::Podman, Engine::Nerdctl],
        }
    }
}

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Docker,
    Podman,
    Nerdctl,
}

impl Engine {
    /// Its program.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Nerdctl => "nerdctl",
        }
    }

    /// What stands before the names of its images in references. nerdctl's have none of skopeo's.
    pub(super) fn scheme(self) -> &'static str {
        match self {
            Self::Docker => "docker-daemon:",
            Self::Podman => "containers-storage:",
            Self::Nerdctl => "nerdctl:",
        }
    }

    /// What the engine calls an image. podman has a registry of its own for what comes from nowhere.
    pub(super) fn full_name(self, name: &str) -> String {
        let host = name.split_once('/').map(|(host, _)| host);
        let named = host.is_some_and(crate::reference::names_a_registry);
        match self {
            Self::Podman if !named => format!("localhost/{name}"),
            _ => name.to_owned(),
        }
    }

    /// How its program takes images from standard input.
    pub(super) fn load(self) -> &'static [&'static str] {
        match self {
            Self::Docker | Self::Podman => &["load", "--quiet"],
            Self::Nerdctl => &["load"],
        }
    }
}

/// An engine that can be spoken to from here.
#[derive(Debug, Clone)]
pub(super) struct Speaker {
    pub(super) engine: Engine,
    environment: Environment,
    interrupt: Interrupt,
}

impl Speaker {
    pub(super) fn new(engine: Engine, environment: &Environment, interrupt: &Interrupt) -> Self {
        Self {
            engine,
            environment: environment.clone(),
            interrupt: interrupt.clone(),
        }
    }

    /// Whether it is there and answers.
    pub(super) fn answers(&self) -> Result<(), EngineError> {
        let program = self.engine.program();
        if self.environment.find_program(program).is_none() {
            return Err(EngineError::Missing { program });
        }
        // What engines have in common that asks the engine itself, changes nothing and is short.
        let captured = self.ask(&["ps", "--quiet"])?;
        if captured.status.success() {
            return Ok(());
        }
        Err(EngineError::Silent {
            program,
            said: said(&captured),
        })
    }

    /// Asks something.
    pub(super) fn ask<A: AsRef<str>>(&self, arguments: &[A]) -> Result<Captured, EngineError> {
        let arguments = arguments.iter().map(AsRef::as_ref);
        Ok(self.program(ANSWER).args(arguments).capture(b"")?)
    }

    /// What takes images in.
    pub(super) fn loading(&self) -> Program {
        let arguments = self.engine.load().iter().copied();
        self.program(LOAD).args(arguments)
    }

    fn program(&self, limit: Duration) -> Program {
        Program::new(self.engine.program(), &self.environment)
            .time_limit(limit)
            .output_limit(OUTPUT)
            .interrupted_by(&self.interrupt)
    }
}

/// What a program that failed said about it.
pub(super) fn said(captured: &Captured) -> String {
    let text = String::from_utf8_lossy(&captured.stderr);
    let text = printable(text.trim());
    if text.is_empty() {
        format!("it ended with {}", captured.status)
    } else {
        text
    }
}
