//! What the columns of datasets are, in words for people.

use std::collections::BTreeMap;

use trellis_columns::Columns;
use trellis_model::{
    FieldDefinition, FieldName, FieldType, Language, ObjectDefinition, ObjectName, Published, PublishedKind,
    Text,
};
use trellis_plugin_host::{
    ColumnDescription, Manifest,
    manifest::{Aggregate, ColumnSource, Dataset, DatasetColumn, Figure},
};
use trellis_records::Schema;

use super::spec;
use crate::Result;

/// Options of a choice that a plugin is told of.
const OPTIONS_MAX: usize = 1_000;

/// The columns of every dataset that a plugin declares, by the dataset's name.
pub(crate) type Words = BTreeMap<String, Vec<ColumnDescription>>;

/// What the columns of a plugin's datasets are called as the schema is now.
pub(crate) fn of(schema: &Schema, columns: &Columns, manifest: &Manifest, config: &str) -> Result<Words> {
    let manifest = spec::configured(manifest, config)?;
    let described = |dataset: &Dataset| {
        let object = schema.object(dataset.object.as_str()).map(|object| &**object);
        let described = dataset.columns.iter().map(|column| match column.published() {
            Some(published) => result(columns, &column.name, published),
            None => describe(schema, object, column),
        });
        (dataset.name.clone(), described.collect())
    };
    Ok(manifest.datasets.iter().map(described).collect())
}

/// What the columns of a dataset are; none of one that is not declared.
pub(crate) fn columns(words: &Words, name: Option<&str>) -> Vec<ColumnDescription> {
    name.and_then(|name| words.get(name)).cloned().unwrap_or_default()
}

fn describe(schema: &Schema, object: Option<&ObjectDefinition>, column: &DatasetColumn) -> ColumnDescription {
    let own = |field: &FieldName| object.and_then(|object| object.field(field.as_str()));
    let found = match &column.source {
        ColumnSource::Field(field) | ColumnSource::Chosen(field) => {
            own(field).map(|field| (field.label.clone(), options(field)))
        }
        ColumnSource::Through { references, field } => beyond(schema, object, references, field),
        ColumnSource::Aggregate { from, aggregate, .. } => {
            figure(schema, from, &figure_of(aggregate)).map(|label| (label, Vec::new()))
        }
        ColumnSource::Related(related) => {
            figure(schema, &related.object, &related.figure).map(|label| (label, Vec::new()))
        }
        ColumnSource::Published(_) | ColumnSource::Configured(_) => None,
    };
    let (label, options) = found.unwrap_or_else(|| (Text::new(column.name.clone(), ""), Vec::new()));
    ColumnDescription { name: column.name.clone(), label, unit: Text::default(), options }
}

/// A score, a band or a segmentation, as what puts it out calls it.
fn result(columns: &Columns, column: &str, published: &Published) -> ColumnDescription {
    let (score, segmentation) = match published.kind {
        PublishedKind::Segment => (None, columns.segmentation(published.name.as_str())),
        PublishedKind::Score | PublishedKind::Band => (columns.score(published.name.as_str()), None),
    };
    let mut described = ColumnDescription {
        name: column.to_owned(),
        label: Text::new(published.to_string(), ""),
        unit: Text::default(),
        options: Vec::new(),
    };
    if let Some(of) = score {
        described.label = of.definition.label.clone();
        match published.kind {
            PublishedKind::Score => described.unit = of.definition.unit.clone(),
            _ => {
                let bands = of.definition.bands.iter();
                described.options = bands.map(|band| (band.name.clone(), band.label.clone())).collect();
            }
        }
    }
    if let Some(of) = segmentation {
        described.label = of.definition.label.clone();
        let values = of.definition.values.iter();
        described.options = values.map(|value| (value.name.clone(), value.label.clone())).collect();
    }
    described.options.truncate(OPTIONS_MAX);
    described
}

/// A field of the record that references lead to, called by all of them.
fn beyond(
    schema: &Schema,
    object: Option<&ObjectDefinition>,
    references: &[FieldName],
    field: &FieldName,
) -> Option<(Text, Vec<(String, Text)>)> {
    let (mut object, mut before) = (object?, None::<Text>);
    for reference in references {
        let reference = object.field(reference.as_str())?;
        let label = &reference.label;
        before = Some(before.map_or_else(|| label.clone(), |before| joined(&before, label)));
        object = target(schema, reference)?;
    }
    let field = object.field(field.as_str())?;
    let label = before.map_or_else(|| field.label.clone(), |before| joined(&before, &field.label));
    Some((label, options(field)))
}

fn options(field: &FieldDefinition) -> Vec<(String, Text)> {
    match &field.field_type {
        FieldType::Choice { options } | FieldType::MultiChoice { options }
            if options.len() <= OPTIONS_MAX =>
        {
            options.iter().map(|option| (option.value.clone(), option.label.clone())).collect()
        }
        _ => Vec::new(),
    }
}

fn target<'a>(schema: &'a Schema, reference: &FieldDefinition) -> Option<&'a ObjectDefinition> {
    let FieldType::Reference { object } = &reference.field_type else { return None };
    schema.object(object.as_str()).map(|object| &**object)
}

fn figure_of(aggregate: &Aggregate) -> Figure {
    match aggregate {
        Aggregate::Count => Figure::Count,
        Aggregate::Sum(field) => Figure::Sum(field.clone()),
        Aggregate::First => Figure::First,
        Aggregate::Last => Figure::Last,
    }
}

/// What a figure over related records is called: what they are, and what is said about them.
fn figure(schema: &Schema, object: &ObjectName, figure: &Figure) -> Option<Text> {
    let object = schema.object(object.as_str())?;
    let of = |field: &FieldName| object.field(field.as_str()).map(|field| &field.label);
    let what = match figure {
        Figure::Count => Text::new("number", "数量"),
        Figure::CountDays => Text::new("number of days", "天数"),
        Figure::First => Text::new("first", "最早"),
        Figure::Last => Text::new("last", "最近"),
        Figure::Values(field) => of(field)?.clone(),
        Figure::Sum(field) => said_of(of(field)?, "sum", "合计"),
        Figure::Min(field) => said_of(of(field)?, "lowest", "最低"),
        Figure::Max(field) => said_of(of(field)?, "highest", "最高"),
        Figure::Mean(field) => said_of(of(field)?, "mean", "平均"),
    };
    Some(joined(&object.plural_label, &what))
}

fn said_of(field: &Text, en: &str, zh_cn: &str) -> Text {
    Text::new(format!("{}, {en}", field.en), format!("{}{zh_cn}", field.get(Language::ZhCn)))
}

fn joined(first: &Text, second: &Text) -> Text {
    let zh = |text: &Text| text.get(Language::ZhCn).to_owned();
    Text::new(format!("{}: {}", first.en, second.en), format!("{}：{}", zh(first), zh(second)))
}
