//! The author kit on components that `cargo xtask plugins` built.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod bench;
mod golden;
mod laws;
mod owed;
mod project;
mod support;
