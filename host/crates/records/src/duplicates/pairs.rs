//! The queue of possible duplicates: records of the standard object `duplicate_pair`, which people decide on.

use std::collections::BTreeMap;

use trellis_model::{FieldName, Fields, Filter, ObjectName, Op, Path, Record, RecordId, Scope, Value};
use trellis_storage::{ScanRange, WriteSet};

use super::DuplicatePair;
use crate::keys::{self, Key, KeyKind};
use crate::schema::Object;
use crate::{Caller, Error, FieldChanges, Query, Records, Result, Write, Written};

/// The object of the queue.
const PAIRS: &str = "duplicate_pair";
/// Bytes of the list of fields in which two records agree.
const MATCHED_ON_BYTES_MAX: usize = 2_000;
/// What makes a pair: object and both ids, the smaller one first.
const KEY: &str = "external_id";
const OPEN: &str = "open";
const MERGED: &str = "merged";

/// What became of pairs that were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NotedPairs {
    /// Pairs that are new in the queue.
    pub created: u64,
    /// Pairs that were there with another score or rule.
    pub updated: u64,
    /// Pairs that were there as they are, those that were dismissed among them.
    pub unchanged: u64,
}

impl Records {
    /// Puts pairs of an object into the queue, each once however often it is found. A pair that was dismissed stays so; one that was
    /// merged and is found again is open again.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn note_pairs(
        &self,
        caller: &Caller,
        object: &ObjectName,
        rule: &FieldName,
        pairs: &[DuplicatePair],
    ) -> Result<NotedPairs> {
        let queue = self.object(&queue_name())?;
        let mut noted = NotedPairs::default();
        for pairs in pairs.chunks(self.config().limits.batch_rows_max) {
            let mut writes = Vec::with_capacity(pairs.len());
            for pair in pairs {
                writes.push(self.pair_write(&queue, object, rule, pair).await?);
            }
            for written in self.write_batch(caller, writes).await? {
                match written? {
                    Written::Created(_) => noted.created += 1,
                    Written::Updated(_) => noted.updated += 1,
                    _ => noted.unchanged += 1,
                }
            }
        }
        Ok(noted)
    }

    async fn pair_write(
        &self,
        queue: &Object,
        object: &ObjectName,
        rule: &FieldName,
        pair: &DuplicatePair,
    ) -> Result<Write> {
        let key = Value::Text(format!("{object}:{}:{}", pair.a, pair.b));
        let known = self.find_by(&Scope::everything(), &queue.name, &field_name(KEY), &key).await?;
        let mut matched_on = pair.matched_on.iter().map(FieldName::as_str).collect::<Vec<_>>().join(", ");
        matched_on.truncate(matched_on.floor_char_boundary(MATCHED_ON_BYTES_MAX));
        let mut values: BTreeMap<&str, Value> = BTreeMap::from([
            ("rule", Value::Text(rule.to_string())),
            ("score", Value::Number(pair.score)),
            ("matched_on", Value::Text(matched_on)),
        ]);
        let text = |record: &Record, name: &str| {
            queue.field(name).and_then(|field| record.fields.get(&field.id).cloned())
        };
        let was_merged = known.as_ref().is_some_and(|known| text(known, "state") == Some(state(MERGED)));
        if known.is_none() || was_merged {
            values.insert("state", state(OPEN));
        }
        if known.is_none() {
            values.insert("object", Value::Text(object.to_string()));
            values.insert("record_a", Value::Text(pair.a.to_string()));
            values.insert("record_b", Value::Text(pair.b.to_string()));
        }
        let mut fields: Fields =
            values.into_iter().filter_map(|(name, value)| Some((queue.field(name)?.id, value))).collect();
        let missing = || Error::UnknownField { object: queue.name.clone(), field: KEY.into() };
        let key_field = queue.field(KEY).ok_or_else(missing)?.id;
        fields.insert(key_field, key);
        Ok(Write::Upsert { object: queue.name.clone(), key_field, fields })
    }

    /// Changes when a save was warned of duplicates, so that [`Records::queue_suspects`] has something to do.
    pub fn suspects_watch(&self) -> tokio::sync::watch::Receiver<u64> {
        self.suspects.subscribe()
    }

    /// Puts what saved records look like into the queue: what saves were warned of since. Returns how many records were looked at, at
    /// most `records_max`; call it until it is 0.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn queue_suspects(&self, caller: &Caller, records_max: usize) -> Result<usize> {
        let range = ScanRange::prefix(&Key::new(KeyKind::Suspect).done());
        let page = self.store().scan(range, records_max).await?;
        let schema = self.schema();
        for row in &page.rows {
            let number = row.key.get(1..5).and_then(|bytes| bytes.first_chunk::<4>());
            let object =
                number.and_then(|number| schema.full(trellis_model::ObjectId(u32::from_be_bytes(*number))));
            if let Some((object, id)) = object.zip(keys::id_at_end(&row.key)) {
                self.queue_suspect(caller, &object, id).await?;
            }
            // A save that suspects it again meanwhile writes the key anew, and it is looked at again.
            let mut set = WriteSet::new();
            set.expect_written_at(row.key.to_vec(), row.position).delete(row.key.to_vec());
            match self.store().commit(set).await {
                Err(trellis_storage::Error::PreconditionFailed { .. }) => {}
                committed => drop(committed?),
            }
        }
        Ok(page.rows.len())
    }

    async fn queue_suspect(&self, caller: &Caller, object: &Object, id: RecordId) -> Result<()> {
        let found = self.load(object.id, id).await?.map(|found| found.record);
        let Some(record) = found.filter(|record| !record.is_deleted()) else { return Ok(()) };
        let rules = self.matching_rules(object);
        for rule in &rules {
            let found = self.search_duplicates(object, &record, std::slice::from_ref(rule)).await?;
            let pairs = found.matches.into_iter().take(self.config().limits.duplicates_max).map(|found| {
                DuplicatePair {
                    a: id.min(found.id),
                    b: id.max(found.id),
                    score: found.score,
                    matched_on: found.matched_on,
                }
            });
            let pairs: Vec<DuplicatePair> = pairs.collect();
            self.note_pairs(caller, &object.name, rule.name, &pairs).await?;
        }
        Ok(())
    }

    /// Marks the pairs that records are in which were merged away. Returns how many were open.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn settle_pairs(
        &self,
        caller: &Caller,
        object: &ObjectName,
        losers: &[RecordId],
    ) -> Result<u64> {
        let queue = self.object(&queue_name())?;
        let Some(state_field) = queue.field("state").map(|field| field.id) else { return Ok(0) };
        let mut settled = 0;
        for (loser, side) in
            losers.iter().flat_map(|loser| ["record_a", "record_b"].map(|side| (loser, side)))
        {
            let equals = |field: &str, value: String| Filter::Compare {
                path: Path(vec![field_name(field)]),
                op: Op::Eq,
                value: value.into(),
            };
            let filter = Filter::And(vec![
                equals("object", object.to_string()),
                equals(side, loser.to_string()),
                equals("state", OPEN.to_owned()),
            ]);
            loop {
                let mut query = Query::new(queue.name.clone());
                query.filter = filter.clone();
                query.limit = self.config().limits.batch_rows_max.min(self.config().limits.page_rows_max);
                let page = self.list(&Scope::everything(), &query).await?;
                let changes: FieldChanges = [(state_field, Some(state(MERGED)))].into();
                let update = |record: &Record| Write::Update {
                    object: queue.name.clone(),
                    id: record.id,
                    changes: changes.clone(),
                    expected_version: None,
                };
                let writes: Vec<Write> = page.records.iter().map(update).collect();
                if writes.is_empty() {
                    break;
                }
                for written in self.write_batch(caller, writes).await? {
                    written?;
                    settled += 1;
                }
            }
        }
        Ok(settled)
    }
}

fn queue_name() -> ObjectName {
    ObjectName::new(PAIRS).expect("a name of letters")
}

fn field_name(name: &str) -> FieldName {
    FieldName::new(name).expect("a name of letters")
}

fn state(value: &str) -> Value {
    Value::Choice(value.to_owned())
}
