//! The combined view: what was sold, what is in the pipeline, what the trend says, and the plan, month by month.

use std::collections::BTreeMap;

use trellis_sdk::{Context, Panel, panel};

use super::targets::{Kind, Target};
use crate::calendar::Grain;
use crate::deals::Category;
use crate::methods::{Method, Settings, back_test, choose};
use crate::trend::test_periods;

/// Months that the trend is learned from at most.
const HISTORY_MONTHS: i32 = 120;

/// Figures by month, in minor units.
#[derive(Debug)]
pub(super) struct Months {
    this: i32,
    ahead: i32,
    is_over: bool,
    actual: BTreeMap<i32, f64>,
    open: BTreeMap<i32, Open>,
    plan: BTreeMap<i32, f64>,
}

#[derive(Debug, Default)]
struct Open {
    commit: f64,
    best_case: f64,
    pipeline: f64,
    weighted: f64,
}

impl Months {
    /// The plan is that of the whole organisation; without one the sum of the teams', without these that of the owners'.
    pub(super) fn new(ahead: i32, targets: &[Target], at: &Context) -> Self {
        let this = Grain::Month.period_of(at.as_of);
        let revenue = || targets.iter().filter(|target| target.kind == Kind::Revenue);
        let levels: [fn(&Target) -> bool; 3] = [
            |target| target.scope.is_everything(),
            |target| target.scope.is_team(),
            |target| target.scope.is_owner(),
        ];
        let level = levels.into_iter().find(|level| revenue().any(level));
        let mut plan: BTreeMap<i32, f64> = BTreeMap::new();
        for target in level.into_iter().flat_map(|level| revenue().filter(move |target| level(target))) {
            let days = f64::from(target.ends_on.saturating_sub(target.starts_on)) + 1.0;
            let months = Grain::Month.period_of(target.starts_on)..=Grain::Month.period_of(target.ends_on);
            for month in months.take_while(|_| days > 0.0) {
                let from = Grain::Month.first_day(month).max(target.starts_on);
                let to = Grain::Month.last_day(month).min(target.ends_on);
                let share = (f64::from(to.saturating_sub(from)) + 1.0) / days;
                *plan.entry(month).or_default() += target.goal * share;
            }
        }
        let is_over = Grain::Month.last_day(this) == at.as_of;
        Self { this, ahead, is_over, actual: BTreeMap::new(), open: BTreeMap::new(), plan }
    }

    pub(super) fn actual(&mut self, day: i32, value: f64) {
        *self.actual.entry(Grain::Month.period_of(day)).or_default() += value;
    }

    pub(super) fn open(&mut self, day: i32, value: f64, weight: f64, category: Category) {
        let open = self.open.entry(Grain::Month.period_of(day)).or_default();
        open.weighted += value * weight;
        match category {
            Category::Commit => open.commit += value,
            Category::BestCase => open.best_case += value,
            Category::Pipeline => open.pipeline += value,
            Category::Closed | Category::Omitted => {}
        }
    }

    /// What the best method of a back-test says about the months that are not over, the nearest first.
    fn trend(&self) -> Vec<f64> {
        let end = if self.is_over { self.this } else { self.this - 1 };
        let first = self.actual.keys().next().copied().unwrap_or(end + 1).max(end - HISTORY_MONTHS + 1);
        let history: Vec<f64> =
            (first..=end).map(|month| self.actual.get(&month).copied().unwrap_or(0.0)).collect();
        let settings = Settings::default();
        let tests = back_test(&history, test_periods(history.len(), settings.season), 1, &settings);
        let method = choose(&tests).unwrap_or(Method::Naive);
        let horizon = usize::try_from(self.this + self.ahead - end).unwrap_or(0);
        method.continue_series(&history, horizon, &settings).map_or_else(Vec::new, |outlook| outlook.values)
    }

    pub(super) fn panel(&self, currency: &str, units: f64) -> Panel {
        let trend = self.trend();
        let first_ahead = if self.is_over { self.this + 1 } else { self.this };
        let months: Vec<i32> = (self.this - self.ahead..=self.this + self.ahead).collect();
        let value = |figures: &BTreeMap<i32, f64>| {
            months.iter().map(|month| figures.get(month).map(|value| value / units)).collect::<Vec<_>>()
        };
        let open = |pick: fn(&Open) -> f64| {
            months.iter().map(|month| self.open.get(month).map(|open| pick(open) / units)).collect::<Vec<_>>()
        };
        let expected = months.iter().map(|month| {
            let place = usize::try_from(month - first_ahead).ok()?;
            trend.get(place).map(|value| value / units)
        });
        panel("months", "Month by month", "逐月对照")
            .about(
                "What was sold, open deals by category and weighted, what the trend of the months that are over says, and the plan.",
                "已实现收入、按预测类别划分及加权的商机、由已结束月份推算的趋势，以及计划。",
            )
            .names("month", ("Month", "月份"), months.iter().map(|month| Some(Grain::Month.label(*month))))
            .float64("actual", ("Closed", "已成交"), currency, value(&self.actual))
            .float64("commit", ("Commit", "承诺"), currency, open(|open| open.commit))
            .float64("best_case", ("Best case", "最佳情况"), currency, open(|open| open.best_case))
            .float64("pipeline", ("Pipeline", "在谈"), currency, open(|open| open.pipeline))
            .float64("weighted", ("Weighted", "加权金额"), currency, open(|open| open.weighted))
            .float64("trend", ("Trend", "趋势预测"), currency, expected)
            .float64("plan", ("Plan", "计划"), currency, value(&self.plan))
            .bar("month", ["actual", "commit", "best_case", "pipeline", "trend", "plan"])
    }
}
