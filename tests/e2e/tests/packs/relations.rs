//! What a customer is worth and where the relation with it stands, of customers made so that each answer is known.

use serde_json::{Value as Json, json};

use crate::support::{World, close, column, figures, metric, money, number};

const AS_OF: &str = "2026-06-30";

/// A customer: its name, its fields, and its orders as days before and amounts.
type Customer<'a> = (&'a str, Json, &'a [(i64, f64)]);

impl World {
    fn customers(&self, customers: &[Customer<'_>]) -> Vec<String> {
        customers.iter().map(|(name, fields, orders)| self.customer(name, fields, AS_OF, orders)).collect()
    }

    /// One column of everybody, in the order of the names.
    fn of_all(&self, customers: &[Customer<'_>], column: &str) -> Vec<Json> {
        let found = self.results(&[column]);
        customers.iter().map(|(name, ..)| found[*name].get(column).cloned().unwrap_or_default()).collect()
    }
}

fn counts(report: &Json, panel: &str) -> Vec<f64> {
    figures(report, panel, "customers")
}

/// R28, R29: eight customers of whom one is platinum, two are gold, two iron and three lead; what each tier brings and costs, who moved
/// within the last 90 days, and who does not pay for which reason.
#[test]
fn r28_r29_the_pyramid_has_its_tiers_movements_and_customers_who_do_not_pay() {
    let world = World::new();
    world.add_field("account", "serving_cost", "money");
    let cost = |amount: f64| json!({ "serving_cost": money(amount) });
    let customers: [Customer<'_>; 8] = [
        ("A", cost(100.0), &[(200, 500.0), (150, 500.0), (100, 500.0), (50, 500.0)]),
        ("B", cost(700.0), &[(150, 90.0), (20, 710.0)]),
        ("C", cost(300.0), &[(300, 250.0), (200, 250.0), (100, 250.0)]),
        ("D", cost(600.0), &[(250, 100.0), (220, 100.0), (190, 100.0), (160, 100.0), (10, 100.0)]),
        ("E", json!({}), &[(300, 150.0), (200, 150.0)]),
        ("F", cost(250.0), &[(100, 200.0)]),
        ("G", cost(80.0), &[(130, 10.0), (120, 10.0), (110, 10.0), (50, 10.0), (40, 10.0), (30, 10.0)]),
        ("H", cost(1500.0), &[(200, 40.0)]),
    ];
    let ids = world.customers(&customers);
    world.enable("value-pyramid", AS_OF, &json!({ "tiers": [12.5, 25, 25, 37.5], "cost": "serving_cost" }));
    let report = world.report("value-pyramid");
    assert_eq!(counts(&report, "tiers"), [1.0, 2.0, 2.0, 3.0]);
    assert_eq!(figures(&report, "tiers", "revenue"), [2000.0, 1550.0, 800.0, 300.0]);
    // From each tier and from nowhere, into each tier.
    let movement = counts(&report, "movement");
    let from = |tier: usize| movement[4 * tier..4 * tier + 4].to_vec();
    assert_eq!(from(0), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(from(1), [0.0, 1.0, 1.0, 0.0], "D fell to iron");
    assert_eq!(from(2), [0.0, 0.0, 1.0, 1.0], "F fell to lead");
    assert_eq!(from(3), [0.0, 1.0, 0.0, 2.0], "B rose to gold");
    assert_eq!(from(4), [0.0; 4], "nobody is new");
    // Nobody knows what E costs.
    assert_eq!(counts(&report, "profit"), [1.0, 2.0, 1.0, 3.0]);
    assert_eq!(figures(&report, "profit", "cost"), [100.0, 1000.0, 600.0, 1830.0]);
    assert_eq!(figures(&report, "profit", "profit"), [1900.0, 550.0, -100.0, -1530.0]);
    let codes = column(&report, "causes", "code");
    let causes = codes.iter().zip(counts(&report, "causes")).filter(|(_, count)| *count > 0.0);
    let mut causes: Vec<(&str, f64)> = causes.map(|(code, count)| (code.as_str().unwrap(), count)).collect();
    causes.sort_by_key(|(code, _)| *code);
    assert_eq!(
        causes,
        [("few-orders", 1.0), ("high-cost", 1.0), ("small-orders", 1.0), ("small-orders", 1.0)]
    );
    let profit = "score.value_pyramid__profit";
    let found = world.of_all(&customers, profit);
    assert_eq!((number(&found[1]), number(&found[7]), &found[4]), (100.0, -1460.0, &Json::Null));
    let why = |language| world.reasons(language, "scores", "value_pyramid__profit", &ids[7]);
    assert!(why("en").contains("costs twice the average or more"), "{}", why("en"));
    assert!(why("zh-CN").contains("服务成本达到平均值两倍以上"), "{}", why("zh-CN"));
    // What each tier calls for.
    let advice = column(&report, "strategy", "advice");
    assert!(
        advice[0].as_str().unwrap().contains("Retain") && advice[3].as_str().unwrap().contains("Fix or drop")
    );
}

fn ratings(values: f64, costs: f64) -> Json {
    let names = |names: [&str; 4], rating: f64| names.map(|name| (format!("customer_value__{name}"), rating));
    let values = names(["product_value", "service_value", "people_value", "image_value"], values);
    let costs = names(["time_cost", "mental_cost", "physical_cost", "money_cost"], costs);
    values.into_iter().chain(costs).map(|(name, rating)| (name, json!(rating))).collect()
}

/// R30 to R33, R60, R150: four parts of value with weights, three contributions, what is got less what is given, our share of the wallet.
#[test]
fn r30_r33_r60_r150_value_is_weighed_delivered_captured_and_a_share_of_the_wallet() {
    let world = World::new();
    world.server.install("customer-value", AS_OF, "{}");
    let with = |mut fields: Json, more: Json| {
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    };
    let best = with(
        ratings(10.0, 1.0),
        json!({
            "customer_value__potential": 10, "customer_value__satisfaction": 5.5, "customer_value__influence": 1,
            "customer_value__estimated_spend": money(4000.0), "customer_value__spend_source": "survey",
            "customer_value__spend_estimated_on": "2026-06-20", "customer_value__rated_on": "2026-05-31"
        }),
    );
    let worst = with(ratings(1.0, 10.0), json!({ "customer_value__estimated_spend": money(2000.0) }));
    let partly = json!({ "customer_value__product_value": 8, "customer_value__money_cost": 3 });
    let customers: [Customer<'_>; 4] = [
        ("best", best, &[(100, 500.0), (10, 500.0)]),
        ("worst", worst, &[(300, 400.0), (200, 400.0), (100, 400.0), (10, 400.0)]),
        ("partly", partly, &[(30, 10.0)]),
        ("silent", json!({}), &[(30, 900.0)]),
    ];
    let ids = world.customers(&customers);
    let job = world.api.run_plugin("customer-value");
    assert_eq!(job["state"], "succeeded", "{job}");
    let scores = |name: &str| {
        let found = world.of_all(&customers, &format!("score.customer_value__{name}"));
        found.iter().map(Json::as_f64).collect::<Vec<_>>()
    };
    // Ranks of four by amount (10, 900, 1,000, 1,600) and by number of orders (1, 1, 2, 4).
    assert_eq!(scores("history"), [Some(62.5), Some(87.5), Some(18.75), Some(31.25)]);
    let value = 0.4 * 62.5 + 0.25 * 100.0 + 0.2 * 50.0 + 0.15 * 0.0;
    close(scores("value")[0].unwrap(), value, 1e-12, 0.0, "value");
    close(scores("composite")[0].unwrap(), (0.5 * 62.5 + 0.3 * 100.0) / 0.8, 1e-12, 0.0, "contribution");
    assert_eq!(scores("total_value"), [Some(40.0), Some(4.0), Some(32.0), None]);
    assert_eq!(scores("total_cost"), [Some(4.0), Some(40.0), Some(12.0), None]);
    assert_eq!(scores("delivered_value"), [Some(36.0), Some(-36.0), Some(20.0), None]);
    assert_eq!(scores("share_of_wallet"), [Some(25.0), Some(80.0), None, None]);
    // Nobody bought in the year before.
    assert_eq!(scores("share_of_wallet_change"), [Some(25.0), Some(80.0), None, None]);
    let quadrants = world.of_all(&customers, "segment.customer_value__quadrant");
    assert_eq!(quadrants, [json!("synergy"), json!("harvested"), json!("generous"), Json::Null]);
    let report = world.report("customer-value");
    assert_eq!(counts(&report, "quadrants"), [1.0, 1.0, 1.0, 0.0]);
    assert_eq!(counts(&report, "wallet_changes"), [0.0, 0.0, 2.0]);
    assert_eq!(counts(&report, "delivered_trend"), [1.0], "one has said when it rated");
    let why = world.reasons("en", "segmentations", "customer_value__quadrant", &ids[0]);
    assert!(why.contains("share of wallet 25 %") && why.contains("(survey, 10 days ago)"), "{why}");
    let why = world.reasons("zh-CN", "scores", "customer_value__value", &ids[0]);
    assert!(why.contains("满意度"), "{why}");
}

/// Days before and amounts of a relation over four years: this much in the 360 days before the last 180, and this much since.
fn long(before: f64, recent: f64) -> Vec<(i64, f64)> {
    let mut orders = vec![(1460, 100.0), (1200, 100.0), (900, 100.0), (700, 100.0)];
    orders.extend([(500, before / 2.0), (250, before / 2.0), (120, recent / 2.0), (20, recent / 2.0)]);
    orders
}

/// Five orders of 200 of which the last was 4,000 days before, over so many days.
fn ended(lasted: i64) -> Vec<(i64, f64)> {
    (0..5).map(|order| (4000 + lasted * (4 - order) / 4, 200.0)).collect()
}

/// R34 to R40: the stage of each relation from orders alone, decline that is told from a fall of the whole demand, how relations ended, what
/// an attempt to recover one brings, and a cause that has to be given.
#[test]
fn r34_r40_relations_have_stages_patterns_causes_and_a_decision() {
    let world = World::new();
    world.server.install("customer-lifecycle", AS_OF, "{}");
    let demand = |now: f64, before: f64| {
        json!({
            "customer_lifecycle__estimated_demand": money(now),
            "customer_lifecycle__estimated_demand_before": money(before)
        })
    };
    let cause = json!({ "customer_lifecycle__exit_cause": "no_innovation" });
    let (steady, dropped, large) = (long(360.0, 180.0), long(360.0, 50.0), long(36_000.0, 5_000.0));
    let grown = long(360.0, 360.0);
    let [aborted, midway, early, late] = [80, 200, 700, 2000].map(ended);
    let customers: [Customer<'_>; 12] = [
        ("trial", json!({}), &[(100, 60.0), (10, 60.0)]),
        ("new", json!({}), &[(300, 60.0), (250, 60.0), (120, 60.0), (60, 60.0), (10, 60.0)]),
        ("grown", json!({}), &grown),
        ("steady", json!({}), &steady),
        ("dropped", json!({}), &dropped),
        ("stable demand", demand(1000.0, 1000.0), &dropped),
        ("less demand", demand(500.0, 1000.0), &dropped),
        ("large", json!({}), &large),
        ("aborted", json!({}), &aborted),
        ("midway", json!({}), &midway),
        ("early", cause, &early),
        ("late", json!({}), &late),
    ];
    let ids = world.customers(&customers);
    let job = world.api.run_plugin("customer-lifecycle");
    assert_eq!(job["state"], "succeeded", "{job}");
    let stages = world.of_all(&customers, "segment.customer_lifecycle__stage");
    let [exploration, build_up, stability, decline, over] =
        ["exploration", "build_up", "stability", "decline", "ended"];
    let expected = [
        exploration,
        build_up,
        build_up,
        stability,
        decline,
        decline,
        stability,
        decline,
        over,
        over,
        over,
        over,
    ];
    assert_eq!(stages, expected.map(|stage| json!(stage)));
    let patterns = world.of_all(&customers, "segment.customer_lifecycle__pattern");
    let expected = ["early_abort", "midway_death", "early_exit", "long_term"];
    assert_eq!(patterns[8..], expected.map(|pattern| json!(pattern)));
    assert_eq!((&patterns[0], &patterns[3]), (&Json::Null, &json!("long_term")));
    let benefits = world.of_all(&customers, "score.customer_lifecycle__recovery_benefit");
    let lost = |before: f64, recent: f64| 365.0 * (before / 360.0 - recent / 180.0);
    // 30 % of what it stopped bringing remain, for two years, at a chance of 25 %; an attempt costs 500.
    let benefit = |lost: f64| lost * 0.3 * 2.0 * 0.25 - 500.0;
    close(number(&benefits[4]), benefit(lost(360.0, 50.0)), 1e-9, 0.0, "let go");
    close(number(&benefits[7]), benefit(lost(36_000.0, 5_000.0)), 1e-9, 0.0, "recover");
    close(number(&benefits[10]), benefit(1000.0 / (700.0 / 365.0)), 1e-9, 0.0, "ended");
    assert_eq!(benefits[3], Json::Null);
    let why =
        |customer: usize| world.reasons("en", "segmentations", "customer_lifecycle__stage", &ids[customer]);
    assert!(why(5).contains("its total demand did not fall"), "{}", why(5));
    let chinese = world.reasons("zh-CN", "segmentations", "customer_lifecycle__stage", &ids[6]);
    assert!(chinese.contains("并非关系退化"), "{chinese}");

    let report = world.report("customer-lifecycle");
    assert_eq!(counts(&report, "stages"), [1.0, 2.0, 2.0, 3.0, 4.0]);
    assert_eq!(counts(&report, "patterns"), [1.0, 1.0, 1.0, 3.0]);
    assert_eq!(counts(&report, "causes").iter().sum::<f64>(), 1.0);
    assert_eq!(counts(&report, "decisions").iter().sum::<f64>(), 7.0, "three decline and four have ended");

    world.server.cli(&["rule", "on", "customer-lifecycle:churn-review"]).ok();
    let path = format!("/api/v1/accounts/{}", ids[11]);
    let leaves = |cause: Json| {
        let fields = json!({ "account_type": "former_customer", "customer_lifecycle__exit_cause": cause });
        world.api.patch(&path, &fields, None)
    };
    let refused = leaves(Json::Null);
    assert_eq!(refused.json["errors"][0]["field"], "customer_lifecycle__exit_cause", "{}", refused.json);
    assert_eq!(refused.problem(422), "RULE_VETO");
    leaves(json!("switching_got_cheap")).ok();
}

/// R12, R63: the number of customers and the margin make five types of relationship, participation and complexity four.
#[test]
fn r12_r63_customers_get_the_type_of_relationship_that_pays() {
    let world = World::new();
    world.add_field("account", "yearly_margin", "money");
    let config = json!({
        "margin": "yearly_margin", "group": "industry", "many_customers": 4, "few_customers": 2,
        "low_margin": 10, "high_margin": 100
    });
    world.server.install("relationship-types", AS_OF, &config.to_string());
    let of = |group: &str, margin: f64| json!({ "industry": group, "yearly_margin": money(margin) });
    let rated = |participation: f64, complexity: f64| {
        json!({
            "industry": "Rated", "yearly_margin": money(1.0),
            "relationship_types__participation": participation,
            "relationship_types__product_complexity": complexity
        })
    };
    let customers: [Customer<'_>; 12] = [
        ("r1", of("Retail", 9.99), &[]),
        ("r2", of("Retail", 10.0), &[]),
        ("r3", of("Retail", 100.0), &[]),
        ("r4", of("Retail", 0.0), &[]),
        ("t1", of("Trade", 50.0), &[]),
        ("t2", of("Trade", 200.0), &[]),
        ("t3", of("Trade", 0.0), &[]),
        ("k1", of("Key", 0.0), &[]),
        ("k2", of("Key", 200.0), &[]),
        ("both", rated(9.0, 9.0), &[]),
        ("complex", rated(2.0, 9.0), &[]),
        ("simple", rated(9.0, 2.0), &[]),
    ];
    let ids = world.customers(&customers);
    let job = world.api.run_plugin("relationship-types");
    assert_eq!(job["state"], "succeeded", "{job}");
    let types = world.of_all(&customers, "segment.relationship_types__relationship_type");
    let expected = [
        "basic",
        "reactive",
        "accountable",
        "basic",
        "accountable",
        "proactive",
        "reactive",
        "accountable",
        "partnership",
    ];
    assert_eq!(types[..9], expected.map(|name| json!(name)));
    let cadence = world.of_all(&customers, "score.relationship_types__contact_days");
    assert_eq!((number(&cadence[0]), number(&cadence[8])), (365.0, 7.0));
    let types = world.of_all(&customers, "segment.relationship_types__one_to_one_type");
    assert_eq!(types[9..], ["collaborative", "adaptive", "selective"].map(|name| json!(name)));
    let why =
        |language| world.reasons(language, "segmentations", "relationship_types__relationship_type", &ids[8]);
    assert!(
        why("en").contains("Partnership") && why("zh-CN").contains("伙伴型"),
        "{} {}",
        why("en"),
        why("zh-CN")
    );
    let report = world.report("relationship-types");
    assert_eq!((metric(&report, "basic"), metric(&report, "partnership")), (2.0, 1.0));
}

/// R125: of four small and two large customers the large ones and one other bought wine, which all of them together did by half.
#[test]
fn r125_clusters_that_are_interested_in_a_product_are_found() {
    let world = World::new();
    let product = |name: &str| world.make("products", &json!({ "name": name, "category": "drinks" }));
    let (wine, water) = (product("Wine"), product("Water"));
    for (number, amount) in [10.0, 11.0, 12.0, 13.0, 9000.0, 9001.0].into_iter().enumerate() {
        let account = world.customer(&number.to_string(), &json!({}), AS_OF, &[(10, amount)]);
        let bought: &[&str] = if [0, 4, 5].contains(&number) { &[&wine, &water, &wine] } else { &[&water] };
        for product in bought {
            let line =
                json!({ "account": account, "product": product, "ordered_on": "2026-06-20", "quantity": 1 });
            world.make("order-lines", &line);
        }
    }
    world.enable("customer-clusters", AS_OF, &json!({ "purchases": ["monetary"], "clusters": 2 }));
    let report = world.analyse("customer-clusters", "interest", &json!({ "product": "Wine" }));
    assert_eq!(column(&report, "interest", "segment"), ["cluster_2", "cluster_1"].map(|name| json!(name)));
    assert_eq!(figures(&report, "interest", "buyers"), [2.0, 1.0]);
    assert_eq!(figures(&report, "interest", "index"), [200.0, 50.0]);
    assert!(
        report["summary"]["zh-CN"].as_str().unwrap().contains("类别 2 对“Wine”最感兴趣"),
        "{}",
        report["summary"]
    );
    let all = world.analyse("customer-clusters", "interest", &json!({ "buyers_min": 2 }));
    assert_eq!(figures(&all, "interest", "index"), [100.0, 200.0, 100.0]);
    assert_eq!(world.api.counts("customer_clusters__cluster")["cluster_2"], 2);
}
