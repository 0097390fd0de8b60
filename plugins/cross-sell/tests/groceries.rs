//! The plugin against reference results over 9,835 real baskets, where they are at hand: see `folder`.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may panic and say that it is skipped"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cross_sell::{Config, CrossSell};
use serde_json::{Value, json};
use trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData;
use trellis_sdk::testing::{
    BatchBuilder, assert_splitting_changes_no_score, assert_splitting_changes_nothing, context, stream,
};
use trellis_sdk::{Analysis, Batch, LearnedBy, ModelReport, Panel, Report, RowStream, Scoring};

/// The baskets and their reference results: `TRELLIS_REFERENCE_DATA`, or the folder `data` beside the project.
fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder =
        std::env::var_os("TRELLIS_REFERENCE_DATA").map_or_else(beside, PathBuf::from).join("groceries");
    if !folder.is_dir() {
        eprintln!("skipped: no reference data in {}", folder.display());
        return None;
    }
    Some(folder)
}

struct Groceries {
    baskets: Vec<Vec<String>>,
    expected: Value,
}

impl Groceries {
    fn read() -> Option<Self> {
        let folder = folder()?;
        let mut baskets: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for line in csv::Reader::from_path(folder.join("groceries_long.csv")).unwrap().records() {
            let line = line.unwrap();
            baskets.entry(line[0].parse().unwrap()).or_default().push(line[1].to_owned());
        }
        let expected = serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
        Some(Self { baskets: baskets.into_values().collect(), expected })
    }

    /// One batch of lines for each thousand baskets, every customer with one basket.
    fn stream(&self) -> RowStream<'static> {
        let lines = self.baskets.chunks(1_000).enumerate().map(|(chunk, baskets)| {
            let of_line = || {
                baskets.iter().enumerate().flat_map(move |(place, basket)| {
                    basket.iter().map(move |item| (chunk * 1_000 + place, item))
                })
            };
            let ids: Vec<String> = of_line().map(|(order, _)| format!("order-{order:05}")).collect();
            BatchBuilder::new(0..ids.len() as u64)
                .dictionary("order", ids.iter().map(|id| Some(id.as_str())))
                .reference("account", of_line().map(|(order, _)| Some(order as u64)))
                .date("ordered_on", of_line().map(|_| Some(0)))
                .dictionary("product", of_line().map(|(_, item)| Some(item.as_str())))
                .dictionary("category", of_line().map(|_| None))
                .build()
        });
        stream([self.customers()])
            .with_dataset("lines", lines.collect::<Vec<_>>())
            .with_dataset("products", [])
    }

    fn customers(&self) -> Batch {
        BatchBuilder::new(0..self.baskets.len() as u64)
            .lists(
                "products",
                self.baskets.iter().map(|basket| Some(basket.iter().map(String::as_str).collect())),
            )
            .build()
    }

    fn ask(&self, name: &str, parameters: &Value) -> Report {
        CrossSell::analyse(name, &mut self.stream(), &parameters.to_string(), &Config::default(), &context())
            .unwrap()
    }
}

fn find<'a>(report: &'a Report, name: &str) -> &'a Panel {
    report
        .panels
        .iter()
        .find(|panel| panel.name == name)
        .unwrap_or_else(|| panic!("there is no panel `{name}`"))
}

fn numbers(panel: &Panel, name: &str) -> Vec<Option<f64>> {
    let column = &panel.columns.iter().find(|column| column.values.name == name).unwrap().values;
    let has = |row: usize| column.valid.is_empty() || column.valid[row / 8] >> (row % 8) & 1 == 1;
    let plain: Vec<f64> = match &column.data {
        ColumnData::Float64(values) => values.clone(),
        ColumnData::Int64(values) => values.iter().map(|value| *value as f64).collect(),
        _ => panic!("`{name}` is no column of numbers"),
    };
    plain.into_iter().enumerate().map(|(row, value)| has(row).then_some(value)).collect()
}

fn texts(panel: &Panel, name: &str) -> Vec<String> {
    let column = panel.columns.iter().find(|column| column.values.name == name).unwrap();
    let ColumnData::Text(texts) = &column.values.data else { panic!("`{name}` is no column of texts") };
    let ends = texts.offsets.windows(2);
    ends.map(|ends| String::from_utf8(texts.bytes[ends[0] as usize..ends[1] as usize].to_vec()).unwrap())
        .collect()
}

/// To the ten digits that the reference has.
#[track_caller]
fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1e-3), "{what}: {found}, not {expected}");
}

fn check_rules(panel: &Panel, expected: &Value, what: &str) {
    let (lhs, rhs) = (texts(panel, "lhs"), texts(panel, "rhs"));
    let columns: Vec<_> =
        ["count", "lhs_count", "rhs_count", "support", "confidence", "lift", "leverage", "conviction"]
            .map(|name| (name, numbers(panel, name)))
            .into_iter()
            .collect();
    for (row, rule) in expected.as_array().unwrap().iter().enumerate() {
        let wanted: Vec<String> = serde_json::from_value(rule["lhs"].clone()).unwrap();
        assert_eq!(
            (&lhs[row], rhs[row].as_str()),
            (&wanted.join(", "), rule["rhs"].as_str().unwrap()),
            "{what} {row}"
        );
        for (name, values) in &columns {
            match rule[name].as_f64() {
                Some(expected) => {
                    close(values[row].unwrap(), expected, &format!("{name} of rule {row} {what}"))
                }
                None => assert_eq!(values[row], None, "{name} of rule {row} {what}"),
            }
        }
    }
}

fn check_lengths(panel: &Panel, expected: &Value) {
    let counts: BTreeMap<String, u64> = numbers(panel, "length")
        .into_iter()
        .zip(numbers(panel, "count"))
        .map(|(length, count)| (format!("{}", length.unwrap()), count.unwrap() as u64))
        .collect();
    assert_eq!(&serde_json::to_value(counts).unwrap(), expected, "{}", panel.name);
}

#[test]
fn all_rules_of_all_cases_are_the_expected_ones() {
    let Some(groceries) = Groceries::read() else { return };
    for case in groceries.expected["cases"].as_array().unwrap() {
        let asked = json!({ "min_support": case["min_support"], "min_confidence": case["min_confidence"], "limit": 10_000 });
        let report = groceries.ask("rules", &asked);
        for (metric, expected) in [
            ("min_count", &case["min_count"]),
            ("itemsets", &case["n_frequent_itemsets"]),
            ("rules", &case["n_rules"]),
            ("rules_any_right_side", &case["n_rules_any_rhs_size"]),
        ] {
            assert_eq!(report.value(metric), expected.as_f64(), "{metric} at {}", case["min_support"]);
        }
        check_lengths(find(&report, "itemsets"), &case["itemsets_by_length"]);
        check_lengths(find(&report, "rules_by_length"), &case["rules_by_length"]);
        for measure in ["support", "confidence", "lift"] {
            for part in ["min", "median", "mean", "max"] {
                let name = format!("{measure}_{part}");
                close(report.value(&name).unwrap(), case[measure][part].as_f64().unwrap(), &name);
            }
        }
        close(report.value("lift_sum").unwrap(), case["sum_of_lift"].as_f64().unwrap(), "sum of lift");
        assert_eq!(find(&report, "rules").rows(), case["n_rules"].as_u64().unwrap() as usize);
        check_rules(find(&report, "rules"), &case["top_by_lift"], "by lift");
        let mut by_confidence = asked.clone();
        by_confidence["sort"] = "confidence".into();
        check_rules(
            find(&groceries.ask("rules", &by_confidence), "rules"),
            &case["top_by_confidence"],
            "by confidence",
        );
    }
}

#[test]
fn baskets_have_the_expected_figures() {
    let Some(groceries) = Groceries::read() else { return };
    let report = groceries.ask("rules", &json!({ "min_support": 0.05, "min_confidence": 0.5 }));
    let basics = &groceries.expected["basics"];
    for (metric, expected) in [
        ("baskets", &basics["transactions"]),
        ("items", &basics["items"]),
        ("ones", &basics["ones"]),
        ("density", &basics["density"]),
        ("basket_size_mean", &basics["basket_size"]["mean"]),
        ("basket_size_median", &basics["basket_size"]["median"]),
        ("basket_size_max", &basics["basket_size"]["max"]),
    ] {
        close(report.value(metric).unwrap(), expected.as_f64().unwrap(), metric);
    }
    let sizes = numbers(find(&report, "basket_sizes"), "count");
    let expected: Vec<f64> = serde_json::from_value(basics["basket_size"]["counts_1_to_10"].clone()).unwrap();
    assert_eq!(sizes[..10].iter().flatten().copied().collect::<Vec<_>>(), expected);
    let items = find(&report, "items");
    let found: BTreeMap<String, u64> = texts(items, "item")
        .into_iter()
        .zip(numbers(items, "count"))
        .take(10)
        .map(|(item, count)| (item, count.unwrap() as u64))
        .collect();
    assert_eq!(serde_json::to_value(found).unwrap(), basics["top_items"]);
}

#[test]
fn what_goes_with_a_basket_is_as_expected() {
    let Some(groceries) = Groceries::read() else { return };
    for case in groceries.expected["next_best"].as_array().unwrap() {
        let asked = json!({ "basket": case["basket"], "min_support": case["min_support"], "min_confidence": case["min_confidence"] });
        let report = groceries.ask("recommend", &asked);
        let panel = find(&report, "by_rules");
        let (items, lhs) = (texts(panel, "item"), texts(panel, "lhs"));
        for (row, expected) in case["top"].as_array().unwrap().iter().enumerate() {
            assert_eq!(items[row], expected["item"].as_str().unwrap());
            let wanted: Vec<String> = serde_json::from_value(expected["lhs"].clone()).unwrap();
            assert_eq!(lhs[row], wanted.join(", "));
            close(
                numbers(panel, "confidence")[row].unwrap(),
                expected["confidence"].as_f64().unwrap(),
                "confidence",
            );
            close(numbers(panel, "lift")[row].unwrap(), expected["lift"].as_f64().unwrap(), "lift");
        }
        assert_eq!(items.len(), case["top"].as_array().unwrap().len());
    }
    for case in groceries.expected["similarity"]["basket_recommendations"].as_array().unwrap() {
        let report = groceries.ask("recommend", &json!({ "basket": case["basket"] }));
        check_pairs(find(&report, "by_likeness"), "score", &case["top5"]);
    }
    for (item, expected) in groceries.expected["similarity"]["item_neighbours"].as_object().unwrap() {
        let report = groceries.ask("recommend", &json!({ "basket": [item] }));
        check_pairs(find(&report, "cosine"), "cosine", &expected["cosine"]);
        check_pairs(find(&report, "jaccard"), "jaccard", &expected["jaccard"]);
    }
}

fn check_pairs(panel: &Panel, name: &str, expected: &Value) {
    let (items, values) = (texts(panel, "item"), numbers(panel, name));
    for (row, pair) in expected.as_array().unwrap().iter().enumerate() {
        assert_eq!(items[row], pair[0].as_str().unwrap(), "{name} {row}");
        close(values[row].unwrap(), pair[1].as_f64().unwrap(), name);
    }
}

#[test]
fn a_model_of_real_baskets_scores_each_customer_alone() {
    let Some(groceries) = Groceries::read() else { return };
    let config = Config {
        min_support: 0.001,
        min_confidence: 0.3,
        rules_max: 50_000,
        product: Some("whole milk".to_owned()),
        ..Config::default()
    };
    let model = <CrossSell as Scoring>::fit(&mut groceries.stream(), &config, &context()).unwrap();
    let some = trellis_sdk::testing::split(&groceries.customers(), 150).remove(0);
    assert_splitting_changes_no_score::<CrossSell>(&model.bytes, &some, &context());
    assert_splitting_changes_nothing::<CrossSell>(&model.bytes, &some, &context());
    let report = CrossSell::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
    assert!(find(&report, "rules").rows() > 100 && find(&report, "propensity").rows() > 10);
    assert!(report.value("log_likelihood").unwrap() < 0.0);

    // Whoever bought butter and whole milk is offered other vegetables, as the rules say.
    let customer = BatchBuilder::new([1]).lists("products", [Some(vec!["butter", "whole milk"])]).build();
    let scores = CrossSell::score(&model.bytes, &customer, &context()).unwrap();
    close(scores.value("confidence", 0).unwrap(), 0.416_974_169_7, "confidence");
    let reasons = <CrossSell as Scoring>::explain(&model.bytes, &customer, &context()).unwrap();
    assert!(reasons[0][0].text.en.starts_with("offer other vegetables: who buys"), "{:?}", reasons[0]);
    assert_eq!(scores.value("propensity", 0), None, "has the product");
}

#[test]
fn rules_find_hidden_items_more_often_than_popularity_where_they_answer() {
    let Some(groceries) = Groceries::read() else { return };
    let config = Config { min_support: 0.001, min_confidence: 0.1, ..Config::default() };
    let report = CrossSell::analyse("methods", &mut groceries.stream(), "{}", &config, &context()).unwrap();
    let found = |name: &str| report.value(name).unwrap();
    assert!(found("rules_best") > found("popularity_best"), "{:?}", report.metrics);
}
