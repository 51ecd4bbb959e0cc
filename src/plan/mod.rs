//! What will be done, as data, before anything is: pure, printable, and what `build` then does.

mod deployable;
mod details;
mod error;
mod facts;
mod github;
mod gitlab;
mod json;
mod make;
mod markdown;
mod row;
mod service;
mod target;
mod text;

pub use deployable::deployable;
pub use details::{Details, InputRow, KeyRow};
pub use error::PlanError;
pub use facts::without_credentials;
pub use github::{MatrixError, github_matrix, github_output};
pub use gitlab::gitlab_pipeline;
pub use make::{Images, Plan, Request, make};
pub use markdown::{Comment, markdown};
pub use row::Row;
pub use service::{PlannedService, TagValues};
pub use target::TargetChoice;
use target::choose_target;
