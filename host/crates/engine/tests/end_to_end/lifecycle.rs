//! Versions side by side: upgrading, rolling back, removing; what a version brings; what a review tells.

use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use trellis_columns::AsOf;
use trellis_engine::{
    Error, PluginInfo, PluginState, RunRequest, ShippedRuleState, SwitchKind, SwitchOptions, Switched,
    UpgradeRequest, UseSettings,
};
use trellis_model::{FieldName, ObjectName, Record, RecordId, Scope, Value};

use crate::following::{buy, lot_of, until_value};
use crate::sections::{as_version, with_manifest, with_section};
use crate::support::{World, built, caller, plugin_id};

fn version(text: &str) -> semver::Version {
    text.parse().unwrap()
}

impl World {
    async fn upload(&self, wasm: Vec<u8>) -> PluginInfo {
        self.engine.plugin_upload(&caller(), wasm).await.unwrap()
    }

    async fn upgrade(&self, id: &str, to: &str) -> trellis_engine::Result<Switched> {
        let request = UpgradeRequest { version: Some(version(to)), ..UpgradeRequest::default() };
        self.engine.plugin_upgrade(&caller(), &plugin_id(id), request).await
    }

    async fn roll_back(&self, id: &str, switch: Option<u64>) -> trellis_engine::Result<Switched> {
        self.engine.plugin_roll_back(&caller(), &plugin_id(id), switch, SwitchOptions::default()).await
    }

    /// What is known of a run of `retail-rfm`, whether it is installed or not.
    async fn ledger_is_readable(&self, run: RecordId) {
        let id = plugin_id("retail-rfm");
        let runs = self.engine.plugin_runs(&id, None, 10).await.unwrap().runs;
        let [first] = runs.as_slice() else { panic!("{runs:?}") };
        assert_eq!((first.run, first.version.as_str()), (run, "1.0.0"));
        assert_eq!(first.name.as_ref().unwrap().zh_cn, "RFM 客户细分");
        assert_eq!(self.engine.plugin_models(&id, None, 10).await.unwrap().models.len(), 1);
    }

    fn serving(&self, id: &str) -> (PluginState, String) {
        let info = self.engine.plugin_get(&plugin_id(id)).unwrap();
        (info.state, info.version.to_string())
    }

    async fn shipped(&self, external_id: &str) -> Option<Record> {
        let (object, field) = (ObjectName::new("rule").unwrap(), FieldName::new("external_id").unwrap());
        let value = Value::Text(external_id.to_owned());
        self.records.find_by(&Scope::everything(), &object, &field, &value).await.unwrap()
    }

    async fn rule_text(&self, external_id: &str, field: &str) -> Value {
        let record = self.shipped(external_id).await.unwrap();
        let schema = self.records.schema();
        schema.named(&record).unwrap().fields.get(field).cloned().unwrap()
    }

    async fn edit_rule(&self, id: RecordId, field: &str, value: Value) {
        let rule = ObjectName::new("rule").unwrap();
        let field = self.records.schema().object("rule").unwrap().field(field).unwrap().id;
        self.records.update(&caller(), &rule, id, [(field, Some(value))].into(), None).await.unwrap();
    }
}

/// `retail-rfm` in another version with another default of `groups`.
fn rfm(version: &str) -> Vec<u8> {
    as_version(&built("retail-rfm"), version)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_carries_settings_over_and_a_roll_back_brings_them_back() {
    let world = World::new().await;
    world.enable("retail-rfm", json!({ "groups": 3 }), AsOf::Now).await;
    world.upload(rfm("1.1.0")).await;
    assert_eq!(world.serving("retail-rfm"), (PluginState::Enabled, "1.0.0".into()), "it waits");
    let upgraded = world.upgrade("retail-rfm", "1.1.0").await.unwrap().plugin;
    assert_eq!((upgraded.version.to_string(), upgraded.previous), ("1.1.0".into(), Some(version("1.0.0"))));
    assert_eq!(upgraded.settings.unwrap().config["groups"], 3, "as it was");
    let config = UseSettings { config: json!({ "groups": 7 }), ..UseSettings::default() };
    world.engine.plugin_enable(&caller(), &plugin_id("retail-rfm"), config).await.unwrap();

    let world = world.restart().await;
    let back = world.roll_back("retail-rfm", None).await.unwrap().plugin;
    assert_eq!(back.settings.unwrap().config["groups"], 3, "one switch back, on the same version");
    assert_eq!((back.version.to_string(), back.previous), ("1.1.0".into(), Some(version("1.0.0"))));
    let back = world.roll_back("retail-rfm", None).await.unwrap().plugin;
    assert_eq!((back.version.to_string(), back.previous), ("1.0.0".into(), None), "and one more");
    let refused = world.roll_back("retail-rfm", None).await.unwrap_err();
    assert!(matches!(refused, Error::NothingEarlier { .. }), "{refused}");

    let switches = world.engine.plugin_switches(&plugin_id("retail-rfm")).await.unwrap();
    let told: Vec<_> = switches.iter().map(|switch| (switch.number, switch.kind, switch.current)).collect();
    use SwitchKind::{Enabled, RolledBack, Upgraded};
    let expected = [(5, RolledBack, true), (4, RolledBack, false), (3, Enabled, false)];
    assert_eq!(told[..3], expected);
    assert_eq!(told[3..], [(2, Upgraded, false), (1, Enabled, false)]);
    let named = world.roll_back("retail-rfm", Some(3)).await.unwrap().plugin;
    assert_eq!(
        (named.version.to_string(), named.settings.unwrap().config["groups"].clone()),
        ("1.1.0".into(), json!(7))
    );
    assert_eq!(world.events("plugin.upgraded").await[0]["from"], "1.0.0");
    assert_eq!(world.events("plugin.rolled_back").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_switches_are_kept_as_the_limit_says() {
    let config = trellis_engine::Config { switches_kept_per_plugin: 3, ..trellis_engine::Config::default() };
    let world = World::with(trellis_plugin_host::Limits::default(), config).await;
    for groups in 2..=8 {
        world.enable("retail-rfm", json!({ "groups": groups }), AsOf::Now).await;
    }
    let id = plugin_id("retail-rfm");
    let numbers = |switches: Vec<trellis_engine::SwitchInfo>| {
        switches.iter().map(|switch| switch.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(world.engine.plugin_switches(&id).await.unwrap()), [7, 6, 5]);
    let gone = world.roll_back("retail-rfm", Some(2)).await.unwrap_err();
    assert!(gone.to_string().contains("switch 2 is not kept"), "{gone}");
    assert_eq!(
        world.roll_back("retail-rfm", None).await.unwrap().plugin.settings.unwrap().config["groups"],
        7
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_the_version_in_use() {
    let world = World::new().await;
    world.enable("retail-rfm", json!({ "groups": 3 }), AsOf::Now).await;
    let (id, was) = ("retail-rfm", (PluginState::Enabled, "1.0.0".to_owned()));
    assert_eq!(world.upgrade(id, "9.0.0").await.unwrap_err().code(), "not_found");
    // A schema that the configuration in use breaks.
    let narrow = with_manifest(&rfm("1.1.0"), |line| match line.strip_prefix("minimum = 2") {
        Some(_) => "minimum = 4".to_owned(),
        None => line.to_owned(),
    });
    world.upload(narrow).await;
    let refused = world.upgrade(id, "1.1.0").await.unwrap_err();
    assert_eq!((refused.code(), world.serving(id)), ("plugin_settings_invalid", was.clone()), "{refused}");
    // A file that is lost.
    world.upload(rfm("1.2.0")).await;
    let digest = blake3::hash(&rfm("1.2.0")).to_hex().to_string();
    let world = world
        .restart_after(|dir| {
            std::fs::write(dir.join("engine/plugins").join(format!("{digest}.wasm")), b"").unwrap()
        })
        .await;
    let refused = world.upgrade(id, "1.2.0").await.unwrap_err();
    assert_eq!((refused.code(), world.serving(id)), ("plugin_broken", was.clone()), "{refused}");
    // Only what is enabled is upgraded.
    world.engine.plugin_disable(&caller(), &plugin_id(id)).await.unwrap();
    assert_eq!(world.upgrade(id, "1.1.0").await.unwrap_err().code(), "plugin_not_enabled");
    assert_eq!(world.engine.plugin_switches(&plugin_id(id)).await.unwrap().len(), 1, "nothing was switched");
}

/// `hostile` asking for one action more.
fn asking_for_more(version: &str) -> Vec<u8> {
    with_manifest(&as_version(&built("hostile"), version), |line| match line {
        "kind = \"create-task\"" => "kind = \"create-task\"\n[[actions]]\nkind = \"start-timer\"".to_owned(),
        line => line.to_owned(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_asks_for_more_has_to_be_granted_that() {
    let world = World::new().await;
    world.enable("hostile", json!({}), AsOf::Now).await;
    world.upload(asking_for_more("1.1.0")).await;
    let Err(Error::GrantsNeeded { requests, .. }) = world.upgrade("hostile", "1.1.0").await else {
        panic!("it was not refused")
    };
    assert_eq!(
        requests.iter().map(|request| request.grant.as_str()).collect::<Vec<_>>(),
        ["act:start-timer"]
    );
    assert_eq!(world.serving("hostile").1, "1.0.0");
    let info = world.engine.plugin_get(&plugin_id("hostile")).unwrap();
    let grants: Vec<String> = info.requests.into_iter().map(|request| request.grant).collect();
    let request = UpgradeRequest {
        version: Some(version("1.1.0")),
        grants: Some(grants.clone()),
        ..UpgradeRequest::default()
    };
    world.engine.plugin_upgrade(&caller(), &plugin_id("hostile"), request).await.unwrap();
    let settings = world.engine.plugin_get(&plugin_id("hostile")).unwrap().settings.unwrap();
    assert_eq!(settings.grants, Some(grants), "the timer stays withheld");
    world.roll_back("hostile", None).await.unwrap();
    let settings = world.engine.plugin_get(&plugin_id("hostile")).unwrap().settings.unwrap();
    assert_eq!((settings.grants, settings.version), (None, Some(version("1.0.0"))), "as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roll_back_brings_the_results_of_its_last_run_back() {
    let world = World::new().await;
    world.import_cdnow().await;
    world.enable("retail-rfm", json!({ "groups": 3 }), AsOf::Now).await;
    let first = world.run_well("retail-rfm", RunRequest::default()).await;
    let before = world.counts("rfm");
    world.upload(rfm("1.1.0")).await;
    let request = UpgradeRequest { config: Some(json!({ "groups": 5 })), ..UpgradeRequest::default() };
    world.engine.plugin_upgrade(&caller(), &plugin_id("retail-rfm"), request).await.unwrap();
    world.run_well("retail-rfm", RunRequest::default()).await;
    assert_ne!(world.counts("rfm"), before);
    let back = world.roll_back("retail-rfm", None).await.unwrap();
    assert_eq!(back.serving_run.unwrap().to_string(), first["run"].as_str().unwrap());
    assert_eq!(world.counts("rfm"), before);
    // The model of that run is the one that counts now.
    let request = RunRequest { model: trellis_engine::ModelChoice::Last, ..RunRequest::default() };
    world.run_well("retail-rfm", request).await;
    assert_eq!(world.counts("rfm"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn results_that_came_back_follow_the_data() {
    let world = World::new().await;
    buy(&world, "1", "2026-01-01").await;
    world.enable("hostile", json!({}), AsOf::Now).await;
    let first = world.run_well("hostile", RunRequest::default()).await;
    world.upload(as_version(&built("hostile"), "1.1.0")).await;
    world.upgrade("hostile", "1.1.0").await.unwrap();
    world.run_well("hostile", RunRequest::default()).await;
    buy(&world, "2", "2026-01-02").await;
    until_value(&world, "2", lot_of(&world, "2").await).await;
    let back = world.roll_back("hostile", None).await.unwrap();
    assert_eq!(back.serving_run.unwrap().to_string(), first["run"].as_str().unwrap());
    // Whoever came after that run is in its results now, and so is whoever comes after the roll back and a restart.
    until_value(&world, "2", lot_of(&world, "2").await).await;
    let world = world.restart().await;
    buy(&world, "3", "2026-01-03").await;
    until_value(&world, "3", lot_of(&world, "3").await).await;
    assert!(!world.columns.segmentation("hostile__lot").unwrap().stale);
}

fn with_pack(component: &[u8], schema: &Json, rules: &Json) -> Vec<u8> {
    let schema = with_section(component, "trellis:schema", schema.to_string().as_bytes());
    with_section(&schema, "trellis:rules", rules.to_string().as_bytes())
}

fn fields(names: &[&str]) -> Json {
    let field = |name: &&str| {
        let (en, zh) = (format!("Field {name}"), format!("字段 {name}"));
        json!({ "name": format!("retail_rfm__{name}"), "label": { "en": en, "zh-CN": zh }, "type": "text" })
    };
    json!({ "format": 1, "objects": [{ "name": "account", "fields": names.iter().map(field).collect::<Vec<_>>() }] })
}

fn rule(name: &str, source: &str) -> Json {
    json!({
        "external_id": name, "name": format!("Rule {name}"), "name_zh": format!("规则 {name}"), "object": "account",
        "trigger": "before_save", "position": 100, "source": source,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_comes_with_its_plugin_and_goes_with_it_and_nothing_is_lost() {
    let world = World::new().await;
    let rules = json!({ "rules": [rule("keep", "// 1"), rule("edit", "// 1"), rule("drop", "// 1")] });
    let first = with_pack(&rfm("1.0.0"), &fields(&["tier", "note"]), &rules);
    let id = plugin_id("retail-rfm");
    world.upload(first).await;
    let review = world.engine.plugin_review(&id, &version("1.0.0")).await.unwrap();
    assert_eq!((review.schema.steps.len(), review.rules.len()), (2, 3));
    let enabled = world
        .engine
        .plugin_enable_as(&caller(), &id, UseSettings::default(), SwitchOptions::default())
        .await
        .unwrap();
    assert_eq!(enabled.schema.len(), 2);
    assert!(enabled.rules.iter().all(|rule| rule.state == ShippedRuleState::Added), "{:?}", enabled.rules);
    assert_eq!(world.rule_text("retail-rfm:keep", "enabled").await, Value::Bool(false), "off unless asked");
    let edited = world.shipped("retail-rfm:edit").await.unwrap().id;
    world.edit_rule(edited, "source", Value::Text("// mine".into())).await;
    let dropped = world.shipped("retail-rfm:drop").await.unwrap().id;
    world.edit_rule(dropped, "enabled", Value::Bool(true)).await;

    let rules = json!({ "rules": [rule("keep", "// 2"), rule("edit", "// 2")] });
    world.upload(with_pack(&rfm("1.1.0"), &fields(&["tier"]), &rules)).await;
    let refused = world.upgrade("retail-rfm", "1.1.0").await.unwrap_err();
    assert_eq!(
        (refused.code(), world.serving("retail-rfm").1),
        ("schema_unconfirmed", "1.0.0".into()),
        "{refused}"
    );
    let options = SwitchOptions { confirm: true, ..SwitchOptions::default() };
    let upgraded = world
        .engine
        .plugin_upgrade(&caller(), &id, UpgradeRequest { options, ..UpgradeRequest::default() })
        .await
        .unwrap();
    let states: Vec<_> = upgraded.rules.iter().map(|rule| (rule.external_id.as_str(), rule.state)).collect();
    use ShippedRuleState::{Edited, Updated, Withdrawn};
    assert_eq!(
        states,
        [("retail-rfm:edit", Edited), ("retail-rfm:keep", Updated), ("retail-rfm:drop", Withdrawn)]
    );
    assert_eq!(world.rule_text("retail-rfm:keep", "source").await, Value::Text("// 2".into()));
    assert_eq!(world.rule_text("retail-rfm:edit", "source").await, Value::Text("// mine".into()));
    assert_eq!(world.rule_text("retail-rfm:drop", "enabled").await, Value::Bool(false));
    let note = |world: &World| {
        let schema = world.records.schema();
        let field = schema.object("account").unwrap().field("retail_rfm__note").unwrap().clone();
        (field.id, field.is_out_of_use())
    };
    let (note_id, out_of_use) = note(&world);
    assert!(out_of_use, "the second version does not bring it");

    world.roll_back("retail-rfm", None).await.unwrap();
    assert_eq!(note(&world), (note_id, false), "the same field, in use again");
    let keep = world.shipped("retail-rfm:keep").await.unwrap().id;
    world.edit_rule(keep, "enabled", Value::Bool(true)).await;
    let refused = world.engine.plugin_remove(&caller(), &id, false).await.unwrap_err();
    assert_eq!(refused.code(), "plugin_in_use", "{refused}");
    let removed = world.engine.plugin_remove(&caller(), &id, true).await.unwrap();
    assert_eq!((removed.rules_off, removed.schema.len()), (1, 2));
    assert_eq!(note(&world), (note_id, true));
    assert_eq!(world.engine.plugin_list(), []);
    assert_eq!(world.rule_text("retail-rfm:keep", "enabled").await, Value::Bool(false));

    let world = world.restart().await;
    assert_eq!(world.engine.plugin_list(), [], "it stays removed");
    let rules = json!({ "rules": [rule("keep", "// 2"), rule("edit", "// 2")] });
    world.upload(with_pack(&rfm("1.1.0"), &fields(&["tier", "note"]), &rules)).await;
    let again = world
        .engine
        .plugin_enable_as(&caller(), &id, UseSettings::default(), SwitchOptions::default())
        .await
        .unwrap();
    assert_eq!(note(&world), (note_id, false), "bound to the same field");
    assert_eq!(again.rules.iter().map(|rule| rule.state).collect::<Vec<_>>(), [Edited, Updated, Withdrawn]);
    assert_eq!(world.shipped("retail-rfm:keep").await.unwrap().id, keep, "and to the same rule");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_cannot_be_is_refused_with_its_reason() {
    let world = World::new().await;
    let check = async |schema: Json, rules: Json, code: &str, named: &str| {
        let wasm = with_pack(&rfm("1.0.0"), &schema, &rules);
        let refused = world.engine.plugin_upload(&caller(), wasm).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
        assert!(refused.to_string().contains(named), "{refused}");
    };
    let (no_fields, no_rules) = (fields(&[]), json!({ "rules": [] }));
    check(json!({ "format": 2 }), no_rules.clone(), "schema_refused", "`format` must be 1").await;
    check(no_fields.clone(), json!({ "rules": [{}] }), "plugin_refused", "no `external_id`").await;
    let twice = json!({ "rules": [rule("a", ""), rule("retail-rfm:a", "")] });
    check(no_fields.clone(), twice, "plugin_refused", "two rules `retail-rfm:a`").await;
    let unknown = json!({ "rules": [{ "external_id": "a", "owner": "me" }] });
    check(no_fields.clone(), unknown, "plugin_refused", "unknown field `owner`").await;
    let many: Vec<_> = (0..=100).map(|number| rule(&format!("r{number}"), "")).collect();
    check(no_fields.clone(), json!({ "rules": many }), "plugin_refused", "101 rules, at most 100").await;
    // What cannot be told before is refused when it is enabled, and nothing is enabled then.
    let bad_script = json!({ "rules": [rule("good", "// 1"), rule("bad", "let = ;")] });
    world.upload(with_pack(&rfm("1.0.0"), &no_fields, &bad_script)).await;
    let id = plugin_id("retail-rfm");
    let refused = world.engine.plugin_enable(&caller(), &id, UseSettings::default()).await.unwrap_err();
    assert!(refused.to_string().contains("Rule bad") || refused.code().contains("veto"), "{refused}");
    assert_eq!(world.serving("retail-rfm").0, PluginState::Installed);
    assert!(world.shipped("retail-rfm:good").await.is_none(), "all of them or none");
    let foreign = json!({ "format": 1, "objects": [{ "name": "account", "fields": [
        { "name": "stolen", "label": { "en": "x", "zh-CN": "x" }, "type": "text" },
    ] }] });
    world.upload(with_pack(&rfm("1.1.0"), &foreign, &no_rules)).await;
    let refused = world.engine.plugin_enable(&caller(), &id, UseSettings::default()).await.unwrap_err();
    assert!(refused.to_string().contains("retail_rfm__"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_says_what_a_version_reads_and_what_is_different() {
    let world = World::new().await;
    world.enable("hostile", json!({}), AsOf::Now).await;
    world.upload(asking_for_more("1.1.0")).await;
    let id = plugin_id("hostile");
    let in_use = world.engine.plugin_review(&id, &version("1.0.0")).await.unwrap();
    assert_eq!(in_use.diff, None);
    let review = world.engine.plugin_review(&id, &version("1.1.0")).await.unwrap();
    let asked =
        |grant: &str| review.requests.iter().find(|asked| asked.request.grant.starts_with(grant)).unwrap();
    let judged = asked("judge:lead(");
    let object = judged.object.as_ref().unwrap().label.as_ref().unwrap();
    assert_eq!((object.en.as_str(), object.zh_cn.as_str()), ("Lead", "销售线索"));
    let labels: Vec<_> =
        judged.fields.iter().map(|field| field.label.as_ref().unwrap().zh_cn.as_str()).collect();
    assert_eq!(labels.len(), 2);
    let act = asked("act:set-fields:case(");
    assert_eq!((act.way.as_str(), act.action.as_deref()), ("act", Some("set-fields")));
    assert_eq!(act.fields[0].name, "priority");
    assert!(review.hooks.iter().any(|hook| hook.interface == "record-hook" && hook.refuses_on_failure));
    let classes: Vec<_> = review.limits.iter().map(|(class, _)| *class).collect();
    assert_eq!(classes, ["call", "record-hook", "batch", "training"]);
    let diff = review.diff.unwrap();
    assert_eq!(diff.requests.added, ["act:start-timer"]);
    assert_eq!((diff.ungranted, diff.from), (vec!["act:start-timer".to_owned()], Some(version("1.0.0"))));
    assert!(
        diff.requests.removed.is_empty()
            && diff.outputs.added.is_empty()
            && diff.settings.kept.contains(&"sin".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_says_when_it_runs_and_what_happens_while_it_is_absent() {
    let world = World::new().await;
    let id = plugin_id("hostile");
    let scheduled = with_manifest(&built("hostile"), |line| match line.starts_with("title = ") {
        true => {
            format!("{line}\n[schedule]\nevery = \"week\"\nmodel = \"fit\"\n[absent]\nscoring = \"clear\"")
        }
        false => line.to_owned(),
    });
    world.upload(scheduled).await;
    let review = world.engine.plugin_review(&id, &version("1.0.0")).await.unwrap();
    let schedule = review.schedule.unwrap();
    assert_eq!(schedule.schedule.in_words().zh_cn, "每周一 03:00，并学习新模型");
    let apart: Vec<i64> = schedule.next_ms.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(apart, [7 * 86_400_000; 2], "three moments, a week apart");
    let said: Vec<_> = review.absences.iter().map(|said| (said.of.name(), said.policy.name())).collect();
    assert_eq!(
        said,
        [
            ("segmentation", "keep"),
            ("scoring", "clear"),
            ("campaign-rules", "refuse"),
            ("service-workflow", "skip"),
            ("close-check", "refuse"),
            ("record-hook", "refuse"),
        ]
    );
    let shown = |info: &PluginInfo| {
        info.schedule.as_ref().map(|info| (info.next_run_at_ms.is_some(), info.by_settings))
    };
    let enabled = world.engine.plugin_enable(&caller(), &id, UseSettings::default()).await.unwrap();
    assert_eq!(shown(&enabled), Some((true, false)), "what was done says when it runs");
    assert_eq!(enabled.schedule.unwrap().next_run_at_ms, Some(schedule.next_ms[0]));
    let disabled = world.engine.plugin_disable(&caller(), &id).await.unwrap();
    assert_eq!(shown(&disabled), Some((false, false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_golden_case_that_fails_keeps_a_version_from_being_used() {
    let world = World::new().await;
    let id = plugin_id("hostile");
    world.enable("hostile", json!({}), AsOf::Now).await;
    let describes = |name: &str, lot: &str| {
        json!({ "name": name, "case": {
            "interface": "segmentation", "function": "describe", "config": {}, "expect": [{ "name": lot }],
        } })
    };
    let cases = json!({ "cases": [describes("it-has-lots", "lot"), describes("it-has-tiers", "tier")] });
    let tested =
        with_section(&as_version(&built("hostile"), "1.1.0"), "trellis:tests", cases.to_string().as_bytes());
    world.upload(tested).await;
    let review = world.engine.plugin_review(&id, &version("1.1.0")).await.unwrap();
    let report = review.tests.to_json();
    assert_eq!((&report["passed"], &report["cases"][0]["passed"]), (&json!(false), &json!(true)));
    assert_eq!(
        (&report["cases"][1]["name"], &report["cases"][1]["passed"]),
        (&json!("it-has-tiers"), &json!(false))
    );
    let refused = world.upgrade("hostile", "1.1.0").await.unwrap_err();
    assert_eq!((refused.code(), world.serving("hostile").1.as_str()), ("plugin_tests_failed", "1.0.0"));
    assert!(refused.to_string().contains("`it-has-tiers`"), "{refused}");
    assert!(!refused.to_string().contains("it-has-lots"), "{refused}");
    let settings = UseSettings { version: Some(version("1.1.0")), ..UseSettings::default() };
    let refused = world.engine.plugin_enable(&caller(), &id, settings.clone()).await.unwrap_err();
    assert_eq!((refused.code(), world.serving("hostile").1.as_str()), ("plugin_tests_failed", "1.0.0"));
    let options = SwitchOptions { ignore_self_tests: true, ..SwitchOptions::default() };
    world.engine.plugin_enable_as(&caller(), &id, settings, options).await.unwrap();
    assert_eq!(world.serving("hostile").1, "1.1.0", "an admin may say that it is meant");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_go_but_not_those_that_serve_or_that_a_replay_needs() {
    let world = World::new().await;
    world.import_cdnow().await;
    let id = plugin_id("retail-rfm");
    world.enable("retail-rfm", json!({}), AsOf::Now).await;
    let run = world.run_well("retail-rfm", RunRequest::default()).await;
    let run = RecordId::parse(run["run"].as_str().unwrap()).unwrap();
    for to in ["1.1.0", "1.2.0"] {
        world.upload(rfm(to)).await;
        world.upgrade("retail-rfm", to).await.unwrap();
    }
    let remove =
        async |which: &str| world.engine.plugin_remove_version(&caller(), &id, &version(which)).await;
    assert_eq!(remove("1.2.0").await.unwrap_err().code(), "plugin_in_use");
    assert_eq!(remove("1.1.0").await.unwrap_err().code(), "plugin_in_use", "rolling back leads there");
    remove("1.0.0").await.unwrap();
    assert_eq!(remove("1.0.0").await.unwrap_err().code(), "not_found");
    let listed = |world: &World| {
        let info = world.engine.plugin_get(&plugin_id("retail-rfm")).unwrap();
        info.versions.iter().map(|version| version.version.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&world), ["1.2.0", "1.1.0"]);
    assert_eq!(world.upgrade("retail-rfm", "1.0.0").await.unwrap_err().code(), "not_found", "out of sight");
    let world = world.restart().await;
    assert_eq!(listed(&world), ["1.2.0", "1.1.0"]);
    let replay = world.engine.run_replay(&caller(), &id, run).await.unwrap();
    let replay = world.engine.job_wait(replay.id).await.unwrap();
    assert_eq!(replay.result["same"], true, "{:?}", replay.error);
    // The whole plugin goes; the run can still be replayed, and its results are there, marked.
    world.engine.plugin_remove(&caller(), &id, true).await.unwrap();
    let replay = world.engine.run_replay(&caller(), &id, run).await.unwrap();
    assert_eq!(world.engine.job_wait(replay.id).await.unwrap().result["same"], true);
    assert!(world.columns.segmentation("rfm").unwrap().stale);
    assert!(!world.counts("rfm").is_empty());
    let unknown = world.engine.plugin_remove(&caller(), &id, true).await.unwrap_err();
    assert_eq!(unknown.code(), "not_found");
    let why = world.engine.explain(&caller(), "rfm", world.account("1").await.id).await.unwrap();
    assert_eq!((why.run, why.reasons.is_empty()), (run, false), "its results can be explained");
    world.ledger_is_readable(run).await;
    // Once nothing can be replayed any more, the files go with the next start.
    let world =
        world.restart_after(|dir| std::fs::remove_dir_all(dir.join("engine/capsules")).unwrap()).await;
    assert_eq!(std::fs::read_dir(world.dir.path().join("engine/plugins")).unwrap().count(), 0);
    world.ledger_is_readable(run).await;
    let gone = world.engine.explain(&caller(), "rfm", world.account("1").await.id).await.unwrap_err();
    assert_eq!(gone.code(), "no_explanation", "{gone}");
    let gone = world.engine.run_replay(&caller(), &id, run).await.unwrap();
    let gone = world.engine.job_wait(gone.id).await.unwrap().error.unwrap();
    assert!(gone.message.en.contains("removed or replaced"), "{}", gone.message.en);
    let never = world.engine.plugin_runs(&plugin_id("no-such-plugin"), None, 10).await.unwrap_err();
    assert_eq!(never.code(), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_runs_the_new_version_where_that_is_asked_for() {
    let world = World::new().await;
    buy(&world, "1", "2026-01-01").await;
    world.enable("hostile", json!({}), AsOf::Now).await;
    world.upload(as_version(&built("hostile"), "1.1.0")).await;
    let options = SwitchOptions { run: true, ..SwitchOptions::default() };
    let request = UpgradeRequest { options: options.clone(), ..UpgradeRequest::default() };
    let switched = world.engine.plugin_upgrade(&caller(), &plugin_id("hostile"), request).await.unwrap();
    let job = world.engine.job_wait(switched.run.unwrap().unwrap().id).await.unwrap();
    assert_eq!((&job.result["version"], &job.result["customers"]), (&json!("1.1.0"), &json!(1)), "{job:?}");
    // What cannot be run is refused before anything is switched.
    let gate = world.install("b2b-gate").await.id;
    let enabled = world.engine.plugin_enable_as(&caller(), &gate, UseSettings::default(), options).await;
    assert_eq!(enabled.unwrap_err().code(), "plugin_cannot_run");
    assert_eq!(world.serving("b2b-gate").0, PluginState::Installed);
}

/// Saves leads while the version changes under them.
#[tokio::test(flavor = "multi_thread")]
async fn calls_under_way_end_on_the_version_that_they_began_with() {
    let world = World::new().await;
    let id = plugin_id("every-interface");
    world.upload(vetoing("1.0.0", "version-01")).await;
    world.upload(vetoing("2.0.0", "version-02")).await;
    let first = UseSettings { version: Some(version("1.0.0")), ..UseSettings::default() };
    world.engine.plugin_enable(&caller(), &id, first).await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (records, noted) = (Arc::clone(&world.records), Arc::clone(&seen));
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let saving = tokio::spawn(async move {
        while !*stopped.borrow_and_update() {
            let code = veto_of(&records).await;
            noted.lock().unwrap().push(code);
        }
    });
    for to in ["2.0.0", "1.0.0", "2.0.0"] {
        let already = seen.lock().unwrap().len();
        assert!(!saving.is_finished(), "the saves ended");
        while seen.lock().unwrap().len() <= already && !saving.is_finished() {
            tokio::task::yield_now().await;
        }
        world.upgrade("every-interface", to).await.unwrap();
        // A call that begins after the switch meets the new version.
        assert_eq!(veto_of(&world.records).await, format!("version-0{}", &to[..1]));
    }
    stop.send(true).unwrap();
    saving.await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.iter().all(|code| code == "version-01" || code == "version-02"), "{seen:?}");
}

/// `every-interface` as other code: what it says of an empty subject is `code`, of as many characters as the original.
fn vetoing(version: &str, code: &str) -> Vec<u8> {
    let component = as_version(&built("every-interface"), version);
    let original = b"no-subject";
    assert_eq!(code.len(), original.len());
    let place = component.windows(original.len()).position(|bytes| bytes == original).unwrap();
    let mut changed = component;
    changed[place..place + original.len()].copy_from_slice(code.as_bytes());
    changed
}

async fn veto_of(records: &Arc<trellis_records::Records>) -> String {
    let case = ObjectName::new("case").unwrap();
    let schema = records.schema();
    let field = |name: &str| schema.object("case").unwrap().field(name).unwrap().id;
    let blank = Value::Text(" ".into());
    let fields = [(field("subject"), blank), (field("status"), Value::Choice("new".into()))].into();
    match records.create(&caller(), &case, fields).await {
        Err(trellis_records::Error::Veto { code, .. }) => code,
        other => panic!("no veto: {other:?}"),
    }
}
