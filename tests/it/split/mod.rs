//! Splits of tiny workspaces, each odd in one way.
//!
//! Every case is split, moved out of the repository and shown to cargo there: it must take the lock as it
//! is, without a network, and resolve the service's package to the same packages and features as in the
//! original workspace. Some are also built and run; with `LIGHTER_TEST_LONG=1` all are.
//!
//! Two mistakes that other tools made cannot be made here, and have no case: stubs in place of sources
//! that fail lints or hide changes (a split has real sources only), and a layer of dependencies that
//! silently does nothing (a split has one layer, and every failure is an error).

mod bad_input;
mod files;
mod links;
mod manifests;
mod observed;
mod patches;
mod random;
mod resolution;
mod roots;
mod sources;
mod world;
mod writing;
