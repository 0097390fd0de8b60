//! Win rates, length of the sales cycle and velocity.

use std::collections::BTreeMap;

use serde::Deserialize;
use trellis_sdk::{
    Context, LocalizedText, Metric, Panel, PluginError, Report, Result, RowStream, decimal_places, localized,
    metric, panel, report,
};

use crate::calendar::Grain;
use crate::config::Config;
use crate::deals::{Deal, DealReader, Dimension, Outcome};
use crate::names::NONE;
use crate::pipeline::{median, name};
use crate::tally::{Tallies, Tally};

/// Rows of the table of groups; the metrics are over all.
const GROUPS_MAX: usize = 1_000;
/// How many groups the concentration is stated for.
const TOP: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    by: Dimension,
    /// Only deals that ended within the last so many days, and open ones; 0 is all.
    within_days: i32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { by: Dimension::Owner, within_days: 0 }
    }
}

#[derive(Debug, Default)]
struct Outcomes {
    all: Tally,
    groups: Tallies,
    stages: BTreeMap<u32, u64>,
    months: BTreeMap<i32, Tally>,
    quarters: BTreeMap<i32, Tally>,
    won_days: BTreeMap<i32, u64>,
    /// Minor units of each won deal that has a value.
    won_values: Vec<i64>,
}

pub(crate) fn answer(
    rows: &mut RowStream<'_>,
    parameters: &Parameters,
    config: &Config,
    at: &Context,
) -> Result<Report> {
    let mut reader = DealReader::new(config, at, &[parameters.by]);
    let mut outcomes = Outcomes::default();
    let from = at.as_of.saturating_sub(parameters.within_days);
    reader.each(rows, |deal| {
        let is_old = parameters.within_days > 0 && deal.closed_on.is_none_or(|day| day <= from);
        if deal.outcome == Outcome::Open || !is_old {
            outcomes.add(deal);
        }
    })?;
    if outcomes.all.deals() == 0 {
        return Err(PluginError::UnsuitableData(localized(
            "there is no opportunity to look at",
            "没有可统计的商机",
        )));
    }
    Ok(outcomes.report(&reader, parameters.by))
}

impl Outcomes {
    fn add(&mut self, deal: &Deal) {
        self.all.add(deal);
        self.groups.add(deal.group(0), deal);
        *self.stages.entry(deal.stage).or_default() += 1;
        if let Some(day) = deal.closed_on {
            self.months.entry(Grain::Month.period_of(day)).or_default().add(deal);
            self.quarters.entry(Grain::Quarter.period_of(day)).or_default().add(deal);
        }
        if deal.outcome == Outcome::Won {
            self.won_values.extend(deal.value);
            if let Some(days) = deal.cycle_days().and_then(|days| i32::try_from(days).ok()) {
                *self.won_days.entry(days).or_default() += 1;
            }
        }
    }

    fn report(mut self, reader: &DealReader<'_>, by: Dimension) -> Report {
        let (all, currency) = (self.all.clone(), reader.currency.as_str());
        let summary = match all.win_rate() {
            Some(rate) => localized(
                format!("{} of {} ended deals were won ({:.1} %).", all.won, all.closed(), rate * 100.0),
                format!("已结束的 {} 个商机中赢单 {} 个（{:.1}%）。", all.closed(), all.won, rate * 100.0),
            ),
            None => localized(
                "No deal has been won or lost yet.".to_owned(),
                "尚无已赢单或输单的商机。".to_owned(),
            ),
        };
        let mut groups: Vec<(LocalizedText, &Tally)> = reader.names.first().map_or_else(Vec::new, |names| {
            self.groups.iter().map(|(code, tally)| (name(names, code), tally)).collect()
        });
        groups.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.revenue));
        let named_with_revenue = groups.iter().filter(|(_, tally)| tally.revenue > 0).count();
        let top: i64 = groups.iter().take(TOP).map(|(_, tally)| tally.revenue).sum();
        if self.groups.none.deals() > 0 {
            groups.push((localized("(none)", "（无）"), &self.groups.none));
        }
        let panels = [
            groups_panel(&groups, by, currency),
            periods_panel(
                "months",
                ("By month", "按月"),
                ("Month", "月份"),
                Grain::Month,
                &self.months,
                currency,
            ),
            periods_panel(
                "quarters",
                ("By quarter", "按季度"),
                ("Quarter", "季度"),
                Grain::Quarter,
                &self.quarters,
                currency,
            ),
            self.stages_panel(reader),
        ];
        let mut metrics = whole_metrics(&all, currency);
        metrics.extend(self.medians(currency));
        if all.revenue > 0 {
            let share = top as f64 / all.revenue as f64 * 100.0;
            let label = localized("Share of the ten largest in revenue (%)", "收入前十名占比（%）");
            metrics.push(metric("share_of_top_10", label, share));
        }
        let label = localized("Groups with revenue", "有收入的分组数");
        metrics.push(metric("groups_with_revenue", label, named_with_revenue as f64));
        let label = localized("Deals without a group", "未归入任何分组的商机数");
        metrics.push(metric("deals_without_group", label, self.groups.none.deals() as f64));
        let label = localized("Open deals without a group", "未归组的进行中商机数");
        metrics.push(metric("open_without_group", label, self.groups.none.open as f64));
        let whole = metrics.into_iter().fold(report(summary), Report::metric);
        panels.into_iter().fold(whole, Report::panel)
    }

    fn medians(&mut self, currency: &str) -> Vec<Metric> {
        self.won_values.sort_unstable();
        let count = self.won_values.len();
        let at = |rank: usize| self.won_values.get(rank).map(|value| *value as f64 / units(currency));
        let value = count.checked_sub(1).and_then(|last| Some((at(last / 2)? + at(count / 2)?) / 2.0));
        let value = value.map(|value| {
            let label = localized(
                format!("Median value of a won deal ({currency})"),
                format!("赢单金额中位数（{currency}）"),
            );
            metric("median_won_value", label, value)
        });
        let days = median(&self.won_days).map(|days| {
            metric("median_won_days", localized("Median days to win", "赢单周期中位数（天）"), days)
        });
        value.into_iter().chain(days).collect()
    }

    fn stages_panel(&self, reader: &DealReader<'_>) -> Panel {
        let names = self.stages.keys().map(|code| match *code {
            NONE => localized("(none)", "（无）"),
            code => name(&reader.stages, code),
        });
        panel("stages", "Deals by stage", "各阶段商机数")
            .words("stage", ("Stage", "阶段"), names)
            .int64("deals", ("Deals", "商机数"), "", self.stages.values().map(|count| Some(*count as i64)))
            .bar("stage", ["deals"])
    }
}

fn units(currency: &str) -> f64 {
    10_f64.powi(i32::try_from(decimal_places(currency)).unwrap_or(2))
}

fn whole_metrics(all: &Tally, currency: &str) -> Vec<Metric> {
    let of_currency =
        |en: &str, zh: &str| localized(format!("{en} ({currency})"), format!("{zh}（{currency}）"));
    let money = |minor: f64| minor / units(currency);
    let figures = [
        ("opportunities", localized("Deals", "商机数"), Some(all.deals() as f64)),
        ("won", localized("Won", "赢单数"), Some(all.won as f64)),
        ("lost", localized("Lost", "输单数"), Some(all.lost as f64)),
        ("open", localized("Open", "进行中"), Some(all.open as f64)),
        ("win_rate", localized("Win rate (%)", "赢单率（%）"), all.win_rate().map(|rate| rate * 100.0)),
        ("revenue", of_currency("Revenue of won deals", "赢单收入"), Some(money(all.revenue as f64))),
        (
            "mean_won_value",
            of_currency("Mean value of a won deal", "平均赢单金额"),
            all.mean_won_value().map(money),
        ),
        ("mean_won_days", localized("Mean days to win", "平均赢单周期（天）"), all.mean_won_days()),
        ("mean_lost_days", localized("Mean days to lose", "平均输单周期（天）"), all.mean_lost_days()),
        (
            "velocity_per_day",
            of_currency(
                "Velocity a day: open deals × win rate × mean value ÷ days",
                "每日销售速度：商机数 × 赢单率 × 平均金额 ÷ 周期",
            ),
            all.velocity().map(money),
        ),
        (
            "price_realisation",
            localized("Won value per list price (%)", "成交金额占标价比例（%）"),
            all.price_realisation().map(|share| share * 100.0),
        ),
    ];
    figures.into_iter().filter_map(|(name, label, value)| Some(metric(name, label, value?))).collect()
}

fn groups_panel(groups: &[(LocalizedText, &Tally)], by: Dimension, currency: &str) -> Panel {
    let shown = groups.get(..groups.len().min(GROUPS_MAX)).unwrap_or(groups);
    let tallies = || shown.iter().map(|(_, tally)| *tally);
    let number = |pick: fn(&Tally) -> u64| tallies().map(move |tally| i64::try_from(pick(tally)).ok());
    let money = |pick: fn(&Tally) -> Option<f64>| {
        tallies().map(move |tally| pick(tally).map(|minor| minor.round() as i64))
    };
    let percent =
        |pick: fn(&Tally) -> Option<f64>| tallies().map(move |tally| pick(tally).map(|share| share * 100.0));
    let (en, zh) = by.words();
    panel("groups", &format!("By {}", en.to_lowercase()), &format!("按{zh}"))
        .about(
            "The win rate lies between its bounds with 95 % probability (Wilson); velocity is open deals × win rate × mean value ÷ days to win.",
            "赢单率有 95% 的概率落在上下限之间（Wilson 区间）；销售速度 = 进行中商机数 × 赢单率 × 平均金额 ÷ 赢单周期。",
        )
        .words("name", (en, zh), shown.iter().map(|(name, _)| name.clone()))
        .int64("opportunities", ("Deals", "商机数"), "", number(Tally::deals))
        .int64("won", ("Won", "赢单"), "", number(|tally| tally.won))
        .int64("lost", ("Lost", "输单"), "", number(|tally| tally.lost))
        .int64("open", ("Open", "进行中"), "", number(|tally| tally.open))
        .float64("win_rate", ("Win rate", "赢单率"), "%", percent(Tally::win_rate))
        .float64("win_rate_low", ("at least", "下限"), "%", percent(|tally| Some(tally.win_rate_interval()?.0)))
        .float64("win_rate_high", ("at most", "上限"), "%", percent(|tally| Some(tally.win_rate_interval()?.1)))
        .money("revenue", ("Revenue", "收入"), currency, tallies().map(|tally| Some(tally.revenue)))
        .money("mean_won_value", ("Mean value", "平均金额"), currency, money(Tally::mean_won_value))
        .float64("mean_won_days", ("Days to win", "赢单周期"), ("days", "天"), tallies().map(Tally::mean_won_days))
        .money("velocity", ("Velocity a day", "每日销售速度"), currency, money(Tally::velocity))
        .bar("name", ["win_rate"])
        .interval("win_rate_low", "win_rate_high")
}

fn periods_panel(
    id: &str,
    (en, zh): (&str, &str),
    label: (&str, &str),
    grain: Grain,
    periods: &BTreeMap<i32, Tally>,
    currency: &str,
) -> Panel {
    let periods: Vec<(i32, &Tally)> = periods.iter().map(|(period, tally)| (*period, tally)).collect();
    // A table holds 10,000 rows; the last periods matter.
    let shown = periods.get(periods.len().saturating_sub(GROUPS_MAX)..).unwrap_or(&periods);
    let number =
        |pick: fn(&Tally) -> u64| shown.iter().map(move |(_, tally)| i64::try_from(pick(tally)).ok());
    let rate = shown.iter().map(|(_, tally)| tally.win_rate().map(|rate| rate * 100.0));
    panel(id, en, zh)
        .names("period", label, shown.iter().map(|(period, _)| Some(grain.label(*period))))
        .int64("won", ("Won", "赢单"), "", number(|tally| tally.won))
        .int64("lost", ("Lost", "输单"), "", number(|tally| tally.lost))
        .float64("win_rate", ("Win rate", "赢单率"), "%", rate)
        .money("revenue", ("Revenue", "收入"), currency, shown.iter().map(|(_, tally)| Some(tally.revenue)))
        .line("period", ["revenue"])
}
