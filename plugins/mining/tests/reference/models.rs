//! Logistic regressions and trees.

use serde_json::Value as Json;
use trellis_mining::logistic::{self, Penalty, probability};
use trellis_mining::measures::{Confusion, auc, brier, deciles, kolmogorov_smirnov, log_loss};
use trellis_mining::tree::{self, Binned, Growth, Tree};

use crate::data::{Problem, bank, campaign, close, telco};

fn problems() -> Vec<(&'static str, Problem)> {
    let sets = [("telco", telco()), ("bank", bank()), ("campaign", campaign())];
    sets.into_iter().filter_map(|(name, set)| Some((name, set?.1))).collect()
}

/// Compares every figure of `expected` with that of the scores of the test rows.
fn check_scores(
    name: &str,
    scores: &[f64],
    positive: &[bool],
    expected: &Json,
    auc_tolerance: f64,
    loss_tolerance: f64,
) {
    let found = auc(scores, positive);
    assert!((found - expected["auc"].as_f64().unwrap()).abs() <= auc_tolerance, "{name}: AUC {found}");
    close(&format!("{name} gini"), 2.0 * found - 1.0, &expected["gini"], 4.0 * auc_tolerance);
    close(&format!("{name} ks"), kolmogorov_smirnov(scores, positive), &expected["ks"], 5.0 * auc_tolerance);
    close(&format!("{name} brier"), brier(scores, positive), &expected["brier"], loss_tolerance);
    close(&format!("{name} logloss"), log_loss(scores, positive), &expected["logloss"], 5.0 * loss_tolerance);
    let confusion = Confusion::of(scores, positive, 0.5);
    for (cell, found) in [
        ("tp", confusion.true_positive),
        ("fp", confusion.false_positive),
        ("fn", confusion.false_negative),
        ("tn", confusion.true_negative),
    ] {
        assert_eq!(found, expected["confusion"][cell].as_u64().unwrap(), "{name} {cell}");
    }
    close("accuracy", confusion.accuracy(), &expected["accuracy"], 1e-9);
    close("precision", confusion.precision(), &expected["precision"], 1e-9);
    close("recall", confusion.recall(), &expected["recall"], 1e-9);
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    close("mean score", mean, &expected["mean_score"], loss_tolerance);
}

fn check_deciles(name: &str, scores: &[f64], positive: &[bool], expected: &Json) {
    let found = deciles(scores, positive);
    for (decile, expected) in found.iter().zip(expected["deciles"].as_array().unwrap()) {
        let place = &expected["decile"];
        assert_eq!(decile.rows, expected["n"].as_u64().unwrap(), "{name} rows of decile {place}");
        assert_eq!(decile.positives, expected["positives"].as_u64().unwrap(), "{name} decile {place}");
        close("rate", decile.rate, &expected["rate"], 1e-9);
        close("lift", decile.lift, &expected["lift"], 1e-9);
        close("gain", decile.cumulative_gain, &expected["cum_gain"], 1e-9);
        close("cumulative lift", decile.cumulative_lift, &expected["cum_lift"], 1e-9);
    }
    close("top lift", found[0].lift, &expected["top_decile_lift"], 1e-9);
}

#[test]
fn maximum_likelihood_is_the_expected_one() {
    for (name, problem) in problems() {
        let expected = &problem.expected["logistic_unpenalised"];
        let (train, positive) = &problem.train;
        let columns = problem.encoding.columns().len();
        assert_eq!(columns as u64, problem.expected["n_design_columns"].as_u64().unwrap(), "{name}");
        let fitted = logistic::fit(train, positive, Penalty::None).unwrap();
        close(name, fitted.log_likelihood, &expected["train_loglik"], 1e-8);
        close(name, fitted.null_log_likelihood, &expected["null_loglik"], 1e-8);
        assert_eq!(fitted.rank as u64, expected["rank_with_intercept"].as_u64().unwrap(), "{name}");
        assert!(!fitted.is_separated, "{name}");
        let (test, positive) = &problem.test;
        let scores: Vec<f64> = fitted.model.margins(test).into_iter().map(probability).collect();
        for (score, expected) in scores.iter().zip(expected["scores_first10_test"].as_array().unwrap()) {
            close(name, *score, expected, 1e-6);
        }
        check_scores(name, &scores, positive, &expected["test"], 1e-6, 1e-6);
        check_deciles(name, &scores, positive, &expected["test"]);
    }
}

#[test]
fn ridge_coefficients_are_the_expected_ones() {
    for (name, problem) in problems() {
        let expected = &problem.expected["logistic_l2"];
        let (train, positive) = &problem.train;
        let c = expected["C"].as_f64().unwrap();
        let fitted = logistic::fit(train, positive, Penalty::Ridge { c }).unwrap();
        close(name, fitted.objective, &expected["objective_value"], 1e-8);
        let (intercept, coefficients) = fitted.model.standardised();
        close(name, intercept, &expected["intercept"], 1e-6);
        let columns = problem.encoding.columns();
        assert_eq!(coefficients.len(), expected["coefficients"].as_object().unwrap().len());
        for (column, coefficient) in columns.into_iter().zip(coefficients) {
            let column = problem.encoding.column_name(column).en;
            let wanted = expected["coefficients"][&column].as_f64().unwrap();
            assert!((coefficient - wanted).abs() < 1e-5, "{name} {column} is {coefficient}, not {wanted}");
        }
        let (test, positive) = &problem.test;
        let scores: Vec<f64> = fitted.model.margins(test).into_iter().map(probability).collect();
        check_scores(name, &scores, positive, &expected["test"], 1e-5, 1e-5);
    }
}

fn growth(expected: &Json) -> Growth {
    Growth {
        max_depth: expected["max_depth"].as_u64().unwrap() as usize,
        min_leaf: expected["min_samples_leaf"].as_u64().unwrap() as usize,
        ..Growth::default()
    }
}

fn leaves(tree: &Tree) -> Vec<(u64, u64)> {
    let nodes = tree.leaves().into_iter().map(|place| &tree.nodes[place]);
    let mut leaves: Vec<_> =
        nodes.map(|node| (node.rows, (node.value * node.rows as f64).round() as u64)).collect();
    leaves.sort_unstable();
    leaves
}

#[test]
fn trees_have_the_expected_leaves() {
    for (name, problem) in problems() {
        let expected = &problem.expected["tree"];
        let (train, positive) = &problem.train;
        let target: Vec<f64> = positive.iter().map(|positive| f64::from(u8::from(*positive))).collect();
        let tree = tree::grow_exact(train, &target, &growth(expected));
        let mut wanted: Vec<(u64, u64)> = expected["leaves"]
            .as_array()
            .unwrap()
            .iter()
            .map(|leaf| (leaf["n"].as_u64().unwrap(), leaf["positives"].as_u64().unwrap()))
            .collect();
        wanted.sort_unstable();
        assert_eq!(leaves(&tree), wanted, "{name}");
        let split = tree.nodes[0].split.unwrap();
        let gain = 2.0 * split.gain / target.len() as f64;
        close(name, gain, &expected["top_split"]["gini_decrease"], 1e-8);
        assert_eq!(tree.nodes[split.left].rows, expected["top_split"]["left_n"].as_u64().unwrap(), "{name}");
        let (test, positive) = &problem.test;
        let scores = tree.values_of(test);
        // Two columns that divide the training rows alike divide those held out a little differently.
        check_scores(name, &scores, positive, &expected["test"], 1e-4, 1e-3);
    }
}

/// Where every number has few values, bins lose nothing.
#[test]
fn histograms_of_few_values_find_the_same_tree() {
    let Some((_, problem)) = telco() else { return };
    let (train, positive) = &problem.train;
    let mut few = train.clone();
    // Without the amounts, which have thousands of values.
    few.features.drain(2..4);
    let target: Vec<f64> = positive.iter().map(|positive| f64::from(u8::from(*positive))).collect();
    let growth = Growth { max_depth: 4, min_leaf: 50, ..Growth::default() };
    let exact = tree::grow_exact(&few, &target, &growth);
    let binned = tree::grow_histogram(&Binned::new(&few, 1), &target, &growth);
    assert_eq!(leaves(&exact), leaves(&binned));
    assert_eq!(exact.values_of(&few), binned.values_of(&few));
}
