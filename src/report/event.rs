//! Events: everything a run tells while it works.

use super::{DeliverySummary, Meter, ServiceSummary, Summary};

/// The steps every service goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// cargo compiles the executable.
    Compile,
    /// Layers and manifest are made.
    Assemble,
    /// The image goes to one destination.
    Deliver,
}

/// Something that happened. Texts are for people, without line ends; foreign parts were made
/// printable by whoever reports them.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Services are about to be compiled, assembled and delivered.
    Begun {
        /// Images that will be delivered: one for each service and destination.
        images: usize,
    },
    /// A step of a service begins.
    Started {
        /// The service's name.
        service: String,
        /// Which step.
        step: Step,
        /// What it works on: a command, an image's name, a destination.
        detail: String,
    },
    /// A step of a service ended well.
    Finished {
        /// The service's name.
        service: String,
        /// Which step.
        step: Step,
        /// What came of it.
        detail: String,
        /// How long it took.
        seconds: f64,
        /// How many bytes it made or moved.
        bytes: Option<u64>,
    },
    /// A crate that a service needs was compiled, or needed no compiling.
    Compiled {
        /// The service's name.
        service: String,
        /// The crate's name.
        name: String,
    },
    /// Bytes of a service's image begin to move to a destination. Who listens may look at the meter until
    /// the step has ended.
    Moving {
        /// The service's name.
        service: String,
        /// How far they got.
        meter: Meter,
    },
    /// An image begins to be read from where it is.
    Reading {
        /// The image as the user named it.
        image: String,
        /// How far its bytes got.
        meter: Meter,
    },
    /// No image is being read any more.
    Read,
    /// A service failed; the run may go on with others.
    Failed {
        /// The service's name.
        service: String,
        /// Which step.
        step: Step,
        /// The error with its causes, one a line.
        error: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// A destination takes no image of the run: found before anything was built, or where all go in one
    /// piece.
    Refused {
        /// The destination as the user wrote it.
        destination: String,
        /// The error with its causes, one a line.
        error: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// A line of the compiler or of cargo, to be shown as it is (with its colours).
    Compiler(String),
    /// A shared step that belongs to no service: a cargo-style verb and what it works on.
    Status {
        /// One word, such as `Locking`.
        verb: &'static str,
        /// What it works on.
        subject: String,
    },
    /// Something the user should know, though all goes on.
    Warning(String),
    /// Detail for `-v`.
    Verbose(String),
    /// An image arrived at a destination under its tags, or some of them: data for standard output.
    Delivered {
        /// The service.
        service: String,
        /// Where and how.
        delivery: DeliverySummary,
    },
    /// All about one service, once it is done.
    Service(ServiceSummary),
    /// The end of the run.
    Summary(Summary),
}
