//! The course of a blob on its way into a registry: what follows each step's outcome, and nothing
//! else. It is a function without a network, so that every path can be tested.
//!
//! ```text
//! Look ── Mount ── Open ── Put ── Confirm ── End
//!   ▴                       │        │
//!   └────────── Again ◂─────┴────────┘
//! ```
//!
//! A registry's word is not taken: whatever it answers to an upload, the blob is looked for afterwards. For
//! a blob of an image that is after the manifest was taken, as a course of its own: only then it shows whether
//! blobs stay. What ended without an answer, or in a session that is gone, may have worked, so that the blob is
//! looked for before a new session begins.

use crate::registry::access::known::How;

/// Sessions that are begun for one blob at most.
const MAX_UPLOADS: u32 = 5;
/// Uploads in which nothing is heard; each takes minutes.
const MAX_SILENCES: u32 = 2;
/// Looks for what was acknowledged until it is taken for not stored: the parts of a large registry do not
/// know everything at the same time.
pub(in crate::registry) const MAX_CONFIRMATIONS: u32 = 3;
/// Uploads that a registry acknowledged and did not store.
const MAX_LOSSES: u32 = 3;

/// What is known of a blob before it is brought into a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Foreknowledge {
    /// Nothing: it is looked for first.
    Nothing,
    /// A look just now did not find it.
    NotFound,
    /// The registry lost it, whatever it says: it is sent without a look, and not taken over.
    Lost,
    /// The registry took it, by its own account.
    Acknowledged(How),
}

/// What is done next about a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Step {
    /// Ask whether it is there.
    Look,
    /// Ask the registry to take it over from another of its repositories.
    Mount,
    /// Open an upload.
    Open,
    /// Send it into the session that is open.
    Put,
    /// Ask whether it arrived.
    Confirm,
    /// Ask whether an upload that ended badly worked all the same.
    Again,
    /// Nothing more.
    End(End),
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum End {
    /// It was there.
    Existed,
    /// It was taken over.
    Mounted,
    /// It was sent.
    Uploaded,
    /// What the last step answered is the error.
    Failed,
    /// The registry acknowledges it and does not have it.
    NotStored,
}

/// How content is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Shape {
    /// One PUT with everything.
    Whole,
    /// One PATCH with everything, then an empty PUT.
    Patch,
    /// One PATCH for each piece of so many bytes, then an empty PUT. It is broken in more registries
    /// than not, and thus only used where nothing else passes.
    Pieces(u64),
}

/// Larger pieces first: each is a request. Some registries take no larger ones.
const LARGE_PIECES: u64 = 4 * 1024 * 1024;
/// What a proxy lets through unless it is told otherwise.
const SMALL_PIECES: u64 = 1024 * 1024;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Outcome {
    /// The blob is there.
    Present,
    /// It is not.
    Absent,
    /// Nobody knows.
    Unclear,
    /// It was taken over.
    Mounted,
    /// A session is open.
    Opened,
    /// The registry does not take it over.
    Declined,
    /// It does not know yet what it would take over, perhaps.
    NotYet,
    /// Any success.
    Taken,
    /// The session is unknown, or does not go on where we are.
    SessionGone,
    /// Content is not taken in this shape.
    ShapeRefused,
    /// The request is too large for the registry, or for somebody before it.
    TooLarge,
    /// No answer in time.
    Silent,
    /// A broken connection, or an answer that is none for long.
    Passing,
    /// An answer that another attempt would not change, or an error of ours.
    Refused,
}

/// Where a blob stands, with what was learned on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) struct Course {
    /// What to do now.
    pub(in crate::registry) step: Step,
    /// How to send it.
    pub(in crate::registry) shape: Shape,
    /// How many pauses to make before, counted from 1, each longer than the one before; 0 is none.
    pub(in crate::registry) pause: u32,
    /// What is tried next if the blob is not there yet, before an upload is opened.
    untried: Option<Step>,
    confirms: bool,
    /// Whether a mount is asked for once more where the registry may not know its source yet.
    pub(in crate::registry) mounts_again: bool,
    mounted: bool,
    uploads: u32,
    silences: u32,
    confirmations: u32,
    losses: u32,
}

impl Course {
    /// The beginning: a look, unless nothing new would come of it; then a mount, if it `mounts`; and in the
    /// end a confirmation, if it `confirms`. What was acknowledged begins with that.
    pub(in crate::registry) fn new(
        foreknowledge: Foreknowledge,
        mounts: bool,
        confirms: bool,
    ) -> Self {
        use Foreknowledge::{Acknowledged, Lost, NotFound, Nothing};
        let (step, untried) = match (foreknowledge, mounts) {
            (Nothing, true) => (Step::Look, Some(Step::Mount)),
            (Nothing, false) => (Step::Look, None),
            (NotFound, true) => (Step::Mount, None),
            (NotFound, false) | (Lost, _) => (Step::Open, None),
            (Acknowledged(_), _) => (Step::Confirm, None),
        };
        Self {
            step,
            untried,
            shape: Shape::Whole,
            pause: 0,
            confirms: confirms || matches!(foreknowledge, Acknowledged(_)),
            mounts_again: true,
            mounted: foreknowledge == Acknowledged(How::Mounted),
            uploads: u32::from(foreknowledge == Acknowledged(How::Uploaded)),
            silences: 0,
            confirmations: 0,
            losses: 0,
        }
    }

    /// What follows when the step ended so. An outcome that the step cannot have is a failure.
    pub(in crate::registry) fn after(self, outcome: Outcome) -> Self {
        let next = Self { pause: 0, ..self };
        match (self.step, outcome) {
            (Step::Look, Outcome::Present) => next.end(End::Existed),
            (Step::Mount, Outcome::NotYet) if self.mounts_again => Self {
                mounts_again: false,
                pause: 1,
                ..next
            },
            (Step::Look, Outcome::Absent | Outcome::Unclear)
            | (Step::Mount, Outcome::Declined | Outcome::NotYet) => Self {
                untried: None,
                ..next
            }
            .to(self.untried.unwrap_or(Step::Open)),
            (Step::Again, Outcome::Absent | Outcome::Unclear) => next.to(Step::Open),
            (Step::Mount, Outcome::Mounted) => Self {
                mounted: true,
                ..next
            }
            .taken(),
            (Step::Mount | Step::Open, Outcome::Opened) => Self {
                uploads: self.uploads + 1,
                mounted: false,
                ..next
            }
            .to(Step::Put),
            (Step::Put, Outcome::Taken) => next.taken(),
            (Step::Put, outcome) => next.after_bad_put(outcome),
            (Step::Again, Outcome::Present) => next.end(End::Uploaded),
            // Where nobody may look, the registry's word is all there is.
            (Step::Confirm, Outcome::Present | Outcome::Unclear) => next.arrived(),
            (Step::Confirm, Outcome::Absent) => next.not_confirmed(),
            _ => next.end(End::Failed),
        }
    }

    fn after_bad_put(self, outcome: Outcome) -> Self {
        match outcome {
            Outcome::SessionGone | Outcome::Passing => self.once_more(),
            Outcome::Silent => Self {
                silences: self.silences + 1,
                ..self
            }
            .once_more(),
            Outcome::ShapeRefused if self.shape == Shape::Whole => Self {
                shape: Shape::Patch,
                ..self
            }
            .to(Step::Open),
            Outcome::TooLarge => {
                let shape = match self.shape {
                    Shape::Whole | Shape::Patch => Shape::Pieces(LARGE_PIECES),
                    Shape::Pieces(LARGE_PIECES) => Shape::Pieces(SMALL_PIECES),
                    Shape::Pieces(_) => return self.end(End::Failed),
                };
                Self { shape, ..self }.to(Step::Open)
            }
            _ => self.end(End::Failed),
        }
    }

    /// Another session after a pause, if there may be one, and if the last one did not work.
    fn once_more(self) -> Self {
        if self.uploads >= MAX_UPLOADS || self.silences >= MAX_SILENCES {
            return self.end(End::Failed);
        }
        Self {
            pause: self.uploads,
            ..self
        }
        .to(Step::Again)
    }

    fn taken(self) -> Self {
        if self.confirms {
            Self {
                confirmations: 0,
                ..self
            }
            .to(Step::Confirm)
        } else {
            self.arrived()
        }
    }

    fn not_confirmed(self) -> Self {
        let confirmations = self.confirmations + 1;
        if confirmations < MAX_CONFIRMATIONS {
            return Self {
                confirmations,
                pause: confirmations,
                ..self
            };
        }
        if self.mounted {
            return Self {
                mounted: false,
                ..self
            }
            .to(Step::Open);
        }
        let losses = self.losses + 1;
        if losses >= MAX_LOSSES || self.uploads >= MAX_UPLOADS {
            return self.end(End::NotStored);
        }
        Self { losses, ..self }.to(Step::Open)
    }

    fn arrived(self) -> Self {
        let end = if self.mounted {
            End::Mounted
        } else {
            End::Uploaded
        };
        self.end(end)
    }

    fn to(self, step: Step) -> Self {
        Self { step, ..self }
    }

    fn end(self, end: End) -> Self {
        self.to(Step::End(end))
    }
}

#[cfg(test)]
mod tests;
