use serde_json::{Value as Json, json};
use trellis_model::Record;
use trellis_records::{Error, Write};

use crate::support::{World, name};

async fn deal(world: &World) -> Record {
    world.create("opportunity", json!({"name": "Server room", "stage": "prospecting"})).await
}

/// The fields that a refusal names, each as often as something about it is missing.
fn missing(result: Result<Record, Error>) -> Vec<String> {
    let Err(Error::Invalid(errors)) = result else { panic!("not refused: {result:?}") };
    assert!(errors.iter().all(|error| error.code == "stage_gate" && error.message.en != error.message.zh_cn));
    errors.iter().map(|error| error.field.to_string()).collect()
}

fn field(world: &World, record: &Record, field: &str) -> String {
    world.text("opportunity", record, field)
}

fn amount() -> Json {
    json!({"amount": "5000", "currency": "USD"})
}

#[tokio::test]
async fn a_record_passes_a_stage_when_its_fields_and_tasks_are_done() {
    let world = World::new().await;
    let account = world.create("account", json!({"name": "Acme"})).await.id.to_string();
    let contact = world.create("contact", json!({"name": "Ann"})).await.id.to_string();
    let id = deal(&world).await.id;
    let to = async |changes: Json| world.update("opportunity", id, changes).await;

    assert_eq!(missing(to(json!({"stage": "qualification"})).await), ["account"]);
    let qualified = to(json!({"stage": "qualification", "account": account})).await.unwrap();
    assert_eq!(field(&world, &qualified, "probability"), "30.0");

    // Whoever wants to go on hears of everything at once, in both languages.
    let all = ["amount", "close_on", "tasks_done", "tasks_done"];
    assert_eq!(missing(to(json!({"stage": "proposal"})).await), all);
    let Err(Error::Invalid(errors)) = to(json!({"stage": "proposal"})).await else { panic!("passed") };
    assert_eq!(
        errors[2].message.en,
        "the task “Confirm the need” of the stage “Qualification” must be done before a record enters “Proposal”"
    );
    assert_eq!(errors[2].message.zh_cn, "进入“方案报价”阶段前，须先完成“资格确认”阶段的任务“确认需求”");
    let done = json!(["confirm_need", "confirm_budget", "present_proposal"]);
    let given =
        json!({"stage": "proposal", "amount": amount(), "close_on": "2026-12-31", "tasks_done": done});
    to(given).await.unwrap();

    // A stage that is left out counts too.
    assert_eq!(missing(to(json!({"stage": "won"})).await), ["contact", "tasks_done"]);
    let done = json!(["confirm_need", "confirm_budget", "present_proposal", "agree_terms"]);
    let won = to(json!({"stage": "won", "contact": contact, "tasks_done": done})).await.unwrap();
    assert_eq!(field(&world, &won, "probability"), "100.0");
    assert!(!field(&world, &won, "closed_on").is_empty());
    world.expect_clean().await;
}

#[tokio::test]
async fn lost_may_be_entered_from_anywhere_and_back_is_free() {
    let world = World::new().await;
    let id = deal(&world).await.id;
    let to = async |changes: Json| world.update("opportunity", id, changes).await;

    assert_eq!(missing(to(json!({"stage": "lost"})).await), ["loss_category"]);
    let lost = to(json!({"stage": "lost", "loss_category": "price"})).await.unwrap();
    assert_eq!(field(&world, &lost, "probability"), "0.0");
    let day = field(&world, &lost, "closed_on");
    assert_eq!(day, "2023-11-14");

    // Losing it first opens no way around the gates.
    assert_eq!(missing(to(json!({"stage": "qualification"})).await), ["account"]);
    assert_eq!(missing(to(json!({"stage": "won"})).await).len(), 8);
    let again = to(json!({"stage": "prospecting"})).await.unwrap();
    assert_eq!(
        (field(&world, &again, "closed_on"), field(&world, &again, "probability")),
        ("".into(), "10.0".into())
    );

    let account = world.create("account", json!({"name": "Acme"})).await.id.to_string();
    to(json!({"stage": "qualification", "account": account})).await.unwrap();
    to(json!({"account": null})).await.unwrap();
    to(json!({"stage": "prospecting"})).await.unwrap();
}

#[tokio::test]
async fn what_a_stage_sets_gives_way_to_what_the_save_sets() {
    let world = World::new().await;
    let deal = deal(&world).await;
    let entered = field(&world, &deal, "stage_entered_at");
    assert!(!entered.is_empty());
    assert_eq!(field(&world, &deal, "probability"), "10.0");

    let renamed = world.update("opportunity", deal.id, json!({"name": "Big server room"})).await.unwrap();
    assert_eq!(field(&world, &renamed, "stage_entered_at"), entered, "it stays where it is");

    let account = world.create("account", json!({"name": "Acme"})).await.id.to_string();
    let moved = json!({"stage": "qualification", "account": account, "probability": 42});
    let moved = world.update("opportunity", deal.id, moved).await.unwrap();
    assert_eq!(field(&world, &moved, "probability"), "42.0");
    assert_ne!(field(&world, &moved, "stage_entered_at"), entered);

    let lost = json!({"stage": "lost", "loss_category": "price", "closed_on": "2023-10-01"});
    let lost = world.update("opportunity", deal.id, lost).await.unwrap();
    assert_eq!(field(&world, &lost, "closed_on"), "2023-10-01");
}

#[tokio::test]
async fn a_record_may_begin_in_any_stage_and_is_held_there() {
    let world = World::new().await;
    let won = json!({"name": "Long ago", "stage": "won", "closed_on": "2020-05-01"});
    let won = world.create("opportunity", won).await;
    assert_eq!(field(&world, &won, "closed_on"), "2020-05-01");
    assert_eq!(field(&world, &won, "probability"), "100.0");
    world.update("opportunity", won.id, json!({"name": "Very long ago"})).await.unwrap();

    let proposal = world.create("opportunity", json!({"name": "Late", "stage": "proposal"})).await;
    let refused = world.update("opportunity", proposal.id, json!({"stage": "negotiation"})).await;
    assert_eq!(missing(refused).len(), 7);
}

#[tokio::test]
async fn a_row_that_is_stopped_at_a_gate_fails_alone() {
    let world = World::new().await;
    let (first, second) = (deal(&world).await, deal(&world).await);
    let change = |id, json| Write::Update {
        object: name("opportunity"),
        id,
        changes: world.changes("opportunity", json),
        expected_version: None,
    };
    let writes = vec![
        change(first.id, json!({"stage": "won"})),
        change(second.id, json!({"stage": "lost", "loss_category": "timing"})),
    ];
    let results = world.records.write_batch(&world.caller, writes).await.unwrap();
    assert!(matches!(&results[0], Err(Error::Invalid(_))) && results[1].is_ok());
    assert_eq!(world.get("opportunity", first.id).await.unwrap(), first);
    world.expect_clean().await;
}
