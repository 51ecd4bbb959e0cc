//! Files of the new image: takes what `COPY`, `ADD` and commands do to files, gives the assets that are the same,
//! and says of the rest why it is none.

mod access;
mod altered;
mod asset;
mod commands;
mod context_files;
mod copies;
mod elsewhere;
mod filled;
mod listing;
mod moves;
mod on_disk;
pub(super) mod zone;

pub(super) use access::Reader;
pub(super) use copies::Files;
