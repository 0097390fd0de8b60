//! Why a row has its probability.

use trellis_sdk::{LocalizedText, Reason, localized, reason};

use super::{Learned, Predictor};
use crate::encoding::{Encoded, Encoding, Kind, NO_LEVEL, Values};
use crate::frame::{Frame, Measure};
use crate::logistic::probability;
use crate::tree::short;

/// How long the code of a reason may be.
const CODE_CHARACTERS_MAX: usize = 60;

/// What one feature does to a row's probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Its place among the features of the encoding.
    pub feature: usize,
    /// The plain name of the column that it asks.
    pub name: String,
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
                let name = || learned.encoding.features.get(feature).map_or("", |feature| &feature.name);
                (change.abs() > 1e-9).then(|| Effect {
                    feature,
                    name: name().to_owned(),
                    finding: finding(),
                    change,
                })
            })
            .collect();
        found.sort_by(|one, other| other.change.abs().total_cmp(&one.change.abs()));
        found
    };
    margins.iter().enumerate().map(of_row).collect()
}

/// An effect in words: what the row has, and what it does to its probability. `what` names the probability in both languages, for example the
/// risk of leaving. The code says the direction and the field, so that a rule can ask for it: `raises-telco-contract`.
pub fn effect_reason(effect: &Effect, what: (&str, &str)) -> Reason {
    let points = short((effect.change * 1000.0).round().abs() / 10.0);
    let (en, zh) = if effect.change > 0.0 { ("raises", "提高") } else { ("lowers", "降低") };
    let text = localized(
        format!("{}: {en} the {} by {points} points", effect.finding.en, what.0),
        format!("{}：使{}{zh} {points} 个百分点", effect.finding.zh_cn, what.1),
    );
    reason(&code(en, &effect.name), text, effect.change.abs())
}

/// A direction and a field as a code: lower-case letters, digits and hyphens, at most 60 characters.
fn code(direction: &str, field: &str) -> String {
    let plain = |letter: char| match letter.to_ascii_lowercase() {
        letter if letter.is_ascii_alphanumeric() => letter,
        _ => '-',
    };
    format!("{direction}-{field}").chars().map(plain).take(CODE_CHARACTERS_MAX).collect()
}

fn finding(encoding: &Encoding, rows: &Encoded, feature: usize, row: usize) -> LocalizedText {
    let Some(asked) = encoding.features.get(feature) else { return localized("", "") };
    let title = asked.title();
    match (&asked.kind, rows.features.get(feature)) {
        (Kind::Number { measure, .. }, Some(Values::Numbers(numbers))) => {
            measured(&title, *measure, numbers.get(row).copied().unwrap_or_default())
        }
        (Kind::Category { names, .. }, Some(Values::Levels { codes, .. })) => {
            let code = codes.get(row).copied().unwrap_or(NO_LEVEL);
            match names.get(usize::from(code)) {
                Some(level) => localized(
                    format!("{} is {}", title.en, level.en),
                    format!("{}为{}", title.zh_cn, level.zh_cn),
                ),
                None => localized(
                    format!("{} is a value that training did not meet", title.en),
                    format!("{}为训练中未出现的取值", title.zh_cn),
                ),
            }
        }
        (_, Some(Values::Numbers(numbers))) if numbers.get(row) == Some(&0.0) => asked.denied(),
        _ => title,
    }
}

fn measured(title: &LocalizedText, measure: Measure, number: f64) -> LocalizedText {
    let (en, zh) = (&title.en, &title.zh_cn);
    let shown = short(number.abs());
    match measure {
        Measure::Number => {
            let shown = short(number);
            localized(format!("{en} is {shown}"), format!("{zh}为 {shown}"))
        }
        Measure::YesNo if number > 0.5 => localized(format!("{en}: yes"), format!("{zh}：是")),
        Measure::YesNo => localized(format!("{en}: no"), format!("{zh}：否")),
        Measure::DaysAgo if number < 0.0 => {
            localized(format!("{en} is {shown} days ahead"), format!("{zh}在 {shown} 天之后"))
        }
        Measure::DaysAgo => localized(format!("{en} was {shown} days ago"), format!("{zh}在 {shown} 天前")),
    }
}
