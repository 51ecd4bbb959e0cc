//! The reporter that owns the user's streams.

use std::io::{self, Read as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::bars::Bars;
use super::screen::{standard_error, width};
use super::table::table;
use super::{Streams, json, text};
use crate::hint::Hint;
use crate::report::{Event, Reporter, Step, with_causes};

/// How often a command that waits for input looks whether it was told to stop.
const STOP_POLL: Duration = Duration::from_millis(20);

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// `-q`: warnings and errors.
    Quiet,
    /// One line for each step.
    #[default]
    Normal,
    /// `-v`: commands, and where values came from.
    Verbose,
}

/// `--message-format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// References, one a line.
    #[default]
    Text,
    /// JSON lines.
    Json,
}

/// Shows events and data.
#[derive(Debug)]
pub struct Console {
    streams: Mutex<Streams>,
    verbosity: Verbosity,
    format: Format,
    colors: bool,
    bars: Option<Bars>,
    /// Whether standard output refused data of a run.
    lost_data: AtomicBool,
}

impl Console {
    /// Shows things on `streams`, with `colors` where they help.
    pub fn new(streams: Streams, verbosity: Verbosity, colors: bool, format: Format) -> Self {
        Self {
            streams: Mutex::new(streams),
            verbosity,
            format,
            colors,
            bars: None,
            lost_data: AtomicBool::new(false),
        }
    }

    /// The same with bars on the process's standard error, a terminal, while a run works.
    #[must_use]
    pub fn with_bars(self) -> Self {
        Self {
            bars: Some(Bars::new(standard_error())),
            ..self
        }
    }

    /// Whether data of the run could not be written to standard output; it was told when it happened.
    pub fn lost_data(&self) -> bool {
        self.lost_data.load(Ordering::SeqCst)
    }

    /// Whether messages have colours.
    pub fn colors(&self) -> bool {
        self.colors
    }

    /// How much is said.
    pub fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// Writes data to standard output.
    ///
    /// # Errors
    /// When standard output is full, in words that say so; a closed pipe is no error, because whoever
    /// reads has seen enough.
    pub fn data(&self, text: &str) -> io::Result<()> {
        let result = self.aside(|streams| {
            streams
                .stdout
                .write_all(text.as_bytes())
                .and_then(|()| streams.stdout.flush())
        });
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(io::Error::new(
                error.kind(),
                format!("cannot write to standard output: {error}"),
            )),
            Ok(()) => Ok(()),
        }
    }

    /// All of standard input, at most `limit` bytes; nothing once `stopped` says so. What is read
    /// is gone for a second call.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn input(&self, limit: u64, stopped: impl Fn() -> bool) -> io::Result<Option<Vec<u8>>> {
        let stdin = std::mem::replace(&mut self.streams().stdin, Box::new(io::empty()));
        let (sender, read) = mpsc::channel();
        // Nothing ends a read but what is typed, thus a thread does it that nobody waits for.
        thread::Builder::new()
            .name("input".to_owned())
            .spawn(move || {
                let mut bytes = Vec::new();
                let result = stdin.take(limit).read_to_end(&mut bytes);
                let _ = sender.send(result.map(|_| bytes));
            })?;
        while !stopped() {
            match read.recv_timeout(STOP_POLL) {
                Ok(result) => return result.map(Some),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::other("the thread that reads ended early"));
                }
            }
        }
        Ok(None)
    }

    /// Shows an error with its causes and hint.
    pub fn error(&self, error: &(dyn Hint + 'static)) {
        self.line(&text::error(
            &causes(error),
            error.hint().as_deref(),
            self.colors,
        ));
    }

    /// Shows a line of text as it is, such as a usage error.
    pub fn raw(&self, text: &str) {
        self.line(text.trim_end_matches('\n'));
    }

    fn line(&self, line: &str) {
        // A run does not end for want of someone to tell.
        let _ = self.aside(|streams| writeln!(streams.stderr, "{line}"));
    }

    /// Writes while no bars are in the way.
    fn aside<R>(&self, write: impl FnOnce(&mut Streams) -> R) -> R {
        let write = || write(&mut self.streams());
        match &self.bars {
            Some(bars) => bars.aside(write),
            None => write(),
        }
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The columns of the terminal that standard error is, if it is one that bars are drawn on.
    fn width(&self) -> Option<usize> {
        self.bars.as_ref().and_then(|_| width())
    }

    fn human(&self, event: &Event) -> Option<String> {
        let normal = self.verbosity >= Verbosity::Normal;
        // Bars show that already.
        let steps = normal && (self.bars.is_none() || self.verbosity >= Verbosity::Verbose);
        match event {
            Event::Started { .. } => text::started(event, self.colors).filter(|_| steps),
            Event::Finished { step, .. } => {
                let told = steps || normal && *step == Step::Deliver;
                text::finished(event, self.colors).filter(|_| told)
            }
            Event::Status { verb, subject } => {
                normal.then(|| text::status(verb, subject, self.colors))
            }
            Event::Compiler(line) => Some(line.clone()),
            Event::Warning(line) => Some(text::warning(line, self.colors)),
            Event::Verbose(line) => (self.verbosity >= Verbosity::Verbose).then(|| line.clone()),
            Event::Failed { error, hint, .. } | Event::Refused { error, hint, .. } => {
                let lines: Vec<String> = error.lines().map(str::to_owned).collect();
                Some(text::error(&lines, hint.as_deref(), self.colors))
            }
            Event::Delivered { service, delivery } => {
                steps.then(|| text::tagged(service, delivery, self.colors))
            }
            Event::Summary(summary) => table(summary, self.width()).filter(|_| normal),
            Event::Begun { .. }
            | Event::Compiled { .. }
            | Event::Moving { .. }
            | Event::Reading { .. }
            | Event::Read
            | Event::Service(_) => None,
        }
    }
}

fn causes(error: &(dyn Hint + 'static)) -> Vec<String> {
    let first = error.to_string();
    let causes = error.source().map(with_causes).unwrap_or_default();
    let rest = causes
        .into_iter()
        .filter(|line| *line != first)
        .collect::<Vec<_>>();
    std::iter::once(first).chain(rest).collect()
}

impl Reporter for Console {
    fn report(&self, event: Event) {
        if let Some(bars) = &self.bars {
            bars.show(&event);
        }
        if let Some(line) = self.human(&event) {
            self.line(&line);
        }
        let data = match (self.format, &event) {
            (Format::Json, event) => json::line(event).map(|line| line + "\n"),
            (Format::Text, Event::Delivered { delivery, .. }) => {
                Some(delivery.reference.join("\n") + "\n")
            }
            (Format::Text, _) => None,
        };
        if let Some(data) = data
            && let Err(error) = self.data(&data)
            && !self.lost_data.swap(true, Ordering::SeqCst)
        {
            self.line(&text::error(&[error.to_string()], None, self.colors));
        }
    }
}
