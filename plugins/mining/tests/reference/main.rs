//! The methods against the results of other programs over public data: `expected.json` of the reference sets, at the tolerances of their
//! README. Skipped with a word where the data is not there (`TRELLIS_REFERENCE_DATA`).

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may panic and speak"
)]

mod boosting;
mod data;
mod measures;
mod models;
mod survival;
