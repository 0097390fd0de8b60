//! Pages of the records that a text finds: those that it finds, less those that the filter and the scope leave out.

use trellis_model::{RecordId, Scope, Text};

use super::{Found, PAGE_ROWS, Plan, Prepared, cut};
use crate::query::sort::{Order, Place};
use crate::query::{Deleted, Query};
use crate::schema::Object;
use crate::text_search::{TextMatch, TextMatches};
use crate::{Error, Records, Result};

/// How many values the place of a record has: without a sort, how well it was found is one.
pub(super) fn place_values(query: &Query, order: &Order) -> usize {
    if wanted(query).is_some() && query.sort.is_empty() { 1 } else { order.values() }
}

/// The text that is looked for, if any.
fn wanted(query: &Query) -> Option<&str> {
    query.text.as_deref().filter(|text| !text.trim().is_empty())
}

impl Records {
    /// What the text of a query finds; `None` where it has none.
    pub(super) fn text_matches(
        &self,
        scope: &Scope,
        object: &Object,
        query: &Query,
    ) -> Result<Option<TextMatches>> {
        let Some(text) = wanted(query) else { return Ok(None) };
        if query.deleted == Deleted::Only {
            let (en, zh) = ("deleted records are not found by text", "已删除的记录不能按文本查找");
            return Err(Error::Query(Text::new(en, zh)));
        }
        self.text_search()?.matching(scope, object, text).map(Some)
    }

    /// A page of what a text finds: the best first, or as the query sorts.
    pub(super) async fn search_text(
        &self,
        query: &Prepared<'_>,
        best_first: bool,
        text: &TextMatches,
    ) -> Result<Found> {
        let mut plan = Plan { index: Some("text".into()), ..Plan::default() };
        if best_first {
            return self.best(query, text, plan).await;
        }
        plan.rows_read = text.matches.len();
        let mut records = Vec::new();
        for (count, found) in text.matches.iter().enumerate() {
            breathe(count).await;
            if let Some(record) = self.checked(query, text, found.id).await? {
                self.keep(query, record, &mut records).await?;
            }
        }
        Ok(cut(query, records, plan))
    }

    /// Goes from the best match on, or back from a place, until the page is full.
    async fn best(&self, query: &Prepared<'_>, text: &TextMatches, plan: Plan) -> Result<Found> {
        let mut found = Found { plan, ..Found::default() };
        let from = query.from.as_ref().map(|from| (rank_of(from), std::cmp::Reverse(from.id)));
        let matches: Box<dyn Iterator<Item = &TextMatch> + Send> =
            if query.backward { Box::new(text.matches.iter().rev()) } else { Box::new(text.matches.iter()) };
        for a_match in matches {
            let place = place_of(a_match);
            let beyond = from.as_ref().is_none_or(|from| {
                let ordering = (rank_of(&place), std::cmp::Reverse(place.id)).cmp(from);
                if query.backward { ordering.is_lt() } else { ordering.is_gt() }
            });
            if !beyond {
                continue;
            }
            breathe(found.plan.rows_read).await;
            found.plan.rows_read += 1;
            let Some(record) = self.checked(query, text, a_match.id).await? else { continue };
            if !self.matches(&query.node, &record).await? {
                continue;
            }
            if found.records.len() == query.limit {
                found.more = true;
                break;
            }
            found.records.push((place, record));
        }
        Ok(found)
    }

    /// Counts what a text finds and the filter leaves.
    pub(super) async fn count_text(&self, query: &Prepared<'_>, text: &TextMatches) -> Result<u64> {
        let mut count = 0;
        for (read, found) in text.matches.iter().enumerate() {
            breathe(read).await;
            if let Some(record) = self.checked(query, text, found.id).await? {
                count += u64::from(self.matches(&query.node, &record).await?);
            }
        }
        Ok(count)
    }

    /// A record that was found, unless it was deleted since or was found by what the caller must not read.
    async fn checked(
        &self,
        query: &Prepared<'_>,
        text: &TextMatches,
        id: RecordId,
    ) -> Result<Option<trellis_model::Record>> {
        let record = self.load(query.object.id, id).await?.map(|found| found.record);
        let passes = |record: &trellis_model::Record| text.check.as_ref().is_none_or(|check| check(record));
        Ok(record.filter(|record| !record.is_deleted() && passes(record)))
    }
}

/// Gives others their turn now and then.
async fn breathe(count: usize) {
    if count % PAGE_ROWS == PAGE_ROWS - 1 {
        tokio::task::yield_now().await;
    }
}

/// Where a match stands: better ones come first, of equally good ones the newest.
fn place_of(found: &TextMatch) -> Place {
    Place { values: vec![(u32::MAX - found.score).to_be_bytes().to_vec()], id: found.id }
}

fn rank_of(place: &Place) -> Option<Vec<u8>> {
    place.values.first().cloned()
}
