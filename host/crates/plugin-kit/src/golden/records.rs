//! Records of a golden case, and the answers to look-ups.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Map, Value as Json};
use trellis_model::{Currency, FieldName, LookupError, Lookups, NamedRecord, ObjectName, RecordId, Value};

use super::rows::Problem;
use super::values::ValueType;

/// A record as a case writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRecord {
    /// Its object, where the case's place does not say it.
    object: Option<String>,
    /// Its id; a made-up one where it is left out.
    id: Option<String>,
    /// Its fields.
    #[serde(default)]
    fields: Map<String, Json>,
}

/// Reads records.
pub(super) struct RecordReader<'a> {
    /// What the case says of types, by field.
    pub(super) types: &'a BTreeMap<String, ValueType>,
    pub(super) base: Currency,
}

impl RecordReader<'_> {
    /// Reads a record of `object`, unless it names another itself. `number` makes up its id.
    pub(super) fn record(
        &self,
        place: &str,
        raw: &RawRecord,
        object: &str,
        number: u32,
    ) -> Result<NamedRecord, Problem> {
        let object = raw.object.as_deref().unwrap_or(object);
        let object =
            ObjectName::new(object).map_err(|error| (format!("{place}.object"), error.to_string()))?;
        let made_up = || format!("00000000-0000-7000-8000-{number:012}");
        let id = RecordId::parse(&raw.id.clone().unwrap_or_else(made_up))
            .map_err(|error| (format!("{place}.id"), error.to_string()))?;
        let fields = self.fields(&format!("{place}.fields"), &raw.fields)?;
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Ok(NamedRecord { object, id, version: 1, fields })
    }

    /// Reads fields by name, null ones included.
    pub(super) fn fields(
        &self,
        place: &str,
        raw: &Map<String, Json>,
    ) -> Result<BTreeMap<FieldName, Option<Value>>, Problem> {
        let field = |(name, json): (&String, &Json)| {
            let at = |reason: String| (format!("{place}.{name}"), reason);
            let field = FieldName::new(name).map_err(|error| at(error.to_string()))?;
            let value_type = self.types.get(name).copied().or_else(|| ValueType::of_form(json));
            let value = value_type.unwrap_or(ValueType::Text).parse(json, self.base).map_err(at)?;
            Ok((field, value))
        };
        raw.iter().map(field).collect()
    }
}

/// Answers look-ups from the records of a case: `find` and `count` take all of an object's records as matching.
#[derive(Debug, Default, Clone)]
pub(crate) struct Answers {
    records: HashMap<ObjectName, Vec<NamedRecord>>,
}

impl Answers {
    pub(super) fn read(
        reader: &RecordReader<'_>,
        raw: &BTreeMap<String, Vec<RawRecord>>,
    ) -> Result<Self, Problem> {
        let mut records = HashMap::new();
        for (object, raw) in raw {
            let place = |number: usize| format!("lookups.{object}[{number}]");
            let read = raw.iter().enumerate().map(|(number, raw)| {
                reader.record(&place(number), raw, object, 1_001 + u32::try_from(number).unwrap_or(u32::MAX))
            });
            let read = read.collect::<Result<Vec<_>, _>>()?;
            let name =
                ObjectName::new(object).map_err(|error| (format!("lookups.{object}"), error.to_string()))?;
            records.insert(name, read);
        }
        Ok(Self { records })
    }

    fn of(&self, object: &ObjectName) -> &[NamedRecord] {
        self.records.get(object).map_or(&[], Vec::as_slice)
    }
}

impl Lookups for Answers {
    fn get(&self, object: &ObjectName, id: RecordId) -> Result<Option<NamedRecord>, LookupError> {
        Ok(self.of(object).iter().find(|record| record.id == id).cloned())
    }

    fn find(&self, object: &ObjectName, _: &Json, records_max: u32) -> Result<Vec<NamedRecord>, LookupError> {
        Ok(self.of(object).iter().take(records_max as usize).cloned().collect())
    }

    fn count(&self, object: &ObjectName, _: &Json) -> Result<u64, LookupError> {
        Ok(self.of(object).len() as u64)
    }
}
