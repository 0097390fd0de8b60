//! Rows that a plugin learns from: as the host gives them to a component, and as the SDK gives them to the same code natively.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use trellis_model::{Batch, Column, ColumnData, TextColumn, Validity};
use trellis_plugin_host::RowStream;
use trellis_sdk::testing::{BatchBuilder, stream};

/// Rows of a batch, as the engine has them by default; fewer where they would take more bytes than a plugin gets at once.
const ROWS: usize = 65_536;
const BYTES: usize = 6 << 20;

/// Columns of as many rows as there are.
pub(crate) struct Table {
    pub rows: usize,
    pub columns: Vec<(String, Values)>,
}

/// The values of a column; those that are not made from a function of their own have no nulls.
pub(crate) enum Values {
    /// Not a number is null.
    Numbers(Vec<f64>),
    Counts(Vec<i64>),
    /// Since 1970-01-01; [`NO_DAY`] is null.
    Days(Vec<i32>),
    /// Milliseconds since 1970-01-01T00:00:00Z.
    Times(Vec<i64>),
    Cents(Vec<i64>),
    Flags(Vec<bool>),
    Ordinals(Vec<u64>),
    /// Places of texts; [`NONE`] is null.
    Texts(Vec<u32>, Arc<Vec<String>>),
    /// Places of texts that come one a row, as names do; none is null.
    Plain(Vec<u32>, Arc<Vec<String>>),
    /// Places of several texts a row, ascending.
    Lists(Vec<Vec<u32>>, Arc<Vec<String>>),
}

/// The place of no text.
pub(crate) const NONE: u32 = u32::MAX;

/// No day.
pub(crate) const NO_DAY: i32 = i32::MIN;

/// The dataset that a call is made with, and those that it may open.
pub(crate) struct Datasets {
    /// The first is called so too.
    name: String,
    first: Table,
    others: Vec<(String, Table)>,
}

impl Table {
    pub(crate) fn new(rows: usize) -> Self {
        Self { rows, columns: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, values: Values) -> Self {
        self.columns.push((name.to_owned(), values));
        self
    }

    fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let bytes: usize = self.columns.iter().map(|(_, values)| values.bytes_of_row()).sum();
        let (rows, at_once) = (self.rows, ROWS.min(BYTES / (8 + bytes)));
        (0..rows).step_by(at_once).map(move |from| from..(from + at_once).min(rows))
    }

    /// The batches that a host makes of it.
    pub(crate) fn host_batches(&self) -> Vec<Batch> {
        let batch = |rows: Range<usize>| Batch {
            rows: rows.len() as u32,
            ordinals: rows.clone().map(|row| row as u64).collect(),
            columns: self
                .columns
                .iter()
                .map(|(name, values)| {
                    let (valid, data) = values.of_host(rows.clone());
                    Column { name: name.clone(), valid, data }
                })
                .collect(),
        };
        self.ranges().map(batch).collect()
    }

    fn sdk_batches(&self) -> Vec<trellis_sdk::Batch> {
        let batch = |rows: Range<usize>| {
            let ordinals = rows.clone().map(|row| row as u64);
            let builder = BatchBuilder::new(ordinals);
            let add = |builder, (name, values): &(String, Values)| values.of_sdk(builder, name, rows.clone());
            self.columns.iter().fold(builder, add).build()
        };
        self.ranges().map(batch).collect()
    }
}

impl Datasets {
    pub(crate) fn of(first: Table) -> Self {
        Self::called("customers", first)
    }

    pub(crate) fn called(name: &str, first: Table) -> Self {
        Self { name: name.to_owned(), first, others: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, table: Table) -> Self {
        self.others.push((name.to_owned(), table));
        self
    }

    pub(crate) fn host(&self) -> Stream {
        let others = self.others.iter().map(|(name, table)| (name.clone(), table.host_batches()));
        let all = others.chain([(self.name.clone(), self.first.host_batches())]).collect();
        Stream { all: Arc::new(all), name: self.name.clone(), next: 0 }
    }

    pub(crate) fn sdk(&self) -> trellis_sdk::RowStream<'static> {
        let first = stream(self.first.sdk_batches());
        let add = |stream: trellis_sdk::RowStream<'static>, (name, table): &(String, Table)| {
            stream.with_dataset(name, table.sdk_batches())
        };
        self.others.iter().fold(first, add)
    }
}

/// Batches that were made before.
#[derive(Clone)]
pub(crate) struct Stream {
    all: Arc<BTreeMap<String, Vec<Batch>>>,
    name: String,
    next: usize,
}

impl Stream {
    pub(crate) fn batches(&self) -> &[Batch] {
        self.all.get(&self.name).map_or(&[], Vec::as_slice)
    }

    /// The rows of a dataset, or none.
    pub(crate) fn at(&self, name: Option<&str>) -> Self {
        Self { all: Arc::clone(&self.all), name: name.unwrap_or_default().to_owned(), next: 0 }
    }
}

impl RowStream for Stream {
    fn next(&mut self) -> Result<Option<Batch>, String> {
        let batch = self.batches().get(self.next).cloned();
        self.next += usize::from(batch.is_some());
        Ok(batch)
    }

    fn rewind(&mut self) {
        self.next = 0;
    }

    fn rows(&self) -> u64 {
        self.batches().iter().map(|batch| u64::from(batch.rows)).sum()
    }

    fn dataset(&mut self, name: &str) -> Result<Option<Box<dyn RowStream>>, String> {
        Ok(self.all.contains_key(name).then(|| Box::new(self.at(Some(name))) as Box<dyn RowStream>))
    }
}

impl Values {
    /// About how many bytes a row takes.
    fn bytes_of_row(&self) -> usize {
        match self {
            Self::Flags(_) => 1,
            Self::Days(_) => 4,
            Self::Numbers(_) | Self::Counts(_) | Self::Times(_) | Self::Cents(_) | Self::Ordinals(_) => 8,
            Self::Texts(..) | Self::Plain(..) | Self::Lists(..) => 40,
        }
    }

    fn of_host(&self, rows: Range<usize>) -> (Validity, ColumnData) {
        let all = Validity::all;
        match self {
            Self::Numbers(values) => {
                let values = &values[rows];
                let valid = Validity::from_flags(values.iter().map(|value| !value.is_nan()));
                let or_zero = |value: &f64| if value.is_nan() { 0.0 } else { *value };
                (valid, ColumnData::Float64(values.iter().map(or_zero).collect()))
            }
            Self::Counts(values) => (all(), ColumnData::Int64(values[rows].to_vec())),
            Self::Days(values) => {
                let values = &values[rows];
                let valid = Validity::from_flags(values.iter().map(|day| *day != NO_DAY));
                let or_zero = |day: &i32| if *day == NO_DAY { 0 } else { *day };
                (valid, ColumnData::Date(values.iter().map(or_zero).collect()))
            }
            Self::Times(values) => (all(), ColumnData::Time(values[rows].to_vec())),
            Self::Cents(values) => {
                let minor_units = values[rows].to_vec();
                (all(), ColumnData::Money { currency: "USD".to_owned(), minor_units })
            }
            Self::Flags(values) => {
                (all(), ColumnData::Boolean(values[rows].iter().map(|flag| u8::from(*flag)).collect()))
            }
            Self::Ordinals(values) => (all(), ColumnData::Reference(values[rows].to_vec())),
            Self::Texts(codes, texts) => {
                let mut dictionary = Dictionary::default();
                let valid = Validity::from_flags(codes[rows.clone()].iter().map(|code| *code != NONE));
                let codes = codes[rows].iter().map(|code| dictionary.code(*code, texts)).collect();
                (valid, ColumnData::Dictionary { codes, values: dictionary.values })
            }
            Self::Plain(codes, texts) => {
                let text = |code: &u32| texts[*code as usize].as_str();
                (all(), ColumnData::Text(codes[rows].iter().map(text).collect()))
            }
            Self::Lists(lists, texts) => {
                let values = texts.iter().collect();
                let (mut offsets, mut codes) = (vec![0], Vec::new());
                for list in &lists[rows] {
                    codes.extend_from_slice(list);
                    offsets.push(codes.len() as u32);
                }
                (all(), ColumnData::DictionaryList { offsets, codes, values })
            }
        }
    }

    fn of_sdk(&self, builder: BatchBuilder, name: &str, rows: Range<usize>) -> BatchBuilder {
        match self {
            Self::Numbers(values) => {
                let known = |value: &f64| (!value.is_nan()).then_some(*value);
                builder.float64(name, values[rows].iter().map(known))
            }
            Self::Counts(values) => builder.int64(name, values[rows].iter().copied().map(Some)),
            Self::Days(values) => {
                let known = |day: &i32| (*day != NO_DAY).then_some(*day);
                builder.date(name, values[rows].iter().map(known))
            }
            Self::Times(values) => builder.time(name, values[rows].iter().copied().map(Some)),
            Self::Cents(values) => builder.money(name, "USD", values[rows].iter().copied().map(Some)),
            Self::Flags(values) => builder.boolean(name, values[rows].iter().copied().map(Some)),
            Self::Ordinals(values) => builder.reference(name, values[rows].iter().copied().map(Some)),
            Self::Texts(codes, texts) => {
                let text = |code: &u32| texts.get(*code as usize).map(String::as_str);
                builder.dictionary(name, codes[rows].iter().map(text))
            }
            Self::Plain(codes, texts) => {
                let text = |code: &u32| texts.get(*code as usize).map(String::as_str);
                builder.text(name, codes[rows].iter().map(text))
            }
            Self::Lists(lists, texts) => {
                let list =
                    |codes: &Vec<u32>| codes.iter().map(|code| texts[*code as usize].as_str()).collect();
                builder.lists(name, lists[rows].iter().map(list).map(Some))
            }
        }
    }
}

/// The texts of one batch.
#[derive(Default)]
struct Dictionary {
    codes: HashMap<u32, u32>,
    values: TextColumn,
}

impl Dictionary {
    fn code(&mut self, place: u32, texts: &[String]) -> u32 {
        let Some(text) = texts.get(place as usize) else { return 0 };
        let values = &mut self.values;
        *self.codes.entry(place).or_insert_with(|| {
            values.push(text);
            values.len() as u32 - 1
        })
    }
}
