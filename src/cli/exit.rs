//! Exit codes: part of the contract with scripts.

use crate::process::Signal;

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: all well.
    Success,
    /// 1: a service, a destination or the machine failed.
    Failed,
    /// 2: the command line or the configuration makes no sense.
    Usage,
    /// 3: a check found a difference, or something is missing.
    Difference,
    /// 101: a compilation failed, as cargo says it.
    CompileFailed,
    /// 129: the terminal went away.
    HungUp,
    /// 130: stopped by Ctrl-C.
    Interrupted,
    /// 143: stopped by SIGTERM.
    Terminated,
}

impl Exit {
    /// The number a shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Difference => 3,
            Self::CompileFailed => 101,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Signal> for Exit {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Hangup => Self::HungUp,
            Signal::Interrupt => Self::Interrupted,
            Signal::Terminate => Self::Terminated,
        }
    }
}
