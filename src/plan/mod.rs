//! What will be done, as data, before anything is: pure, printable, and what `build` then does.

mod error;
mod facts;
mod json;
mod make;
mod service;
mod target;
mod text;

pub use error::PlanError;
pub use make::{Plan, Request, make};
pub use service::{PlannedService, TagValues};
pub use target::{TargetChoice, choose_target};
