//! Debian's package database, read as files: no dpkg program is needed, on any host.
//!
//! What an image gets of it are the `status.d` records by which scanners know what is inside; the
//! distroless images established them.

mod database;
mod installed;
mod lists;
mod record;
mod stanza;

pub(super) use database::PackageDatabase;
pub(super) use installed::installed_packages;
pub(super) use record::add_records;
