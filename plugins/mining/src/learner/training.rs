//! Holding out, cross-validating, choosing and learning.

use trellis_sdk::{PluginError, Result, Rng};

use super::evaluation::{Candidate, Evaluation, LogisticFigures, Quality};
use super::settings::{CalibrationSetting, Method, Settings, SplitRule};
use super::{Learned, Predictor};
use crate::boosting::{self, Boosting};
use crate::calibration::Calibration;
use crate::encoding::{Encoded, Encoding};
use crate::frame::Frame;
use crate::logistic::{self, Penalty, probability};
use crate::measures::auc;
use crate::tree::{Growth, grow_tree};

/// Cross-validation takes so many parts, or one of them where rows are many.
const FOLDS: u64 = 5;
/// Up to so many rows every part is held out once.
const ALL_FOLDS_UP_TO: usize = 20_000;
/// Boosting learns from about so many rows of a larger part: more cost minutes and change little.
const BOOSTED_UP_TO: usize = 100_000;
/// Learns from the rows of `frame` whose outcome is known. `ordinals` are those of its rows, ascending.
///
/// # Errors
/// [`PluginError::UnsuitableData`] where no outcome is known, or all are the same.
pub fn learn(
    frame: &Frame,
    outcomes: &[Option<bool>],
    ordinals: &[u64],
    settings: &Settings,
    seed: u64,
) -> Result<Learned> {
    let encoding = Encoding::learn(frame, &settings.preparation());
    let known: Vec<(u32, bool)> =
        (0..).zip(outcomes).filter_map(|(row, known)| Some((row, (*known)?))).collect();
    check_classes(&known)?;
    if encoding.features.is_empty() {
        let message =
            ("no features are chosen; a model needs at least one", "未选择任何特征；模型至少需要一个特征");
        return Err(PluginError::InvalidConfig(message.into()));
    }
    let ordinal = |row: u32| ordinals.get(row as usize).copied().unwrap_or_default();
    let (mut held, mut train): (Vec<_>, Vec<_>) =
        known.iter().copied().partition(|(row, _)| is_held(*row, ordinals, settings, seed));
    let is_held_out = has_both(&held) && has_both(&train);
    if !is_held_out {
        (train, held) = (known.clone(), known);
    }
    let all = encoding.encode(frame);
    let part = |rows: &[(u32, bool)]| Part {
        rows: all.take(&rows.iter().map(|(row, _)| *row).collect::<Vec<_>>()),
        positive: rows.iter().map(|(_, positive)| *positive).collect(),
        folds: rows.iter().map(|(row, _)| Rng::for_part(seed ^ 0x5eed, ordinal(*row)).below(FOLDS)).collect(),
    };
    let (train, test) = (part(&train), part(&held));
    drop(all);
    Ok(choose(encoding, &train, &test, is_held_out, settings, seed))
}

/// The rows that [`learn`] holds out, for figures of a caller's own: all whose outcome is known where there are too few to hold some out.
pub fn held_out(outcomes: &[Option<bool>], ordinals: &[u64], settings: &Settings, seed: u64) -> Vec<usize> {
    let known: Vec<(u32, bool)> =
        (0..).zip(outcomes).filter_map(|(row, known)| Some((row, (*known)?))).collect();
    let (held, train): (Vec<_>, Vec<_>) =
        known.iter().copied().partition(|(row, _)| is_held(*row, ordinals, settings, seed));
    let held = if has_both(&held) && has_both(&train) { held } else { known };
    held.into_iter().map(|(row, _)| row as usize).collect()
}

/// Whether `row` of all customers is held out.
fn is_held(row: u32, ordinals: &[u64], settings: &Settings, seed: u64) -> bool {
    match settings.split {
        SplitRule::Rotation => f64::from(row % 10) >= 10.0 - (settings.holdout_percent / 10.0).round(),
        SplitRule::Random => {
            let ordinal = ordinals.get(row as usize).copied().unwrap_or_default();
            Rng::for_part(seed, ordinal).unit() * 100.0 < settings.holdout_percent
        }
    }
}

/// Rows with their outcomes.
struct Part {
    rows: Encoded,
    positive: Vec<bool>,
    folds: Vec<u64>,
}

/// What cross-validation says about a method.
struct Validated {
    method: Method,
    scores: Vec<f64>,
    positive: Vec<bool>,
    rounds: usize,
}

fn check_classes(known: &[(u32, bool)]) -> Result<()> {
    let message = match known.first() {
        None => (
            "the outcome is known of no customer; without past outcomes there is nothing to learn from",
            "没有客户的结果已知；缺少历史结果，模型无从学习",
        ),
        Some((_, first)) if known.iter().all(|(_, positive)| positive == first) => {
            if *first {
                (
                    "the outcome of every customer is positive; a model needs both kinds",
                    "所有客户的结果均为正例；模型需要正例和反例",
                )
            } else {
                (
                    "the outcome of no customer is positive; a model needs both kinds",
                    "没有客户的结果为正例；模型需要正例和反例",
                )
            }
        }
        Some(_) => return Ok(()),
    };
    Err(PluginError::UnsuitableData(message.into()))
}

fn has_both(rows: &[(u32, bool)]) -> bool {
    rows.iter().any(|row| row.1) && rows.iter().any(|row| !row.1)
}

fn choose(
    encoding: Encoding,
    train: &Part,
    test: &Part,
    is_held_out: bool,
    settings: &Settings,
    seed: u64,
) -> Learned {
    let validated: Vec<Validated> =
        settings.methods().into_iter().map(|method| validate(method, train, settings, seed)).collect();
    let mut candidates = Vec::new();
    let mut best: Option<(f64, Predictor, Calibration, Option<LogisticFigures>)> = None;
    for validated in &validated {
        let (predictor, figures) = fit(validated.method, train, settings, validated.rounds, seed);
        let validation_auc = auc(&validated.scores, &validated.positive);
        let quality = Quality::of(&predictor.scores(&test.rows), &test.positive);
        candidates.push(Candidate { method: validated.method, validation_auc, quality });
        if best.as_ref().is_none_or(|(best, ..)| validation_auc > *best) {
            best = Some((validation_auc, predictor, calibrate(validated, settings.calibration), figures));
        }
    }
    let (_, predictor, calibration, figures) = best.expect("there is at least one method");
    let scores = predictor.scores(&test.rows);
    let calibrated: Vec<f64> = scores.iter().map(|score| calibration.apply(*score).clamp(0.0, 1.0)).collect();
    let features = encoding.features.len();
    let importance = importance(&predictor, &train.rows, features);
    let counts = [(&train.positive, ()), (&test.positive, ())].map(|(positive, ())| {
        (positive.len() as u64, positive.iter().filter(|positive| **positive).count() as u64)
    });
    let evaluation =
        Evaluation::new(counts, is_held_out, candidates, (&calibrated, &test.positive), importance, figures);
    Learned { encoding, predictor, calibration, evaluation }
}

/// Scores rows of the training part by models that did not see them.
fn validate(method: Method, train: &Part, settings: &Settings, seed: u64) -> Validated {
    let folds = if train.positive.len() <= ALL_FOLDS_UP_TO { FOLDS } else { 1 };
    let (mut scores, mut positive, mut rounds) = (Vec::new(), Vec::new(), Vec::new());
    for fold in 0..folds {
        let of = |held: bool| {
            let rows = (0..).zip(&train.folds).filter(|(_, found)| (**found == fold) == held);
            let places: Vec<u32> = rows.map(|(row, _)| row).collect();
            let outcomes: Vec<bool> =
                places.iter().filter_map(|place| train.positive.get(*place as usize)).copied().collect();
            Part { rows: train.rows.take(&places), positive: outcomes, folds: Vec::new() }
        };
        let (rest, held) = (of(false), of(true));
        let both = |part: &Part| part.positive.contains(&true) && part.positive.contains(&false);
        if !both(&rest) || !both(&held) {
            continue;
        }
        if method == Method::Boosting {
            let rest = thinned(&rest, seed).unwrap_or(rest);
            let (best, margins) = boosting::rounds(
                (&rest.rows, &rest.positive),
                (&held.rows, &held.positive),
                &Boosting::of_rows(rest.positive.len()),
                seed,
            );
            rounds.push(best);
            scores.extend(margins.into_iter().map(probability));
        } else {
            let (predictor, _) = fit(method, &rest, settings, 0, seed);
            scores.extend(predictor.scores(&held.rows));
        }
        positive.extend(held.positive);
    }
    let mean = rounds.iter().sum::<usize>().checked_div(rounds.len());
    // Without a part to stop by, few rounds do the least harm.
    Validated { method, scores, positive, rounds: mean.unwrap_or(20).max(1) }
}

fn fit(
    method: Method,
    part: &Part,
    settings: &Settings,
    rounds: usize,
    seed: u64,
) -> (Predictor, Option<LogisticFigures>) {
    match method {
        Method::Logistic => {
            let (logistic, figures) = fit_logistic(part, settings.penalty());
            (Predictor::Logistic(logistic), Some(figures))
        }
        Method::Tree => {
            let target: Vec<f64> =
                part.positive.iter().map(|positive| f64::from(u8::from(*positive))).collect();
            let growth =
                Growth { max_depth: settings.max_depth, min_leaf: settings.min_leaf, ..Growth::default() };
            let tree = grow_tree(&part.rows, &target, &growth, seed);
            (Predictor::Tree(tree.pruned(settings.prune_percent / 100.0)), None)
        }
        Method::Boosting => {
            let thinned = thinned(part, seed);
            let part = thinned.as_ref().unwrap_or(part);
            let boosting = Boosting { rounds, ..Boosting::of_rows(part.positive.len()) };
            (Predictor::Boosted(boosting::fit(&part.rows, &part.positive, &boosting, seed)), None)
        }
    }
}

/// Some of the rows, drawn by seed; none where they are few enough, or where one class would be lost.
fn thinned(part: &Part, seed: u64) -> Option<Part> {
    let share = BOOSTED_UP_TO as f64 / part.positive.len().max(1) as f64;
    if share >= 1.0 {
        return None;
    }
    let is_drawn = |row: &u32| Rng::for_part(seed ^ 0x7419, u64::from(*row)).unit() < share;
    let places: Vec<u32> = (0..u32::try_from(part.positive.len()).ok()?).filter(is_drawn).collect();
    let positive: Vec<bool> =
        places.iter().filter_map(|place| part.positive.get(*place as usize)).copied().collect();
    let has_both = positive.contains(&true) && positive.contains(&false);
    has_both.then(|| Part { rows: part.rows.take(&places), positive, folds: Vec::new() })
}

/// Maximum likelihood has no end where the classes can be separated: then a quadratic penalty gives it one.
fn fit_logistic(part: &Part, penalty: Penalty) -> (logistic::Logistic, LogisticFigures) {
    let first = logistic::fit(&part.rows, &part.positive, penalty).expect("both classes occur");
    let is_separated = first.is_separated;
    let fitted = if is_separated {
        logistic::fit(&part.rows, &part.positive, Penalty::Ridge { c: 1.0 }).expect("both classes occur")
    } else {
        first
    };
    let figures = LogisticFigures {
        log_likelihood: fitted.log_likelihood,
        null_log_likelihood: fitted.null_log_likelihood,
        rank: fitted.rank as u64,
        is_separated,
    };
    (fitted.model, figures)
}

fn calibrate(validated: &Validated, setting: CalibrationSetting) -> Calibration {
    match setting {
        _ if validated.scores.is_empty() => Calibration::None,
        CalibrationSetting::None => Calibration::None,
        CalibrationSetting::Platt => Calibration::platt(&validated.scores, &validated.positive),
        CalibrationSetting::Isotonic => Calibration::isotonic(&validated.scores, &validated.positive),
    }
}

/// How much each feature matters, as shares: of the gain of all splits; for a logistic regression, of the mean size of what features add.
fn importance(predictor: &Predictor, rows: &Encoded, features: usize) -> Vec<f64> {
    match predictor {
        Predictor::Tree(tree) => tree.importance(features),
        Predictor::Boosted(boosted) => boosted.importance(features),
        Predictor::Logistic(logistic) => {
            let sizes: Vec<f64> = logistic
                .contributions(rows)
                .iter()
                .map(|cells| cells.iter().map(|cell| cell.abs()).sum::<f64>())
                .collect();
            let whole: f64 = sizes.iter().sum();
            sizes.iter().map(|size| if whole > 0.0 { size / whole } else { 0.0 }).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::Values;

    fn part(rows: usize, positives: usize) -> Part {
        let numbers = (0..rows).map(|row| row as f64).collect();
        Part {
            rows: Encoded { rows, features: vec![Values::Numbers(numbers)] },
            positive: (0..rows).map(|row| row < positives).collect(),
            folds: Vec::new(),
        }
    }

    #[test]
    fn few_rows_are_voted_on() {
        let voters = |rows| Boosting::of_rows(rows).voters;
        assert_eq!([voters(100), voters(50_000), voters(50_001), voters(BOOSTED_UP_TO)], [4, 4, 1, 1]);
    }

    #[test]
    fn many_rows_are_thinned_unless_a_class_would_be_lost() {
        assert!(thinned(&part(BOOSTED_UP_TO, 10), 1).is_none());
        let drawn = thinned(&part(4 * BOOSTED_UP_TO, 2 * BOOSTED_UP_TO), 1).expect("both classes are drawn");
        assert!(
            drawn.positive.len().abs_diff(BOOSTED_UP_TO) < BOOSTED_UP_TO / 50,
            "{}",
            drawn.positive.len()
        );
        assert_eq!(drawn.rows.rows, drawn.positive.len());
        let positives = drawn.positive.iter().filter(|positive| **positive).count();
        assert!(positives.abs_diff(BOOSTED_UP_TO / 2) < BOOSTED_UP_TO / 50, "{positives}");
        assert!(thinned(&part(4 * BOOSTED_UP_TO, 0), 1).is_none());
    }
}
