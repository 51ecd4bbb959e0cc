//! Services that run: started, asked, stopped.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::tools::run;

/// Far more than any answer takes, so that a test ends even where a service hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running HTTP service; killed with the value unless it was stopped.
#[derive(Debug)]
pub(crate) struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Serving {
    /// Starts a service of the shop on a free port of the loopback, and waits until it listens.
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("readable");
        let address = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("it says `{line}`"));
        Self {
            address: address.to_owned(),
            child,
            stdout,
        }
    }

    /// The answer to `GET path`: status line, headers and body.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM to the process, waits for its end, and gives what else it printed and its exit
    /// code.
    #[track_caller]
    pub(crate) fn stop(self) -> (String, Option<i32>) {
        let id = i32::try_from(self.child.id()).expect("small");
        kill_process(Pid::from_raw(id).expect("no zero"), Signal::TERM).expect("it runs");
        self.end()
    }

    /// As [`Serving::stop`] where the process is an engine's client: the engine sends the signal, since
    /// its client hands on only those that come after it has seen the container start, which may be
    /// later than the service listens.
    #[track_caller]
    pub(crate) fn stop_by(self, engine: &mut Command) -> (String, Option<i32>) {
        run(engine);
        self.end()
    }

    fn end(mut self) -> (String, Option<i32>) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("readable");
        (rest, self.child.wait().expect("it ends").code())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
