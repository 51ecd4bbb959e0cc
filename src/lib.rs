//! Ships the microservices of a Cargo workspace as minimal, reproducible OCI images.
pub mod cargo;
pub mod config;
pub mod digest;
pub mod fs;
pub mod hint;
pub mod image;
pub mod layer;
pub mod medium;
pub mod oci;
pub mod process;
pub mod reference;
pub mod registry;
pub mod report;
pub mod runtime;
pub mod since;
pub mod store;
pub mod workspace;
