//! What happened around a record, of whatever object, as one list: R3.
//!
//! Every object of [`SOURCES`] that refers to the record is one source, read along its own index in the order of its own time; the sources
//! are merged. What belongs to a record by `parent_object` and `parent_id` (comments, attachments) is shown with it, and that of an
//! account's contacts and deals with the account too.

use jiff::Timestamp;
use serde_json::json;
use trellis_model::{
    FieldType, Filter, ObjectDefinition, ObjectName, Op, Path, Phrase, Record, RecordId, Scope, Sort,
    SystemField, Value, bilingual,
};

use crate::query::Among;
use crate::{Error, Query, Records, Result};

/// An object whose records are events in the life of another.
struct Source {
    object: &'static str,
    /// Its moment: a date, a time or `created_at`.
    time: &'static str,
}

/// In the order in which those of the same moment are shown. A place in a timeline holds the number, so that new ones come last.
const SOURCES: [Source; 16] = [
    Source { object: "interaction", time: "occurred_at" },
    Source { object: "comment", time: "created_at" },
    Source { object: "attachment", time: "created_at" },
    Source { object: "task", time: "created_at" },
    Source { object: "event", time: "starts_at" },
    Source { object: "message", time: "created_at" },
    Source { object: "case", time: "created_at" },
    Source { object: "lead", time: "created_at" },
    Source { object: "opportunity", time: "created_at" },
    Source { object: "quote", time: "created_at" },
    Source { object: "contract", time: "created_at" },
    Source { object: "order", time: "ordered_on" },
    Source { object: "payment", time: "created_at" },
    Source { object: "campaign_member", time: "created_at" },
    Source { object: "survey_response", time: "answered_at" },
    Source { object: "campaign", time: "created_at" },
];

/// What belongs to a record by name and id instead of by a reference.
pub(crate) const PARENTED: [&str; 3] = ["comment", "attachment", "follower"];
/// Objects whose comments and attachments are shown with the account that they refer to.
const OF_ACCOUNT: [&str; 2] = ["contact", "opportunity"];
/// The choice of an interaction that is its kind in a timeline.
const CHANNEL: &str = "channel";

/// A place in a timeline: opaque to callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimelineCursor {
    at_ms: i64,
    source: usize,
    id: RecordId,
}

/// Which part of a timeline is wanted.
#[derive(Debug, Clone, Default)]
pub struct TimelineQuery {
    /// Only these: channels of interactions (`phone`, `email`…) and names of objects. Empty is everything.
    pub kinds: Vec<String>,
    /// Only what comes after this place.
    pub after: Option<TimelineCursor>,
    /// How many at most.
    pub limit: usize,
}

/// What one source is asked.
struct Asked<'a> {
    source: usize,
    filter: Filter,
    channels: Option<&'a [String]>,
    after: Option<TimelineCursor>,
    limit: usize,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineItem {
    /// The channel of an interaction, otherwise the name of the object.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// What; of which object the record says.
    pub record: Record,
    source: usize,
}

/// A part of a timeline, the newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimelinePage {
    /// What happened.
    pub items: Vec<TimelineItem>,
    /// For what happened before.
    pub next: Option<TimelineCursor>,
}

impl TimelineCursor {
    /// Reads the form that [`std::fmt::Display`] writes.
    ///
    /// # Errors
    /// [`Error::Query`] for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let read = || {
            let mut parts = text.split('.');
            let (at, source, id) = (parts.next()?, parts.next()?, parts.next()?);
            let cursor = Self {
                at_ms: at.parse().ok()?,
                source: source.parse().ok().filter(|source| *source < SOURCES.len())?,
                id: RecordId::parse(id).ok()?,
            };
            Timestamp::from_millisecond(cursor.at_ms).ok()?;
            parts.next().is_none().then_some(cursor)
        };
        read().ok_or_else(|| {
            let text: String = text.chars().take(60).collect();
            Error::Query(bilingual!("`{text}` is no cursor", "`{text}` 不是有效的游标"))
        })
    }
}

impl std::fmt::Display for TimelineCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.at_ms, self.source, self.id)
    }
}

impl TimelineItem {
    fn cursor(&self) -> TimelineCursor {
        TimelineCursor { at_ms: self.at.as_millisecond(), source: self.source, id: self.record.id }
    }

    /// The newest first; of the same moment by source, then the youngest first.
    fn order(&self) -> impl Ord + use<> {
        let TimelineCursor { at_ms, source, id } = self.cursor();
        (std::cmp::Reverse(at_ms), source, std::cmp::Reverse(id))
    }
}

impl Records {
    /// Returns what happened around a record that is not deleted, as far as the scope shows it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Query`] for a kind that there is not, [`Error::TooMany`] beyond `page_rows_max`.
    pub async fn timeline(
        &self,
        scope: &Scope,
        object: &ObjectName,
        id: RecordId,
        query: &TimelineQuery,
    ) -> Result<TimelinePage> {
        let rows_max = self.config().limits.page_rows_max;
        if query.limit > rows_max {
            let what = Phrase::new("entries in a page", "每页条目数");
            return Err(Error::TooMany { what, count: query.limit, count_max: rows_max });
        }
        if self.get(scope, object, id).await?.is_none() {
            return Err(Error::NotFound { object: object.clone(), id });
        }
        let wanted = self.wanted(&query.kinds)?;
        let parents = self.parents(scope, object, id).await?;
        let limit = query.limit.max(1);
        let (mut items, mut more) = (Vec::new(), false);
        for (source, channels) in wanted {
            for filter in self.filters(source, object, id, &parents) {
                let asked =
                    Asked { source, filter, channels: channels.as_deref(), after: query.after, limit };
                let (found, has_more) = self.happened(scope, asked).await?;
                items.extend(found);
                more |= has_more;
            }
        }
        items.sort_by_cached_key(TimelineItem::order);
        // What refers to the record in two ways was found twice.
        items.dedup_by_key(|item| item.cursor());
        more |= items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(TimelineItem::cursor);
        Ok(TimelinePage { items, next })
    }

    /// The sources that hold what is wanted, interactions with their channels where not all of them are.
    fn wanted(&self, kinds: &[String]) -> Result<Vec<(usize, Option<Vec<String>>)>> {
        let schema = self.schema();
        let options = schema
            .object("interaction")
            .and_then(|object| object.field(CHANNEL))
            .map(|field| &field.field_type);
        let is_channel = |kind: &String| match options {
            Some(FieldType::Choice { options }) => options.iter().any(|option| option.value == *kind),
            _ => false,
        };
        let is_source = |kind: &String| SOURCES.iter().any(|source| source.object == kind);
        if let Some(kind) = kinds.iter().find(|kind| !is_source(kind) && !is_channel(kind)) {
            let kind: String = kind.chars().take(60).collect();
            return Err(Error::Query(bilingual!(
                "a timeline has no entries of the kind `{kind}`",
                "时间线中没有 `{kind}` 类型的条目"
            )));
        }
        let named = |name: &str| kinds.is_empty() || kinds.iter().any(|kind| kind == name);
        let channels: Vec<String> = kinds.iter().filter(|kind| is_channel(kind)).cloned().collect();
        let sources = SOURCES.iter().enumerate().filter_map(|(place, source)| match source.object {
            name if named(name) => Some((place, None)),
            "interaction" if !channels.is_empty() => Some((place, Some(channels.clone()))),
            _ => None,
        });
        Ok(sources.collect())
    }

    /// The record, and of an account the contacts and deals that are shown with it, the youngest ones.
    async fn parents(
        &self,
        scope: &Scope,
        object: &ObjectName,
        id: RecordId,
    ) -> Result<Vec<(ObjectName, RecordId)>> {
        let mut parents = vec![(object.clone(), id)];
        if object.as_str() != "account" {
            return Ok(parents);
        }
        for name in OF_ACCOUNT {
            let name = ObjectName::new(name)?;
            let query = Query {
                filter: compare("account", Op::Eq, json!(id.to_string()))?,
                sort: vec![newest_first(SystemField::CreatedAt.name())?],
                limit: self.config().limits.timeline_related_max,
                ..Query::new(name.clone())
            };
            if query.limit > 0 {
                let page = unless_hidden(self.list(scope, &query).await)?.unwrap_or_default();
                parents.extend(page.records.iter().map(|record| (name.clone(), record.id)));
            }
        }
        Ok(parents)
    }

    /// How records of a source are found that concern a record: one filter for each reference to it, or for each parent.
    fn filters(
        &self,
        source: usize,
        object: &ObjectName,
        id: RecordId,
        parents: &[(ObjectName, RecordId)],
    ) -> Vec<Filter> {
        let schema = self.schema();
        let Some(definition) = SOURCES.get(source).and_then(|source| schema.object(source.object)) else {
            return Vec::new();
        };
        if PARENTED.contains(&definition.name.as_str()) {
            return parents.iter().filter_map(|(object, id)| of_parent(object, *id).ok()).collect();
        }
        let refers =
            |kind: &FieldType| matches!(kind, FieldType::Reference { object: target } if target == object);
        let references = definition.fields.iter().filter(|field| refers(&field.field_type));
        references
            .filter_map(|field| compare(field.name.as_str(), Op::Eq, json!(id.to_string())).ok())
            .collect()
    }

    /// What one source has, and whether it has more.
    async fn happened(&self, scope: &Scope, asked: Asked<'_>) -> Result<(Vec<TimelineItem>, bool)> {
        let Asked { source: place, filter, channels, after, limit } = asked;
        let (schema, nothing) = (self.schema(), (Vec::new(), false));
        let Some(source) = SOURCES.get(place) else { return Ok(nothing) };
        let Some(object) = schema.object(source.object) else { return Ok(nothing) };
        let filter = match channels {
            Some(channels) => Filter::And(vec![filter, compare(CHANNEL, Op::In, json!(channels))?]),
            None => filter,
        };
        let sort = vec![newest_first(source.time)?];
        let mut query = Query { filter, sort, limit, ..Query::new(object.name.clone()) };
        if let Some(after) = after {
            self.begin_after(&mut query, object, source, place, after)?;
        }
        let Some(page) = unless_hidden(self.list(scope, &query).await)? else { return Ok(nothing) };
        let more = page.next.is_some();
        let items = page.records.into_iter().filter_map(|record| self.item(object, source, place, record));
        Ok((items.collect(), more))
    }

    /// Begins a source's page after a place of the whole timeline.
    fn begin_after(
        &self,
        query: &mut Query,
        object: &ObjectDefinition,
        source: &Source,
        place: usize,
        after: TimelineCursor,
    ) -> Result<()> {
        let at =
            Timestamp::from_millisecond(after.at_ms).map_err(|_| Error::damaged("a cursor beyond time"))?;
        let among = match place.cmp(&after.source) {
            std::cmp::Ordering::Less => Among::None,
            std::cmp::Ordering::Equal => Among::Below(after.id),
            std::cmp::Ordering::Greater => Among::All,
        };
        let of_days =
            object.field(source.time).is_some_and(|field| matches!(field.field_type, FieldType::Date));
        if !of_days {
            query.begin_at(&Value::Time(at), among);
            return Ok(());
        }
        // A day stands at its first moment: what is later on that day comes before the day itself.
        let day = at.to_zoned(self.config().time_zone.clone()).date();
        let whole = self.first_moment(day).is_some_and(|first| first < at);
        query.begin_at(&Value::Date(day), if whole { Among::All } else { among });
        Ok(())
    }

    fn first_moment(&self, day: jiff::civil::Date) -> Option<Timestamp> {
        day.to_zoned(self.config().time_zone.clone()).ok().map(|first| first.timestamp())
    }

    fn item(
        &self,
        object: &ObjectDefinition,
        source: &Source,
        place: usize,
        record: Record,
    ) -> Option<TimelineItem> {
        let value = |name: &str| object.field(name).and_then(|field| record.fields.get(&field.id));
        let at = match value(source.time) {
            Some(Value::Time(time)) => *time,
            Some(Value::Date(day)) => self.first_moment(*day)?,
            _ if source.time == SystemField::CreatedAt.name() => {
                Timestamp::from_millisecond(record.created_at_ms).ok()?
            }
            _ => return None,
        };
        let kind = match value(CHANNEL) {
            Some(Value::Choice(channel)) if source.object == "interaction" => channel.clone(),
            _ => source.object.to_owned(),
        };
        Some(TimelineItem { kind, at, record, source: place })
    }
}

/// What names a record by object and id.
pub(crate) fn of_parent(object: &ObjectName, id: RecordId) -> Result<Filter> {
    Ok(Filter::And(vec![
        compare("parent_object", Op::Eq, json!(object.as_str()))?,
        compare("parent_id", Op::Eq, json!(id.to_string()))?,
    ]))
}

fn compare(field: &str, op: Op, value: serde_json::Value) -> Result<Filter> {
    Ok(Filter::Compare { path: Path::parse(field)?, op, value })
}

fn newest_first(field: &str) -> Result<Sort> {
    Ok(Sort { path: Path::parse(field)?, descending: true })
}

/// A source whose reference or time the caller must not read shows nothing.
fn unless_hidden<T>(listed: Result<T>) -> Result<Option<T>> {
    match listed {
        Err(Error::UnknownField { .. }) => Ok(None),
        listed => listed.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use trellis_storage::MemoryStore;

    use super::*;
    use crate::{Config, SystemClock, SystemIds};

    #[tokio::test]
    async fn every_source_is_a_standard_object_with_its_time() {
        let (store, ids) = (Arc::new(MemoryStore::new()), Arc::new(SystemIds::default()));
        let records = Records::open(store, Arc::new(SystemClock), ids, Config::default()).await.unwrap();
        let schema = records.schema();
        for Source { object: name, time } in SOURCES {
            let object = schema.object(name).unwrap_or_else(|| panic!("no object {name}"));
            let known = SystemField::of(time).is_some()
                || object.field(time).is_some_and(|field| {
                    field.required && matches!(field.field_type, FieldType::Date | FieldType::Time)
                });
            assert!(known, "{name}.{time}");
        }
        for name in PARENTED {
            assert!(schema.object(name).is_some_and(|object| object.field("parent_id").is_some()), "{name}");
        }
    }

    #[test]
    fn cursors_come_back_as_they_went_out() {
        let cursor = TimelineCursor { at_ms: -5, source: 3, id: RecordId(uuid::Uuid::from_u128(7)) };
        assert_eq!(TimelineCursor::parse(&cursor.to_string()).unwrap(), cursor);
        for wrong in
            ["", "1.2", "1.99.00000000-0000-0000-0000-000000000007", "1.1.x", "9223372036854775807.1.7"]
        {
            assert!(TimelineCursor::parse(wrong).is_err(), "{wrong}");
        }
    }
}
