//! What every step of a run shares.

use std::num::NonZeroUsize;

use crate::process::{Environment, Interrupt};
use crate::report::{Clock, Reporter};

/// The world a run happens in.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// Variables and directory.
    pub environment: &'a Environment,
    /// Whether someone said stop.
    pub interrupt: &'a Interrupt,
    /// Who hears of it.
    pub reporter: &'a dyn Reporter,
    /// For the seconds in reports.
    pub clock: &'a Clock,
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Session")
            .field("clock", self.clock)
            .finish_non_exhaustive()
    }
}

/// How a run goes about its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Go on with other services after one failed.
    pub keep_going: bool,
    /// Threads for compression, and services assembled at once.
    pub threads: NonZeroUsize,
}

/// Images that are on their way at once, however few processors there are: destinations let us wait.
const CONVERSATIONS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

impl Options {
    /// How many images may be looked for, stored or tagged at once.
    pub(super) fn conversations(&self) -> NonZeroUsize {
        self.threads.max(CONVERSATIONS)
    }
}
