//! The records that rows refer to: found by their key, created in natural order where the mapping says so.

use std::collections::HashMap;

use trellis_model::{Fields, Filter, Op, RecordId, Text, Value, bilingual};

use super::mapping::{Preset, Reference, Several};
use super::report::{Phase, Progress};
use super::run::Import;
use super::source::Keys;
use super::{Result, natural_order};
use trellis_records::{Error, Query, Write};

/// Up to so many keys of an indexed field are looked up one by one; for more the target's records are read once.
const LOOKUPS_MAX: usize = 200;

/// Keys of one mapped column, and the record that each means.
pub(super) type Resolved = HashMap<String, Result<RecordId, KeyFault>>;

/// Why a key means no record; the error of each row that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyFault {
    pub(super) code: &'static str,
    pub(super) message: Text,
}

/// How far the keys of all columns are.
#[derive(Debug)]
pub(super) struct KeyCount {
    pub(super) done: u64,
    pub(super) total: u64,
    pub(super) created: u64,
}

/// Records that have a key in a field that is not unique: the oldest, and whether there are more.
type Holders = HashMap<String, (RecordId, bool)>;

/// What a column's keys are resolved by.
struct Resolving<'a, 'i> {
    import: &'a Import<'i>,
    reference: &'a Reference,
    /// Where the field is not unique.
    holders: Option<Holders>,
}

/// Finds or creates a record for each key. Stops early when the import is cancelled.
pub(super) async fn resolve(
    import: &Import<'_>,
    reference: &Reference,
    keys: Keys,
    count: &mut KeyCount,
) -> Result<Resolved> {
    let holders = if reference.key.unique { None } else { Some(holders(import, reference, &keys).await?) };
    let resolving = Resolving { import, reference, holders };
    let mut keys: Vec<(String, Vec<String>)> = keys.into_iter().collect();
    keys.sort_by(|a, b| natural_order::compare(&a.0, &b.0));
    let mut resolved = Resolved::with_capacity(keys.len());
    let mut keys = keys.into_iter();
    loop {
        let chunk: Vec<_> = keys.by_ref().take(import.limits.batch_rows_max).collect();
        if chunk.is_empty() || import.is_cancelled() {
            return Ok(resolved);
        }
        count.done += chunk.len() as u64;
        resolving.chunk(chunk, &mut resolved, count).await?;
        import.report(Progress { phase: Phase::References, done: count.done, total: Some(count.total) });
    }
}

impl Resolving<'_, '_> {
    async fn chunk(
        &self,
        keys: Vec<(String, Vec<String>)>,
        resolved: &mut Resolved,
        count: &mut KeyCount,
    ) -> Result<()> {
        let reference = self.reference;
        let (mut missing, mut writes) = (Vec::new(), Vec::new());
        for (key, beside) in keys {
            let value = key_value(reference, &key);
            let outcome = match (self.find(&key, &value).await?, &reference.create) {
                (Some(found), _) => found,
                (None, None) => Err(no_such_record(reference, &key)),
                (None, Some(presets)) => match self.new_record(presets, &key, &value, &beside) {
                    Ok(fields) => {
                        writes.push(Write::Create {
                            object: reference.object.name.clone(),
                            fields,
                            id: None,
                        });
                        missing.push((key, value));
                        continue;
                    }
                    Err(fault) => Err(fault),
                },
            };
            resolved.insert(key, outcome);
        }
        if writes.is_empty() {
            return Ok(());
        }
        let written = self.import.write_references(reference.object.id, writes, count.created).await?;
        for ((key, value), written) in missing.into_iter().zip(written) {
            let outcome = match written {
                Ok(written) => {
                    count.created += 1;
                    Ok(written.record().expect("a created record is there").id)
                }
                // Somebody else created it in between, for example another import of the same file.
                Err(error @ Error::Duplicate { .. }) => match self.find(&key, &value).await? {
                    Some(found) => found,
                    None => Err(not_created(reference, &key, &error.text())),
                },
                Err(error) => Err(not_created(reference, &key, &error.text())),
            };
            resolved.insert(key, outcome);
        }
        Ok(())
    }

    async fn find(&self, key: &str, value: &Value) -> Result<Option<Result<RecordId, KeyFault>>> {
        let (import, reference) = (self.import, self.reference);
        let (scope, object) = (&import.caller.scope, &reference.object.name);
        let found = match &self.holders {
            Some(holders) => match holders.get(key) {
                Some((_, true)) if reference.several == Several::Error => {
                    return Ok(Some(Err(ambiguous(reference, key))));
                }
                holder => holder.map(|(id, _)| *id),
            },
            None => {
                let found = import.records.find_by(scope, object, &reference.key.name, value).await?;
                found.map(|record| record.id)
            }
        };
        match (found, RecordId::parse(key)) {
            (Some(id), _) => Ok(Some(Ok(id))),
            (None, Ok(id)) if reference.or_id => {
                Ok(import.records.get(scope, object, id).await?.map(|record| Ok(record.id)))
            }
            (None, _) => Ok(None),
        }
    }

    fn new_record(
        &self,
        presets: &[Preset],
        key: &str,
        value: &Value,
        beside: &[String],
    ) -> Result<Fields, KeyFault> {
        let mut fields = Fields::from([(self.reference.key.id, value.clone())]);
        for preset in presets {
            let value = preset.value(key, beside, self.import.zone()).map_err(|error| {
                let name = &preset.field.name;
                let reason = bilingual!("{name}: ", "{name}：").then(&error.text());
                not_created(self.reference, key, &reason)
            })?;
            fields.extend(value.map(|value| (preset.field.id, value)));
        }
        Ok(fields)
    }
}

/// The records that have one of the keys in a field that is not unique.
async fn holders(import: &Import<'_>, reference: &Reference, keys: &Keys) -> Result<Holders> {
    let mut holders = Holders::new();
    if keys.len() <= LOOKUPS_MAX && reference.key.indexed {
        for key in keys.keys() {
            let value = key_value(reference, key).to_json();
            let filter = Filter::compare(reference.key.name.as_str(), Op::Eq, value);
            let filter = filter.map_err(|error| Error::Query(error.text()))?;
            let query = Query { filter, limit: 2, ..Query::new(reference.object.name.clone()) };
            let page = import.records.list(&import.caller.scope, &query).await?;
            if let Some(first) = page.records.first() {
                holders.insert(key.clone(), (first.id, page.records.len() > 1));
            }
        }
        return Ok(holders);
    }
    let limit = import.records.config().limits.page_rows_max;
    let mut query = Query { limit, ..Query::new(reference.object.name.clone()) };
    loop {
        let page = import.records.list(&import.caller.scope, &query).await?;
        for record in &page.records {
            let Some(key) = record.fields.get(&reference.key.id).map(Value::canonical) else { continue };
            if keys.contains_key(&key) {
                holders.entry(key).and_modify(|(_, more)| *more = true).or_insert((record.id, false));
            }
        }
        query.after = page.next;
        if query.after.is_none() || import.is_cancelled() {
            return Ok(holders);
        }
    }
}

fn key_value(reference: &Reference, key: &str) -> Value {
    let field_type = &reference.key.field_type;
    field_type.parse_text(key).expect("a canonical key was parsed from the same type")
}

fn ambiguous(reference: &Reference, key: &str) -> KeyFault {
    let (object, field) = (&reference.object.name, &reference.key.name);
    let message = bilingual!(
        "there are several {object} with {field} `{key}`",
        "有多个 {field} 为 `{key}` 的 {object}"
    );
    KeyFault { code: "reference_ambiguous", message }
}

fn no_such_record(reference: &Reference, key: &str) -> KeyFault {
    let (object, field) = (&reference.object.name, &reference.key.name);
    let message =
        bilingual!("there is no {object} with {field} `{key}`", "没有 {field} 为 `{key}` 的 {object}");
    KeyFault { code: "reference_missing", message }
}

fn not_created(reference: &Reference, key: &str, reason: &Text) -> KeyFault {
    let (object, field) = (&reference.object.name, &reference.key.name);
    let message = bilingual!(
        "{object} with {field} `{key}` could not be created: ",
        "无法创建 {field} 为 `{key}` 的 {object}："
    );
    KeyFault { code: "reference_not_created", message: message.then(reason) }
}
