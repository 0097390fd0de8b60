//! Full-text search over records in memory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod finding;
mod following;
mod model;
mod rights;
mod support;
