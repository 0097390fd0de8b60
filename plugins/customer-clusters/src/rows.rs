//! The compared figures of each customer in a batch.

use trellis_sdk::math::{log1p, pow};
use trellis_sdk::values::{Dictionary, Texts, Values};
use trellis_sdk::{Batch, Context, LocalizedText, PluginError, Result, decimal_places, localized};

use crate::config::{Figure, Missing};
use crate::figures::Compared;

/// The column of the field that customers are named by.
const START: &str = "start";

/// A batch as figures.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    /// The ISO 4217 code of all amounts.
    pub(crate) currency: &'a str,
    /// For each figure its value in each row; not a number where it is missing.
    columns: Vec<Vec<f64>>,
    /// Which rows belong to no cluster.
    pub(crate) absent: Vec<bool>,
    pub(crate) failures: Vec<Failure>,
}

/// A row whose figures contradict each other.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) row: usize,
    pub(crate) code: &'static str,
    pub(crate) message: LocalizedText,
}

/// How figures are read.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// The names of the figures: of [`Figure`], or `features.` and a field.
    pub(crate) names: Vec<String>,
    pub(crate) logarithm: bool,
    pub(crate) missing: Missing,
}

impl Reading {
    fn counts_purchases(&self) -> bool {
        self.names.iter().any(|name| matches!(Compared::of_name(name), Compared::Purchases(_)))
    }
}

impl<'a> Rows<'a> {
    /// Reads the figures that `reading` names.
    ///
    /// # Errors
    /// [`PluginError::UnsuitableData`] for a field that is no number.
    pub(crate) fn read(batch: &'a Batch, reading: &Reading, at: &Context) -> Result<Self> {
        let spent = batch.money("spent")?;
        let mut rows = Self {
            currency: spent.currency(),
            columns: Vec::with_capacity(reading.names.len()),
            absent: vec![false; batch.rows()],
            failures: Vec::new(),
        };
        if reading.counts_purchases() {
            rows.require_orders(batch, at)?;
        }
        for name in &reading.names {
            let mut column = match Compared::of_name(name) {
                Compared::Purchases(figure) => purchases(batch, figure, at)?,
                Compared::Field(_) => field(batch, name, at)?,
            };
            if reading.logarithm {
                // A missing value stays missing: `max` would make it 0.
                column.iter_mut().for_each(|value| *value = log1p(if *value < 0.0 { 0.0 } else { *value }));
            }
            rows.columns.push(column);
        }
        for (row, absent) in rows.absent.iter_mut().enumerate() {
            let mut values = rows.columns.iter().filter_map(|column| column.get(row));
            *absent |= match reading.missing {
                Missing::LeaveOut => values.any(|value| value.is_nan()),
                Missing::Mean => values.all(|value| value.is_nan()),
            };
        }
        Ok(rows)
    }

    /// Writes the figures of `row` over `point`.
    pub(crate) fn copy(&self, row: usize, point: &mut [f64]) {
        for (place, column) in point.iter_mut().zip(&self.columns) {
            *place = column.get(row).copied().unwrap_or(f64::NAN);
        }
    }

    /// Whoever has no order belongs to no cluster; whose orders contradict each other has failed.
    fn require_orders(&mut self, batch: &Batch, at: &Context) -> Result<()> {
        let (last, orders) = (batch.date("last_order")?, batch.int64("orders")?);
        for (row, (absent, (last, orders))) in
            self.absent.iter_mut().zip(last.iter().zip(orders.iter())).enumerate()
        {
            let days = last.map(|last| i64::from(at.as_of) - i64::from(last));
            *absent = !matches!((days, orders), (Some(0..), Some(1..)));
            let failure = match (days, orders) {
                (Some(days), _) if days < 0 => Some((
                    "order-after-as-of",
                    localized(
                        format!("the last order lies {} days after the day that counts as today", -days),
                        format!("最近一次下单在计算日之后 {} 天", -days),
                    ),
                )),
                (Some(_), None | Some(..=0)) => Some((
                    "no-order-count",
                    localized(
                        "there is a last order, but no number of orders",
                        "有最近下单日期，但没有订单数",
                    ),
                )),
                _ => None,
            };
            self.failures.extend(failure.map(|(code, message)| Failure { row, code, message }));
        }
        Ok(())
    }
}

/// A figure of orders. An amount sum that is null counts as 0; a customer without orders has none.
fn purchases(batch: &Batch, figure: Figure, at: &Context) -> Result<Vec<f64>> {
    let (last, orders) = (batch.date("last_order")?, batch.int64("orders")?);
    let spent = batch.money("spent")?;
    let unit = unit(spent.currency());
    let figures = last.iter().zip(orders.iter()).zip(spent.minor_units().iter());
    let value = |last: i32, orders: i64, spent: Option<i64>| {
        let spent = spent.unwrap_or(0) as f64 / unit;
        match figure {
            Figure::Recency => (i64::from(at.as_of) - i64::from(last)) as f64,
            Figure::Frequency => orders as f64,
            Figure::Monetary => spent,
            Figure::AverageOrder => spent / orders as f64,
        }
    };
    let known = |last: Option<i32>, orders: Option<i64>| last.zip(orders.filter(|orders| *orders > 0));
    Ok(figures
        .map(|((last, orders), spent)| {
            known(last, orders).map_or(f64::NAN, |(last, orders)| value(last, orders, spent))
        })
        .collect())
}

fn field(batch: &Batch, name: &str, at: &Context) -> Result<Vec<f64>> {
    let finite = |value: f64| if value.is_finite() { value } else { f64::NAN };
    let or_missing = |value: Option<f64>| value.map_or(f64::NAN, finite);
    Ok(match batch.type_of(name) {
        Some("int64") => {
            batch.int64(name)?.iter().map(|value| or_missing(value.map(|value| value as f64))).collect()
        }
        Some("money") => {
            let money = batch.money(name)?;
            let unit = unit(money.currency());
            money
                .minor_units()
                .iter()
                .map(|value| or_missing(value.map(|value| value as f64 / unit)))
                .collect()
        }
        Some("date") => {
            let days = |day: i32| (i64::from(at.as_of) - i64::from(day)) as f64;
            batch.date(name)?.iter().map(|day| or_missing(day.map(days))).collect()
        }
        Some("boolean") => batch
            .boolean(name)?
            .iter()
            .map(|value| or_missing(value.map(|value| f64::from(u8::from(value)))))
            .collect(),
        Some(other) if other != "float64" => {
            let message = (
                format!("`{name}` is of type {other}; clusters compare numbers, amounts, dates and yes/no"),
                format!("`{name}` 的类型为 {other}；聚类只能比较数字、金额、日期和是/否字段"),
            );
            return Err(PluginError::UnsuitableData(message.into()));
        }
        _ => batch.float64(name)?.iter().map(or_missing).collect(),
    })
}

/// What the configured field says of each customer of a batch.
#[derive(Debug)]
pub(crate) enum Names<'a> {
    Dictionary(Dictionary<'a>),
    Texts(Texts<'a>),
    Numbers(Values<'a, i64>),
}

impl<'a> Names<'a> {
    /// # Errors
    /// [`PluginError::UnsuitableData`] for a field that is neither a text, a choice nor a whole number.
    pub(crate) fn read(batch: &'a Batch) -> Result<Self> {
        Ok(match batch.type_of(START) {
            Some("text") => Self::Texts(batch.text(START)?),
            Some("int64") => Self::Numbers(batch.int64(START)?),
            _ => Self::Dictionary(batch.dictionary(START)?),
        })
    }

    /// Which of `names` the customer of `row` has.
    pub(crate) fn place_in(&self, names: &[String], row: usize) -> Option<usize> {
        let is = |own: &str| names.iter().position(|name| name == own);
        match self {
            Self::Dictionary(own) => is(own.get(row)?),
            Self::Texts(own) => is(own.get(row)?),
            Self::Numbers(own) => is(&own.get(row)?.to_string()),
        }
    }
}

fn unit(currency: &str) -> f64 {
    pow(10.0, f64::from(decimal_places(currency)))
}
