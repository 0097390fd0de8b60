//! The plugin's laws on small and made-up populations.

use customer_lifetime::{BgNbd, Choice, Config, CustomerLifetime, Histories, History, ParetoNbd};
use proptest::prelude::*;
use trellis_sdk::testing::{BatchBuilder, assert_splitting_changes_no_score, context, split, stream};
use trellis_sdk::{Batch, Context, LearnedBy, Model, ModelReport, PluginError, Result, Rng, Scoring, math};

const AS_OF: i32 = 10_000;

fn at() -> Context {
    Context { as_of: AS_OF, ..context() }
}

/// Days from the first purchase to the last, days since, days with a purchase, fen, fen after the first day.
type Customer = (i32, i32, i64, i64, i64);

fn batch(customers: &[Option<Customer>]) -> Batch {
    let last = |customer: Customer| AS_OF - customer.1;
    let of = |figure: fn(Customer) -> i64| customers.iter().map(move |customer| customer.map(figure));
    BatchBuilder::new(1..=customers.len() as u64)
        .date(
            "first_order",
            customers.iter().map(|customer| customer.map(|customer| last(customer) - customer.0)),
        )
        .date("last_order", customers.iter().map(|customer| customer.map(last)))
        .int64("purchase_days", of(|customer| customer.2))
        .money("spent", "CNY", of(|customer| customer.3))
        .money("repeat_spent", "CNY", of(|customer| customer.4))
        .build()
}

fn fit(batch: &Batch, config: &Config) -> Result<Model> {
    CustomerLifetime::fit(&mut stream(split(batch, 50)), config, &at())
}

fn figure(model: &Model, name: &str) -> Option<f64> {
    Some(model.metrics.iter().find(|metric| metric.name == name)?.value)
}

fn customer() -> impl Strategy<Value = Customer> {
    (0..800_i32, 0..900_i32, -500..90_000_i64, -500..90_000_i64).prop_flat_map(
        |(between, since, first, repeat)| {
            let fewest = if between == 0 { 1 } else { 2 };
            let days = fewest..=i64::from(between) + 1;
            days.prop_map(move |days| {
                let repeat = if days > 1 { repeat } else { 0 };
                (between, since, days, first + repeat, repeat)
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn scores_keep_their_ranges_and_do_not_depend_on_splitting(
        customers in prop::collection::vec(prop::option::weighted(0.9, customer()), 1..60),
        pareto: bool,
    ) {
        let rows = batch(&customers);
        let model = if pareto { Choice::ParetoNbd } else { Choice::BgNbd };
        let config = Config { model, ..Config::default() };
        match fit(&rows, &config) {
            Err(error) => prop_assert!(customers.iter().all(Option::is_none), "{error}"),
            Ok(model) => {
                assert_splitting_changes_no_score::<CustomerLifetime>(&model.bytes, &rows, &at());
                let scores = CustomerLifetime::score(&model.bytes, &rows, &at()).unwrap();
                for described in CustomerLifetime::describe(&config).unwrap() {
                    for row in 0..customers.len() {
                        if let Some(value) = scores.value(&described.name, row) {
                            prop_assert!(value.is_finite() && value >= 0.0 && value <= described.maximum.unwrap(), "{} is {value}", described.name);
                        }
                    }
                }
                CustomerLifetime::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
            }
        }
    }

    /// Expectations grow with the horizon and shrink with silence, whatever the parameters.
    #[test]
    fn expectations_are_ordered(
        logarithms in prop::array::uniform4(-3.0..3.0_f64),
        between in 1..500_u32,
        silence in 0..500_u32,
        repeats in 1..40_u32,
    ) {
        let [one, two, three, four] = logarithms.map(f64::exp);
        let repeats = repeats.min(between);
        let history = |silence: u32| History { repeats, last_days: between, age_days: between + silence };
        let bg = BgNbd { r: one, alpha: two, a: three, b: four };
        let pareto = ParetoNbd { r: one, alpha: two, s: three, beta: four };
        for expected in [
            [4.0, 30.0, 200.0].map(|weeks| bg.expected(&history(silence), weeks)),
            [4.0, 30.0, 200.0].map(|weeks| pareto.expected(&history(silence), weeks)),
        ] {
            prop_assert!(expected.is_sorted() && expected.iter().all(|value| value.is_finite() && *value >= 0.0), "{expected:?}");
        }
        prop_assert!(bg.alive(&history(silence + 50)) <= bg.alive(&history(silence)));
        prop_assert!(pareto.alive(&history(silence + 50)) <= pareto.alive(&history(silence)) + 1e-12);
    }
}

fn exponential(rng: &mut Rng, rate: f64) -> f64 {
    -math::log(1.0 - rng.unit()) / rate
}

/// Customers who buy at rates that are Gamma(2, 8 weeks) and stop after each purchase with a probability that is Beta(1, 2): the plugin finds them.
#[test]
fn a_population_of_the_model_is_recognised() {
    let mut rng = Rng::from_seed(11);
    let histories = (0..6_000)
        .map(|number| {
            let rate = (exponential(&mut rng, 1.0) + exponential(&mut rng, 1.0)) / 8.0;
            let stops = 1.0 - rng.unit().sqrt();
            let age_days = 200 + number % 365;
            let (mut weeks, mut repeats, mut last_days) = (0.0, 0, 0);
            loop {
                weeks += exponential(&mut rng, rate);
                let day = (7.0 * weeks).round() as u32;
                if day > age_days {
                    break;
                }
                // Purchases of one day are one.
                if day > last_days {
                    (repeats, last_days) = (repeats + 1, day);
                }
                if rng.unit() < stops {
                    break;
                }
            }
            History { repeats, last_days, age_days }
        })
        .collect();
    let found = BgNbd::fit(&Histories::new(histories)).unwrap();
    let (rate, stop) = (found.model.r / found.model.alpha, found.model.a / (found.model.a + found.model.b));
    assert!(found.is_flat && (rate - 0.25).abs() < 0.02 && (stop - 1.0 / 3.0).abs() < 0.04, "{found:?}");
}

#[test]
fn too_few_who_come_back_leave_the_simple_formula() {
    for customers in [
        vec![Some((0, 30, 1, 5_000, 0))],
        vec![Some((0, 30, 1, 5_000, 0)), Some((90, 10, 4, 40_000, 30_000)), None],
        vec![Some((0, 0, 1, 0, 0)); 3],
        vec![Some((0, 100, 1, 5_000, 0)); 500],
    ] {
        let rows = batch(&customers);
        let model = fit(&rows, &Config { holdout_days: 0, ..Config::default() }).unwrap();
        let scores = CustomerLifetime::score(&model.bytes, &rows, &at()).unwrap();
        assert_eq!((scores.value("alive", 0), scores.value("expected_purchases", 0)), (None, None));
        assert_eq!(scores.value("clv", 0), scores.value("simple_clv", 0));
        assert!(scores.value("clv", 0).is_some_and(|value| value >= 0.0));
        assert!(model.summary.en.contains("simple formula") && model.summary.zh_cn.contains("简单公式"));
        assert_eq!(figure(&model, "log_likelihood"), None);
    }
}

/// A spend of 100 CNY a purchase, a margin of 50 %, two years without discount, and the population's pace, which is the customer's own.
#[test]
fn the_simple_formula_is_margin_times_frequency_times_lifetime() {
    let rows = batch(&[Some((1_260, 0, 181, 1_810_000, 1_800_000)); 4]);
    let config = Config {
        margin_percent: 50.0,
        lifetime_years: 2.0,
        discount_percent_yearly: 0.0,
        ..Config::default()
    };
    let model = fit(&rows, &config).unwrap();
    let scores = CustomerLifetime::score(&model.bytes, &rows, &at()).unwrap();
    // Every seven days once.
    let expected = 100.0 * 0.5 * 365.25 / 7.0 * 2.0;
    assert!((scores.value("simple_clv", 0).unwrap() - expected).abs() < 1e-6 * expected);
    let discounted = Config { discount_percent_yearly: 10.0, ..config };
    let model = fit(&rows, &discounted).unwrap();
    let scores = CustomerLifetime::score(&model.bytes, &rows, &at()).unwrap();
    let years = (1.0 - 1.1_f64.powi(-2)) / 1.1_f64.ln();
    assert!((scores.value("simple_clv", 0).unwrap() - expected / 2.0 * years).abs() < 1e-6 * expected);
}

/// Without an order nothing is the customer's own: the population's pace and spend, or those of the settings, say what it may bring.
#[test]
fn who_never_bought_is_valued_by_what_is_expected_of_anybody() {
    let rows = batch(&[Some((1_260, 0, 181, 1_810_000, 1_800_000)), None]);
    let plain = Config { lifetime_years: 2.0, discount_percent_yearly: 0.0, ..Config::default() };
    let own = Config { expected_orders_yearly: Some(6.0), expected_spend: Some(20.0), ..plain };
    for (config, spend, simple) in [(plain, 100.0, 100.0 * 365.25 / 7.0 * 2.0), (own, 20.0, 20.0 * 6.0 * 2.0)]
    {
        let model = fit(&rows, &config).unwrap();
        let scores = CustomerLifetime::score(&model.bytes, &rows, &at()).unwrap();
        assert_eq!((scores.value("alive", 1), scores.value("clv", 1)), (None, None));
        assert!((scores.value("expected_spend", 1).unwrap() - spend).abs() < 1e-9 * spend);
        assert!((scores.value("simple_clv", 1).unwrap() - simple).abs() < 1e-9 * simple);
        let reasons = CustomerLifetime::explain(&model.bytes, &rows, &at()).unwrap();
        let codes: Vec<_> = reasons[1].iter().map(|reason| reason.code.as_str()).collect();
        assert_eq!(codes, ["prospect"]);
    }
    // Where nobody bought at all, the settings alone say it.
    let prospects = batch(&[None, None]);
    let model = fit(&prospects, &own).unwrap();
    let scores = CustomerLifetime::score(&model.bytes, &prospects, &at()).unwrap();
    assert!((scores.value("simple_clv", 0).unwrap() - 240.0).abs() < 1e-9);
    assert!(fit(&prospects, &plain).unwrap_err().to_string().contains("no customer has an order"));
}

#[test]
fn reasons_state_horizon_currency_and_discount() {
    let customers: Vec<_> =
        (0..40).map(|number| Some((90 + number, 20, 3 + i64::from(number % 5), 30_000, 20_000))).collect();
    let rows = batch(&customers);
    let model = fit(&rows, &Config::default()).unwrap();
    let reasons = CustomerLifetime::explain(&model.bytes, &rows, &at()).unwrap().remove(0);
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code.as_str()).collect();
    assert_eq!(codes, ["activity", "purchases", "spend", "value"]);
    let value = &reasons.last().unwrap().text;
    assert!(
        value.en.contains("CNY over 52 weeks at a margin of 100 % and 10 % discount a year"),
        "{}",
        value.en
    );
    assert!(value.zh_cn.contains("52 周价值"), "{}", value.zh_cn);
    let rules = CustomerLifetime::rules(&model.bytes).unwrap();
    assert!(rules.en.contains("| alpha |") && rules.zh_cn.contains("最大似然"));
}

#[test]
fn what_cannot_be_used_is_refused_by_name() {
    let rows = batch(&[Some((90, 40, 4, 100, 50)), Some((300, 5, 4, 100, 50))]);
    let model = fit(&rows, &Config::default()).unwrap();
    let odd =
        batch(&[Some((5, -3, 2, 1, 1)), Some((5, 3, 9, 1, 1)), Some((0, 3, 2, 1, 1)), Some((5, 3, 1, 1, 1))]);
    let scores = CustomerLifetime::score(&model.bytes, &odd, &at()).unwrap();
    let failed: Vec<_> = scores.failed().iter().map(|failed| (failed.row, failed.code.as_str())).collect();
    let contradict = "purchase-days-contradict";
    assert_eq!(failed, [(0, "order-after-as-of"), (1, contradict), (2, contradict), (3, contradict)]);
    for damaged in [&model.bytes[..model.bytes.len() - 1], &[9; 40], &[]] {
        assert!(matches!(
            CustomerLifetime::score(damaged, &rows, &at()),
            Err(PluginError::UnreadableModel(_))
        ));
    }
    assert!(matches!(fit(&batch(&[None]), &Config::default()), Err(PluginError::UnsuitableData(_))));
    let bad = Config { horizon_weeks: 0, ..Config::default() };
    assert!(fit(&rows, &bad).unwrap_err().to_string().contains("`horizon_weeks` is 0"));
    let dollars = BatchBuilder::new([1])
        .date("first_order", [None])
        .date("last_order", [None])
        .int64("purchase_days", [None])
        .money("spent", "USD", [None])
        .money("repeat_spent", "USD", [None])
        .build();
    assert!(CustomerLifetime::score(&model.bytes, &dollars, &at()).unwrap_err().to_string().contains("CNY"));
}
