//! The terminal as bars are drawn on it.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};

/// Draws a second. More would flicker, and slow terminals down.
const DRAWS: u8 = 15;

/// A terminal on which a line ends where its text does. indicatif fills each line with spaces up to the edge, and
/// trusts the terminal to go on in the next. The cursor then waits at the edge of the last line, where the `^C`
/// of whoever interrupts a run makes it jump down, and what is cleared afterwards are the wrong lines.
#[derive(Debug)]
pub(super) struct Screen<T> {
    terminal: T,
    /// Whether a line is complete, and another one would begin below it.
    complete: Mutex<bool>,
}

/// Standard error, for bars.
pub(super) fn standard_error() -> ProgressDrawTarget {
    Screen::target(Term::buffered_stderr())
}

/// The columns of the terminal that standard error is.
pub(super) fn width() -> Option<usize> {
    let (_rows, columns) = Term::stderr().size_checked()?;
    Some(usize::from(columns))
}

impl<T: TermLike + 'static> Screen<T> {
    /// A place to draw on this terminal.
    pub(super) fn target(terminal: T) -> ProgressDrawTarget {
        let screen = Self {
            terminal,
            complete: Mutex::default(),
        };
        ProgressDrawTarget::term_like_with_hz(Box::new(screen), DRAWS)
    }
}

impl<T> Screen<T> {
    fn complete(&self) -> MutexGuard<'_, bool> {
        self.complete.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The terminal, on which something else is done than to go on with lines.
    fn elsewhere(&self) -> &T {
        *self.complete() = false;
        &self.terminal
    }
}

impl<T: TermLike> TermLike for Screen<T> {
    /// One column less than there is: behind a line that reaches the edge the cursor waits there, too.
    fn width(&self) -> u16 {
        self.terminal.width().saturating_sub(1).max(1)
    }

    fn height(&self) -> u16 {
        self.terminal.height()
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.elsewhere().move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.elsewhere().move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.elsewhere().move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.elsewhere().move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.elsewhere().write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let mut complete = self.complete();
        if text.chars().all(|character| character == ' ') {
            *complete = true;
            return Ok(());
        }
        if std::mem::take(&mut *complete) {
            self.terminal.write_str("\r\n")?;
        }
        self.terminal.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.elsewhere().clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.terminal.flush()
    }
}
