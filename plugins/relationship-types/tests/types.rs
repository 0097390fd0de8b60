//! The plugin's rules on made-up customers.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use relationship_types::{Config, RelationshipTypes};
use trellis_sdk::testing::{
    BatchBuilder, assert_splitting_changes_no_score, assert_splitting_changes_nothing, context, split, stream,
};
use trellis_sdk::{Batch, LearnedBy, Model, ModelReport, PluginError, Result, Scoring, Segmentation};

#[derive(Debug, Clone, Default)]
struct Customer {
    /// Cents.
    margin: Option<i64>,
    group: Option<&'static str>,
    contacts: i64,
    products: Vec<&'static str>,
    ratings: (Option<f64>, Option<f64>),
    present: Option<&'static str>,
}

fn batch(customers: &[Customer]) -> Batch {
    BatchBuilder::new(1..=customers.len() as u64)
        .money("spent", "USD", customers.iter().map(|_| None))
        .int64("orders", customers.iter().map(|_| Some(0)))
        .money("margin", "USD", customers.iter().map(|customer| customer.margin))
        .dictionary("group", customers.iter().map(|customer| customer.group))
        .int64("contacts", customers.iter().map(|customer| Some(customer.contacts)))
        .lists("products", customers.iter().map(|customer| Some(customer.products.clone())))
        .float64("participation", customers.iter().map(|customer| customer.ratings.0))
        .float64("complexity", customers.iter().map(|customer| customer.ratings.1))
        .dictionary("present_type", customers.iter().map(|customer| customer.present))
        .build()
}

fn config() -> Config {
    Config {
        many_customers: 4,
        few_customers: 2,
        low_margin: Some(10.0),
        high_margin: Some(100.0),
        ..Config::default()
    }
}

fn fit(customers: &[Customer], config: &Config) -> Result<Model> {
    <RelationshipTypes as Segmentation>::fit(&mut stream(split(&batch(customers), 2)), config, &context())
}

fn values(customers: &[Customer], config: &Config, name: &str) -> Vec<String> {
    let model = fit(customers, config).unwrap().bytes;
    let assigned = RelationshipTypes::assign(&model, &batch(customers), &context()).unwrap();
    (0..customers.len()).map(|row| assigned.value(name, row).unwrap_or_default().to_owned()).collect()
}

#[test]
fn many_customers_of_little_margin_are_basic_and_few_of_much_partners() {
    let of = |group, margin| Customer { group: Some(group), margin: Some(margin), ..Customer::default() };
    let mut customers = vec![of("retail", 999), of("retail", 1_000), of("retail", 10_000), of("retail", 0)];
    customers.extend([of("trade", 0), of("trade", 5_000), of("trade", 20_000)]);
    customers.extend([of("key", 0), of("key", 20_000), Customer::default()]);
    let found = values(&customers, &config(), "relationship_type");
    let expected = [
        "basic",
        "reactive",
        "accountable",
        "basic",
        "reactive",
        "accountable",
        "proactive",
        "accountable",
        "partnership",
        "",
    ];
    assert_eq!(found, expected);
    let model = fit(&customers, &config()).unwrap().bytes;
    let scores = RelationshipTypes::score(&model, &batch(&customers), &context()).unwrap();
    assert_eq!(
        (scores.value("contact_days", 0), scores.value("contact_days", 8), scores.value("contact_days", 9)),
        (Some(365.0), Some(7.0), None)
    );
    let report = RelationshipTypes::describe_model(LearnedBy::Segmentation, &model).unwrap();
    assert_eq!(
        (report.value("customers"), report.value("basic"), report.value("partnership")),
        (Some(9.0), Some(2.0), Some(1.0))
    );
    // A group that nobody had at the time of the fit has one customer.
    let newcomer = [of("new", 20_000)];
    let assigned = RelationshipTypes::assign(&model, &batch(&newcomer), &context()).unwrap();
    assert_eq!(assigned.value("relationship_type", 0), Some("partnership"));
}

#[test]
fn without_bounds_the_margins_are_cut_in_thirds() {
    let customers: Vec<Customer> =
        (1..=9).map(|margin| Customer { margin: Some(margin), ..Customer::default() }).collect();
    let config = Config { low_margin: None, high_margin: None, ..config() };
    let found = values(&customers, &config, "relationship_type");
    let count = |name: &str| found.iter().filter(|value| *value == name).count();
    assert_eq!([count("basic"), count("reactive"), count("accountable")], [3, 3, 3]);
}

#[test]
fn participation_and_complexity_make_four_types() {
    let rated = |participation, complexity| Customer {
        margin: Some(1),
        ratings: (Some(participation), Some(complexity)),
        ..Customer::default()
    };
    let mut customers = vec![rated(9.0, 9.0), rated(2.0, 9.0), rated(9.0, 2.0), rated(2.0, 2.0)];
    // Nobody rated these: contacts and products above the median.
    customers.push(Customer {
        margin: Some(1),
        contacts: 5,
        products: vec!["a", "b"],
        ..Customer::default()
    });
    customers.push(Customer { margin: Some(1), ratings: (Some(99.0), None), ..Customer::default() });
    let found = values(&customers, &config(), "one_to_one_type");
    assert_eq!(found, ["collaborative", "adaptive", "selective", "passive", "collaborative", "passive"]);
    let model = fit(&customers, &config()).unwrap().bytes;
    let reasons = <RelationshipTypes as Scoring>::explain(&model, &batch(&customers), &context()).unwrap();
    let text =
        reasons.iter().flatten().find(|reason| reason.text.en.contains("2 different products")).unwrap();
    assert_eq!(text.text.zh_cn, "合作型：参与程度高（客户主动联系 5 次），复杂程度高（购买 2 种产品）");
}

#[test]
fn a_change_of_the_relationship_is_told() {
    let customers = [Customer { margin: Some(20_000), present: Some("basic"), ..Customer::default() }];
    let model = fit(&customers, &config()).unwrap().bytes;
    let reasons = <RelationshipTypes as Segmentation>::explain(&model, &batch(&customers), &context())
        .unwrap()
        .remove(0);
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code.as_str()).collect();
    assert_eq!(codes, ["relationship", "one-to-one", "change-of-relationship", "cadence"]);
}

#[test]
fn sales_make_the_margin_where_no_field_does_and_bad_settings_are_refused() {
    let rows = BatchBuilder::new([1, 2])
        .money("spent", "USD", [Some(50_000), None])
        .int64("orders", [Some(2), Some(0)])
        .int64("contacts", [None, None])
        .lists("products", [None, None])
        .float64("participation", [None, None])
        .float64("complexity", [None, None])
        .dictionary("present_type", [None, None])
        .build();
    let model = <RelationshipTypes as Scoring>::fit(&mut stream([rows.clone()]), &config(), &context())
        .unwrap()
        .bytes;
    let assigned = RelationshipTypes::assign(&model, &rows, &context()).unwrap();
    assert_eq!(
        (assigned.value("relationship_type", 0), assigned.value("relationship_type", 1)),
        (Some("partnership"), None)
    );
    for (config, start) in [
        (Config { few_customers: 4, ..config() }, "`few_customers` is 4"),
        (Config { low_margin: Some(200.0), ..config() }, "`low_margin` is 200"),
    ] {
        let error = <RelationshipTypes as Segmentation>::describe(&config).unwrap_err();
        assert!(matches!(&error, PluginError::InvalidConfig(text) if text.en.starts_with(start)), "{error}");
    }
    let error = fit(&[Customer::default()], &config()).unwrap_err();
    assert!(matches!(error, PluginError::UnsuitableData(_)), "{error}");
    let error = RelationshipTypes::assign(&model[..9], &rows, &context()).unwrap_err();
    assert!(matches!(error, PluginError::UnreadableModel(_)), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn splitting_changes_nothing(rows in prop::collection::vec((prop::option::of(-900_i64..90_000), 0_usize..4, 0_i64..4), 1..60)) {
        let customers: Vec<Customer> = rows
            .into_iter()
            .map(|(margin, group, contacts)| Customer { margin, group: ["a", "b", "c"].get(group).copied(), contacts, ..Customer::default() })
            .collect();
        if let Ok(model) = fit(&customers, &config()) {
            assert_splitting_changes_nothing::<RelationshipTypes>(&model.bytes, &batch(&customers), &context());
            assert_splitting_changes_no_score::<RelationshipTypes>(&model.bytes, &batch(&customers), &context());
            prop_assert_eq!(fit(&customers, &config()).unwrap(), model);
        }
    }
}

#[test]
fn ratings_alone_are_enough_for_a_one_to_one_type() {
    let rated = |participation, complexity| Customer {
        ratings: (Some(participation), Some(complexity)),
        ..Customer::default()
    };
    let half = Customer { ratings: (Some(9.0), None), ..Customer::default() };
    let customers = [rated(9.0, 9.0), rated(2.0, 9.0), half];
    let types = values(&customers, &config(), "one_to_one_type");
    assert_eq!([types[0] == types[1], types[0].is_empty(), types[2].is_empty()], [false, false, true]);
    let relationships = values(&customers, &config(), "relationship_type");
    assert_eq!(relationships, ["", "", ""], "without a margin there is no relationship to recommend");
    // They move no threshold of those who have a margin.
    let of = |cents| Customer { margin: Some(cents), contacts: 2, ..Customer::default() };
    let with_margins = [of(500), of(5_000), of(50_000)];
    let both: Vec<_> = with_margins.iter().cloned().chain([rated(9.0, 9.0)]).collect();
    let alone = values(&with_margins, &config(), "relationship_type");
    assert_eq!(values(&both, &config(), "relationship_type")[..3], alone[..]);
    let model = fit(&both, &config()).unwrap().bytes;
    let explained = <RelationshipTypes as Segmentation>::explain(&model, &batch(&both), &context()).unwrap();
    assert_eq!(explained[3].iter().map(|reason| reason.code.as_str()).collect::<Vec<_>>(), ["one-to-one"]);
}
