//! Running the program, inside this process or as one of its own.

use std::ffi::OsString;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use cargo_lighter::cli;
use cargo_lighter::process::{Environment, Interrupt};
use cargo_lighter::report::Clock;
use cargo_lighter::ui::Streams;

/// What a run said and how it ended.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Run {
    fn of(command: &mut Command) -> Self {
        Self::from(&command.output().expect("the program starts"))
    }

    fn from(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The run, which must have ended with `code`.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// The run, whose standard error must have all of `parts`.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "no `{part}` in:\n{}",
                self.stderr
            );
        }
        self
    }

    /// Lines of standard output.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }
}

/// A run of the program to be.
#[derive(Debug, Clone)]
pub(crate) struct Lighter {
    directory: PathBuf,
    arguments: Vec<OsString>,
    environment: Environment,
    stdin: Vec<u8>,
    interrupt: Interrupt,
}

impl Lighter {
    /// A run in `directory`, with an empty home and nothing of this process's environment but what
    /// cargo needs.
    pub(crate) fn at(directory: impl AsRef<Path>) -> Self {
        let kept = ["PATH", "CARGO_HOME", "RUSTUP_HOME"];
        let mut variables: Vec<(OsString, OsString)> = kept
            .iter()
            .filter_map(|name| Some(((*name).into(), std::env::var_os(name)?)))
            .collect();
        let home = std::env::var_os("HOME")
            .map(PathBuf::from)
            .unwrap_or_default();
        // An empty home must not hide the toolchain and the downloaded crates.
        for (name, place) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            if std::env::var_os(name).is_none() && home.join(place).is_dir() {
                variables.push((name.into(), home.join(place).into()));
            }
        }
        variables.push(("HOME".into(), "/nonexistent".into()));
        variables.push(("XDG_RUNTIME_DIR".into(), "/nonexistent".into()));
        let directory = directory.as_ref().to_owned();
        Self {
            environment: Environment::new(&directory, variables),
            directory,
            arguments: Vec::new(),
            stdin: Vec::new(),
            interrupt: Interrupt::new(),
        }
    }

    /// With further arguments.
    pub(crate) fn args<A: Into<OsString>>(
        mut self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// With a variable set.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment = self.environment.with(name, value);
        self
    }

    /// With a directory in front of all others in which programs are looked for.
    pub(crate) fn first_on_path(self, directory: &Path) -> Self {
        let others = self.environment.os("PATH").unwrap_or_default();
        let mut path = directory.as_os_str().to_owned();
        path.push(":");
        path.push(others);
        self.env("PATH", path)
    }

    /// With something on standard input.
    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = text.as_bytes().to_vec();
        self
    }

    /// To be stopped by `interrupt`.
    pub(crate) fn interrupted_by(mut self, interrupt: &Interrupt) -> Self {
        self.interrupt = interrupt.clone();
        self
    }

    /// Runs inside this process.
    pub(crate) fn run(self) -> Run {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let streams = Streams {
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(stderr.clone()),
            stdin: Box::new(Cursor::new(self.stdin)),
            stdout_is_terminal: false,
            stderr_is_terminal: false,
        };
        let arguments = std::iter::once(OsString::from("cargo-lighter")).chain(self.arguments);
        let exit = cli::run(
            arguments,
            self.environment,
            Clock::monotonic(),
            &self.interrupt,
            streams,
        );
        Run {
            code: i32::from(exit.code()),
            stdout: stdout.text(),
            stderr: stderr.text(),
        }
    }

    /// The same as a process of its own, started by `sh` after `setup` (such as `umask 077`).
    pub(crate) fn command(&self, setup: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("{setup}; exec \"$0\" \"$@\""))
            .arg(env!("CARGO_BIN_EXE_cargo-lighter"))
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.variables())
            .current_dir(&self.directory);
        command
    }

    /// Runs as a process of its own, after `setup` in its shell.
    pub(crate) fn run_process(&self, setup: &str) -> Run {
        Run::of(&mut self.command(setup))
    }

    /// Runs as a process of its own on a terminal of its own, on which `typed` is typed. All output
    /// goes to the terminal.
    pub(crate) fn run_on_terminal(&self, typed: &str) -> Run {
        Self::on_terminal(
            &self.command(":"),
            &self.environment,
            &self.directory,
            typed,
        )
    }

    fn on_terminal(command: &Command, environment: &Environment, at: &Path, typed: &str) -> Run {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let line: Vec<String> = words
            .map(|word| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''")))
            .collect();
        let mut terminal = Command::new("script");
        terminal
            .args(["-q", "-e", "-c", &line.join(" "), "/dev/null"])
            .env_clear()
            .envs(environment.variables())
            .current_dir(at)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = terminal.spawn().expect("script is there");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(typed.as_bytes()).expect("typed");
        // Its end would be typed, too.
        let output = child.wait_with_output().expect("it ends");
        drop(stdin);
        Run::from(&output)
    }

    /// Runs as a process of its own on a terminal that is so many columns wide.
    pub(crate) fn run_on_terminal_of(&self, columns: usize) -> Run {
        let command = self.command(&format!("stty rows 40 cols {columns}"));
        Self::on_terminal(&command, &self.environment, &self.directory, "")
    }

    /// Runs another program in the same world.
    pub(crate) fn run_program(&self, program: &str) -> Run {
        let path = self.environment.find_program(program);
        Run::of(
            Command::new(path.expect("the program is there"))
                .args(&self.arguments)
                .env_clear()
                .envs(self.environment.variables())
                .current_dir(&self.directory),
        )
    }
}

/// A stream that a test reads afterwards.
#[derive(Debug, Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no writer panicked")).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("no writer panicked")
            .extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
