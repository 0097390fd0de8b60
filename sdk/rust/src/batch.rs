//! Reading the columns of a batch.

use crate::PluginError;
use crate::bindings::shared::trellis::plugin::columns as wire;
use crate::error::Result;
use crate::values::{Booleans, Dictionary, Lists, Money, Texts, Validity, Values};

/// Some rows of a data set, column by column, in ascending order of their ordinals.
///
/// A column is fetched once by name and type, then read row by row or as a whole; fetching checks that it is there, of that
/// type, and as long as the batch.
///
/// ```
/// use trellis_sdk::testing::BatchBuilder;
///
/// let batch = BatchBuilder::new([7, 9]).float64("spent", [Some(12.5), None]).build();
/// let spent = batch.float64("spent")?;
/// assert_eq!(spent.get(0), Some(12.5));
/// assert_eq!(spent.iter().flatten().sum::<f64>(), 12.5);
/// assert!(batch.int64("spent").unwrap_err().to_string().contains("is of type float64"));
/// # Ok::<(), trellis_sdk::PluginError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pub(crate) wire: wire::Batch,
}

impl From<wire::Batch> for Batch {
    fn from(wire: wire::Batch) -> Self {
        Self { wire }
    }
}

impl From<Batch> for wire::Batch {
    fn from(batch: Batch) -> Self {
        batch.wire
    }
}

impl Batch {
    /// How many rows it has; at most 65,536.
    pub fn rows(&self) -> usize {
        self.wire.rows as usize
    }

    /// The ordinal of each row's record, ascending: dense numbers that a record keeps for life. They break ties.
    pub fn ordinals(&self) -> &[u64] {
        &self.wire.ordinals
    }

    /// The names of the columns, in the manifest's order.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.wire.columns.iter().map(|column| column.name.as_str())
    }

    /// Whether there is a column of that name.
    pub fn has_column(&self, name: &str) -> bool {
        self.column_names().any(|candidate| candidate == name)
    }

    /// The column of finite numbers called `name`.
    ///
    /// # Errors
    /// As every accessor: `missing-column`, `wrong-column-type` or `malformed-column`, naming it.
    pub fn float64(&self, name: &str) -> Result<Values<'_, f64>> {
        match self.column(name)? {
            (wire::ColumnData::Float64(values), column) => self.values(column, values),
            (_, column) => Err(wrong_type(column, "float64")),
        }
    }

    /// The column of whole numbers called `name`.
    ///
    /// # Errors
    /// As [`Batch::float64`].
    pub fn int64(&self, name: &str) -> Result<Values<'_, i64>> {
        match self.column(name)? {
            (wire::ColumnData::Int64(values), column) => self.values(column, values),
            (_, column) => Err(wrong_type(column, "int64")),
        }
    }

    /// The column of days since 1970-01-01 called `name`.
    ///
    /// # Errors
    /// As [`Batch::float64`].
    pub fn date(&self, name: &str) -> Result<Values<'_, i32>> {
        match self.column(name)? {
            (wire::ColumnData::Date(values), column) => self.values(column, values),
            (_, column) => Err(wrong_type(column, "date")),
        }
    }

    /// The column of milliseconds since 1970-01-01T00:00:00Z called `name`.
    ///
    /// # Errors
    /// As [`Batch::float64`].
    pub fn time(&self, name: &str) -> Result<Values<'_, i64>> {
        match self.column(name)? {
            (wire::ColumnData::Time(values), column) => self.values(column, values),
            (_, column) => Err(wrong_type(column, "time")),
        }
    }

    /// The column of ordinals of other records called `name`.
    ///
    /// # Errors
    /// As [`Batch::float64`].
    pub fn reference(&self, name: &str) -> Result<Values<'_, u64>> {
        match self.column(name)? {
            (wire::ColumnData::Reference(values), column) => self.values(column, values),
            (_, column) => Err(wrong_type(column, "reference")),
        }
    }

    /// The column of truth values called `name`.
    ///
    /// # Errors
    /// As [`Batch::float64`].
    pub fn boolean(&self, name: &str) -> Result<Booleans<'_>> {
        match self.column(name)? {
            (wire::ColumnData::Boolean(values), column) => self.values(column, values).map(Booleans::new),
            (_, column) => Err(wrong_type(column, "boolean")),
        }
    }

    /// The column of amounts in one currency called `name`.
    ///
    /// # Errors
    /// As [`Batch::float64`].
    pub fn money(&self, name: &str) -> Result<Money<'_>> {
        match self.column(name)? {
            (wire::ColumnData::Money(money), column) => {
                Ok(Money::new(&money.currency, self.values(column, &money.minor_units)?))
            }
            (_, column) => Err(wrong_type(column, "money")),
        }
    }

    /// The column of texts called `name`.
    ///
    /// # Errors
    /// As [`Batch::float64`].
    pub fn text(&self, name: &str) -> Result<Texts<'_>> {
        match self.column(name)? {
            (wire::ColumnData::Text(texts), column) => {
                Texts::new(texts, self.rows(), self.validity(column)?).ok_or_else(|| malformed(column))
            }
            (_, column) => Err(wrong_type(column, "text")),
        }
    }

    /// The column of repeating texts called `name`.
    ///
    /// # Errors
    /// As [`Batch::float64`].
    pub fn dictionary(&self, name: &str) -> Result<Dictionary<'_>> {
        match self.column(name)? {
            (wire::ColumnData::Dictionary(dictionary), column) => {
                let codes = self.values(column, &dictionary.codes)?;
                Dictionary::new(codes, &dictionary.values).ok_or_else(|| malformed(column))
            }
            (_, column) => Err(wrong_type(column, "dictionary")),
        }
    }

    /// The column of several repeating texts a row called `name`.
    ///
    /// # Errors
    /// As [`Batch::float64`].
    pub fn lists(&self, name: &str) -> Result<Lists<'_>> {
        match self.column(name)? {
            (wire::ColumnData::DictionaryList(lists), column) => {
                Lists::new(lists, self.rows(), self.validity(column)?).ok_or_else(|| malformed(column))
            }
            (_, column) => Err(wrong_type(column, "dictionary-list")),
        }
    }

    /// The type of the column called `name`, as WIT calls it, for plugins whose columns an admin chooses.
    pub fn type_of(&self, name: &str) -> Option<&'static str> {
        self.column(name).ok().map(|(data, _)| type_name(data))
    }

    fn column(&self, name: &str) -> Result<(&wire::ColumnData, &wire::Column)> {
        let found = self.wire.columns.iter().find(|column| column.name == name);
        found.map(|column| (&column.data, column)).ok_or_else(|| {
            let names: Vec<_> = self.column_names().collect();
            let message = format!("there is no column `{name}` in the batch; it has: {}", names.join(", "));
            PluginError::other("missing-column", message)
        })
    }

    fn values<'a, T: Copy>(&'a self, column: &'a wire::Column, values: &'a [T]) -> Result<Values<'a, T>> {
        if values.len() != self.rows() {
            return Err(malformed(column));
        }
        Ok(Values::new(values, self.validity(column)?))
    }

    fn validity<'a>(&self, column: &'a wire::Column) -> Result<Validity<'a>> {
        Validity::of_bits(&column.valid, self.rows()).ok_or_else(|| malformed(column))
    }
}

fn type_name(data: &wire::ColumnData) -> &'static str {
    match data {
        wire::ColumnData::Float64(_) => "float64",
        wire::ColumnData::Int64(_) => "int64",
        wire::ColumnData::Boolean(_) => "boolean",
        wire::ColumnData::Date(_) => "date",
        wire::ColumnData::Time(_) => "time",
        wire::ColumnData::Money(_) => "money",
        wire::ColumnData::Text(_) => "text",
        wire::ColumnData::Dictionary(_) => "dictionary",
        wire::ColumnData::Reference(_) => "reference",
        wire::ColumnData::DictionaryList(_) => "dictionary-list",
    }
}

fn wrong_type(column: &wire::Column, wanted: &str) -> PluginError {
    let found = type_name(&column.data);
    let message = format!("column `{}` is of type {found}, not {wanted}", column.name);
    PluginError::other("wrong-column-type", message)
}

fn malformed(column: &wire::Column) -> PluginError {
    let message = format!("column `{}` does not fit its batch: its parts differ in length", column.name);
    PluginError::other("malformed-column", message)
}
