//! The figures of a dataset, of everybody or of some.

use std::collections::BTreeMap;

use jiff::civil::Date;
use trellis_model::{ObjectId, ObjectName};
use trellis_records::Records;

use super::finished::FigureColumn;
use super::pass::Pass;
use super::plan::RelatedSource;
use crate::{GoOn, Result};

/// So many customers at least are asked for one by one, and so many of all: from there on one pass over everything costs less.
const QUERIED_ROWS_MIN: usize = 4_096;
const QUERIED_SHARE: u64 = 8;
/// Ordinals that are read at once.
const PAGE_ROWS: usize = 10_000;

/// How figures are read.
pub(crate) struct Reading<'a> {
    pub(crate) records: &'a Records,
    /// The customers' object.
    pub(crate) object: (ObjectId, &'a ObjectName),
    /// The last day that counts.
    pub(crate) day: Date,
    /// Events of a page.
    pub(crate) page_rows: usize,
    /// Bytes that the figures of a source may take.
    pub(crate) bytes_max: usize,
    pub(crate) go_on: &'a GoOn,
}

/// The figures of one source: of those customers whom records refer to.
#[derive(Debug)]
pub(crate) struct RelatedFigures {
    /// Ascending.
    pub(super) ordinals: Vec<u64>,
    pub(super) figures: Vec<FigureColumn>,
}

impl RelatedFigures {
    /// The figures of everybody.
    pub(crate) async fn of_all(reading: &Reading<'_>, source: &RelatedSource) -> Result<Self> {
        let mut pass = Pass::new(reading, source);
        if !source.is_wanted() {
            return Ok(pass.empty());
        }
        if source.from_index {
            return pass.events(None).await;
        }
        let (records, (object, _)) = (reading.records, reading.object);
        let mut tallies = pass.matching(None).await?;
        let mut by_ordinal = BTreeMap::new();
        if tallies.len() <= QUERIED_ROWS_MIN {
            for (id, tally) in tallies {
                let ordinal = records.ordinal_of(object, id).await?;
                by_ordinal.extend(ordinal.map(|ordinal| (ordinal, tally)));
            }
            return pass.finish(by_ordinal).await;
        }
        let mut after = None;
        loop {
            reading.go_on.check()?;
            let page = records.ordinals_after(object, after, PAGE_ROWS).await?;
            let found = page.iter().filter_map(|(ordinal, id)| Some((*ordinal, tallies.remove(id)?)));
            by_ordinal.extend(found);
            match page.last() {
                Some((last, _)) if page.len() == PAGE_ROWS => after = Some(*last),
                _ => return pass.finish(by_ordinal).await,
            }
        }
    }

    /// The figures of some customers, ascending by ordinal, of `live` that there are.
    pub(crate) async fn of_rows(
        reading: &Reading<'_>,
        source: &RelatedSource,
        ordinals: &[u64],
        live: u64,
    ) -> Result<Self> {
        let mut pass = Pass::new(reading, source);
        if !source.is_wanted() {
            return Ok(pass.empty());
        }
        if source.from_index {
            return pass.events(Some(ordinals)).await;
        }
        if ordinals.len() > QUERIED_ROWS_MIN && ordinals.len() as u64 > live / QUERIED_SHARE {
            return Self::of_all(reading, source).await;
        }
        let mut by_ordinal = BTreeMap::new();
        let ids = reading.records.ordinal_ids(reading.object.0, ordinals).await?;
        for (ordinal, id) in ordinals.iter().zip(ids).filter_map(|(ordinal, id)| Some((*ordinal, id?))) {
            let found = pass.matching(Some(id)).await?.remove(&id);
            by_ordinal.extend(found.map(|tally| (ordinal, tally)));
        }
        pass.finish(by_ordinal).await
    }

    /// A figure of rows in ascending order.
    pub(crate) fn figure(&self, figure: usize) -> Option<&FigureColumn> {
        self.figures.get(figure)
    }

    /// Where rows in ascending order stand among the customers of these figures.
    pub(crate) fn places(&self, rows: &[u64]) -> Vec<Option<usize>> {
        let first = rows.first().copied().unwrap_or(0);
        let mut place = self.ordinals.partition_point(|ordinal| *ordinal < first);
        let find = |row: &u64| {
            while self.ordinals.get(place).is_some_and(|ordinal| ordinal < row) {
                place += 1;
            }
            (self.ordinals.get(place) == Some(row)).then_some(place)
        };
        rows.iter().map(find).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_find_their_places() {
        let figures = RelatedFigures { ordinals: vec![2, 5, 6, 1 << 40], figures: Vec::new() };
        let check = |rows: &[u64], expected: &[Option<usize>]| assert_eq!(figures.places(rows), expected);
        check(&[], &[]);
        check(&[0, 1, 2, 3, 4, 5, 6, 7], &[None, None, Some(0), None, None, Some(1), Some(2), None]);
        check(&[5], &[Some(1)]);
        check(&[4, 1 << 40], &[None, Some(3)]);
        check(&[(1 << 40) + 1], &[None]);
    }
}
