//! All integration tests in one binary, so that it is linked once.

#[path = "../support/mod.rs"]
mod fault_registry;
mod support;

mod adopt;
mod affected;
mod auth;
mod bad_arguments;
mod bad_assets;
mod bad_compile;
mod bad_config;
mod bad_disk;
mod bad_interrupt;
mod bad_registry;
mod bad_workspace;
mod binaries;
mod blind;
mod credentials;
mod discovery;
mod failures;
mod features;
mod files;
mod keys;
mod keys_meaning;
mod layouts;
mod linkage;
mod main_job;
mod no_base;
mod output;
mod podman;
mod readme;
mod registry_faults;
mod reproducible;
mod retag;
mod rustflags;
mod second_push;
mod selection;
mod sizes;
mod split;
mod split_dockerfile;
mod split_exits;
mod staging;
mod tls;
mod toolchain;
mod untracked;
