//! Campaigns whose members a plugin chooses.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use trellis_columns::AsOf;
use trellis_engine::{DecisionKind, DecisionQuery, JobState};
use trellis_model::{FieldName, Filter, ObjectName, Record, RecordId, Scope, Value};
use trellis_records::Query;

use crate::support::{World, caller, example, plugin_id};

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Creates a record from texts, as a form does.
async fn record(world: &World, object: &str, fields: &[(&str, Value)]) -> Record {
    let object = ObjectName::new(object).unwrap();
    let named = fields.iter().map(|(name, value)| (FieldName::new(name).unwrap(), Some(value.clone())));
    let changes = world.records.schema().fields(&object, named.collect()).unwrap();
    let fields = changes.into_iter().filter_map(|(id, value)| Some((id, value?))).collect();
    world.records.create(&caller(), &object, fields).await.unwrap()
}

async fn change(world: &World, object: &str, id: RecordId, field: &str, value: Value) {
    let object = ObjectName::new(object).unwrap();
    let named = BTreeMap::from([(FieldName::new(field).unwrap(), Some(value))]);
    let changes = world.records.schema().fields(&object, named).unwrap();
    world.records.update(&caller(), &object, id, changes, None).await.unwrap();
}

/// Customers 1 to 4 with two old orders each; 5 has one, 6 bought a moment ago.
async fn customers() -> World {
    let world = World::new().await;
    let mut orders = "customer_id,date,cds,amount\n".to_owned();
    for customer in 1..=4 {
        for month in ["01", "02"] {
            orders.push_str(&format!("{customer},2020-{month}-01,1,{customer}0.00\n"));
        }
    }
    orders.push_str("5,2020-01-01,1,5.00\n");
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    orders.push_str(&format!("6,2020-01-01,1,5.00\n6,{today},1,5.00\n"));
    world.import("order", Some(&example("orders.toml")), &orders).await.unwrap();
    world.enable("win-back", json!({}), AsOf::Now).await;
    world
}

/// An active campaign that sends everybody the offer.
async fn campaign(world: &World, more: &[(&str, Value)]) -> Record {
    let offer = json!({ "weights": { "a": 1, "b": 0, "hold_out": 0 } });
    let mut fields = vec![
        ("name", text("Come back")),
        ("status", text("active")),
        ("channel", text("email")),
        ("rules_plugin", text("win-back")),
        ("rules_config", Value::Json(offer)),
    ];
    fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    fields.extend(more.iter().cloned());
    record(world, "campaign", &fields).await
}

async fn run(world: &World, campaign: RecordId) -> Json {
    let job = world.engine.campaign_run(&caller(), campaign).await.unwrap();
    let job = world.engine.job_wait(job.id).await.unwrap();
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    job.result
}

async fn all(world: &World, object: &str) -> Vec<BTreeMap<FieldName, Value>> {
    let query =
        Query { filter: Filter::everything(), limit: 200, ..Query::new(ObjectName::new(object).unwrap()) };
    let page = world.records.list(&Scope::everything(), &query).await.unwrap();
    let schema = world.records.schema();
    page.records.iter().map(|record| schema.named(record).unwrap().fields).collect()
}

async fn statuses(world: &World) -> BTreeMap<String, u64> {
    let mut statuses = BTreeMap::new();
    for member in all(world, "campaign_member").await {
        let Some(Value::Choice(status)) = member.get(&FieldName::new("status").unwrap()) else { panic!() };
        *statuses.entry(status.clone()).or_default() += 1;
    }
    statuses
}

async fn status_of(world: &World, campaign: RecordId, customer: &str) -> Option<String> {
    let account = world.account(customer).await.id;
    let object = ObjectName::new("campaign_member").unwrap();
    let field = FieldName::new("external_id").unwrap();
    let value = Value::Text(format!("{campaign}:{account}"));
    let member = world.records.find_by(&Scope::everything(), &object, &field, &value).await.unwrap()?;
    let named = world.records.schema().named(&member).unwrap();
    match named.fields.get(&FieldName::new("status").unwrap()) {
        Some(Value::Choice(status)) => Some(status.clone()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_makes_members_and_contacts_them() {
    let world = customers().await;
    let id = campaign(&world, &[]).await.id;
    let result = run(&world, id).await;
    assert_eq!((&result["customers"], &result["eligible"]), (&json!(6), &json!(4)), "{result}");
    assert_eq!(result["causes"], json!({ "too-few-orders": 1, "too-recent": 1 }));
    assert_eq!((&result["variants"], &result["members"]), (&json!({ "a": 4 }), &json!({ "created": 4 })));
    assert_eq!((&result["decided"], &result["actions"]), (&json!(4), &json!({ "applied": 4 })));
    assert_eq!(statuses(&world).await, BTreeMap::from([("contacted".to_owned(), 4)]));
    let messages = all(&world, "message").await;
    assert_eq!(messages.len(), 4);
    let of_campaign = |message: &BTreeMap<FieldName, Value>| {
        message.get(&FieldName::new("campaign").unwrap()) == Some(&Value::Reference(id))
            && message.contains_key(&FieldName::new("account").unwrap())
    };
    assert!(messages.iter().all(of_campaign), "{messages:?}");
    let query = DecisionQuery { kind: Some(DecisionKind::NextAction), ..DecisionQuery::default() };
    let decisions = world.engine.decisions(query, None, 50).await.unwrap().decisions;
    assert_eq!(decisions.len(), 4);
    let replayed = world.engine.decision_replay(decisions[0].id).await.unwrap();
    assert!(replayed.same, "{replayed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_repeats_nothing() {
    let world = customers().await;
    let id = campaign(&world, &[]).await.id;
    run(&world, id).await;
    let second = run(&world, id).await;
    assert_eq!((&second["members"], &second["actions"]), (&json!({}), &json!({})), "{second}");
    assert_eq!((all(&world, "message").await.len(), all(&world, "campaign_member").await.len()), (4, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planned_campaign_chooses_members_and_contacts_nobody() {
    let world = customers().await;
    let id = campaign(&world, &[("status", text("planned"))]).await.id;
    let result = run(&world, id).await;
    assert_eq!((&result["members"], &result["decided"]), (&json!({ "created": 4 }), &json!(0)));
    assert_eq!(statuses(&world).await, BTreeMap::from([("planned".to_owned(), 4)]));
    let finished = campaign(&world, &[("status", text("finished"))]).await.id;
    let refused = world.engine.campaign_run(&caller(), finished).await.unwrap_err();
    assert!(refused.to_string().contains("is finished"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_audience_is_asked_and_who_leaves_it_is_not_contacted() {
    let world = customers().await;
    let audience =
        |customers: &[&str]| Value::Json(json!({ "field": "external_id", "op": "in", "value": customers }));
    let more = [("status", text("planned")), ("audience", audience(&["1", "2"]))];
    let record = campaign(&world, &more).await;
    let result = run(&world, record.id).await;
    assert_eq!((&result["customers"], &result["members"]), (&json!(2), &json!({ "created": 2 })));
    change(&world, "campaign", record.id, "audience", audience(&["1"])).await;
    let result = run(&world, record.id).await;
    assert_eq!((&result["customers"], &result["members"]), (&json!(1), &json!({ "suppressed": 1 })));
    assert_eq!(status_of(&world, record.id, "2").await.as_deref(), Some("suppressed"));
    let asked =
        world.engine.campaign_eligibility(&caller(), record.id, world.account("2").await.id).await.unwrap();
    assert_eq!((asked.eligible, asked.cause.as_deref()), (false, Some("outside-audience")));
    assert!(asked.member.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_severe_complaint_suppresses_a_planned_member_until_it_is_resolved() {
    let world = customers().await;
    let id = campaign(&world, &[("status", text("planned"))]).await.id;
    run(&world, id).await;
    change(&world, "campaign", id, "status", text("paused")).await;
    let account = world.account("3").await.id;
    let complaint = [
        ("subject", text("The parcel was empty")),
        ("status", text("open")),
        ("kind", text("complaint")),
        ("severity", text("critical")),
        ("account", Value::Reference(account)),
    ];
    record(&world, "case", &complaint).await;
    let asked = world.engine.campaign_eligibility(&caller(), id, account).await.unwrap();
    assert_eq!((asked.eligible, asked.cause.as_deref()), (false, Some("open-severe-complaint")));
    assert!(asked.member.is_some() && !asked.reasons.is_empty(), "{asked:?}");
    assert_eq!(
        status_of(&world, id, "3").await.as_deref(),
        Some("planned"),
        "a paused campaign does not react"
    );
    change(&world, "campaign", id, "status", text("planned")).await;
    let result = run(&world, id).await;
    assert_eq!(result["members"], json!({ "suppressed": 1 }), "{result}");
    let query = DecisionQuery { kind: Some(DecisionKind::Eligibility), ..DecisionQuery::default() };
    let decisions = world.engine.decisions(query, None, 50).await.unwrap().decisions;
    assert_eq!(decisions.len(), 1, "only the member whose state changed");
    assert_eq!(decisions[0].outcome, json!({ "eligible": false, "cause": "open-severe-complaint" }));
    assert!(world.engine.decision_replay(decisions[0].id).await.unwrap().same);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_campaign_can_be_replayed_after_a_restart() {
    let world = customers().await;
    let id = campaign(&world, &[]).await.id;
    let result = run(&world, id).await;
    let world = world.restart().await;
    let run = RecordId::parse(result["run"].as_str().unwrap()).unwrap();
    let job = world.engine.run_replay(&caller(), &plugin_id("win-back"), run).await.unwrap();
    let job = world.engine.job_wait(job.id).await.unwrap();
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    assert_eq!((&job.result["same"], &job.result["rows"]), (&json!(true), &json!(6)), "{}", job.result);
    assert_eq!(job.result["outputs_digest"], result["outputs_digest"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_of_a_campaign_can_be_asked() {
    let world = customers().await;
    let id = campaign(&world, &[]).await.id;
    run(&world, id).await;
    let evaluation = world.engine.campaign_evaluate(&caller(), id).await.unwrap();
    assert_eq!((evaluation.members, evaluation.plugin.as_str()), (4, "win-back"));
    assert!(
        !evaluation.report.metrics.is_empty() && !evaluation.report.summary.zh_cn.is_empty(),
        "{evaluation:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_without_a_usable_plugin_says_so() {
    let world = customers().await;
    let plain = campaign(&world, &[("rules_plugin", text("retail-rfm"))]).await.id;
    let unknown = world.engine.campaign_run(&caller(), plain).await.unwrap_err();
    assert_eq!(unknown.code(), "not_found");
    world.enable("retail-rfm", json!({}), AsOf::Now).await;
    let cannot = world.engine.campaign_run(&caller(), plain).await.unwrap_err();
    assert_eq!(cannot.code(), "plugin_cannot_run");
    let bad = Value::Json(json!({ "inactive_days": "many" }));
    let bad = campaign(&world, &[("rules_config", bad)]).await.id;
    let settings = world.engine.campaign_run(&caller(), bad).await.unwrap_err();
    assert_eq!(settings.code(), "plugin_settings_invalid");
}

/// Waits until the reaction to what happened has made a member what it should be.
async fn until_status(world: &World, campaign: RecordId, customer: &str, wanted: &str) {
    for _ in 0..5_000 {
        if status_of(world, campaign, customer).await.as_deref() == Some(wanted) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let found = status_of(world, campaign, customer).await;
    panic!("customer {customer} never became `{wanted}`, it is {found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_active_campaign_reacts_to_what_happens_to_customers() {
    let world = customers().await;
    let id = campaign(&world, &[("status", text("planned"))]).await.id;
    run(&world, id).await;
    change(&world, "campaign", id, "status", text("active")).await;
    let complaint = [
        ("subject", text("The parcel was empty")),
        ("status", text("open")),
        ("kind", text("complaint")),
        ("severity", text("critical")),
        ("account", Value::Reference(world.account("3").await.id)),
    ];
    let case = record(&world, "case", &complaint).await;
    until_status(&world, id, "3", "suppressed").await;
    change(&world, "case", case.id, "status", text("resolved")).await;
    until_status(&world, id, "3", "contacted").await;
    let expected = BTreeMap::from([("contacted".to_owned(), 1), ("planned".to_owned(), 3)]);
    assert_eq!(statuses(&world).await, expected, "the others are contacted by the next run");
    let query = DecisionQuery { kind: Some(DecisionKind::Eligibility), ..DecisionQuery::default() };
    let decisions = world.engine.decisions(query, None, 50).await.unwrap().decisions;
    let eligible: Vec<_> = decisions.iter().map(|decision| decision.outcome["eligible"].clone()).collect();
    assert_eq!(eligible, [json!(true), json!(false)], "the newest first");
    assert!(decisions.iter().all(|decision| decision.log.is_some() && decision.depth == 1), "{decisions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_becomes_eligible_later_is_contacted_at_once() {
    let world = customers().await;
    let id = campaign(&world, &[]).await.id;
    run(&world, id).await;
    assert_eq!(status_of(&world, id, "5").await, None, "one order is too few");
    let account = Value::Reference(world.account("5").await.id);
    record(&world, "order", &[("account", account), ("ordered_on", text("2020-02-01"))]).await;
    until_status(&world, id, "5", "contacted").await;
    assert_eq!(all(&world, "message").await.len(), 5, "one message more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_a_stop_of_the_server_interrupts_contacts_nobody_twice() {
    let world = World::new().await;
    world.import_cdnow().await;
    world.enable("win-back", json!({}), AsOf::Now).await;
    let id = campaign(&world, &[]).await.id;
    let job = world.engine.campaign_run(&caller(), id).await.unwrap();
    while world.engine.job_get(job.id).await.unwrap().unwrap().state == JobState::Queued
        || all(&world, "message").await.is_empty()
    {
        tokio::task::yield_now().await;
    }
    let world = world.restart().await;
    let job = world.engine.job_wait(job.id).await.unwrap();
    assert_eq!((job.state, job.attempts), (JobState::Succeeded, 2), "{:?}", job.error);
    let count = async |object: &str, filter: Json| {
        let (object, filter) = (ObjectName::new(object).unwrap(), Filter::parse(&filter).unwrap());
        world.records.count(&Scope::everything(), &object, &filter).await.unwrap()
    };
    let everything = || json!({ "and": [] });
    let members = count("campaign_member", everything()).await;
    assert_eq!(job.result["eligible"], members, "{}", job.result);
    let contacted = json!({ "field": "status", "op": "eq", "value": "contacted" });
    assert_eq!(count("campaign_member", contacted).await, members, "everybody was contacted");
    assert_eq!(count("message", everything()).await, members, "and only once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_misbehaves_fails_its_campaign_and_nothing_else() {
    let world = customers().await;
    world.enable("hostile", json!({}), AsOf::Now).await;
    let sins = [
        "eligible-wrong-lengths",
        "eligible-two",
        "eligible-bad-cause",
        "eligible-bad-failed-row",
        "variant-bad-codes",
        "variant-many",
        "action-other-row",
        "action-row-twice",
        "action-storm",
        "action-bad-id",
    ];
    for sin in sins {
        let more = [("rules_plugin", text("hostile")), ("rules_config", Value::Json(json!({ "sin": sin })))];
        let id = campaign(&world, &more).await.id;
        let job = world.engine.campaign_run(&caller(), id).await.unwrap();
        let job = world.engine.job_wait(job.id).await.unwrap();
        let error = job.error.unwrap_or_else(|| panic!("{sin} ended {:?}", job.state));
        assert_eq!(error.code, "plugin_fault", "{sin}: {}", error.message.en);
        assert!(error.message.en.contains("plugin `hostile` 1.0.0"), "{sin}: {}", error.message.en);
    }
    assert_eq!(statuses(&world).await, BTreeMap::new());
    let id = campaign(&world, &[]).await.id;
    assert_eq!(run(&world, id).await["members"], json!({ "created": 4 }), "another plugin's campaign works");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_evaluation_that_does_not_end_is_ended_and_named() {
    let config = trellis_engine::Config { campaign_evaluation_ms_max: 300, ..Default::default() };
    let world = World::with(Default::default(), config).await;
    world
        .import("order", Some(&example("orders.toml")), "customer_id,date,cds,amount\n1,2020-01-01,1,5.00\n")
        .await
        .unwrap();
    world.enable("hostile", json!({}), AsOf::Now).await;
    let config = Value::Json(json!({ "sin": "evaluate-loop" }));
    let campaign = campaign(&world, &[("rules_plugin", text("hostile")), ("rules_config", config)]).await;
    let error = world.engine.campaign_evaluate(&caller(), campaign.id).await.unwrap_err().to_string();
    assert!(error.contains("`hostile`") && error.contains("1.0.0") && error.contains("300 ms"), "{error}");
    // The call gives back what trains models: a run does not wait for its minute.
    world.run_well("hostile", trellis_engine::RunRequest::default()).await;
}
