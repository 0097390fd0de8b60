//! A month of a grocery as orders: rules, recommendations and offers through the server are those of independent programs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::support::{Table, World, close, column, expected, metric, table};

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
    let (right, lift) = (column(&report, "rules", "rhs"), column(&report, "rules", "lift"));
    for (row, rule) in case["top_by_lift"].as_array().unwrap().iter().enumerate() {
        assert_eq!(right[row], rule["rhs"]);
        close(lift[row].as_f64().unwrap(), rule["lift"].as_f64().unwrap(), 1e-9, 0.0, "lift");
    }
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
    for case in expected["next_best"].as_array().unwrap() {
        let asked = json!({ "basket": case["basket"], "min_support": case["min_support"], "min_confidence": case["min_confidence"] });
        let report = world.analyse("cross-sell", "recommend", &asked);
        let items: Vec<Json> =
            case["top"].as_array().unwrap().iter().map(|one| one["item"].clone()).collect();
        assert_eq!(column(&report, "by_rules", "item"), items);
    }
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
