//! In which stage a relation is, and in which it ended.

use crate::config::Config;
use crate::rows::Customer;

/// The four stages, and the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Exploration,
    BuildUp,
    Stability,
    Decline,
    Ended,
}

/// The names of the stages' values.
pub(crate) const STAGES: [&str; 5] = ["exploration", "build_up", "stability", "decline", "ended"];

/// The names of the four patterns' values.
pub(crate) const PATTERNS: [&str; 4] = ["early_abort", "midway_death", "early_exit", "long_term"];

/// Why the stage is what it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cause {
    /// No order for too long: days, and the limit.
    Silent {
        days: i64,
        limit: i64,
    },
    FewOrders,
    NewRelation {
        days: i64,
    },
    /// Percent by which the daily volume changed.
    Dropped {
        percent: f64,
        is_demand_known: bool,
    },
    /// The volume dropped, and so did the demand, by so many percent.
    DemandDropped {
        percent: f64,
        demand_percent: f64,
    },
    Grew {
        percent: f64,
    },
    /// Nothing before to compare with.
    NoHistory,
    Steady {
        percent: f64,
    },
}

/// What is said of one customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Judgement {
    pub(crate) stage: Stage,
    pub(crate) cause: Cause,
    /// A place in [`PATTERNS`]: how the relation ended, or that it has lasted long.
    pub(crate) pattern: Option<usize>,
    /// Of a relation in decline or ended: what it has stopped bringing a year, in minor units.
    pub(crate) lost_a_year: Option<f64>,
    /// And what an attempt to recover it is expected to bring after its cost, in minor units.
    pub(crate) benefit: Option<f64>,
}

impl Config {
    /// Judges one customer as of a day. `minor` is how many minor units a whole one has.
    pub(crate) fn judge(&self, customer: &Customer, as_of: i32, minor: f64) -> Judgement {
        let (stage, cause) = self.stage(customer, as_of);
        let lasted = i64::from(customer.last_order) - i64::from(customer.first_order);
        let pattern = match stage {
            Stage::Ended if customer.orders <= self.trial_orders || lasted <= self.trial_days => Some(0),
            Stage::Ended if lasted < self.early_days => Some(1),
            Stage::Ended if lasted < self.late_days => Some(2),
            Stage::Ended => Some(3),
            Stage::Stability if lasted >= self.late_days => Some(3),
            _ => None,
        };
        let lost_a_year = match stage {
            Stage::Decline => {
                self.daily(customer, as_of).map(|(earlier, recent)| (365.0 * (earlier - recent)).max(0.0))
            }
            // Over at least a year, so that a single order does not count as many a year.
            Stage::Ended => Some(customer.spent.max(0) as f64 / (lasted as f64 / 365.0).max(1.0)),
            _ => None,
        };
        let benefit = lost_a_year.map(|lost| {
            let margin = lost * self.margin_percent / 100.0 * self.recovery_years;
            margin * self.recovery_percent / 100.0 - self.recovery_cost * minor
        });
        Judgement { stage, cause, pattern, lost_a_year, benefit }
    }

    fn stage(&self, customer: &Customer, as_of: i32) -> (Stage, Cause) {
        let days_to = |day: i32| (i64::from(as_of) - i64::from(day)).max(0);
        let (silent, age) = (days_to(customer.last_order), days_to(customer.first_order));
        let limit = self.exit_limit(customer);
        if silent > limit {
            return (Stage::Ended, Cause::Silent { days: silent, limit });
        }
        if customer.orders <= self.trial_orders {
            return (Stage::Exploration, Cause::FewOrders);
        }
        if age <= self.trial_days {
            return (Stage::Exploration, Cause::NewRelation { days: age });
        }
        let Some((earlier, recent)) = self.daily(customer, as_of) else {
            return (Stage::BuildUp, Cause::NoHistory);
        };
        let percent = 100.0 * (recent / earlier - 1.0);
        if percent <= -self.drop_percent {
            return match demand_change(customer) {
                Some(demand) if demand < -self.demand_tolerance_percent => {
                    let stage = if age < self.early_days { Stage::BuildUp } else { Stage::Stability };
                    (stage, Cause::DemandDropped { percent, demand_percent: demand })
                }
                demand => (Stage::Decline, Cause::Dropped { percent, is_demand_known: demand.is_some() }),
            };
        }
        if percent >= self.growth_percent {
            return (Stage::BuildUp, Cause::Grew { percent });
        }
        if age < self.early_days {
            return (Stage::BuildUp, Cause::NewRelation { days: age });
        }
        (Stage::Stability, Cause::Steady { percent })
    }

    /// Days without an order after which a relation has ended: so many of its own mean intervals, at least `exit_days`.
    fn exit_limit(&self, customer: &Customer) -> i64 {
        let lasted = f64::from(customer.last_order) - f64::from(customer.first_order);
        let gaps = customer.orders - 1;
        let cycle = if gaps > 0 { lasted / gaps as f64 } else { 0.0 };
        self.exit_days.max((cycle * self.exit_cycles).ceil() as i64)
    }

    /// The volume a day in the period before and in the recent one, in minor units; none without volume before. A customer that came
    /// during the period before is measured from the day on which it came.
    fn daily(&self, customer: &Customer, as_of: i32) -> Option<(f64, f64)> {
        let (age, window) = (i64::from(as_of) - i64::from(customer.first_order), i64::from(self.window_days));
        let before = (age.min(i64::from(self.history_days)) - window).max(0);
        (before > 0 && customer.earlier > 0)
            .then(|| (customer.earlier as f64 / before as f64, customer.recent.max(0) as f64 / window as f64))
    }
}

/// By how many percent the total demand changed; none where one of the estimates is missing.
fn demand_change(customer: &Customer) -> Option<f64> {
    Some(100.0 * (customer.demand? as f64 / customer.demand_before? as f64 - 1.0))
}
