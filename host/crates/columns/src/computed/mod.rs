//! Computed fields as columns: roll-ups and stored formulas, by the ordinal of the record that has them.
//!
//! Read once from the records, and after that from the log. What an entry touches is computed anew from the records as they are now, so
//! that columns hold absolute values whatever happened meanwhile; only a child that is new is added to what its parent has. They follow
//! the log within milliseconds, never hold up a read, and are neither in the journal nor in a file.

mod column;
mod figure;
mod follow;
mod kept;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arc_swap::ArcSwap;
use trellis_model::{FieldName, ObjectId, Path, RecordId, Value};
use trellis_records::{Ranking, Schema};

pub(crate) use column::Column;
use kept::Kept;

use crate::population::Population;
use crate::wait::off_thread;
use crate::{Columns, Result};

/// The columns of each object by field.
type Published = BTreeMap<ObjectId, BTreeMap<FieldName, Arc<Column>>>;

/// The columns of computed fields and how far they follow the log.
#[derive(Debug, Default)]
pub(crate) struct ComputedColumns {
    state: tokio::sync::Mutex<State>,
    /// For readers, who never wait.
    published: ArcSwap<Published>,
}

/// What the follower changes.
#[derive(Debug, Default)]
struct State {
    /// Number of the last log entry that every column has in it.
    cursor: u64,
    /// The schema that `kept` is of.
    schema: Option<Arc<Schema>>,
    kept: Vec<Kept>,
}

/// Positions between which a scan may or may not have seen a change: all up to the first is in, nothing after the second.
type Window = (u64, u64);

/// Parents whose figures were computed lately.
type Fresh = HashMap<RecordId, Window>;

impl ComputedColumns {
    pub(crate) fn column(&self, object: ObjectId, path: &Path) -> Option<Arc<Column>> {
        let [name] = path.0.as_slice() else { return None };
        self.published.load().get(&object)?.get(name).cloned()
    }

    fn publish(&self, state: &State) {
        let mut published = Published::new();
        for kept in &state.kept {
            if let Some(column) = &kept.column {
                let columns = published.entry(kept.object).or_default();
                columns.insert(kept.field.name.clone(), Arc::clone(column));
            }
        }
        self.published.store(Arc::new(published));
    }
}

impl Columns {
    /// Brings the columns of computed fields up with the schema and the log: what is new is read from the records, what is gone is let
    /// go. Until a column is there, its field is null and cannot be filtered by.
    pub(crate) async fn follow_computed(self: &Arc<Self>) -> Result<()> {
        let this = Arc::clone(self);
        off_thread(async move {
            let mut state = this.computed.state.lock().await;
            let schema = this.records.schema();
            if !state.schema.as_ref().is_some_and(|known| Arc::ptr_eq(known, &schema)) {
                this.take_schema(&mut state, &schema);
            }
            if state.kept.is_empty() {
                state.cursor = this.records.log_head();
                return Ok(());
            }
            this.follow_log(&mut state).await?;
            this.build_missing(&mut state).await
        })
        .await
    }

    fn take_schema(&self, state: &mut State, schema: &Arc<Schema>) {
        let base = self.records.config().base_currency;
        let mut before = std::mem::take(&mut state.kept);
        for wanted in Kept::wanted(schema, base) {
            let same = before.iter().position(|kept| kept.is_like(&wanted));
            let column = same.map(|place| before.swap_remove(place));
            state.kept.push(match column {
                Some(kept) => Kept { column: kept.column, window: kept.window, fresh: kept.fresh, ..wanted },
                None => wanted,
            });
        }
        if state.schema.is_none() {
            state.cursor = self.records.log_head();
        }
        state.schema = Some(Arc::clone(schema));
        self.computed.publish(state);
    }
}

/// Up to `rows_max` ordinals from one on, of records that are there and whose value is wanted.
pub(crate) fn select(
    column: &Column,
    population: &Population,
    from: u64,
    rows_max: usize,
    wanted: &mut dyn FnMut(Option<&Value>) -> bool,
) -> Vec<u64> {
    let live = (from..population.bound()).filter(|ordinal| population.contains(*ordinal));
    live.filter(|ordinal| wanted(column.value(*ordinal).as_ref())).take(rows_max).collect()
}

/// Ordinals as a [`Ranking`] wants them; `None` where they are too many, or have no order of their own.
pub(crate) fn ranked(column: &Column, population: &Population, ranking: &Ranking) -> Option<Vec<u64>> {
    let rank = column.ranks()?;
    let from = ranking.from.as_ref().map(|from| column.rank_of(from.as_ref()));
    let later = |a, b| if ranking.descending { a < b } else { a > b };
    let live = || (0..population.bound()).filter(|ordinal| population.contains(*ordinal));
    let places = live().map(|ordinal| (rank(ordinal), ordinal));
    let mut places: Vec<_> = places.filter(|(rank, _)| from.is_none_or(|from| !later(from, *rank))).collect();
    let rows_min = ranking.rows_min.max(1);
    if places.len() > rows_min {
        let order = |a: &(column::Rank, u64), b: &(column::Rank, u64)| {
            if ranking.descending { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) }
        };
        let (_, last, _) = places.select_nth_unstable_by(rows_min - 1, order);
        let last = last.0;
        places.retain(|(rank, _)| !later(*rank, last));
    }
    if places.len() > ranking.rows_max {
        return None;
    }
    places.sort_unstable_by(|a, b| {
        if ranking.descending { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) }.then(a.1.cmp(&b.1))
    });
    Some(places.into_iter().map(|(_, ordinal)| ordinal).collect())
}
