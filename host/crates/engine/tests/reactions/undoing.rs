//! Undo as a job: what a bulk of changes did goes back once, wherever the server stops; and old payloads go.

use serde_json::{Value as Json, json};
use trellis_engine::{Config, Error, Job, JobState, UndoOrder};
use trellis_model::{Cause, RecordId};
use trellis_records::{Caller, FieldChanges, UndoState, UndoTarget, Write};

use crate::{
    store::Crash,
    support::{World, name, named},
};

/// Accounts that a made-up job creates and changes.
const ACCOUNTS: usize = 450;

fn job(number: u128) -> RecordId {
    RecordId(uuid::Uuid::from_u128(number))
}

fn by_job() -> Caller {
    let cause = Cause { job: Some(job(1)), automations_off: true, ..Cause::default() };
    Caller { cause, ..Caller::system("test") }
}

fn order(target: UndoTarget) -> UndoOrder {
    UndoOrder { target, include_caused: false, run_automations: false, dry_run: false }
}

impl World {
    async fn write_by(&self, caller: &Caller, writes: Vec<Write>) {
        for writes in writes.chunks(200) {
            let written = self.records.write_batch(caller, writes.to_vec()).await.unwrap();
            assert!(written.iter().all(Result::is_ok));
        }
    }

    fn changes(&self, object: &str, fields: Json) -> FieldChanges {
        self.records.schema().fields(&name(object), named(fields)).unwrap()
    }

    async fn undo(&self, order: &UndoOrder) -> Job {
        let job = self.engine.undo_start(&Caller::system("test"), order).await.unwrap();
        self.engine.job_wait(job.id).await.unwrap()
    }

    /// Renames 150 accounts that are there, makes 300 new ones, and has somebody else change one of each.
    async fn bulk(&self) {
        self.accounts(150).await;
        let ids = self.all_ids("account").await;
        let object = name("account");
        let renamed = |id: &RecordId| Write::Update {
            object: object.clone(),
            id: *id,
            changes: self.changes("account", json!({ "name": "Renamed" })),
            expected_version: None,
        };
        self.write_by(&by_job(), ids.iter().map(renamed).collect()).await;
        let fields = self.changes("account", json!({ "name": "Made" }));
        let fields: trellis_model::Fields =
            fields.into_iter().filter_map(|(field, value)| Some((field, value?))).collect();
        let made = Write::Create { object: object.clone(), fields, id: None };
        self.write_by(&by_job(), vec![made; ACCOUNTS - 150]).await;
        self.update("account", ids[0], json!({ "name": "Somebody's" })).await;
        self.settle().await;
    }

    /// How many accounts have each name.
    async fn names(&self) -> Vec<(String, u64)> {
        let mut names = std::collections::BTreeMap::<String, u64>::new();
        let mut query = trellis_records::Query { limit: 200, ..trellis_records::Query::new(name("account")) };
        loop {
            let page = self.records.list(&trellis_model::Scope::everything(), &query).await.unwrap();
            for record in &page.records {
                let name = self.by_name(record)["name"].as_str().unwrap().to_owned();
                let name = if name.starts_with("Customer ") { "Customer".to_owned() } else { name };
                *names.entry(name).or_default() += 1;
            }
            query.after = page.next;
            if query.after.is_none() {
                return names.into_iter().collect();
            }
        }
    }
}

fn expected() -> Vec<(String, u64)> {
    vec![("Customer".into(), 149), ("Somebody's".into(), 1)]
}

fn figures(job: &Job) -> Json {
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    json!([job.result["undone"], job.result["undone_before"], job.result["not_undone"]["changed_since"]])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_of_changes_goes_back_says_what_did_not_and_comes_again() {
    let world = World::new().await;
    world.bulk().await;
    let target = order(UndoTarget::Job(job(1)));
    let caller = Caller::system("test");
    let preview = world.engine.undo_preview(&caller, &target, None, 10).await.unwrap();
    assert_eq!((preview.items.len(), preview.counts_exact, preview.hidden), (10, true, 0));
    assert_eq!(preview.counts[&UndoState::Can], 449);
    assert_eq!(preview.counts[&UndoState::ChangedSince], 1);
    let second = world.engine.undo_preview(&caller, &target, preview.next, 10).await.unwrap();
    assert!(second.counts.is_empty() && second.items[0].id != preview.items[0].id);

    let dry = world.undo(&UndoOrder { dry_run: true, ..target.clone() }).await;
    assert_eq!(figures(&dry), json!([449, 0, 1]));
    assert_eq!(world.names().await.len(), 3, "a dry run changes nothing");
    let undone = world.undo(&target).await;
    assert_eq!(figures(&undone), json!([449, 0, 1]));
    assert_eq!(undone.result["records"].as_array().unwrap().len(), 1);
    assert_eq!(world.names().await, expected());
    let again = world.undo(&target).await;
    assert_eq!(figures(&again), json!([0, 449, 1]));
    let redone = world.undo(&order(UndoTarget::Job(undone.id))).await;
    assert_eq!(figures(&redone), json!([449, 0, 0]));
    assert_eq!(world.names().await[0], ("Made".into(), 300));
    let unknown = world.engine.undo_start(&caller, &order(UndoTarget::Job(job(99)))).await;
    assert!(matches!(unknown, Err(Error::UnknownJob { .. })), "{unknown:?}");
    world.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_is_stopped_goes_on_and_comes_to_the_same() {
    let mut stops = 0;
    for crash in [Crash::Before, Crash::After] {
        for commits in 0..7 {
            let world = World::new().await;
            world.bulk().await;
            let caller = Caller::system("test");
            let started = world.engine.undo_start(&caller, &order(UndoTarget::Job(job(1)))).await.unwrap();
            world.store.stop_at(commits, crash);
            let is_over = || async {
                let job = world.engine.job_get(started.id).await.unwrap();
                world.store.has_stopped() || job.is_some_and(|job| job.state.is_final())
            };
            world.until("the undo ends or the store stops", is_over).await;
            stops += u32::from(world.store.has_stopped());
            let world = world.restart().await;
            let ended = world.engine.job_wait(started.id).await.unwrap();
            let place = format!("{crash:?} commit {commits}");
            assert_eq!(figures(&ended), json!([449, 0, 1]), "{place}");
            assert_eq!(world.names().await, expected(), "{place}");
            let report = world.records.check().await.unwrap();
            assert!(report.is_clean(), "{place}: {:?}", report.differences);
            world.engine.shutdown().await;
        }
    }
    assert!(stops >= 8, "most of these stops are within the undo: {stops}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_veto_is_the_reason_of_its_record_and_reactions_stay_silent_unless_wanted() {
    let world = World::new().await;
    let object = name("account");
    for name in ["Mill", "Keep"] {
        let account = world.create("account", json!({ "name": name })).await;
        let changes = world.changes("account", json!({ "name": "Changed" }));
        world.records.update(&by_job(), &object, account.id, changes, None).await.unwrap();
    }
    let veto = r#"if record.name == "Keep" { veto("name", "stays", #{ en: "It stays.", zh: "保留。" }); }"#;
    world.rule("account", "before_save", veto, json!({})).await;
    world.rule("account", "after_save", r#"create_task(#{ subject: "seen" });"#, json!({})).await;
    world.settle().await;
    let undone = world.undo(&order(UndoTarget::Job(job(1)))).await;
    assert_eq!(figures(&undone), json!([1, 0, 0]));
    assert_eq!(undone.result["not_undone"]["refused"], 1, "{}", undone.result);
    assert_eq!(undone.result["records"][0]["code"], "veto");
    assert!(undone.result["records"][0]["message"]["zh-CN"].as_str().unwrap().contains("保留"));
    world.settle().await;
    assert_eq!(world.all("task").await.len(), 0);
    let redo = UndoOrder { run_automations: true, ..order(UndoTarget::Job(undone.id)) };
    assert_eq!(figures(&world.undo(&redo).await), json!([1, 0, 0]));
    world.settle().await;
    assert_eq!(world.all("task").await.len(), 1);
    world.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_go_once_they_are_old_and_everybody_has_read_them() {
    let config = Config { payload_expiry_interval_ms: 5, ..Config::default() };
    let world = World::with(config).await;
    let account = world.create("account", json!({ "name": "Mill" })).await;
    let changed = world.update("account", account.id, json!({ "name": "Mühle" })).await;
    world.settle().await;
    let fields = async |number| {
        let entry = world.records.log_entry(number).await.unwrap().unwrap();
        entry.change_of(account.object, account.id).unwrap().fields.is_some()
    };
    assert!(fields(changed.last_log).await);
    world.clock.advance_ms(399 * 86_400_000);
    let young = world.update("account", account.id, json!({ "name": "Mill" })).await;
    world.clock.advance_ms(2 * 86_400_000);
    let gone = || async { world.records.payloads_expired_to().await.unwrap() >= changed.last_log };
    world.until("the payloads go", gone).await;
    assert!(!fields(changed.last_log).await && fields(young.last_log).await);
    world.engine.shutdown().await;
}
