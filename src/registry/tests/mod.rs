//! The client against scripted servers on 127.0.0.1, and against a real registry where there is one.

mod auth;
mod docker;
mod fake;
mod faults;
mod keychain;
mod login;
mod looks;
mod push;
mod server;
mod stage;
