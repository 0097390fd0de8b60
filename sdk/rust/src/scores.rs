//! Describing scores, and the answer of `score`: for each score a column of numbers.

use crate::bindings::scoring::exports::trellis::plugin::scoring as wire;
use crate::bindings::shared::trellis::plugin::types::{LocalizedText, RowError};
use crate::{localized, writing};

pub use wire::{Band, ScoreDescription};

/// The scores of a batch's rows.
///
/// ```
/// use trellis_sdk::Scores;
///
/// let mut scores = Scores::default();
/// scores.push("value", [Some(74.02), None]);
/// assert_eq!(scores.value("value", 0), Some(74.02));
/// assert_eq!(scores.value("value", 1), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scores {
    columns: Vec<wire::ScoreColumn>,
    failed: Vec<RowError>,
}

impl Scores {
    /// Adds the column of the score `name`: for each row its number, or none. The columns must come in the order of `describe`.
    ///
    /// A number must be finite and within the described range; the host refuses others.
    pub fn push(&mut self, name: &str, values: impl IntoIterator<Item = Option<f64>>) {
        let values: Vec<Option<f64>> = values.into_iter().collect();
        self.columns.push(wire::ScoreColumn {
            name: name.to_owned(),
            valid: writing::validity(values.iter().map(Option::is_some)),
            values: values.into_iter().map(Option::unwrap_or_default).collect(),
        });
    }

    /// Says that `row` could not be scored, with a code in kebab-case (at most 60 characters). What is said of a row first
    /// counts. Its scores count as null; the other rows stand.
    pub fn fail(&mut self, row: usize, code: &str, message: LocalizedText) {
        let row = u32::try_from(row).expect("a batch has at most 65,536 rows");
        self.failed.push(RowError { row, code: code.to_owned(), message });
    }

    /// The score `name` of `row`; none if it has none or there is no such score.
    pub fn value(&self, name: &str, row: usize) -> Option<f64> {
        let column = self.columns.iter().find(|column| column.name == name)?;
        if writing::is_present(&column.valid, row) { column.values.get(row).copied() } else { None }
    }

    /// The names of the scores, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// The rows that could not be scored.
    pub fn failed(&self) -> &[RowError] {
        &self.failed
    }
}

impl From<Scores> for wire::Scores {
    fn from(scores: Scores) -> Self {
        Self { columns: scores.columns, failed: scores.failed }
    }
}

/// A score without unit, range or bands, which the methods of [`ScoreDescription`] add. Its name is of the form `[a-z][a-z0-9_]*`, at most 40
/// characters; a plugin has at most 100 scores.
///
/// ```
/// let described = trellis_sdk::scored("health", "Health", "健康度").range(0.0, 100.0).band("low", 0.0, "Low", "低").band("high", 60.0, "High", "高");
/// assert_eq!(described.bands.len(), 2);
/// ```
pub fn scored(name: &str, en: &str, zh_cn: &str) -> ScoreDescription {
    ScoreDescription {
        name: name.to_owned(),
        label: localized(en, zh_cn),
        description: localized("", ""),
        unit: "".into(),
        minimum: None,
        maximum: None,
        bands: Vec::new(),
        extra: Vec::new(),
    }
}

impl ScoreDescription {
    /// Says what the score tells.
    #[must_use]
    pub fn about(mut self, en: &str, zh_cn: &str) -> Self {
        self.description = localized(en, zh_cn);
        self
    }

    /// Names its unit for people: a symbol such as `%`, the code of a currency, or a word in both languages; at most 40 characters.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<LocalizedText>) -> Self {
        self.unit = unit.into();
        self
    }

    /// Says between which finite numbers it lies, both included. A value outside of it is refused.
    #[must_use]
    pub fn range(mut self, minimum: f64, maximum: f64) -> Self {
        (self.minimum, self.maximum) = (Some(minimum), Some(maximum));
        self
    }

    /// Adds a band from `lowest` up to the next band. Bands come in ascending order, at most 100; the first has no lower end. Its name is of the form
    /// `[a-z0-9][a-z0-9_]*`, at most 40 characters.
    #[must_use]
    pub fn band(self, name: &str, lowest: f64, en: &str, zh_cn: &str) -> Self {
        self.band_about(name, lowest, localized(en, zh_cn), localized("", ""))
    }

    /// Adds a band and says what it means and what to do about it.
    #[must_use]
    pub fn band_about(
        mut self,
        name: &str,
        lowest: f64,
        label: LocalizedText,
        description: LocalizedText,
    ) -> Self {
        self.bands.push(Band { name: name.to_owned(), label, description, lowest, extra: Vec::new() });
        self
    }
}
