//! Running a child program to its end.
//!
//! A child is its own process group, so that an interrupt or a time limit reaches what it started
//! too; but for one that may ask the user something, because a terminal lets only one group read. What a
//! program leaves behind in its group may be ended, too.
//! Its output is read up to a limit; more is an error, because nobody asked for a flood.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

use super::feed::Feed;
use super::output::{Gathering, Line, send_lines};
use super::{Environment, Interrupt};
use crate::hint::Hint;

const FIRST_POLL: Duration = Duration::from_micros(100);
const POLL: Duration = Duration::from_millis(20);
/// How long output is waited for once the child ended: what it started may hold its pipes for ever.
const AFTERMATH: Duration = Duration::from_secs(1);
/// Time between the polite signal and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);
/// Time between SIGKILL and going on without knowing that it worked.
const LAST_WAIT: Duration = Duration::from_secs(1);
/// Time between both signals for what a program left behind.
const PARTING: Duration = Duration::from_millis(200);
const DEFAULT_OUTPUT: usize = 256 * 1024 * 1024;

/// A child program that could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It is not there or cannot be started.
    #[error("cannot run `{program}`")]
    Start {
        /// Name or path as given.
        program: String,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// Talking to it failed.
    #[error("lost contact with `{program}`")]
    Pipe {
        /// Name or path as given.
        program: String,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// It ran longer than allowed, and was stopped.
    #[error("`{program}` gave no answer within {seconds} s and was stopped")]
    TimeLimit {
        /// Name or path as given.
        program: String,
        /// The limit.
        seconds: u64,
    },
    /// It printed more than allowed, and was stopped.
    #[error("`{program}` printed more than {limit} bytes and was stopped")]
    OutputLimit {
        /// Name or path as given.
        program: String,
        /// The limit.
        limit: usize,
    },
    /// The run was told to stop; so was the program.
    #[error("interrupted")]
    Interrupted,
}

impl Hint for ProgramError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Start { program, source } if source.kind() == io::ErrorKind::NotFound => {
                Some(format!("install `{program}`, or put it on PATH"))
            }
            _ => None,
        }
    }
}

/// All that a finished program said.
#[derive(Debug)]
pub struct Captured {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

/// A program to run: path, arguments, environment, limits.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    /// Variables that were set for this program, for [`Program::command_line`].
    set: Vec<(String, OsString)>,
    environment: Environment,
    time_limit: Option<Duration>,
    output_limit: usize,
    interrupt: Interrupt,
    /// Whether it stays in our process group.
    asking: bool,
    /// Whether what it leaves behind is ended.
    tidied: bool,
}

impl Program {
    /// `path` is a path, or a name to look up in the environment's `PATH`. The program sees only
    /// `environment`, without the password for registries in it, and starts in its directory.
    pub fn new(path: impl Into<PathBuf>, environment: &Environment) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
            set: Vec::new(),
            environment: environment.clone(),
            time_limit: None,
            output_limit: DEFAULT_OUTPUT,
            interrupt: Interrupt::new(),
            asking: false,
            tidied: false,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable for the program.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        let value = value.into();
        self.environment = self.environment.with(name, value.clone());
        self.set.push((name.to_owned(), value));
        self
    }

    /// Stops the program after `limit`.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Stops the program once it printed more than `limit` bytes on one stream.
    #[must_use]
    pub fn output_limit(mut self, limit: usize) -> Self {
        self.output_limit = limit;
        self
    }

    /// Stops the program when `interrupt` is raised.
    #[must_use]
    pub fn interrupted_by(mut self, interrupt: &Interrupt) -> Self {
        self.interrupt = interrupt.clone();
        self
    }

    /// Leaves the program in our process group, so that it can ask the user something on the terminal,
    /// and Ctrl-C reaches it there. Stopping it then reaches the program alone, not what it started.
    #[must_use]
    pub fn asking(mut self) -> Self {
        self.asking = true;
        self
    }

    /// Ends what the program started and left behind when it ended. What made itself a session of its own, as
    /// services do, stays.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        self.tidied = true;
        self
    }

    /// The command as a user could type it, for `-v`: variables that were set for it, and its words.
    pub fn command_line(&self) -> String {
        let variables = self
            .set
            .iter()
            .map(|(name, value)| format!("{name}={}", quoted(value)));
        let words = std::iter::once(self.path.as_os_str())
            .chain(self.arguments.iter().map(OsString::as_os_str))
            .map(quoted);
        variables.chain(words).collect::<Vec<_>>().join(" ")
    }

    /// Runs to the end and returns all output, with `input` on standard input.
    ///
    /// # Errors
    /// [`ProgramError`]; an exit code other than 0 is none.
    pub fn capture(&self, input: &[u8]) -> Result<Captured, ProgramError> {
        let mut child = self.spawn(Stdio::piped())?;
        if let Some(mut pipe) = child.stdin.take() {
            let input = input.to_owned();
            // A program that does not read its input closes the pipe; that is its right.
            thread::spawn(move || pipe.write_all(&input));
        }
        let stdout = Gathering::of(child.stdout.take(), self.output_limit);
        let stderr = Gathering::of(child.stderr.take(), self.output_limit);
        let drained = || stdout.is_finished() && stderr.is_finished();
        let status = self.wait(&mut child, Instant::now(), None, drained);
        if self.tidied && !self.asking {
            end_left(&child);
        }
        let status = status?;
        Ok(Captured {
            status,
            stdout: self.taken(&stdout)?,
            stderr: self.taken(&stderr)?,
        })
    }

    /// Runs to the end and returns all output, while `write` puts on standard input what the program is to
    /// read. What `write` gives comes beside it: a program that ends early, or is stopped, makes writing fail.
    ///
    /// # Errors
    /// [`ProgramError`]; an exit code other than 0 is none.
    pub fn feed<R: Send>(
        &self,
        write: impl FnOnce(&mut Feed<'_>) -> R + Send,
    ) -> Result<(Captured, R), ProgramError> {
        let mut child = self.spawn(Stdio::piped())?;
        let over = AtomicBool::new(false);
        let feed = child.stdin.take().map(|pipe| Feed::new(pipe, &over));
        let mut feed = feed.transpose().map_err(|source| self.pipe(source))?;
        thread::scope(|scope| {
            let writing = scope.spawn(|| feed.take().map(|mut feed| write(&mut feed)));
            let stdout = Gathering::of(child.stdout.take(), self.output_limit);
            let stderr = Gathering::of(child.stderr.take(), self.output_limit);
            let drained = || stdout.is_finished() && stderr.is_finished();
            let status = self.wait(&mut child, Instant::now(), None, drained);
            // Whoever still holds the other end may never read again.
            over.store(true, Ordering::SeqCst);
            let written = writing.join().unwrap_or_else(|panic| resume_unwind(panic));
            let captured = Captured {
                status: status?,
                stdout: self.taken(&stdout)?,
                stderr: self.taken(&stderr)?,
            };
            let written = written.ok_or_else(|| self.pipe(io::ErrorKind::BrokenPipe.into()))?;
            Ok((captured, written))
        })
    }

    /// Runs to the end, handing over each line of output as it comes: of standard output to
    /// `on_stdout`, of standard error to `on_stderr`, both without their line ends.
    ///
    /// # Errors
    /// [`ProgramError`]; an exit code other than 0 is none.
    pub fn stream(
        &self,
        mut on_stdout: impl FnMut(&str),
        mut on_stderr: impl FnMut(&str),
    ) -> Result<ExitStatus, ProgramError> {
        let mut child = self.spawn(Stdio::null())?;
        let (sender, lines) = mpsc::sync_channel(256);
        send_lines(
            child.stdout.take(),
            self.output_limit,
            Line::Stdout,
            sender.clone(),
        );
        send_lines(child.stderr.take(), self.output_limit, Line::Stderr, sender);
        let started = Instant::now();
        let (mut stopping, mut ended) = (None, None);
        loop {
            match lines.recv_timeout(POLL) {
                Ok(Line::Stdout(line)) => on_stdout(&line),
                Ok(Line::Stderr(line)) => on_stderr(&line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if self.is_over(&mut child, &mut ended)? {
                        break;
                    }
                }
            }
            self.stop_when_due(&mut child, started, &mut stopping);
        }
        self.wait(&mut child, started, stopping, || true)
    }

    /// Whether the child ended so long ago that whoever still holds its pipes is somebody else.
    fn is_over(
        &self,
        child: &mut Child,
        ended: &mut Option<Instant>,
    ) -> Result<bool, ProgramError> {
        if ended.is_none()
            && child
                .try_wait()
                .map_err(|source| self.pipe(source))?
                .is_some()
        {
            *ended = Some(Instant::now());
        }
        Ok(ended.is_some_and(|since| since.elapsed() > AFTERMATH))
    }

    fn spawn(&self, stdin: Stdio) -> Result<Child, ProgramError> {
        let start = |source| ProgramError::Start {
            program: self.name(),
            source,
        };
        let path = self.environment.find_program(&self.path).ok_or_else(|| {
            start(io::Error::new(
                io::ErrorKind::NotFound,
                "no such executable",
            ))
        })?;
        let mut command = Command::new(path);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.for_children())
            .current_dir(self.environment.directory())
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if !self.asking {
            command.process_group(0);
        }
        command.spawn().map_err(start)
    }

    /// Waits for the end of the child and of its output; of a child that was told to stop, also for
    /// the end of all that it started.
    fn wait(
        &self,
        child: &mut Child,
        started: Instant,
        mut stopping: Option<(Instant, ProgramError)>,
        drained: impl Fn() -> bool,
    ) -> Result<ExitStatus, ProgramError> {
        let mut pause = FIRST_POLL;
        let (mut ended, mut was_drained) = (None, false);
        loop {
            let over = self.is_over(child, &mut ended)?;
            let drained = drained();
            if drained && !was_drained {
                // Whoever closed its output is about to end.
                (pause, was_drained) = (FIRST_POLL, true);
            }
            if (over || drained)
                && let Some(status) = child.try_wait().map_err(|source| self.pipe(source))?
            {
                let Some((since, error)) = stopping else {
                    return Ok(status);
                };
                if !self.asking {
                    end_group(child, since);
                }
                return Err(error);
            }
            self.stop_when_due(child, started, &mut stopping);
            thread::park_timeout(pause);
            pause = (pause * 2).min(POLL);
        }
    }

    /// Sends the group SIGTERM when the time is up or the run is interrupted, SIGKILL after a grace.
    fn stop_when_due(
        &self,
        child: &mut Child,
        started: Instant,
        stopping: &mut Option<(Instant, ProgramError)>,
    ) {
        match stopping {
            Some((since, _)) if since.elapsed() > GRACE => self.send(child, Signal::KILL),
            Some(_) => {}
            None => {
                let Some(error) = self.reason_to_stop(started) else {
                    return;
                };
                *stopping = Some((Instant::now(), error));
                self.send(child, Signal::TERM);
            }
        }
    }

    /// Sends a signal to the group, or to the program alone where the group is ours.
    fn send(&self, child: &mut Child, signal: Signal) {
        let Some(pid) = pid_of(child) else { return };
        // What is already gone needs no signal.
        if !self.asking {
            let _ = kill_process_group(pid, signal);
        } else if matches!(child.try_wait(), Ok(None)) {
            let _ = kill_process(pid, signal);
        }
    }

    fn reason_to_stop(&self, started: Instant) -> Option<ProgramError> {
        if self.interrupt.received().is_some() {
            return Some(ProgramError::Interrupted);
        }
        let limit = self.time_limit.filter(|limit| started.elapsed() > *limit)?;
        Some(ProgramError::TimeLimit {
            program: self.name(),
            seconds: limit.as_secs(),
        })
    }

    fn taken(&self, output: &Gathering) -> Result<Vec<u8>, ProgramError> {
        let taken = output.take().map_err(|source| self.pipe(source))?;
        taken.ok_or_else(|| ProgramError::OutputLimit {
            program: self.name(),
            limit: self.output_limit,
        })
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn pipe(&self, source: io::Error) -> ProgramError {
        ProgramError::Pipe {
            program: self.name(),
            source,
        }
    }
}

/// The child's number, which is also that of a process group of its own.
fn pid_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// Waits until nobody of a stopped child's group is left, and kills whoever outlives the grace: what
/// the child started may ignore the polite signal, and must not go on writing behind our back.
fn end_group(child: &Child, since: Instant) {
    let Some(group) = pid_of(child) else { return };
    // Who ended and is never asked for by its parent stays in the group, and must not hold us up.
    while test_kill_process_group(group).is_ok() && since.elapsed() < GRACE + LAST_WAIT {
        if since.elapsed() > GRACE {
            let _ = kill_process_group(group, Signal::KILL);
        }
        thread::sleep(POLL);
    }
}

/// Ends what is left of the group of a child that ended. It has nothing more to do, and gets only a moment.
fn end_left(child: &Child) {
    let Some(group) = pid_of(child) else { return };
    let since = Instant::now();
    let _ = kill_process_group(group, Signal::TERM);
    while test_kill_process_group(group).is_ok() && since.elapsed() < PARTING {
        thread::sleep(PARTING / 10);
    }
    let _ = kill_process_group(group, Signal::KILL);
}

/// A word as a shell reads it back.
fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:@,+%#".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests;
