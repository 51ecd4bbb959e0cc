//! Tests of the whole room, on workspaces of two services and a library.

mod foreign;
mod layering;
mod mistakes;
mod world;
