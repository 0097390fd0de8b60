//! What makes customers loyal, of customers made so that each answer is known.

use serde_json::{Map, Value as Json, json};

use crate::support::{World, figures, number};

const AS_OF: &str = "2026-06-30";
const INTENTS: [&str; 4] = ["repurchase_intent", "cross_buy_intent", "referral_intent", "price_tolerance"];
const SWITCHING_COSTS: [&str; 6] =
    ["cost_investment", "cost_risk", "cost_contract", "cost_learning", "cost_search", "cost_relations"];

/// What a customer answered, and how often it bought within the last hundred days.
struct Customer {
    name: String,
    fields: Map<String, Json>,
    orders: i64,
}

fn customer(name: &str, orders: i64, answers: &[(&str, Json)]) -> Customer {
    let fields = answers.iter().map(|(name, value)| (format!("loyalty__{name}"), value.clone())).collect();
    Customer { name: name.to_owned(), fields, orders }
}

fn intents(rating: f64) -> Vec<(&'static str, Json)> {
    INTENTS.iter().map(|name| (*name, json!(rating))).collect()
}

fn with(mut answers: Vec<(&'static str, Json)>, more: &[(&'static str, Json)]) -> Vec<(&'static str, Json)> {
    answers.extend_from_slice(more);
    answers
}

/// Who differs in attitude and behaviour, has evidence of one kind of loyalty, or is satisfied with what it takes for granted alone.
fn characters() -> Vec<Customer> {
    let expectations = |basic: f64, latent: f64| {
        [("basic_expectations", json!(basic)), ("latent_expectations", json!(latent))]
    };
    let cheap = [("repurchase_intent", json!(3)), ("convenience", json!(8))];
    let trust = [("credibility", json!(10)), ("benevolence", json!(5.5))];
    let switching = [("cost_risk", json!(1)), ("cost_search", json!(10))];
    vec![
        customer("true", 9, &intents(9.0)),
        customer("latent", 1, &intents(9.0)),
        customer("spurious", 9, &intents(2.0)),
        customer("none", 1, &intents(2.0)),
        customer("monopoly", 3, &[("single_supplier", json!(true))]),
        customer("kinship", 3, &[("is_kin", json!(true))]),
        customer("blocked", 3, &[("is_blocked", json!(true))]),
        customer("price", 3, &[("discount_share", json!(80))]),
        customer("incentive", 3, &[("reward_share", json!(80))]),
        customer("premium", 9, &with(intents(10.0), &[("referrals", json!(2))])),
        customer("inertia", 9, &cheap),
        customer("trapped", 3, &with(intents(5.0), &expectations(9.0, 3.0))),
        customer("free", 3, &with(intents(5.0), &expectations(4.0, 3.0))),
        customer("trusting", 3, &with(trust.to_vec(), &switching)),
    ]
}

/// Eighteen customers whose metrics follow from four determinants by these weights; the costs of switching reach the first and the last alone.
const WEIGHTS: [[f64; 4]; 4] =
    [[0.2, 0.3, 0.1, 0.25], [0.4, 0.1, 0.2, 0.0], [0.1, 0.5, 0.2, 0.0], [0.3, 0.1, 0.1, 0.15]];

fn lawful() -> Vec<Customer> {
    let mut customers = Vec::new();
    for (value, satisfaction) in [(2.0, 9.0), (4.0, 3.0), (6.0, 7.0), (8.0, 5.0), (9.0, 8.0), (3.0, 4.0)] {
        for (trust, cost) in [(3.0, 8.0), (7.0, 2.0), (5.0, 6.0)] {
            let inputs = [value, satisfaction, trust, cost];
            let metric = |weights: &[f64; 4]| {
                1.0 + weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum::<f64>()
            };
            let mut answers: Vec<(&str, Json)> =
                INTENTS.iter().zip(&WEIGHTS).map(|(name, weights)| (*name, json!(metric(weights)))).collect();
            answers.extend([
                ("perceived_value", json!(value)),
                ("satisfaction", json!(satisfaction)),
                ("credibility", json!(trust)),
                ("benevolence", json!(trust)),
            ]);
            answers.extend(SWITCHING_COSTS.iter().map(|name| (*name, json!(cost))));
            customers.push(customer(&format!("lawful {}", customers.len()), 3, &answers));
        }
    }
    customers
}

/// R51 to R58.
#[test]
fn r51_r58_loyalty_has_its_types_kinds_determinants_and_traps() {
    let world = World::new();
    world.server.install("loyalty", AS_OF, "{}");
    let everybody: Vec<Customer> = characters().into_iter().chain(lawful()).collect();
    let mut ids = std::collections::BTreeMap::new();
    for customer in &everybody {
        let orders: Vec<(i64, f64)> = (0..customer.orders).map(|order| (10 * order + 5, 20.0)).collect();
        let fields = Json::Object(customer.fields.clone());
        ids.insert(customer.name.as_str(), world.customer(&customer.name, &fields, AS_OF, &orders));
    }
    let job = world.api.run_plugin("loyalty");
    assert_eq!(job["state"], "succeeded", "{job}");

    let segments =
        ["loyalty_type", "loyalty_kind", "satisfaction_trap"].map(|name| format!("segment.loyalty__{name}"));
    let scores = ["attitudinal", "trust", "switching_cost", "behavioural"]
        .map(|name| format!("score.loyalty__{name}"));
    let columns: Vec<&str> = segments.iter().chain(&scores).map(String::as_str).collect();
    let found = world.results(&columns);
    for name in ["true", "latent", "spurious", "none"] {
        assert_eq!(found[name][&segments[0]], name, "{name}");
    }
    for (name, kind) in [
        ("monopoly", "monopoly"),
        ("kinship", "kinship"),
        ("blocked", "latent"),
        ("price", "price"),
        ("incentive", "incentive"),
        ("premium", "premium"),
        ("inertia", "inertia"),
        ("none", "none"),
    ] {
        assert_eq!(found[name][&segments[1]], kind, "{name}");
    }
    for (name, trap) in [("trapped", "trapped"), ("free", "free")] {
        assert_eq!(found[name][&segments[2]], trap, "{name}");
    }
    assert_eq!(number(&found["premium"][&scores[0]]), 100.0);
    assert_eq!(
        (number(&found["trusting"][&scores[1]]), number(&found["trusting"][&scores[2]])),
        (75.0, 50.0)
    );
    assert!(number(&found["true"][&scores[3]]) > number(&found["none"][&scores[3]]));
    let why = |language| world.reasons(language, "segmentations", "loyalty__loyalty_kind", &ids["price"]);
    assert!(why("en").contains("Price loyalty: 80 % bought at a discount"), "{}", why("en"));
    assert!(why("zh-CN").contains("价格忠诚"), "{}", why("zh-CN"));

    let report = world.report("loyalty");
    let weights = figures(&report, "determinants", "weight");
    for (found, expected) in weights.iter().zip(WEIGHTS.as_flattened()) {
        assert!((found - expected).abs() < 1e-6, "{weights:?}");
    }
    assert_eq!(weights.len(), 16);
    assert_eq!(
        (weights[7], weights[11]),
        (0.0, 0.0),
        "switching costs reach neither cross-buying nor recommending"
    );
    assert_eq!(figures(&report, "types", "customers").len(), 4);
}
