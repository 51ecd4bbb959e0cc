//! A Dockerfile: takes its text, gives its stages, each with what its instructions add up to. What
//! `.dockerignore` says, how cargo is called and which image is at the bottom are read here as well.

mod arguments;
pub(super) mod base_image;
mod cargo_build;
mod cut;
mod expansion;
mod ignored;
mod mistakes;
mod read;
mod source;
mod stage;
mod steps;
mod syntax;

pub(super) use arguments::unused;
pub(super) use cargo_build::{Build, OtherFeatures, build, is_rustflags, last_build};
pub(super) use ignored::Ignored;
pub(super) use read::{lack, read, refusal};
pub(super) use source::MARK;
pub use source::MAX_DOCKERFILE;
pub(super) use stage::{
    Action, Copy, Form, From, Said, Settings, Stage, Step, commands, directory, lineage, root,
    steps,
};
