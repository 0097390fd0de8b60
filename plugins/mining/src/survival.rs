//! How long customers stay: Kaplan-Meier curves by group, and whether groups differ.

use trellis_sdk::math::{exp, log};

use crate::linear::Symmetric;
use crate::measures::chi_square_tail;

/// The two-sided 95 % point of the normal distribution.
const NORMAL_95: f64 = 1.959_963_984_540_054;

/// A point of a survival curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The time.
    pub time: f64,
    /// How many were observed until then.
    pub at_risk: u64,
    /// How many left at that time.
    pub events: u64,
    /// The share that stays beyond it (Kaplan and Meier, 1958).
    pub survival: f64,
    /// Below which the share lies in 2.5 % of such samples, by the log-log interval on Greenwood's variance.
    pub lower: f64,
    /// Above which it lies in 2.5 %.
    pub upper: f64,
}

/// Whether groups differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogRank {
    /// The statistic.
    pub chi_square: f64,
    /// Its degrees of freedom.
    pub freedom: usize,
    /// The probability of such a difference by chance.
    pub p: f64,
}

/// The survival curve: a point for each time at which somebody left. `left` says whether a time is that of leaving; others were last seen
/// then, still there. Times that are no numbers are left out.
pub fn kaplan_meier(times: &[f64], left: &[bool]) -> Vec<Point> {
    let mut rows: Vec<(f64, bool)> = times.iter().copied().zip(left.iter().copied()).collect();
    rows.retain(|(time, _)| !time.is_nan());
    rows.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let mut at_risk = rows.len() as u64;
    let (mut survival, mut greenwood) = (1.0, 0.0);
    let mut points = Vec::new();
    for equal in rows.chunk_by(|one, other| one.0 == other.0) {
        let events = equal.iter().filter(|(_, left)| *left).count() as u64;
        if events > 0 {
            let (events_f, risk) = (events as f64, at_risk as f64);
            survival *= 1.0 - events_f / risk;
            greenwood += if at_risk > events { events_f / (risk * (risk - events_f)) } else { 0.0 };
            let (lower, upper) = interval(survival, greenwood);
            let time = equal.first().map_or(0.0, |row| row.0);
            points.push(Point { time, at_risk, events, survival, lower, upper });
        }
        at_risk -= equal.len() as u64;
    }
    points
}

/// At most `max` points of a curve for a picture: every so many-th, and always the last, which says how many stay in the end.
pub fn thinned(curve: &[Point], max: usize) -> Vec<Point> {
    let step = curve.len().div_ceil(max.max(1)).max(1);
    let mut kept: Vec<Point> = curve.iter().copied().step_by(step).collect();
    if let Some(last) = curve.last().filter(|last| kept.last() != Some(last)) {
        if kept.len() >= max {
            kept.pop();
        }
        kept.push(*last);
    }
    kept
}

/// The share that stays beyond `time`, by a curve.
pub fn survival_at(curve: &[Point], time: f64) -> f64 {
    let after = curve.partition_point(|point| point.time <= time);
    after.checked_sub(1).and_then(|place| curve.get(place)).map_or(1.0, |point| point.survival)
}

/// The first time at which at most half of the customers are left, but for rounding; none where more stay.
pub fn median(curve: &[Point]) -> Option<f64> {
    curve.iter().find(|point| point.survival <= 0.5 + 1e-12).map(|point| point.time)
}

/// The log-rank test of `groups` groups (Mantel, 1966). `group` says for each row to which it belongs; none where fewer than two groups can be
/// compared.
#[expect(clippy::indexing_slicing, reason = "groups are below their count, which is checked first")]
pub fn log_rank(times: &[f64], left: &[bool], group: &[usize], groups: usize) -> Option<LogRank> {
    let mut rows: Vec<(f64, bool, usize)> = times
        .iter()
        .zip(left)
        .zip(group)
        .map(|((time, left), group)| (*time, *left, *group))
        .filter(|(time, _, group)| !time.is_nan() && *group < groups)
        .collect();
    rows.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let mut at_risk = vec![0.0_f64; groups];
    rows.iter().for_each(|row| at_risk[row.2] += 1.0);
    let mut difference = vec![0.0; groups];
    let mut variance = Symmetric::zeros(groups);
    for equal in rows.chunk_by(|one, other| one.0 == other.0) {
        let risk: f64 = at_risk.iter().sum();
        let events = equal.iter().filter(|row| row.1).count() as f64;
        if events > 0.0 {
            equal.iter().filter(|row| row.1).for_each(|row| difference[row.2] += 1.0);
            let spread = if risk > 1.0 { events * (risk - events) / (risk - 1.0) } else { 0.0 };
            for one in 0..groups {
                let share = at_risk[one] / risk;
                difference[one] -= events * share;
                for (other, cell) in variance.row_mut(one).iter_mut().enumerate() {
                    let own = if one == other { 1.0 } else { 0.0 };
                    *cell += spread * share * (own - at_risk[other] / risk);
                }
            }
        }
        equal.iter().for_each(|row| at_risk[row.2] -= 1.0);
    }
    // The differences of all groups add up to 0: one of them says nothing new, which the factor leaves out.
    let factor = variance.factor(1e-9, None);
    let freedom = factor.rank();
    let solution = factor.solve(&difference);
    let chi_square: f64 = solution.iter().zip(&difference).map(|(one, other)| one * other).sum();
    (freedom > 0).then(|| LogRank { chi_square, freedom, p: chi_square_tail(chi_square, freedom) })
}

fn interval(survival: f64, greenwood: f64) -> (f64, f64) {
    if survival <= 0.0 || survival >= 1.0 {
        return (survival, survival);
    }
    let logarithm = log(survival);
    let width = NORMAL_95 * greenwood.sqrt() / logarithm.abs();
    let bound = |sign: f64| exp(logarithm * exp(sign * width));
    (bound(1.0), bound(-1.0))
}
