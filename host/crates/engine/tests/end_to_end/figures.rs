//! Windows of days that the configuration says, and several texts a row, through runs and after them.

use std::time::Duration;

use serde_json::json;
use trellis_columns::AsOf;
use trellis_engine::{RunRequest, UseSettings};

use crate::following::buy;
use crate::sections::with_manifest;
use crate::support::{World, built, caller, date, plugin_id};

/// A guest that adds up whole numbers and numbers of texts, with a window and the products of a customer instead of its own column.
/// Whoever has more than two of both together is `high`.
fn lately() -> Vec<u8> {
    with_manifest(&built("columns"), |line| match line {
        "time = \"ordered_on\"" => r#"
time = "ordered_on"
within-days-from = "lately_days"
[[datasets.columns]]
name = "products"
from = "order_line"
aggregate = "values"
field = "product"
by = "account"
[config]
type = "object"
[config.properties.lately_days]
type = "integer"
minimum = 1
default = 30
"#
        .to_owned(),
        line => line.to_owned(),
    })
}

impl World {
    async fn with_lately(&self, settings: UseSettings) {
        let id = self.engine.plugin_upload(&caller(), lately()).await.unwrap().id;
        self.engine.plugin_enable(&caller(), &id, settings).await.unwrap();
    }

    async fn buy_product(&self, customer: &str, product: &str) {
        let product = self.create("product", json!({ "name": product })).await.unwrap().id;
        let account = self.account(customer).await.id;
        let line = json!({
            "account": account.to_string(), "product": product.to_string(), "ordered_on": "2020-01-01",
        });
        self.create("order_line", line).await.unwrap();
    }

    async fn sums(&self, customers: [&str; 3]) -> Vec<String> {
        let mut sums = Vec::new();
        for customer in customers {
            sums.push(self.value("columns__sum", customer).await.unwrap_or_default());
        }
        sums
    }
}

/// One who bought lately, one who bought many products long ago, and one who bought in the year before.
async fn shop() -> World {
    let world = World::new().await;
    for (customer, day) in [
        ("1", "2026-01-10"),
        ("1", "2026-01-11"),
        ("1", "2026-01-30"),
        ("2", "2020-01-01"),
        ("3", "2025-02-01"),
        ("3", "2025-02-02"),
        ("3", "2025-02-03"),
    ] {
        buy(&world, customer, day).await;
    }
    for product in ["Pear", "Apple", "Plum"] {
        world.buy_product("2", product).await;
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_are_as_long_as_the_configuration_says() {
    let world = shop().await;
    let as_of = date("2026-01-31");
    world.with_lately(UseSettings { as_of, ..UseSettings::default() }).await;
    world.run_well("columns", RunRequest::default()).await;
    assert_eq!(world.sums(["1", "2", "3"]).await, ["high", "high", "low"]);
    let run =
        |days: u32| RunRequest { config: Some(json!({ "lately_days": days })), ..RunRequest::default() };
    world.run_well("columns", run(400)).await;
    assert_eq!(world.sums(["1", "2", "3"]).await, ["high", "high", "high"]);
    world.run_well("columns", run(5)).await;
    assert_eq!(world.sums(["1", "2", "3"]).await, ["low", "high", "low"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_buys_a_product_after_the_run_is_judged_again() {
    let world = shop().await;
    world.with_lately(UseSettings { config: json!({ "lately_days": 1 }), ..UseSettings::default() }).await;
    world.run_well("columns", RunRequest { as_of: Some(AsOf::Now), ..RunRequest::default() }).await;
    assert_eq!(world.sums(["1", "2", "3"]).await, ["low", "high", "low"]);
    for product in ["Pear", "Apple", "Plum"] {
        world.buy_product("3", product).await;
    }
    for _ in 0..5_000 {
        if world.value("columns__sum", "3").await.as_deref() == Some("high") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("customer 3 never became `high`");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_are_withheld_are_empty() {
    let world = shop().await;
    let id = world.engine.plugin_upload(&caller(), lately()).await.unwrap().id;
    let requests = world.engine.plugin_get(&plugin_id("columns")).unwrap().requests;
    let grants: Vec<_> = requests.into_iter().map(|request| request.grant).collect();
    assert_eq!(grants, ["data:order(ordered_on)", "data:order_line(account,product)"]);
    let settings = UseSettings {
        grants: Some(vec!["data:order(ordered_on)".to_owned()]),
        as_of: date("2026-01-31"),
        ..UseSettings::default()
    };
    world.engine.plugin_enable(&caller(), &id, settings).await.unwrap();
    world.run_well("columns", RunRequest::default()).await;
    assert_eq!(world.sums(["1", "2", "3"]).await, ["high", "low", "low"]);
}
