use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::ops::Range;

use rust_decimal::Decimal;
use trellis_model::{Currency, FieldChange, FieldId, Money, Value};
use trellis_records::{EventCursor, LoggedChange, Records};

use super::chunk::{CHUNK_ROWS, EventNumber, FeatureColumns};
use crate::Result;
use crate::dataset::{EventSource, EventValueKind};
use crate::wait::wait;

/// Threads that read events at the same time.
const SCAN_THREADS_MAX: usize = 4;

/// Which commits a scan has seen: all up to `from`, none after `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Window {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// The features of one events object, with what is known about how far they are right.
#[derive(Debug)]
pub(crate) struct FeatureSet {
    pub(crate) source: EventSource,
    pub(crate) columns: FeatureColumns,
    /// Number of the last log entry that was folded.
    pub(crate) cursor: u64,
    /// What the scan had seen that everything was built from.
    pub(crate) built: Window,
    /// What later scans of single ordinals had seen.
    pub(crate) reread: BTreeMap<u64, Window>,
    /// Ordinals that are read again before use.
    pub(crate) dirty: BTreeSet<u64>,
    /// Everything is read again before use.
    pub(crate) rebuild: bool,
}

impl FeatureSet {
    /// Reads all events.
    pub(crate) fn build(
        records: &Records,
        source: EventSource,
        page_rows: usize,
        cursor: u64,
    ) -> Result<Self> {
        let (columns, built) = scan(records, &source, page_rows, None)?;
        let (reread, dirty) = (BTreeMap::new(), BTreeSet::new());
        Ok(Self { source, columns, cursor, built, reread, dirty, rebuild: false })
    }

    /// Folds the creation of an event, or notes that its ordinal must be read again.
    pub(crate) fn fold_created(&mut self, change: &LoggedChange, position: u64, base: Currency) {
        let Some(event) = change.event.filter(|event| event.target_object == self.source.target) else {
            return;
        };
        let ordinal = event.target_ordinal;
        let window = self.window(ordinal);
        if position <= window.from || self.dirty.contains(&ordinal) {
            return;
        }
        let values = change.fields.as_ref().and_then(|fields| event_values(&self.source, fields, base));
        match values {
            Some(values) if position > window.to && self.may_append(ordinal, event.time) => {
                self.columns.add(ordinal, event.time, &values);
            }
            _ => {
                self.dirty.insert(ordinal);
            }
        }
    }

    /// Notes that something else happened to an event of `ordinal`.
    pub(crate) fn touch(&mut self, ordinal: u64, position: u64) {
        if position > self.window(ordinal).from {
            self.dirty.insert(ordinal);
        }
    }

    /// Reads dirty ordinals again.
    pub(crate) async fn resolve(&mut self, records: &Records, page_rows: usize) -> Result<()> {
        // A scan of everything costs less than many scans of one ordinal each.
        let ordinals = self.columns.chunks().len() * CHUNK_ROWS;
        if self.rebuild || self.dirty.len() > CHUNK_ROWS.max(ordinals / 16) {
            *self = Self::build(records, self.source.clone(), page_rows, self.cursor)?;
        }
        while let Some(&ordinal) = self.dirty.first() {
            self.columns.clear(ordinal);
            let one = ordinal..ordinal + 1;
            let window = scan_range(records, &self.source, one, page_rows, None, &mut self.columns).await?;
            self.reread.insert(ordinal, window);
            self.dirty.remove(&ordinal);
        }
        Ok(())
    }

    /// Forgets windows that no entry to come can fall into.
    pub(crate) fn forget_windows_before(&mut self, position: u64) {
        self.reread.retain(|_, window| window.to > position);
    }

    fn window(&self, ordinal: u64) -> Window {
        self.reread.get(&ordinal).copied().unwrap_or(self.built)
    }

    /// Numbers are summed in the order of time: a later event can be added to the sum, any other needs a new one.
    fn may_append(&self, ordinal: u64, time: i64) -> bool {
        let floats = self.source.values.iter().any(|value| value.kind == EventValueKind::Number);
        if !floats {
            return true;
        }
        let row = self.columns.row(ordinal);
        row.count == 0 || time > row.last
    }
}

/// Reads all events up to `until`, ranges of ordinals at the same time. Blocks until all are read.
pub(crate) fn scan(
    records: &Records,
    source: &EventSource,
    page_rows: usize,
    until: Option<i64>,
) -> Result<(FeatureColumns, Window)> {
    let read = |range: Range<u64>| {
        let mut columns = FeatureColumns::new(source);
        let window = wait(scan_range(records, source, range, page_rows, until, &mut columns))?;
        Ok((columns, window))
    };
    let read = &read;
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(SCAN_THREADS_MAX);
    let mut parts = parts(records.ordinal_bound(source.target), threads as u64);
    let last = parts.pop().unwrap_or(0..u64::MAX);
    let (scanned, last) = std::thread::scope(|scope| {
        let threads: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || read(part))).collect();
        let last = read(last);
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(scanned) => scanned,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        (joined.collect::<Result<Vec<_>>>(), last)
    });
    let (mut columns, mut window) = last?;
    for (part, seen) in scanned? {
        columns.merge(part);
        window = Window { from: window.from.min(seen.from), to: window.to.max(seen.to) };
    }
    Ok((columns, window))
}

/// Cuts all ordinals into at most `count` ranges of whole chunks, of which those below `bound` are about equally long.
fn parts(bound: u64, count: u64) -> Vec<Range<u64>> {
    let length = bound.div_ceil(count.max(1)).next_multiple_of(CHUNK_ROWS as u64).max(1);
    let mut starts: Vec<u64> = (0..count).map(|part| part * length).filter(|start| *start < bound).collect();
    starts.dedup();
    let ends = starts.iter().skip(1).copied().chain([u64::MAX]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

pub(crate) async fn scan_range(
    records: &Records,
    source: &EventSource,
    range: Range<u64>,
    page_rows: usize,
    until: Option<i64>,
    columns: &mut FeatureColumns,
) -> Result<Window> {
    let mut after: Option<EventCursor> = None;
    let mut window: Option<Window> = None;
    loop {
        let page = records.events(&source.events_name, range.clone(), after, page_rows).await?;
        columns.add_page(&page, until)?;
        // What lies between the first page's `from` and the last page's `to` may or may not have been seen.
        let from = window.map_or(page.from.0, |window| window.from.min(page.from.0));
        window = Some(Window { from, to: page.to.0 });
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(window.unwrap_or_default()),
        }
    }
}

/// The values of a created event as its covering index holds them; `None` where they cannot be told from the fields.
fn event_values(
    source: &EventSource,
    fields: &BTreeMap<FieldId, FieldChange>,
    base: Currency,
) -> Option<Vec<Option<EventNumber>>> {
    let number = |value: &Value| match value {
        Value::Integer(number) => Some(EventNumber::Exact(*number)),
        Value::Number(number) => Some(EventNumber::Float(*number)),
        Value::Money(money) => base_minor_units(money, base).map(EventNumber::Exact),
        _ => None,
    };
    let of_field = |field: FieldId| match fields.get(&field).and_then(|change| change.after.as_ref()) {
        Some(value) => number(value).map(Some),
        None => Some(None),
    };
    source.values.iter().map(|value| of_field(value.field)).collect()
}

/// An amount in minor units of the base currency.
pub(crate) fn base_minor_units(money: &Money, base: Currency) -> Option<i64> {
    if money.base_amount.is_none() && money.currency != base {
        return None;
    }
    let scaled = money.comparable().checked_mul(Decimal::from(10_i64.pow(base.decimals())))?;
    scaled.is_integer().then(|| i64::try_from(scaled).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_chunks_and_leave_nothing_out() {
        let check = |bound: u64, count: u64, expected: &[u64]| {
            let parts = parts(bound, count);
            assert_eq!(parts.iter().map(|part| part.start).collect::<Vec<_>>(), expected);
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert!(parts.last().is_none_or(|last| last.end == u64::MAX));
        };
        check(0, 4, &[]);
        check(1, 4, &[0]);
        check(4_096, 2, &[0]);
        check(4_097, 2, &[0, 4_096]);
        check(100_000, 2, &[0, 53_248]);
        check(100_000, 1, &[0]);
        check(10_000, 4, &[0, 4_096, 8_192]);
    }
}
