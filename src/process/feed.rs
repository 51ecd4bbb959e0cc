//! A child's standard input, written while the child runs.

use std::io::{self, Write};
use std::process::ChildStdin;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// How long one look at a full pipe lasts.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};

/// A pipe that never waits for longer than its reader is waited for. The reader may have handed it to
/// somebody who neither reads nor ends.
#[derive(Debug)]
pub struct Feed<'a> {
    pipe: ChildStdin,
    over: &'a AtomicBool,
}

impl<'a> Feed<'a> {
    pub(super) fn new(pipe: ChildStdin, over: &'a AtomicBool) -> io::Result<Self> {
        let flags = fcntl_getfl(&pipe)?;
        fcntl_setfl(&pipe, flags | OFlags::NONBLOCK)?;
        Ok(Self { pipe, over })
    }
}

impl Write for Feed<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        loop {
            if self.over.load(Ordering::SeqCst) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            match self.pipe.write(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut room = [PollFd::new(&self.pipe, PollFlags::OUT)];
                    // Whatever it says, the next attempt to write shows how things are.
                    let _ = poll(&mut room, Some(&LOOK));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pipe.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::process::{Environment, Interrupt, Program, ProgramError, Signal};

    fn shell(script: &str) -> Program {
        let environment = Environment::new("/", [("PATH".into(), "/usr/bin:/bin".into())]);
        Program::new("sh", &environment).arg("-c").arg(script)
    }

    fn endless(feed: &mut Feed<'_>) -> io::Result<()> {
        loop {
            feed.write_all(&[b'x'; 4096])?;
        }
    }

    #[test]
    fn more_than_a_pipe_holds_arrives_whole() {
        let (captured, written) = shell("wc -c")
            .feed(|feed| feed.write_all(&vec![b'x'; 3_000_000]))
            .expect("ran");
        written.expect("written");
        assert_eq!(captured.stdout, b"3000000\n");
    }

    #[test]
    fn a_program_that_does_not_read_ends_the_writing() {
        let (captured, written) = shell("exit 7").feed(endless).expect("ran");
        assert_eq!(captured.status.code(), Some(7));
        let error = written.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn an_interrupt_and_a_time_limit_end_a_program_that_hangs() {
        let interrupt = Interrupt::new();
        let program = shell("exec sleep 600").interrupted_by(&interrupt);
        let stopped = program.feed(|feed| {
            interrupt.send(Signal::Interrupt);
            endless(feed)
        });
        assert!(matches!(stopped, Err(ProgramError::Interrupted)));
        let stopped = shell("exec sleep 600")
            .time_limit(Duration::from_millis(50))
            .feed(endless);
        assert!(matches!(stopped, Err(ProgramError::TimeLimit { .. })));
    }

    #[test]
    fn whoever_inherited_the_input_and_never_reads_holds_nobody_up() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let fifo = directory.path().join("held");
        let fifo_made = shell(&format!("mkfifo '{}'", fifo.display())).capture(b"");
        assert!(fifo_made.expect("ran").status.success());
        // The one left behind holds this very pipe as its descriptor 3.
        let held = format!(
            "exec 3<&0; setsid sh -c 'read line < \"{}\"' >/dev/null 2>&1 & echo answer",
            fifo.display()
        );
        let (captured, written) = shell(&held).feed(endless).expect("ran");
        assert_eq!(captured.stdout, b"answer\n");
        assert!(written.is_err());
        fs_err::write(&fifo, "\n").expect("written");
    }
}
