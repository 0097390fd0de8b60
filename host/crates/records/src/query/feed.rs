//! The rows of an index, or the records themselves, page by page.

use trellis_storage::{Row, ScanRange};

use super::plan::Walk;
use super::sort::Place;
use crate::{Records, Result, keys};

/// Rows of a page; below the store's limit on what may be read inline.
pub(super) const PAGE_ROWS: usize = 100;

/// The rows of a walk, page by page.
#[derive(Debug)]
pub(super) struct Feed {
    range: Option<ScanRange>,
    /// The key of the last row that was looked at.
    last: Option<Vec<u8>>,
    /// Whether a page was read: before the next one others get their turn.
    started: bool,
}

impl Feed {
    pub(super) fn new(walk: &Walk, reverse: bool, from: Option<&Place>) -> Self {
        let mut range = walk.range.clone();
        range.reverse = reverse;
        if let Some(from) = from {
            let mut key = walk.range.start.get(..walk.prefix).unwrap_or_default().to_vec();
            if key.len() == walk.prefix {
                // A sort value that is the same in all rows is in the prefix already.
                key.extend(from.values.iter().filter(|_| walk.fixed.is_none()).flatten());
                key.extend(from.id.as_bytes());
            }
            let (start, end) = (range.start.clone(), range.end.clone());
            range = range.after(&key);
            // A cursor outside of the range must not widen it.
            range.start = range.start.max(start);
            range.end = match (range.end.take(), end) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        Self { range: Some(range), last: None, started: false }
    }

    pub(super) async fn next(&mut self, records: &Records) -> Result<Option<Vec<Row>>> {
        let Some(range) = self.range.take() else { return Ok(None) };
        if self.started {
            tokio::task::yield_now().await;
        }
        self.started = true;
        let page = records.store().scan(range.clone(), PAGE_ROWS).await?;
        if let Some(last) = page.rows.last() {
            self.range = page.more.then(|| range.after(&last.key));
        }
        Ok((!page.rows.is_empty()).then_some(page.rows))
    }

    /// Remembers the last row that was looked at.
    pub(super) fn pass(&mut self, row: &Row) {
        self.last = Some(row.key.to_vec());
    }

    pub(super) fn place_before(&self, walk: &Walk, values: usize) -> Option<Place> {
        self.last.as_deref().and_then(|key| place_of_key(walk, key, values))
    }
}

pub(super) fn place_of(walk: &Walk, row: &Row, values: usize) -> Option<Place> {
    place_of_key(walk, &row.key, values)
}

/// The place that a key of a walk stands for: what follows its prefix is the sort value, then the id.
fn place_of_key(walk: &Walk, key: &[u8], values: usize) -> Option<Place> {
    let id = keys::id_at_end(key)?;
    let sort = key.get(walk.prefix..key.len() - 16)?;
    let values =
        if values == 0 { Vec::new() } else { vec![walk.fixed.clone().unwrap_or_else(|| sort.to_vec())] };
    Some(Place { values, id })
}
