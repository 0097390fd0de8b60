//! A service workflow at work: the complaint desk.

use serde_json::json;
use trellis_columns::AsOf;
use trellis_engine::{ActionState, DecisionKind, UseSettings};
use trellis_model::{Actor, FieldAccess, ObjectScope, PluginId, RecordId, RowAccess, Scope, Via};
use trellis_records::Caller;

use crate::support::{World, built, name};

const HOUR_MS: i64 = 3_600_000;

fn desk() -> PluginId {
    PluginId::new("complaint-desk").unwrap()
}

async fn world_with_desk(grants: Option<Vec<String>>) -> World {
    let world = World::new().await;
    let caller = Caller::system("test");
    world.engine.plugin_upload(&caller, built("complaint-desk")).await.unwrap();
    let settings = UseSettings { as_of: AsOf::Now, grants, ..UseSettings::default() };
    world.engine.plugin_enable(&caller, &desk(), settings).await.unwrap();
    world
}

async fn complaint(world: &World) -> RecordId {
    let account = world.create("account", json!({ "name": "Acme" })).await.id.to_string();
    let case = json!({ "subject": "Torn sleeve", "status": "new", "kind": "complaint", "account": account,
        "dissatisfaction": "complained_to_authority" });
    world.create("case", case).await.id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_is_triaged_and_an_unanswered_one_is_pushed() {
    let world = world_with_desk(None).await;
    let case = complaint(&world).await;
    world.settle().await;
    let fields = world.fields("case", case).await;
    assert!(["high", "critical"].contains(&fields["severity"].as_str().unwrap()), "{fields:?}");
    let decisions = world.decisions("case", case).await;
    let triage = decisions.iter().find(|decision| decision.kind == DecisionKind::Triage).expect("a triage");
    assert!(!triage.reasons.is_empty() && triage.reasons.iter().all(|reason| !reason.text.zh_cn.is_empty()));
    assert!(
        triage.actions.iter().all(|action| action.state == ActionState::Applied),
        "{:#?}",
        triage.actions
    );
    let entry = triage.actions.iter().find_map(|action| action.log).unwrap();
    let entry = world.records.log_entry(entry).await.unwrap().unwrap();
    assert!(matches!(entry.actor, Actor::Plugin { id, .. } if id == desk()));
    let replayed = world.engine.decision_replay(triage.id).await.unwrap();
    assert!(replayed.same, "{replayed:?}");

    let tasks = world.all("task").await.len();
    world.clock.advance_ms(100 * HOUR_MS);
    world
        .until("the first response is overdue", || async { world.events("timer.fired").await.len() == 1 })
        .await;
    world.settle().await;
    assert!(world.all("task").await.len() > tasks, "somebody is asked to answer");
    let decisions = world.decisions("case", case).await;
    assert!(decisions.iter().any(|decision| decision.kind == DecisionKind::Event), "{decisions:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_granted_is_refused_and_the_rest_stands() {
    let world = world_with_desk(None).await;
    let requests = world.engine.plugin_get(&desk()).unwrap().requests;
    let granted =
        requests.into_iter().map(|request| request.grant).filter(|grant| grant != "act:create-task");
    let settings = UseSettings { grants: Some(granted.collect()), ..UseSettings::default() };
    world.engine.plugin_enable(&Caller::system("test"), &desk(), settings).await.unwrap();
    let case = complaint(&world).await;
    world.settle().await;
    assert_eq!(world.all("task").await, []);
    let decisions = world.decisions("case", case).await;
    let triage = decisions.iter().find(|decision| decision.kind == DecisionKind::Triage).unwrap();
    for action in &triage.actions {
        let expected = match action.kind.as_str() {
            "create-task" => (ActionState::Refused, Some("not_granted")),
            _ => (ActionState::Applied, None),
        };
        assert_eq!((action.state, action.code.as_deref()), expected, "{action:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suggestion_is_carried_out_by_the_plugin_for_whoever_chose_it() {
    let world = world_with_desk(None).await;
    let case = complaint(&world).await;
    world.settle().await;
    let user = world.create("user", json!({ "name": "Li", "username": "li", "kind": "person" })).await.id;
    let actor = Actor::User { id: user, via: Via::Session("s".into()) };
    let caller = Caller { actor, ..Caller::system("test") };
    let object = name("case");
    let suggestions = world.engine.suggestions(&caller, &object, case).await.unwrap();
    let chosen = suggestions.iter().find(|suggestion| suggestion.actions != json!([])).expect("a suggestion");
    let decision =
        world.engine.suggestion_apply(&caller, &object, case, &desk(), &chosen.name).await.unwrap();
    assert_eq!((decision.kind, decision.depth), (DecisionKind::Suggestion, 0));
    assert_eq!(decision.outcome["suggestion"], json!(chosen.name));
    assert!(decision.actions.iter().any(|action| action.state == ActionState::Applied), "{decision:#?}");
    let entry = decision.actions.iter().find_map(|action| action.log).unwrap();
    let entry = world.records.log_entry(entry).await.unwrap().unwrap();
    assert!(
        matches!(entry.actor, Actor::Plugin { for_user: Some(id), .. } if id == user),
        "{:?}",
        entry.actor
    );
    assert_eq!(world.engine.decision_get(decision.id).await.unwrap(), Some(decision));

    let error = world.engine.suggestion_apply(&caller, &object, case, &desk(), "fly").await.unwrap_err();
    assert_eq!(error.code(), "not_found");
    assert!(error.to_string().contains("`fly`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suggestion_does_and_shows_no_more_than_whoever_chose_it_may() {
    let world = world_with_desk(None).await;
    let case = complaint(&world).await;
    world.settle().await;
    let object = name("case");
    let actor = Actor::User { id: case, via: Via::Session("s".into()) };
    let sees = |rows| {
        let of_case =
            ObjectScope { rows, writable: FieldAccess::Only([].into()), ..ObjectScope::everything() };
        let scope = Scope::nothing().with(object.clone(), of_case);
        Caller { actor: actor.clone(), scope, ..Caller::system("test") }
    };
    let nobody = sees(RowAccess::Nothing);
    let error = world.engine.suggestions(&nobody, &object, case).await.unwrap_err();
    assert_eq!(error.code(), "not_found", "who does not see the case sees no suggestion for it");

    let reader = sees(RowAccess::All);
    let suggestions = world.engine.suggestions(&reader, &object, case).await.unwrap();
    let chosen = suggestions.iter().find(|suggestion| suggestion.actions != json!([])).expect("a suggestion");
    let before = (world.fields("case", case).await, world.all("task").await.len());
    let decision =
        world.engine.suggestion_apply(&reader, &object, case, &desk(), &chosen.name).await.unwrap();
    assert!(decision.actions.iter().all(|action| action.state == ActionState::Refused), "{decision:#?}");
    let after = (world.fields("case", case).await, world.all("task").await.len());
    assert_eq!(before, after, "who may change nothing changes nothing by a plugin");
}
