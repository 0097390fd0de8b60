//! What is known of each lead in a batch.

use trellis_sdk::values::{Dictionary, Texts, Values};
use trellis_sdk::{Batch, Result};

/// The ends of the periods in which contacts are counted, in days back from the day as of which it runs.
pub(crate) const EDGES: [u32; 7] = [7, 14, 30, 60, 90, 180, 365];

/// A lead.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Lead<'a> {
    pub(crate) industry: Option<&'a str>,
    pub(crate) country: Option<&'a str>,
    pub(crate) title: Option<&'a str>,
    pub(crate) source: Option<&'a str>,
    pub(crate) employees: Option<i64>,
    /// How far it is: an option of its field.
    pub(crate) status: Option<&'a str>,
    /// Money, authority, need: options of their fields.
    pub(crate) man: [Option<&'a str>; 3],
    pub(crate) has_evidence: bool,
    pub(crate) pinned: Option<&'a str>,
    pub(crate) pinned_reason: Option<&'a str>,
    /// Contacts within each of [`EDGES`] days, each more than the one before: personal ones, and others.
    pub(crate) strong: [i64; EDGES.len()],
    pub(crate) light: [i64; EDGES.len()],
    /// Days since 1970-01-01.
    pub(crate) last_touch: Option<i32>,
}

const DAY_MS: i64 = 86_400_000;

/// A column of texts, however the host sends it.
#[derive(Debug, Clone, Copy)]
enum Words<'a> {
    Dictionary(Dictionary<'a>),
    Texts(Texts<'a>),
}

impl<'a> Words<'a> {
    fn read(batch: &'a Batch, name: &str) -> Result<Self> {
        if batch.type_of(name) == Some("text") {
            return Ok(Self::Texts(batch.text(name)?));
        }
        Ok(Self::Dictionary(batch.dictionary(name)?))
    }

    /// A text with something in it.
    fn get(&self, row: usize) -> Option<&'a str> {
        let text = match self {
            Self::Dictionary(dictionary) => dictionary.get(row),
            Self::Texts(texts) => texts.get(row),
        };
        text.filter(|text| !text.trim().is_empty())
    }
}

/// The leads of a batch, in its order.
pub(crate) fn read(batch: &Batch) -> Result<Vec<Lead<'_>>> {
    let words = |name: &str| Words::read(batch, name);
    let (industry, country, title, source) =
        (words("industry")?, words("country")?, words("title")?, words("source")?);
    let status = words("status")?;
    let man = [words("money_grade")?, words("authority_grade")?, words("need_grade")?];
    let (evidence, pinned, reason) =
        (words("qualification_evidence")?, words("pinned_grade")?, words("pinned_reason")?);
    let (employees, last_touch) = (batch.int64("employees")?, days(batch, "last_touch")?);
    let counts = |kind: &str| {
        EDGES.iter().map(|days| batch.int64(&format!("{kind}_{days}"))).collect::<Result<Vec<_>>>()
    };
    let (strong, light) = (counts("strong")?, counts("light")?);
    let at = |columns: &[Values<'_, i64>], row: usize| {
        let mut counts = [0; EDGES.len()];
        let given = counts.iter_mut().zip(columns);
        given.for_each(|(count, column)| *count = column.get(row).unwrap_or(0).max(0));
        counts
    };
    let lead = |row: usize| Lead {
        industry: industry.get(row),
        country: country.get(row),
        title: title.get(row),
        source: source.get(row),
        employees: employees.get(row),
        status: status.get(row),
        man: man.map(|words| words.get(row)),
        has_evidence: evidence.get(row).is_some(),
        pinned: pinned.get(row),
        pinned_reason: reason.get(row),
        strong: at(&strong, row),
        light: at(&light, row),
        last_touch: last_touch.get(row).copied().flatten(),
    };
    Ok((0..batch.rows()).map(lead).collect())
}

/// A column of days, or of times as the days of UTC that they lie on.
fn days(batch: &Batch, name: &str) -> Result<Vec<Option<i32>>> {
    if batch.type_of(name) == Some("time") {
        let day = |time: Option<i64>| i32::try_from(time?.div_euclid(DAY_MS)).ok();
        return Ok(batch.time(name)?.iter().map(day).collect());
    }
    Ok(batch.date(name)?.iter().collect())
}
