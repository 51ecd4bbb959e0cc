//! Where credentials are kept: docker's and podman's files, helpers, and the environment.

pub(super) mod docker_config;
pub(super) mod exposed_file;
pub(super) mod keychain;
pub(super) mod members;
pub(super) mod private_file;
pub(super) mod program;
