//! All records that match, for what is done to each of them.

use std::collections::HashSet;

use jiff::civil::Date;
use serde_json::json;
use trellis_model::{
    FieldName, Filter, ObjectId, ObjectName, Op, Path, Phrase, Record, RecordId, Scope, Sort,
};

use super::compile::{Node, Source};
use super::feed::{Feed, PAGE_ROWS};
use super::plan::{Conditions, Walk, records_walk};
use super::sort::Order;
use crate::codec::record::is_deleted;
use crate::index::Column;
use crate::schema::Object;
use crate::{Error, Records, Result};

/// Which records are visited, and what is told of each.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    /// Whose.
    pub object: &'a ObjectName,
    /// Only those whose reference points at a record. They are found by the index of that reference, however many there are of others.
    pub of: Option<(&'a FieldName, RecordId)>,
    /// A record matches at least one of these. A page says which.
    pub filters: &'a [Filter],
    /// The day that days relative to today are counted from, in the organisation's time zone; `None` is the day that it is.
    pub today: Option<Date>,
}

/// The records that match, page by page, in no order that is promised, each once: along an index that narrows them, or else over all
/// records of the object. A change while they are read may or may not count.
#[derive(Debug)]
pub struct Matching {
    object: Object,
    /// `None` where the scope has no record of the object.
    node: Option<Node>,
    /// Where there are several filters.
    nodes: Vec<Node>,
    walk: Walk,
    feed: Feed,
    /// A record whose key moves along the index meanwhile would be met again.
    seen: Option<HashSet<RecordId>>,
}

/// Some records that match.
#[derive(Debug, Default)]
pub struct MatchingPage {
    records: Vec<Record>,
    /// For each record one for each filter.
    matches: Vec<bool>,
}

impl MatchingPage {
    /// Each record, with which of the filters it matches.
    pub fn iter(&self) -> impl Iterator<Item = (&Record, &[bool])> {
        let filters = self.matches.len().checked_div(self.records.len()).unwrap_or(0).max(1);
        self.records.iter().zip(self.matches.chunks(filters))
    }
}

impl Matching {
    fn new(records: &Records, scope: &Scope, selection: &Selection<'_>) -> Result<Self> {
        let (object, schema) = (records.object(selection.object)?, records.schema());
        let compiler = records.compiler_on(&schema, Some(scope), selection.today);
        let any = match selection.filters {
            [only] => only.clone(),
            filters if filters.contains(&Filter::everything()) => Filter::everything(),
            filters => Filter::Or(filters.to_vec()),
        };
        let of = selection.of.map(|(by, id)| Filter::compare(by.as_str(), Op::Eq, json!(id.to_string())));
        let of = of.transpose()?;
        let node = compiler.with_scope(&object, &Filter::And(of.into_iter().chain([any]).collect()))?;
        let nodes = match selection.filters {
            [_] => Vec::new(),
            several => {
                several.iter().map(|filter| compiler.filter(&object, filter)).collect::<Result<Vec<_>>>()?
            }
        };
        let narrow = node.as_ref().and_then(|node| {
            let conditions = Conditions::new(&object, node);
            match selection.of.and_then(|(by, _)| Column::of(&object, by.as_str())) {
                Some(column) => conditions.narrow_walk_from(&object, column),
                None => conditions.narrow_walk(&object),
            }
        });
        let walk = narrow.unwrap_or_else(|| records_walk(&object));
        let feed = Feed::new(&walk, false, None);
        let seen = (!walk.by_id).then(HashSet::new);
        Ok(Self { object, node, nodes, walk, feed, seen })
    }

    /// The next page, `None` after the last. A page may be empty: whoever wants to end earlier does so between two.
    ///
    /// # Errors
    /// As [`Records::list`].
    pub async fn next(&mut self, records: &Records) -> Result<Option<MatchingPage>> {
        let Some(node) = &self.node else { return Ok(None) };
        let Some(rows) = self.feed.next(records).await? else { return Ok(None) };
        let mut page = MatchingPage::default();
        for row in rows {
            if self.walk.index.is_none() && is_deleted(&row.value) {
                continue;
            }
            let Some(record) = records.row_record(&self.object, &self.walk, &row).await? else { continue };
            if record.is_deleted() || !records.matches(node, &record).await? {
                continue;
            }
            if self.seen.as_mut().is_some_and(|seen| !seen.insert(record.id)) {
                continue;
            }
            for node in &self.nodes {
                page.matches.push(records.matches(node, &record).await?);
            }
            if self.nodes.is_empty() {
                page.matches.push(true);
            }
            page.records.push(record);
        }
        Ok(Some(page))
    }
}

impl Records {
    /// Begins to visit the records that match.
    ///
    /// # Errors
    /// As [`Records::list`].
    pub fn matching(&self, scope: &Scope, selection: &Selection<'_>) -> Result<Matching> {
        Matching::new(self, scope, selection)
    }

    /// The ids of all records that match, ascending: a change of them while this runs may or may not count. It goes once along an index
    /// that narrows the matches, or else over all records of the object.
    ///
    /// # Errors
    /// [`Error::TooMany`] where more than `ids_max` match, and as [`Records::list`].
    pub async fn matching_ids(
        &self,
        scope: &Scope,
        object: &ObjectName,
        filter: &Filter,
        ids_max: usize,
    ) -> Result<Vec<RecordId>> {
        let filters = std::slice::from_ref(filter);
        let selection = Selection { object, of: None, filters, today: None };
        self.ids_of(scope, &selection, ids_max, &|| true).await
    }

    /// The ordinals of all records that match, ascending; a record that has none yet is left out. What scores and segmentations say is
    /// answered by them, without a look at a record; only where a filter says more are those read that they leave.
    ///
    /// # Errors
    /// As [`Records::list`]; [`Error::Cancelled`] once `go_on`, which is asked again and again, says no.
    pub async fn matching_ordinals(
        &self,
        scope: &Scope,
        object: &ObjectName,
        filter: &Filter,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<u64>> {
        let filters = std::slice::from_ref(filter);
        let mut matching = Matching::new(self, scope, &Selection { object, of: None, filters, today: None })?;
        let Some(node) = &matching.node else { return Ok(Vec::new()) };
        let mut ordinals = Vec::new();
        if let Some((candidates, exact)) = self.derived_ordinals(&matching.object, node) {
            if exact {
                return Ok(candidates);
            }
            return self.matching_of(matching.object.id, node, &candidates, go_on).await;
        }
        while let Some(page) = matching.next(self).await? {
            ordinals.extend(page.records.iter().filter_map(|record| record.ordinal));
            check(ordinals.len(), usize::MAX, go_on)?;
        }
        ordinals.sort_unstable();
        Ok(ordinals)
    }

    /// Those of some ordinals whose records match, in their order; one that no record has any more, or a deleted one, is left out.
    ///
    /// # Errors
    /// As [`Records::list`].
    pub async fn matching_among(
        &self,
        scope: &Scope,
        object: &ObjectName,
        filter: &Filter,
        ordinals: &[u64],
    ) -> Result<Vec<u64>> {
        let filters = std::slice::from_ref(filter);
        let matching = Matching::new(self, scope, &Selection { object, of: None, filters, today: None })?;
        let Some(node) = &matching.node else { return Ok(Vec::new()) };
        self.matching_of(matching.object.id, node, ordinals, &|| true).await
    }

    async fn matching_of(
        &self,
        object: ObjectId,
        node: &Node,
        candidates: &[u64],
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<u64>> {
        let mut ordinals = Vec::new();
        for page in candidates.chunks(PAGE_ROWS) {
            for (ordinal, record) in page.iter().zip(self.ordinal_ids(object, page).await?) {
                let Some(record) = record else { continue };
                let Some(found) = self.load(object, record).await? else { continue };
                if !found.record.is_deleted() && self.matches(node, &found.record).await? {
                    ordinals.push(*ordinal);
                }
            }
            check(ordinals.len(), usize::MAX, go_on)?;
            tokio::task::yield_now().await;
        }
        Ok(ordinals)
    }

    /// The ordinals that the scores and segmentations of a filter leave, ascending, and whether it says nothing else; `None` where it says
    /// nothing about them.
    fn derived_ordinals(&self, object: &Object, node: &Node) -> Option<(Vec<u64>, bool)> {
        let derived = self.derived()?;
        let (mut found, mut exact): (Option<Vec<u64>>, _) = (None, true);
        for conjunct in node.conjuncts() {
            let answer = match conjunct {
                Node::Test(test) => match &test.source {
                    Source::Derived(path, None) => {
                        derived.matching(object.id, path, test.op, &test.value, None, usize::MAX)
                    }
                    _ => None,
                },
                _ => None,
            };
            match (answer, &mut found) {
                (None, _) => exact = false,
                (Some(ordinals), None) => found = Some(ordinals),
                (Some(ordinals), Some(found)) => {
                    found.retain(|ordinal| ordinals.binary_search(ordinal).is_ok());
                }
            }
        }
        found.map(|found| (found, exact))
    }

    async fn ids_of(
        &self,
        scope: &Scope,
        selection: &Selection<'_>,
        ids_max: usize,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<RecordId>> {
        let mut matching = Matching::new(self, scope, selection)?;
        let mut ids = Vec::new();
        while let Some(page) = matching.next(self).await? {
            ids.extend(page.records.iter().map(|record| record.id));
            check(ids.len(), ids_max, go_on)?;
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// The ids of all records that a selection has, as [`Records::matching_ids`], in the order of fields, nulls first, and then of ids.
    /// Holds the values that decide the order of all of them, of a text no more than its first 120 bytes.
    ///
    /// # Errors
    /// As [`Records::matching_ids`]; [`Error::Query`] for a field that has no order, [`Error::Cancelled`] once `go_on`, which is asked
    /// again and again, says no.
    pub async fn matching_in_order(
        &self,
        scope: &Scope,
        selection: &Selection<'_>,
        order_by: &[FieldName],
        ids_max: usize,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<RecordId>> {
        if order_by.is_empty() {
            return self.ids_of(scope, selection, ids_max, go_on).await;
        }
        let object = self.object(selection.object)?;
        let sort = |field: &FieldName| Sort { path: Path(vec![field.clone()]), descending: false };
        let sorts: Vec<Sort> = order_by.iter().map(sort).collect();
        let schema = self.schema();
        let order = Order::new(&self.compiler(&schema, Some(scope)), &object, &sorts)?;
        let mut matching = Matching::new(self, scope, selection)?;
        let mut places: Vec<(Box<[u8]>, RecordId)> = Vec::new();
        while let Some(page) = matching.next(self).await? {
            for record in &page.records {
                // No value's bytes are the beginning of another's, so that together they sort as one after the other.
                let place = self.place(&order, record).await?;
                places.push((place.values.concat().into_boxed_slice(), record.id));
            }
            check(places.len(), ids_max, go_on)?;
        }
        places.sort_unstable();
        Ok(places.into_iter().map(|(_, id)| id).collect())
    }
}

fn check(count: usize, count_max: usize, go_on: &(dyn Fn() -> bool + Sync)) -> Result<()> {
    if !go_on() {
        return Err(Error::Cancelled);
    }
    if count > count_max {
        let what = Phrase::new("matching records", "匹配的记录数");
        return Err(Error::TooMany { what, count, count_max });
    }
    Ok(())
}
