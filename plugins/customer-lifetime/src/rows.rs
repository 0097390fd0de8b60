//! The purchases of each customer in a batch.

use trellis_sdk::{Batch, Context, LocalizedText, Result, decimal_places, localized, math::pow};

use crate::history::History;

/// A batch as histories.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    /// The ISO 4217 code of all amounts.
    pub(crate) currency: &'a str,
    /// For each row what is known.
    pub(crate) customers: Vec<Known>,
    pub(crate) failures: Vec<Failure>,
}

/// What is known of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Known {
    Bought(Customer),
    /// A customer without a purchase.
    Prospect,
    /// Its figures contradict each other.
    Nothing,
}

/// One customer with a purchase. Amounts in whole units of the currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Customer {
    pub(crate) history: History,
    /// What was spent in all.
    pub(crate) spent: f64,
    /// What was spent after the first day.
    pub(crate) repeat_spent: f64,
    /// What was known before the hold-out window, and purchase days since; none for those who came later.
    pub(crate) held_out: Option<(History, u32)>,
}

/// A row whose figures contradict each other.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) row: usize,
    pub(crate) code: &'static str,
    pub(crate) message: LocalizedText,
}

impl Known {
    /// Who bought.
    pub(crate) fn customer(&self) -> Option<&Customer> {
        match self {
            Self::Bought(customer) => Some(customer),
            Self::Prospect | Self::Nothing => None,
        }
    }
}

impl Customer {
    /// Days with a purchase.
    pub(crate) fn purchase_days(&self) -> f64 {
        f64::from(self.history.repeats) + 1.0
    }

    /// The mean spend per repeat purchase; none without one.
    pub(crate) fn repeat_mean(&self) -> Option<f64> {
        (self.history.repeats > 0).then(|| self.repeat_spent / self.history.x())
    }
}

impl<'a> Rows<'a> {
    /// Reads the columns of the manifest. `holdout_days` is above 0 where a window is to be held out.
    pub(crate) fn read(batch: &'a Batch, at: &Context, holdout_days: u32) -> Result<Self> {
        let (first, last) = (batch.date("first_order")?, batch.date("last_order")?);
        let days = batch.int64("purchase_days")?;
        let (spent, repeat_spent) = (batch.money("spent")?, batch.money("repeat_spent")?);
        let earlier = if holdout_days > 0 {
            Some((batch.date("earlier_last_order")?, batch.int64("earlier_purchase_days")?))
        } else {
            None
        };
        let unit = pow(10.0, f64::from(decimal_places(spent.currency())));
        let (spent_units, repeat_units) = (spent.minor_units(), repeat_spent.minor_units());
        let mut rows = Self {
            currency: spent.currency(),
            customers: Vec::with_capacity(batch.rows()),
            failures: Vec::new(),
        };
        for row in 0..batch.rows() {
            let (Some(first), Some(last)) = (first.get(row), last.get(row)) else {
                rows.customers.push(Known::Prospect);
                continue;
            };
            let history = match history(first, last, days.get(row), at.as_of) {
                Ok(history) => history,
                Err((code, message)) => {
                    rows.customers.push(Known::Nothing);
                    rows.failures.push(Failure { row, code, message });
                    continue;
                }
            };
            let held_out = earlier.as_ref().and_then(|(last, days)| {
                let end = at.as_of.saturating_sub_unsigned(holdout_days);
                let before = history_before(first, last.get(row)?, days.get(row), end)?;
                Some((before, history.repeats.saturating_sub(before.repeats)))
            });
            rows.customers.push(Known::Bought(Customer {
                history,
                spent: spent_units.get(row).unwrap_or(0) as f64 / unit,
                repeat_spent: repeat_units.get(row).unwrap_or(0) as f64 / unit,
                held_out,
            }));
        }
        Ok(rows)
    }
}

fn history_before(first: i32, last: i32, days: Option<i64>, end: i32) -> Option<History> {
    history(first, last, days, end).ok()
}

/// The history of a customer up to the day `end`.
fn history(
    first: i32,
    last: i32,
    days: Option<i64>,
    end: i32,
) -> Result<History, (&'static str, LocalizedText)> {
    if last > end {
        let after = i64::from(last) - i64::from(end);
        return Err((
            "order-after-as-of",
            localized(
                format!("the last order lies {after} days after the day that counts as today"),
                format!("最近一次下单在计算日之后 {after} 天"),
            ),
        ));
    }
    let between = u32::try_from(i64::from(last) - i64::from(first));
    let repeats = days.and_then(|days| u32::try_from(days - 1).ok());
    // As many different days as there are from the first to the last; none between without a second.
    let fitting = between
        .ok()
        .zip(repeats)
        .filter(|(between, repeats)| repeats <= between && (*repeats > 0 || *between == 0));
    let Some((last_days, repeats)) = fitting else {
        return Err((
            "purchase-days-contradict",
            localized(
                "the number of days with an order does not fit the first and the last order",
                "下单天数与首次、最近一次下单日期不符",
            ),
        ));
    };
    let age_days = u32::try_from(i64::from(end) - i64::from(first)).unwrap_or(u32::MAX);
    Ok(History { repeats, last_days, age_days })
}
