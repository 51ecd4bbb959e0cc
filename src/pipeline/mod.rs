//! The order of things: from a plan to delivered images.
//!
//! [`run`] is a list of function calls. Compilations follow one another, because cargo locks its
//! target directory; assembling and delivering go on beside them. One service's failure never hides
//! what was delivered of others.

mod affected;
mod assemble;
mod barrier;
mod check;
mod deliver;
mod dockerfile;
mod error;
mod ingredients;
mod keys;
mod laid;
mod ledger;
mod names;
mod parallel;
mod permits;
mod reuse;
mod run;
mod session;
mod shared_layers;
mod splits;
mod stack;
mod standing;
mod verify;

pub use affected::{Affected, Comparing, PlanAt, State, affected};
pub use check::{Checked, check, needs_glibc};
pub use dockerfile::{DockerfileError, add_dockerfiles};
pub use error::PipelineError;
pub use keys::keys;
pub use laid::wants_time;
pub use names::image_names;
pub use reuse::Reuse;
pub use run::{Outcome, run};
pub use session::{Options, Session};
pub use splits::{cache_directory, splits};
pub use verify::{Difference, VerifyError, verify};
