//! The plugin's rules on made-up customers.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use loyalty::{Config, Loyalty};
use proptest::prelude::*;
use trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData;
use trellis_sdk::testing::{
    BatchBuilder, assert_splitting_changes_no_score, assert_splitting_changes_nothing, context, day, split,
    stream,
};
use trellis_sdk::{
    Analysis, Batch, LearnedBy, Model, ModelReport, PluginError, Report, Result, Scoring, Segmentation,
};

const NUMBERS: [&str; 23] = [
    "repurchase_intent",
    "cross_buy_intent",
    "referral_intent",
    "price_tolerance",
    "perceived_value",
    "satisfaction",
    "credibility",
    "benevolence",
    "cost_investment",
    "cost_risk",
    "cost_contract",
    "cost_learning",
    "cost_search",
    "cost_relations",
    "basic_expectations",
    "latent_expectations",
    "rational_appeal",
    "perceptual_appeal",
    "emotional_appeal",
    "competitor_resistance",
    "convenience",
    "discount_share",
    "reward_share",
];
const FLAGS: [&str; 3] = ["single_supplier", "is_kin", "is_blocked"];

#[derive(Debug, Clone, Default)]
struct Customer {
    orders: i64,
    products: Vec<&'static str>,
    referrals: Option<i64>,
    complaint: Option<i32>,
    numbers: Vec<(&'static str, f64)>,
    flags: Vec<&'static str>,
}

fn batch(customers: &[Customer]) -> Batch {
    let some = |customer: &Customer| Some(customer.orders);
    let mut batch = BatchBuilder::new(1..=customers.len() as u64)
        .int64("orders", customers.iter().map(some))
        .int64("orders_window", customers.iter().map(some))
        .date("last_order", customers.iter().map(|customer| (customer.orders > 0).then_some(1000)))
        .lists("products", customers.iter().map(|customer| Some(customer.products.clone())))
        .time(
            "last_complaint",
            customers.iter().map(|customer| Some(i64::from(customer.complaint?) * 86_400_000)),
        )
        .int64("referrals", customers.iter().map(|customer| customer.referrals));
    for name in NUMBERS {
        let value = |customer: &Customer| {
            customer.numbers.iter().find(|(found, _)| *found == name).map(|(_, value)| *value)
        };
        batch = batch.float64(name, customers.iter().map(value));
    }
    for name in FLAGS {
        batch = batch.boolean(name, customers.iter().map(|customer| Some(customer.flags.contains(&name))));
    }
    batch.build()
}

fn fit(customers: &[Customer]) -> Result<Model> {
    <Loyalty as Segmentation>::fit(&mut stream(split(&batch(customers), 7)), &Config::default(), &context())
}

fn values(customers: &[Customer], segmentation: &str) -> Vec<Option<String>> {
    let model = fit(customers).unwrap();
    let assigned = Loyalty::assign(&model.bytes, &batch(customers), &context()).unwrap();
    (0..customers.len()).map(|row| assigned.value(segmentation, row).map(str::to_owned)).collect()
}

fn intents(rating: f64) -> Vec<(&'static str, f64)> {
    NUMBERS[..4].iter().map(|name| (*name, rating)).collect()
}

fn numbers(report: &Report, panel: &str, name: &str) -> Vec<f64> {
    let panel = report.panels.iter().find(|found| found.name == panel).unwrap();
    let column = panel.columns.iter().find(|found| found.values.name == name).unwrap();
    match &column.values.data {
        ColumnData::Float64(values) => values.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn attitude_and_behaviour_make_four_types() {
    let customer = |orders, rating| Customer { orders, numbers: intents(rating), ..Customer::default() };
    let customers = [
        customer(9, 9.0),
        customer(1, 9.0),
        customer(9, 2.0),
        customer(1, 2.0),
        customer(0, 9.0),
        Customer { orders: 3, ..Customer::default() },
    ];
    let found = values(&customers, "loyalty_type");
    let names = ["true", "latent", "spurious", "none"].map(|name| Some(name.to_owned()));
    assert_eq!(found[..4], names);
    // Never bought, or never asked: nothing to say.
    assert_eq!(found[4..], [None, None]);
}

#[test]
fn each_of_the_seven_kinds_has_its_evidence() {
    let flagged = |flag| Customer { orders: 1, flags: vec![flag], ..Customer::default() };
    let shared = |share| Customer { orders: 2, numbers: vec![(share, 80.0)], ..Customer::default() };
    let customers = [
        flagged("single_supplier"),
        flagged("is_kin"),
        flagged("is_blocked"),
        shared("discount_share"),
        shared("reward_share"),
        Customer { orders: 9, numbers: intents(10.0), referrals: Some(2), ..Customer::default() },
        Customer {
            orders: 9,
            numbers: vec![("repurchase_intent", 3.0), ("convenience", 8.0)],
            ..Customer::default()
        },
        Customer { orders: 1, ..Customer::default() },
        Customer::default(),
    ];
    let found: Vec<_> =
        values(&customers, "loyalty_kind").into_iter().map(Option::unwrap_or_default).collect();
    assert_eq!(
        found,
        ["monopoly", "kinship", "latent", "price", "incentive", "premium", "inertia", "none", ""]
    );
    let model = fit(&customers).unwrap();
    let reasons = <Loyalty as Segmentation>::explain(&model.bytes, &batch(&customers), &context()).unwrap();
    let kind = |row: usize| &reasons[row].iter().find(|reason| reason.code == "loyalty-kind").unwrap().text;
    assert_eq!(kind(3).en, "Price loyalty: 80 % bought at a discount");
    assert_eq!(kind(0).zh_cn, "垄断忠诚：没有其他供应商");
    assert!(
        reasons
            .iter()
            .all(|reasons| reasons.len() <= 5 && reasons.is_sorted_by(|one, next| one.weight >= next.weight))
    );
}

#[test]
fn who_is_satisfied_with_the_basics_alone_is_trapped() {
    let customer = |basic, latent, intent| {
        let mut numbers = intents(intent);
        numbers.extend([("basic_expectations", basic), ("latent_expectations", latent)]);
        Customer { orders: 1, numbers, ..Customer::default() }
    };
    let customers =
        [customer(9.0, 3.0, 5.0), customer(9.0, 9.0, 9.0), customer(4.0, 3.0, 5.0), customer(9.0, 3.0, 10.0)];
    let found = values(&customers, "satisfaction_trap");
    assert_eq!(found, ["trapped", "free", "free", "free"].map(|name| Some(name.to_owned())));
}

/// A population made by known laws: the regressions find them, and switching cost reaches two metrics only.
#[test]
fn switching_cost_has_no_link_to_cross_buying_and_recommending() {
    let mut customers = Vec::new();
    for (value, satisfaction) in [(2.0, 9.0), (4.0, 3.0), (6.0, 7.0), (8.0, 5.0), (9.0, 8.0), (3.0, 4.0)] {
        for (trust, cost) in [(3.0, 8.0), (7.0, 2.0), (5.0, 6.0)] {
            let mut numbers = vec![
                ("perceived_value", value),
                ("satisfaction", satisfaction),
                ("credibility", trust),
                ("benevolence", trust),
                ("repurchase_intent", 1.0 + 0.2 * value + 0.3 * satisfaction + 0.1 * trust + 0.25 * cost),
                ("cross_buy_intent", 1.0 + 0.4 * value + 0.1 * satisfaction + 0.2 * trust),
                ("referral_intent", 1.0 + 0.1 * value + 0.5 * satisfaction + 0.2 * trust),
                ("price_tolerance", 1.0 + 0.3 * value + 0.1 * satisfaction + 0.1 * trust + 0.15 * cost),
            ];
            numbers.extend(NUMBERS[8..14].iter().map(|name| (*name, cost)));
            customers.push(Customer { orders: 1, numbers, ..Customer::default() });
        }
    }
    let report = Loyalty::describe_model(LearnedBy::Scoring, &fit(&customers).unwrap().bytes).unwrap();
    let expected = [0.2, 0.3, 0.1, 0.25, 0.4, 0.1, 0.2, 0.0, 0.1, 0.5, 0.2, 0.0, 0.3, 0.1, 0.1, 0.15];
    for (found, expected) in numbers(&report, "determinants", "weight").into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }
    let panel = report.panels.iter().find(|panel| panel.name == "determinants").unwrap();
    let notes = panel.columns.iter().find(|column| column.values.name == "note").unwrap();
    let ColumnData::Text(texts) = &notes.values.data else { panic!("words") };
    let texts = std::str::from_utf8(&texts.bytes).unwrap();
    assert_eq!(texts.matches("zero by definition").count(), 2);
}

#[test]
fn the_curves_diminish_and_grow() {
    let customers: Vec<Customer> = (1..=10)
        .flat_map(|rating| {
            let rating = f64::from(rating);
            let with = |name, intent| {
                let mut numbers = intents(intent);
                numbers.push((name, rating));
                Customer { orders: 1, numbers, ..Customer::default() }
            };
            [
                with("basic_expectations", 1.0 + 2.0 * rating.ln()),
                with("latent_expectations", 1.0 + 0.08 * rating * rating),
            ]
        })
        .collect();
    let report = Loyalty::describe_model(LearnedBy::Segmentation, &fit(&customers).unwrap().bytes).unwrap();
    let steps = |name| {
        let curve = numbers(&report, "curves", name);
        curve.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<f64>>()
    };
    assert!(steps("basic_curve").is_sorted_by(|one, next| one > next));
    assert!(steps("latent_curve").is_sorted_by(|one, next| one < next));
}

#[test]
fn trust_switching_costs_and_forgiveness_are_scored() {
    let customers = [Customer {
        orders: 3,
        complaint: Some(900),
        numbers: vec![
            ("credibility", 10.0),
            ("benevolence", 5.5),
            ("cost_risk", 1.0),
            ("cost_search", 10.0),
            ("trust", 3.0),
            ("satisfaction", 99.0),
        ],
        ..Customer::default()
    }];
    let model = fit(&customers).unwrap();
    let scores = Loyalty::score(&model.bytes, &batch(&customers), &context()).unwrap();
    for (name, expected) in [
        ("trust", Some(75.0)),
        ("switching_cost", Some(50.0)),
        ("forgives", Some(100.0)),
        ("attitudinal", None),
        ("repurchase", Some(50.0)),
    ] {
        assert_eq!(scores.value(name, 0), expected, "{name}");
    }
    let reasons = <Loyalty as Scoring>::explain(&model.bytes, &batch(&customers), &context()).unwrap();
    assert!(reasons[0].iter().any(|reason| reason.text.en.contains("1 answers outside of 1 to 10")));
}

#[test]
fn nobody_to_learn_from_is_an_error_and_damaged_models_are_refused() {
    let error = fit(&[Customer::default()]).unwrap_err();
    assert!(matches!(error, PluginError::UnsuitableData(_)), "{error}");
    let customers = [Customer { orders: 1, ..Customer::default() }];
    let model = fit(&customers).unwrap().bytes;
    for damaged in [&model[..model.len() - 1], &[9; 30], &[]] {
        let error = Loyalty::assign(damaged, &batch(&customers), &context()).unwrap_err();
        assert!(matches!(error, PluginError::UnreadableModel(_)), "{error}");
    }
}

fn responses(rows: &[(&'static str, &'static str, f64, &str)]) -> Batch {
    BatchBuilder::new(0..rows.len() as u64)
        .float64("score", rows.iter().map(|row| Some(row.2)))
        .time("answered_at", rows.iter().map(|row| Some(i64::from(day(row.3)) * 86_400_000)))
        .dictionary("kind", rows.iter().map(|row| Some(row.1)))
        .dictionary("survey", rows.iter().map(|row| Some(row.0)))
        .int64("score_min", rows.iter().map(|_| None))
        .int64("score_max", rows.iter().map(|_| None))
        .build()
}

#[test]
fn surveys_are_counted_on_their_scale() {
    let mut rows = vec![
        ("Spring", "nps", 10.0, "2026-01-31"),
        ("Spring", "nps", 9.0, "2026-02-01"),
        ("Spring", "nps", 7.0, "2026-02-01"),
    ];
    rows.extend([
        ("Spring", "nps", 0.0, "2026-02-28"),
        ("Spring", "nps", 11.0, "2026-02-28"),
        ("Desk", "csat", 5.0, "2026-02-28"),
    ]);
    let ask = |parameters: &str| {
        Loyalty::analyse(
            "satisfaction",
            &mut stream(split(&responses(&rows), 2)),
            parameters,
            &Config::default(),
            &context(),
        )
    };
    let spring = ask(r#"{"survey": "Spring"}"#).unwrap();
    assert_eq!(
        ["answers", "outside", "nps"].map(|name| spring.value(name)),
        [Some(4.0), Some(1.0), Some(25.0)]
    );
    let both = ask("{}").unwrap();
    assert_eq!(both.value("answers"), Some(5.0));
    assert_eq!(both.panels[0].rows(), 2);
    assert_eq!(both.panels[1].rows(), 3);
    assert!(ask(r#"{"survey": "Autumn"}"#).unwrap_err().to_string().contains("Autumn"));
    let twice = Loyalty::analyse(
        "questionnaire",
        &mut stream([]),
        r#"{"drivers": [1]}"#,
        &Config::default(),
        &context(),
    );
    assert!(
        matches!(twice.unwrap_err(), PluginError::InvalidParameters(text) if text.en.contains("question 1"))
    );
}

/// Answers to some of the twenty questions, each question's marks in the order of respondents.
fn answers(marks: &[(usize, &[f64])]) -> Batch {
    let respondents = marks.iter().map(|(_, marks)| marks.len()).max().unwrap_or(0);
    let of = |question: usize| {
        marks.iter().find(|(number, _)| *number == question).map_or(&[][..], |(_, marks)| marks)
    };
    let builder = BatchBuilder::new(0..respondents as u64)
        .dictionary("questionnaire", (0..respondents).map(|_| Some("2026")));
    let add = |builder: BatchBuilder, question: usize| {
        builder.float64(&format!("q{question}"), (0..respondents).map(|row| of(question).get(row).copied()))
    };
    (1..=20).fold(builder, add).build()
}

#[test]
fn a_questionnaire_may_have_any_number_of_questions() {
    let ask = |marks: &[(usize, &[f64])]| {
        let rows = &mut stream(split(&answers(marks), 2));
        Loyalty::analyse("questionnaire", rows, "{}", &Config::default(), &context()).unwrap()
    };
    // The outcome is the second question plus half of the fourth, and nobody was asked the third.
    let (second, fourth) = ([2.0, 4.0, 3.0, 6.0, 1.0], [2.0, 2.0, 6.0, 4.0, 8.0]);
    let outcome = [3.0, 5.0, 6.0, 8.0, 5.0];
    let report = ask(&[(1, &outcome), (2, &second), (4, &fourth)]);
    let drivers = report.panels.iter().find(|panel| panel.name == "drivers").unwrap();
    assert_eq!((drivers.rows(), report.panels[0].rows()), (3, 3), "the constant and two drivers");
    assert!((report.value("r_squared").unwrap() - 1.0).abs() < 1e-12);
    let alone = ask(&[(1, &outcome)]);
    assert_eq!((alone.value("respondents"), alone.value("nps")), (Some(5.0), Some(-80.0)));
    assert_eq!((alone.value("alpha"), alone.value("r_squared")), (None, None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn splitting_changes_nothing(
        rows in prop::collection::vec((0_i64..5, prop::option::of(0.0..12.0_f64), prop::option::of(0_i64..4), prop::option::of(-10.0..120.0_f64)), 1..40)
    ) {
        let customers: Vec<Customer> = rows
            .into_iter()
            .map(|(orders, rating, referrals, share)| {
                let mut numbers: Vec<_> = NUMBERS[..21].iter().enumerate().filter_map(|(place, name)| Some((*name, rating? + place as f64 / 10.0))).collect();
                numbers.extend(share.map(|share| ("discount_share", share)));
                Customer { orders, referrals, numbers, ..Customer::default() }
            })
            .collect();
        if let Ok(model) = fit(&customers) {
            let rows = batch(&customers);
            assert_splitting_changes_nothing::<Loyalty>(&model.bytes, &rows, &context());
            assert_splitting_changes_no_score::<Loyalty>(&model.bytes, &rows, &context());
            let scores = Loyalty::score(&model.bytes, &rows, &context()).unwrap();
            for name in scores.names() {
                for row in 0..rows.rows() {
                    prop_assert!(scores.value(name, row).is_none_or(|value| (0.0..=100.0).contains(&value)));
                }
            }
            prop_assert_eq!(fit(&customers).unwrap(), model);
        }
    }
}
