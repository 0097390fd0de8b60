//! Rules on transitions.

use serde_json::{Value as Json, json};
use trellis_columns::{
    AsOf, CodesColumn, Delta, FlipRequest, GenerationId, Origin, ResultColumn, SegmentationDefinition,
    Source, ValueDefinition,
};
use trellis_model::{SegmentationName, Text, Validity};

use crate::support::{World, name};

async fn tiers(world: &World) {
    let value = |name: &str| ValueDefinition {
        name: name.to_owned(),
        label: Text::new(name, name),
        description: Text::default(),
    };
    let definition = SegmentationDefinition {
        name: SegmentationName::new("desk__tier").unwrap(),
        object: name("account"),
        label: Text::new("Tier", "级别"),
        description: Text::default(),
        values: vec![value("gold"), value("iron")],
        source: Source::Manual,
        aliases: vec![SegmentationName::new("tier").unwrap()],
    };
    world.columns.define(definition).await.unwrap();
}

/// A generation in which every customer up to `rows` has the value of a code.
async fn generation(world: &World, rows: u64, code: u32) -> GenerationId {
    let run = trellis_model::RecordId(uuid::Uuid::from_u128(7));
    let mut writer = world.columns.begin(run, &[SegmentationName::new("desk__tier").unwrap()]).unwrap();
    let ordinals: Vec<_> = (0..rows).collect();
    let codes = vec![code; ordinals.len()];
    let valid = Validity::from_flags(ordinals.iter().map(|_| true));
    let values = ["gold", "iron"].into_iter().collect();
    let column = CodesColumn { codes: &codes, valid: &valid, values: &values };
    writer.append(&ordinals, &[ResultColumn::Codes(column)]).unwrap();
    writer.finish().await.unwrap()
}

async fn flip(world: &World, generation: GenerationId, baseline: bool) {
    let origin = Origin::system("test");
    let run = trellis_model::RecordId(uuid::Uuid::from_u128(7));
    let request = FlipRequest { run, baseline, as_of: AsOf::Now, data: json!({}), origin: origin.clone() };
    world.columns.flip(generation, request).await.unwrap();
    world.columns.transitions(generation, &origin).await.unwrap();
}

const CALL: &str = r#"
    if entered("iron") {
        create_task(#{ subject: `${event.from} to ${event.to} in ${event.watched}`, account: record.id });
    }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_runs_for_each_customer_who_enters_and_knows_where_from() {
    let world = World::new().await;
    tiers(&world).await;
    let mut accounts = Vec::new();
    for number in 0..3 {
        accounts.push(world.create("account", json!({ "name": format!("Customer {number}") })).await);
    }
    // By its alias.
    world.rule("account", "transition", CALL, json!({ "watches": "segment.tier" })).await;
    let gold = generation(&world, 3, 0).await;
    flip(&world, gold, true).await;
    world.settle().await;
    assert_eq!(world.all("task").await, [], "a first run is no news");

    let change = Delta { ordinal: accounts[1].ordinal.unwrap(), value: Some("iron".into()) };
    world.columns.put_delta(gold, "desk__tier", &[change], &Origin::system("test")).await.unwrap();
    world.settle().await;
    let tasks = world.all("task").await;
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    assert_eq!(tasks[0]["subject"], json!("gold to iron in segment.desk__tier"));
    assert_eq!(tasks[0]["account"], json!(accounts[1].id.to_string()));

    let iron = generation(&world, 3, 1).await;
    flip(&world, iron, false).await;
    world.settle().await;
    let called: Vec<Json> = world.all("task").await.iter().map(|task| task["account"].clone()).collect();
    assert_eq!(called.len(), 3, "the two who were not iron yet: {called:?}");
    for account in &accounts {
        assert!(called.contains(&json!(account.id.to_string())));
        let decisions = world.decisions("account", account.id).await;
        assert_eq!(decisions.len(), 1, "{decisions:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_first_memberships_make_one_entry_and_no_reaction() {
    let world = World::new().await;
    tiers(&world).await;
    world.accounts(20_000).await;
    world.settle().await;
    world.rule("account", "transition", CALL, json!({ "watches": "segment.desk__tier" })).await;
    let iron = generation(&world, 20_000, 1).await;
    let head = world.records.log_head();
    flip(&world, iron, true).await;
    world.settle().await;
    assert_eq!(world.records.log_head(), head + 2, "the flip and the summary");
    assert_eq!(world.events("segment.baseline").await.len(), 1);
    assert_eq!(world.all("task").await, []);
}

/// The cause of the last `segment.changed` entry, once there are so many.
async fn last_change(world: &World, count: usize) -> trellis_model::Cause {
    world
        .until("the customer is assigned again", || async {
            world.events("segment.changed").await.len() >= count
        })
        .await;
    let is_change = |entry: &trellis_records::LogEntry| matches!(&entry.body, trellis_records::EntryBody::Event { name, .. } if name == "segment.changed");
    world.log().await.into_iter().rfind(is_change).unwrap().cause
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_goes_on_through_results_that_follow_and_silence_too() {
    let world = World::new().await;
    let caller = trellis_records::Caller::system("test");
    world.engine.plugin_upload(&caller, crate::support::built("hostile")).await.unwrap();
    let hostile = trellis_model::PluginId::new("hostile").unwrap();
    world.engine.plugin_enable(&caller, &hostile, trellis_engine::UseSettings::default()).await.unwrap();
    let order = |account: trellis_model::RecordId| json!({ "account": account.to_string(), "ordered_on": "2026-11-20" });
    let account = |number: u32| world.create("account", json!({ "name": format!("Customer {number}") }));
    let (first, second, third, fourth) =
        (account(1).await.id, account(2).await.id, account(3).await.id, account(4).await.id);
    world.create("order", order(first)).await;
    let job =
        world.engine.plugin_run(&caller, &hostile, trellis_engine::RunRequest::default()).await.unwrap();
    let job = world.engine.job_wait(job.id).await.unwrap();
    assert_eq!(job.state, trellis_engine::JobState::Succeeded, "{:?}", job.error);

    world.create("order", order(second)).await;
    assert_eq!(last_change(&world, 1).await.depth, 0, "from outside");

    let source = r#"create("order", #{ account: record.id, ordered_on: date("2026-11-20") });"#;
    world.rule("account", "after_save", source, json!({ "when_fields": ["city"] })).await;
    world.update("account", third, json!({ "city": "Kunming" })).await;
    let cause = last_change(&world, 2).await;
    assert_eq!((cause.depth, cause.automations_off), (1, false), "a rule created the order");
    let ordered = world.records.log_entry(cause.log.unwrap()).await.unwrap().unwrap();
    assert_eq!(ordered.cause.depth, 1);

    let cause = trellis_model::Cause { automations_off: true, ..Default::default() };
    let silent = trellis_records::Caller { cause, ..caller };
    world.create_by(&silent, "order", order(fourth)).await;
    assert!(last_change(&world, 3).await.automations_off);
}
