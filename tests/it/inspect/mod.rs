//! `inspect`: any image, from anywhere.

mod against;
mod archives;
mod broken;
mod broken_archives;
mod describe;
mod docker;
mod draft;
mod engines;
mod fields;
mod foreign;
mod registries;
mod rights;
mod sources;
mod verify;
