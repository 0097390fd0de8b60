//! Pages in the order of a derived field, for more records than can be gathered and sorted.

use super::{Found, Plan, Prepared, cut};
use crate::index::encode;
use crate::query::Deleted;
use crate::query::sort::Place;
use crate::{Ranking, Records, Result};

/// How many times more ordinals are asked for when too few of them matched.
const GROWTH: usize = 4;

/// What came of the first ordinals of an order.
struct Round {
    found: Found,
    /// The place of the last record in the order that was looked at.
    last: Option<Place>,
    /// How many ordinals there were.
    ordinals: usize,
}

impl Records {
    /// Reads records in the order of the derived field that is sorted by until the page is full; `None` where its order is
    /// not known, or too many records have the same value to be sorted by id.
    pub(super) async fn ranked(&self, query: &Prepared<'_>) -> Result<Option<Found>> {
        if query.order.derived().is_none() || query.deleted == Deleted::Only {
            return Ok(None);
        }
        let rows_max = self.config().limits.scan_rows_max;
        let mut rows_min = (query.limit + 1).min(rows_max);
        let mut before = None;
        loop {
            let Some(round) = self.round(query, rows_min, rows_max).await? else {
                return Ok(before.and_then(|round| stopped(query, round)));
            };
            if round.found.more || round.ordinals < rows_min {
                return Ok(Some(round.found));
            }
            if rows_min == rows_max {
                return Ok(stopped(query, round));
            }
            before = Some(round);
            rows_min = (rows_min * GROWTH).min(rows_max);
        }
    }

    async fn round(&self, query: &Prepared<'_>, rows_min: usize, rows_max: usize) -> Result<Option<Round>> {
        let (Some((path, kind)), Some(derived)) = (query.order.derived(), self.derived()) else {
            return Ok(None);
        };
        let base = self.config().base_currency;
        let from = match &query.from {
            Some(place) => match place.values.first().and_then(|value| encode::decoded(value, kind, base)) {
                Some(from) => Some(from),
                None => return Ok(None),
            },
            None => None,
        };
        let descending = query.order.descending() != query.backward;
        let ranking = Ranking { descending, from, rows_min, rows_max };
        let Some(ordinals) = derived.ranked(query.object.id, path, &ranking) else { return Ok(None) };
        let plan = Plan { index: Some(path.to_string()), rows_read: ordinals.len(), ..Plan::default() };
        let (mut records, mut last) = (Vec::new(), None::<Place>);
        for (place, id) in self.ordinal_ids(query.object.id, &ordinals).await?.into_iter().enumerate() {
            if place % super::PAGE_ROWS == super::PAGE_ROWS - 1 {
                tokio::task::yield_now().await;
            }
            let Some(id) = id else { continue };
            let Some(found) = self.load(query.object.id, id).await? else { continue };
            let place = self.place(&query.order, &found.record).await?;
            let later = last.as_ref().is_none_or(|last| {
                let ordering = query.order.compare(&place, last);
                if query.backward { ordering.is_lt() } else { ordering.is_gt() }
            });
            last = if later { Some(place) } else { last };
            self.keep(query, found.record, &mut records).await?;
        }
        Ok(Some(Round { found: cut(query, records, plan), last, ordinals: ordinals.len() }))
    }
}

/// A page that may be short: the next one goes on where this one stopped. `None` where that is where it began.
fn stopped(query: &Prepared<'_>, round: Round) -> Option<Found> {
    let mut found = round.found;
    found.plan.budget_spent = true;
    found.stopped = Some(round.last.filter(|last| query.from.as_ref() != Some(last))?);
    Some(found)
}
