//! The weighted pipeline: what open deals are worth, by month, category, stage and group.

use std::collections::BTreeMap;

use serde::Deserialize;
use trellis_sdk::{
    Context, LocalizedText, Metric, Panel, PluginError, Report, Result, RowStream, decimal_places, localized,
    metric, panel, report,
};

use crate::calendar::Grain;
use crate::config::Config;
use crate::deals::{Category, Deal, DealReader, Dimension, Outcome};
use crate::names::{NONE, Names};
use crate::tally::{Tallies, Tally};

/// Rows of a table of groups.
const GROUPS_MAX: usize = 500;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    weights: Weights,
    by: Dimension,
    months: i32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { weights: Weights::Probability, by: Dimension::Owner, months: 12 }
    }
}

/// What an open deal's value is multiplied by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Weights {
    Probability,
    WinRate,
    ProductWinRate,
    OwnerWinRate,
    SectorWinRate,
}

impl Weights {
    fn dimension(self) -> Dimension {
        match self {
            Self::OwnerWinRate => Dimension::Owner,
            Self::SectorWinRate => Dimension::Sector,
            Self::Probability | Self::WinRate | Self::ProductWinRate => Dimension::Product,
        }
    }
}

/// Win rates that deals are weighed with.
#[derive(Debug)]
pub(crate) struct Rates<'a> {
    config: &'a Config,
    weights: Weights,
    all: Tally,
    groups: Tallies,
}

impl<'a> Rates<'a> {
    /// Without any deal that has ended.
    pub(crate) fn new(config: &'a Config, weights: Weights) -> Self {
        Self { config, weights, all: Tally::default(), groups: Tallies::default() }
    }

    /// Learns from a deal; its group stands in the second place.
    pub(crate) fn add(&mut self, deal: &Deal) {
        self.all.add(deal);
        self.groups.add(deal.group(1), deal);
    }

    /// The weight of an open deal. A group of which nothing has ended yet, and a deal without a probability, take the rate of all; none
    /// where nothing has ended at all.
    pub(crate) fn weight(&self, deal: &Deal) -> Option<f64> {
        let own = match self.weights {
            Weights::Probability => deal.probability,
            Weights::WinRate => None,
            _ => Some(deal.group(1))
                .filter(|group| *group != NONE)
                .and_then(|group| self.groups.get(group).win_rate()),
        };
        own.or_else(|| self.all.win_rate())
    }
}

/// Number, value and weighted value of open deals, and what they count for.
#[derive(Debug, Clone, Default)]
struct Sum {
    deals: u64,
    value: i64,
    weighted: f64,
    /// Value by category: closed, commit, best case, pipeline.
    categories: [i64; 4],
}

impl Sum {
    fn add(&mut self, deal: &Deal, weight: f64, category: Category) {
        let value = deal.value.unwrap_or(0);
        let place = match category {
            Category::Closed => 0,
            Category::Commit => 1,
            Category::BestCase => 2,
            Category::Pipeline => 3,
            Category::Omitted => return,
        };
        if let Some(sum) = self.categories.get_mut(place) {
            *sum = sum.saturating_add(value);
        }
        if category != Category::Closed {
            self.deals += 1;
            self.value = self.value.saturating_add(value);
            self.weighted += value as f64 * weight;
        }
    }

    fn category(&self, place: usize) -> i64 {
        self.categories.get(place).copied().unwrap_or(0)
    }
}

/// The places of the table of months: what should have closed already comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Overdue,
    Month(i32),
    Later,
    NoDate,
}

/// All sums of one pass.
#[derive(Debug, Default)]
struct Pipeline {
    total: Sum,
    months: BTreeMap<Due, Sum>,
    stages: BTreeMap<u32, Sum>,
    groups: BTreeMap<u32, Sum>,
    /// How many open deals have which age in days.
    ages: BTreeMap<i32, u64>,
    without_start: u64,
    without_value: u64,
    omitted: u64,
}

pub(crate) fn answer(
    rows: &mut RowStream<'_>,
    parameters: &Parameters,
    config: &Config,
    at: &Context,
) -> Result<Report> {
    let mut reader = DealReader::new(config, at, &[parameters.by, parameters.weights.dimension()]);
    let mut rates = Rates::new(config, parameters.weights);
    reader.each(rows, |deal| rates.add(deal))?;
    let this_month = Grain::Month.period_of(at.as_of);
    let (mut pipeline, mut unweighed) = (Pipeline::default(), 0_u64);
    reader.each(rows, |deal| {
        let weight = rates.weight(deal);
        unweighed += u64::from(deal.outcome == Outcome::Open && weight.is_none());
        pipeline.add(deal, weight.unwrap_or(0.0), &rates, parameters.months, this_month, at.as_of);
    })?;
    if unweighed > 0 {
        return Err(PluginError::UnsuitableData(localized(
            format!(
                "{unweighed} open deals have no probability, and no deal has been won or lost yet from which a win rate could be learned"
            ),
            format!("{unweighed} 个进行中的商机没有成交概率，且尚无赢单或输单可用来计算赢单率"),
        )));
    }
    Ok(pipeline.report(&reader, parameters.by))
}

impl Pipeline {
    fn add(&mut self, deal: &Deal, weight: f64, rates: &Rates<'_>, months: i32, this_month: i32, as_of: i32) {
        let category = deal.category(rates.config);
        if category == Category::Closed {
            // What was closed this month belongs into this month's picture.
            let closed = deal.closed_on.map(|day| Grain::Month.period_of(day));
            if closed == Some(this_month) {
                self.months.entry(Due::Month(this_month)).or_default().add(deal, weight, category);
                self.total.add(deal, weight, category);
            }
            return;
        }
        if deal.outcome != Outcome::Open {
            return;
        }
        if category == Category::Omitted {
            self.omitted += 1;
            return;
        }
        let due = match deal.close_on {
            None => Due::NoDate,
            Some(day) if day < as_of => Due::Overdue,
            Some(day) => {
                let month = Grain::Month.period_of(day);
                if month < this_month.saturating_add(months) { Due::Month(month) } else { Due::Later }
            }
        };
        self.without_value += u64::from(deal.value.is_none());
        match deal.opened_on {
            Some(day) => *self.ages.entry(as_of.saturating_sub(day)).or_default() += 1,
            None => self.without_start += 1,
        }
        let month = self.months.entry(due).or_default();
        let (stage, group) =
            (self.stages.entry(deal.stage).or_default(), self.groups.entry(deal.group(0)).or_default());
        for sum in [&mut self.total, month, stage, group] {
            sum.add(deal, weight, category);
        }
    }

    fn report(&self, reader: &DealReader<'_>, by: Dimension) -> Report {
        let currency = reader.currency.as_str();
        let total = &self.total;
        let weighted = total.weighted.round() as i64;
        let (value, weighed) =
            (trellis_sdk::format_money(currency, total.value), trellis_sdk::format_money(currency, weighted));
        let summary = localized(
            format!("{} open deals worth {value}; weighted {weighed}.", total.deals),
            format!("进行中的商机 {} 个，金额合计 {value}，加权后为 {weighed}。", total.deals),
        );
        let mut whole = self.metrics(currency).into_iter().fold(report(summary), Report::metric);
        let stages = by_value(&self.stages).into_iter().map(|(code, sum)| (name(&reader.stages, code), sum));
        let nothing = Names::default();
        let names = reader.names.first().unwrap_or(&nothing);
        let groups = by_value(&self.groups).into_iter().map(|(code, sum)| (name(names, code), sum));
        let (en, zh) = by.words();
        for panel in [
            self.months_panel(currency),
            sums_panel(panel("stages", "By stage", "按阶段"), ("Stage", "阶段"), currency, stages),
            sums_panel(
                panel("groups", &format!("By {}", en.to_lowercase()), &format!("按{zh}")),
                (en, zh),
                currency,
                groups,
            ),
            self.ages_panel(&reader.age_classes()),
        ] {
            whole = whole.panel(panel);
        }
        whole
    }

    fn metrics(&self, currency: &str) -> Vec<Metric> {
        let units = 10_f64.powi(i32::try_from(decimal_places(currency)).unwrap_or(2));
        let amount = |name: &str, en: &str, zh: &str, minor: f64| {
            let label = localized(format!("{en} ({currency})"), format!("{zh}（{currency}）"));
            metric(name, label, minor / units)
        };
        let total = &self.total;
        let overdue = self.months.get(&Due::Overdue).map_or(0, |sum| sum.deals);
        let no_date = self.months.get(&Due::NoDate).map_or(0, |sum| sum.deals);
        let mut metrics = vec![
            count("open_deals", "Open deals", "进行中的商机数", total.deals),
            amount("open_value", "Value of open deals", "进行中商机金额", total.value as f64),
            amount("weighted_value", "Weighted value", "加权金额", total.weighted),
            amount("closed", "Won this month", "本月已成交", total.category(0) as f64),
            amount("commit", "Commit", "承诺", total.category(1) as f64),
            amount("best_case", "Best case", "最佳情况", total.category(2) as f64),
            amount("pipeline", "Pipeline", "在谈", total.category(3) as f64),
            count(
                "overdue_deals",
                "Deals whose expected close has passed",
                "已过预计成交日期的商机数",
                overdue,
            ),
            count("undated_deals", "Deals without an expected close", "没有预计成交日期的商机数", no_date),
            count("deals_without_value", "Deals without a value", "没有金额的商机数", self.without_value),
            count("deals_without_start", "Deals without a start", "没有开始日期的商机数", self.without_start),
            count("omitted_deals", "Deals left out by hand", "人工标记不计入的商机数", self.omitted),
        ];
        metrics.extend(self.age_metrics());
        metrics
    }

    fn age_metrics(&self) -> Vec<Metric> {
        let count: u64 = self.ages.values().sum();
        let Some((oldest, _)) = self.ages.last_key_value().filter(|_| count > 0) else { return Vec::new() };
        let days: f64 = self.ages.iter().map(|(age, count)| f64::from(*age) * *count as f64).sum();
        let label = |en: &str, zh: &str| localized(en, zh);
        vec![
            metric(
                "age_mean",
                label("Mean age of open deals (days)", "进行中商机的平均天数"),
                days / count as f64,
            ),
            metric("age_median", label("Median age (days)", "天数中位数"), median(&self.ages).unwrap_or(0.0)),
            metric("age_max", label("Age of the oldest (days)", "最长天数"), f64::from(*oldest)),
        ]
    }

    fn months_panel(&self, currency: &str) -> Panel {
        let months = || self.months.values();
        let category = |place: usize| months().map(move |sum| Some(sum.category(place)));
        panel("months", "By expected close", "按预计成交月份")
            .about(
                "Value by category in each month; overdue deals should have closed already.",
                "各月按预测类别划分的金额；“逾期”为已过预计成交日期仍未结束的商机。",
            )
            .words("month", ("Month", "月份"), self.months.keys().map(|due| due.label()))
            .int64("deals", ("Open deals", "商机数"), "", months().map(|sum| Some(sum.deals as i64)))
            .money("closed", ("Closed", "已成交"), currency, category(0))
            .money("commit", ("Commit", "承诺"), currency, category(1))
            .money("best_case", ("Best case", "最佳情况"), currency, category(2))
            .money("pipeline", ("Pipeline", "在谈"), currency, category(3))
            .money(
                "weighted",
                ("Weighted", "加权金额"),
                currency,
                months().map(|sum| Some(sum.weighted.round() as i64)),
            )
            .bar("month", ["closed", "commit", "best_case", "pipeline"])
    }

    fn ages_panel(&self, classes: &[i32]) -> Panel {
        let bounds: Vec<(i32, i32)> = std::iter::once(i32::MIN)
            .chain(classes.iter().map(|end| end + 1))
            .zip(classes.iter().copied().chain([i32::MAX]))
            .collect();
        let counts =
            bounds.iter().map(|(from, to)| Some(self.ages.range(from..=to).map(|(_, n)| *n as i64).sum()));
        let label = |(from, to): &(i32, i32)| match (*from, *to) {
            (i32::MIN, to) => format!("0–{to}"),
            (from, i32::MAX) => format!("{from}+"),
            (from, to) => format!("{from}–{to}"),
        };
        panel("ages", "Age of open deals", "进行中商机的时长")
            .names(
                "days",
                ("Days since it was opened", "开始至今天数"),
                bounds.iter().map(|bound| Some(label(bound))),
            )
            .int64("deals", ("Deals", "商机数"), "", counts)
            .bar("days", ["deals"])
    }
}

impl Due {
    fn label(self) -> LocalizedText {
        match self {
            Self::Overdue => localized("Overdue", "逾期"),
            Self::Month(month) => localized(Grain::Month.label(month), Grain::Month.label(month)),
            Self::Later => localized("Later", "更晚"),
            Self::NoDate => localized("No date", "无日期"),
        }
    }
}

/// The middle value; of two middle ones their mean.
pub(crate) fn median(counts: &BTreeMap<i32, u64>) -> Option<f64> {
    let all: u64 = counts.values().sum();
    let at = |rank: u64| {
        let mut before = 0;
        counts.iter().find_map(|(value, count)| {
            before += count;
            (before > rank).then_some(f64::from(*value))
        })
    };
    Some((at(all.checked_sub(1)? / 2)? + at(all / 2)?) / 2.0)
}

fn count(name: &str, en: &str, zh: &str, value: u64) -> Metric {
    metric(name, localized(en, zh), value as f64)
}

/// The most valuable first.
fn by_value(sums: &BTreeMap<u32, Sum>) -> Vec<(u32, &Sum)> {
    let mut all: Vec<(u32, &Sum)> = sums.iter().map(|(code, sum)| (*code, sum)).collect();
    all.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.value));
    all.truncate(GROUPS_MAX);
    all
}

/// What a group is called.
pub(crate) fn name(names: &Names, code: u32) -> LocalizedText {
    names.get(code).map_or_else(|| localized("(none)", "（无）"), |name| localized(name, name))
}

fn sums_panel<'a>(
    empty: Panel,
    label: (&str, &str),
    currency: &str,
    sums: impl Iterator<Item = (LocalizedText, &'a Sum)>,
) -> Panel {
    let (names, sums): (Vec<LocalizedText>, Vec<&Sum>) = sums.unzip();
    let money = |pick: fn(&Sum) -> i64| sums.iter().map(move |sum| Some(pick(sum)));
    empty
        .words("name", label, names)
        .int64("deals", ("Open deals", "商机数"), "", sums.iter().map(|sum| Some(sum.deals as i64)))
        .money("value", ("Value", "金额"), currency, money(|sum| sum.value))
        .money("weighted", ("Weighted", "加权金额"), currency, money(|sum| sum.weighted.round() as i64))
        .bar("name", ["value", "weighted"])
}
