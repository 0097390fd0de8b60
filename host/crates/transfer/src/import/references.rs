//! The records that rows refer to: found by their key, created in natural order where the mapping says so.

use std::collections::{HashMap, HashSet};

use trellis_model::{Fields, RecordId, Text, Value, bilingual};

use super::mapping::{Preset, Reference};
use super::report::{Phase, Progress};
use super::run::Import;
use super::{Result, natural_order};
use trellis_records::{Error, Write};

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

/// Finds or creates a record for each key. Stops early when the import is cancelled.
pub(super) async fn resolve(
    import: &Import<'_>,
    reference: &Reference,
    keys: HashSet<String>,
    count: &mut KeyCount,
) -> Result<Resolved> {
    let mut keys: Vec<String> = keys.into_iter().collect();
    keys.sort_by(|a, b| natural_order::compare(a, b));
    let mut resolved = Resolved::with_capacity(keys.len());
    let mut keys = keys.into_iter();
    loop {
        let chunk: Vec<String> = keys.by_ref().take(import.limits.batch_rows_max).collect();
        if chunk.is_empty() || import.is_cancelled() {
            return Ok(resolved);
        }
        count.done += chunk.len() as u64;
        resolve_chunk(import, reference, chunk, &mut resolved, count).await?;
        import.report(Progress { phase: Phase::References, done: count.done, total: Some(count.total) });
    }
}

async fn resolve_chunk(
    import: &Import<'_>,
    reference: &Reference,
    keys: Vec<String>,
    resolved: &mut Resolved,
    count: &mut KeyCount,
) -> Result<()> {
    let mut missing = Vec::new();
    let mut writes = Vec::new();
    for key in keys {
        let value = key_value(reference, &key);
        let outcome = match (find(import, reference, &key, &value).await?, &reference.create) {
            (Some(id), _) => Ok(id),
            (None, None) => Err(no_such_record(reference, &key)),
            (None, Some(presets)) => match new_record(reference, presets, &key, &value) {
                Ok(fields) => {
                    writes.push(Write::Create { object: reference.object.name.clone(), fields, id: None });
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
    let written = import.write(writes).await?;
    for ((key, value), written) in missing.into_iter().zip(written) {
        let outcome = match written {
            Ok(written) => {
                count.created += 1;
                Ok(written.record().expect("a created record is there").id)
            }
            // Somebody else created it in between, for example another import of the same file.
            Err(error @ Error::Duplicate { .. }) => match find(import, reference, &key, &value).await? {
                Some(id) => Ok(id),
                None => Err(not_created(reference, &key, &error.text())),
            },
            Err(error) => Err(not_created(reference, &key, &error.text())),
        };
        resolved.insert(key, outcome);
    }
    Ok(())
}

async fn find(
    import: &Import<'_>,
    reference: &Reference,
    key: &str,
    value: &Value,
) -> Result<Option<RecordId>> {
    let (scope, object) = (&import.caller.scope, &reference.object.name);
    let found = import.records.find_by(scope, object, &reference.key.name, value).await?;
    match (found, RecordId::parse(key)) {
        (Some(record), _) => Ok(Some(record.id)),
        (None, Ok(id)) if reference.or_id => {
            Ok(import.records.get(scope, object, id).await?.map(|record| record.id))
        }
        (None, _) => Ok(None),
    }
}

fn new_record(
    reference: &Reference,
    presets: &[Preset],
    key: &str,
    value: &Value,
) -> Result<Fields, KeyFault> {
    let mut fields = Fields::from([(reference.key.id, value.clone())]);
    for preset in presets {
        let value = preset.value(key).map_err(|error| {
            let name = &preset.field.name;
            not_created(reference, key, &bilingual!("{name}: ", "{name}：").then(&error.text()))
        })?;
        fields.insert(preset.field.id, value);
    }
    Ok(fields)
}

fn key_value(reference: &Reference, key: &str) -> Value {
    reference.key.field_type.parse_text(key).expect("a canonical key was parsed from the same type")
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
