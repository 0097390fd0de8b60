//! Record hooks and close checks of plugins over real records.

use serde_json::{Value as Json, json};
use trellis_columns::AsOf;
use trellis_engine::{DecisionKind, UseSettings};
use trellis_model::{
    Decider, FieldAccess, FieldName, Language, ObjectName, ObjectScope, RecordId, RowAccess, Scope,
};
use trellis_records::{Caller, Write};

use crate::{
    rules::veto,
    sections::with_manifest,
    support::{World, built, caller, plugin_id},
};

impl World {
    /// Enables the hostile guest with one thing that it does wrong, and what is granted to it.
    async fn sinner(&self, sin: &str, grants: Option<Vec<&str>>) {
        let grants = grants.map(|grants| grants.into_iter().map(str::to_owned).collect());
        let settings = UseSettings { config: json!({ "sin": sin }), grants, ..UseSettings::default() };
        self.install("hostile").await;
        self.engine.plugin_enable(&caller(), &plugin_id("hostile"), settings).await.unwrap();
    }

    async fn lead(&self) -> RecordId {
        self.create("lead", json!({ "name": "Ann", "status": "new" })).await.unwrap().id
    }

    async fn contacted(&self, lead: RecordId) -> Result<trellis_model::Record, trellis_records::Error> {
        self.update("lead", lead, json!({ "status": "contacted" })).await
    }
}

fn by_hostile() -> Decider {
    Decider::Plugin { id: plugin_id("hostile"), version: "1.0.0".into() }
}

#[tokio::test]
async fn a_hook_refuses_and_names_itself() {
    let world = World::new().await;
    let lead = world.lead().await;
    world.sinner("hook-veto", None).await;
    let head = world.records.log_head();
    let (by, code, reason, field, unavailable) = veto(world.contacted(lead).await);
    assert_eq!((by, code.as_str()), (by_hostile(), "company-missing"));
    assert_eq!((field.as_deref(), unavailable), (Some("company"), false));
    assert_eq!(reason.get(Language::ZhCn), "请填写公司");
    assert_eq!(world.records.log_head(), head);
    let vetoes = world.decided(DecisionKind::Veto).await;
    assert_eq!((vetoes[0].record, vetoes[0].reasons[0].code.as_str()), (lead, "company-missing"));
    assert!(world.engine.decision_replay(vetoes[0].id).await.unwrap().same);

    let renamed = world.update("lead", lead, json!({ "name": "Anna" })).await;
    assert!(renamed.is_ok(), "it is asked only when its fields change");
    world.create("account", json!({ "name": "Acme" })).await.unwrap();
    world.engine.plugin_disable(&caller(), &plugin_id("hostile")).await.unwrap();
    world.contacted(lead).await.unwrap();
}

#[tokio::test]
async fn a_hook_changes_what_is_saved_and_its_look_ups_are_replayed() {
    let world = World::new().await;
    let lead = world.lead().await;
    world.sinner("hook-lookup-flood", None).await;
    let saved = world.contacted(lead).await.unwrap();
    let company = world.json("lead", &saved, "company");
    assert_eq!(company, "50 answers", "as many as the class allows");
    let patches = world.decided(DecisionKind::Patch).await;
    assert_eq!(patches[0].outcome["changes"], json!({ "company": "50 answers" }));
    let id = patches[0].id;
    world.create("case", json!({ "subject": "Late", "status": "open" })).await.unwrap();
    assert!(world.engine.decision_replay(id).await.unwrap().same, "with the answers of then");
    let world = world.restart().await;
    assert!(world.engine.decision_replay(id).await.unwrap().same, "after a restart");
}

#[tokio::test]
async fn a_look_up_that_was_not_granted_is_denied() {
    let world = World::new().await;
    let lead = world.lead().await;
    let requests = world.install("hostile").await.requests;
    let data = requests.iter().find(|request| request.grant.starts_with("data:")).unwrap().grant.clone();
    let judge = requests.iter().find(|request| request.grant.starts_with("judge:")).unwrap().grant.clone();
    assert!(requests.iter().any(|request| request.grant == "read:case(status,subject)"), "{requests:?}");
    world.sinner("hook-lookup-flood", Some(vec![&data, &judge])).await;
    let saved = world.contacted(lead).await.unwrap();
    assert_eq!(world.json("lead", &saved, "company"), "0 answers");

    world.sinner("hook-veto", Some(vec![&data])).await;
    world.update("lead", lead, json!({ "status": "qualified" })).await.unwrap();
    assert_eq!(world.decided(DecisionKind::Veto).await, [], "judging was not granted");

    let settings = |grants: &[&str]| UseSettings {
        grants: Some(grants.iter().map(|grant| (*grant).to_owned()).collect()),
        ..UseSettings::default()
    };
    let hostile = plugin_id("hostile");
    let unknown = world.engine.plugin_enable(&caller(), &hostile, settings(&[&data, "act:fly"])).await;
    assert!(unknown.unwrap_err().to_string().contains("act:fly"));
    let kept = world.engine.plugin_get(&hostile).unwrap().settings.unwrap().grants;
    assert_eq!(kept, Some(vec![data]), "the last settings that were accepted");
    world.engine.plugin_enable(&caller(), &hostile, settings(&[&judge])).await.unwrap();
}

#[tokio::test]
async fn a_hook_that_fails_does_what_its_manifest_says() {
    let world = World::new().await;
    let lead = world.lead().await;
    for (sin, code) in [
        ("hook-few-verdicts", "plugin-fault"),
        ("hook-undeclared-field", "plugin-fault"),
        ("hook-nan", "plugin-fault"),
        ("hook-no-message", "plugin-fault"),
        ("hook-trap", "plugin-fault"),
        ("hook-loop", "plugin-fault"),
        ("hook-memory", "plugin-fault"),
        ("hook-huge-output", "plugin-fault"),
    ] {
        world.sinner(sin, None).await;
        let (by, found, reason, _, unavailable) = veto(world.contacted(lead).await);
        assert_eq!((by, found.as_str(), unavailable), (by_hostile(), code, true), "{sin}");
        assert!(reason.en.contains("hostile"), "{sin}: {}", reason.en);
    }
    world.sinner("none", None).await;
    world.contacted(lead).await.unwrap();

    let lenient = with_manifest(&built("hostile"), |line| match line {
        "version = \"1.0.0\"" => "version = \"1.0.1\"".to_owned(),
        "fields = [\"company\", \"status\"]" => format!("{line}\non-failure = \"accept\""),
        _ => line.to_owned(),
    });
    world.engine.plugin_upload(&caller(), lenient).await.unwrap();
    let settings = UseSettings { config: json!({ "sin": "hook-trap" }), ..UseSettings::default() };
    world.engine.plugin_enable(&caller(), &plugin_id("hostile"), settings).await.unwrap();
    world.update("lead", lead, json!({ "status": "qualified" })).await.unwrap();
    let unjudged = world.decided(DecisionKind::Patch).await;
    assert_eq!(unjudged[0].outcome["not_judged"]["code"], "plugin_fault");
}

/// Somebody who sees and writes these fields of leads and nothing else.
fn narrow(fields: &[&str]) -> Caller {
    let fields = || FieldAccess::Only(fields.iter().map(|name| FieldName::new(name).unwrap()).collect());
    let own = ObjectScope { rows: RowAccess::All, readable: fields(), writable: fields() };
    Caller { scope: Scope::nothing().with(ObjectName::new("lead").unwrap(), own), ..caller() }
}

#[tokio::test]
async fn a_user_is_told_no_more_by_a_hook_than_the_user_may_see() {
    let world = World::new().await;
    let lead = json!({ "name": "Ann", "company": "Acme", "status": "new" });
    let lead = world.create("lead", lead).await.unwrap().id;
    let object = ObjectName::new("lead").unwrap();
    let contacted = async |by: &Caller| {
        let status = world.records.schema().object("lead").unwrap().field("status").unwrap().clone();
        let value = status.field_type.parse_json(&json!("contacted")).unwrap();
        world.records.update(by, &object, lead, [(status.id, value)].into(), None).await
    };
    world.sinner("hook-veto", None).await;
    let (_, code, reason, field, _) = veto(contacted(&narrow(&["name", "status", "company"])).await);
    assert_eq!((code.as_str(), reason.en.as_str()), ("company-missing", "name the company"));
    assert_eq!(field.as_deref(), Some("company"));
    let (by, code, reason, field, unavailable) = veto(contacted(&narrow(&["name", "status"])).await);
    assert_eq!((by, code.as_str(), field, unavailable), (by_hostile(), "reason-withheld", None, false));
    assert!(
        reason.en.contains("that you may not see") && !reason.en.contains("name the company"),
        "{}",
        reason.en
    );
    assert!(reason.zh_cn.contains("无权查看"), "{}", reason.zh_cn);
    let vetoes = world.decided(DecisionKind::Veto).await;
    assert_eq!(vetoes[0].outcome["code"], "company-missing", "the ledger has it all");
    assert!(world.engine.decision_replay(vetoes[0].id).await.unwrap().same);

    world.sinner("hook-trap", None).await;
    let (_, _, reason, _, _) = veto(contacted(&caller()).await);
    assert!(reason.en.contains("told to trap"), "{}", reason.en);
    let (_, code, reason, _, unavailable) = veto(contacted(&narrow(&["name", "status"])).await);
    assert_eq!((code.as_str(), unavailable), ("plugin-fault", true));
    assert!(!reason.en.contains("told to trap"), "{}", reason.en);

    // It judges alike for everybody, also by look-ups of what the user does not see; what it changes is what it was granted to judge.
    world.sinner("hook-lookup-flood", None).await;
    let shown = contacted(&narrow(&["name", "status"])).await.unwrap();
    assert_eq!(world.json("lead", &shown, "company"), Json::Null);
    let saved = world.records.find(&Scope::everything(), &object, lead).await.unwrap();
    assert_eq!(world.json("lead", &saved, "company"), "50 answers");
}

#[tokio::test]
async fn a_user_is_told_no_more_by_a_close_check_than_the_user_may_see() {
    let world = World::new().await;
    world.sinner("none", None).await;
    let case = json!({ "subject": "Late", "status": "open" });
    let case = world.create("case", case).await.unwrap().id;
    let object = ObjectName::new("case").unwrap();
    let closed = async |fields: &[&str]| {
        let fields = || FieldAccess::Only(fields.iter().map(|name| FieldName::new(name).unwrap()).collect());
        let own = ObjectScope { rows: RowAccess::All, readable: fields(), writable: fields() };
        let by = Caller { scope: Scope::nothing().with(object.clone(), own), ..caller() };
        let status = world.records.schema().object("case").unwrap().field("status").unwrap().clone();
        let value = status.field_type.parse_json(&json!("closed")).unwrap();
        veto(world.records.update(&by, &object, case, [(status.id, value)].into(), None).await).1
    };
    assert_eq!(closed(&["status"]).await, "reason-withheld", "it saw the subject");
    let all = ["subject", "status", "priority", "resolution"];
    assert_eq!(closed(&all).await, "resolution-missing");
}

#[tokio::test]
async fn a_batch_of_writes_is_judged_together() {
    let world = World::new().await;
    world.sinner("hook-veto", None).await;
    let object = ObjectName::new("lead").unwrap();
    let schema = world.records.schema();
    let definition = schema.object("lead").unwrap();
    let value = |field: &str, value: Json| {
        let field = definition.field(field).unwrap();
        (field.id, field.field_type.parse_json(&value).unwrap().unwrap())
    };
    let create = |number: u32| Write::Create {
        object: object.clone(),
        fields: [value("name", json!(format!("Lead {number}"))), value("status", json!("new"))].into(),
        id: None,
    };
    let results = world.records.write_batch(&caller(), (0..200).map(create).collect()).await.unwrap();
    assert!(results.iter().all(Result::is_err));
    let recorded = world.decided(DecisionKind::Veto).await;
    assert_eq!(recorded.len(), 20, "so many refusals of one write set are recorded");
    assert!(recorded.iter().all(|veto| !veto.has_capsule), "inputs of large write sets are not kept");
}

#[tokio::test]
async fn a_workflow_says_what_is_missing_before_a_record_is_closed() {
    let world = World::new().await;
    world.sinner("none", None).await;
    let case = json!({ "subject": "Late", "status": "open" });
    let case = world.create("case", case).await.unwrap().id;
    world.update("case", case, json!({ "status": "resolved" })).await.unwrap();
    let (by, code, _, field, unavailable) =
        veto(world.update("case", case, json!({ "status": "closed" })).await);
    assert_eq!((by, code.as_str()), (by_hostile(), "resolution-missing"));
    assert_eq!((field.as_deref(), unavailable), (Some("resolution"), false));
    let checks = world.decided(DecisionKind::CloseCheck).await;
    assert_eq!(checks[0].record, case);
    assert!(world.engine.decision_replay(checks[0].id).await.unwrap().same);
    world.sinner("close-no-message", None).await;
    let (_, code, _, _, unavailable) = veto(world.update("case", case, json!({ "status": "closed" })).await);
    assert_eq!((code.as_str(), unavailable), ("plugin-fault", true), "what cannot be checked is not closed");
}

#[tokio::test]
async fn suggestions_write_nothing() {
    let world = World::new().await;
    world.sinner("none", None).await;
    let account = world.create("account", json!({ "name": "Acme" })).await.unwrap().id;
    let case = json!({ "subject": "Late", "status": "open", "account": account.to_string() });
    let case = world.create("case", case).await.unwrap().id;
    let object = ObjectName::new("case").unwrap();
    let suggestions = world.engine.suggestions(&caller(), &object, case).await.unwrap();
    assert_eq!(suggestions.len(), 1);
    assert_eq!((suggestions[0].name.as_str(), suggestions[0].label.zh_cn.as_str()), ("call", "致电"));
    assert_eq!(suggestions[0].actions[0]["kind"], "create-task");
    world.sinner("suggest-storm", None).await;
    let storm = world.engine.suggestions(&caller(), &object, case).await.unwrap_err();
    assert!(storm.to_string().contains("hostile"), "{storm}");
    let tasks = ObjectName::new("task").unwrap();
    let everything = trellis_model::Filter::everything();
    let scope = trellis_model::Scope::everything();
    assert_eq!(world.records.count(&scope, &tasks, &everything).await.unwrap(), 0);
}

#[tokio::test]
async fn the_gate_lets_only_qualified_leads_be_converted() {
    let world = World::new().await;
    let lead = world.lead().await;
    world.enable("b2b-gate", json!({}), AsOf::Now).await;
    let (by, _, reason, _, _) = veto(world.update("lead", lead, json!({ "status": "converted" })).await);
    assert!(matches!(by, Decider::Plugin { id, .. } if id == plugin_id("b2b-gate")));
    assert!(!reason.zh_cn.is_empty());
    let grades =
        json!({ "money_grade": "yes", "authority_grade": "yes", "need_grade": "yes", "status": "contacted" });
    let graded = world.update("lead", lead, grades).await.unwrap();
    assert_eq!(world.json("lead", &graded, "status"), "qualified", "the plugin moved it on");
    world.update("lead", lead, json!({ "status": "converted" })).await.unwrap();
    for kind in [DecisionKind::Patch, DecisionKind::Veto] {
        let decisions = world.decided(kind).await;
        assert_eq!(decisions.len(), 1, "{kind:?}");
        assert!(world.engine.decision_replay(decisions[0].id).await.unwrap().same);
    }
}
