//! Files to deterministic, compressed tars.
