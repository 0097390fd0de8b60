//! What `fit` learns and every later call reads.

use trellis_likelihood::{Fitted, GammaGamma};
use trellis_sdk::{ModelReader, ModelWriter, PluginError, Result};

use crate::config::{Choice, Config};
use crate::holdout::{Holdout, HoldoutRow};
use crate::purchases::{Estimate, Purchases};

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 2;

/// Models of purchases and of spend, and what they were learned from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LifetimeModel {
    pub(crate) config: Config,
    /// The ISO 4217 code of the amounts.
    pub(crate) currency: String,
    pub(crate) figures: PopulationFigures,
    /// None where too few customers bought again.
    pub(crate) purchases: Option<Estimate<Purchases>>,
    /// None where too few customers bought again for something.
    pub(crate) spend: Option<Fitted>,
    /// Customers by their number of repeat purchases; empty without a model of purchases.
    pub(crate) counts: Vec<CountRow>,
    pub(crate) holdout: Option<Holdout>,
}

/// Figures of the population.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PopulationFigures {
    pub(crate) customers: u64,
    pub(crate) repeaters: u64,
    pub(crate) repeats: u64,
    /// Spend per day of purchase, in whole units of the currency.
    pub(crate) mean_spend: f64,
    /// Repeat purchases of a customer a week.
    pub(crate) repeats_weekly: f64,
    pub(crate) median_age_days: u32,
    /// How the number of repeat purchases and the mean spend of each go together, which Gamma-Gamma takes as not at all; none without
    /// differences.
    pub(crate) spend_correlation: Option<f64>,
}

/// How many customers have a number of repeat purchases, and how many should.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct CountRow {
    pub(crate) actual: u64,
    pub(crate) expected: f64,
}

impl LifetimeModel {
    /// Writes the model; less than a kilobyte.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let Config {
            model,
            horizon_weeks,
            discount_percent_yearly,
            margin_percent,
            lifetime_years,
            expected_orders_yearly,
            expected_spend,
            holdout_days,
        } = self.config;
        let or_none = |number: Option<f64>| number.unwrap_or(f64::NAN);
        let figures = &self.figures;
        let mut writer = ModelWriter::new(FORMAT)
            .u64s(&[model as u64, u64::from(horizon_weeks), u64::from(holdout_days)])
            .f64s(&[
                discount_percent_yearly,
                margin_percent,
                lifetime_years,
                or_none(expected_orders_yearly),
                or_none(expected_spend),
            ])
            .text(&self.currency)
            .u64s(&[
                figures.customers,
                figures.repeaters,
                figures.repeats,
                u64::from(figures.median_age_days),
            ])
            .f64s(&[figures.mean_spend, figures.repeats_weekly, or_none(figures.spend_correlation)])
            .u64s(&self.purchases.iter().map(|found| found.model.code()).collect::<Vec<_>>());
        if let Some(found) = &self.purchases {
            writer = writer
                .f64s(&found.model.parameters())
                .f64s(&found.standard_errors.map(|error| error.unwrap_or(f64::NAN)))
                .f64s(&[found.log_likelihood, f64::from(u8::from(found.is_flat))]);
        }
        let spend = self.spend.map(|found| {
            let GammaGamma { p, q, v } = found.model;
            let [p_error, q_error, v_error] = found.standard_errors.map(|error| error.unwrap_or(f64::NAN));
            [p, q, v, p_error, q_error, v_error, found.log_likelihood, f64::from(u8::from(found.is_flat))]
        });
        let (actual, expected): (Vec<_>, Vec<_>) =
            self.counts.iter().map(|row| (row.actual, row.expected)).unzip();
        writer = writer.f64s(spend.as_ref().map_or(&[], |all| all.as_slice())).u64s(&actual).f64s(&expected);
        write_holdout(writer, self.holdout.as_ref()).finish()
    }

    /// Reads a model that [`LifetimeModel::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`PluginError::UnreadableModel`] for anything else.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let [choice, horizon, holdout_days] = sized(reader.u64s()?)?;
        let [discount_percent_yearly, margin_percent, lifetime_years, orders_yearly, expected_spend] =
            sized(reader.f64s()?)?;
        let model = [Choice::BgNbd, Choice::ParetoNbd, Choice::Better].into_iter().nth(choice as usize);
        let config = Config {
            model: model.ok_or_else(damaged)?,
            horizon_weeks: small(horizon)?,
            discount_percent_yearly,
            margin_percent,
            lifetime_years,
            expected_orders_yearly: known(orders_yearly),
            expected_spend: known(expected_spend),
            holdout_days: small(holdout_days)?,
        };
        config.checked().map_err(|_| damaged())?;
        let currency = reader.text()?;
        let [customers, repeaters, repeats, median_age_days] = sized(reader.u64s()?)?;
        let [mean_spend, repeats_weekly, correlation] = sized(reader.f64s()?)?;
        let figures = PopulationFigures {
            customers,
            repeaters,
            repeats,
            mean_spend,
            repeats_weekly,
            median_age_days: small(median_age_days)?,
            spend_correlation: known(correlation),
        };
        let purchases = read_purchases(&mut reader)?;
        let spend = read_spend(&reader.f64s()?)?;
        let (actual, expected) = (reader.u64s()?, reader.f64s()?);
        if actual.len() != expected.len() {
            return Err(damaged());
        }
        let counts = actual
            .into_iter()
            .zip(expected)
            .map(|(actual, expected)| CountRow { actual, expected })
            .collect();
        let holdout = read_holdout(&mut reader)?;
        reader.finish()?;
        Ok(Self { config, currency, figures, purchases, spend, counts, holdout })
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
}

fn read_purchases(reader: &mut ModelReader<'_>) -> Result<Option<Estimate<Purchases>>> {
    let Some(code) = reader.u64s()?.first().copied() else { return Ok(None) };
    let parameters: [f64; 4] = sized(reader.f64s()?)?;
    let errors: [f64; 4] = sized(reader.f64s()?)?;
    let [log_likelihood, is_flat] = sized(reader.f64s()?)?;
    if !parameters.iter().all(|parameter| *parameter > 0.0 && parameter.is_finite()) {
        return Err(damaged());
    }
    Ok(Some(Estimate {
        model: Purchases::of_parameters(code, parameters).ok_or_else(damaged)?,
        standard_errors: errors.map(known),
        log_likelihood,
        is_flat: is_flat > 0.0,
    }))
}

fn read_spend(numbers: &[f64]) -> Result<Option<Fitted>> {
    if numbers.is_empty() {
        return Ok(None);
    }
    let [p, q, v, p_error, q_error, v_error, log_likelihood, is_flat] = sized(numbers.to_vec())?;
    Ok(Some(Fitted {
        model: GammaGamma { p, q, v },
        standard_errors: [p_error, q_error, v_error].map(known),
        log_likelihood,
        is_flat: is_flat > 0.0,
    }))
}

fn write_holdout(writer: ModelWriter, holdout: Option<&Holdout>) -> ModelWriter {
    let Some(holdout) = holdout else { return writer.f64s(&[]) };
    let rows = &holdout.by_repeats;
    writer
        .f64s(&[
            holdout.actual,
            holdout.predicted,
            holdout.mean_absolute_error,
            holdout.root_mean_square_error,
            holdout.correlation,
        ])
        .u64s(&rows.iter().map(|row| row.customers).collect::<Vec<_>>())
        .f64s(&rows.iter().map(|row| row.actual).collect::<Vec<_>>())
        .f64s(&rows.iter().map(|row| row.predicted).collect::<Vec<_>>())
}

fn read_holdout(reader: &mut ModelReader<'_>) -> Result<Option<Holdout>> {
    let numbers = reader.f64s()?;
    if numbers.is_empty() {
        return Ok(None);
    }
    let [actual, predicted, mean_absolute_error, root_mean_square_error, correlation] = sized(numbers)?;
    let (customers, actuals, predictions) = (reader.u64s()?, reader.f64s()?, reader.f64s()?);
    let by_repeats = customers
        .into_iter()
        .zip(actuals)
        .zip(predictions)
        .map(|((customers, actual), predicted)| HoldoutRow { customers, actual, predicted })
        .collect();
    Ok(Some(Holdout {
        actual,
        predicted,
        mean_absolute_error,
        root_mean_square_error,
        correlation,
        by_repeats,
    }))
}

fn known(error: f64) -> Option<f64> {
    error.is_finite().then_some(error)
}

fn sized<T, const N: usize>(list: Vec<T>) -> Result<[T; N]> {
    list.try_into().map_err(|_| damaged())
}

fn small(number: u64) -> Result<u32> {
    u32::try_from(number).map_err(|_| damaged())
}

fn damaged() -> PluginError {
    PluginError::UnreadableModel("the model's figures do not fit together".into())
}
