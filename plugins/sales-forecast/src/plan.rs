//! Plan against forecast: what targets ask for, what is there already, and what is to be expected.

mod months;
mod targets;

use serde::Deserialize;
use trellis_sdk::{
    Context, Panel, PluginError, Report, Result, RowStream, decimal_places, localized, metric, panel, report,
};

use crate::calendar::written;
use crate::config::{Config, RevenueFrom};
use crate::deals::{Category, DealReader, Dimension, Outcome};
use crate::names::Names;
use crate::pipeline::{Rates, Weights};
use crate::series::each_order_of;

use months::Months;
use targets::{Index, Kind, Scope, Target};

/// Targets of one answer at most.
const TARGETS_MAX: usize = 2_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    /// Targets that run within so many days before the day that is asked about.
    past_days: i32,
    /// And within so many days after it.
    future_days: i32,
    months: i32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { past_days: 0, future_days: 0, months: 6 }
    }
}

pub(crate) fn answer(
    rows: &mut RowStream<'_>,
    parameters: &Parameters,
    config: &Config,
    at: &Context,
) -> Result<Report> {
    let dimensions = [Dimension::OwnerId, Dimension::TeamId, Dimension::ProductId];
    let mut reader = DealReader::new(config, at, &dimensions);
    let mut rates = Rates::new(config, Weights::Probability);
    reader.each(rows, |deal| rates.add(deal))?;
    let from = at.as_of.saturating_sub(parameters.past_days);
    let to = at.as_of.saturating_add(parameters.future_days);
    let all = targets::read(&mut rows.dataset("targets")?, &mut reader.names)?;
    let mut months = Months::new(parameters.months, &all, at);
    let mut shown: Vec<Target> =
        all.into_iter().filter(|target| target.starts_on <= to && target.ends_on >= from).collect();
    if shown.len() > TARGETS_MAX {
        let found = shown.len();
        let (from, to) = (written(from), written(to));
        return Err(PluginError::UnsuitableData(localized(
            format!("{found} targets run between {from} and {to}; at most {TARGETS_MAX} fit into an answer"),
            format!("{from} 至 {to} 期间有 {found} 个目标，一次最多列出 {TARGETS_MAX} 个"),
        )));
    }
    let index = Index::of(&shown);
    reader.each(rows, |deal| {
        let category = deal.category(config);
        let value = deal.value.unwrap_or(0) as f64;
        match (deal.outcome, deal.closed_on) {
            (Outcome::Won, Some(day)) => {
                for place in index.matching(Scope::of(deal)) {
                    let Some(target) = shown.get_mut(place) else { continue };
                    target.won(day, value, config.revenue_from);
                }
                if config.revenue_from == RevenueFrom::Opportunities {
                    months.actual(day, value);
                }
            }
            (Outcome::Open, _) if category != Category::Omitted => {
                let weight = rates.weight(deal).unwrap_or(0.0);
                // What should have closed already may close any day.
                let Some(day) = deal.close_on.map(|day| day.max(at.as_of)) else { return };
                for place in index.matching(Scope::of(deal)) {
                    let Some(target) = shown.get_mut(place) else { continue };
                    target.open(day, value, weight, category, at.as_of);
                }
                months.open(day, value, weight, category);
            }
            _ => {}
        }
    })?;
    let currency = reader.currency.clone();
    let mut nobody = Names::default();
    let owners = reader.names.first_mut().unwrap_or(&mut nobody);
    each_order_of(&mut rows.dataset("orders")?, owners, config, at, &mut |order| {
        for place in index.matching(Scope::of_owner(order.owner)) {
            let Some(target) = shown.get_mut(place) else { continue };
            target.ordered(order.day, order.amount as f64, config.revenue_from);
        }
        if config.revenue_from == RevenueFrom::Orders {
            months.actual(order.day, order.amount as f64);
        }
    })?;
    Ok(written_report(&shown, &months, &currency, at))
}

fn written_report(shown: &[Target], months: &Months, currency: &str, at: &Context) -> Report {
    let units = 10_f64.powi(i32::try_from(decimal_places(currency)).unwrap_or(2));
    let known: Vec<&Target> = shown.iter().filter(|target| target.kind != Kind::Other).collect();
    let on_course = known.iter().filter(|target| target.expected() >= target.goal).count();
    let summary = localized(
        format!("{on_course} of {} targets are met or expected to be met.", known.len()),
        format!("{} 个目标中有 {on_course} 个已达成或预计可达成。", known.len()),
    );
    let others = shown.len() - known.len();
    let count = |name: &str, en: &str, zh: &str, value: usize| metric(name, localized(en, zh), value as f64);
    report(summary)
        .metric(count("targets", "Targets", "目标数", known.len()))
        .metric(count("on_course", "Met or expected to be met", "已达成或预计可达成", on_course))
        .metric(count(
            "not_measured",
            "Targets that are measured elsewhere",
            "由其他功能统计的目标数",
            others,
        ))
        .panel(targets_panel(&known, currency, units, at))
        .panel(months.panel(currency, units))
}

fn targets_panel(targets: &[&Target], currency: &str, units: f64, at: &Context) -> Panel {
    let scaled = |pick: fn(&Target) -> f64| {
        targets
            .iter()
            .map(move |target| Some(pick(target) / if target.kind == Kind::Revenue { units } else { 1.0 }))
    };
    let percent = |pick: fn(&Target) -> f64| {
        targets.iter().map(move |target| (target.goal > 0.0).then(|| pick(target) / target.goal * 100.0))
    };
    let needed = targets.iter().map(|target| {
        let days = f64::from(target.ends_on.saturating_sub(at.as_of));
        let gap = (target.goal - target.actual).max(0.0);
        (days > 0.0).then(|| gap / days / if target.kind == Kind::Revenue { units } else { 1.0 })
    });
    let unit = |target: &&Target| match target.kind {
        Kind::Revenue => localized(currency, currency),
        Kind::WonDeals => localized("deals", "个商机"),
        Kind::Orders | Kind::Other => localized("orders", "笔订单"),
    };
    panel("targets", "Targets", "目标完成情况")
        .about(
            "Expected is what is there already and the weighted value of open deals that should close in time.",
            "“预计”为已完成部分加上预计在期内成交的商机加权值。",
        )
        .names("name", ("Target", "目标"), targets.iter().map(|target| Some(target.name.as_str())))
        .names("whose", ("Whose", "责任人"), targets.iter().map(|target| target.whose.as_deref()))
        .date("starts_on", ("From", "开始"), targets.iter().map(|target| Some(target.starts_on)))
        .date("ends_on", ("To", "结束"), targets.iter().map(|target| Some(target.ends_on)))
        .words("unit", ("Unit", "单位"), targets.iter().map(unit))
        .float64("goal", ("Target", "目标值"), "", scaled(|target| target.goal))
        .float64("actual", ("So far", "已完成"), "", scaled(|target| target.actual))
        .float64("commit", ("Commit", "承诺"), "", scaled(|target| target.commit))
        .float64("best_case", ("Best case", "最佳情况"), "", scaled(|target| target.best_case))
        .float64("expected", ("Expected", "预计"), "", scaled(Target::expected))
        .float64("attained", ("Attained", "完成率"), "%", percent(|target| target.actual))
        .float64("expected_share", ("Expected attainment", "预计完成率"), "%", percent(Target::expected))
        .float64("needed", ("Needed a day", "每日需完成"), "", needed)
        .bar("name", ["attained", "expected_share"])
}
