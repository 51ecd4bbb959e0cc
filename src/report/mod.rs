//! What a run has to say: events while it works, a summary at its end.
//!
//! The rooms below report events and never print; the `ui` room decides how an event looks.

mod clock;
mod event;
mod meter;
mod reporter;
mod summary;
mod text;

pub use clock::{Clock, Stopwatch};
pub use event::{Event, Step};
pub use meter::{Attempt, Meter};
pub use reporter::{Recording, Reporter};
pub use summary::{
    DeliveryStatus, DeliverySummary, ImageSummary, LibrarySummary, SCHEMA_VERSION, Seconds,
    ServiceStatus, ServiceSummary, Summary,
};
pub use text::{printable, printable_lines, size, with_causes};
