//! Columns of plain fields, read record by record: the slow way, for what is not derived.

use std::collections::HashMap;
use std::sync::Arc;

use trellis_model::{ColumnData, Currency, FieldType, RecordId, Scope, TextColumn, Validity, Value};
use trellis_records::Records;

use crate::Result;
use crate::dataset::{Plan, PlannedSource};
use crate::features::base_minor_units;
use crate::lists::sort_by_text;
use crate::related::{names, texts_of};
use crate::room::{Room, texts_bytes};

/// Reads plain fields of a dataset's rows.
#[derive(Debug)]
pub(crate) struct FieldReader {
    records: Arc<Records>,
    titles: Titles,
}

/// The titles of records that lists name, as they were when they were asked for last.
#[derive(Debug, Default)]
pub(crate) struct Titles(HashMap<RecordId, String>);

/// Titles that are kept.
const TITLES_KEPT_MAX: usize = 8_192;

/// How many ordinals are looked up at once.
const LOOKUP_ROWS: usize = 1_000;

/// A column that is being gathered.
pub(crate) struct Builder {
    valid: Vec<bool>,
    data: ColumnData,
    /// Code of each text, where the column is a dictionary.
    codes: HashMap<String, u32>,
}

impl FieldReader {
    pub(crate) fn new(records: Arc<Records>) -> Self {
        Self { records, titles: Titles::default() }
    }

    /// Reads the fields of the first of `ordinals`: all of them, or as many as there is room for, but at least one. Returns the
    /// columns in the order of the plan's fields and how many rows they have.
    pub(crate) async fn read(
        &mut self,
        plan: &Plan,
        ordinals: &[u64],
        room: &Room,
    ) -> Result<(Vec<(Validity, ColumnData)>, usize)> {
        let scope = Scope::everything();
        let base = self.records.config().base_currency;
        let fields = plan.columns.iter().filter_map(|column| match &column.source {
            PlannedSource::Field(field) => Some((field, column.coded)),
            _ => None,
        });
        let (fields, coded): (Vec<_>, Vec<_>) = fields.unzip();
        let mut builders: Vec<Builder> = Vec::with_capacity(fields.len());
        for (field, coded) in fields.iter().zip(coded) {
            let has_ordinals = self.reference_has_ordinals(&field.field_type);
            builders.push(Builder::of(&field.field_type, base, has_ordinals, coded));
        }
        let (mut rows, mut bytes) = (0, 0);
        'rows: for part in ordinals.chunks(LOOKUP_ROWS) {
            for id in self.records.ordinal_ids(plan.object, part).await? {
                let record = match id {
                    Some(id) => self.records.get(&scope, &plan.object_name, id).await?,
                    None => None,
                };
                let values = || fields.iter().map(|field| record.as_ref()?.fields.get(&field.id));
                let mut texts = Vec::with_capacity(fields.len());
                for ((builder, field), value) in builders.iter().zip(&fields).zip(values()) {
                    let titles = self.titles.texts(&self.records, &field.field_type, value).await?;
                    let of_field = builder.texts(value, titles);
                    bytes += builder.texts_bytes(&of_field);
                    texts.push(of_field);
                }
                if !room.has(rows, bytes) {
                    break 'rows;
                }
                for (((builder, field), value), texts) in
                    builders.iter_mut().zip(&fields).zip(values()).zip(texts)
                {
                    let ordinal = self.reference_ordinal(&field.field_type, value).await?;
                    builder.push(value, ordinal, texts, base);
                }
                rows += 1;
            }
        }
        Ok((builders.into_iter().map(Builder::finish).collect(), rows))
    }

    fn reference_has_ordinals(&self, field_type: &FieldType) -> bool {
        let FieldType::Reference { object } = field_type else { return false };
        self.records.schema().object(object.as_str()).is_some_and(|object| object.ordinals)
    }

    async fn reference_ordinal(&self, field_type: &FieldType, value: Option<&Value>) -> Result<Option<u64>> {
        let (FieldType::Reference { object }, Some(Value::Reference(id))) = (field_type, value) else {
            return Ok(None);
        };
        if !self.reference_has_ordinals(field_type) {
            return Ok(None);
        }
        let id: RecordId = *id;
        Ok(self.records.get(&Scope::everything(), object, id).await?.and_then(|target| target.ordinal))
    }
}

/// Whoever reads the rows a second time asks for titles again.
impl Clone for FieldReader {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.records))
    }
}

impl Titles {
    /// What a value of several texts names: options, texts, titles of records. Empty for any other type.
    pub(crate) async fn texts(
        &mut self,
        records: &Records,
        field_type: &FieldType,
        value: Option<&Value>,
    ) -> Result<Vec<String>> {
        let values = match value {
            Some(Value::MultiChoice(options)) => return Ok(options.clone()),
            Some(Value::List(values)) => values,
            _ => return Ok(Vec::new()),
        };
        let of = texts_of(&records.schema(), field_type).flatten();
        let mut texts = Vec::with_capacity(values.len());
        for value in values {
            let known = if let Value::Reference(id) = value { self.0.get(id).cloned() } else { None };
            let text = match known {
                Some(known) => known,
                None => names(records, of.as_ref(), std::slice::from_ref(value)).await?.concat(),
            };
            if let Value::Reference(id) = value {
                if self.0.len() >= TITLES_KEPT_MAX {
                    self.0.clear();
                }
                self.0.insert(*id, text.clone());
            }
            texts.push(text);
        }
        Ok(texts)
    }
}

impl Builder {
    pub(crate) fn of(field_type: &FieldType, base: Currency, has_ordinals: bool, coded: bool) -> Self {
        let dictionary = || ColumnData::Dictionary { codes: Vec::new(), values: TextColumn::default() };
        let data = match field_type {
            FieldType::Number => ColumnData::Float64(Vec::new()),
            FieldType::Integer => ColumnData::Int64(Vec::new()),
            FieldType::Money => ColumnData::Money { currency: base.to_string(), minor_units: Vec::new() },
            FieldType::Bool => ColumnData::Boolean(Vec::new()),
            FieldType::Date => ColumnData::Date(Vec::new()),
            FieldType::Time => ColumnData::Time(Vec::new()),
            FieldType::Reference { .. } if has_ordinals => ColumnData::Reference(Vec::new()),
            FieldType::Text { .. } if !coded => ColumnData::Text(TextColumn::default()),
            FieldType::MultiChoice { .. } | FieldType::List { .. } => ColumnData::DictionaryList {
                offsets: vec![0],
                codes: Vec::new(),
                values: TextColumn::default(),
            },
            _ => dictionary(),
        };
        Self { valid: Vec::new(), data, codes: HashMap::new() }
    }

    /// The texts that a value puts into the column; `titles` are those of a list.
    pub(crate) fn texts(&self, value: Option<&Value>, titles: Vec<String>) -> Vec<String> {
        match self.data {
            ColumnData::Text(_) | ColumnData::Dictionary { .. } => {
                value.map(Value::canonical).into_iter().collect()
            }
            _ => titles,
        }
    }

    /// What these texts of a row take.
    pub(crate) fn texts_bytes(&self, texts: &[String]) -> usize {
        texts_bytes(&self.data, texts, |text| !self.codes.contains_key(text))
    }

    /// Adds a row: its value, and what stands for that: the ordinal of a reference, the texts of a text, choice or list.
    pub(crate) fn push(
        &mut self,
        value: Option<&Value>,
        ordinal: Option<u64>,
        texts: Vec<String>,
        base: Currency,
    ) {
        let mut valid = value.is_some();
        match &mut self.data {
            ColumnData::Float64(values) => {
                values.push(if let Some(Value::Number(value)) = value { *value } else { 0.0 });
            }
            ColumnData::Int64(values) => {
                values.push(if let Some(Value::Integer(value)) = value { *value } else { 0 });
            }
            ColumnData::Money { minor_units, .. } => {
                let money =
                    if let Some(Value::Money(money)) = value { base_minor_units(money, base) } else { None };
                valid = money.is_some();
                minor_units.push(money.unwrap_or(0));
            }
            ColumnData::Boolean(values) => {
                values.push(u8::from(matches!(value, Some(Value::Bool(true)))));
            }
            ColumnData::Date(values) => {
                values.push(if let Some(Value::Date(date)) = value { Value::days_of(*date) } else { 0 });
            }
            ColumnData::Time(values) => {
                values.push(if let Some(Value::Time(time)) = value { time.as_millisecond() } else { 0 });
            }
            ColumnData::Reference(values) => {
                valid = ordinal.is_some();
                values.push(ordinal.unwrap_or(0));
            }
            ColumnData::Text(values) => values.push(texts.first().map_or("", String::as_str)),
            ColumnData::Dictionary { codes, values } => {
                let text = texts.into_iter().next();
                codes.push(text.map_or(0, |text| code(&mut self.codes, values, text)));
            }
            ColumnData::DictionaryList { offsets, codes, values } => {
                codes.extend(texts.into_iter().map(|text| code(&mut self.codes, values, text)));
                offsets.push(codes.len() as u32);
            }
        }
        self.valid.push(valid);
    }

    pub(crate) fn finish(mut self) -> (Validity, ColumnData) {
        if let ColumnData::DictionaryList { offsets, codes, values } = &mut self.data {
            let found = std::mem::take(values);
            let names = (0..found.len()).map(|code| found.get(code).unwrap_or_default());
            *values = sort_by_text(names, offsets, codes);
        }
        (Validity::from_flags(self.valid), self.data)
    }
}

/// The code of a text: its place among the different ones.
fn code(known: &mut HashMap<String, u32>, values: &mut TextColumn, text: String) -> u32 {
    let next = values.len() as u32;
    *known.entry(text).or_insert_with_key(|text| {
        values.push(text);
        next
    })
}
