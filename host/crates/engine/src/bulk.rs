//! The job that makes one change to all records that a filter matches.

use serde_json::{Map, Value as Json, json};
use trellis_model::{Cause, Filter, ObjectDefinition, ObjectName, RecordId};
use trellis_records::{Caller, FieldChanges, Write, Written};

use crate::{Error, Result, core::Core, jobs::Running};

/// Records of one write set.
const CHUNK_RECORDS: usize = 200;
/// Refusals that the result names; the others are counted.
const REFUSALS_KEPT: usize = 100;

/// What is done to each record.
#[derive(Debug, Clone, PartialEq)]
pub enum BulkChange {
    /// Fields get these values, as the API writes them; null empties a field.
    Set(Map<String, Json>),
    /// It is deleted, so that it can be restored.
    Delete,
}

/// What became of the records so far.
#[derive(Debug, Default)]
struct Tally {
    changed: u64,
    unchanged: u64,
    refused: u64,
    refusals: Vec<Json>,
}

/// Makes the change. Called again where a stop of the server interrupted it: what was changed before stays so and is not counted again.
pub(crate) fn run(
    core: &Core,
    job: &Running<'_>,
    object: &str,
    filter: &str,
    change: &BulkChange,
    automations: bool,
) -> Result<Json> {
    let damaged = |reason: String| Error::Damaged { what: format!("request of job {}: {reason}", job.id()) };
    let name = ObjectName::new(object).map_err(|error| damaged(error.to_string()))?;
    let filter: Json = serde_json::from_str(filter).map_err(|error| damaged(error.to_string()))?;
    let filter = Filter::parse(&filter).map_err(|error| damaged(error.to_string()))?;
    let caller = job.caller();
    let cause =
        Cause { automations_off: caller.cause.automations_off || !automations, ..caller.cause.clone() };
    let caller = Caller { cause, ..caller.clone() };

    let ids_max = core.config.bulk_records_max;
    let ids = job.wait(core.records.matching_ids(&caller.scope, &name, &filter, ids_max))?;
    let total = ids.len() as u64;
    let mut tally = Tally::default();
    for (place, chunk) in ids.chunks(CHUNK_RECORDS).enumerate() {
        job.check()?;
        job.progress((place * CHUNK_RECORDS) as u64, Some(total), "records");
        let writes = writes(core, &name, chunk, change)?;
        let written = job.wait(core.records.write_batch(&caller, writes))?;
        for (id, result) in chunk.iter().zip(written) {
            tally.add(*id, result);
        }
    }
    job.progress(total, Some(total), "records");
    Ok(tally.into_json(total))
}

fn writes(core: &Core, name: &ObjectName, ids: &[RecordId], change: &BulkChange) -> Result<Vec<Write>> {
    let changes = match change {
        BulkChange::Set(fields) => {
            let schema = core.records.schema();
            let unknown = || trellis_records::Error::UnknownObject { name: name.to_string() };
            Some(field_changes(schema.object(name.as_str()).ok_or_else(unknown)?, fields)?)
        }
        BulkChange::Delete => None,
    };
    let write = |id: &RecordId| match &changes {
        Some(changes) => {
            Write::Update { object: name.clone(), id: *id, changes: changes.clone(), expected_version: None }
        }
        None => Write::Delete { object: name.clone(), id: *id, expected_version: None },
    };
    Ok(ids.iter().map(write).collect())
}

/// The fields by their numbers.
pub(crate) fn field_changes(object: &ObjectDefinition, fields: &Map<String, Json>) -> Result<FieldChanges> {
    let change = |(name, json): (&String, &Json)| {
        let field = object.field(name).ok_or_else(|| trellis_records::Error::UnknownField {
            object: object.name.clone(),
            field: name.clone(),
        })?;
        Ok((field.id, field.field_type.parse_json(json).map_err(trellis_records::Error::from)?))
    };
    fields.iter().map(change).collect()
}

impl Tally {
    fn add(&mut self, id: RecordId, result: trellis_records::Result<Written>) {
        match result {
            Ok(Written::Unchanged(_)) => self.unchanged += 1,
            Ok(_) => self.changed += 1,
            // Somebody else deleted it meanwhile.
            Err(trellis_records::Error::NotFound { .. }) => self.unchanged += 1,
            Err(error) => {
                self.refused += 1;
                if self.refusals.len() < REFUSALS_KEPT {
                    let text = error.text();
                    let message = json!({ "en": text.en, "zh-CN": text.zh_cn });
                    self.refusals
                        .push(json!({ "id": id.to_string(), "code": error.code(), "message": message }));
                }
            }
        }
    }

    fn into_json(self, matched: u64) -> Json {
        json!({
            "matched": matched,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "errors": self.refusals,
        })
    }
}
