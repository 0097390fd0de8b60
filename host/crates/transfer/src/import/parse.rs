//! From the cells of a row to the fields of a record; nothing here knows the store.

use std::sync::Arc;

use jiff::tz::TimeZone;
use trellis_model::{Currency, FieldId, FieldType, Fields, RecordId, Text, Value, bilingual};

use super::Result;
use super::cell::{self, CellFormat};
use super::mapping::{Cell, Key, MappedColumn, Mapping, Mode};
use super::report::RowError;
use super::row_id::RowIds;
use super::table::{Fault, Row, texts};
use crate::transform::RowTexts;

/// Reads the rows of one file by a mapping.
#[derive(Debug)]
pub(super) struct Parser {
    mapping: Arc<Mapping>,
    header: Vec<String>,
    /// The place in the file of each mapped column.
    places: Vec<Option<usize>>,
    id_place: Option<usize>,
    /// For each mapped column that is a reference, the places of the columns that its new records take over.
    beside: Vec<Vec<usize>>,
    /// Whether the texts of the whole row are needed.
    has_scripts: bool,
    base_currency: Currency,
    zone: TimeZone,
    line_bytes_max: usize,
    /// The parts that a row id is computed over, sorted by the API name of their field.
    id_parts: Vec<(String, IdPart)>,
}

/// What the host makes of texts that leave it open.
#[derive(Debug, Clone)]
pub(super) struct Locale {
    pub(super) base_currency: Currency,
    pub(super) zone: TimeZone,
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

/// What a well-formed row is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Meaning {
    Row(ParsedRow),
    /// It is left out, by which of the mapping's reasons.
    Dropped(usize),
}

/// A row that says what its columns can say: one entry for each mapped column, `None` where the cell is empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ParsedRow {
    pub(super) line: u64,
    pub(super) number: u64,
    id: Option<RecordId>,
    cells: Vec<Option<Parsed>>,
}

/// A row as it will be written, but for its references.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    /// Its record id, where rows are recognised by it.
    pub(super) id: Option<RecordId>,
    pub(super) fields: Fields,
    /// Places of mapped columns, and the key that each holds.
    pub(super) references: Vec<(usize, String)>,
    /// The canonical key of the row where the file gives one; computed ones never come twice.
    pub(super) given_key: Option<String>,
}

/// What is wrong with a cell.
type CellFault = (&'static str, Text);

impl Parser {
    /// Finds the mapped columns in a header.
    pub(super) fn new(
        mapping: Arc<Mapping>,
        header: &[String],
        locale: &Locale,
        line_bytes_max: usize,
    ) -> Result<Self> {
        let (places, id_place) = (mapping.places(header)?, mapping.id_place(header)?);
        let columns = mapping.columns.iter().enumerate();
        let columns = columns.map(|(place, column)| (column.field.name.to_string(), IdPart::Column(place)));
        let constants = mapping.constants.iter();
        let constants =
            constants.map(|(field, value)| (field.name.to_string(), IdPart::Constant(value.canonical())));
        let mut id_parts: Vec<_> = columns.chain(constants).collect();
        id_parts.sort_by(|a, b| a.0.cmp(&b.0));
        let beside = mapping.columns.iter().map(|column| match &column.cell {
            Cell::Reference(reference) => {
                let named = |name: &String| header.iter().position(|column| column == name);
                reference.columns.iter().filter_map(named).collect()
            }
            Cell::Value(_) => Vec::new(),
        });
        Ok(Self {
            beside: beside.collect(),
            has_scripts: !mapping.drops.is_empty()
                || mapping.columns.iter().any(|column| column.transform.is_some()),
            mapping,
            header: header.to_vec(),
            places,
            id_place,
            base_currency: locale.base_currency,
            zone: locale.zone.clone(),
            line_bytes_max,
            id_parts,
        })
    }

    /// Reads the cells of a row; a row with a bad cell is refused with all that is wrong with it.
    pub(super) fn parse(&self, row: &Row) -> Result<Meaning, Vec<RowError>> {
        let error = |column: String, (code, message): CellFault| RowError {
            line: row.line,
            row: row.number,
            column: Some(column),
            code,
            message,
        };
        let cells = if self.has_scripts { texts(row) } else { Vec::new() };
        let texts = RowTexts { columns: &self.header, cells: &cells };
        for (number, drop) in self.mapping.drops.iter().enumerate() {
            match drop.when.apply(None, &texts) {
                Ok(answer) if answer.as_deref() == Some("true") => return Ok(Meaning::Dropped(number)),
                Ok(_) => {}
                Err(message) => return Err(vec![error("drop".into(), ("transform_failed", message))]),
            }
        }
        let mut cells = Vec::with_capacity(self.places.len());
        let mut errors = Vec::new();
        for (column, place) in self.mapping.columns.iter().zip(&self.places) {
            let bytes = place.and_then(|place| row.cell(place)).unwrap_or_default();
            match self.parse_cell(column, bytes, &texts) {
                Ok(parsed) => cells.push(parsed),
                Err(fault) => errors.push(error(column.label(), fault)),
            }
        }
        let id = match self.id_place.map(|place| self.parse_id(row.cell(place).unwrap_or_default())) {
            Some(Err(fault)) => {
                errors.push(error(self.mapping.id_column.clone().unwrap_or_default(), fault));
                None
            }
            Some(Ok(id)) => id,
            None => None,
        };
        match errors.is_empty() {
            true => Ok(Meaning::Row(ParsedRow { line: row.line, number: row.number, id, cells })),
            false => Err(errors),
        }
    }

    fn parse_id(&self, bytes: &[u8]) -> Result<Option<RecordId>, CellFault> {
        match text_of(bytes)? {
            "" if self.mapping.mode == Mode::Update => Err(key_missing("id")),
            "" => Ok(None),
            text => RecordId::parse(text).map(Some).map_err(|error| ("invalid_value", error.text())),
        }
    }

    fn parse_cell(
        &self,
        column: &MappedColumn,
        bytes: &[u8],
        texts: &RowTexts<'_>,
    ) -> Result<Option<Parsed>, CellFault> {
        let text = text_of(bytes)?;
        let text = column.values.get(text).map_or(text, String::as_str);
        let text = match (text, &column.default) {
            ("", Some(default)) => default.as_str(),
            (text, _) => text,
        };
        let transformed = match &column.transform {
            Some(transform) => {
                let value = Some(text).filter(|text| !text.is_empty());
                transform.apply(value, texts).map_err(|message| ("transform_failed", message))?
            }
            None => None,
        };
        let text = match (&column.transform, &transformed) {
            (Some(_), Some(text)) => text.trim(),
            (Some(_), None) => "",
            (None, _) => text,
        };
        if text.is_empty() {
            let key = self.mapping.key.field().filter(|key| key.id == column.field.id);
            let must_be_there =
                key.is_some() && (!self.mapping.key.is_computed() || self.mapping.mode == Mode::Update);
            return if must_be_there { Err(key_missing(&column.label())) } else { Ok(None) };
        }
        if text.contains('\0') {
            return Err(nul(text));
        }
        let invalid = |error: trellis_model::Error| ("invalid_value", error.text());
        Ok(Some(match &column.cell {
            Cell::Value(format) => {
                let value = if format.currency.is_none() && column.field.field_type == FieldType::Money {
                    let format = CellFormat { currency: Some(self.base_currency), ..format.clone() };
                    cell::parse(&column.field.field_type, &format, &self.zone, text)
                } else {
                    cell::parse(&column.field.field_type, format, &self.zone, text)
                };
                Parsed::Value(value.map_err(invalid)?)
            }
            Cell::Reference(reference) => {
                let format = CellFormat { currency: Some(self.base_currency), ..CellFormat::default() };
                let key = cell::parse(&reference.key.field_type, &format, &self.zone, text);
                Parsed::Key(key.map_err(invalid)?.canonical())
            }
        }))
    }

    /// Whether the row brings no id of its own.
    pub(super) fn lacks_id(&self, row: &ParsedRow) -> bool {
        let key = self.mapping.key.field().filter(|_| self.mapping.key.is_computed());
        key.is_some_and(|key| !self.columns(row).any(|(_, id, _)| id == key.id))
    }

    /// The keys of a row's references, by the place of their mapped column.
    pub(super) fn references<'a>(&'a self, row: &'a ParsedRow) -> impl Iterator<Item = (usize, &'a str)> {
        self.columns(row).filter_map(|(place, _, parsed)| match parsed {
            Parsed::Key(key) => Some((place, key.as_str())),
            Parsed::Value(_) => None,
        })
    }

    /// The texts beside a reference that a new record takes over.
    pub(super) fn beside(&self, place: usize, row: &Row) -> Vec<String> {
        let places = self.beside.get(place).map(Vec::as_slice).unwrap_or_default();
        let cells = places.iter().map(|&place| row.cell(place).unwrap_or_default());
        cells.map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect()
    }

    /// The key that the row gives itself.
    pub(super) fn given_key(&self, row: &ParsedRow) -> Option<String> {
        match &self.mapping.key {
            Key::Id => row.id.map(|id| id.to_string()),
            Key::None => None,
            Key::Field(key) => self.columns(row).find_map(|(_, id, parsed)| match parsed {
                Parsed::Value(value) if id == key.id => Some(value.canonical()),
                _ => None,
            }),
        }
    }

    /// The fields that a row will have. Called once for each good row, in the order of the file.
    pub(super) fn draft(&self, row: ParsedRow, ids: &mut RowIds) -> Draft {
        let id = self.lacks_id(&row).then(|| self.row_id(&row, ids));
        let given_key = self.given_key(&row);
        let mut draft = Draft { id: row.id, fields: Fields::new(), references: Vec::new(), given_key };
        let constants = self.mapping.constants.iter().map(|(field, value)| (field.id, value.clone()));
        draft.fields.extend(constants);
        for (place, (column, parsed)) in self.mapping.columns.iter().zip(row.cells).enumerate() {
            match parsed {
                Some(Parsed::Value(value)) => {
                    draft.fields.insert(column.field.id, value);
                }
                Some(Parsed::Key(key)) => draft.references.push((place, key)),
                None => {}
            }
        }
        if let (Some(id), Some(key)) = (id, self.mapping.key.field()) {
            draft.fields.insert(key.id, Value::Text(id));
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
            Fault::TooManyCells => {
                ("column_count", Text::new("the row has too many cells", "该行的单元格过多"))
            }
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

/// The trimmed text of a cell.
fn text_of(bytes: &[u8]) -> Result<&str, CellFault> {
    let text = str::from_utf8(bytes).map_err(|_| {
        let shown = cell::shorten(&String::from_utf8_lossy(bytes));
        ("invalid_utf8", bilingual!("`{shown}` is not UTF-8", "`{shown}` 不是 UTF-8 编码"))
    })?;
    let text = text.trim();
    if text.contains('\0') { Err(nul(text)) } else { Ok(text) }
}

fn nul(text: &str) -> CellFault {
    let shown = cell::shorten(text).replace('\0', "␀");
    ("nul_character", bilingual!("`{shown}` has a NUL character", "`{shown}` 含有 NUL 字符"))
}

fn key_missing(name: &str) -> CellFault {
    (
        "key_missing",
        bilingual!("`{name}` is empty, and rows are matched by it", "`{name}` 为空，而各行按它匹配"),
    )
}

#[cfg(test)]
mod tests;
