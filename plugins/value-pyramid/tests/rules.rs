//! The plugin's definitions on small and made-up populations.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use trellis_sdk::testing::{BatchBuilder, assert_splitting_changes_no_score, context, split, stream};
use trellis_sdk::{Batch, Context, Model, PluginError, Result, Scoring};
use value_pyramid::{By, Config, ValuePyramid};

const AS_OF: i32 = 10_000;

fn at() -> Context {
    Context { as_of: AS_OF, ..context() }
}

/// Customers with one order each of so many fen; `None` has no order.
fn batch(spent: &[Option<i64>]) -> Batch {
    let orders = |spent: &Option<i64>| spent.map(|_| 1);
    let day = |spent: &Option<i64>| spent.map(|_| AS_OF - 30);
    BatchBuilder::new(1..=spent.len() as u64)
        .money("spent", "CNY", spent.iter().copied())
        .int64("orders", spent.iter().map(orders))
        .date("first_order", spent.iter().map(day))
        .date("last_order", spent.iter().map(day))
        .build()
}

fn config(by: By, tiers: &[f64]) -> Config {
    Config { by, tiers: Some(tiers.to_vec()), ..Config::default() }
}

fn fit(batch: &Batch, config: &Config) -> Result<Model> {
    ValuePyramid::fit(&mut stream(split(batch, 7)), config, &at())
}

/// The standing of each customer under a fit on themselves.
fn standings(spent: &[Option<i64>], config: &Config) -> Vec<Option<f64>> {
    let rows = batch(spent);
    let scores = ValuePyramid::score(&fit(&rows, config).unwrap().bytes, &rows, &at()).unwrap();
    (0..spent.len()).map(|row| scores.value("standing", row)).collect()
}

fn exact(by: By, values: &[i64], row: usize) -> f64 {
    let lower = |other: usize| (values[other], other) < (values[row], row);
    let weight = |row: usize| match by {
        By::Customers => 1,
        By::Revenue => i128::from(values[row].max(0)),
    };
    let others = (0..values.len()).filter(|other| *other != row);
    let (below, all) = others.fold((0, 0), |(below, all), other| {
        (below + if lower(other) { weight(other) } else { 0 }, all + weight(other))
    });
    match (all, weight(row)) {
        (0, 0) => 0.0,
        (0, _) => 100.0,
        _ => (100 * below) as f64 / all as f64,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Up to 1,025 customers the whole ranking is kept.
    #[test]
    fn standings_are_those_of_the_plain_definition(values in prop::collection::vec(-50..500_i64, 1..80)) {
        for by in [By::Customers, By::Revenue] {
            let spent: Vec<_> = values.iter().copied().map(Some).collect();
            let found = standings(&spent, &Config { by, ..Config::default() });
            for (row, standing) in found.into_iter().enumerate() {
                prop_assert_eq!(standing, Some(exact(by, &values, row)), "row {} of {:?}", row, values);
            }
        }
    }

    /// Customers whom `fit` never saw stand between those it did.
    #[test]
    fn splitting_changes_nothing(
        fitted in prop::collection::vec(prop::option::of(-50..500_i64), 1..60),
        scored in prop::collection::vec(prop::option::of(-90..900_i64), 1..150),
    ) {
        prop_assume!(fitted.iter().any(Option::is_some));
        for by in [By::Customers, By::Revenue] {
            let model = fit(&batch(&fitted), &Config { by, ..Config::default() }).unwrap();
            assert_splitting_changes_no_score::<ValuePyramid>(&model.bytes, &batch(&scored), &at());
            let scores = ValuePyramid::score(&model.bytes, &batch(&scored), &at()).unwrap();
            let mut places: Vec<_> = scored
                .iter()
                .enumerate()
                .filter_map(|(row, spent)| Some(((*spent)?, row, scores.value("standing", row).unwrap())))
                .collect();
            places.sort_by_key(|(spent, row, _)| (*spent, *row));
            prop_assert!(places.is_sorted_by(|one, next| one.2 <= next.2), "{places:?}");
            prop_assert!(places.iter().all(|(_, _, standing)| (0.0..=100.0).contains(standing)));
        }
    }
}

#[test]
fn shares_that_come_out_even_are_met_exactly_and_ties_go_by_ordinal() {
    // A hundred customers who all spent the same: 1, 4, 15 and 80 of them.
    let model = fit(&batch(&[Some(500); 100]), &Config::default()).unwrap();
    let count = |tier: &str| {
        let name = format!("{tier}_customers");
        model.metrics.iter().find(|metric| metric.name == name).unwrap().value
    };
    assert_eq!(["platinum", "gold", "iron", "lead"].map(count), [1.0, 4.0, 15.0, 80.0]);
    let found = standings(&[Some(500); 100], &Config::default());
    assert_eq!((found[99], found[0]), (Some(100.0), Some(0.0)));
    assert!(found.is_sorted());
}

#[test]
fn one_customer_is_at_the_top_and_none_is_an_error() {
    for by in [By::Customers, By::Revenue] {
        assert_eq!(standings(&[None, Some(700)], &Config { by, ..Config::default() }), [None, Some(100.0)]);
        for empty in [&[][..], &[None, None]] {
            let error = fit(&batch(empty), &Config { by, ..Config::default() }).unwrap_err();
            assert!(matches!(error, PluginError::UnsuitableData(_)), "{error}");
        }
    }
}

#[test]
fn customers_who_returned_more_than_they_bought_are_the_lowest() {
    let spent = [Some(-300), Some(100), Some(0), Some(900)];
    assert_eq!(standings(&spent, &Config::default())[0], Some(0.0));
    let by_revenue = standings(&spent, &config(By::Revenue, &[20.0, 30.0, 30.0, 20.0]));
    assert_eq!(by_revenue, [Some(0.0), Some(0.0), Some(0.0), Some(100.0)]);
    let model = fit(&batch(&spent), &Config::default()).unwrap();
    let revenue = model.metrics.iter().find(|metric| metric.name == "revenue").unwrap().value;
    assert_eq!(revenue, 7.0);
}

#[test]
fn an_order_without_an_amount_counts_as_nothing_spent() {
    let rows = BatchBuilder::new([1, 2])
        .money("spent", "CNY", [None, Some(100)])
        .int64("orders", [Some(2), Some(1)])
        .date("first_order", [Some(1), Some(1)])
        .date("last_order", [Some(1), None])
        .build();
    let model = fit(&rows, &Config::default()).unwrap();
    let scores = ValuePyramid::score(&model.bytes, &rows, &at()).unwrap();
    assert_eq!((scores.value("value", 0), scores.value("standing", 0)), (Some(0.0), Some(0.0)));
    let reasons = ValuePyramid::explain(&model.bytes, &rows, &at()).unwrap();
    assert_eq!(reasons.iter().map(Vec::len).collect::<Vec<_>>(), [4, 3]);
}

#[test]
fn bands_begin_where_the_configuration_says() {
    let bands = |config: &Config| {
        let standing = ValuePyramid::describe(config).unwrap().remove(1);
        standing.bands.into_iter().map(|band| (band.name, band.lowest)).collect::<Vec<_>>()
    };
    let named = |lowest: [f64; 4]| {
        let names = ["lead", "iron", "gold", "platinum"].map(str::to_owned);
        names.into_iter().zip(lowest).collect::<Vec<_>>()
    };
    assert_eq!(bands(&Config::default()), named([0.0, 80.0, 95.0, 99.0]));
    assert_eq!(bands(&config(By::Customers, &[0.1, 0.2, 9.7, 90.0])), named([0.0, 90.0, 99.7, 99.9]));
    assert_eq!(bands(&Config { by: By::Revenue, ..Config::default() }), named([0.0, 20.0, 50.0, 80.0]));
    for description in ValuePyramid::describe(&Config::default()).unwrap() {
        let texts = description.bands.iter().flat_map(|band| [&band.label, &band.description]);
        for text in texts.chain([&description.label, &description.description]) {
            assert!(!text.en.is_empty() && !text.zh_cn.is_empty(), "{text:?}");
        }
    }
}

#[test]
fn what_cannot_be_used_is_refused_by_name() {
    for (tiers, problem) in [
        (&[1.0, 4.0, 15.0][..], "`tiers` has 3 entries"),
        (&[1.0, 4.0, 15.0, 81.0], "`tiers` add up to 101"),
        (&[0.0, 5.0, 15.0, 80.0], "`tiers` has an entry of 0"),
        (&[-1.0, 6.0, 15.0, 80.0], "`tiers` has an entry of -1"),
        (&[f64::NAN, 6.0, 15.0, 80.0], "`tiers` has an entry of NaN"),
    ] {
        let error = ValuePyramid::describe(&config(By::Customers, tiers)).unwrap_err();
        assert!(
            matches!(&error, PluginError::InvalidConfig(text) if text.en.starts_with(problem)),
            "{error}"
        );
    }

    let rows = batch(&[Some(100), Some(200)]);
    let model = fit(&rows, &Config::default()).unwrap().bytes;
    for damaged in [&model[..model.len() - 1], &[model.clone(), vec![0]].concat(), &[9; 40], &[]] {
        let error = ValuePyramid::score(damaged, &rows, &at()).unwrap_err();
        assert!(matches!(error, PluginError::UnreadableModel(_)), "{error}");
    }
    let dollars = BatchBuilder::new([1])
        .money("spent", "USD", [Some(1)])
        .int64("orders", [Some(1)])
        .date("first_order", [Some(1)])
        .date("last_order", [Some(1)])
        .build();
    let error = ValuePyramid::score(&model, &dollars, &at()).unwrap_err();
    assert!(error.to_string().contains("CNY"), "{error}");
}

#[test]
fn the_way_to_the_next_tier_is_told() {
    let spent: Vec<_> = (1..=10).map(|yuan| Some(yuan * 100)).collect();
    let config = config(By::Customers, &[10.0, 20.0, 30.0, 40.0]);
    let rows = batch(&spent);
    let model = fit(&rows, &config).unwrap();
    let reasons = ValuePyramid::explain(&model.bytes, &rows, &at()).unwrap();
    let step =
        |row: usize| reasons[row].iter().find(|reason| reason.code == "next-tier").unwrap().text.en.as_str();
    assert_eq!(step(0), "4.00 CNY more reach the iron tier, which begins at 5.00 CNY");
    assert_eq!(step(9), "0.00 CNY above the 10.00 CNY at which the highest tier begins");
    let standing = reasons[4].iter().find(|reason| reason.code == "standing").unwrap();
    assert_eq!(standing.text.en, "ranks 6 of 10; 44.4 % of the other customers rank lower: iron tier");
}
