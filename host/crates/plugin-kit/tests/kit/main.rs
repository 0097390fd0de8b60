//! The author kit on components that `cargo xtask plugins` built.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may panic and say what it skips"
)]

mod bench;
mod golden;
mod laws;
mod owed;
mod project;
mod support;
