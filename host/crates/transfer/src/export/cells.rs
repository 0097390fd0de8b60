//! From a record to the cells of a row.

use std::collections::HashMap;

use trellis_model::{
    FieldType, Language, ObjectDefinition, Record, RecordId, SystemField, Text, Value, bilingual,
};
use trellis_records::{Caller, Records, Schema};

use super::{Error, ExportSpec, Header, References, Result};

/// Titles of records that references are written by; forgotten when there are more.
const TITLES_MAX: usize = 100_000;

/// A column of an export.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) label: String,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    System(SystemField),
    Field(trellis_model::FieldId, FieldType),
}

/// A cell, of a kind that a workbook tells apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Empty,
    Text(String),
    Number(String),
    Bool(bool),
}

impl Cell {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Empty => "",
            Self::Text(text) | Self::Number(text) => text,
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
        }
    }
}

/// The columns that are exported, as far as the caller may read them.
///
/// # Errors
/// [`Error::Spec`] names a column that is no field, or none that can be read.
pub(super) fn columns(spec: &ExportSpec, object: &ObjectDefinition, caller: &Caller) -> Result<Vec<Column>> {
    let readable = &caller.scope.of(&object.name).readable;
    let language: Language = spec.language.into();
    let field = |name: &str| {
        let field = object.field(name).filter(|field| readable.contains(&field.name))?;
        let label = match spec.header {
            Header::Labels if !field.label.get(language).is_empty() => field.label.get(language),
            _ => name,
        };
        let source = Source::Field(field.id, field.field_type.clone());
        Some(Column { name: name.to_owned(), label: label.to_owned(), source })
    };
    let system = |name: &str| {
        let system = SystemField::of(name)?;
        let label = if spec.header == Header::Labels {
            system_label(system).get(language).to_owned()
        } else {
            name.to_owned()
        };
        Some(Column { name: name.to_owned(), label, source: Source::System(system) })
    };
    let unknown = |name: &str| {
        let (object, name) = (&object.name, name.chars().take(60).collect::<String>());
        Error::Spec(bilingual!("{object} has no field `{name}`", "{object} 没有字段 `{name}`"))
    };
    let names: Vec<String> = match &spec.columns {
        Some(names) => names.clone(),
        None => {
            let fields = object.fields.iter().filter(|field| readable.contains(&field.name));
            let names = fields.map(|field| field.name.to_string());
            ["id"]
                .into_iter()
                .map(str::to_owned)
                .chain(names)
                .chain(["created_at".to_owned(), "updated_at".to_owned()])
                .collect()
        }
    };
    if names.is_empty() {
        return Err(Error::Spec(Text::new("there is no column to export", "没有要导出的列")));
    }
    let mut columns: Vec<Column> = names
        .iter()
        .map(|name| field(name).or_else(|| system(name)).ok_or_else(|| unknown(name)))
        .collect::<Result<_>>()?;
    distinguish(&mut columns);
    Ok(columns)
}

/// Gives columns of one label their API names too: a header must not say the same twice.
fn distinguish(columns: &mut [Column]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    columns.iter().for_each(|column| *seen.entry(column.label.to_lowercase()).or_default() += 1);
    for column in columns {
        if seen.get(&column.label.to_lowercase()).is_some_and(|&times| times > 1) {
            column.label.clone_from(&column.name);
        }
    }
}

fn system_label(field: SystemField) -> Text {
    match field {
        SystemField::Id => Text::new("ID", "ID"),
        SystemField::CreatedAt => Text::new("Created at", "创建时间"),
        SystemField::UpdatedAt => Text::new("Updated at", "更新时间"),
        SystemField::DeletedAt => Text::new("Deleted at", "删除时间"),
        SystemField::Version => Text::new("Version", "版本"),
    }
}

/// Writes values as texts; knows the titles of records that are referred to.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    records: &'a Records,
    caller: &'a Caller,
    schema: std::sync::Arc<Schema>,
    spec: &'a ExportSpec,
    titles: HashMap<RecordId, String>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(records: &'a Records, caller: &'a Caller, spec: &'a ExportSpec) -> Self {
        Self { records, caller, schema: records.schema(), spec, titles: HashMap::new() }
    }

    pub(super) async fn cell(&mut self, column: &Column, record: &Record) -> Result<Cell> {
        match &column.source {
            Source::System(field) => Ok(system_cell(*field, record)),
            Source::Field(id, field_type) => match record.fields.get(id) {
                None => Ok(Cell::Empty),
                Some(Value::Reference(target)) if self.spec.references == References::Titles => {
                    Ok(Cell::Text(self.title(field_type, *target).await?))
                }
                Some(value) => Ok(self.value(field_type, value)),
            },
        }
    }

    /// A value as JSON, in the forms of the API.
    pub(super) fn json(&self, column: &Column, record: &Record) -> serde_json::Value {
        match &column.source {
            Source::System(field) => match system_cell(*field, record) {
                Cell::Empty => serde_json::Value::Null,
                Cell::Number(_) => record.version.into(),
                cell => cell.text().into(),
            },
            Source::Field(id, _) => record.fields.get(id).map_or(serde_json::Value::Null, Value::to_json),
        }
    }

    fn value(&self, field_type: &FieldType, value: &Value) -> Cell {
        let label = |text: &String| match field_type {
            FieldType::Choice { options } | FieldType::MultiChoice { options }
                if self.spec.header == Header::Labels =>
            {
                let option = options.iter().find(|option| option.value == *text);
                let label = option.map(|option| option.label.get(self.spec.language.into()));
                label.filter(|label| !label.is_empty()).map_or_else(|| text.clone(), str::to_owned)
            }
            _ => text.clone(),
        };
        match value {
            Value::Choice(option) => Cell::Text(label(option)),
            Value::MultiChoice(options) => {
                Cell::Text(options.iter().map(label).collect::<Vec<_>>().join(";"))
            }
            Value::Number(number) => Cell::Number(number.to_string()),
            Value::Integer(number) => Cell::Number(number.to_string()),
            Value::Bool(flag) => Cell::Bool(*flag),
            Value::Money(money) => Cell::Text(format!("{} {}", money.amount_text(), money.currency)),
            Value::List(_) | Value::Json(_) => Cell::Text(value.to_json().to_string()),
            other => Cell::Text(other.canonical()),
        }
    }

    /// The title of a record that the caller may see; its id where there is none.
    async fn title(&mut self, field_type: &FieldType, id: RecordId) -> Result<String> {
        if let Some(title) = self.titles.get(&id) {
            return Ok(title.clone());
        }
        let FieldType::Reference { object } = field_type else { return Ok(id.to_string()) };
        let target = self.schema.object(object.as_str()).cloned();
        let record = self.records.get(&self.caller.scope, object, id).await?;
        let title = target.and_then(|target| {
            let field = target.field(target.title.as_str())?.id;
            Some(record?.fields.get(&field)?.canonical())
        });
        let title = title.unwrap_or_else(|| id.to_string());
        if self.titles.len() >= TITLES_MAX {
            self.titles.clear();
        }
        self.titles.insert(id, title.clone());
        Ok(title)
    }
}

fn system_cell(field: SystemField, record: &Record) -> Cell {
    let ms = match field {
        SystemField::Id => return Cell::Text(record.id.to_string()),
        SystemField::Version => return Cell::Number(record.version.to_string()),
        SystemField::CreatedAt => Some(record.created_at_ms),
        SystemField::UpdatedAt => Some(record.updated_at_ms),
        SystemField::DeletedAt => record.deleted_at_ms,
    };
    let time = ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map_or(Cell::Empty, |time| Cell::Text(time.to_string()))
}
