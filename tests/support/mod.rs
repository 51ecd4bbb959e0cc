//! A registry in this process that keeps strictly to the OCI distribution specification 1.1 where no
//! fault is written down, and does as the fault says where one is. It has a second origin beside it,
//! keeps a log of every request to both, and takes its time from the test.
//!
//! It knows nothing of the crate that it tests.

mod answer;
mod blobs;
mod chance;
mod contents;
mod echo;
mod exchange;
mod fault;
mod guard;
mod manifests;
mod registry;
mod route;
mod service;
mod wire;

pub(crate) use answer::Answer;
pub(crate) use echo::Echo;
pub(crate) use exchange::{Exchange, Origin};
pub(crate) use fault::{Act, Change, Fault, Flood, on};
pub(crate) use guard::{Anonymous, Guard, Scopes};
pub(crate) use registry::{FaultRegistry, Settings};
