//! The plugin's laws on made-up populations, and what it recovers of a population drawn from its own model.

use next_purchase::{Config, NextPurchase};
use proptest::prelude::*;
use trellis_sdk::testing::{BatchBuilder, assert_splitting_changes_no_score, context, split, stream};
use trellis_sdk::{Batch, Context, LearnedBy, Model, ModelReport, PluginError, Result, Rng, Scoring, math};

const AS_OF: i32 = 10_000;

fn at() -> Context {
    Context { as_of: AS_OF, ..context() }
}

/// Days from the first purchase to the last, days since, days with a purchase.
type Customer = (i32, i32, i64);

fn batch(customers: &[Option<Customer>]) -> Batch {
    let last = |customer: Customer| AS_OF - customer.1;
    BatchBuilder::new(1..=customers.len() as u64)
        .date(
            "first_order",
            customers.iter().map(|customer| customer.map(|customer| last(customer) - customer.0)),
        )
        .date("last_order", customers.iter().map(|customer| customer.map(last)))
        .int64("purchase_days", customers.iter().map(|customer| customer.map(|customer| customer.2)))
        .build()
}

fn fit(batch: &Batch) -> Result<Model> {
    NextPurchase::fit(&mut stream(split(batch, 50)), &Config::default(), &at())
}

fn customer() -> impl Strategy<Value = Customer> {
    (0..800_i32, 0..900_i32).prop_flat_map(|(between, since)| {
        let fewest = if between == 0 { 1 } else { 2 };
        (Just(between), Just(since), fewest..=i64::from(between) + 1)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn scores_keep_their_ranges_and_do_not_depend_on_splitting(customers in prop::collection::vec(prop::option::of(customer()), 1..80)) {
        let rows = batch(&customers);
        match fit(&rows) {
            Err(error) => prop_assert!(matches!(error, PluginError::UnsuitableData(_))),
            Ok(model) => {
                assert_splitting_changes_no_score::<NextPurchase>(&model.bytes, &rows, &at());
                let has_rhythm = model.metrics.iter().any(|metric| metric.name == "p");
                let scores = NextPurchase::score(&model.bytes, &rows, &at()).unwrap();
                for described in NextPurchase::describe(&Config::default()).unwrap() {
                    for (row, customer) in customers.iter().enumerate() {
                        let value = scores.value(&described.name, row);
                        prop_assert_eq!(value.is_some(), customer.is_some() && has_rhythm);
                        if let Some(value) = value {
                            prop_assert!(value >= described.minimum.unwrap() && value <= described.maximum.unwrap(), "{} is {value}", described.name);
                        }
                    }
                }
            }
        }
    }

    /// Of two customers with the same rhythm the one who was here later is less late, and never more likely gone.
    #[test]
    fn lateness_grows_with_silence(between in 1..600_i32, days in 2..20_i64, since in 0..400_i32, more in 1..400_i32) {
        let days = days.min(i64::from(between) + 1);
        let rows = batch(&[Some((between, since, days)), Some((between, since + more, days)), Some((60, 10, 5)), Some((400, 10, 3))]);
        let model = fit(&rows).unwrap();
        let scores = NextPurchase::score(&model.bytes, &rows, &at()).unwrap();
        prop_assert!(scores.value("lateness", 1).unwrap() >= scores.value("lateness", 0).unwrap());
    }
}

/// A gamma variable as a sum of exponential ones.
fn gamma(rng: &mut Rng, shape: u32) -> f64 {
    (0..shape).map(|_| -math::log(1.0 - rng.unit())).sum()
}

/// Customers whose times are Gamma(3) and whose rates are Gamma(4, 200 days): whom the model says to buy within 30 days, do so as often as it says.
#[test]
fn predictions_hold_in_a_population_of_the_model() {
    let mut rng = Rng::from_seed(5);
    let (mut customers, mut next) = (Vec::new(), Vec::new());
    for _ in 0..4_000 {
        let rate = gamma(&mut rng, 4) / 200.0;
        let count = 1 + rng.below(8) as i64;
        let mut between = 0.0;
        for _ in 0..count {
            between += gamma(&mut rng, 3) / rate;
        }
        let coming = gamma(&mut rng, 3) / rate;
        // Seen so many days after the last purchase, if nothing was bought since.
        let since = rng.below(60) as f64;
        if coming <= since {
            continue;
        }
        let between = (between.round() as i32).max(count as i32);
        customers.push(Some((between, since as i32, count + 1)));
        next.push(coming - since);
    }
    let rows = batch(&customers);
    let model = fit(&rows).unwrap();
    let figure = |name: &str| model.metrics.iter().find(|metric| metric.name == name).unwrap().value;
    assert!(
        (figure("p") - 3.0).abs() < 0.3 && (figure("q") - 4.0).abs() < 0.6,
        "{} {}",
        figure("p"),
        figure("q")
    );
    let scores = NextPurchase::score(&model.bytes, &rows, &at()).unwrap();
    let seen = next.len();
    assert!(seen > 3_000);
    let mean = |name: &str| (0..seen).map(|row| scores.value(name, row).unwrap()).sum::<f64>() / seen as f64;
    let cycles = mean("cycle_days");
    assert!((cycles - 200.0).abs() < 25.0, "the mean of 3 · 200 / (4 - 1) days is {cycles}");
    let later = (0..seen).filter(|row| next[*row] > scores.value("days_to_purchase", *row).unwrap()).count();
    assert!(
        (later as f64 / seen as f64 - 0.5).abs() < 0.03,
        "half come later than the median: {later} of {seen}"
    );
    let within = next.iter().filter(|days| **days <= 30.0).count() as f64 / seen as f64;
    assert!((within - mean("purchase_probability")).abs() < 0.03, "{within}");
}

#[test]
fn reasons_and_reports_speak_both_languages() {
    let rows = batch(&[Some((90, 40, 4)), Some((0, 10, 1)), None, Some((300, 5, 4)), Some((20, 90, 3))]);
    let model = fit(&rows).unwrap();
    let reasons = NextPurchase::explain(&model.bytes, &rows, &at()).unwrap();
    let codes = |row: usize| reasons[row].iter().map(|reason| reason.code.as_str()).collect::<Vec<_>>();
    assert_eq!(codes(0), ["next-purchase", "lateness", "cycle", "window"]);
    assert_eq!(codes(2), ["no-orders"]);
    assert!(
        reasons[0][2].text.en.starts_with("came back 3 times, every 30 days"),
        "{}",
        reasons[0][2].text.en
    );
    assert!(reasons[1][2].text.zh_cn.starts_with("只在一天购买过"));
    let report = NextPurchase::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
    assert_eq!(report.panels.len(), 4);
    assert!(
        report
            .panels
            .iter()
            .all(|panel| !panel.label.zh_cn.is_empty() && !panel.description.zh_cn.is_empty())
    );
    assert!(NextPurchase::rules(&model.bytes).unwrap().zh_cn.contains("伽马分布"));
}

/// A young shop: the run succeeds, nothing is predicted, and it is said why.
#[test]
fn one_customer_who_came_back_makes_no_rhythm() {
    let rows = batch(&[Some((0, 3, 1)), Some((50, 3, 2)), None]);
    let model = fit(&rows).unwrap();
    assert!(model.summary.en.contains("1 of 2 customers bought on two days"), "{}", model.summary.en);
    let scores = NextPurchase::score(&model.bytes, &rows, &at()).unwrap();
    assert!(
        (0..3)
            .all(|row| scores.value("cycle_days", row).is_none() && scores.value("lateness", row).is_none())
    );
    let reasons = NextPurchase::explain(&model.bytes, &rows, &at()).unwrap();
    let codes: Vec<_> = reasons.iter().map(|reasons| reasons[0].code.as_str()).collect();
    assert_eq!(codes, ["no-rhythm", "no-rhythm", "no-orders"]);
    let report = NextPurchase::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
    assert!(report.panels.is_empty() && report.summary.zh_cn.contains("无法判断购买节奏"));
}

#[test]
fn what_cannot_be_used_is_refused_by_name() {
    let error = fit(&batch(&[None, None])).unwrap_err();
    assert!(error.to_string().contains("no customer has an order"), "{error}");
    let bad = Config { overdue_percent: 97.0, ..Config::default() };
    assert!(NextPurchase::describe(&bad).unwrap_err().to_string().contains("`overdue_percent` is 97"));

    let rows = batch(&[Some((90, 40, 4)), Some((300, 5, 4))]);
    let model = fit(&rows).unwrap();
    let odd = batch(&[Some((5, -3, 2)), Some((5, 3, 9)), Some((0, 3, 2)), Some((5, 3, 1)), Some((5, 3, 2))]);
    let scores = NextPurchase::score(&model.bytes, &odd, &at()).unwrap();
    let failed: Vec<_> = scores.failed().iter().map(|failed| (failed.row, failed.code.as_str())).collect();
    let contradict = "purchase-days-contradict";
    assert_eq!(failed, [(0, "order-after-as-of"), (1, contradict), (2, contradict), (3, contradict)]);
    assert!(scores.value("lateness", 4).is_some());
    for damaged in [&model.bytes[..model.bytes.len() - 1], &[9; 40], &[]] {
        assert!(matches!(NextPurchase::score(damaged, &rows, &at()), Err(PluginError::UnreadableModel(_))));
    }
}
