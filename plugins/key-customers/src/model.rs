//! What `fit` learns and every later call reads.

use trellis_sdk::{ModelReader, ModelWriter, PluginError, Result};

use crate::config::KeyBy;
use crate::pareto::Cut;
use crate::rankings::{Figures, Ranking};
use crate::traits::{Trait, TraitValue};

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 1;
/// How many parts the Pareto curve has.
pub(crate) const CURVE_PARTS: usize = 20;

/// Who the key customers are and what they have in common.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeyModel {
    pub(crate) key_by: KeyBy,
    pub(crate) share_percent: f64,
    pub(crate) top_percent: f64,
    pub(crate) rankings_min: u64,
    pub(crate) growth_days: u64,
    /// The ISO 4217 code of the amounts.
    pub(crate) currency: String,
    /// Who can be judged.
    pub(crate) customers: u64,
    /// Who has a revenue.
    pub(crate) revenue_customers: u64,
    pub(crate) key: u64,
    /// For each of [`Ranking::ALL`]; none where nobody has a value.
    pub(crate) tops: Vec<Option<Top>>,
    /// After the fewest who bring the share of the revenue.
    pub(crate) share: Top,
    /// After class A and class B of the ABC analysis.
    pub(crate) abc: [Top; 2],
    pub(crate) curve: Curve,
    /// How many customers are among the best of two rankings: a row and a column for each of [`Ranking::ALL`].
    pub(crate) overlap: Vec<u64>,
    pub(crate) traits: Vec<Trait>,
}

/// The first of a ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Top {
    pub(crate) cut: Cut,
    pub(crate) customers: u64,
}

/// How much which part of the customers bring.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Curve {
    pub(crate) revenue: f64,
    pub(crate) gini: f64,
    pub(crate) top_10: f64,
    pub(crate) top_20: f64,
    /// The share of the revenue of the first 5 %, 10 % … of the customers.
    pub(crate) shares: Vec<f64>,
}

impl KeyModel {
    /// In which rankings `row` is among the best: bit `Ranking as usize`.
    pub(crate) fn bests(&self, figures: &Figures<'_>, row: usize) -> u8 {
        let ordinal = figures.ordinals.get(row).copied().unwrap_or(0);
        Ranking::ALL.into_iter().zip(&self.tops).fold(0, |bests, (ranking, top)| {
            let is_best = top
                .zip(figures.value(ranking, row))
                .is_some_and(|(top, value)| top.cut.is_before(value, ordinal));
            bests | u8::from(is_best) << ranking as usize
        })
    }

    /// Whether `row` is a key customer; none where it cannot be ranked.
    pub(crate) fn is_key(&self, figures: &Figures<'_>, row: usize) -> Option<bool> {
        match self.key_by {
            KeyBy::Share => {
                let ordinal = figures.ordinals.get(row).copied().unwrap_or(0);
                Some(self.share.cut.is_before(figures.value(Ranking::Revenue, row)?, ordinal))
            }
            KeyBy::Rankings => {
                let is_ranked = Ranking::ALL.into_iter().any(|ranking| figures.value(ranking, row).is_some());
                is_ranked.then(|| u64::from(self.bests(figures, row).count_ones()) >= self.rankings_min)
            }
        }
    }

    /// The class of the ABC analysis, counted from 0.
    pub(crate) fn class(&self, figures: &Figures<'_>, row: usize) -> Option<u32> {
        let (value, ordinal) = (figures.value(Ranking::Revenue, row)?, figures.ordinals.get(row).copied()?);
        let after = self.abc.iter().filter(|top| !top.cut.is_before(value, ordinal)).count();
        Some(after as u32)
    }

    /// The share of key customers, kept off 0 and 1 so that odds exist.
    pub(crate) fn prior(&self) -> f64 {
        (self.key as f64 + 0.5) / (self.customers as f64 + 1.0)
    }

    pub(crate) fn require_currency(&self, currency: &str) -> Result<()> {
        if self.currency == currency {
            return Ok(());
        }
        let message = (
            format!("the model was fitted on amounts in {}, `spent` is in {currency}", self.currency),
            format!("模型学习时的金额币种为 {}，而 `spent` 的币种为 {currency}", self.currency),
        );
        Err(PluginError::UnsuitableData(message.into()))
    }

    /// Writes the model; some kilobytes, at most 100 with twenty traits of 200 values.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let head = ModelWriter::new(FORMAT)
            .u64s(&[
                u64::from(self.key_by == KeyBy::Rankings),
                self.rankings_min,
                self.growth_days,
                self.customers,
                self.revenue_customers,
                self.key,
            ])
            .f64s(&[self.share_percent, self.top_percent])
            .text(&self.currency)
            .f64s(&[self.curve.revenue, self.curve.gini, self.curve.top_10, self.curve.top_20])
            .f64s(&self.curve.shares)
            .u64s(&self.overlap);
        let [a, b] = self.abc;
        let tops = self.tops.iter().copied().chain([Some(self.share), Some(a), Some(b)]);
        let head = tops.fold(head, |writer, top| match top {
            None => writer.u64(0),
            Some(top) => writer.u64(1).f64(top.cut.value).u64(top.cut.ordinal).u64(top.customers),
        });
        let head = head.u64(self.traits.len() as u64);
        self.traits.iter().fold(head, write_trait).finish()
    }

    /// Reads a model that [`KeyModel::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`PluginError::UnreadableModel`] for anything else.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let [rankings, rankings_min, growth_days, customers, revenue_customers, key] = sized(reader.u64s()?)?;
        let [share_percent, top_percent] = sized(reader.f64s()?)?;
        let currency = reader.text()?;
        let [revenue, gini, top_10, top_20] = sized(reader.f64s()?)?;
        let (shares, overlap) = (reader.f64s()?, reader.u64s()?);
        let tops: Vec<Option<Top>> =
            Ranking::ALL.into_iter().map(|_| read_top(&mut reader)).collect::<Result<_>>()?;
        let mut required = || read_top(&mut reader)?.ok_or_else(damaged);
        let (share, a, b) = (required()?, required()?, required()?);
        let count = reader.u64()?;
        if overlap.len() != Ranking::ALL.len() * Ranking::ALL.len() || key > customers || count > 100 {
            return Err(damaged());
        }
        let traits = (0..count).map(|_| read_trait(&mut reader)).collect::<Result<_>>()?;
        reader.finish()?;
        Ok(Self {
            key_by: if rankings > 0 { KeyBy::Rankings } else { KeyBy::Share },
            share_percent,
            top_percent,
            rankings_min,
            growth_days,
            currency,
            customers,
            revenue_customers,
            key,
            tops,
            share,
            abc: [a, b],
            curve: Curve { revenue, gini, top_10, top_20, shares },
            overlap,
            traits,
        })
    }
}

fn read_top(reader: &mut ModelReader<'_>) -> Result<Option<Top>> {
    if reader.u64()? == 0 {
        return Ok(None);
    }
    let cut = Cut { value: reader.f64()?, ordinal: reader.u64()? };
    Ok(Some(Top { cut, customers: reader.u64()? }))
}

fn write_trait(writer: ModelWriter, of: &Trait) -> ModelWriter {
    let head = writer
        .text(&of.name)
        .u64(u64::from(of.cuts.is_some()))
        .f64s(of.cuts.as_deref().unwrap_or_default())
        .u64s(&[of.known, of.known_key])
        .u64s(&of.values.iter().map(|value| value.customers).collect::<Vec<_>>())
        .u64s(&of.values.iter().map(|value| value.key).collect::<Vec<_>>());
    of.values.iter().fold(head, |writer, value| writer.text(&value.text))
}

fn read_trait(reader: &mut ModelReader<'_>) -> Result<Trait> {
    let name = reader.text()?;
    let (is_number, cuts) = (reader.u64()? > 0, reader.f64s()?);
    let [known, known_key] = sized(reader.u64s()?)?;
    let (customers, key) = (reader.u64s()?, reader.u64s()?);
    let fits = customers.len() == key.len()
        && known_key <= known
        && (!is_number || customers.len() == cuts.len() + 1)
        && customers.iter().zip(&key).all(|(customers, key)| {
            key <= customers && *key <= known_key && customers - key <= known - known_key
        });
    if !fits {
        return Err(damaged());
    }
    let counts = customers.into_iter().zip(key);
    let values = counts
        .map(|(customers, key)| Ok(TraitValue { text: reader.text()?, customers, key }))
        .collect::<Result<_>>()?;
    Ok(Trait { name, cuts: is_number.then_some(cuts), values, known, known_key })
}

fn sized<T, const N: usize>(list: Vec<T>) -> Result<[T; N]> {
    list.try_into().map_err(|_| damaged())
}

fn damaged() -> PluginError {
    PluginError::UnreadableModel("the rankings and traits do not fit together".into())
}
