//! What a plugin's own tests need, so that they run with plain `cargo test`: batches, records, contexts, look-ups, and the law of splitting.

#[cfg(not(target_family = "wasm"))]
pub(crate) mod answers;
mod batches;
#[cfg(not(target_family = "wasm"))]
mod filter;
mod records;
mod splitting;

use std::cell::RefCell;

use crate::bindings::shared::trellis::plugin::host_log::Level;
use crate::{Batch, Context, RowStream};

#[cfg(not(target_family = "wasm"))]
pub use answers::{Answers, lookups};
pub use batches::{BatchBuilder, split};
pub use records::{RecordBuilder, changed, created, record, work_item, work_item_of};
pub use splitting::{
    assert_splitting_changes_no_campaign, assert_splitting_changes_no_score, assert_splitting_changes_nothing,
};

thread_local! {
    static LINES: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

/// Takes the lines that this thread wrote through [`crate::log`] since the last time.
pub fn take_log() -> Vec<(Level, String)> {
    LINES.take()
}

#[cfg(not(target_family = "wasm"))]
pub(crate) fn keep_line(level: Level, message: &str) {
    LINES.with_borrow_mut(|lines| lines.push((level, message.to_owned())));
}

/// A context: as of 1970-01-01, UTC, USD, seed 0. Change what a test needs, for example `Context { as_of: 10_134, ..context() }`.
pub fn context() -> Context {
    Context {
        run_id: "test".to_owned(),
        as_of: 0,
        now_ms: 0,
        time_zone: "UTC".to_owned(),
        base_currency: "USD".to_owned(),
        seed: 0,
        extra: Vec::new(),
    }
}

/// A stream that gives `batches`.
pub fn stream(batches: impl IntoIterator<Item = Batch>) -> RowStream<'static> {
    RowStream::of_batches(batches)
}

/// A day as columns have it, from `YYYY-MM-DD`: `day("1970-01-02")` is 1.
///
/// # Panics
/// If it is no date.
#[cfg(not(target_family = "wasm"))]
pub fn day(date: &str) -> i32 {
    let date: jiff::civil::Date = date.parse().unwrap_or_else(|error| panic!("`{date}` is no date: {error}"));
    jiff::civil::date(1970, 1, 1).until(date).map_or(0, |span| span.get_days())
}
