//! Being told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the process was told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// A polite end, as CI systems and `kill` send it.
    Terminate,
    /// The terminal is gone.
    Hangup,
}

/// Whether someone asked the run to stop. Steps look at it between pieces of work, so that temporary
/// files are removed by the ordinary way out.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    /// 0, or the number of the signal.
    received: Arc<AtomicUsize>,
}

const SIGINT: usize = 2;
const SIGTERM: usize = 15;
const SIGHUP: usize = 1;

impl Interrupt {
    /// One that only [`Interrupt::send`] raises.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that SIGINT, SIGTERM and, unless it is ignored, SIGHUP raise; a second SIGINT ends the process at once with 130.
    ///
    /// # Errors
    /// When the operating system refuses the handlers.
    pub fn of_process() -> std::io::Result<Self> {
        use signal_hook::{consts, flag};
        let interrupt = Self::new();
        let again = Arc::new(std::sync::atomic::AtomicBool::new(false));
        flag::register_conditional_shutdown(consts::SIGINT, 130, Arc::clone(&again))?;
        flag::register(consts::SIGINT, again)?;
        flag::register_usize(consts::SIGINT, Arc::clone(&interrupt.received), SIGINT)?;
        flag::register_usize(consts::SIGTERM, Arc::clone(&interrupt.received), SIGTERM)?;
        // Whoever started us by `nohup` wants us to go on without a terminal.
        if !is_ignored(SIGHUP) {
            flag::register_usize(consts::SIGHUP, Arc::clone(&interrupt.received), SIGHUP)?;
        }
        Ok(interrupt)
    }

    /// Raises it.
    pub fn send(&self, signal: Signal) {
        let number = match signal {
            Signal::Interrupt => SIGINT,
            Signal::Terminate => SIGTERM,
            Signal::Hangup => SIGHUP,
        };
        self.received.store(number, Ordering::SeqCst);
    }

    /// What was received, if anything.
    pub fn received(&self) -> Option<Signal> {
        match self.received.load(Ordering::SeqCst) {
            0 => None,
            SIGTERM => Some(Signal::Terminate),
            SIGHUP => Some(Signal::Hangup),
            _ => Some(Signal::Interrupt),
        }
    }
}

/// Whether this process was started with a signal ignored, where the system tells (proc(5), `SigIgn`).
fn is_ignored(signal: usize) -> bool {
    let status = fs_err::read_to_string("/proc/self/status");
    status.is_ok_and(|status| ignores(&status, signal))
}

fn ignores(status: &str, signal: usize) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_ignored_if_its_bit_is_set() {
        let status = "Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n";
        assert!(ignores(status, SIGHUP));
        assert!(!ignores(status, SIGINT) && !ignores(status, SIGTERM));
        assert!(!ignores("SigIgn:\tno number\n", SIGHUP) && !ignores("", SIGHUP));
    }
}
