//! Pages of records.

mod rank;
mod text;

use std::collections::BTreeSet;

use trellis_model::{FieldName, Filter, ObjectName, Phrase, Record, RecordId, Scope, Text, Value, bilingual};
use trellis_storage::{Row, Versioned};

use super::compile::{Node, Source};
use super::evaluate::ask;
use super::feed::{Feed, PAGE_ROWS, place_of};
use super::plan::{Conditions, Walk, records_walk};
use super::sort::{Order, Place};
use super::{Cursor, Deleted, Plan, Query, RecordPage, Total};
use crate::codec::record::is_deleted;
use crate::ordinals::id_of;
use crate::schema::Object;
use crate::{Error, Records, Result, keys};

/// A query that met the schema.
struct Prepared<'a> {
    object: Object,
    node: Node,
    order: Order,
    limit: usize,
    deleted: Deleted,
    /// Where the page begins, and whether it is read backwards from there.
    from: Option<Place>,
    backward: bool,
    digest: [u8; 8],
    scope: &'a Scope,
    computed: Option<&'a BTreeSet<FieldName>>,
}

/// Matches in the order in which they were found.
#[derive(Default)]
struct Found {
    records: Vec<(Place, Record)>,
    /// Whether there are more than asked for.
    more: bool,
    /// Where the search stopped, where it stopped at its limit.
    stopped: Option<Place>,
    plan: Plan,
}

impl Records {
    /// Returns a page of records.
    ///
    /// # Errors
    /// [`Error::UnknownField`], [`Error::Query`] for what cannot be asked, [`Error::TooMany`].
    pub async fn list(&self, scope: &Scope, query: &Query) -> Result<RecordPage> {
        let object = self.object(&query.object)?;
        let limits = &self.config().limits;
        let too_many = |what, count, count_max| Err(Error::TooMany { what, count, count_max });
        if query.limit > limits.page_rows_max {
            return too_many(
                Phrase::new("records in a page", "每页记录数"),
                query.limit,
                limits.page_rows_max,
            );
        }
        if query.sort.len() > limits.sorts_max {
            return too_many(Phrase::new("sort fields", "排序字段数"), query.sort.len(), limits.sorts_max);
        }
        let schema = self.schema();
        let compiler = self.compiler(&schema, Some(scope));
        let order = Order::new(&compiler, &object, &query.sort)?;
        let Some(node) = compiler.with_scope(&object, &query.filter)? else {
            return Ok(RecordPage::default());
        };
        let digest = digest(query);
        let text = self.text_matches(scope, &object, query)?;
        let (from, backward) = start(query, text::place_values(query, &order), digest)?;
        let prepared = Prepared {
            object,
            node,
            order,
            limit: query.limit.max(1),
            deleted: query.deleted,
            from,
            backward,
            digest,
            scope,
            computed: query.computed.as_ref(),
        };
        let found = match &text {
            Some(text) => self.search_text(&prepared, query.sort.is_empty(), text).await?,
            None => self.search(&prepared).await?,
        };
        let total = match (query.total, &text) {
            (Total::None, _) => None,
            (Total::Exact, Some(text)) => Some(self.count_text(&prepared, text).await?),
            (Total::Exact, None) => {
                self.count_matches(&prepared.object, &prepared.node, query.deleted).await?
            }
        };
        let cut = text.is_some_and(|text| !text.complete);
        Ok(RecordPage { total_cut: cut, ..self.page(&prepared, found, total) })
    }

    /// Counts the records that match.
    ///
    /// # Errors
    /// As [`Records::list`]; [`Error::Query`] too where `count_rows_max` records do not suffice.
    pub async fn count(&self, scope: &Scope, object: &ObjectName, filter: &Filter) -> Result<u64> {
        let object = self.object(object)?;
        let schema = self.schema();
        let compiler = self.compiler(&schema, Some(scope));
        let Some(node) = compiler.with_scope(&object, filter)? else { return Ok(0) };
        let count = self.count_matches(&object, &node, Deleted::Hide).await?;
        count.ok_or_else(|| {
            let (max, plural) = (self.config().limits.count_rows_max, &object.plural);
            Error::Query(bilingual!(
                "more than {max} {plural} to look at",
                "需要查看的 {plural} 超过 {max} 条"
            ))
        })
    }

    fn page(&self, query: &Prepared<'_>, mut found: Found, total: Option<u64>) -> RecordPage {
        let cursor =
            |place: &Place| Cursor { query: query.digest, values: place.values.clone(), id: place.id };
        let further = match (&found.stopped, found.records.last()) {
            (Some(stopped), _) => Some(cursor(stopped)),
            (None, Some((last, _))) if found.more => Some(cursor(last)),
            _ => None,
        };
        // Going on from a cursor, there is something on its other side: the page that it came from.
        let back =
            query.from.as_ref().map(|from| cursor(found.records.first().map_or(from, |(first, _)| first)));
        if query.backward {
            found.records.reverse();
        }
        let (next, prev) = if query.backward { (back, further) } else { (further, back) };
        let readable = |(_, record)| self.readable_with(query.scope, &query.object, record, query.computed);
        RecordPage {
            records: found.records.into_iter().map(readable).collect(),
            next,
            prev,
            total,
            total_cut: false,
            plan: found.plan,
        }
    }

    async fn search(&self, query: &Prepared<'_>) -> Result<Found> {
        let limits = &self.config().limits;
        if query.deleted == Deleted::Only {
            let walk = records_walk(&query.object);
            return if query.order.by_id() {
                self.walk(query, walk).await
            } else {
                self.gather_all(query, walk).await
            };
        }
        let conditions = Conditions::new(&query.object, &query.node);
        if let Some(ids) = self.few_ids(&conditions).await? {
            return self.gather(query, ids, Plan { index: Some("id".into()), ..Plan::default() }).await;
        }
        let ordered = conditions.ordered_walk(&query.object, &query.order);
        let rows_max = if ordered.is_some() { limits.gather_rows_max } else { limits.scan_rows_max };
        // Equalities that give the order too are best; a few matches that have to be sorted come next.
        if let Some(walk) = ordered.clone().filter(|walk| walk.equals > 0) {
            return self.walk(query, walk).await;
        }
        if let Some((ids, plan)) = self.derived_ids(&query.object, &conditions, rows_max).await? {
            return self.gather(query, ids, plan).await;
        }
        let narrow = conditions.narrow_walk(&query.object);
        // A range that gives the order needs no gathering either.
        let narrow =
            narrow.filter(|narrow| narrow.equals > 0 || ordered.as_ref().is_none_or(|ordered| ordered.whole));
        if let Some(narrow) = narrow {
            let plan = Plan { index: narrow.index.clone(), ..Plan::default() };
            if let Some(ids) = self.index_ids(&narrow, rows_max).await? {
                return self.gather(query, ids, plan).await;
            }
        }
        match ordered {
            Some(walk) => self.walk(query, walk).await,
            None => match self.ranked(query).await? {
                Some(found) => Ok(found),
                None => self.gather_all(query, records_walk(&query.object)).await,
            },
        }
    }

    pub(super) async fn few_ids(&self, conditions: &Conditions<'_>) -> Result<Option<Vec<RecordId>>> {
        if let Some(ids) = &conditions.ids {
            return Ok(Some(ids.clone()));
        }
        let Some(key) = &conditions.unique else { return Ok(None) };
        let holder = self.store().get(key).await?;
        Ok(Some(holder.map(|holder| id_of(&holder.value)).transpose()?.into_iter().collect()))
    }

    /// Ids by a derived field; `None` where there are too many or the field cannot say.
    pub(super) async fn derived_ids(
        &self,
        object: &Object,
        conditions: &Conditions<'_>,
        rows_max: usize,
    ) -> Result<Option<(Vec<RecordId>, Plan)>> {
        let (Some(test), Some(derived)) = (conditions.derived, self.derived()) else { return Ok(None) };
        let Source::Derived(path, kind) = &test.source else { return Ok(None) };
        let matching = match kind {
            Some(_) => {
                let mut wanted = |value: Option<&Value>| ask(value, &test.test) == Some(true);
                derived.select(object.id, path, None, rows_max + 1, &mut wanted)
            }
            None => derived.matching(object.id, path, test.op, &test.value, None, rows_max + 1),
        };
        let Some(ordinals) = matching.filter(|ordinals| ordinals.len() <= rows_max) else { return Ok(None) };
        let ids = self.ordinal_ids(object.id, &ordinals).await?;
        Ok(Some((
            ids.into_iter().flatten().collect(),
            Plan { index: Some(path.to_string()), ..Plan::default() },
        )))
    }

    /// The ids of an index's rows; `None` where there are more than `rows_max`.
    async fn index_ids(&self, walk: &Walk, rows_max: usize) -> Result<Option<Vec<RecordId>>> {
        let mut ids = Vec::new();
        let mut range = walk.range.clone();
        loop {
            let page = self.store().scan(range.clone(), PAGE_ROWS).await?;
            for row in &page.rows {
                ids.push(
                    keys::id_at_end(&row.key).ok_or_else(|| Error::damaged("an index key is too short"))?,
                );
            }
            match page.rows.last() {
                _ if ids.len() > rows_max => return Ok(None),
                Some(last) if page.more => range = range.after(&last.key),
                _ => return Ok(Some(ids)),
            }
            tokio::task::yield_now().await;
        }
    }

    /// Sorts all matches among `ids` and takes the page out of them.
    async fn gather(&self, query: &Prepared<'_>, mut ids: Vec<RecordId>, mut plan: Plan) -> Result<Found> {
        ids.sort_unstable();
        ids.dedup();
        plan.rows_read = ids.len();
        let mut records = Vec::new();
        for (place, id) in ids.into_iter().enumerate() {
            if place % PAGE_ROWS == PAGE_ROWS - 1 {
                tokio::task::yield_now().await;
            }
            let Some(found) = self.load(query.object.id, id).await? else { continue };
            self.keep(query, found.record, &mut records).await?;
        }
        Ok(cut(query, records, plan))
    }

    /// Reads all records to sort the matches; an error where there are too many of them.
    async fn gather_all(&self, query: &Prepared<'_>, walk: Walk) -> Result<Found> {
        let mut feed = Feed::new(&walk, false, None);
        let (mut records, mut plan) = (Vec::new(), Plan::default());
        while let Some(rows) = feed.next(self).await? {
            plan.rows_read += rows.len();
            if plan.rows_read > self.config().limits.scan_rows_max {
                let (max, plural) = (self.config().limits.scan_rows_max, &query.object.plural);
                return Err(Error::Query(bilingual!(
                    "{plural} cannot be sorted so: there is no index for it, and more than {max} to look at",
                    "{plural} 不能这样排序：没有对应的索引，且需要查看的超过 {max} 条"
                )));
            }
            for row in rows {
                if is_deleted(&row.value) != (query.deleted == Deleted::Only) {
                    continue;
                }
                if let Some(record) = self.row_record(&query.object, &walk, &row).await? {
                    self.keep(query, record, &mut records).await?;
                }
            }
        }
        Ok(cut(query, records, plan))
    }

    /// Adds a record that matches and lies beyond the cursor.
    async fn keep(
        &self,
        query: &Prepared<'_>,
        record: Record,
        records: &mut Vec<(Place, Record)>,
    ) -> Result<()> {
        if record.is_deleted() != (query.deleted == Deleted::Only)
            || !self.matches(&query.node, &record).await?
        {
            return Ok(());
        }
        let place = self.place(&query.order, &record).await?;
        let beyond = query.from.as_ref().is_none_or(|from| {
            let ordering = query.order.compare(&place, from);
            if query.backward { ordering.is_lt() } else { ordering.is_gt() }
        });
        if beyond {
            records.push((place, record));
        }
        Ok(())
    }

    /// Goes along an index, or the records, in the order that is asked for, until the page is full or the limit reached.
    async fn walk(&self, query: &Prepared<'_>, walk: Walk) -> Result<Found> {
        let reverse = query.order.descending() != query.backward;
        let mut feed = Feed::new(&walk, reverse, query.from.as_ref());
        let mut found =
            Found { plan: Plan { index: walk.index.clone(), ..Plan::default() }, ..Found::default() };
        while let Some(rows) = feed.next(self).await? {
            for row in rows {
                if found.plan.rows_read >= self.config().limits.scan_rows_max {
                    found.plan.budget_spent = true;
                    found.stopped = feed.place_before(&walk, query.order.values());
                    return Ok(found);
                }
                feed.pass(&row);
                found.plan.rows_read += 1;
                if walk.index.is_none() && is_deleted(&row.value) != (query.deleted == Deleted::Only) {
                    continue;
                }
                let Some(record) = self.row_record(&query.object, &walk, &row).await? else { continue };
                if record.is_deleted() != (query.deleted == Deleted::Only)
                    || !self.matches(&query.node, &record).await?
                {
                    continue;
                }
                if found.records.len() == query.limit {
                    found.more = true;
                    return Ok(found);
                }
                found
                    .records
                    .extend(place_of(&walk, &row, query.order.values()).map(|place| (place, record)));
            }
        }
        Ok(found)
    }

    /// The record of a row of a walk.
    pub(super) async fn row_record(&self, object: &Object, walk: &Walk, row: &Row) -> Result<Option<Record>> {
        let id = keys::id_at_end(&row.key).ok_or_else(|| Error::damaged("an index key is too short"))?;
        if walk.index.is_none() {
            let versioned = Versioned { position: row.position, value: row.value.clone() };
            if let Some(loaded) = self.decode(object.id, id, &row.key, &versioned).await? {
                return Ok(Some(loaded.record));
            }
        }
        Ok(self.load(object.id, id).await?.map(|loaded| loaded.record))
    }

    /// Counts matches; `None` where there is more to look at than the limit allows.
    async fn count_matches(&self, object: &Object, node: &Node, deleted: Deleted) -> Result<Option<u64>> {
        let conditions = Conditions::new(object, node);
        let (walk, exact) = match (deleted, conditions.exact_walk(object)) {
            (Deleted::Hide, Some(walk)) => (walk, true),
            (Deleted::Hide, None) => {
                (conditions.narrow_walk(object).unwrap_or_else(|| records_walk(object)), false)
            }
            (Deleted::Only, _) => (records_walk(object), false),
        };
        let mut feed = Feed::new(&walk, false, None);
        let (mut read, mut count) = (0, 0);
        while let Some(rows) = feed.next(self).await? {
            read += rows.len();
            if read > self.config().limits.count_rows_max {
                return Ok(None);
            }
            if exact {
                count += rows.len() as u64;
                continue;
            }
            for row in rows {
                if walk.index.is_none() && is_deleted(&row.value) != (deleted == Deleted::Only) {
                    continue;
                }
                if walk.index.is_none() && conditions.match_everything() {
                    count += 1;
                    continue;
                }
                let Some(record) = self.row_record(object, &walk, &row).await? else { continue };
                let counts =
                    record.is_deleted() == (deleted == Deleted::Only) && self.matches(node, &record).await?;
                count += u64::from(counts);
            }
        }
        Ok(Some(count))
    }
}

/// Sorts matches and keeps a page of them.
fn cut(query: &Prepared<'_>, mut records: Vec<(Place, Record)>, plan: Plan) -> Found {
    records.sort_by(|(a, _), (b, _)| query.order.compare(a, b));
    if query.backward {
        records.reverse();
    }
    let more = records.len() > query.limit;
    records.truncate(query.limit);
    Found { records, more, stopped: None, plan }
}

fn start(query: &Query, values: usize, digest: [u8; 8]) -> Result<(Option<Place>, bool)> {
    let (cursor, backward) = match (&query.after, &query.before) {
        (Some(_), Some(_)) => {
            let (en, zh) = ("`after` and `before` cannot stand together", "`after` 与 `before` 不能同时使用");
            return Err(Error::Query(Text::new(en, zh)));
        }
        (Some(after), None) => (after, false),
        (None, Some(before)) => (before, true),
        (None, None) => return Ok((None, false)),
    };
    if cursor.query != digest || cursor.values.len() != values {
        return Err(Error::Query(Text::new("the cursor is of another query", "该游标属于另一个查询")));
    }
    Ok((Some(Place { values: cursor.values.clone(), id: cursor.id }), backward))
}

/// What a cursor must agree with: object, filter, order.
pub(super) fn digest(query: &Query) -> [u8; 8] {
    let sorts: Vec<String> = query
        .sort
        .iter()
        .map(|sort| format!("{}{}", if sort.descending { "-" } else { "" }, sort.path))
        .collect();
    let mut text =
        format!("{}\n{}\n{}\n{:?}", query.object, query.filter.to_json(), sorts.join(","), query.deleted);
    query.text.iter().for_each(|words| text.extend(["\n", words]));
    let hash = blake3::hash(text.as_bytes());
    hash.as_bytes().first_chunk::<8>().copied().unwrap_or_default()
}
