//! `inspect`: any image, from anywhere.

mod against;
mod broken;
mod describe;
mod draft;
mod engines;
mod fields;
mod registries;
mod sources;
mod verify;
