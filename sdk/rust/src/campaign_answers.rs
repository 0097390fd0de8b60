//! The answers of a campaign's rules: who takes part, and in which variant.

use crate::bindings::campaign_rules::exports::trellis::plugin::campaign_rules as wire;
use crate::bindings::shared::trellis::plugin::types::{LocalizedText, RowError};
use crate::writing::Words;
use crate::{Batch, ObjectRecord, weighted};

/// Who of a batch takes part in a campaign.
///
/// ```
/// use trellis_sdk::Eligibilities;
/// use trellis_sdk::testing::BatchBuilder;
///
/// let rows = BatchBuilder::new([1, 2]).int64("orders", [Some(3), None]).build();
/// let orders = rows.int64("orders")?;
/// let who = Eligibilities::each(&rows, |row| orders.get(row).map(|_| ()).ok_or("no-orders"));
/// assert_eq!((who.takes_part(0), who.cause(1)), (true, Some("no-orders")));
/// # Ok::<(), trellis_sdk::PluginError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Eligibilities {
    eligible: Vec<u8>,
    causes: Words,
    failed: Vec<RowError>,
}

impl Eligibilities {
    /// Asks `judge` about each row: `Ok` takes part, `Err` does not, for a cause in kebab-case (at most 60 characters, 1,000
    /// different ones in a batch).
    pub fn each<C: AsRef<str>>(rows: &Batch, mut judge: impl FnMut(usize) -> Result<(), C>) -> Self {
        let mut answers = Self::default();
        for row in 0..rows.rows() {
            let judged = judge(row);
            answers.eligible.push(u8::from(judged.is_ok()));
            answers.causes.push(judged.as_ref().err().map(AsRef::as_ref));
        }
        answers
    }

    /// Says that `row` could not be decided. It does not take part, whatever was said before.
    pub fn fail(&mut self, row: usize, code: &str, message: LocalizedText) {
        self.failed.push(failure(row, code, message));
    }

    /// Whether `row` takes part.
    pub fn takes_part(&self, row: usize) -> bool {
        let failed = self.failed.iter().any(|failed| failed.row as usize == row);
        !failed && self.eligible.get(row) == Some(&1)
    }

    /// Why `row` does not take part.
    pub fn cause(&self, row: usize) -> Option<&str> {
        self.causes.get(row)
    }

    /// The rows that could not be decided.
    pub fn failed(&self) -> &[RowError] {
        &self.failed
    }
}

impl From<Eligibilities> for wire::Eligibilities {
    fn from(answers: Eligibilities) -> Self {
        let Eligibilities { eligible, causes, failed } = answers;
        Self { eligible, causes: causes.into_column("cause"), failed }
    }
}

/// Which variant of a campaign each row of a batch gets. None is the hold-out group: counted, never contacted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Variants {
    variants: Words,
    failed: Vec<RowError>,
}

impl Variants {
    /// Asks `choose` about each row. It must decide from the ordinal and the campaign alone: the same customer gets the same variant for
    /// ever. At most 20 names in `[a-z0-9][a-z0-9_]*`.
    pub fn each<'a>(rows: &Batch, mut choose: impl FnMut(usize) -> Option<&'a str>) -> Self {
        let mut answers = Self::default();
        (0..rows.rows()).for_each(|row| answers.variants.push(choose(row)));
        answers
    }

    /// Divides the rows by [`weighted`], keyed by the campaign's id. None among `weights` is the hold-out group.
    ///
    /// ```
    /// use trellis_sdk::Variants;
    /// use trellis_sdk::testing::{BatchBuilder, record};
    ///
    /// let rows = BatchBuilder::new(0..1_000).build();
    /// let variants = Variants::by_weight(&record("campaign").build(), &rows, &[(Some("a"), 45), (Some("b"), 45), (None, 10)]);
    /// let held_out = (0..1_000).filter(|row| variants.variant(*row).is_none()).count();
    /// assert!((70..130).contains(&held_out), "{held_out}");
    /// ```
    pub fn by_weight(campaign: &ObjectRecord, rows: &Batch, weights: &[(Option<&str>, u32)]) -> Self {
        let plain: Vec<u32> = weights.iter().map(|(_, weight)| *weight).collect();
        Self::each(rows, |row| {
            let ordinal = *rows.ordinals().get(row)?;
            let place = weighted(&campaign.id, ordinal, &plain)?;
            weights.get(place)?.0
        })
    }

    /// Says that `row` could not be decided. It is in no group.
    pub fn fail(&mut self, row: usize, code: &str, message: LocalizedText) {
        self.failed.push(failure(row, code, message));
    }

    /// The variant of `row`; none for the hold-out group.
    pub fn variant(&self, row: usize) -> Option<&str> {
        self.variants.get(row)
    }

    /// The rows that could not be decided.
    pub fn failed(&self) -> &[RowError] {
        &self.failed
    }
}

impl From<Variants> for wire::Variants {
    fn from(answers: Variants) -> Self {
        Self { column: answers.variants.into_column("variant"), failed: answers.failed }
    }
}

fn failure(row: usize, code: &str, message: LocalizedText) -> RowError {
    let row = u32::try_from(row).expect("a batch has at most 65,536 rows");
    RowError { row, code: code.to_owned(), message }
}
