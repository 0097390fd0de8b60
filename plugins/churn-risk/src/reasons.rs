//! Why customers left: the nine reasons by number and by value, by period and by tier, and the churn rate against its limit (R42, R43).

use serde::Deserialize;
use trellis_sdk::{
    AnalysisDescription, Context, LocalizedText, Panel, Report, Result, RowStream, analysis, json, localized,
    metric, panel, parse_parameters, report,
};

use crate::config::Config;
use crate::labels::degree;
use crate::value::{Cuts, read_values};

/// The nine reasons in the order of the literature, as the field `churn_risk__reason` has them, and one for a reason that nobody gave.
const REASONS: [(&str, &str, &str); 10] = [
    ("price", "Price", "价格流失"),
    ("product", "Product", "产品流失"),
    ("service", "Service", "服务流失"),
    ("technology", "Technology", "技术流失"),
    ("promotion", "Promotion", "促销流失"),
    ("demand", "Demand", "需求流失"),
    ("management", "Management", "管理流失"),
    ("political", "Political", "政治流失"),
    ("other", "Other", "其他流失"),
    ("", "Not recorded", "未记录"),
];

/// What may be said with the question.
#[derive(Debug, Deserialize)]
struct Said {
    #[serde(default = "days")]
    days: i32,
    limit_percent: Option<f64>,
}

/// What the question is about.
#[derive(Debug)]
struct Parameters {
    days: i32,
    limit_percent: f64,
}

fn days() -> i32 {
    365
}

pub(crate) fn describe(config: &Config) -> AnalysisDescription {
    analysis("churn_reasons", "Why customers left", "客户流失原因")
        .about(
            "The nine reasons for leaving by number and by value, by month and by tier, and the churn rate against the rate that is acceptable.",
            "九类流失原因的数量与价值帕累托、按月与按层级分布，以及流失率与可接受水平的比较。",
        )
        .of("customers")
        .asking(&json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "days": {
                    "type": "integer", "minimum": 1, "maximum": 3650, "default": 365,
                    "title": { "en": "Days back", "zh-CN": "回溯天数" }
                },
                "limit_percent": {
                    "type": "number", "minimum": 0, "maximum": 100, "default": config.acceptable_churn_percent,
                    "title": { "en": "Acceptable churn rate in percent", "zh-CN": "可接受流失率（%）" }
                }
            }
        }))
}

/// The tier of high value.
const HIGH: usize = 2;

/// Somebody who was a customer when the period began.
struct Customer {
    /// When they left, if they did within the period.
    left_on: Option<i32>,
    reason: usize,
    /// What they are worth, or were lost with them.
    value: f64,
    tier: usize,
}

pub(crate) fn analyse(
    rows: &mut RowStream<'_>,
    parameters: &str,
    config: &Config,
    at: &Context,
) -> Result<Report> {
    let Said { days, limit_percent } = parse_parameters(parameters)?;
    let limit_percent = limit_percent.unwrap_or(config.acceptable_churn_percent);
    let parameters = Parameters { days, limit_percent };
    let customers = read(rows, &parameters, config, at)?;
    let lost: Vec<&Customer> = customers.iter().filter(|one| one.left_on.is_some()).collect();
    let worth = |customers: &[&Customer]| total(customers.iter().map(|one| one.value));
    let all: Vec<&Customer> = customers.iter().collect();
    let rate = percent(lost.len() as f64, all.len() as f64);
    let value_rate = percent(worth(&lost), worth(&all));
    let number = |name, en: &str, zh: &str, value| metric(name, localized(en, zh), value);
    let warnings = warnings((rate, value_rate), &all, &parameters);
    let told = report(summary(&lost, rate, value_rate, &parameters));
    Ok(warnings
        .into_iter()
        .fold(told, Report::warning)
        .metric(number("churn_rate", "Churn rate by number, in percent", "按数量计算的流失率（%）", rate))
        .metric(number(
            "value_churn_rate",
            "Churn rate by value, in percent",
            "按价值计算的流失率（%）",
            value_rate,
        ))
        .metric(number("limit", "Acceptable rate, in percent", "可接受流失率（%）", parameters.limit_percent))
        .metric(number(
            "exceeded",
            "Above the acceptable rate (1 yes)",
            "超出可接受水平（1 为是）",
            f64::from(u8::from(rate.max(value_rate) > parameters.limit_percent)),
        ))
        .metric(number("customers", "Customers when the period began", "期初客户数", all.len() as f64))
        .metric(number("lost", "Customers lost", "流失客户数", lost.len() as f64))
        .metric(number("lost_value", "Value lost", "流失价值", worth(&lost)))
        .panel(pareto(&lost))
        .panel(tiers(&all, parameters.limit_percent))
        .panel(crossed(
            "reasons_by_tier",
            ("Reasons by tier", "各层级流失原因"),
            &lost,
            ("Tier", "层级"),
            |one| {
                let (word, word_zh) = degree(one.tier);
                (2 - one.tier, localized(format!("{word} value"), format!("{word_zh}价值")))
            },
        ))
        .panel(crossed(
            "reasons_by_month",
            ("Reasons by month", "各月流失原因"),
            &lost,
            ("Month", "月份"),
            |one| {
                let (year, month) = year_and_month(one.left_on.unwrap_or_default());
                let text = format!("{year:04}-{month:02}");
                ((year * 12 + month).unsigned_abs() as usize, localized(text.clone(), text))
            },
        )))
}

fn read(
    rows: &mut RowStream<'_>,
    parameters: &Parameters,
    config: &Config,
    at: &Context,
) -> Result<Vec<Customer>> {
    let start = at.as_of.saturating_sub(parameters.days);
    let (mut customers, mut worths) = (Vec::new(), Vec::new());
    for batch in rows.by_ref() {
        let values = read_values(&batch, at)?;
        let left = batch.date("left_on")?;
        let reasons = batch.dictionary("reason")?;
        let lost = batch.money("value_lost")?;
        let unit = 10_u64.pow(trellis_sdk::decimal_places(lost.currency())) as f64;
        for (row, value) in values.iter().enumerate() {
            let left_on = left.get(row);
            if left_on.is_some_and(|day| day <= start) {
                continue;
            }
            let named = reasons.get(row).unwrap_or_default();
            let reason = REASONS.iter().position(|reason| reason.0 == named).unwrap_or(REASONS.len() - 2);
            let recorded = lost.minor_units().get(row).map(|cents| cents as f64 / unit);
            let value = recorded.unwrap_or(if value.is_nan() { 0.0 } else { *value });
            worths.push(value);
            customers.push(Customer {
                left_on: left_on.filter(|day| *day <= at.as_of),
                reason,
                value,
                tier: 0,
            });
        }
    }
    let cuts = Cuts::learn(&worths, config);
    customers.iter_mut().for_each(|customer| customer.tier = cuts.class(customer.value));
    Ok(customers)
}

fn summary(lost: &[&Customer], rate: f64, value_rate: f64, parameters: &Parameters) -> LocalizedText {
    let main = by_reason(lost).into_iter().find(|(place, _, _)| *place < REASONS.len() - 1);
    let reason = main.and_then(|(place, ..)| REASONS.get(place)).copied();
    let (en, zh) = reason.map_or((String::new(), String::new()), |(_, en, zh)| {
        (format!(" The most frequent reason is {}.", en.to_lowercase()), format!("最主要原因：{zh}。"))
    });
    let is_above = rate.max(value_rate) > parameters.limit_percent;
    let (verdict, verdict_zh) = if is_above { ("above", "超出") } else { ("within", "未超出") };
    localized(
        format!(
            "{} customers left within {} days: {rate:.1} % of all, {value_rate:.1} % of the value, {verdict} the acceptable {} %.{en}",
            lost.len(),
            parameters.days,
            parameters.limit_percent
        ),
        format!(
            "{} 天内流失客户 {} 位，占客户数 {rate:.1}%、占价值 {value_rate:.1}%，{verdict_zh}可接受的 {}%。{zh}",
            parameters.days,
            lost.len(),
            parameters.limit_percent
        ),
    )
}

/// What somebody has to be told: too many left, or too many of those of high value alone.
fn warnings(rates: (f64, f64), all: &[&Customer], parameters: &Parameters) -> Vec<LocalizedText> {
    let Parameters { days, limit_percent: limit, .. } = parameters;
    let (_, customers, lost, worth, worth_lost) = of_tier(all, HIGH);
    let warning = |(rate, value_rate): (f64, f64), (en, zh): (&str, &str)| {
        let words = || {
            localized(
                format!(
                    "{rate:.1} % of {en}, {value_rate:.1} % of their value, left within {days} days; up to {limit} % is acceptable."
                ),
                format!("{days} 天内{zh}流失 {rate:.1}%（按价值 {value_rate:.1}%），超出可接受的 {limit}%。"),
            )
        };
        (rate.max(value_rate) > *limit).then(words)
    };
    let high = (percent(lost, customers), percent(worth_lost, worth));
    let whole = warning(rates, ("all customers", "全部客户"));
    whole.into_iter().chain(warning(high, ("the customers of high value", "高价值客户"))).collect()
}

/// Reasons that occur with customers and value, the most frequent first.
fn by_reason(lost: &[&Customer]) -> Vec<(usize, i64, f64)> {
    let of_reason = |place: usize| {
        let mine = lost.iter().filter(|one| one.reason == place);
        mine.fold((place, 0, 0.0), |(place, count, value), one| (place, count + 1, value + one.value))
    };
    let mut found: Vec<_> = (0..REASONS.len()).map(of_reason).filter(|reason| reason.1 > 0).collect();
    found.sort_by_key(|reason| (std::cmp::Reverse(reason.1), reason.0));
    found
}

fn reason_word(place: usize) -> LocalizedText {
    REASONS.get(place).map_or_else(|| localized("", ""), |(_, en, zh)| localized(*en, *zh))
}

fn pareto(lost: &[&Customer]) -> Panel {
    let reasons = by_reason(lost);
    let value = total(reasons.iter().map(|reason| reason.2));
    let mut seen = 0;
    let cumulative: Vec<Option<f64>> = reasons
        .iter()
        .map(|reason| {
            seen += reason.1;
            Some(percent(seen as f64, lost.len() as f64))
        })
        .collect();
    panel("pareto", "Pareto of the reasons", "流失原因帕累托图")
        .about(
            "The few reasons that account for most of the losses come first.",
            "造成大部分流失的少数原因排在前面。",
        )
        .words("reason", ("Reason", "原因"), reasons.iter().map(|reason| reason_word(reason.0)))
        .int64("customers", ("Customers lost", "流失客户数"), "", reasons.iter().map(|reason| Some(reason.1)))
        .float64("cumulative", ("Cumulative share", "累计占比"), "%", cumulative)
        .float64("value", ("Value lost", "流失价值"), "", reasons.iter().map(|reason| Some(reason.2)))
        .float64(
            "value_share",
            ("Share of the value lost", "流失价值占比"),
            "%",
            reasons.iter().map(|reason| Some(percent(reason.2, value))),
        )
        .bar("reason", ["customers"])
}

/// A tier, its customers, how many of them left, what all are worth, and what was lost.
type OfTier = (usize, f64, f64, f64, f64);

fn of_tier(all: &[&Customer], tier: usize) -> OfTier {
    let mine = || all.iter().filter(|one| one.tier == tier);
    let lost = || mine().filter(|one| one.left_on.is_some());
    let worth = total(mine().map(|one| one.value));
    (tier, mine().count() as f64, lost().count() as f64, worth, total(lost().map(|one| one.value)))
}

fn tiers(all: &[&Customer], limit: f64) -> Panel {
    let figures: Vec<OfTier> = (0..=HIGH).rev().map(|tier| of_tier(all, tier)).collect();
    let rates = || figures.iter().map(|tier| Some(percent(tier.2, tier.1)));
    let verdict = |tier: &OfTier| {
        if percent(tier.2, tier.1).max(percent(tier.4, tier.3)) > limit {
            localized("above the limit", "超出")
        } else {
            localized("acceptable", "可接受")
        }
    };
    panel("tiers", "Churn rate by tier", "各层级流失率")
        .about("The loss of customers of high value is watched for itself.", "重点关注高价值客户的流失。")
        .words(
            "tier",
            ("Tier", "层级"),
            figures.iter().map(|tier| {
                let (word, word_zh) = degree(tier.0);
                localized(format!("{word} value"), format!("{word_zh}价值"))
            }),
        )
        .int64("customers", ("Customers", "客户数"), "", figures.iter().map(|tier| Some(tier.1 as i64)))
        .int64("lost", ("Lost", "流失数"), "", figures.iter().map(|tier| Some(tier.2 as i64)))
        .float64("rate", ("Rate by number", "流失率（数量）"), "%", rates())
        .float64(
            "value_rate",
            ("Rate by value", "流失率（价值）"),
            "%",
            figures.iter().map(|tier| Some(percent(tier.4, tier.3))),
        )
        .words("verdict", ("Against the limit", "与阈值比较"), figures.iter().map(verdict))
        .bar("tier", ["rate", "value_rate"])
}

/// Reasons against something else that customers have, as counts. `of` gives the place in the order and the word.
fn crossed(
    name: &str,
    label: (&str, &str),
    lost: &[&Customer],
    by: (&str, &str),
    of: impl Fn(&Customer) -> (usize, LocalizedText),
) -> Panel {
    let mut cells: Vec<(usize, usize, LocalizedText, i64)> = Vec::new();
    for one in lost {
        let (place, word) = of(one);
        match cells.iter_mut().find(|cell| (cell.0, cell.1) == (place, one.reason)) {
            Some(cell) => cell.3 += 1,
            None => cells.push((place, one.reason, word, 1)),
        }
    }
    cells.sort_by_key(|cell| (cell.0, cell.1));
    panel(name, label.0, label.1)
        .words("by", by, cells.iter().map(|cell| cell.2.clone()))
        .words("reason", ("Reason", "原因"), cells.iter().map(|cell| reason_word(cell.1)))
        .int64("customers", ("Customers lost", "流失客户数"), "", cells.iter().map(|cell| Some(cell.3)))
        .matrix("by", "reason", "customers")
}

/// A sum that is 0 where there is nothing to add up: that of the standard library is −0, and is shown so.
fn total(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}

fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { 100.0 * part / whole } else { 0.0 }
}

/// Year and month of a day since 1970-01-01 in the Gregorian calendar, whose years begin in March here, so that the leap day comes last.
fn year_and_month(day: i32) -> (i32, i32) {
    let days = i64::from(day) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (i32::try_from(year).unwrap_or(i32::MAX), i32::try_from(month).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::year_and_month;

    #[test]
    fn months_are_those_of_the_calendar() {
        for (day, expected) in
            [(0, (1970, 1)), (-1, (1969, 12)), (11_016, (2000, 2)), (11_017, (2000, 3)), (20_633, (2026, 6))]
        {
            assert_eq!(year_and_month(day), expected, "{day}");
        }
    }
}
