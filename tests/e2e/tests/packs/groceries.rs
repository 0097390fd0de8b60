//! A month of a grocery as orders: rules, recommendations and offers through the server are those of independent programs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use crate::support::{Table, World, close, column, expected, metric, money, table};

/// The day of all orders.
const DAY: &str = "2026-06-30";

/// Each basket an order of a customer of its own. Names lose blanks at their ends, as everywhere in an import.
fn import(world: &World, lines: &Table) {
    let baskets: BTreeSet<u32> = lines.rows.iter().map(|row| row[0].parse().unwrap()).collect();
    let products: BTreeSet<&str> = lines.rows.iter().map(|row| row[1].trim()).collect();
    let texts = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
    world.import("product", &["external_id", "name"], products.iter().map(|name| texts(&[name, name])), &[]);
    let customers = baskets.iter().map(|basket| texts(&[&basket.to_string(), &format!("Customer {basket}")]));
    world.import("account", &["external_id", "name"], customers, &[]);
    let orders = baskets.iter().map(|basket| texts(&[&basket.to_string(), &basket.to_string(), DAY]));
    world.import("order", &["external_id", "account", "ordered_on"], orders, &[("account", "external_id")]);
    let lines = lines
        .rows
        .iter()
        .enumerate()
        .map(|(number, row)| texts(&[&number.to_string(), &row[0], &row[0], row[1].trim(), DAY]));
    let references = [("order", "external_id"), ("account", "external_id"), ("product", "external_id")];
    world.import(
        "order_line",
        &["external_id", "order", "account", "product", "ordered_on"],
        lines,
        &references,
    );
}

fn check_case(world: &World, case: &Json) {
    let asked = json!({ "min_support": case["min_support"], "min_confidence": case["min_confidence"], "limit": 10_000 });
    let report = world.analyse("cross-sell", "rules", &asked);
    for (name, expected) in [
        ("itemsets", &case["n_frequent_itemsets"]),
        ("rules", &case["n_rules"]),
        ("rules_any_right_side", &case["n_rules_any_rhs_size"]),
    ] {
        assert_eq!(metric(&report, name), expected.as_f64().unwrap(), "{name} at {}", case["min_support"]);
    }
    for measure in ["support", "confidence", "lift"] {
        for part in ["min", "median", "mean", "max"] {
            let name = format!("{measure}_{part}");
            close(metric(&report, &name), case[measure][part].as_f64().unwrap(), 1e-9, 1e-12, &name);
        }
    }
    assert_eq!(metric(&report, "min_count"), case["min_count"].as_f64().unwrap());
    close(metric(&report, "lift_sum"), case["sum_of_lift"].as_f64().unwrap(), 1e-9, 0.0, "sum of lift");
    for (panel, key) in [("itemsets", "itemsets_by_length"), ("rules_by_length", "rules_by_length")] {
        let lengths = column(&report, panel, "length").into_iter().map(|length| length.to_string());
        let found: Map<String, Json> = lengths.zip(column(&report, panel, "count")).collect();
        assert_eq!(Json::Object(found), case[key], "{key} at {}", case["min_support"]);
    }
    assert_eq!(column(&report, "rules", "rhs").len() as u64, case["n_rules"].as_u64().unwrap());
    check_rules(&report, "lift", &case["top_by_lift"]);
    let mut by_confidence = asked;
    by_confidence["sort"] = json!("confidence");
    check_rules(
        &world.analyse("cross-sell", "rules", &by_confidence),
        "confidence",
        &case["top_by_confidence"],
    );
}

/// The first rules of the table with all that the reference says of them. Which of several with the same value come first is nobody's.
fn check_rules(report: &Json, by: &str, expected: &Json) {
    let of = |name: &str| column(report, "rules", name);
    let (left, right) = (of("lhs"), of("rhs"));
    let measures =
        ["count", "lhs_count", "rhs_count", "support", "confidence", "lift", "leverage", "conviction"];
    let values = measures.map(of);
    let expected = expected.as_array().unwrap();
    assert!(expected.len() >= 5, "the reference gives five or ten");
    let order = of(by);
    for (place, rule) in expected.iter().enumerate() {
        close(order[place].as_f64().unwrap(), rule[by].as_f64().unwrap(), 1e-9, 0.0, by);
        // An import leaves out spaces at the end of a name.
        let items = rule["lhs"].as_array().unwrap().iter().filter_map(Json::as_str).map(str::trim);
        let items = items.collect::<Vec<_>>().join(", ");
        let wanted = (items.as_str(), rule["rhs"].as_str().unwrap().trim());
        let mut sides = left.iter().zip(&right);
        let row = sides.position(|(left, right)| (left.as_str().unwrap(), right.as_str().unwrap()) == wanted);
        let row = row.unwrap_or_else(|| panic!("no rule {wanted:?}"));
        for (name, values) in measures.into_iter().zip(&values) {
            match rule[name].as_f64() {
                Some(wanted) => close(values[row].as_f64().unwrap(), wanted, 1e-9, 0.0, name),
                // Who buys the left side always buys the right one.
                None => assert!(name == "conviction" && values[row].is_null(), "{name} of {rule}"),
            }
        }
    }
}

/// The baskets themselves, and what goes with items and baskets by likeness.
fn check_basics(world: &World, expected: &Json) {
    let report = world.analyse("cross-sell", "rules", &json!({ "min_support": 0.05, "min_confidence": 0.5 }));
    let basics = &expected["basics"];
    for (name, wanted) in [
        ("baskets", &basics["transactions"]),
        ("items", &basics["items"]),
        ("ones", &basics["ones"]),
        ("density", &basics["density"]),
        ("basket_size_mean", &basics["basket_size"]["mean"]),
        ("basket_size_median", &basics["basket_size"]["median"]),
        ("basket_size_max", &basics["basket_size"]["max"]),
    ] {
        close(metric(&report, name), wanted.as_f64().unwrap(), 1e-9, 0.0, name);
    }
    let sizes = column(&report, "basket_sizes", "count");
    assert_eq!(json!(sizes[..10]), basics["basket_size"]["counts_1_to_10"]);
    let items = column(&report, "items", "item").into_iter().zip(column(&report, "items", "count"));
    let top: Map<String, Json> = items.take(10).map(|(item, count)| (text(&item), count)).collect();
    assert_eq!(Json::Object(top), basics["top_items"]);
    let similar = &expected["similarity"];
    let recommend = |basket: Json| world.analyse("cross-sell", "recommend", &json!({ "basket": basket }));
    for case in similar["basket_recommendations"].as_array().unwrap() {
        check_pairs(&recommend(case["basket"].clone()), "by_likeness", "score", &case["top5"]);
    }
    for (item, neighbours) in similar["item_neighbours"].as_object().unwrap() {
        let report = recommend(json!([item]));
        for measure in ["cosine", "jaccard"] {
            check_pairs(&report, measure, measure, &neighbours[measure]);
        }
    }
}

fn check_pairs(report: &Json, panel: &str, name: &str, expected: &Json) {
    let (items, values) = (column(report, panel, "item"), column(report, panel, name));
    let expected = expected.as_array().unwrap();
    assert_eq!(expected.len(), 5);
    for (row, pair) in expected.iter().enumerate() {
        assert_eq!(items[row], pair[0], "{panel} {row}");
        close(values[row].as_f64().unwrap(), pair[1].as_f64().unwrap(), 1e-9, 0.0, panel);
    }
}

fn check_next_best(world: &World, case: &Json) {
    let asked = json!({ "basket": case["basket"], "min_support": case["min_support"], "min_confidence": case["min_confidence"] });
    let report = world.analyse("cross-sell", "recommend", &asked);
    let of = |name: &str| column(&report, "by_rules", name);
    let (items, left, confidence, lift) = (of("item"), of("lhs"), of("confidence"), of("lift"));
    let expected = case["top"].as_array().unwrap();
    assert_eq!(items.len(), expected.len());
    for (row, wanted) in expected.iter().enumerate() {
        let of_rule: Vec<String> = wanted["lhs"].as_array().unwrap().iter().map(text).collect();
        assert_eq!((&items[row], text(&left[row])), (&wanted["item"], of_rule.join(", ")));
        let number = |value: &Json| value.as_f64().unwrap();
        close(number(&confidence[row]), number(&wanted["confidence"]), 1e-9, 0.0, "confidence");
        close(number(&lift[row]), number(&wanted["lift"]), 1e-9, 0.0, "lift");
    }
}

fn text(value: &Json) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn rules_of_a_grocery_are_the_expected_ones() {
    let (Some(lines), Some(expected)) = (table("groceries/groceries_long.csv", b','), expected("groceries"))
    else {
        return;
    };
    let world = World::new();
    import(&world, &lines);
    world.enable(
        "cross-sell",
        DAY,
        &json!({ "min_support": 0.001, "min_confidence": 0.8, "min_lift": 0, "max_length": 8 }),
    );
    expected["cases"].as_array().unwrap().iter().for_each(|case| check_case(&world, case));
    check_basics(&world, &expected);
    expected["next_best"].as_array().unwrap().iter().for_each(|case| check_next_best(&world, case));
    let model = world.report("cross-sell");
    assert_eq!(metric(&model, "rules"), expected["cases"][0]["n_rules"].as_f64().unwrap());
    // Whoever bought both liquor and red wine lacks the beer, unless it was bought too.
    let held: BTreeMap<u32, BTreeSet<&str>> = lines.rows.iter().fold(BTreeMap::new(), |mut held, row| {
        held.entry(row[0].parse().unwrap()).or_default().insert(row[1].trim());
        held
    });
    let confidence = world.results(&["score.cross_sell__confidence"]);
    let wine = ["liquor", "red/blush wine"];
    for (basket, items) in held.iter().filter(|(_, items)| wine.iter().all(|item| items.contains(item))) {
        let found = confidence[&basket.to_string()]["score.cross_sell__confidence"].as_f64();
        assert!(items.contains("bottled beer") || found >= Some(19.0 / 21.0), "basket {basket}: {found:?}");
    }
}

/// R123, R124: five customers bought bread, three of them jam and two tea. Who has bread alone is offered the jam: 3/5 of its margin of 4 is
/// more than 2/5 of that of tea. Who has everything is offered nothing.
#[test]
fn r123_r124_each_customer_is_offered_the_missing_item_that_gains_most() {
    let world = World::new();
    let product = |name: &str, price: f64, cost: f64| {
        let prices = json!({ "name": name, "list_price": money(price), "cost": money(cost) });
        (name.to_owned(), world.make("products", &prices))
    };
    let products =
        BTreeMap::from([product("bread", 3.0, 2.0), product("jam", 5.0, 1.0), product("tea", 10.0, 7.0)]);
    let baskets: [&[&str]; 9] = [
        &["bread", "jam"],
        &["bread", "jam", "tea"],
        &["bread", "tea"],
        &["bread", "jam"],
        &["jam", "tea"],
        &["tea"],
        &["tea"],
        &["tea"],
        &["bread"],
    ];
    let customers: Vec<String> =
        baskets.iter().enumerate().map(|(number, basket)| buyer(&world, number, basket, &products)).collect();
    let config = json!({ "min_support": 0.1, "min_confidence": 0.1, "min_lift": 0, "offers": ["jam", "tea", "bread"] });
    world.enable("cross-sell", DAY, &config);
    let found = world.results(&[
        "segment.cross_sell__offer",
        "score.cross_sell__expected_gain",
        "score.cross_sell__confidence",
    ]);
    let of = |customer: &str, name: &str| found[customer][name].clone();
    assert_eq!(of("8", "segment.cross_sell__offer"), "jam");
    close(of("8", "score.cross_sell__expected_gain").as_f64().unwrap(), 3.0 / 5.0 * 4.0, 1e-9, 0.0, "gain");
    close(of("8", "score.cross_sell__confidence").as_f64().unwrap(), 3.0 / 5.0, 1e-9, 0.0, "confidence");
    assert_eq!(of("1", "segment.cross_sell__offer"), Json::Null);
    let why = |language| world.reasons(language, "scores", "cross_sell__expected_gain", &customers[8]);
    assert!(why("en").starts_with("offer jam: who buys bread buys jam in 60 % of cases"), "{}", why("en"));
    assert!(why("zh-CN").contains("推荐jam"), "{}", why("zh-CN"));
    let offered = found.values().filter(|row| row["segment.cross_sell__offer"] == "jam").count() as u64;
    assert_eq!(world.api.counts("cross_sell__offer")["jam"], offered);
}

/// A customer with one order of these products.
fn buyer(world: &World, number: usize, basket: &[&str], products: &BTreeMap<String, String>) -> String {
    let account = world.customer(&number.to_string(), &json!({}), DAY, &[]);
    let order = world.make("orders", &json!({ "account": account, "ordered_on": DAY, "amount": money(1.0) }));
    for name in basket {
        let line = json!({
            "account": account, "order": order, "product": products[*name], "ordered_on": DAY, "quantity": 1
        });
        world.make("order-lines", &line);
    }
    account
}
