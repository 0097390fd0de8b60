//! Which variant has won, if any.

use trellis_sdk::{LocalizedText, localized};

use crate::bayes::Belief;
use crate::config::{Method, Winner};
use crate::groups::Named;
use crate::proportions::Comparison;

/// What is to be said about a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The split is not what was asked for: something is broken, nothing else counts.
    SplitIsWrong,
    /// A group is too small.
    TooFew,
    /// It has not run long enough.
    TooEarly,
    /// No variant is clearly better.
    Undecided,
    /// The group at this place has won.
    Won(usize),
}

/// A split less likely than this by chance is taken for a fault.
pub(crate) const SPLIT_ALARM: f64 = 0.01;

/// What a verdict looks at.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) groups: &'a [Named],
    /// Of each group but the first against the first; none where nothing can be tested.
    pub(crate) comparisons: &'a [Option<Comparison>],
    /// The p-values of these by Holm.
    pub(crate) holm: &'a [f64],
    pub(crate) beliefs: &'a [Belief],
    pub(crate) split_p: Option<f64>,
    pub(crate) days: Option<i64>,
}

pub(crate) fn judge(evidence: &Evidence<'_>, rule: Winner) -> Verdict {
    if evidence.split_p.is_some_and(|p| p < SPLIT_ALARM) {
        return Verdict::SplitIsWrong;
    }
    if evidence.groups.len() < 2
        || evidence.groups.iter().any(|named| named.group.members < rule.min_members.max(1))
    {
        return Verdict::TooFew;
    }
    if evidence.days.is_some_and(|days| days < rule.min_days) {
        return Verdict::TooEarly;
    }
    let won = match rule.method {
        Method::Bayesian => {
            evidence.beliefs.iter().position(|belief| belief.probability_best >= rule.probability)
        }
        Method::Frequentist => by_tests(evidence, rule.alpha),
    };
    won.map_or(Verdict::Undecided, Verdict::Won)
}

/// The variant with the highest rate among those that are better than the control; the control where all others are worse.
fn by_tests(evidence: &Evidence<'_>, alpha: f64) -> Option<usize> {
    let differences = || {
        evidence.comparisons.iter().zip(evidence.holm).map(|(comparison, p)| {
            comparison.as_ref().filter(|_| *p < alpha).map(|comparison| comparison.difference)
        })
    };
    let better = differences()
        .enumerate()
        .filter_map(|(place, difference)| Some((place + 1, difference.filter(|d| *d > 0.0)?)));
    let best = better.max_by(|one, other| one.1.total_cmp(&other.1));
    let control_wins = differences().all(|difference| difference.is_some_and(|difference| difference < 0.0));
    best.map(|(place, _)| place).or(control_wins.then_some(0))
}

pub(crate) fn in_words(verdict: Verdict, groups: &[Named], rule: Winner) -> LocalizedText {
    match verdict {
        Verdict::SplitIsWrong => localized(
            "The groups differ in size from what was asked for, more than chance explains: find the fault before reading anything else.",
            "各组人数与设定比例的偏差超出随机波动：请先查明原因，其他结果暂不可信。",
        ),
        Verdict::TooFew => localized(
            format!("No decision yet: each group needs {} members.", rule.min_members.max(1)),
            format!("暂不下结论：每组至少需要 {} 人。", rule.min_members.max(1)),
        ),
        Verdict::TooEarly => localized(
            format!("No decision yet: it has to run for {} days.", rule.min_days),
            format!("暂不下结论：至少需要运行 {} 天。", rule.min_days),
        ),
        Verdict::Undecided => localized("No variant is clearly better.", "没有哪个方案明显更好。"),
        Verdict::Won(place) => {
            let name =
                groups.get(place).map(|named| named.label.clone()).unwrap_or_else(|| localized("", ""));
            localized(format!("{} has won.", name.en), format!("{}胜出。", name.zh_cn))
        }
    }
}
