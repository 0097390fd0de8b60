//! Learning a model from every customer.

use trellis_likelihood::GammaGamma;
use trellis_sdk::math::sqrt;
use trellis_sdk::{Context, PluginError, Result, RowStream};

use crate::config::Config;
use crate::history::{Histories, History};
use crate::holdout::Holdout;
use crate::model::{CountRow, LifetimeModel, PopulationFigures};
use crate::purchases::Purchases;
use crate::rows::{Known, Rows};

/// The last row of the table of counts holds this many repeats and more.
pub(crate) const COUNTS_MAX: usize = 7;

/// What is read of every customer with a purchase: 16 bytes each, 16 more for those who bought again, 20 with a hold-out window.
#[derive(Debug, Default)]
struct Population {
    currency: String,
    histories: Vec<History>,
    /// How many repeat purchases and the mean spend of each.
    spend: Vec<(f64, f64)>,
    held_out: Vec<(History, u32)>,
    spent: f64,
    purchase_days: f64,
}

/// Reads one pass of `rows` and fits.
pub(crate) fn learn(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<LifetimeModel> {
    let population = Population::read(rows, config, at)?;
    let Population { currency, histories, spend, held_out, spent, purchase_days } = population;
    let histories = Histories::new(histories);
    let purchases = Purchases::fit(&histories, config.model);
    let figures = PopulationFigures {
        customers: histories.customers,
        repeaters: histories.repeaters,
        repeats: histories.repeats,
        mean_spend: if purchase_days > 0.0 { spent / purchase_days } else { 0.0 },
        // Customers of today have no week yet.
        repeats_weekly: histories.repeats as f64 / (histories.mean_age() * histories.customers.max(1) as f64),
        spend_correlation: correlation(&spend),
        median_age_days: median_age(&histories),
    };
    Ok(LifetimeModel {
        config: *config,
        currency,
        figures,
        counts: purchases.map_or_else(Vec::new, |found| counts(&histories, &found.model)),
        purchases,
        spend: GammaGamma::fit(&spend),
        holdout: (config.holdout_days > 0).then(|| Holdout::check(&held_out, config)).flatten(),
    })
}

impl Population {
    fn read(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Self> {
        let mut population = Self::default();
        for batch in rows {
            population.add(&Rows::read(&batch, at, config.holdout_days)?)?;
        }
        let is_expected = config.expected_orders_yearly.is_some() && config.expected_spend.is_some();
        if population.histories.is_empty() && !is_expected {
            let message = (
                "no customer has an order up to the day as of which it runs, and the settings do not say what to expect of them",
                "截至运行日期，没有客户有订单，设置中也未填写对其的预期",
            );
            return Err(PluginError::UnsuitableData(message.into()));
        }
        Ok(population)
    }

    fn add(&mut self, rows: &Rows<'_>) -> Result<()> {
        if self.currency.is_empty() {
            rows.currency.clone_into(&mut self.currency);
        } else if self.currency != rows.currency {
            let message = (
                format!("`spent` is in {} and in {}", self.currency, rows.currency),
                format!("`spent` 的币种既有 {} 又有 {}", self.currency, rows.currency),
            );
            return Err(PluginError::UnsuitableData(message.into()));
        }
        for customer in rows.customers.iter().filter_map(Known::customer) {
            self.histories.push(customer.history);
            self.spend.extend(customer.repeat_mean().map(|mean| (customer.history.x(), mean)));
            self.held_out.extend(customer.held_out);
            self.spent += customer.spent;
            self.purchase_days += customer.purchase_days();
        }
        Ok(())
    }
}

/// How many customers have 0, 1, … repeat purchases, and how many should.
fn counts(histories: &Histories, model: &Purchases) -> Vec<CountRow> {
    let mut table = vec![CountRow::default(); COUNTS_MAX + 1];
    for (history, count) in &histories.distinct {
        if let Some(row) = table.get_mut((history.repeats as usize).min(COUNTS_MAX)) {
            row.actual += u64::from(*count);
        }
    }
    for (age_days, customers) in histories.ages() {
        let chances = model.counts(crate::history::weeks(age_days), COUNTS_MAX - 1);
        let rest = 1.0 - chances.iter().sum::<f64>();
        for (row, chance) in table.iter_mut().zip(chances.into_iter().chain([rest.max(0.0)])) {
            row.expected += customers as f64 * chance;
        }
    }
    table
}

/// Pearson's correlation of pairs; none where a side is constant.
fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let count = pairs.len() as f64;
    let mean = |side: fn(&(f64, f64)) -> f64| pairs.iter().map(side).sum::<f64>() / count;
    let (x_mean, y_mean) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let (mut products, mut x_squares, mut y_squares) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        products += (x - x_mean) * (y - y_mean);
        x_squares += (x - x_mean) * (x - x_mean);
        y_squares += (y - y_mean) * (y - y_mean);
    }
    (x_squares > 0.0 && y_squares > 0.0).then(|| products / sqrt(x_squares * y_squares))
}

fn median_age(histories: &Histories) -> u32 {
    let mut before = 0;
    let ages = histories.ages();
    let middle = ages.iter().find(|(_, customers)| {
        before += customers;
        2 * before >= histories.customers
    });
    middle.map_or(0, |(days, _)| *days)
}
