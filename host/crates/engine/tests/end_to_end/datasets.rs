//! Plugins that learn from further datasets, and whose configuration names columns.

use serde_json::{Value as Json, json};
use trellis_columns::AsOf;
use trellis_engine::{DryRunRequest, JobState, ModelChoice, RunRequest, UpgradeRequest, UseSettings};
use trellis_model::{Record, RecordId};

use crate::{
    sections::{as_version, with_manifest},
    support::{World, built, caller, date, plugin_id},
};

/// The day of the orders: 2026-03-01 is 20513.
const DAY: i32 = 20_513;

impl World {
    async fn baskets(&self, settings: UseSettings) -> trellis_engine::Result<trellis_engine::PluginInfo> {
        self.engine.plugin_enable(&caller(), &plugin_id("baskets"), settings).await
    }

    /// Two customers with an order, and lines: two of Ann's, one of Bob's, one that was sent back, one later than the others.
    pub(crate) async fn shop(&self) -> Vec<Record> {
        let mut accounts = Vec::new();
        for (name, industry) in [("Ann", "Retail"), ("Bob", "Mining")] {
            let account =
                json!({ "name": name, "industry": industry, "employees": 3, "phone": "+4930123456" });
            accounts.push(self.create("account", account).await.unwrap());
        }
        let id = |record: &Record| record.id.to_string();
        let mut products = Vec::new();
        for name in ["Bread", "Milk"] {
            products.push(self.create("product", json!({ "name": name })).await.unwrap());
        }
        let order = json!({ "account": id(&accounts[0]), "ordered_on": "2026-03-01" });
        let order = self.create("order", order).await.unwrap();
        for (account, product, day, quantity) in [
            (1, Some(0), 1, 1.0),
            (0, Some(1), 1, 2.0),
            (0, Some(0), 1, -1.0),
            (0, None, 1, 1.0),
            (0, Some(1), 9, 1.0),
        ] {
            let mut line = json!({
                "account": id(&accounts[account]), "ordered_on": format!("2026-03-{day:02}"), "quantity": quantity,
            });
            if let Some(product) = product {
                line["product"] = id(&products[product]).into();
                line["order"] = id(&order).into();
            }
            self.create("order_line", line).await.unwrap();
        }
        accounts
    }
}

fn settings(config: Json, grants: Option<Vec<String>>) -> UseSettings {
    UseSettings { config, grants, ..UseSettings::default() }
}

fn summary(result: &Json) -> String {
    result["models"]["scoring"]["summary"]["en"].as_str().unwrap_or_default().to_owned()
}

fn run_of(result: &Json) -> RecordId {
    RecordId::parse(result["run"].as_str().unwrap()).unwrap()
}

/// The lines of the shop up to the first of March, as the guest says them.
fn lines_of_march_1() -> String {
    format!("3 lines: 0:0:ordered:Milk:{DAY}, 1:0:-:-:{DAY}, 2:1:ordered:Bread:{DAY}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_learned_from_rows_beside_the_customers_and_again_from_the_capsule() {
    let world = World::new().await;
    world.shop().await;
    world
        .enable(
            "baskets",
            json!({ "features": ["industry", "employees"], "target": "account_type" }),
            AsOf::Now,
        )
        .await;
    let request = RunRequest { as_of: Some(date("2026-03-01")), ..RunRequest::default() };
    let result = world.run_well("baskets", request).await;
    let lines = lines_of_march_1();
    let columns = "features.industry dictionary, features.employees int64, target dictionary";
    assert_eq!(summary(&result), format!("1 customers; {columns}; {lines}"), "filter, order and as-of hold");
    // What the run read stands in its capsule: the records are gone.
    for line in world
        .records
        .list(
            &trellis_model::Scope::everything(),
            &trellis_records::Query::new("order_line".parse().unwrap()),
        )
        .await
        .unwrap()
        .records
    {
        world.records.delete(&caller(), &"order_line".parse().unwrap(), line.id, None).await.unwrap();
    }
    let world = world.restart().await;
    let job = world.engine.run_replay(&caller(), &plugin_id("baskets"), run_of(&result)).await.unwrap();
    let job = world.engine.job_wait(job.id).await.unwrap();
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    assert_eq!(job.result["same"], true, "{}", job.result);
    let anew = world.run_well("baskets", RunRequest::default()).await;
    assert!(summary(&anew).ends_with("; 0 lines: "), "{}", summary(&anew));
    // A run with an older model reads no lines, and can be replayed without them.
    let last = RunRequest { model: ModelChoice::Last, ..RunRequest::default() };
    let last = world.run_well("baskets", last).await;
    let job = world.engine.run_replay(&caller(), &plugin_id("baskets"), run_of(&last)).await.unwrap();
    assert_eq!(world.engine.job_wait(job.id).await.unwrap().result["same"], true);
    let dry = world.dry_run("baskets", DryRunRequest::default()).await;
    assert_eq!(dry["results"]["changed"], 0, "{dry}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_that_nobody_declared_is_told_to_the_plugin() {
    let world = World::new().await;
    world.shop().await;
    world.enable("baskets", json!({ "dataset": "carts" }), AsOf::Now).await;
    let job = world.run("baskets", RunRequest::default()).await;
    let error = job.error.unwrap();
    assert!(error.message.en.contains("no dataset `carts`"), "{}", error.message.en);
    let own = json!({ "dataset": "customers" });
    let job = world.run("baskets", RunRequest { config: Some(own), ..RunRequest::default() }).await;
    let error = job.error.unwrap();
    assert!(
        error.message.en.contains("no column `customer`"),
        "its own dataset can be opened: {}",
        error.message.en
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_names_a_field_asks_for_it() {
    let world = World::new().await;
    world.shop().await;
    world.install("baskets").await;
    let refused =
        world.baskets(settings(json!({ "features": ["industry", "size"] }), None)).await.unwrap_err();
    assert!(refused.to_string().contains("`features[1]`: `account` has no field `size`"), "{refused}");
    let twice = world.baskets(settings(json!({ "features": ["city", "city"] }), None)).await.unwrap_err();
    assert!(twice.to_string().contains("names `city` twice"), "{twice}");

    // Personal data is never granted without a word.
    let personal = json!({ "features": ["phone"] });
    let refused = world.baskets(settings(personal.clone(), None)).await.unwrap_err();
    assert_eq!(refused.code(), "plugin_grants_needed");
    assert!(refused.to_string().contains("`personal:account(phone)`"), "{refused}");

    let info = world.baskets(settings(json!({ "features": ["industry"] }), None)).await.unwrap();
    let requests: Vec<_> = info.requests.iter().map(|request| request.grant.clone()).collect();
    assert!(requests.contains(&"data:account(industry)".to_owned()), "{requests:?}");
    assert!(
        requests
            .contains(&"data:order_line(account,order,ordered_on,product,quantity,product.name)".to_owned()),
        "{requests:?}"
    );
    world.baskets(settings(json!({ "features": ["industry"] }), Some(requests.clone()))).await.unwrap();

    // Another field asks for its grant, whether the whole use is set or only the configuration is changed.
    let more = json!({ "features": ["industry", "city"] });
    let refused = world.baskets(settings(more.clone(), Some(requests.clone()))).await.unwrap_err();
    assert!(refused.to_string().contains("`data:account(city)`"), "{refused}");
    let upgrade = UpgradeRequest { config: Some(more.clone()), ..UpgradeRequest::default() };
    let refused = world.engine.plugin_upgrade(&caller(), &plugin_id("baskets"), upgrade).await.unwrap_err();
    assert_eq!(refused.code(), "plugin_grants_needed", "{refused}");
    let request = RunRequest { config: Some(more.clone()), ..RunRequest::default() };
    let refused = world.engine.plugin_run(&caller(), &plugin_id("baskets"), request).await.unwrap_err();
    assert_eq!(refused.code(), "plugin_grants_needed", "{refused}");
    let granted = requests.iter().cloned().chain(["data:account(city)".to_owned()]).collect();
    world.baskets(settings(more, Some(granted))).await.unwrap();
    let result = world.run_well("baskets", RunRequest::default()).await;
    assert!(summary(&result).contains("features.industry dictionary, features.city dictionary"), "{result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_withheld_of_a_dataset_is_not_read() {
    let world = World::new().await;
    world.shop().await;
    let info = world.enable("baskets", json!({}), AsOf::Now).await;
    let granted = info.requests.iter().map(|request| request.grant.clone());
    let granted = granted.filter(|grant| !grant.starts_with("data:order_line(")).collect();
    world.baskets(settings(json!({}), Some(granted))).await.unwrap();
    let result = world.run_well("baskets", RunRequest::default()).await;
    assert!(summary(&result).ends_with("; 0 lines: "), "which rows there are is not said either: {result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_reads_other_rows_cannot_do_a_run_again() {
    let world = World::new().await;
    world.shop().await;
    world.enable("baskets", json!({}), AsOf::Now).await;
    let result = world.run_well("baskets", RunRequest::default()).await;
    let other = with_manifest(&as_version(&built("baskets"), "1.1.0"), |line| {
        line.replace("order-by = [\"account\", \"ordered_on\"]", "order-by = [\"ordered_on\"]")
    });
    world.engine.plugin_upload(&caller(), other).await.unwrap();
    let version = trellis_engine::ReplayWith::Version("1.1.0".parse().unwrap());
    let job = world
        .engine
        .run_replay_with(&caller(), &plugin_id("baskets"), run_of(&result), version)
        .await
        .unwrap();
    let error = world.engine.job_wait(job.id).await.unwrap().error.unwrap();
    assert!(error.message.en.contains("did not record: `lines`"), "{}", error.message.en);
}
