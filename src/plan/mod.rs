//! What will be done, as data, before anything is: pure, printable, and what `build` then does.

mod deployable;
mod error;
mod facts;
mod json;
mod make;
mod service;
mod target;
mod text;

pub use deployable::deployable;
pub use error::PlanError;
pub use make::{Images, Plan, Request, make};
pub use service::{PlannedService, TagValues};
pub use target::TargetChoice;
use target::choose_target;
