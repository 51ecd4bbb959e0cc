//! Pushes to a registry that does what registries do: a table of scenarios by id, each with its faults
//! as data and the outcome that is expected.

mod access;
mod bad_input;
mod early;
mod floods;
mod http2;
mod leaks;
mod lies;
mod manifests;
mod peers;
mod program;
mod requests;
mod retries;
mod scenario;
mod soak;
mod stage;
mod table;
mod told;
mod uploads;
