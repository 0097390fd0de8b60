//! Made-up rows and records that fit a manifest.

use std::collections::{BTreeMap, BTreeSet};

use trellis_model::{
    Batch, Column, ColumnData, FieldName, NamedRecord, ObjectName, RecordId, Validity, Value,
};
use trellis_plugin_host::manifest::{Aggregate, ColumnSource};
use trellis_plugin_host::{CallContext, Manifest};

use super::FieldTypes;
use super::random::Random;
use super::scalar::{Kind, Scalar, scalar};
use crate::golden::{Cases, ValueType};

/// Which values made-up data has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// What a company has.
    Usual,
    /// What is extreme and still possible.
    Extreme,
    /// Nothing at all.
    Null,
    /// All of these.
    Mixed,
}

/// Makes up rows and records.
pub(crate) struct Data<'a> {
    pub(crate) at: &'a CallContext,
    types: &'a FieldTypes,
    columns: Vec<(String, Kind)>,
}

impl<'a> Data<'a> {
    /// What is known of the plugin's columns: from the author's cases, from the manifest, from the types of fields.
    ///
    /// # Errors
    /// The name of a column of which nobody says the type.
    pub(crate) fn new(
        manifest: &Manifest,
        cases: &Cases,
        types: &'a FieldTypes,
        at: &'a CallContext,
    ) -> Result<Self, String> {
        let batches: Vec<&Batch> = cases.usable().flat_map(|case| case.input.batches()).collect();
        let Some(dataset) = manifest.datasets.first() else {
            return Ok(Self { at, types, columns: Vec::new() });
        };
        let mut columns = Vec::new();
        for column in &dataset.columns {
            let seen: Vec<&Column> = batches.iter().filter_map(|batch| batch.column(&column.name)).collect();
            let by_case = seen.first().map(|column| Kind::of(type_of(&column.data)));
            let mut kind = match (by_case, &column.source) {
                (Some(kind), _) => kind,
                (None, ColumnSource::Field(field)) => {
                    types.of(&dataset.object, field).map(kind_of).ok_or_else(|| column.name.clone())?
                }
                (None, source) => of_aggregate(source, types).ok_or_else(|| column.name.clone())?,
            };
            if let ColumnSource::Field(field) = &column.source
                && let Some((_, options)) = types.of(&dataset.object, field)
            {
                kind.options.clone_from(options);
            }
            let counted = matches!(
                column.source,
                ColumnSource::RelatedCount { .. }
                    | ColumnSource::Aggregate { aggregate: Aggregate::Count, .. }
            );
            kind.counts = counted;
            kind.seen = seen
                .iter()
                .flat_map(|column| (0..column.data.len()).filter_map(|row| scalar(column, row)))
                .take(100)
                .collect();
            columns.push((column.name.clone(), kind));
        }
        Ok(Self { at, types, columns })
    }

    /// Rows of the dataset, with the columns of campaign members where `function` gets them.
    pub(crate) fn batch(&self, rows: usize, flavour: Flavour, function: &str, random: &mut Random) -> Batch {
        let more = crate::golden::member_columns(function).iter().map(|(name, value_type)| {
            let mut kind = Kind::of(*value_type);
            kind.options = match *name {
                "status" => ["planned", "contacted", "responded"].map(str::to_owned).to_vec(),
                _ => ["all", "a", "b"].map(str::to_owned).to_vec(),
            };
            ((*name).to_owned(), kind)
        });
        let columns: Vec<(String, Kind)> = self.columns.iter().cloned().chain(more).collect();
        let mut batch = Batch::default();
        let mut ordinal = 0;
        for _ in 0..rows {
            ordinal += 1 + random.below(5) as u64;
            batch.ordinals.push(ordinal);
        }
        batch.rows = u32::try_from(rows).unwrap_or(u32::MAX);
        for (name, kind) in columns {
            let values: Vec<Option<Scalar>> =
                (0..rows).map(|_| self.scalar(&kind, flavour, random)).collect();
            let valid = Validity::from_flags(values.iter().map(Option::is_some));
            let data = kind.column(&values, random, &self.at.base_currency);
            batch.columns.push(Column { name, valid, data });
        }
        batch
    }

    fn scalar(&self, kind: &Kind, flavour: Flavour, random: &mut Random) -> Option<Scalar> {
        match flavour {
            Flavour::Usual => Some(kind.usual(random, self.at.as_of_days)),
            Flavour::Extreme => Some(kind.extreme(random)),
            Flavour::Null => None,
            Flavour::Mixed => match random.below(100) {
                0..15 => None,
                15..40 => Some(kind.extreme(random)),
                _ => Some(kind.usual(random, self.at.as_of_days)),
            },
        }
    }

    /// A record with values for some or all of `fields`. A field of which nobody says the type is a text.
    pub(crate) fn record(
        &self,
        object: &ObjectName,
        fields: &BTreeSet<FieldName>,
        flavour: Flavour,
        number: usize,
        random: &mut Random,
    ) -> NamedRecord {
        let id = RecordId::parse(&format!("00000000-0000-7000-8000-{:012}", number + 1));
        NamedRecord {
            object: object.clone(),
            id: id.expect("a number of twelve digits makes an id"),
            version: 1,
            fields: self.fields(object, fields, flavour, random),
        }
    }

    pub(crate) fn fields(
        &self,
        object: &ObjectName,
        fields: &BTreeSet<FieldName>,
        flavour: Flavour,
        random: &mut Random,
    ) -> BTreeMap<FieldName, Value> {
        let value = |field: &FieldName| {
            let kind = self.types.of(object, field).map_or_else(|| Kind::of(ValueType::Text), kind_of);
            let scalar = self.scalar(&kind, flavour, random)?;
            Some((field.clone(), kind.value(&scalar, &self.at.base_currency)?))
        };
        fields.iter().filter_map(value).collect()
    }
}

/// The same rows with other garbage where there is null.
pub(crate) fn with_other_garbage(batch: &Batch, random: &mut Random) -> Batch {
    let mut batch = batch.clone();
    for column in &mut batch.columns {
        let kind = Kind::of(type_of(&column.data));
        let values: Vec<_> = (0..column.data.len()).map(|row| scalar(column, row)).collect();
        let currency = if let ColumnData::Money { currency, .. } = &column.data {
            currency.clone()
        } else {
            String::new()
        };
        column.data = kind.column(&values, random, &currency);
    }
    batch
}

fn kind_of((value_type, options): &(ValueType, Vec<String>)) -> Kind {
    let mut kind = Kind::of(*value_type);
    kind.options.clone_from(options);
    kind
}

fn of_aggregate(source: &ColumnSource, types: &FieldTypes) -> Option<Kind> {
    Some(Kind::of(match source {
        ColumnSource::Field(_) => return None,
        ColumnSource::RelatedCount { .. } | ColumnSource::Aggregate { aggregate: Aggregate::Count, .. } => {
            ValueType::Integer
        }
        ColumnSource::Aggregate { from, aggregate: Aggregate::Sum(field), .. } => types.of(from, field)?.0,
        ColumnSource::Aggregate { from, time, .. } => types.of(from, time)?.0,
    }))
}

fn type_of(data: &ColumnData) -> ValueType {
    match data {
        ColumnData::Float64(_) => ValueType::Number,
        ColumnData::Int64(_) => ValueType::Integer,
        ColumnData::Boolean(_) => ValueType::Bool,
        ColumnData::Date(_) => ValueType::Date,
        ColumnData::Time(_) => ValueType::Time,
        ColumnData::Money { .. } => ValueType::Money,
        ColumnData::Text(_) => ValueType::Text,
        ColumnData::Dictionary { .. } => ValueType::Choice,
        ColumnData::Reference(_) => ValueType::Reference,
        ColumnData::DictionaryList { .. } => ValueType::MultiChoice,
    }
}
