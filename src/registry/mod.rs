//! The client of OCI registries: the only asynchronous room, behind a blocking face.
//!
//! [`Registry`] is what the rooms below use. Inside, every public call is one `Call`, which sends
//! `Request`s: it finds the permit (credentials, tokens), repeats what is worth repeating
//! (`retry`), and counts. The endpoints follow the OCI distribution specification, "Endpoints".
//!
//! Its parts, each of which imports only those above it:
//!
//! | Part | What is in it |
//! | --- | --- |
//! | `words` | what servers say, told without secrets |
//! | `errors`, `advice` | what can go wrong, and what to do about it |
//! | `addresses` | where registries are, and where nothing may be sent |
//! | `credentials` | where credentials are kept |
//! | `wire` | one request and its answer |
//! | `patience` | what is asked again, how much at a time, and for how long |
//! | `access` | what a run knows of registries |
//! | `call` | requests with the right permit, repeated |
//! | `push` | an image's way: `image`, of a blob in it `blob`, which carries out what `course` decides |
//! | `pull` | reading: first as nobody, so that no helper runs for what everybody may read |
//! | `face` | what the rooms below use |
//!
//! Three rules keep credentials safe, each in one place: they are found by the exact host only
//! (`credentials::keychain`), go only to the origin they belong to (`call::sending`), and a token service or an
//! upload address named by the registry is judged before anything is sent to it (`access::challenge`,
//! `addresses::location`; what its name resolves to, `wire::resolver`).

mod access;
mod addresses;
mod advice;
mod call;
mod credential;
mod credentials;
mod errors;
mod face;
#[doc(hidden)]
pub mod foreign;
mod options;
mod patience;
mod pull;
mod push;
mod secret;
mod wire;
mod words;

#[cfg(test)]
mod tests;

pub use credential::{Credential, CredentialError, CredentialSource};
pub use credentials::exposed_file::ExposedFile;
pub use credentials::keychain::{credential_helpers, credential_source, exposed_files};
pub use errors::error::{Attempt, ProxyTrouble, RegistryError, User};
pub use face::client::Registry;
pub use face::login::{Logout, login, logout};
pub use options::{Limits, Listener, Options};
pub use pull::ManifestPull;
pub use push::image::{ImageOutcome, ImagePush};
pub use push::manifest::{ManifestFound, ManifestOutcome, ManifestRead, ManifestReference};
pub use secret::Secret;
