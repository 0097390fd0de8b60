//! The answer of `assign`: for each segmentation a column of values.

use crate::LocalizedText;
use crate::bindings::segmentation::exports::trellis::plugin::segmentation as wire;
use crate::bindings::shared::trellis::plugin::columns::{Column, ColumnData, DictionaryColumn};
use crate::bindings::shared::trellis::plugin::types::RowError;
use crate::writing::{text_column, validity};

/// The code that says that a row has no value.
pub const NO_VALUE: u32 = u32::MAX;

/// Re-scoring a few rows spares the host names that none of them has; in large batches nearly all values occur.
const COMPACT_BELOW_ROWS: usize = 64;

/// The values that a batch's rows have in each segmentation.
///
/// ```
/// use trellis_sdk::{Assignments, NO_VALUE};
///
/// let mut assignments = Assignments::default();
/// assignments.push("tier", ["gold", "silver"], vec![1, 0, NO_VALUE]);
/// assert_eq!(assignments.value("tier", 0), Some("silver"));
/// assert_eq!(assignments.value("tier", 2), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assignments {
    columns: Vec<Column>,
    failed: Vec<RowError>,
}

impl Assignments {
    /// Adds the column of the segmentation `name`. `codes` says for each row which of `values` it has, or [`NO_VALUE`].
    ///
    /// The columns must come in the order of `describe` and `values` must be names that it gives; values that no row has do
    /// no harm.
    pub fn push<V: AsRef<str>>(&mut self, name: &str, values: impl IntoIterator<Item = V>, codes: Vec<u32>) {
        let valid = validity(codes.iter().map(|code| *code != NO_VALUE));
        let dictionary = if codes.len() < COMPACT_BELOW_ROWS {
            compact(values, &codes)
        } else {
            DictionaryColumn { codes, values: text_column(values) }
        };
        let data = ColumnData::Dictionary(dictionary);
        self.columns.push(Column { name: name.to_owned(), valid, data });
    }

    /// Says that `row` could not be assigned, with a code in kebab-case (at most 60 characters). What is said of a row first
    /// counts. Its values count as null; the other rows stand.
    pub fn fail(&mut self, row: usize, code: &str, message: LocalizedText) {
        let row = u32::try_from(row).expect("a batch has at most 65,536 rows");
        self.failed.push(RowError { row, code: code.to_owned(), message });
    }

    /// The value of `row` in the segmentation `name`; none if it has none or there is no such segmentation.
    pub fn value(&self, name: &str, row: usize) -> Option<&str> {
        let column = self.columns.iter().find(|column| column.name == name)?;
        let ColumnData::Dictionary(dictionary) = &column.data else { return None };
        let code = *dictionary.codes.get(row)?;
        let from = *dictionary.values.offsets.get(code as usize)? as usize;
        let to = *dictionary.values.offsets.get(code as usize + 1)? as usize;
        std::str::from_utf8(dictionary.values.bytes.get(from..to)?).ok()
    }

    /// The names of the segmentations, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// The rows that could not be assigned.
    pub fn failed(&self) -> &[RowError] {
        &self.failed
    }
}

impl From<Assignments> for wire::Assignments {
    fn from(assignments: Assignments) -> Self {
        Self { columns: assignments.columns, failed: assignments.failed }
    }
}

/// Keeps only the values that some row has. A code without a value stays one, for the host to refuse.
fn compact<V: AsRef<str>>(values: impl IntoIterator<Item = V>, codes: &[u32]) -> DictionaryColumn {
    let mut used: Vec<u32> = codes.iter().copied().filter(|code| *code != NO_VALUE).collect();
    used.sort_unstable();
    used.dedup();
    let is_used = |code: &u32| used.binary_search(code).is_ok();
    let values = (0..).zip(values).filter(|(code, _)| is_used(code)).map(|(_, value)| value);
    let values = text_column(values);
    let codes = codes.iter().map(|code| used.partition_point(|used| used < code) as u32).collect();
    DictionaryColumn { codes, values }
}
