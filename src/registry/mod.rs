//! The client of OCI registries: the only asynchronous room.
