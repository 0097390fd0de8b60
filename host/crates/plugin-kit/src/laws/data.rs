//! Made-up rows and records that fit a manifest.

use std::collections::{BTreeMap, BTreeSet};

use trellis_model::{
    Batch, Column, ColumnData, FieldName, NamedRecord, ObjectName, Published, PublishedKind, RecordId,
    Validity, Value,
};
use trellis_plugin_host::manifest::{
    Aggregate, ColumnSource, Dataset, DatasetColumn, DatasetKind, Figure, Related,
};
use trellis_plugin_host::{CallContext, Manifest};

use super::FieldTypes;
use super::random::Random;
use super::scalar::{Kind, Scalar, scalar};
use crate::calls::Datasets;
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
    /// The further datasets.
    datasets: Vec<(String, Vec<(String, Kind)>)>,
}

/// Rows of a further dataset.
const DATASET_ROWS: usize = 300;

impl<'a> Data<'a> {
    /// What is known of the plugin's columns: from the author's cases, from the manifest, from the types of fields.
    ///
    /// # Errors
    /// The name of a column of which nobody says the type.
    pub(crate) fn new(
        manifest: &Manifest,
        config: &str,
        cases: &Cases,
        types: &'a FieldTypes,
        at: &'a CallContext,
    ) -> Result<Self, String> {
        let manifest = manifest.configured(&serde_json::from_str(config).unwrap_or_default());
        let batches: Vec<&Batch> = cases.usable().flat_map(|case| case.input.batches()).collect();
        let of = |dataset: &Dataset, batches: &[&Batch]| {
            let column = |column: &DatasetColumn| {
                let kind =
                    kind_of_column(dataset, column, batches, types).ok_or_else(|| column.name.clone())?;
                Ok((column.name.clone(), kind))
            };
            dataset.columns.iter().map(column).collect::<Result<Vec<_>, String>>()
        };
        let columns =
            manifest.customers().map(|dataset| of(dataset, &batches)).transpose()?.unwrap_or_default();
        let mut datasets = Vec::new();
        for dataset in manifest.datasets.iter().filter(|dataset| dataset.kind == DatasetKind::Rows) {
            let seen: Vec<&Batch> =
                cases.usable().filter_map(|case| case.datasets.get(&dataset.name)).flatten().collect();
            datasets.push((dataset.name.clone(), of(dataset, &seen)?));
        }
        Ok(Self { at, types, columns, datasets })
    }

    /// Rows of every further dataset.
    pub(crate) fn datasets(&self, seed: u64) -> Datasets {
        let mut random = Random::new(seed, "datasets");
        let made = self.datasets.iter().map(|(name, columns)| {
            let ordinals = (0..DATASET_ROWS as u64).collect();
            (name.clone(), vec![self.rows(ordinals, columns.clone(), Flavour::Mixed, &mut random)])
        });
        made.collect()
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
        let (mut ordinals, mut ordinal) = (Vec::with_capacity(rows), 0);
        for _ in 0..rows {
            ordinal += 1 + random.below(5) as u64;
            ordinals.push(ordinal);
        }
        self.rows(ordinals, columns, flavour, random)
    }

    fn rows(
        &self,
        ordinals: Vec<u64>,
        columns: Vec<(String, Kind)>,
        flavour: Flavour,
        random: &mut Random,
    ) -> Batch {
        let rows = ordinals.len();
        let mut batch =
            Batch { rows: u32::try_from(rows).unwrap_or(u32::MAX), ordinals, columns: Vec::new() };
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

/// What values a column has: as the author's cases say, else as the types of fields do.
fn kind_of_column(
    dataset: &Dataset,
    column: &DatasetColumn,
    batches: &[&Batch],
    types: &FieldTypes,
) -> Option<Kind> {
    let seen: Vec<&Column> = batches.iter().filter_map(|batch| batch.column(&column.name)).collect();
    let field = match &column.source {
        ColumnSource::Field(field) | ColumnSource::Chosen(field) => types.of(&dataset.object, field),
        _ => None,
    };
    let by_case = seen.first().map(|column| Kind::of(type_of(&column.data)));
    let mut kind = match (by_case, field) {
        (Some(kind), _) => kind,
        (None, Some(field)) => kind_of(field),
        (None, None) => of_aggregate(&column.source, types)?,
    };
    let is_coded = dataset.kind == DatasetKind::Rows || column.chosen().is_some();
    if is_coded && kind.value_type == ValueType::Text {
        kind.value_type = ValueType::Choice;
    }
    if let Some((_, options)) = field {
        kind.options.clone_from(options);
    }
    kind.counts = match &column.source {
        ColumnSource::Aggregate { aggregate, .. } => *aggregate == Aggregate::Count,
        ColumnSource::Related(related) => matches!(related.figure, Figure::Count | Figure::CountDays),
        _ => false,
    };
    let values = seen.iter().flat_map(|column| (0..column.data.len()).filter_map(|row| scalar(column, row)));
    kind.seen = values.take(100).collect();
    Some(kind)
}

fn kind_of((value_type, options): &(ValueType, Vec<String>)) -> Kind {
    let mut kind = Kind::of(*value_type);
    kind.options.clone_from(options);
    kind
}

fn of_aggregate(source: &ColumnSource, types: &FieldTypes) -> Option<Kind> {
    Some(Kind::of(match source {
        ColumnSource::Field(_)
        | ColumnSource::Chosen(_)
        | ColumnSource::Configured(_)
        | ColumnSource::Through { .. } => return None,
        ColumnSource::Published(Published { kind: PublishedKind::Score, .. }) => ValueType::Number,
        ColumnSource::Published(_) => ValueType::Choice,
        ColumnSource::Aggregate { aggregate: Aggregate::Count, .. } => ValueType::Integer,
        ColumnSource::Aggregate { from, aggregate: Aggregate::Sum(field), .. } => types.of(from, field)?.0,
        ColumnSource::Aggregate { from, time, .. } => types.of(from, time)?.0,
        ColumnSource::Related(related) => of_related(related, types)?,
    }))
}

fn of_related(related: &Related, types: &FieldTypes) -> Option<ValueType> {
    let of_field = |field: &FieldName| types.of(&related.object, field).map(|(value_type, _)| *value_type);
    Some(match &related.figure {
        Figure::Count | Figure::CountDays => ValueType::Integer,
        Figure::First | Figure::Last => of_field(related.time.as_ref()?)?,
        Figure::Sum(field) | Figure::Min(field) | Figure::Max(field) => of_field(field)?,
        Figure::Mean(field) => match of_field(field)? {
            ValueType::Money => ValueType::Money,
            _ => ValueType::Number,
        },
        Figure::Values(_) => ValueType::MultiChoice,
    })
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
