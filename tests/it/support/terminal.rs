//! A terminal: a program's controlling one, whose screen and settings a test sees.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

use super::cli::Lighter;

pub(crate) const ROWS: u16 = 24;

/// A terminal with a program on it.
pub(crate) struct Terminal {
    ours: File,
    child: Child,
    screen: Arc<(Mutex<Screen>, Condvar)>,
}

struct Screen {
    parser: vt100::Parser,
    /// Whatever stood on the screen at any time, a line each.
    seen: Vec<String>,
    ended: bool,
}

impl Terminal {
    /// Runs the program on a terminal of so many columns.
    pub(crate) fn run(lighter: &Lighter, columns: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&ours).expect("granted");
        unlockpt(&ours).expect("unlocked");
        let name = ptsname(&ours, Vec::new()).expect("a name");
        let theirs = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty());
        let theirs = theirs.expect("opened");
        tcsetwinsize(&theirs, size(columns)).expect("resized");
        let program = lighter.command(":");
        let mut command = Command::new("setsid");
        command
            .args(["--ctty", "--wait"])
            .arg(program.get_program())
            .args(program.get_args())
            .env_clear()
            .envs(
                program
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .env("TERM", "xterm-256color")
            .current_dir(program.get_current_dir().expect("given"));
        for stream in [Command::stdin, Command::stdout, Command::stderr] {
            stream(
                &mut command,
                Stdio::from(theirs.try_clone().expect("cloned")),
            );
        }
        let child = command.spawn().expect("setsid is there");
        // Once nobody on the other side has it open, reading ends.
        drop((command, theirs));
        let screen = Screen {
            parser: vt100::Parser::new(ROWS, columns, 1000),
            seen: Vec::new(),
            ended: false,
        };
        let screen = Arc::new((Mutex::new(screen), Condvar::new()));
        let ours = File::from(ours);
        let (mut reading, shared) = (ours.try_clone().expect("cloned"), Arc::clone(&screen));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal that nobody has open any more gives an error.
            while let Ok(count @ 1..) = reading.read(&mut buffer) {
                let mut screen = shared.0.lock().expect("no reader panicked");
                screen.take(&buffer[..count]);
                shared.1.notify_all();
            }
            shared.0.lock().expect("no reader panicked").ended = true;
            shared.1.notify_all();
        });
        Self {
            ours,
            child,
            screen,
        }
    }

    /// Its settings.
    pub(crate) fn settings(&self) -> Termios {
        tcgetattr(&self.ours).expect("a terminal")
    }

    /// Types.
    pub(crate) fn types(&mut self, text: &[u8]) {
        self.ours.write_all(text).expect("typed");
    }

    /// Makes it wider or narrower.
    pub(crate) fn resize(&self, columns: u16) {
        // Both at once: what is drawn for one width looks wild on another.
        let mut screen = self.screen.0.lock().expect("no reader panicked");
        tcsetwinsize(&self.ours, size(columns)).expect("resized");
        screen.parser.screen_mut().set_size(ROWS, columns);
        screen.seen.clear();
    }

    /// Waits until a line with `part` is seen.
    pub(crate) fn wait_for(&self, part: &str) {
        let screen = self.screen.0.lock().expect("no reader panicked");
        let missing = |screen: &mut Screen| !screen.has(part) && !screen.ended;
        let screen = self.screen.1.wait_while(screen, missing).expect("no panic");
        assert!(screen.has(part), "no `{part}` in:\n{}", screen.text());
    }

    /// Every line that was seen since the last change of size.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.screen
            .0
            .lock()
            .expect("no reader panicked")
            .seen
            .clone()
    }

    /// Waits for the end; gives the code, what stands on the screen then, and whether the cursor is seen.
    pub(crate) fn end(mut self) -> (i32, String, bool) {
        let status = self.child.wait().expect("it ends");
        let screen = self.screen.0.lock().expect("no reader panicked");
        let running = |screen: &mut Screen| !screen.ended;
        let screen = self.screen.1.wait_while(screen, running).expect("no panic");
        let text = screen.text();
        (
            status.code().unwrap_or(-1),
            text,
            !screen.parser.screen().hide_cursor(),
        )
    }
}

impl Screen {
    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        for line in self.text().lines() {
            if !self.seen.iter().any(|seen| seen == line) {
                self.seen.push(line.to_owned());
            }
        }
    }

    fn has(&self, part: &str) -> bool {
        self.seen.iter().any(|line| line.contains(part))
    }

    fn text(&self) -> String {
        let screen = self.parser.screen();
        let lines = screen.rows(0, screen.size().1);
        let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n").trim_end().to_owned()
    }
}

fn size(columns: u16) -> Winsize {
    Winsize {
        ws_row: ROWS,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}
