//! Purchases of compact discs: lifetime value, key customers, next purchase and clusters of real customers.

use std::path::PathBuf;

use serde_json::json;
use trellis_e2e::root;

use crate::support::{World, close};

fn folder() -> PathBuf {
    root().join("examples/cdnow")
}

/// A server with the purchases of 2,357 customers.
fn world() -> World {
    let world = World::new();
    world.import_mapped(
        "order",
        &folder().join("cdnow_sample_transactions.csv"),
        &folder().join("orders.toml"),
    );
    assert_eq!(world.api.total("accounts"), 2357);
    world
}

#[test]
fn every_customers_lifetime_is_the_expected_one() {
    let world = world();
    world.enable("customer-lifetime", "1997-09-30", &json!({ "horizon_weeks": 39 }));
    let (alive, purchases) =
        ("score.customer_lifetime__alive", "score.customer_lifetime__expected_purchases");
    let found = world.results(&[alive, purchases]);
    let mut rows = 0;
    for expected in csv::Reader::from_path(folder().join("expected_customers.csv")).unwrap().records() {
        let expected = expected.unwrap();
        let customer = &found[&expected[0]];
        for (score, column) in [(alive, 14), (purchases, 15)] {
            let actual = customer[score].as_f64().unwrap();
            close(
                actual,
                expected[column].parse().unwrap(),
                1e-4,
                1e-4,
                &format!("{score} of {}", &expected[0]),
            );
        }
        rows += 1;
    }
    assert_eq!(rows, 2357);
}

#[test]
fn the_few_who_bring_most_are_found() {
    let world = world();
    world.enable("key-customers", "1998-06-30", &json!({}));
    let standing = "segment.key_customers__standing";
    let key = world.results(&[standing]).values().filter(|row| row[standing] == "key").count();
    let expected: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap();
    assert_eq!(key as u64, expected["pareto"]["customers_for_80pct_revenue"].as_u64().unwrap());
}

#[test]
fn everybody_has_a_next_purchase_and_a_cluster() {
    let world = world();
    world.enable("next-purchase", "1998-06-30", &json!({}));
    world.enable("customer-clusters", "1998-06-30", &json!({ "clusters": 4 }));
    let (lateness, cluster) = ("score.next_purchase__lateness", "segment.customer_clusters__cluster");
    let found = world.results(&[lateness, cluster]);
    assert_eq!(found.len(), 2357);
    for (id, row) in &found {
        assert!(row[lateness].as_f64().is_some_and(|late| (0.0..=100.0).contains(&late)), "{id}: {row:?}");
        assert!(row[cluster].as_str().is_some_and(|name| name.starts_with("cluster_")), "{id}: {row:?}");
    }
}
