//! All integration tests in one binary, so that it is linked once.

mod support;

mod credentials;
mod features;
mod main_job;
mod podman;
mod reproducible;
mod second_push;
