//! The angles from which customers are ranked.

use trellis_sdk::math::pow;
use trellis_sdk::{Batch, Context, LocalizedText, PluginError, Result, decimal_places, localized};

/// An angle; more is better in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ranking {
    Revenue,
    Frequency,
    Recency,
    Growth,
    Margin,
    Referrals,
}

impl Ranking {
    pub(crate) const ALL: [Self; 6] =
        [Self::Revenue, Self::Frequency, Self::Recency, Self::Growth, Self::Margin, Self::Referrals];

    pub(crate) fn label(self) -> LocalizedText {
        match self {
            Self::Revenue => localized("Revenue", "收入"),
            Self::Frequency => localized("Frequency", "购买频率"),
            Self::Recency => localized("Recency", "最近购买"),
            Self::Growth => localized("Growth", "增长"),
            Self::Margin => localized("Margin", "毛利"),
            Self::Referrals => localized("Referrals", "推荐客户数"),
        }
    }

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Revenue => "revenue",
            Self::Frequency => "frequency",
            Self::Recency => "recency",
            Self::Growth => "growth",
            Self::Margin => "margin",
            Self::Referrals => "referrals",
        }
    }
}

/// The figures of each customer in a batch.
#[derive(Debug)]
pub(crate) struct Figures<'a> {
    pub(crate) currency: &'a str,
    pub(crate) ordinals: &'a [u64],
    /// For each of [`Ranking::ALL`] its value in each row; not a number where it is unknown.
    pub(crate) columns: Vec<Vec<f64>>,
    pub(crate) failures: Vec<(usize, i64)>,
}

impl<'a> Figures<'a> {
    /// Reads the columns of the manifest, for growth over the last `growth_days`.
    pub(crate) fn read(batch: &'a Batch, growth_days: u32, at: &Context) -> Result<Self> {
        let (first, last) = (batch.date("first_order")?, batch.date("last_order")?);
        let orders = batch.int64("orders")?;
        let (spent, recent) = (batch.money("spent")?, batch.money("recently_spent")?);
        let unit = unit(spent.currency());
        let (spent_units, recent_units) = (spent.minor_units(), recent.minor_units());
        let window = f64::from(growth_days);
        let mut columns = vec![vec![f64::NAN; batch.rows()]; 4];
        let mut failures = Vec::new();
        for row in 0..batch.rows() {
            let (Some(first), Some(last), Some(orders @ 1..)) =
                (first.get(row), last.get(row), orders.get(row))
            else {
                continue;
            };
            let since = i64::from(at.as_of) - i64::from(last);
            if since < 0 {
                failures.push((row, -since));
                continue;
            }
            let spent = spent_units.get(row).unwrap_or(0) as f64 / unit;
            let recent = recent_units.get(row).unwrap_or(0) as f64 / unit;
            // Of somebody who came within the window there is no time before to compare with.
            let before = (i64::from(at.as_of) - i64::from(first)) as f64 - window + 1.0;
            let growth = if before >= 1.0 { recent / window - (spent - recent) / before } else { f64::NAN };
            let values = [spent, orders as f64, -(since as f64), growth];
            for (column, value) in columns.iter_mut().zip(values) {
                column.iter_mut().skip(row).take(1).for_each(|place| *place = value);
            }
        }
        if batch.has_column("value") {
            let value = numbers(batch, "value")?;
            columns.iter_mut().take(1).for_each(|column| column.clone_from(&value));
        }
        for name in ["margin", "referrals"] {
            let given =
                if batch.has_column(name) { numbers(batch, name)? } else { vec![f64::NAN; batch.rows()] };
            columns.push(given);
        }
        Ok(Self { currency: spent.currency(), ordinals: batch.ordinals(), columns, failures })
    }

    pub(crate) fn of(&self, ranking: Ranking) -> &[f64] {
        self.columns.get(ranking as usize).map_or(&[], Vec::as_slice)
    }

    /// The value of `row`, where it is known.
    pub(crate) fn value(&self, ranking: Ranking, row: usize) -> Option<f64> {
        self.of(ranking).get(row).copied().filter(|value| !value.is_nan())
    }
}

/// A column that the configuration chooses, as numbers; amounts in whole units of their currency.
pub(crate) fn numbers(batch: &Batch, name: &str) -> Result<Vec<f64>> {
    let known = |value: Option<f64>| value.filter(|value| value.is_finite()).unwrap_or(f64::NAN);
    Ok(match batch.type_of(name) {
        Some("int64") => {
            batch.int64(name)?.iter().map(|value| known(value.map(|value| value as f64))).collect()
        }
        Some("money") => {
            let money = batch.money(name)?;
            let unit = unit(money.currency());
            money.minor_units().iter().map(|value| known(value.map(|value| value as f64 / unit))).collect()
        }
        Some("float64") => batch.float64(name)?.iter().map(known).collect(),
        other => {
            let found = other.unwrap_or("missing");
            let message = (
                format!("`{name}` is of type {found}; customers are ranked by numbers and amounts"),
                format!("`{name}` 的类型为 {}；客户只能按数字或金额排名", other.unwrap_or("（缺失）")),
            );
            return Err(PluginError::UnsuitableData(message.into()));
        }
    })
}

fn unit(currency: &str) -> f64 {
    pow(10.0, f64::from(decimal_places(currency)))
}
