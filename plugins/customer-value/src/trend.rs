//! How the delivered value goes, by the month in which customers were asked. What a field said on a past day is not known, so the trend is over those
//! who were asked and not over one customer.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use trellis_sdk::{ModelReader, ModelWriter, Panel, Result, panel};

use crate::judgement::Judgement;
use crate::rows::Customer;

/// Months that are kept: the last ones.
const MONTHS_MAX: usize = 24;

/// Of each month how many were asked, and the sums of their total values and costs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Trend(BTreeMap<i32, (u64, f64, f64)>);

impl Trend {
    /// Counts a customer of whom values, costs and the day of the ratings are known.
    pub(crate) fn add(&mut self, customer: &Customer<'_>, judgement: &Judgement) {
        let asked = customer.rated_on.and_then(month).zip(judgement.total_value.zip(judgement.total_cost));
        let Some((month, (value, cost))) = asked else { return };
        let (customers, values, costs) = self.0.entry(month).or_default();
        *customers += 1;
        *values += value;
        *costs += cost;
        if self.0.len() > MONTHS_MAX {
            self.0.pop_first();
        }
    }

    pub(crate) fn write(&self, writer: ModelWriter) -> ModelWriter {
        let months: Vec<f64> = self.0.keys().map(|month| f64::from(*month)).collect();
        let customers: Vec<u64> = self.0.values().map(|of| of.0).collect();
        let values: Vec<f64> = self.0.values().map(|of| of.1).collect();
        let costs: Vec<f64> = self.0.values().map(|of| of.2).collect();
        writer.f64s(&months).u64s(&customers).f64s(&values).f64s(&costs)
    }

    /// # Errors
    /// [`trellis_sdk::PluginError::UnreadableModel`] for anything but what [`Trend::write`] wrote.
    pub(crate) fn read(reader: &mut ModelReader<'_>) -> Result<Self> {
        let (months, customers) = (reader.f64s()?, reader.u64s()?);
        let sums = reader.f64s()?.into_iter().zip(reader.f64s()?);
        let of =
            customers.into_iter().zip(sums).map(|(customers, (values, costs))| (customers, values, costs));
        Ok(Self(months.into_iter().map(|month| month as i32).zip(of).collect()))
    }

    pub(crate) fn panel(&self) -> Panel {
        let mean = |sum: f64, customers: u64| Some(sum / customers as f64);
        let months = self
            .0
            .keys()
            .map(|month| Some(format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)));
        panel("delivered_trend", "Delivered value over time", "客户让渡价值趋势")
            .about(
                "By the month in which customers rated, the last 24 with ratings: means of what they get, give, and of the difference.",
                "按客户评分的月份统计（最近 24 个有评分的月份）：总价值、总成本及让渡价值的平均值。",
            )
            .names("month", ("Month", "月份"), months)
            .int64("customers", ("Customers asked", "评分客户数"), "", self.0.values().map(|of| i64::try_from(of.0).ok()))
            .float64("total_value", ("Total value", "总价值"), "", self.0.values().map(|of| mean(of.1, of.0)))
            .float64("total_cost", ("Total cost", "总成本"), "", self.0.values().map(|of| mean(of.2, of.0)))
            .float64("delivered", ("Delivered value", "让渡价值"), "", self.0.values().map(|of| mean(of.1 - of.2, of.0)))
            .line("month", ["delivered", "total_value", "total_cost"])
    }
}

/// Months since the year 0; none for a day that no calendar has.
fn month(day: i32) -> Option<i32> {
    let epoch: Date = date(1970, 1, 1);
    let day = epoch.checked_add(jiff::Span::new().try_days(day).ok()?).ok()?;
    Some(i32::from(day.year()) * 12 + i32::from(day.month()) - 1)
}
