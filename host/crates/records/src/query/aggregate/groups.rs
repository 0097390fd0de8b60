//! Groups as they fill.

use std::borrow::Cow;
use std::collections::HashMap;

use trellis_model::{Phrase, Record, Value};

use super::measure::Accumulator;
use super::plan::{KeyPart, Prepared};
use crate::index::encode;
use crate::{DerivedFields, Error, Limits, Result};

/// All groups, by the bytes of their keys.
pub(super) struct Groups {
    by_key: HashMap<Vec<u8>, Filling>,
    bytes: usize,
    groups_max: usize,
    bytes_max: usize,
    key: Vec<u8>,
    value: Vec<u8>,
}

/// A group that is not finished.
pub(super) struct Filling {
    pub(super) keys: Vec<Option<Value>>,
    pub(super) count: u64,
    pub(super) measures: Vec<Accumulator>,
}

/// Bytes that a group takes besides its keys.
const GROUP_BYTES: usize = 128;

/// The values of one record: its keys, of which there are several where a key has several values, and which measures count it.
pub(super) struct Row<'a> {
    pub(super) record: &'a Record,
    pub(super) counts: &'a [bool],
    pub(super) derived: Option<&'a dyn DerivedFields>,
}

impl Groups {
    pub(super) fn new(prepared: &Prepared, limits: &Limits) -> Self {
        let mut groups = Self {
            by_key: HashMap::new(),
            bytes: 0,
            groups_max: limits.groups_max,
            bytes_max: limits.aggregate_bytes_max,
            key: Vec::new(),
            value: Vec::new(),
        };
        if prepared.keys.is_empty() {
            groups.by_key.insert(Vec::new(), Filling::new(prepared, Vec::new()));
        }
        groups
    }

    pub(super) fn into_groups(self) -> impl Iterator<Item = Filling> {
        self.by_key.into_values()
    }

    /// Adds a record to its groups.
    pub(super) fn add(&mut self, prepared: &Prepared, row: &Row<'_>) -> Result<()> {
        let choices: Vec<Keys<'_>> = prepared.keys.iter().map(|key| Keys::of(key, prepared, row)).collect();
        let combinations: usize = choices.iter().map(Keys::len).product();
        for combination in 0..combinations {
            self.key.clear();
            let mut rest = combination;
            for keys in &choices {
                append_whole(&mut self.key, keys.get(rest % keys.len()));
                rest /= keys.len();
            }
            if !self.by_key.contains_key(&self.key) {
                self.open(prepared, &choices, combination)?;
            }
            self.fill(prepared, row)?;
        }
        Ok(())
    }

    fn open(&mut self, prepared: &Prepared, choices: &[Keys<'_>], combination: usize) -> Result<()> {
        if self.by_key.len() >= self.groups_max {
            let what = Phrase::new("groups", "分组数");
            return Err(Error::TooMany { what, count: self.by_key.len() + 1, count_max: self.groups_max });
        }
        let mut rest = combination;
        let mut values = Vec::with_capacity(choices.len());
        for keys in choices {
            values.push(keys.get(rest % keys.len()).cloned());
            rest /= keys.len();
        }
        self.bytes += 2 * self.key.len() + GROUP_BYTES;
        self.by_key.insert(self.key.clone(), Filling::new(prepared, values));
        Ok(())
    }

    fn fill(&mut self, prepared: &Prepared, row: &Row<'_>) -> Result<()> {
        let Some(group) = self.by_key.get_mut(&self.key) else { return Ok(()) };
        group.count += 1;
        for ((measure, accumulator), counts) in
            prepared.measures.iter().zip(&mut group.measures).zip(row.counts)
        {
            if !counts {
                continue;
            }
            match &measure.part {
                None => accumulator.add_record(),
                Some(part) => {
                    let Some(value) = part.value(row.record, row.derived) else { continue };
                    if let Accumulator::Distinct(_) = accumulator {
                        self.value.clear();
                        append_whole(&mut self.value, Some(&value));
                    }
                    self.bytes += accumulator.add(&value, &self.value);
                }
            }
        }
        if self.bytes > self.bytes_max {
            let what = Phrase::new("bytes of an aggregate", "聚合占用的字节数");
            return Err(Error::TooMany { what, count: self.bytes, count_max: self.bytes_max });
        }
        Ok(())
    }
}

impl Filling {
    fn new(prepared: &Prepared, keys: Vec<Option<Value>>) -> Self {
        let accumulator =
            |measure: &super::plan::MeasurePart| Accumulator::new(measure.function, measure.kind.as_ref());
        Self { keys, count: 0, measures: prepared.measures.iter().map(accumulator).collect() }
    }
}

/// The values of one record for one key.
enum Keys<'a> {
    One(Option<Cow<'a, Value>>),
    /// At least one.
    Several(Vec<Value>),
}

impl<'a> Keys<'a> {
    fn of(key: &'a KeyPart, prepared: &Prepared, row: &Row<'a>) -> Self {
        let value = key.part.value(row.record, row.derived);
        let several = match value.as_deref() {
            Some(Value::MultiChoice(options)) => options.iter().cloned().map(Value::Choice).collect(),
            Some(Value::List(values)) => distinct(values),
            Some(Value::Time(time)) if let Some(bucket) = key.bucket => {
                let day = time.to_zoned(prepared.time_zone.clone()).date();
                return Self::One(Some(Cow::Owned(Value::Date(bucket.first_day(day)))));
            }
            Some(Value::Date(day)) if let Some(bucket) = key.bucket => {
                return Self::One(Some(Cow::Owned(Value::Date(bucket.first_day(*day)))));
            }
            _ => return Self::One(value),
        };
        if several.is_empty() { Self::One(None) } else { Self::Several(several) }
    }

    fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Several(values) => values.len(),
        }
    }

    fn get(&self, place: usize) -> Option<&Value> {
        match self {
            Self::One(value) => value.as_deref(),
            Self::Several(values) => values.get(place),
        }
    }
}

/// Each value once.
fn distinct(values: &[Value]) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::with_capacity(values.len());
    for value in values {
        if !found.contains(value) {
            found.push(value.clone());
        }
    }
    found
}

/// Appends bytes that are the same for equal values and for no others of the same type, and of which none is the beginning of another.
fn append_whole(out: &mut Vec<u8>, value: Option<&Value>) {
    let place = out.len();
    match value {
        None => out.push(0),
        Some(Value::Text(text) | Value::Choice(text)) => {
            out.push(1);
            out.extend(text.as_bytes());
            out.push(0);
        }
        // Amounts count in base currency, as everywhere.
        Some(Value::Money(money)) => {
            out.push(2);
            out.extend(money.comparable().normalize().serialize());
        }
        Some(value @ (Value::MultiChoice(_) | Value::List(_) | Value::Json(_))) => {
            let text = value.canonical();
            out.push(3);
            out.extend((text.len() as u64).to_be_bytes());
            out.extend(text.as_bytes());
        }
        Some(value) => encode::append(out, Some(value)),
    }
    debug_assert!(out.len() > place, "every value has bytes");
}
