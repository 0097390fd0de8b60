//! Why a row has its probability.

use trellis_sdk::{LocalizedText, Reason, localized, reason};

use super::{Learned, Predictor};
use crate::encoding::{Encoded, Encoding, Kind, NO_LEVEL, Values, level_zh};
use crate::frame::Frame;
use crate::logistic::probability;
use crate::tree::short;

/// What one feature does to a row's probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Its place among the features of the encoding.
    pub feature: usize,
    /// What the row has, in words: `contract is monthly`.
    pub finding: LocalizedText,
    /// By how much the probability is higher than without it, from -1 to 1.
    pub change: f64,
}

/// The effects of all features on each row, the strongest first.
///
/// For boosted trees and a logistic regression the change is that of the probability when the feature's part of the log odds is taken away; the
/// part is that of [`crate::boosting::Boosted::contributions`] and [`crate::logistic::Logistic::contributions`]. For a tree it is the sum of the changes of the
/// node's share along the row's path.
pub fn effects(learned: &Learned, frame: &Frame) -> Vec<Vec<Effect>> {
    let rows = learned.encoding.encode(frame);
    let apply = |score: f64| learned.calibration.apply(score).clamp(0.0, 1.0);
    let (contributions, margins) = match &learned.predictor {
        Predictor::Logistic(logistic) => (logistic.contributions(&rows), logistic.margins(&rows)),
        Predictor::Boosted(boosted) => (boosted.contributions(&rows), boosted.margins(&rows)),
        Predictor::Tree(tree) => {
            let mut contributions = vec![vec![0.0; rows.rows]; rows.features.len()];
            for row in 0..rows.rows {
                for (feature, change) in crate::boosting::steps(tree, &rows, row) {
                    if let Some(cell) = contributions.get_mut(feature).and_then(|cells| cells.get_mut(row)) {
                        *cell += change;
                    }
                }
            }
            (contributions, tree.values_of(&rows))
        }
    };
    let is_tree = matches!(learned.predictor, Predictor::Tree(_));
    let change = |margin: f64, part: f64| {
        if is_tree {
            apply(margin) - apply(margin - part)
        } else {
            apply(probability(margin)) - apply(probability(margin - part))
        }
    };
    let of_row = |(row, margin): (usize, &f64)| {
        let mut found: Vec<Effect> = contributions
            .iter()
            .enumerate()
            .filter_map(|(feature, cells)| {
                let change = change(*margin, *cells.get(row)?);
                let finding = || finding(&learned.encoding, &rows, feature, row);
                (change.abs() > 1e-9).then(|| Effect { feature, finding: finding(), change })
            })
            .collect();
        found.sort_by(|one, other| other.change.abs().total_cmp(&one.change.abs()));
        found
    };
    margins.iter().enumerate().map(of_row).collect()
}

/// An effect in words: what the row has, and what it does to its probability. `what` names the probability in both languages, for example the
/// risk of leaving.
pub fn effect_reason(effect: &Effect, what: (&str, &str)) -> Reason {
    let points = short((effect.change * 1000.0).round().abs() / 10.0);
    let ((en, zh), code) =
        if effect.change > 0.0 { (("raises", "提高"), "raises") } else { (("lowers", "降低"), "lowers") };
    let text = localized(
        format!("{}: {en} the {} by {points} points", effect.finding.en, what.0),
        format!("{}：使{}{zh} {points} 个百分点", effect.finding.zh_cn, what.1),
    );
    reason(code, text, effect.change.abs())
}

fn finding(encoding: &Encoding, rows: &Encoded, feature: usize, row: usize) -> LocalizedText {
    let Some(asked) = encoding.features.get(feature) else { return localized("", "") };
    let title = asked.title();
    match (&asked.kind, rows.features.get(feature)) {
        (Kind::Number { .. }, Some(Values::Numbers(numbers))) => {
            let number = short(numbers.get(row).copied().unwrap_or_default());
            localized(format!("{} is {number}", title.en), format!("{} 为 {number}", title.zh_cn))
        }
        (Kind::Category { levels }, Some(Values::Levels { codes, .. })) => {
            let code = codes.get(row).copied().unwrap_or(NO_LEVEL);
            match levels.get(usize::from(code)) {
                Some(level) => localized(
                    format!("{} is {level}", title.en),
                    format!("{}为{}", title.zh_cn, level_zh(level)),
                ),
                None => localized(
                    format!("{} is a value that training did not meet", title.en),
                    format!("{}为训练中未出现的取值", title.zh_cn),
                ),
            }
        }
        (_, Some(Values::Numbers(numbers))) if numbers.get(row) == Some(&0.0) => {
            localized(format!("not: {}", title.en), format!("并非 {}", title.zh_cn))
        }
        _ => title,
    }
}
