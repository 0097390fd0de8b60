//! `host-lookups`: questions about records, answered while a guest decides.
//!
//! The manifest says which objects and fields a guest may ask about; whoever makes the call brings the answers. Time that they take is the call's:
//! somebody waits for it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trellis_model::{FieldName, Filter, LookupError, Lookups, NamedRecord, ObjectName, RecordId};

use super::bindings::trellis::plugin::host_lookups::{Host, LookupError as WitError};
use super::bindings::trellis::plugin::values::ObjectRecord;
use crate::call::{CallState, cpu_time};
use crate::convert;
use crate::manifest::LookupGrant;

/// Records of one answer.
const RECORDS_MAX: u32 = 200;
/// Bytes of one filter.
const FILTER_BYTES_MAX: usize = 64 << 10;

/// Answers the look-ups of one call, a limited number of them.
pub(crate) struct LookupDesk {
    answers: Option<Arc<dyn Lookups>>,
    grants: Arc<[LookupGrant]>,
    lookups_max: u32,
    made: u32,
    took: Duration,
    /// Processor time of this thread within `took`.
    cpu: Duration,
}

/// What may be asked about one object.
type Granted = (ObjectName, BTreeSet<FieldName>);

impl LookupDesk {
    pub(crate) fn new(
        answers: Option<Arc<dyn Lookups>>,
        grants: Arc<[LookupGrant]>,
        lookups_max: u32,
    ) -> Self {
        Self { answers, grants, lookups_max, made: 0, took: Duration::ZERO, cpu: Duration::ZERO }
    }

    #[cfg(test)]
    pub(crate) fn closed() -> Self {
        Self::new(None, Arc::new([]), 0)
    }

    pub(crate) fn made(&self) -> u32 {
        self.made
    }

    pub(crate) fn took(&self) -> Duration {
        self.took
    }

    /// How much of it this thread did nothing.
    pub(crate) fn slept(&self) -> Duration {
        self.took.saturating_sub(self.cpu)
    }

    /// Counts a look-up and returns what may be asked about the object.
    fn granted(&mut self, object: &str) -> Result<Granted, WitError> {
        self.made = self.made.saturating_add(1);
        if self.answers.is_none() {
            let reason = "calls on batches and models have no look-ups: declare a column of the dataset in plugin.toml";
            return Err(WitError::Denied(reason.to_owned()));
        }
        if self.made > self.lookups_max {
            return Err(WitError::TooMany(self.lookups_max));
        }
        let grant = self.grants.iter().find(|grant| grant.object.as_str() == object);
        let grant = grant.ok_or_else(|| {
            WitError::Denied(format!("object `{object}`: add it as `[[lookups]]` to plugin.toml"))
        })?;
        Ok((grant.object.clone(), grant.fields.clone()))
    }

    /// Asks and takes the time.
    fn ask<T>(&mut self, ask: impl FnOnce(&dyn Lookups) -> Result<T, LookupError>) -> Result<T, WitError> {
        let (began, cpu_before) = (Instant::now(), cpu_time());
        let answer = self
            .answers
            .as_deref()
            .map_or_else(|| Err(LookupError::Failed("there is nobody to ask".to_owned())), ask);
        self.took += began.elapsed();
        self.cpu += cpu_time().saturating_sub(cpu_before);
        answer.map_err(|error| match error {
            LookupError::Denied(reason) => WitError::Denied(reason),
            LookupError::Invalid(reason) => WitError::Invalid(reason),
            LookupError::TooMany(limit) => WitError::TooMany(limit),
            LookupError::Failed(reason) => WitError::Failed(reason),
        })
    }

    fn get(&mut self, object: &str, id: &str) -> Result<Option<ObjectRecord>, WitError> {
        let (object, fields) = self.granted(object)?;
        let id = RecordId::parse(id).map_err(|error| WitError::Invalid(error.to_string()))?;
        let record = self.ask(|answers| answers.get(&object, id))?;
        Ok(record.map(|record| shown(&record, &fields)))
    }

    fn find(&mut self, object: &str, filter: &str, records_max: u32) -> Result<Vec<ObjectRecord>, WitError> {
        let (object, fields) = self.granted(object)?;
        if records_max > RECORDS_MAX {
            return Err(WitError::Invalid(format!("{records_max} records, at most {RECORDS_MAX}")));
        }
        let filter = checked_filter(filter, &object, &fields)?;
        let records = self.ask(|answers| answers.find(&object, &filter, records_max))?;
        Ok(records.iter().take(records_max as usize).map(|record| shown(record, &fields)).collect())
    }

    fn count(&mut self, object: &str, filter: &str) -> Result<u64, WitError> {
        let (object, fields) = self.granted(object)?;
        let filter = checked_filter(filter, &object, &fields)?;
        self.ask(|answers| answers.count(&object, &filter))
    }
}

fn shown(record: &NamedRecord, fields: &BTreeSet<FieldName>) -> ObjectRecord {
    convert::record_to_guest(record, fields)
}

/// Reads a filter and checks that it compares nothing but granted fields: comparing a field tells its value.
fn checked_filter(
    text: &str,
    object: &ObjectName,
    fields: &BTreeSet<FieldName>,
) -> Result<serde_json::Value, WitError> {
    if text.len() > FILTER_BYTES_MAX {
        return Err(WitError::Invalid(format!(
            "a filter of {} bytes, at most {FILTER_BYTES_MAX}",
            text.len()
        )));
    }
    let json = serde_json::from_str(text).map_err(|error| WitError::Invalid(format!("no JSON: {error}")))?;
    let filter = Filter::parse(&json).map_err(|error| WitError::Invalid(error.to_string()))?;
    check_fields(&filter, object, fields).map_err(WitError::Denied)?;
    Ok(json)
}

fn check_fields(filter: &Filter, object: &ObjectName, fields: &BTreeSet<FieldName>) -> Result<(), String> {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => {
            parts.iter().try_for_each(|part| check_fields(part, object, fields))
        }
        Filter::Not(part) => check_fields(part, object, fields),
        Filter::Compare { path, .. } => match path.single() {
            // The id of a record is always shown.
            Some(field) if field.as_str() == "id" || fields.contains(field) => Ok(()),
            Some(field) => Err(format!(
                "field `{field}` of `{object}`: add it to `fields` of its `[[lookups]]` in plugin.toml"
            )),
            None => Err(format!("look-ups of `{object}` compare its own fields, none of other records")),
        },
        Filter::Related(related) => {
            Err(format!("`{}`: look up the other object by its reference instead", related.related))
        }
    }
}

impl CallState {
    /// A look-up may outlast the call; what it found then helps nobody.
    fn looked_up<T>(&self, answer: Result<T, WitError>) -> wasmtime::Result<Result<T, WitError>> {
        self.check_time()?;
        Ok(answer)
    }
}

impl Host for CallState {
    fn get_record(
        &mut self,
        object: String,
        id: String,
    ) -> wasmtime::Result<Result<Option<ObjectRecord>, WitError>> {
        let answer = self.lookups.get(&object, &id);
        self.looked_up(answer)
    }

    fn find_records(
        &mut self,
        object: String,
        filter: String,
        records_max: u32,
    ) -> wasmtime::Result<Result<Vec<ObjectRecord>, WitError>> {
        let answer = self.lookups.find(&object, &filter, records_max);
        self.looked_up(answer)
    }

    fn count_records(&mut self, object: String, filter: String) -> wasmtime::Result<Result<u64, WitError>> {
        let answer = self.lookups.count(&object, &filter);
        self.looked_up(answer)
    }
}
