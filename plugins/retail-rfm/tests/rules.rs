//! The plugin's rules on small and made-up populations.

#![expect(clippy::indexing_slicing, reason = "a test may panic")]

use proptest::prelude::*;
use retail_rfm::{Bounds, Config, Method, Middle, NamedSegment, RetailRfm, Weighting, Weights};
use trellis_sdk::testing::{BatchBuilder, assert_splitting_changes_nothing, context, split, stream};
use trellis_sdk::{Batch, Context, LearnedBy, ModelReport, PluginError, Segmentation};

const AS_OF: i32 = 10_000;

fn at() -> Context {
    Context { as_of: AS_OF, ..context() }
}

/// Days since the last order, orders, cents.
type Customer = (i32, i64, i64);

fn batch(customers: &[Option<Customer>]) -> Batch {
    BatchBuilder::new(1..=customers.len() as u64)
        .date("last_order", customers.iter().map(|customer| customer.map(|(recency, _, _)| AS_OF - recency)))
        .int64("orders", customers.iter().map(|customer| customer.map(|(_, orders, _)| orders)))
        .money("spent", "CNY", customers.iter().map(|customer| customer.map(|(_, _, spent)| spent)))
        .build()
}

fn fit(batch: &Batch, groups: usize) -> Result<Vec<u8>, PluginError> {
    RetailRfm::fit(&mut stream(split(batch, 50)), &Config { groups, ..Config::default() }, &at())
        .map(|model| model.bytes)
}

/// SQL's NTILE, the slow way: rank everyone, the first groups one larger.
fn ntile(groups: usize, keys: &[(i64, usize)]) -> Vec<usize> {
    let mut ranked: Vec<_> = keys.to_vec();
    ranked.sort_unstable();
    let (size, larger) = (keys.len() / groups, keys.len() % groups);
    let mut group_of = vec![0; keys.len()];
    let mut members = ranked.iter();
    for group in 0..groups {
        for (_, row) in members.by_ref().take(size + usize::from(group < larger)) {
            group_of[*row] = group + 1;
        }
    }
    group_of
}

/// The score by quantiles with thresholds as fractions: (place in the order, numerator) over `groups`.
fn quantile(groups: usize, values: &[i64], value: i64) -> usize {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let above = |cut: usize| {
        let place = (values.len() - 1) * cut;
        let (low, high) = (sorted[place / groups], sorted[(place / groups + 1).min(values.len() - 1)]);
        let part = (place % groups) as i64;
        (value - low) * groups as i64 > part * (high - low)
    };
    (1..groups).filter(|cut| above(*cut)).count()
}

fn customer() -> impl Strategy<Value = Customer> {
    (0..400, 1..8_i64, -500..20_000_i64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn scores_are_those_of_the_plain_definitions(customers in prop::collection::vec(customer(), 1..120), groups in 2..=9_usize) {
        let rows = batch(&customers.iter().copied().map(Some).collect::<Vec<_>>());
        let assignments = RetailRfm::assign(&fit(&rows, groups).unwrap(), &rows, &at()).unwrap();
        let value: [fn(&Customer) -> i64; 3] = [|c| i64::from(c.0), |c| c.1, |c| c.2];
        for (dimension, value) in ["r", "f", "m"].into_iter().zip(value) {
            let values: Vec<_> = customers.iter().map(value).collect();
            let worst_first = |value: i64| if dimension == "r" { -value } else { value };
            let keys: Vec<_> = values.iter().enumerate().map(|(row, value)| (worst_first(*value), row)).collect();
            let ntile = ntile(groups, &keys);
            for row in 0..customers.len() {
                let above = quantile(groups, &values, values[row]);
                let score = if dimension == "r" { groups - above } else { above + 1 };
                prop_assert_eq!(assignments.value(&format!("quantile_{dimension}"), row), Some(&*score.to_string()));
                prop_assert_eq!(assignments.value(&format!("ntile_{dimension}"), row), Some(&*ntile[row].to_string()));
            }
        }
    }

    #[test]
    fn splitting_changes_nothing(customers in prop::collection::vec(prop::option::of(customer()), 1..200), groups in 2..=9_usize) {
        let rows = batch(&customers);
        prop_assume!(customers.iter().any(Option::is_some));
        assert_splitting_changes_nothing::<RetailRfm>(&fit(&rows, groups).unwrap(), &rows, &at());
    }
}

#[test]
fn customers_without_orders_neither_count_nor_have_values() {
    let buyers = [Some((10, 1, 100)), Some((20, 2, 300)), Some((30, 3, 500))];
    let with_others = [buyers[0], None, buyers[1], None, buyers[2]];
    let rows = batch(&with_others);
    let model =
        RetailRfm::fit(&mut stream([rows.clone()]), &Config { groups: 2, ..Config::default() }, &at())
            .unwrap();
    assert_eq!(model.metrics[0].value, 3.0);
    let assignments = RetailRfm::assign(&model.bytes, &rows, &at()).unwrap();
    for name in assignments.names() {
        for row in 0..5 {
            assert_eq!(assignments.value(name, row).is_some(), row % 2 == 0, "{name} of row {row}");
        }
    }
    let reasons = RetailRfm::explain(&model.bytes, &rows, &at()).unwrap();
    assert_eq!(reasons[1][0].code, "no-orders");
}

#[test]
fn a_row_that_contradicts_itself_fails_alone() {
    let model = fit(&batch(&[Some((10, 1, 100)), Some((20, 2, 300))]), 2).unwrap();
    let rows = batch(&[Some((-3, 1, 100)), Some((10, 0, 100)), Some((10, 1, 100))]);
    let assignments = RetailRfm::assign(&model, &rows, &at()).unwrap();
    let failures: Vec<_> =
        assignments.failed().iter().map(|failure| (failure.row, failure.code.as_str())).collect();
    assert_eq!(failures, [(0, "order-after-as-of"), (1, "no-order-count")]);
    assert_eq!([0, 1, 2].map(|row| assignments.value("class", row).is_some()), [false, false, true]);
}

#[test]
fn fewer_customers_than_groups_leave_the_last_groups_empty() {
    let rows = batch(&[Some((10, 1, 100)), Some((20, 2, 300))]);
    let assignments = RetailRfm::assign(&fit(&rows, 5).unwrap(), &rows, &at()).unwrap();
    assert_eq!([0, 1].map(|row| assignments.value("ntile_m", row)), [Some("1"), Some("2")]);
}

#[test]
fn what_cannot_be_used_is_refused_by_name() {
    let rows = batch(&[Some((10, 1, 100))]);
    let message = |error: PluginError| error.to_string();
    assert!(
        message(RetailRfm::describe(&Config { groups: 10, ..Config::default() }).unwrap_err())
            .contains("`groups` is 10")
    );
    assert!(matches!(fit(&rows, 1), Err(PluginError::InvalidConfig(_))));
    assert!(matches!(fit(&batch(&[None]), 5), Err(PluginError::UnsuitableData(_))));

    let model = fit(&rows, 5).unwrap();
    for damaged in [&model[..model.len() - 1], &[model.clone(), vec![0]].concat(), &[9; 40], &[]] {
        let error = RetailRfm::assign(damaged, &rows, &at()).unwrap_err();
        assert!(matches!(error, PluginError::UnreadableModel(_)), "{error}");
    }
    let dollars = BatchBuilder::new([1])
        .date("last_order", [Some(1)])
        .int64("orders", [Some(1)])
        .money("spent", "USD", [Some(1)])
        .build();
    assert!(message(RetailRfm::assign(&model, &dollars, &at()).unwrap_err()).contains("CNY"));
}

fn bounds() -> Bounds {
    Bounds { recency: vec![30.0, 90.0], frequency: vec![1.0, 3.0], monetary: vec![10.0, 99.99] }
}

/// Values on a bound have the lower score, of recency the better one.
#[test]
fn fixed_bounds_grade_as_they_say() {
    let config = Config { groups: 3, bounds: Some(bounds()), graded_by: Method::Fixed, ..Config::default() };
    let rows = batch(&[
        Some((30, 1, 1_000)),
        Some((31, 2, 1_001)),
        Some((90, 3, 9_999)),
        Some((91, 4, 10_000)),
        None,
    ]);
    let model = RetailRfm::fit(&mut stream([rows.clone()]), &config, &at()).unwrap();
    let assignments = RetailRfm::assign(&model.bytes, &rows, &at()).unwrap();
    let cells: Vec<_> = (0..5).map(|row| assignments.value("fixed_cell", row)).collect();
    assert_eq!(cells, [Some("311"), Some("222"), Some("222"), Some("133"), None]);
    // The means are 2, 2 and 2.
    let classes: Vec<_> = (0..4).map(|row| assignments.value("class", row).unwrap()).collect();
    assert_eq!(classes, ["general_development", "general_retain", "general_retain", "important_keep"]);
    assert_splitting_changes_nothing::<RetailRfm>(&model.bytes, &rows, &at());
    assert_eq!(
        RetailRfm::describe(&config)
            .unwrap()
            .iter()
            .map(|described| described.name.as_str())
            .collect::<Vec<_>>(),
        assignments.names().collect::<Vec<_>>()
    );
}

fn segment(name: &str, recency: &[u32], frequency: &[u32]) -> NamedSegment {
    NamedSegment {
        name: name.to_owned(),
        label_en: name.to_owned(),
        label_zh: name.to_owned(),
        recency: recency.to_vec(),
        frequency: frequency.to_vec(),
    }
}

/// Segments of one's own take the pairs that they name; a pair that none names has no segment, and no pair can have two.
#[test]
fn segments_of_ones_own_are_pairs_of_scores() {
    let rows =
        batch(&[Some((5, 9, 900)), Some((10, 1, 100)), Some((40, 5, 5_000)), Some((300, 2, 10)), None]);
    let own = |segments: Vec<NamedSegment>| Config { groups: 2, segments, ..Config::default() };
    let config = own(vec![segment("best", &[2], &[2]), segment("gone", &[1], &[1])]);
    let model = RetailRfm::fit(&mut stream([rows.clone()]), &config, &at()).unwrap();
    let assignments = RetailRfm::assign(&model.bytes, &rows, &at()).unwrap();
    let found: Vec<_> = (0..5).map(|row| assignments.value("segment", row)).collect();
    assert_eq!(found, [Some("best"), None, None, Some("gone"), None]);
    assert_splitting_changes_nothing::<RetailRfm>(&model.bytes, &rows, &at());
    let report = RetailRfm::describe_model(LearnedBy::Segmentation, &model.bytes).unwrap();
    let panel = report.panels.iter().find(|panel| panel.name == "segments").unwrap();
    assert_eq!(panel.rows(), 2);

    let message = |config: &Config| RetailRfm::describe(config).unwrap_err().to_string();
    let twice = own(vec![segment("one", &[1, 2], &[1]), segment("two", &[2], &[1])]);
    assert!(message(&twice).contains("recency 2 with frequency 1 is in segment `one` and in `two`"));
    assert!(message(&own(vec![segment("one", &[3], &[1])])).contains("segment `one` has recency 3"));
    assert!(
        message(&own(vec![segment("one", &[1], &[1]), segment("one", &[2], &[1])])).contains("`one` twice")
    );
    assert!(message(&own(vec![segment("One", &[1], &[1])])).contains("`One`"));
}

/// Average spends of 1, 1, 2 and 9 yuan and 1, 2, 3 and 9 orders: between the medians (1.50 and 2.5) and the means (3.25 and 3.75) lies the third.
#[test]
fn the_matrix_is_cut_at_the_means_or_the_medians() {
    let rows = batch(&[Some((5, 1, 100)), Some((6, 2, 200)), Some((7, 3, 600)), Some((8, 9, 8_100))]);
    for (matrix_by, third) in [(Middle::Mean, "uncertain"), (Middle::Median, "best")] {
        let config = Config { matrix_by, ..Config::default() };
        let model = RetailRfm::fit(&mut stream([rows.clone()]), &config, &at()).unwrap();
        let assignments = RetailRfm::assign(&model.bytes, &rows, &at()).unwrap();
        let found: Vec<_> = (0..4).map(|row| assignments.value("value_matrix", row).unwrap()).collect();
        assert_eq!(found, ["uncertain", "uncertain", third, "best"], "{matrix_by:?}");
    }
}

/// Who is like everybody is neither good nor bad.
#[test]
fn equal_customers_are_not_told_apart() {
    let rows = batch(&[Some((5, 2, 300)); 7]);
    let model = RetailRfm::fit(&mut stream([rows.clone()]), &Config::default(), &at()).unwrap();
    assert!(model.summary.en.contains("cannot be told apart") && model.summary.zh_cn.contains("无法区分"));
    let assignments = RetailRfm::assign(&model.bytes, &rows, &at()).unwrap();
    for name in ["class", "segment", "value_matrix"] {
        assert!((0..7).all(|row| assignments.value(name, row).is_none()), "{name}");
    }
    let reasons = RetailRfm::explain(&model.bytes, &rows, &at()).unwrap();
    assert_eq!(reasons[0][0].code, "not-distinguishable");
    let differing = batch(&[Some((5, 2, 300)), Some((6, 2, 300))]);
    let model = RetailRfm::fit(&mut stream([differing.clone()]), &Config::default(), &at()).unwrap();
    assert!(model.summary.en.contains("Frequency is the same for everybody"), "{}", model.summary.en);
    let assignments = RetailRfm::assign(&model.bytes, &differing, &at()).unwrap();
    assert!(assignments.value("class", 0).is_some());
}

#[test]
fn totals_are_weighted_means_of_the_scores() {
    let rows = batch(&[Some((5, 9, 900)), Some((10, 1, 100)), Some((40, 5, 5_000)), Some((300, 2, 10))]);
    for (total, weights) in [
        (Weighting::Equal, [1.0 / 3.0; 3]),
        (Weighting::Value, [0.1, 0.3, 0.6]),
        (Weighting::Own, [0.5, 0.0, 0.5]),
    ] {
        let weights_own = Weights { recency: 2.0, frequency: 0.0, monetary: 2.0 };
        let config = Config { groups: 4, total, weights: weights_own, ..Config::default() };
        let model = RetailRfm::fit(&mut stream([rows.clone()]), &config, &at()).unwrap();
        let assignments = RetailRfm::assign(&model.bytes, &rows, &at()).unwrap();
        for row in 0..4 {
            let score = |name: &str| assignments.value(name, row).unwrap().parse::<f64>().unwrap();
            let scores = ["quantile_r", "quantile_f", "quantile_m"].map(score);
            let exact: f64 = scores.iter().zip(weights).map(|(score, weight)| score * weight).sum();
            let found: f64 = assignments.value("total", row).unwrap().replace('_', ".").parse().unwrap();
            assert!((found - exact).abs() < 0.050_01, "{total:?}: {found} of {exact}");
            assert!(total != Weighting::Value || (found - exact).abs() < 1e-9, "tenths are exact");
        }
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused_by_name() {
    let message = |config: &Config| RetailRfm::describe(config).unwrap_err().to_string();
    let missing = Config { graded_by: Method::Fixed, ..Config::default() };
    assert!(message(&missing).contains("there are no bounds"));
    let few = Config { bounds: Some(bounds()), ..Config::default() };
    assert!(message(&few).contains("`recency_bounds` has 2 entries; 5 groups have 4 bounds"));
    let falling = Bounds { monetary: vec![5.0, 5.0], ..bounds() };
    assert!(
        message(&Config { groups: 3, bounds: Some(falling), ..Config::default() })
            .contains("`monetary_bounds`")
    );
    let nothing = Weights { recency: 0.0, frequency: 0.0, monetary: 0.0 };
    assert!(
        message(&Config { total: Weighting::Own, weights: nothing, ..Config::default() })
            .contains("`weights`")
    );
}

#[test]
fn the_report_counts_everybody() {
    let rows =
        batch(&[Some((5, 9, 900)), Some((10, 1, 100)), Some((40, 5, 5_000)), Some((300, 2, 10)), None]);
    let model = fit(&rows, 2).unwrap();
    let report = RetailRfm::describe_model(LearnedBy::Segmentation, &model).unwrap();
    let names: Vec<_> = report.panels.iter().map(|panel| (panel.name.as_str(), panel.rows())).collect();
    assert_eq!(names, [("classes", 8), ("heat_map", 4), ("cuts", 3), ("value_matrix", 4), ("customers", 4)]);
    for panel in report.panels.iter().take(2) {
        let column = panel.columns.iter().find(|column| column.values.name == "customers").unwrap();
        let trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData::Int64(counts) =
            &column.values.data
        else {
            panic!("counts are whole numbers")
        };
        assert_eq!(counts.iter().sum::<i64>(), 4, "{}", panel.name);
    }
    assert!(report.panels.iter().all(|panel| !panel.description.zh_cn.is_empty()));
}
