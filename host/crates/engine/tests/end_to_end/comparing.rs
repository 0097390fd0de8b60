//! Versions of plugins compared over real records: dry runs, runs and decisions done again by another version, the check of an upgrade.

use serde_json::{Value as Json, json};
use trellis_columns::AsOf;
use trellis_engine::{
    CompareLimits, Config, DecisionKind, DryRunRequest, JobState, ReplayWith, RunRequest, UseSettings,
};
use trellis_model::RecordId;
use trellis_storage::ScanRange;

use crate::sections::{as_version, with_manifest};
use crate::support::{World, built, caller, cdnow_settings, date, example, plugin_id};

impl World {
    pub(crate) async fn dry_run(&self, plugin: &str, request: DryRunRequest) -> Json {
        let job = self.engine.plugin_dry_run(&caller(), &plugin_id(plugin), request).await.unwrap();
        self.good_result(job.id).await
    }

    pub(crate) async fn good_result(&self, job: RecordId) -> Json {
        let job = self.engine.job_wait(job).await.unwrap();
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        job.result
    }

    pub(crate) async fn bring(&self, component: Vec<u8>) {
        self.engine.plugin_upload(&caller(), component).await.unwrap();
    }

    /// The names of what the log told since, where it is no change of a record; those are named so.
    async fn told_since(&self, head: u64) -> std::collections::BTreeSet<String> {
        let entries = self.records.log_after(head, 500).await.unwrap();
        let name = |entry: trellis_records::LogEntry| match entry.body {
            trellis_records::EntryBody::Event { name, .. } => name,
            _ => "a change".to_owned(),
        };
        entries.into_iter().map(name).collect()
    }

    /// Everything in the store but jobs, the log, and how far its readers have come.
    async fn contents(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let (mut range, mut found) = (ScanRange::prefix(b""), Vec::new());
        loop {
            let page = self.store.scan(range.clone(), 500).await.unwrap();
            // A job is written down, the log tells of it, and reactions and followers note that they have read that.
            let of_jobs = [0x03, 0x04, 0x05, 0x14, 0x50, 0x51, 0x57];
            let of_readers = [0x58, 0x5c, 0x7b];
            let left_out = |kind: u8| of_jobs.contains(&kind) || of_readers.contains(&kind);
            let rows = page.rows.iter().filter(|row| !left_out(row.key[0]));
            found.extend(rows.map(|row| (row.key.to_vec(), row.value.to_vec())));
            match page.rows.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => return found,
            }
        }
    }
}

fn version(text: &str) -> semver::Version {
    text.parse().unwrap()
}

fn of_version(text: &str) -> DryRunRequest {
    DryRunRequest { version: Some(version(text)), ..DryRunRequest::default() }
}

async fn rfm() -> (World, Json) {
    let world = World::new().await;
    world.import_cdnow().await;
    let (config, as_of) = cdnow_settings();
    world.enable("retail-rfm", config, as_of).await;
    let run = world.run_well("retail-rfm", RunRequest::default()).await;
    (world, run)
}

fn run_of(result: &Json) -> RecordId {
    RecordId::parse(result["run"].as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_who_would_change_and_changes_nothing() {
    let (world, _) = rfm().await;
    world.bring(as_version(&built("retail-rfm"), "9.0.0")).await;
    let (head, before) = (world.records.log_head(), world.contents().await);
    let same = world.dry_run("retail-rfm", of_version("9.0.0")).await;
    assert_eq!((&same["version"], &same["version_in_use"]), (&json!("9.0.0"), &json!("1.0.0")));
    let results = &same["results"];
    assert_eq!((&results["rows"], &results["changed"]), (&json!(2_357), &json!(0)), "{same}");

    let config = Some(json!({ "groups": 3 }));
    let other = world.dry_run("retail-rfm", DryRunRequest { config, ..of_version("9.0.0") }).await;
    let results = &other["results"];
    let changed = results["changed"].as_u64().unwrap();
    assert!(changed > 100, "{results}");
    let output = &results["outputs"]["retail_rfm__class"];
    let cells = output["matrix"].as_array().unwrap();
    let total: u64 = cells.iter().map(|cell| cell["count"].as_u64().unwrap()).sum();
    assert_eq!(total, 2_357, "every customer is in one cell");
    assert_eq!((&output["gained"], &output["lost"]), (&json!(0), &json!(0)));
    let rows = results["first_rows"].as_array().unwrap();
    assert_eq!(rows.len(), CompareLimits::default().rows_listed_max.min(changed as usize));
    let row = &rows[0];
    let id = RecordId::parse(row["id"].as_str().unwrap()).unwrap();
    let account = trellis_model::ObjectName::new("account").unwrap();
    let record = world.engine.view().get(&trellis_model::Scope::everything(), &account, id).await.unwrap();
    assert_eq!(row["ordinal"], json!(record.unwrap().ordinal.unwrap()));
    assert!(row["name"].is_string() && row["before"] != row["after"], "{row}");

    assert!(world.told_since(head).await.iter().all(|name| name.starts_with("job.")));
    let after = world.contents().await;
    let other: Vec<_> = after.iter().filter(|row| !before.contains(row)).map(|(key, _)| key).collect();
    assert_eq!((other, after.len()), (Vec::new(), before.len()), "a dry run leaves the store as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_was_never_enabled_can_be_tried() {
    let world = World::new().await;
    world.import_cdnow().await;
    world.install("value-pyramid").await;
    let limits =
        DryRunRequest { as_of: Some(date("1997-09-30")), records_max: Some(50), ..Default::default() };
    let tried = world.dry_run("value-pyramid", limits).await;
    let results = &tried["results"];
    assert_eq!((&tried["version_in_use"], &results["rows"]), (&Json::Null, &json!(50)), "{tried}");
    assert_eq!(results["changed"], 50, "everybody gets something");
    let outputs = results["outputs"].as_object().unwrap();
    assert!(outputs.values().all(|output| output["lost"] == 0 && output["changed"] == 0), "{results}");
    assert!(outputs.values().any(|output| output["change"].is_object()), "there is a score: {results}");
    assert!(
        world.columns.segmentations().is_empty() && world.columns.scores().is_empty(),
        "nothing is defined"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_judges_the_records_that_changed_last_without_touching_them() {
    let config = Config {
        compare: CompareLimits { dry_run_records_max: 2, rows_listed_max: 1, ..CompareLimits::default() },
        ..Config::default()
    };
    let world = World::with(trellis_plugin_host::Limits::default(), config).await;
    for name in ["Ann", "Bob", "Cid"] {
        world.create("lead", json!({ "name": name, "status": "new" })).await.unwrap();
    }
    world.install("hostile").await;
    let head = world.records.log_head();
    let config =
        |sin: &str| DryRunRequest { config: Some(json!({ "sin": sin })), ..DryRunRequest::default() };
    let veto = world.dry_run("hostile", config("hook-veto")).await;
    let hook = &veto["record_hooks"][0];
    assert_eq!((&hook["object"], &hook["records"]), (&json!("lead"), &json!(2)), "{veto}");
    assert_eq!((&hook["vetoed"], &hook["vetoes"]), (&json!(2), &json!({ "company-missing": 2 })));
    assert_eq!(hook["rows"].as_array().unwrap().len(), 1, "as many as are listed");
    assert_eq!(hook["rows"][0]["name"], "Cid", "the last one first");
    let patch = world.dry_run("hostile", config("hook-lookup-flood")).await;
    let hook = &patch["record_hooks"][0];
    assert_eq!((&hook["patched"], &hook["patched_fields"]), (&json!(2), &json!({ "company": 2 })));
    assert_eq!(hook["rows"][0]["before"], json!({ "company": null }));
    let trap = world.dry_run("hostile", config("hook-trap")).await;
    assert_eq!(trap["record_hooks"][0]["failed"], 2, "{trap}");
    let grants = Some(vec!["data:account(orders)".to_owned()]);
    let asked = world.engine.plugin_get(&plugin_id("hostile")).unwrap().requests;
    let data = asked.iter().find(|asked| asked.grant.starts_with("data:")).unwrap().grant.clone();
    let refused = DryRunRequest { grants: grants.clone(), ..config("hook-veto") };
    if grants != Some(vec![data.clone()]) {
        let error = world.engine.plugin_dry_run(&caller(), &plugin_id("hostile"), refused).await.unwrap_err();
        assert_eq!(error.code(), "plugin_settings_invalid");
    }
    let ungranted = DryRunRequest { grants: Some(vec![data]), ..config("hook-veto") };
    let ungranted = world.dry_run("hostile", ungranted).await;
    assert_eq!(ungranted["record_hooks"][0]["granted"], false);
    assert_eq!(ungranted["record_hooks"][0]["vetoed"], 0);
    assert!(world.told_since(head).await.iter().all(|name| name.starts_with("job.")));
    assert_eq!(world.decided(DecisionKind::Veto).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_lists_what_it_would_do_and_what_is_not_granted() {
    let world = World::new().await;
    let account = world.create("account", json!({ "name": "Acme" })).await.unwrap();
    let case = json!({ "subject": "Broken", "status": "new", "kind": "complaint", "account": account.id.to_string() });
    world.create("case", case).await.unwrap();
    let requests = world.install("complaint-desk").await.requests;
    let all = world.dry_run("complaint-desk", DryRunRequest::default()).await;
    let workflow = &all["service_workflow"];
    assert_eq!((&workflow["object"], &workflow["records"]), (&json!("case"), &json!(1)), "{all}");
    assert!(!workflow["actions"].as_object().unwrap().is_empty(), "{workflow}");
    assert_eq!(workflow["refused"], json!({}));
    assert!(workflow["rows"][0]["actions"].is_array() && workflow["rows"][0]["suggestions"].is_array());
    let fewer = requests.iter().map(|asked| asked.grant.clone()).filter(|grant| !grant.starts_with("act:"));
    let request = DryRunRequest { grants: Some(fewer.collect()), ..DryRunRequest::default() };
    let fewer = world.dry_run("complaint-desk", request).await;
    let refused = fewer["service_workflow"]["refused"].as_object().unwrap();
    assert_eq!(refused.len(), workflow["actions"].as_object().unwrap().len(), "{fewer}");
    assert_eq!(world.decided(DecisionKind::Triage).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_done_again_by_a_component_that_is_not_installed() {
    let (world, run) = rfm().await;
    let (id, run) = (plugin_id("retail-rfm"), run_of(&run));
    let replay = async |component: Vec<u8>| {
        let with = ReplayWith::Component(component);
        let job = world.engine.run_replay_with(&caller(), &id, run, with).await.unwrap();
        world.engine.job_wait(job.id).await.unwrap()
    };
    let same = replay(as_version(&built("retail-rfm"), "9.0.0")).await;
    assert_eq!(same.state, JobState::Succeeded, "{:?}", same.error);
    let replayed = &same.result["replay"];
    assert_eq!((&replayed["same"], &replayed["rows"]), (&json!(true), &json!(2_357)), "{replayed}");
    assert_eq!((&replayed["recorded_version"], &replayed["version"]), (&json!("1.0.0"), &json!("9.0.0")));
    assert!(
        world.engine.plugin_get(&id).unwrap().versions.iter().all(|known| known.version != version("9.0.0"))
    );
    let spool = std::fs::read_dir(world.dir.path().join("engine/spool")).unwrap();
    assert_eq!(spool.count(), 0, "the component goes with its job");

    let other_default = with_manifest(&built("retail-rfm"), |line| match line {
        "version = \"1.0.0\"" => "version = \"9.1.0\"".to_owned(),
        "last_order" => line.to_owned(),
        _ => line.replace("name = \"last_order\"", "name = \"latest\""),
    });
    let missing = replay(other_default).await.error.unwrap();
    assert_eq!(missing.code, "plugin_cannot_run");
    assert!(missing.message.en.contains("`latest`"), "{}", missing.message.en);

    let with = ReplayWith::Component(built("value-pyramid"));
    let error = world.engine.run_replay_with(&caller(), &id, run, with).await.unwrap_err();
    assert!(error.to_string().contains("value-pyramid"), "{error}");
    let with = ReplayWith::Version(version("7.7.7"));
    let error = world.engine.run_replay_with(&caller(), &id, run, with).await.unwrap_err();
    assert_eq!(error.code(), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_made_again_by_another_version() {
    let world = World::new().await;
    let lead = world.create("lead", json!({ "name": "Ann", "status": "new" })).await.unwrap().id;
    world.install("hostile").await;
    let settings = UseSettings { config: json!({ "sin": "hook-veto" }), ..UseSettings::default() };
    world.engine.plugin_enable(&caller(), &plugin_id("hostile"), settings).await.unwrap();
    world.update("lead", lead, json!({ "status": "contacted" })).await.unwrap_err();
    let decision = world.decided(DecisionKind::Veto).await[0].id;
    world.bring(as_version(&built("hostile"), "9.0.0")).await;
    let again = world.engine.decision_replay_with(decision, &version("9.0.0")).await.unwrap();
    assert!(again.same && again.recorded["veto"]["code"] == "company-missing", "{again:?}");
    let unknown = world.engine.decision_replay_with(decision, &version("9.9.9")).await.unwrap_err();
    assert_eq!(unknown.code(), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_of_an_upgrade_does_the_last_runs_and_decisions_again() {
    let world = World::new().await;
    for (customer, day) in (1..=120).map(|customer| (customer, customer % 28 + 1)) {
        let order = format!("customer_id,date,cds,amount\n{customer},2026-01-{day:02},1,50.00\n");
        if customer % 40 == 0 {
            world.import("order", Some(&example("orders.toml")), &order).await.unwrap();
        }
    }
    let rows: String = (1..=120).map(|customer| format!("{customer},2026-01-05,1,50.00\n")).collect();
    let csv = format!("customer_id,date,cds,amount\n{rows}");
    world.import("order", Some(&example("orders.toml")), &csv).await.unwrap();
    world.enable("every-interface", json!({}), AsOf::Now).await;
    world.run_well("every-interface", RunRequest::default()).await;
    world.run_well("every-interface", RunRequest::default()).await;
    world.create("case", json!({ "subject": "Late", "status": "new" })).await.unwrap();
    world.engine.reactions_settled().await;
    world.bring(as_version(&built("every-interface"), "9.0.0")).await;
    let id = plugin_id("every-interface");
    let check = async |of: &str| {
        let job = world.engine.plugin_check_upgrade(&caller(), &id, &version(of)).await.unwrap();
        world.good_result(job.id).await
    };
    let same = check("9.0.0").await;
    let verdict = &same["verdict"];
    assert_eq!((&verdict["rows"], &verdict["rows_changed"]), (&json!(240), &json!(0)), "{same}");
    assert_eq!(verdict["may_be_promoted"], true, "{same}");
    assert_eq!(same["use"]["fuel_percent"], 100.0, "the same code needs the same");
    assert_eq!(same["runs"].as_array().unwrap().len(), 2);

    let blind = with_manifest(&built("every-interface"), |line| match line {
        "version = \"1.0.0\"" => "version = \"9.1.0\"".to_owned(),
        _ => line.replace("name = \"orders\"", "name = \"purchases\""),
    });
    world.bring(blind).await;
    let other = check("9.1.0").await;
    assert_eq!(other["verdict"]["may_be_promoted"], false, "{other}");
    let error = &other["runs"][0]["error"];
    assert_eq!(error["code"], "plugin_cannot_run", "{other}");
    assert!(error["message"].as_str().unwrap().contains("`purchases`"), "{other}");
}
