//! The client of OCI registries: the only asynchronous room, behind a blocking face.
//!
//! [`Registry`] is what the rooms below use. Inside, every public call is one `Call`, which sends
//! `Request`s: it finds the permit (credentials, tokens), repeats what is worth repeating
//! (`retry`), and counts. The endpoints follow the OCI distribution specification, "Endpoints".
//!
//! Reading is `pull`: first as nobody, so that no helper runs for what everybody may read.
//!
//! An image's way is `image`, a blob's way in it `blob`, which carries out what `course` decides. All
//! waits are those of `patience`, by the run's clock.
//!
//! Three rules keep credentials safe, each in one place: they are found by the exact host only
//! (`keychain`), go only to the origin they belong to (`call`), and a token service or an
//! upload address named by the registry is judged before anything is sent to it (`challenge`,
//! `location`; what its name resolves to, `resolver`).

mod access;
mod address;
mod advice;
mod authorize;
mod blob;
mod budget;
mod call;
mod certificates;
mod challenge;
mod clients;
mod content;
mod core;
mod course;
mod credential;
mod docker_config;
mod endpoint;
mod engine;
mod error;
mod exposed_file;
mod face;
mod failure;
#[doc(hidden)]
pub mod foreign;
mod image;
mod keychain;
mod known;
mod limit;
mod location;
mod login;
mod manifest;
mod members;
mod notes;
mod opening;
mod options;
mod patience;
mod preflight;
mod private_file;
mod program;
mod pull;
mod ready;
mod recent;
mod redaction;
mod redirect;
mod reply;
mod request;
mod resolver;
mod retry;
mod secret;
mod server_key;
mod server_words;
mod session;
mod sessions;
mod sink;
mod token;
mod token_service;
mod transport;
mod trust;
mod upload;
mod vendor;
mod view;
mod vouched;
mod warnings;

#[cfg(test)]
mod tests;

pub use credential::{Credential, CredentialError, CredentialSource};
pub use error::{Attempt, ProxyTrouble, RegistryError, User};
pub use exposed_file::ExposedFile;
pub use face::Registry;
pub use image::{ImageOutcome, ImagePush};
pub use keychain::{credential_helpers, credential_source, exposed_files};
pub use login::{Logout, login, logout};
pub use manifest::{ManifestFound, ManifestOutcome, ManifestRead, ManifestReference};
pub use options::{Limits, Listener, Options};
pub use pull::ManifestPull;
pub use secret::Secret;
