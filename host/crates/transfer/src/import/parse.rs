//! From the cells of a row to the fields of a record; nothing here knows the store.

use trellis_model::{Currency, FieldId, FieldType, Fields, Text, Value, bilingual};

use super::mapping::{Cell, EXTERNAL_ID, MappedColumn, Mapping};
use super::report::RowError;
use super::row_id::RowIds;
use super::table::{Fault, Row};
use super::{Result, cell};

/// Reads the rows of one file by a mapping.
#[derive(Debug)]
pub(super) struct Parser {
    mapping: Mapping,
    /// The place in the file of each mapped column.
    places: Vec<usize>,
    base_currency: Currency,
    line_bytes_max: usize,
    /// The parts that a row id is computed over, sorted by the API name of their field.
    id_parts: Vec<(String, IdPart)>,
}

#[derive(Debug)]
enum IdPart {
    Column(usize),
    Constant(String),
}

/// What a cell says.
#[derive(Debug, Clone, PartialEq)]
enum Parsed {
    Value(Value),
    /// The key of another record, in canonical form.
    Key(String),
}

/// A row that says what its columns can say: one entry for each mapped column, `None` where the cell is empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ParsedRow {
    pub(super) line: u64,
    pub(super) number: u64,
    cells: Vec<Option<Parsed>>,
}

/// A row as it will be written, but for its references.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) fields: Fields,
    /// Places of mapped columns, and the key that each holds.
    pub(super) references: Vec<(usize, String)>,
    /// The canonical key of the row where the file gives one; computed ones never come twice.
    pub(super) given_key: Option<String>,
}

impl Parser {
    /// Finds the mapped columns in a header.
    pub(super) fn new(
        mapping: Mapping,
        header: &[String],
        base_currency: Currency,
        line_bytes_max: usize,
    ) -> Result<Self> {
        let places = mapping.places(header)?;
        let columns = mapping.columns.iter().enumerate();
        let columns = columns.map(|(place, column)| (column.field.name.to_string(), IdPart::Column(place)));
        let constants = mapping.constants.iter();
        let constants =
            constants.map(|(field, value)| (field.name.to_string(), IdPart::Constant(value.canonical())));
        let mut id_parts: Vec<_> = columns.chain(constants).collect();
        id_parts.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Self { mapping, places, base_currency, line_bytes_max, id_parts })
    }

    /// Reads the cells of a row; a row with a bad cell is refused with all that is wrong with it.
    pub(super) fn parse(&self, row: &Row) -> Result<ParsedRow, Vec<RowError>> {
        let mut cells = Vec::with_capacity(self.places.len());
        let mut errors = Vec::new();
        for (column, &place) in self.mapping.columns.iter().zip(&self.places) {
            match self.parse_cell(column, row.cell(place).unwrap_or_default()) {
                Ok(parsed) => cells.push(parsed),
                Err((code, message)) => {
                    let column = Some(column.column.clone());
                    errors.push(RowError { line: row.line, row: row.number, column, code, message });
                }
            }
        }
        match errors.is_empty() {
            true => Ok(ParsedRow { line: row.line, number: row.number, cells }),
            false => Err(errors),
        }
    }

    fn parse_cell(
        &self,
        column: &MappedColumn,
        bytes: &[u8],
    ) -> Result<Option<Parsed>, (&'static str, Text)> {
        let shown = || cell::shorten(&String::from_utf8_lossy(bytes));
        let not_utf8 = |_| {
            let shown = shown();
            ("invalid_utf8", bilingual!("`{shown}` is not UTF-8", "`{shown}` 不是 UTF-8 编码"))
        };
        let text = str::from_utf8(bytes).map_err(not_utf8)?.trim();
        if text.contains('\0') {
            let shown = shown().replace('\0', "␀");
            let message = bilingual!("`{shown}` has a NUL character", "`{shown}` 含有 NUL 字符");
            return Err(("nul_character", message));
        }
        if text.is_empty() {
            let is_key = column.field.id == self.mapping.key.id && column.field.name.as_str() != EXTERNAL_ID;
            return if is_key {
                let name = &column.column;
                let message = bilingual!(
                    "`{name}` is empty, and rows are matched by it",
                    "`{name}` 为空，而各行按它匹配"
                );
                Err(("key_missing", message))
            } else {
                Ok(None)
            };
        }
        let invalid = |error: trellis_model::Error| ("invalid_value", error.text());
        Ok(Some(match &column.cell {
            Cell::Value { currency } => {
                let currency = currency.or(Some(self.base_currency));
                Parsed::Value(cell::parse(&column.field.field_type, currency, text).map_err(invalid)?)
            }
            Cell::Reference(reference) => {
                let currency = (reference.key.field_type == FieldType::Money).then_some(self.base_currency);
                Parsed::Key(
                    cell::parse(&reference.key.field_type, currency, text).map_err(invalid)?.canonical(),
                )
            }
        }))
    }

    /// Whether the row brings no id of its own.
    pub(super) fn lacks_id(&self, row: &ParsedRow) -> bool {
        !self.columns(row).any(|(_, id, _)| id == self.mapping.key.id)
    }

    /// The keys of a row's references, by the place of their mapped column.
    pub(super) fn references<'a>(&'a self, row: &'a ParsedRow) -> impl Iterator<Item = (usize, &'a str)> {
        self.columns(row).filter_map(|(place, _, parsed)| match parsed {
            Parsed::Key(key) => Some((place, key.as_str())),
            Parsed::Value(_) => None,
        })
    }

    /// The fields that a row will have. Called once for each good row, in the order of the file.
    pub(super) fn draft(&self, row: ParsedRow, ids: &mut RowIds) -> Draft {
        let id = self.lacks_id(&row).then(|| self.row_id(&row, ids));
        let mut draft = Draft { fields: Fields::new(), references: Vec::new(), given_key: None };
        let constants = self.mapping.constants.iter().map(|(field, value)| (field.id, value.clone()));
        draft.fields.extend(constants);
        for (place, (column, parsed)) in self.mapping.columns.iter().zip(row.cells).enumerate() {
            match parsed {
                Some(Parsed::Value(value)) => {
                    if column.field.id == self.mapping.key.id {
                        draft.given_key = Some(value.canonical());
                    }
                    draft.fields.insert(column.field.id, value);
                }
                Some(Parsed::Key(key)) => draft.references.push((place, key)),
                None => {}
            }
        }
        if let Some(id) = id {
            draft.fields.insert(self.mapping.key.id, Value::Text(id));
        }
        draft
    }

    fn row_id(&self, row: &ParsedRow, ids: &mut RowIds) -> String {
        let values = self.id_parts.iter().filter_map(|(name, part)| {
            let value = match part {
                IdPart::Constant(value) => value.clone(),
                IdPart::Column(place) => match row.cells.get(*place)?.as_ref()? {
                    Parsed::Value(value) => value.canonical(),
                    Parsed::Key(key) => key.clone(),
                },
            };
            Some((name.as_str(), value))
        });
        let values: Vec<_> = values.collect();
        ids.next(
            self.mapping.object.name.as_str(),
            values.iter().map(|(name, value)| (*name, value.as_str())),
        )
    }

    /// The error of a row that is not well formed.
    pub(super) fn fault(&self, row: &Row, fault: Fault) -> RowError {
        let max = self.line_bytes_max;
        let (code, message) = match fault {
            Fault::TooLong => {
                ("line_too_long", bilingual!("the row has more than {max} bytes", "该行超过 {max} 字节"))
            }
            Fault::Quote => (
                "csv_quote",
                bilingual!(
                    "a quote is not closed within {max} bytes, or something follows the closing quote",
                    "引号在 {max} 字节内没有闭合，或闭合引号之后还有内容"
                ),
            ),
            Fault::Columns { found, expected } => (
                "column_count",
                bilingual!(
                    "{found} cells, but the header has {expected}",
                    "该行有 {found} 个单元格，而表头有 {expected} 个"
                ),
            ),
        };
        RowError { line: row.line, row: row.number, column: None, code, message }
    }

    fn columns<'a>(&'a self, row: &'a ParsedRow) -> impl Iterator<Item = (usize, FieldId, &'a Parsed)> {
        let columns = self.mapping.columns.iter().zip(&row.cells).enumerate();
        columns.filter_map(|(place, (column, parsed))| Some((place, column.field.id, parsed.as_ref()?)))
    }
}

#[cfg(test)]
mod tests;
