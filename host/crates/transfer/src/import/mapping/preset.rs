use jiff::tz::TimeZone;
use trellis_model::{FieldDefinition, Text, Value, bilingual};

use super::super::cell::{self, CellFormat};

/// A field of a record that a reference creates.
#[derive(Debug, Clone)]
pub(in super::super) struct Preset {
    pub(in super::super) field: FieldDefinition,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Constant(Value),
    /// Texts, with what goes between them.
    Template(Vec<Part>),
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    /// The key of the record.
    Key,
    /// The text of a column in the first row that has the key, by its place among the columns that the reference names.
    Column(usize),
}

impl Preset {
    /// The same value for every record.
    pub(super) fn constant(field: FieldDefinition, value: Value) -> Self {
        Self { field, source: Source::Constant(value) }
    }

    /// A text in which `{}` stands for the key and `{column}` for the text of a column, which is added to `columns`.
    pub(super) fn template(
        field: FieldDefinition,
        template: &str,
        columns: &mut Vec<String>,
    ) -> Result<Self, Text> {
        let brace = || {
            bilingual!(
                "`{template}` has a brace that neither begins nor ends `{{}}` or the name of a column",
                "`{template}` 中的花括号只能写作 `{{}}`，或括住一个列名"
            )
        };
        let (mut parts, mut rest) = (Vec::new(), template);
        while let Some((text, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(brace)?;
            if text.contains('}') || name.contains('{') {
                return Err(brace());
            }
            parts.push(Part::Text(text.to_owned()));
            parts.push(match (name.trim(), columns.iter().position(|column| column == name.trim())) {
                ("", _) => Part::Key,
                (_, Some(place)) => Part::Column(place),
                (name, None) => {
                    columns.push(name.to_owned());
                    Part::Column(columns.len() - 1)
                }
            });
            rest = after;
        }
        if rest.contains('}') {
            return Err(brace());
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self { field, source: Source::Template(parts) })
    }

    /// The value in the record with this key; `others` are the texts of the columns that the reference names. `None` where they say nothing.
    pub(in super::super) fn value(
        &self,
        key: &str,
        others: &[String],
        zone: &TimeZone,
    ) -> Result<Option<Value>, trellis_model::Error> {
        let parts = match &self.source {
            Source::Constant(value) => return Ok(Some(value.clone())),
            Source::Template(parts) => parts,
        };
        let text: String = parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::Key => key,
                Part::Column(place) => others.get(*place).map_or("", String::as_str),
            })
            .collect();
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        cell::parse(&self.field.field_type, &CellFormat::default(), zone, text).map(Some)
    }
}
