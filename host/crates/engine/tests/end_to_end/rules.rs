//! Before-save rules over real records.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use serde_json::{Value as Json, json};
use trellis_engine::{DecisionKind, DecisionQuery, RuleDraft, RuleProblem, RuleTarget, Trigger};
use trellis_model::{Decider, FieldName, Language, ObjectName, Record, RecordId, Scope, Text, Value};
use trellis_records::{Error, Write};

use crate::support::{World, caller};

impl World {
    fn fields(&self, object: &str, json: Json) -> trellis_records::FieldChanges {
        let schema = self.records.schema();
        let object = schema.object(object).unwrap();
        let field = |(name, value): (String, Json)| {
            let field = object.field(&name).unwrap_or_else(|| panic!("{} has no {name}", object.name));
            (field.id, field.field_type.parse_json(&value).unwrap())
        };
        json.as_object().unwrap().clone().into_iter().map(field).collect()
    }

    pub(crate) async fn create(&self, object: &str, json: Json) -> Result<Record, Error> {
        let fields = self.fields(object, json).into_iter();
        let fields = fields.filter_map(|(field, value)| Some((field, value?))).collect();
        self.records.create(&caller(), &ObjectName::new(object).unwrap(), fields).await
    }

    pub(crate) async fn update(&self, object: &str, id: RecordId, json: Json) -> Result<Record, Error> {
        let changes = self.fields(object, json);
        self.records.update(&caller(), &ObjectName::new(object).unwrap(), id, changes, None).await
    }

    pub(crate) fn json(&self, object: &str, record: &Record, field: &str) -> Json {
        let schema = self.records.schema();
        let field = schema.object(object).unwrap().field(field).unwrap().id;
        record.fields.get(&field).map_or(Json::Null, Value::to_json)
    }

    async fn rule(&self, object: &str, source: &str, more: Json) -> Record {
        self.try_rule(object, source, more).await.unwrap()
    }

    async fn try_rule(&self, object: &str, source: &str, more: Json) -> Result<Record, Error> {
        let mut rule = json!({
            "name": "Test rule", "name_zh": "测试规则", "object": object, "trigger": "before_save", "position": 100, "enabled": true,
            "source": source,
        });
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.create("rule", rule).await
    }

    pub(crate) async fn decided(&self, kind: DecisionKind) -> Vec<trellis_engine::Decision> {
        let query = DecisionQuery { kind: Some(kind), ..DecisionQuery::default() };
        self.engine.decisions(query, None, 200).await.unwrap().decisions
    }
}

pub(crate) fn veto(result: Result<Record, Error>) -> (Decider, String, Text, Option<String>, bool) {
    match result.unwrap_err() {
        Error::Veto { by, code, reason, field, unavailable } => {
            (*by, code, reason, field.map(|field| field.to_string()), unavailable)
        }
        other => panic!("not a veto: {other}"),
    }
}

#[tokio::test]
async fn rules_change_in_their_order_and_each_sees_what_came_before() {
    let world = World::new().await;
    world.rule("account", r#"record.industry = record.industry + "b";"#, json!({ "position": 20 })).await;
    world.rule("account", r#"record.industry = "a";"#, json!({ "position": 10 })).await;
    world.rule("account", r#"record.city = "never";"#, json!({ "position": 5, "enabled": false })).await;
    let account = world.create("account", json!({ "name": "Acme" })).await.unwrap();
    assert_eq!(world.json("account", &account, "industry"), "ab");
    assert_eq!(world.json("account", &account, "city"), Json::Null);

    let rules = world.decided(DecisionKind::Rule).await;
    assert_eq!(rules.len(), 2, "one for each rule that changed something");
    assert!(rules.iter().all(|rule| rule.record == account.id && rule.has_capsule));
    assert_eq!(rules[0].outcome["changes"], json!({ "industry": "ab" }));
    for decision in &rules {
        let replay = world.engine.decision_replay(decision.id).await.unwrap();
        assert!(replay.same, "{replay:?}");
    }
    let ids: Vec<_> = rules.iter().map(|decision| decision.id).collect();
    let world = world.restart().await;
    for id in ids {
        assert!(world.engine.decision_replay(id).await.unwrap().same, "after a restart");
    }
    // The rules are there after a restart without anybody saving one.
    let account = world.create("account", json!({ "name": "Beta" })).await.unwrap();
    assert_eq!(world.json("account", &account, "industry"), "ab");
}

#[tokio::test]
async fn a_rule_holds_from_the_moment_its_save_is_acknowledged() {
    let world = World::new().await;
    for number in 0..20 {
        let source = format!(r#"record.industry = "{number}";"#);
        let rule = world.rule("account", &source, json!({})).await;
        let account = world.create("account", json!({ "name": "Acme" })).await.unwrap();
        assert_eq!(world.json("account", &account, "industry"), number.to_string());
        world.update("rule", rule.id, json!({ "source": r#"record.industry = "changed";"# })).await.unwrap();
        let account = world.create("account", json!({ "name": "Acme" })).await.unwrap();
        assert_eq!(world.json("account", &account, "industry"), "changed");
        let object = ObjectName::new("rule").unwrap();
        world.records.delete(&caller(), &object, rule.id, None).await.unwrap();
        let account = world.create("account", json!({ "name": "Acme" })).await.unwrap();
        assert_eq!(world.json("account", &account, "industry"), Json::Null, "the rule is gone");
    }
}

#[tokio::test]
async fn a_veto_leaves_nothing_but_itself_and_can_be_asked_why() {
    let world = World::new().await;
    let source = r#"
        if record.country == "CN" && record.phone == () {
            veto("phone", "phone-required", #{ en: "A phone, please.", zh: "请填写电话。" });
        }"#;
    let more = json!({ "when_fields": ["country", "phone"], "reads_personal_data": true });
    let rule = world.rule("account", source, more).await;
    let head = world.records.log_head();
    let refused = world.create("account", json!({ "name": "Acme", "country": "CN" })).await;
    let (by, code, reason, field, unavailable) = veto(refused);
    assert_eq!(by, Decider::Rule { id: rule.id, version: 1, name: Text::new("Test rule", "测试规则") });
    assert_eq!((code.as_str(), field.as_deref(), unavailable), ("phone-required", Some("phone"), false));
    assert_eq!(reason.get(Language::ZhCn), "请填写电话。");
    assert_eq!(world.records.log_head(), head, "nothing was saved");

    let vetoes = world.decided(DecisionKind::Veto).await;
    assert_eq!(vetoes.len(), 1);
    assert_eq!(vetoes[0].outcome["code"], "phone-required");
    assert_eq!(vetoes[0].reasons[0].text.zh_cn, "请填写电话。");
    let replay = world.engine.decision_replay(vetoes[0].id).await.unwrap();
    assert!(replay.same, "{replay:?}");
    assert_eq!(replay.recorded["vetoes"][0]["field"], "phone");

    let account = world.create("account", json!({ "name": "Acme" })).await.unwrap();
    let renamed = world.update("account", account.id, json!({ "name": "Acme 2" })).await;
    assert!(renamed.is_ok(), "the rule does not run for other fields");
    veto(world.update("account", account.id, json!({ "country": "CN" })).await);
    let with_phone = json!({ "country": "CN", "phone": "+86 10 1234" });
    world.update("account", account.id, with_phone).await.unwrap();
}

#[tokio::test]
async fn one_refused_row_does_not_keep_the_others_of_its_batch() {
    let world = World::new().await;
    world
        .rule(
            "account",
            r#"if record.name == "bad" { veto("no") } else { record.industry = "ok" }"#,
            json!({}),
        )
        .await;
    let object = ObjectName::new("account").unwrap();
    let create = |name: &str| Write::Create {
        object: object.clone(),
        fields: world
            .fields("account", json!({ "name": name }))
            .into_iter()
            .map(|(field, value)| (field, value.unwrap()))
            .collect(),
        id: None,
    };
    let writes = ["one", "bad", "two"].map(create).to_vec();
    let results = world.records.write_batch(&caller(), writes).await.unwrap();
    assert!(results[0].is_ok() && results[1].is_err() && results[2].is_ok());
    assert_eq!(world.decided(DecisionKind::Rule).await.len(), 2, "of the rows that were saved");
    assert_eq!(world.decided(DecisionKind::Veto).await.len(), 1);
}

#[tokio::test]
async fn a_rule_that_fails_refuses_and_names_its_place() {
    let world = World::new().await;
    world.rule("account", "let x = 1;\nlet y = record.no_such_field;", json!({})).await;
    let (_, code, reason, ..) = veto(world.create("account", json!({ "name": "Acme" })).await);
    assert_eq!(code, "rule-error");
    assert!(reason.en.contains("line 2") && reason.en.contains("no_such_field"), "{}", reason.en);
    assert!(reason.zh_cn.contains("第 2 行"), "{}", reason.zh_cn);
    let failed = world.decided(DecisionKind::Veto).await;
    assert!(world.engine.decision_replay(failed[0].id).await.unwrap().same, "it fails again in the same way");
}

#[tokio::test]
async fn personal_data_needs_a_grant_also_in_look_ups() {
    let world = World::new().await;
    let other = world.create("account", json!({ "name": "Other", "phone": "1" })).await.unwrap();
    let refused = |source: String| {
        let world = &world;
        async move {
            let rule = world.rule("account", &source, json!({})).await;
            let (_, _, reason, ..) = veto(world.create("account", json!({ "name": "Acme" })).await);
            world.update("rule", rule.id, json!({ "enabled": false })).await.unwrap();
            reason.en
        }
    };
    let own = refused("let phone = record.phone;".into()).await;
    assert!(own.contains("personal data"), "{own}");
    let by_filter = r#"count("account", #{ field: "phone", op: "eq", value: "1" });"#;
    let by_filter = refused(by_filter.into()).await;
    assert!(by_filter.contains("account.phone"), "{by_filter}");
    let source = format!(r#"record.industry = "" + get("account", "{}").phone;"#, other.id);
    let granted = json!({ "reads_personal_data": true });
    world.rule("account", &source, granted).await;
    let account = world.create("account", json!({ "name": "Acme" })).await.unwrap();
    assert_eq!(world.json("account", &account, "industry"), "1");
}

#[tokio::test]
async fn rules_that_cannot_run_are_not_saved() {
    let world = World::new().await;
    let check =
        |object: &'static str, source: &'static str, more: Json, code: &'static str, field: &'static str| {
            let world = &world;
            async move {
                let (_, found, reason, at, _) = veto(world.try_rule(object, source, more).await);
                assert_eq!((found.as_str(), at.as_deref()), (code, Some(field)), "{}", reason.en);
                assert!(!reason.zh_cn.is_empty());
                reason.en
            }
        };
    let transition = |watches: &str| json!({ "trigger": "transition", "watches": watches });
    let syntax = check("account", "let x = 1;\nlet y = ;", json!({}), "script-error", "source").await;
    assert!(syntax.contains("line 2"), "{syntax}");
    check("nothing", "let x = 1;", json!({}), "unknown-object", "object").await;
    check("rule", "let x = 1;", json!({}), "object-without-rules", "object").await;
    check(
        "account",
        "let x = 1;",
        json!({ "when_fields": ["name", "nmae"] }),
        "unknown-field",
        "when_fields",
    )
    .await;
    check("account", "let x = 1;", json!({ "trigger": "transition" }), "required", "watches").await;
    check("account", "let x = 1;", transition("segment.nothing"), "unknown-watched", "watches").await;
    check("account", "let x = 1;", transition("rfm"), "unknown-watched", "watches").await;
    check("task", "let x = 1;", transition("segment.rfm"), "no-transitions", "trigger").await;
    check("account", "let x = 1;", json!({ "watches": "segment.rfm" }), "not-a-transition", "watches").await;
    // A plugin that is installed puts it out once it runs.
    world.install("retail-rfm").await;
    world.rule("account", "let x = 1;", transition("segment.rfm")).await;
}

#[tokio::test]
async fn the_server_counts_the_versions_of_a_script() {
    let world = World::new().await;
    let rule = world.rule("account", "let x = 1;", json!({ "source_version": 99 })).await;
    let version = |record: &Record| world.json("rule", record, "source_version");
    assert_eq!(version(&rule), 1);
    let renamed =
        world.update("rule", rule.id, json!({ "name": "Other", "source_version": 7 })).await.unwrap();
    assert_eq!(version(&renamed), 1);
    let changed = world.update("rule", rule.id, json!({ "source": "let x = 2;" })).await.unwrap();
    assert_eq!(version(&changed), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_rule_looked_up_still_holds_when_its_record_is_saved() {
    let world = Arc::new(World::new().await);
    let limit = world.create("account", json!({ "name": "Limit", "industry": "0" })).await.unwrap();
    // Each save writes what it read of the other record: a stale read would write an old number.
    let source = format!(
        r#"let limit = get("account", "{}"); if record.id != limit.id {{ record.industry = limit.industry; }}"#,
        limit.id
    );
    world.rule("account", &source, json!({})).await;
    let done = Arc::new(AtomicBool::new(false));
    let writer = {
        let (world, done) = (Arc::clone(&world), Arc::clone(&done));
        tokio::spawn(async move {
            for number in 1_u64.. {
                if done.load(Relaxed) {
                    return number;
                }
                world.update("account", limit.id, json!({ "industry": number.to_string() })).await.unwrap();
            }
            0
        })
    };
    let mut saved = Vec::new();
    for _ in 0..200 {
        match world.create("account", json!({ "name": "Reader" })).await {
            Ok(record) => saved.push(record),
            Err(Error::Contended { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    done.store(true, Relaxed);
    let updates = writer.await.unwrap();
    assert!(saved.len() > 20 && updates > 20, "{} saves, {updates} updates", saved.len());
    let object = ObjectName::new("account").unwrap();
    let versions = history(&world, limit.id).await;
    for record in saved {
        let record = world.records.find(&Scope::everything(), &object, record.id).await.unwrap();
        let read = world.json("account", &record, "industry");
        // The last value that was committed before this record was.
        let then = versions.iter().rev().find(|(position, _)| *position < record.version).unwrap();
        assert_eq!(read, then.1, "read at {}, saved at {}", then.0, record.version);
    }
}

/// The values of the industry of an account with the positions of their commits.
async fn history(world: &World, id: RecordId) -> Vec<(u64, Json)> {
    let schema = world.records.schema();
    let field = schema.object("account").unwrap().field("industry").unwrap().id;
    let (mut entries, mut values) = (Vec::new(), Vec::new());
    while entries.len() < usize::try_from(world.records.log_head()).unwrap() {
        entries.extend(world.records.log_after(entries.len() as u64, 1_000).await.unwrap());
    }
    for entry in &entries {
        for change in entry.changes().iter().filter(|change| change.id == id) {
            let fields = change.fields.as_ref().unwrap();
            if let Some(change) = fields.get(&field) {
                values.push((entry.position, change.after.as_ref().unwrap().to_json()));
            }
        }
    }
    values
}

#[tokio::test]
async fn a_rule_can_be_tried_without_saving_anything() {
    let world = World::new().await;
    let account = world.create("account", json!({ "name": "Acme", "country": "CN" })).await.unwrap();
    let draft = |trigger, source: &str| RuleDraft {
        object: "account".into(),
        trigger,
        source: source.into(),
        watches: None,
        reads_personal_data: false,
        name: Text::new("Draft", "草稿"),
    };
    let head = world.records.log_head();
    let name = FieldName::new("industry").unwrap();
    let changes = BTreeMap::from([(name, Some(Value::Text("retail".into())))]);
    let source = r#"print(`${before.industry} to ${record.industry}`); record.city = "Beijing"; veto("country", "x", "why")"#;
    let tried = world
        .engine
        .rule_test(&caller(), draft(Trigger::BeforeSave, source), RuleTarget::Record(account.id), changes)
        .await
        .unwrap();
    assert_eq!(tried.changes, json!({ "city": "Beijing" }));
    assert_eq!(tried.vetoes[0].code, "x");
    assert_eq!(tried.printed.len(), 1);
    assert!(tried.printed[0].ends_with("to retail"), "{:?}", tried.printed);

    let source = r#"create_task(#{ subject: "Call " + record.name, account: record.id }); because("new", "It is new.")"#;
    let fields = BTreeMap::from([(FieldName::new("name").unwrap(), Value::Text("Beta".into()))]);
    let tried = world
        .engine
        .rule_test(&caller(), draft(Trigger::AfterSave, source), RuleTarget::Fields(fields), BTreeMap::new())
        .await
        .unwrap();
    assert_eq!(tried.actions_json[0]["subject"]["en"], "Call Beta");
    assert_eq!(tried.reasons[0].code, "new");

    let failing = draft(Trigger::BeforeSave, "\n  throw \"x\"");
    let tried =
        world.engine.rule_test(&caller(), failing, RuleTarget::Record(account.id), BTreeMap::new()).await;
    assert_eq!(tried.unwrap().error.unwrap().line, Some(2));
    assert_eq!(world.records.log_head(), head, "nothing was written");
    assert_eq!(world.decided(DecisionKind::Veto).await, []);

    let checked = world.engine.rule_check("account", Trigger::BeforeSave, "let x = 1;").await;
    assert_eq!(checked, Ok(()));
    let RuleProblem { line, .. } =
        world.engine.rule_check("account", Trigger::BeforeSave, "\nlet x = ;").await.unwrap_err();
    assert_eq!(line, Some(2));
    assert!(world.engine.rule_check("nothing", Trigger::BeforeSave, "").await.is_err());
}

#[tokio::test]
async fn look_ups_of_a_later_row_see_the_earlier_ones_of_its_batch() {
    let world = World::new().await;
    let source = r#"record.industry = "" + count("account", #{ field: "city", op: "eq", value: "X" });"#;
    world.rule("account", source, json!({})).await;
    let object = ObjectName::new("account").unwrap();
    let create = |name: &str| Write::Create {
        object: object.clone(),
        fields: world
            .fields("account", json!({ "name": name, "city": "X" }))
            .into_iter()
            .map(|(field, value)| (field, value.unwrap()))
            .collect(),
        id: None,
    };
    let writes = ["one", "two", "three"].map(create).to_vec();
    let results = world.records.write_batch(&caller(), writes).await.unwrap();
    let seen: Vec<_> = results
        .iter()
        .map(|result| world.json("account", result.as_ref().unwrap().record().unwrap(), "industry"))
        .collect();
    assert_eq!(seen, [json!("0"), json!("1"), json!("2")]);
}

#[tokio::test]
async fn a_rule_that_cannot_run_any_more_is_named_and_left_out() {
    let mut world = World::new().await;
    let source = r#"record.industry = "a rather long word";"#;
    let long = world.rule("account", source, json!({ "name": "Long", "position": 1 })).await;
    world.rule("account", r#"record.city = "X""#, json!({ "position": 2 })).await;
    assert_eq!(world.engine.rules_broken(), []);
    world.config.rules.source_bytes_max = 20;
    let world = world.restart().await;
    let broken = world.engine.rules_broken();
    assert_eq!(broken.len(), 1);
    assert_eq!((broken[0].id, broken[0].name.en.as_str()), (long.id, "Long"));
    assert!(broken[0].reason.en.contains("20"), "{}", broken[0].reason.en);
    let account = world.create("account", json!({ "name": "Acme" })).await.unwrap();
    assert_eq!(world.json("account", &account, "industry"), Json::Null);
    assert_eq!(world.json("account", &account, "city"), "X", "the others run");
    world.update("rule", long.id, json!({ "source": "let x = 1;" })).await.unwrap();
    world.create("account", json!({ "name": "Beta" })).await.unwrap();
    assert_eq!(world.engine.rules_broken(), []);
}

#[tokio::test]
async fn only_so_many_rules_are_switched_on() {
    let config = trellis_engine::Config { rules_enabled_max: 2, ..Default::default() };
    let world = World::with(trellis_plugin_host::Limits::default(), config).await;
    let mut rules = Vec::new();
    for number in 0..2 {
        rules.push(world.rule("account", "let x = 1;", json!({ "position": number })).await.id);
        world.create("account", json!({ "name": "Acme" })).await.unwrap();
    }
    let (_, code, _, field, _) = veto(world.try_rule("account", "let x = 1;", json!({})).await);
    assert_eq!((code.as_str(), field.as_deref()), ("too-many-rules", Some("enabled")));
    let third = world.rule("account", "let x = 1;", json!({ "enabled": false })).await.id;
    veto(world.update("rule", third, json!({ "enabled": true })).await);
    world.update("rule", rules[0], json!({ "source": "let x = 2;" })).await.unwrap();
    world.update("rule", rules[0], json!({ "enabled": false })).await.unwrap();
    world.update("rule", third, json!({ "enabled": true })).await.unwrap();
}
