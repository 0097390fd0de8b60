//! What every backend must do, one fact a test. A backend's tests name a factory of empty stores and get all of them:
//!
//! ```ignore
//! trellis_storage::conformance!(|| {
//!     let folder = tempfile::tempdir().unwrap();
//!     (open(folder.path()) as std::sync::Arc<dyn trellis_storage::Store>, folder)
//! });
//! ```
//! The second half of the pair is kept alive as long as the store. The store must have the default [`crate::Limits`].
#![allow(missing_docs, reason = "the name of a fact is the fact")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code, compiled in only for tests of backends"
)]

mod commits;
mod groups;
mod limits;
mod model;
mod scans;

use std::future::Future;
use std::sync::Arc;

pub use commits::*;
pub use groups::*;
pub use limits::*;
pub use model::*;
pub use scans::*;

use crate::{Committed, Error, Page, Position, Result, ScanRange, Store, WriteSet};

/// The store under test.
pub type Subject = Arc<dyn Store>;

/// One test a fact; see the module.
#[macro_export]
macro_rules! conformance {
    ($factory:expr) => {
        $crate::conformance!(@facts $factory,
            a_put_is_read_back_with_its_position,
            a_key_that_was_never_put_is_absent,
            a_delete_removes_and_may_be_repeated,
            a_second_put_replaces_value_and_position,
            a_failed_precondition_writes_nothing,
            the_first_precondition_that_fails_is_named,
            absent_and_written_at_follow_the_key,
            counter_bounds_look_at_the_value_before_the_write_set,
            counters_add_up_and_refuse_to_leave_their_range,
            a_counter_is_eight_bytes,
            stamps_fill_keys_and_values,
            several_adds_to_one_counter_apply_in_order,
            adds_then_deletes_then_puts,
            the_last_put_of_a_key_wins,
            an_empty_write_set_gets_a_position,
            positions_grow_and_head_follows,
            keys_of_any_bytes_are_kept_apart,
            a_bad_stamp_is_refused,
            counters_are_contiguous_under_concurrency,
            write_sets_in_flight_together_see_each_other,
            concurrent_creators_of_one_key_have_one_winner,
            readers_see_every_acknowledged_commit,
            each_limit_is_reached_and_then_refused,
            a_scan_is_in_key_order_both_ways,
            a_prefix_scan_holds_only_its_prefix,
            pages_join_up_without_gap_or_double,
            more_tells_whether_rows_remain,
            empty_ranges_have_no_rows,
            a_page_names_what_it_holds,
            a_scan_beside_writers_holds_what_was_there_before,
            any_history_matches_a_sorted_map,
        );
    };
    (@facts $factory:expr, $($fact:ident,)*) => {
        $(
            #[test]
            fn $fact() {
                $crate::conformance::$fact(&|| $factory());
            }
        )*
    };
}

/// Runs `fact` on a new store, on a runtime with several threads.
fn on_new_store<G, F: Future<Output = ()>>(
    factory: &dyn Fn() -> (Subject, G),
    fact: impl FnOnce(Subject) -> F,
) {
    let (store, guard) = factory();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    runtime.block_on(fact(store));
    drop(runtime);
    drop(guard);
}

/// A write set made by `fill`.
fn set(fill: impl FnOnce(&mut WriteSet)) -> WriteSet {
    let mut set = WriteSet::new();
    fill(&mut set);
    set
}

async fn commit(store: &Subject, fill: impl FnOnce(&mut WriteSet)) -> Committed {
    store.commit(set(fill)).await.unwrap()
}

async fn refused(store: &Subject, fill: impl FnOnce(&mut WriteSet)) -> Error {
    store.commit(set(fill)).await.unwrap_err()
}

async fn put(store: &Subject, key: &[u8], value: &[u8]) -> Position {
    let put = |set: &mut WriteSet| {
        set.put(key, value);
    };
    commit(store, put).await.position
}

async fn value(store: &Subject, key: &[u8]) -> Option<Vec<u8>> {
    store.get(key).await.unwrap().map(|found| found.value.to_vec())
}

async fn counter(store: &Subject, key: &[u8]) -> u64 {
    u64::from_be_bytes(value(store, key).await.unwrap().try_into().unwrap())
}

/// Every row of `range`, in pages of `rows_max`.
async fn all_pages(store: &Subject, mut range: ScanRange, rows_max: usize) -> Result<Vec<Page>> {
    let mut pages = Vec::new();
    loop {
        let page = store.scan(range.clone(), rows_max).await?;
        let more = page.more;
        if let Some(last) = page.rows.last() {
            range = range.after(&last.key);
        }
        assert!(!more || !page.rows.is_empty(), "a page with more to come holds a row");
        pages.push(page);
        if !more {
            return Ok(pages);
        }
    }
}

async fn keys_of(store: &Subject, range: ScanRange) -> Vec<Vec<u8>> {
    let pages = all_pages(store, range, 3).await.unwrap();
    pages.into_iter().flat_map(|page| page.rows).map(|row| row.key.to_vec()).collect()
}
