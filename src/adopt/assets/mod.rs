//! Files of the new image: takes what `COPY`, `ADD` and commands do to files, gives the assets that are the same,
//! and says of the rest why it is none.

mod asset;
mod commands;
mod context_files;
mod copies;
mod elsewhere;
mod listing;
mod moves;
pub(super) mod zone;

pub(super) use copies::Files;
