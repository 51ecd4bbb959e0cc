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

    /// One that SIGINT, SIGTERM and SIGHUP raise; a second SIGINT ends the process at once with 130.
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
        flag::register_usize(consts::SIGHUP, Arc::clone(&interrupt.received), SIGHUP)?;
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
