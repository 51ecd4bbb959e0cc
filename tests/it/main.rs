//! All integration tests in one binary, so that it is linked once.

mod support;

mod credentials;
mod failures;
mod features;
mod layouts;
mod main_job;
mod output;
mod podman;
mod reproducible;
mod second_push;
