//! Image layouts, written and read.
