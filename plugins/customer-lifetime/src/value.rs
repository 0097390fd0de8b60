//! What a customer will be worth.

use trellis_sdk::math::{exp, log, log1p};

use crate::model::LifetimeModel;
use crate::rows::{Customer, Known};

/// Purchases are discounted as of the ends of periods of so many weeks.
const PERIOD_WEEKS: u32 = 4;
const WEEKS_OF_YEAR: f64 = 365.25 / 7.0;
/// How many weeks of the population's pace a customer's own pace is mixed with in the simple formula.
const PRIOR_WEEKS: f64 = WEEKS_OF_YEAR;

/// The figures of one customer. Amounts in whole units of the currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Value {
    /// The probability of still being active; none without a model of purchases.
    pub(crate) alive: Option<f64>,
    /// Purchases within the horizon; none without a model of purchases.
    pub(crate) purchases: Option<f64>,
    /// Spend per purchase.
    pub(crate) spend: f64,
    /// Margin within the horizon, discounted; none without a model of purchases.
    pub(crate) lifetime: Option<f64>,
    /// The simple formula.
    pub(crate) simple: f64,
    /// Whether nothing was bought so far: the figures are those that are expected of anybody.
    pub(crate) is_prospect: bool,
}

impl Value {
    /// Margin within the horizon, or by the simple formula where the population has no model of purchases. Whoever never bought has none:
    /// the horizon begins with a first purchase that may never be.
    pub(crate) fn clv(&self) -> Option<f64> {
        (!self.is_prospect).then(|| self.lifetime.unwrap_or(self.simple))
    }
}

impl LifetimeModel {
    /// The figures of a row; none where it failed.
    pub(crate) fn value(&self, known: &Known) -> Option<Value> {
        match known {
            Known::Bought(customer) => Some(self.customer_value(customer)),
            Known::Prospect => Some(self.prospect_value()),
            Known::Nothing => None,
        }
    }

    /// What somebody without a purchase brings who will buy as the settings expect, or as customers do on the mean.
    fn prospect_value(&self) -> Value {
        let spend = self.prospect_spend();
        let simple = spend * self.margin() * self.prospect_orders_yearly() * self.lasting_years();
        Value { alive: None, purchases: None, spend, lifetime: None, simple, is_prospect: true }
    }

    /// Spend per purchase that is expected without a history, in whole units of the currency.
    pub(crate) fn prospect_spend(&self) -> f64 {
        self.config.expected_spend.unwrap_or(self.figures.mean_spend).max(0.0)
    }

    /// Purchases a year that are expected without a history.
    pub(crate) fn prospect_orders_yearly(&self) -> f64 {
        self.config.expected_orders_yearly.unwrap_or(self.figures.repeats_weekly * WEEKS_OF_YEAR)
    }

    fn customer_value(&self, customer: &Customer) -> Value {
        let spend = self.expected_spend(customer);
        let simple = self.simple(customer);
        let Some(found) = &self.purchases else {
            return Value { alive: None, purchases: None, spend, lifetime: None, simple, is_prospect: false };
        };
        let history = &customer.history;
        let (mut bought, mut discounted) = (0.0, 0.0);
        let mut week = 0;
        while week < self.config.horizon_weeks {
            week = (week + PERIOD_WEEKS).min(self.config.horizon_weeks);
            let until = found.model.expected(history, f64::from(week));
            discounted += (until - bought) * self.discount(f64::from(week));
            bought = until;
        }
        Value {
            alive: Some(found.model.alive(history)),
            purchases: Some(bought),
            spend,
            lifetime: Some(discounted * spend * self.margin()),
            simple,
            is_prospect: false,
        }
    }

    /// What is expected to be spent per purchase: by the Gamma-Gamma model; without one, or where its mean is infinite, what the customer
    /// spent, or for those who bought once what everybody spent, per day of purchase.
    fn expected_spend(&self, customer: &Customer) -> f64 {
        let observed = if customer.history.repeats > 0 {
            customer.spent / customer.purchase_days()
        } else {
            self.figures.mean_spend
        };
        let expected = self.spend.and_then(|found| match customer.repeat_mean() {
            Some(mean) => Some(found.model.expected_mean(customer.history.x(), mean.max(0.0))),
            None => found.model.population_mean(),
        });
        expected.filter(|expected| expected.is_finite() && *expected >= 0.0).unwrap_or(observed).max(0.0)
    }

    /// Margin × frequency × lifetime: spend per purchase day, purchases a year, and years, discounted continuously.
    fn simple(&self, customer: &Customer) -> f64 {
        let spend = (customer.spent / customer.purchase_days()).max(0.0);
        let history = &customer.history;
        let weekly =
            (history.x() + self.figures.repeats_weekly * PRIOR_WEEKS) / (history.age() + PRIOR_WEEKS);
        spend * self.margin() * weekly * WEEKS_OF_YEAR * self.lasting_years()
    }

    /// The years of the simple formula, each worth what money is then.
    fn lasting_years(&self) -> f64 {
        let rate = log1p(self.config.discount_percent_yearly / 100.0);
        let years = self.config.lifetime_years;
        if rate > 0.0 { (1.0 - exp(-rate * years)) / rate } else { years }
    }

    fn margin(&self) -> f64 {
        self.config.margin_percent / 100.0
    }

    fn discount(&self, weeks: f64) -> f64 {
        exp(-weeks / WEEKS_OF_YEAR * log(1.0 + self.config.discount_percent_yearly / 100.0))
    }
}
