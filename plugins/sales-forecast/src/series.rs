//! Sums by period, from orders or from deals that were won.

use std::collections::BTreeMap;

use serde::Deserialize;
use trellis_sdk::{Context, PluginError, Result, RowStream, decimal_places, localized};

use crate::calendar::Periods;
use crate::config::Config;
use crate::deals::{DealReader, Outcome};
use crate::names::Names;

/// Periods of a series at most; what lies before them is left out.
const PERIODS_MAX: i32 = 2_000;

/// What is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Measure {
    #[default]
    OrderAmount,
    Orders,
    WonAmount,
    WonDeals,
}

impl Measure {
    pub(crate) fn is_money(self) -> bool {
        matches!(self, Self::OrderAmount | Self::WonAmount)
    }

    /// English and Chinese.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::OrderAmount => ("Order amount", "订单金额"),
            Self::Orders => ("Orders", "订单数"),
            Self::WonAmount => ("Won amount", "赢单金额"),
            Self::WonDeals => ("Won deals", "赢单数"),
        }
    }
}

/// A series without gaps: a period in which nothing happened is 0.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    pub(crate) periods: Periods,
    /// The number of its first period.
    pub(crate) first: i32,
    /// Counts, or amounts in whole units of the currency.
    pub(crate) values: Vec<f64>,
    /// ISO 4217; empty for counts.
    pub(crate) currency: String,
}

impl Series {
    /// Reads it up to the last period that is over as of `at`.
    pub(crate) fn read(
        rows: &mut RowStream<'_>,
        measure: Measure,
        periods: Periods,
        config: &Config,
        at: &Context,
    ) -> Result<Self> {
        let mut sums: BTreeMap<i32, i64> = BTreeMap::new();
        let mut add = |day: i32, amount: i64| {
            let sum = sums.entry(periods.period_of(day)).or_default();
            *sum = sum.saturating_add(if measure.is_money() { amount } else { 1 });
        };
        let currency = match measure {
            Measure::OrderAmount | Measure::Orders => {
                each_order(rows, config, at, &mut |order| add(order.day, order.amount))?
            }
            Measure::WonAmount | Measure::WonDeals => each_won(rows, config, at, &mut add)?,
        };
        let currency = if measure.is_money() { currency } else { String::new() };
        let this = periods.period_of(at.as_of);
        let is_over = periods.last_day(this) == at.as_of;
        let end = if is_over { this } else { this - 1 };
        let begin = sums.keys().next().copied().unwrap_or(end + 1).max(end.saturating_sub(PERIODS_MAX - 1));
        let places = if currency.is_empty() { 0 } else { decimal_places(&currency) };
        let units = 10_f64.powi(i32::try_from(places).unwrap_or(2));
        let value = |period: i32| sums.get(&period).copied().unwrap_or(0) as f64 / units;
        Ok(Self { periods, first: begin, values: (begin..=end).map(value).collect(), currency })
    }

    /// What people call the period in this place.
    pub(crate) fn label(&self, place: usize) -> String {
        self.periods.label(self.first.saturating_add(i32::try_from(place).unwrap_or(i32::MAX / 2)))
    }

    /// Refuses a series that is too short to be continued.
    pub(crate) fn require(&self, periods: usize) -> Result<()> {
        let (found, (word, of)) = (self.values.len(), self.periods.grain.words());
        if found >= periods {
            return Ok(());
        }
        Err(PluginError::UnsuitableData(localized(
            format!("a forecast needs at least {periods} {word} that are over; there are {found}"),
            format!("预测至少需要 {periods} {of}的完整数据，目前只有 {found} {of}"),
        )))
    }
}

/// An order that counts.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) day: i32,
    /// In minor units; 0 where it has none.
    pub(crate) amount: i64,
    pub(crate) owner: u32,
}

/// Shows each order up to `at` that counts to `visit`; returns the currency.
pub(crate) fn each_order(
    rows: &mut RowStream<'_>,
    config: &Config,
    at: &Context,
    visit: &mut dyn FnMut(Order),
) -> Result<String> {
    let mut owners = Names::default();
    each_order_of(rows, &mut owners, config, at, visit)
}

/// As [`each_order`], with the numbers that owners have elsewhere.
pub(crate) fn each_order_of(
    rows: &mut RowStream<'_>,
    owners: &mut Names,
    config: &Config,
    at: &Context,
    visit: &mut dyn FnMut(Order),
) -> Result<String> {
    let mut currency = at.base_currency.clone();
    rows.rewind();
    for batch in rows {
        let (day, amount, status) =
            (batch.date("ordered_on")?, batch.money("amount")?, batch.dictionary("status")?);
        amount.currency().clone_into(&mut currency);
        let owner = owners.codes(&batch, "owner_id")?;
        let left_out: Vec<bool> = status
            .texts()
            .iter()
            .map(|text| {
                text.is_some_and(|text| config.orders_left_out.iter().any(|left_out| left_out == text))
            })
            .collect();
        for row in 0..batch.rows() {
            let counts =
                status.codes().get(row).is_none_or(|code| left_out.get(code as usize) != Some(&true));
            let Some(day) = day.get(row).filter(|day| counts && *day <= at.as_of) else { continue };
            let owner = owner.get(row).copied().unwrap_or(crate::names::NONE);
            visit(Order { day, amount: amount.minor_units().get(row).unwrap_or(0), owner });
        }
    }
    Ok(currency)
}

fn each_won(
    rows: &mut RowStream<'_>,
    config: &Config,
    at: &Context,
    add: &mut dyn FnMut(i32, i64),
) -> Result<String> {
    let mut reader = DealReader::new(config, at, &[]);
    reader.each(rows, |deal| {
        if let Some(day) = deal.closed_on.filter(|_| deal.outcome == Outcome::Won) {
            add(day, deal.value.unwrap_or(0));
        }
    })?;
    Ok(reader.currency)
}
