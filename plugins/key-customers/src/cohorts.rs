//! How customers stay: those who began in the same month, quarter or year, and how many of them buy later.

use serde::Deserialize;
use trellis_sdk::{
    AnalysisDescription, Context, Panel, PluginError, Report, Result, RowStream, analysis, json, localized,
    metric, panel, report,
};

pub(crate) const COHORTS: &str = "cohorts";
/// How many periods after the first are counted: what fits the bits kept for each customer.
const PERIODS_MAX: usize = 120;
/// How many cohorts are shown, the latest ones.
const COHORTS_MAX: usize = 60;
/// Ordinals are dense; one beyond this is an error rather than a reason to take gigabytes.
const ORDINALS_MAX: u64 = 50_000_000;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    period: Period,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Period {
    #[default]
    Month,
    Quarter,
    Year,
}

impl Period {
    fn months(self) -> i32 {
        match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year => 12,
        }
    }

    /// The number of the period in which a day lies.
    fn of_day(self, day: i32) -> i32 {
        let (year, month) = year_and_month(i64::from(day));
        (year * 12 + month - 1).div_euclid(self.months())
    }

    fn name(self, number: i32) -> String {
        let months = number * self.months();
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        match self {
            Self::Month => format!("{year:04}-{month:02}"),
            Self::Quarter => format!("{year:04}-Q{}", (month + 2) / 3),
            Self::Year => format!("{year:04}"),
        }
    }
}

pub(crate) fn describe() -> AnalysisDescription {
    analysis(COHORTS, "Cohorts", "同期群留存")
        .about(
            "Customers by the period of their first order: how many of them order in each later period, and for how much.",
            "按首次下单所在时期将客户分组，统计各组在之后每个时期下单的人数和金额。",
        )
        .of("orders")
        .asking(&json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "period": {
                    "type": "string",
                    "default": "month",
                    "title": { "en": "Period", "zh-CN": "时期" },
                    "oneOf": [
                        { "const": "month", "title": { "en": "Month", "zh-CN": "月" } },
                        { "const": "quarter", "title": { "en": "Quarter", "zh-CN": "季度" } },
                        { "const": "year", "title": { "en": "Year", "zh-CN": "年" } }
                    ]
                }
            }
        }))
}

/// What a customer did: the period of the first order, and bit `k` where there is an order `k` periods later.
#[derive(Debug, Clone, Copy)]
struct Activity {
    first: i32,
    periods: u128,
}

/// One cohort: customers and revenue in each period since its first, in minor units.
#[derive(Debug, Clone, Default)]
struct Cohort {
    active: Vec<u64>,
    revenue: Vec<i64>,
}

/// Reads `rows`, orders in any order, twice.
pub(crate) fn answer(rows: &mut RowStream<'_>, parameters: &str, _: &Context) -> Result<Report> {
    let Parameters { period } = trellis_sdk::parse_parameters(parameters)?;
    let mut customers: Vec<Activity> = Vec::new();
    let mut last = i32::MIN;
    each(rows, |ordinal, day, _| {
        let number = period.of_day(day);
        last = last.max(number);
        if ordinal >= customers.len() {
            customers.resize(ordinal + 1, Activity { first: i32::MAX, periods: 0 });
        }
        if let Some(customer) = customers.get_mut(ordinal) {
            customer.first = customer.first.min(number);
        }
    })?;
    let Some(first) = customers.iter().map(|customer| customer.first).min().filter(|first| *first < i32::MAX)
    else {
        return Err(PluginError::UnsuitableData(
            ("there is no order with a customer and a day", "没有同时具备客户和下单日期的订单").into(),
        ));
    };
    let mut cohorts = vec![Cohort::default(); (last - first) as usize + 1];
    for (number, cohort) in (first..).zip(&mut cohorts) {
        let periods = ((last - number) as usize + 1).min(PERIODS_MAX);
        *cohort = Cohort { active: vec![0; periods], revenue: vec![0; periods] };
    }
    rows.rewind();
    let mut currency = String::new();
    each(rows, |ordinal, day, amount| {
        let Some(customer) = customers.get_mut(ordinal) else { return };
        let since = (period.of_day(day) - customer.first) as usize;
        let Some(cohort) = cohorts.get_mut((customer.first - first) as usize) else { return };
        if let Some(active) = cohort.active.get_mut(since).filter(|_| customer.periods >> since & 1 == 0) {
            *active += 1;
            customer.periods |= 1 << since;
        }
        if let Some((amount, code)) = amount {
            if currency.is_empty() {
                code.clone_into(&mut currency);
            }
            cohort.revenue.iter_mut().skip(since).take(1).for_each(|sum| *sum = sum.saturating_add(amount));
        }
    })?;
    Ok(report_of(period, first, &cohorts, &currency))
}

/// Calls `with` for each order that has a customer and a day: the ordinal, the day and the amount in minor units of a currency.
fn each(rows: &mut RowStream<'_>, mut with: impl FnMut(usize, i32, Option<(i64, &str)>)) -> Result<()> {
    for batch in rows {
        let (accounts, days, amounts) =
            (batch.reference("account")?, batch.date("ordered_on")?, batch.money("amount")?);
        let figures = accounts.iter().zip(days.iter()).zip(amounts.minor_units().iter());
        for ((account, day), amount) in figures {
            let Some((account, day)) = account.zip(day) else { continue };
            if account >= ORDINALS_MAX {
                let message = (
                    format!(
                        "an order is of customer number {account}; at most {ORDINALS_MAX} are told apart"
                    ),
                    format!("有订单属于第 {account} 号客户；最多只能区分 {ORDINALS_MAX} 位客户"),
                );
                return Err(PluginError::UnsuitableData(message.into()));
            }
            with(account as usize, day, amount.map(|amount| (amount, amounts.currency())));
        }
    }
    Ok(())
}

fn report_of(period: Period, first: i32, cohorts: &[Cohort], currency: &str) -> Report {
    let size = |cohort: &Cohort| cohort.active.first().copied().unwrap_or(0);
    let customers: u64 = cohorts.iter().map(size).sum();
    let count = cohorts.iter().filter(|cohort| size(cohort) > 0).count();
    // Of those cohorts that can have come back at all.
    let (mut second, mut seen) = (0, 0);
    for cohort in cohorts {
        if let Some(active) = cohort.active.get(1) {
            second += active;
            seen += size(cohort);
        }
    }
    let retained = if seen > 0 { 100.0 * second as f64 / seen as f64 } else { 0.0 };
    let summary = localized(
        format!(
            "{customers} customers in {count} cohorts; {retained:.1} % of them order in the period after their first."
        ),
        format!("{customers} 位客户，{count} 个同期群；{retained:.1}% 的客户在首购之后的下一时期再次下单。"),
    );
    report(summary)
        .metric(metric("customers", localized("Customers", "客户数"), customers as f64))
        .metric(metric("cohorts", localized("Cohorts", "同期群数"), count as f64))
        .metric(metric(
            "next_period_percent",
            localized("Order in the next period, %", "下一时期再次下单（%）"),
            retained,
        ))
        .panel(retention(period, first, cohorts, currency))
}

fn retention(period: Period, first: i32, cohorts: &[Cohort], currency: &str) -> Panel {
    let skipped = cohorts.len().saturating_sub(COHORTS_MAX);
    let shown = (first..)
        .zip(cohorts)
        .skip(skipped)
        .filter(|(_, cohort)| cohort.active.first().is_some_and(|active| *active > 0));
    let cells: Vec<(String, usize, u64, f64, i64)> = shown
        .flat_map(|(number, cohort)| {
            let whole = cohort.active.first().copied().unwrap_or(0).max(1) as f64;
            let figures = cohort.active.iter().zip(&cohort.revenue).enumerate();
            figures.map(move |(since, (active, revenue))| {
                (period.name(number), since, *active, 100.0 * *active as f64 / whole, *revenue)
            })
        })
        .collect();
    let panel = panel("retention", "Retention by cohort", "同期群留存率")
        .about(
            "Each row is the customers who began in a period; each column how many of them ordered so many periods later. Periods that have not come yet are missing.",
            "每行为同一时期首购的客户，每列为若干时期之后仍下单的客户占比。尚未到来的时期不显示。",
        )
        .names("cohort", ("Cohort", "同期群"), cells.iter().map(|cell| Some(cell.0.as_str())))
        .int64("periods", ("Periods later", "之后时期数"), "", cells.iter().map(|cell| Some(cell.1 as i64)))
        .float64("share", ("Share", "占比"), "%", cells.iter().map(|cell| Some(cell.3)))
        .int64("customers", ("Customers", "客户数"), "", cells.iter().map(|cell| i64::try_from(cell.2).ok()));
    let panel = if currency.is_empty() {
        panel
    } else {
        panel.money("revenue", ("Revenue", "收入"), currency, cells.iter().map(|cell| Some(cell.4)))
    };
    panel.matrix("cohort", "periods", "share")
}

/// The year and the month, counted from 1, of a day since 1970-01-01 (H. Hinnant, *chrono-Compatible Low-Level Date Algorithms*).
fn year_and_month(day: i64) -> (i32, i32) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    ((year_of_era + era * 400) as i32 + i32::from(month <= 2), month as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_lie_in_their_periods() {
        for (day, month, quarter, year) in [
            (0, "1970-01", "1970-Q1", "1970"),
            (9_862, "1997-01", "1997-Q1", "1997"),
            (9_861, "1996-12", "1996-Q4", "1996"),
            (11_016, "2000-02", "2000-Q1", "2000"),
            (-1, "1969-12", "1969-Q4", "1969"),
        ] {
            for (period, expected) in
                [(Period::Month, month), (Period::Quarter, quarter), (Period::Year, year)]
            {
                assert_eq!(period.name(period.of_day(day)), expected);
            }
        }
    }
}
