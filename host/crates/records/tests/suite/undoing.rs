//! Taking back what was done.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use trellis_model::{
    Actor, Cause, FieldAccess, FieldName, ObjectScope, PluginId, Record, RecordId, RowAccess, Scope,
};
use trellis_records::{
    Caller, Config, Error, Limits, UndoAction, UndoCursor, UndoItem, UndoOutcome, UndoRequest, UndoState,
    UndoTarget, Write,
};

use crate::support::{World, name};

pub(crate) fn job(number: u128) -> RecordId {
    RecordId(uuid::Uuid::from_u128(number))
}

pub(crate) fn by_job(number: u128) -> Caller {
    Caller { cause: Cause { job: Some(job(number)), ..Cause::default() }, ..Caller::system("test") }
}

fn request(target: UndoTarget) -> UndoRequest {
    UndoRequest { target, include_caused: false, until: u64::MAX }
}

pub(crate) fn of_job(number: u128) -> UndoRequest {
    request(UndoTarget::Job(job(number)))
}

impl World {
    async fn write_by(&self, caller: &Caller, write: Write) -> Record {
        let written = self.records.write_batch(caller, vec![write]).await.unwrap().remove(0).unwrap();
        written.record().cloned().unwrap()
    }

    async fn update_by(&self, caller: &Caller, id: RecordId, json: Json) -> Record {
        let changes = self.changes("account", json);
        self.records.update(caller, &name("account"), id, changes, None).await.unwrap()
    }

    pub(crate) async fn plan(&self, caller: &Caller, request: &UndoRequest) -> Vec<UndoItem> {
        let entries = self.records.undo_entries(request).await.unwrap();
        let (mut items, mut next): (Vec<UndoItem>, Option<UndoCursor>) = (Vec::new(), None);
        loop {
            let page = self.records.undo_page(caller, &entries, next, 2).await.unwrap();
            items.extend(page.items);
            next = page.next;
            if let Some(place) = next {
                assert_eq!(UndoCursor::parse(&place.to_string()), next);
            } else {
                return items;
            }
        }
    }

    /// Undoes as job `number`.
    pub(crate) async fn undo(&self, number: u128, request: &UndoRequest) -> Vec<UndoOutcome> {
        let caller = by_job(number);
        let entries = self.records.undo_entries(request).await.unwrap();
        let (mut outcomes, mut next) = (Vec::new(), None);
        loop {
            let page = self.records.undo_page(&caller, &entries, next, 3).await.unwrap();
            outcomes.extend(self.records.undo_apply(&caller, &entries, page.items).await.unwrap());
            next = page.next;
            if next.is_none() {
                return outcomes;
            }
        }
    }
}

fn states(outcomes: &[UndoOutcome]) -> Vec<(RecordId, bool, UndoState)> {
    let mut states: Vec<_> =
        outcomes.iter().map(|outcome| (outcome.item.id, outcome.undone, outcome.item.state)).collect();
    states.sort_by_key(|(id, ..)| *id);
    states
}

#[tokio::test]
async fn an_import_goes_with_all_that_it_created_and_changed_and_comes_back() {
    let world = World::new().await;
    let importer = by_job(1);
    let old = world.create("account", json!({"name": "Mill", "country": "DE"})).await;
    world.update_by(&importer, old.id, json!({"name": "Mill Ltd"})).await;
    let new = world
        .write_by(&importer, world.create_of("account", json!({"name": "New", "external_id": "n"})))
        .await;
    let again = world.update_by(&importer, old.id, json!({"name": "Mill plc", "country": null})).await;
    world.create("account", json!({"name": "Other"})).await;

    let plan = world.plan(&world.caller, &of_job(1)).await;
    assert_eq!(
        plan.iter().map(|item| item.id).collect::<Vec<_>>(),
        [old.id, new.id],
        "what came last goes first"
    );
    assert_eq!(
        (plan[0].action, plan[0].state, plan[0].version),
        (UndoAction::Update, UndoState::Can, again.version)
    );
    assert_eq!(plan[0].title.as_deref(), Some("Mill plc"));
    let fields: Vec<_> =
        plan[0].fields.iter().map(|field| (field.field.as_str(), field.back_to.clone())).collect();
    assert_eq!(fields.len(), 2, "two changes of a name are one: {fields:?}");
    assert_eq!((plan[1].action, plan[1].state), (UndoAction::Delete, UndoState::Can));

    let outcomes = world.undo(2, &of_job(1)).await;
    assert!(outcomes.iter().all(|outcome| outcome.undone && outcome.item.state == UndoState::Can));
    let back = world.get("account", old.id).await.unwrap();
    assert_eq!(back.fields, old.fields);
    assert_eq!(world.get("account", new.id).await, None);
    world.create("account", json!({"name": "Takes the free id", "external_id": "n2"})).await;
    let second = world.undo(3, &of_job(1)).await;
    let done = |outcome: &UndoOutcome| (outcome.undone, outcome.item.state) == (false, UndoState::Done);
    assert!(second.iter().all(done), "{second:?}");
    assert_eq!(second[0].item.last_job, Some(job(2)));

    let redone = world.undo(4, &of_job(2)).await;
    assert!(redone.iter().all(|outcome| outcome.undone), "{redone:?}");
    assert_eq!(world.get("account", old.id).await.unwrap().fields, again.fields);
    assert_eq!(world.get("account", new.id).await.unwrap().fields, new.fields);
    world.expect_clean().await;
}

#[tokio::test]
async fn what_changed_again_since_stays_and_says_who() {
    let world = World::new().await;
    let (importer, object) = (by_job(1), name("account"));
    let person = Actor::Rule { id: job(77), version: 1, for_user: None };
    let person = Caller { actor: person, ..Caller::system("test") };
    let both = world.create("account", json!({"name": "Mill", "country": "DE"})).await;
    world.update_by(&importer, both.id, json!({"name": "Mill Ltd", "country": "AT"})).await;
    let one = world.create("account", json!({"name": "One"})).await;
    world.update_by(&importer, one.id, json!({"name": "Uno"})).await;
    let made = world.write_by(&importer, world.create_of("account", json!({"name": "Made"}))).await;
    let gone = world.create("account", json!({"name": "Gone"})).await;
    world.update_by(&importer, gone.id, json!({"name": "Gone soon"})).await;
    let and_back = world.create("account", json!({"name": "There"})).await;
    world.update_by(&importer, and_back.id, json!({"name": "Moved"})).await;
    let changed = world.update_by(&person, both.id, json!({"country": "CH"})).await;
    world.update_by(&person, one.id, json!({"name": "Ein"})).await;
    world.update_by(&person, made.id, json!({"country": "FR"})).await;
    world.records.delete(&person, &object, gone.id, None).await.unwrap();
    world.update_by(&person, and_back.id, json!({"name": "Elsewhere"})).await;
    world.update_by(&person, and_back.id, json!({"name": "Moved"})).await;

    let outcomes = world.undo(2, &of_job(1)).await;
    use UndoState::{Can, ChangedSince, Partly};
    assert_eq!(
        states(&outcomes),
        [
            (both.id, true, Partly),
            (one.id, false, ChangedSince),
            (made.id, false, ChangedSince),
            (gone.id, false, ChangedSince),
            (and_back.id, true, Can)
        ]
    );
    let of = |id| &outcomes.iter().find(|outcome| outcome.item.id == id).unwrap().item;
    let since = &of(both.id).since[0];
    assert_eq!((since.number, &since.actor), (changed.last_log, &person.actor));
    assert_eq!(since.fields, [FieldName::new("country").unwrap()]);
    assert_eq!(of(made.id).since[0].fields, [FieldName::new("country").unwrap()]);
    assert_eq!(of(gone.id).since[0].fields, []);
    let text = |record: &Record, field| world.text("account", record, field);
    let both = world.get("account", both.id).await.unwrap();
    assert_eq!((text(&both, "name"), text(&both, "country")), ("Mill".into(), "CH".into()));
    assert_eq!(text(&world.get("account", and_back.id).await.unwrap(), "name"), "There");
    assert!(world.get("account", made.id).await.is_some());
}

#[tokio::test]
async fn a_deletion_is_taken_back_with_the_fields_that_went_before() {
    let world = World::new().await;
    let (merge, object) = (by_job(1), name("account"));
    let loser = world.create("account", json!({"name": "Mill", "external_id": "m"})).await;
    let taken = world.create("account", json!({"name": "Inn", "external_id": "i"})).await;
    for id in [loser.id, taken.id] {
        world.update_by(&merge, id, json!({"name": "merged"})).await;
        world.records.delete(&merge, &object, id, None).await.unwrap();
    }
    let holder = world.create("account", json!({"name": "Takes it", "external_id": "i"})).await;
    let plan = world.plan(&world.caller, &of_job(1)).await;
    assert_eq!((plan[0].action, plan[0].state), (UndoAction::Restore, UndoState::Conflict));
    assert!(
        plan[0].reason.as_ref().unwrap().text.en.contains(&holder.id.to_string()),
        "{:?}",
        plan[0].reason
    );
    let outcomes = world.undo(2, &of_job(1)).await;
    assert_eq!(states(&outcomes), [(loser.id, true, UndoState::Can), (taken.id, false, UndoState::Conflict)]);
    assert_eq!(world.get("account", loser.id).await.unwrap().fields, loser.fields);
    world.delete("account", holder.id).await;
    let outcomes = world.undo(3, &of_job(1)).await;
    assert_eq!(states(&outcomes), [(loser.id, false, UndoState::Done), (taken.id, true, UndoState::Can)]);
    assert_eq!(world.get("account", taken.id).await.unwrap().fields, taken.fields);
    world.expect_clean().await;
}

#[tokio::test]
async fn a_unique_value_moves_back_where_the_same_undo_frees_it() {
    let world = World::new().await;
    let first = world.create("account", json!({"name": "A", "external_id": "1"})).await;
    let second = world.create("account", json!({"name": "B", "external_id": "2"})).await;
    world.update_by(&by_job(1), first.id, json!({"external_id": "3"})).await;
    world.update_by(&by_job(1), second.id, json!({"external_id": "1"})).await;
    let plan = world.plan(&world.caller, &of_job(1)).await;
    assert!(plan.iter().all(|item| item.state == UndoState::Can), "{plan:?}");
    world.undo(2, &of_job(1)).await;
    assert_eq!(world.get("account", first.id).await.unwrap().fields, first.fields);
    assert_eq!(world.get("account", second.id).await.unwrap().fields, second.fields);
}

#[tokio::test]
async fn one_change_or_one_record_of_it_can_be_taken_back() {
    let world = World::new().await;
    let writes = ["A", "B"].map(|name| world.create_of("account", json!({"name": name})));
    let made = world.records.write_batch(&world.caller, writes.to_vec()).await.unwrap();
    let made: Vec<Record> = made.into_iter().map(|made| made.unwrap().record().cloned().unwrap()).collect();
    let (number, id) = (made[0].last_log, made[0].id);
    assert_eq!(world.plan(&world.caller, &request(UndoTarget::Entry(number))).await.len(), 2);
    let one = UndoTarget::Change { number, object: name("account"), id };
    assert_eq!(states(&world.undo(1, &request(one.clone())).await), [(id, true, UndoState::Can)]);
    assert!(world.get("account", made[1].id).await.is_some());
    let unknown = async |target| world.records.undo_entries(&request(target)).await;
    assert!(matches!(unknown(UndoTarget::Entry(9_999)).await, Err(Error::UnknownEntry { number: 9_999 })));
    let elsewhere = UndoTarget::Change { number: number - 1, object: name("account"), id };
    assert!(matches!(unknown(elsewhere).await, Err(Error::UnknownEntry { .. })));
    assert!(unknown(UndoTarget::Job(job(99))).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_a_rule_or_plugin_did_goes_from_a_time_on() {
    let world = World::new().await;
    let plugin = PluginId::new("retail-rfm").unwrap();
    let actors = [
        (Actor::Rule { id: job(5), version: 1, for_user: None }, None),
        (Actor::Plugin { id: plugin.clone(), version: "1.0.0".into(), for_user: None }, Some(plugin)),
    ];
    for (actor, plugin) in actors {
        let caller = Caller { actor, ..Caller::system("test") };
        let account = world.create("account", json!({"name": "0"})).await;
        let mut numbers = Vec::new();
        for name in ["1", "2", "3"] {
            numbers.push(world.update_by(&caller, account.id, json!({"name": name})).await.last_log);
        }
        let second = world.records.log_entry(numbers[1]).await.unwrap().unwrap().time_ms;
        let target = |since_ms| match &plugin {
            None => UndoTarget::Rule { id: job(5), since_ms },
            Some(id) => UndoTarget::Plugin { id: id.clone(), since_ms },
        };
        for (since_ms, until, count) in [
            (None, u64::MAX, 3),
            (Some(second), u64::MAX, 2),
            (None, numbers[1], 2),
            (Some(i64::MAX), u64::MAX, 0),
        ] {
            let request = UndoRequest { until, ..request(target(since_ms)) };
            assert_eq!(
                world.records.undo_entries(&request).await.unwrap().len(),
                count,
                "{since_ms:?} {until}"
            );
        }
        world.undo(1, &request(target(Some(second)))).await;
        assert_eq!(world.text("account", &world.get("account", account.id).await.unwrap(), "name"), "1");
    }
}

#[tokio::test]
async fn reactions_go_with_their_cause_where_asked() {
    let world = World::new().await;
    let made = world.write_by(&by_job(1), world.create_of("account", json!({"name": "Mill"}))).await;
    let rule = |log| {
        let cause = Cause { log: Some(log), depth: 1, ..Cause::default() };
        Caller {
            actor: Actor::Rule { id: job(5), version: 1, for_user: None },
            cause,
            ..Caller::system("test")
        }
    };
    let reaction = world.update_by(&rule(made.last_log), made.id, json!({"country": "DE"})).await;
    let task = json!({"subject": "call", "status": "open", "account": made.id.to_string()});
    let task = world.write_by(&rule(reaction.last_log), world.create_of("task", task)).await;
    let entries = world.records.undo_entries(&of_job(1)).await.unwrap();
    assert_eq!((entries.len(), entries.caused()), (1, 2));
    assert_eq!(states(&world.undo(2, &of_job(1)).await), [(made.id, false, UndoState::ChangedSince)]);
    let with_caused = UndoRequest { include_caused: true, ..of_job(1) };
    assert_eq!(world.records.undo_entries(&with_caused).await.unwrap().caused(), 0);
    let outcomes = world.undo(3, &with_caused).await;
    assert_eq!(states(&outcomes), [(made.id, true, UndoState::Can), (task.id, true, UndoState::Can)]);
    assert_eq!(world.get("task", task.id).await, None);
}

#[tokio::test]
async fn what_lies_outside_somebodys_rights_is_refused() {
    let world = World::new().await;
    let object = name("account");
    let seen = world.create("account", json!({"name": "Seen", "country": "DE"})).await;
    let unseen = world.create("account", json!({"name": "Unseen"})).await;
    for id in [seen.id, unseen.id] {
        world.update_by(&by_job(1), id, json!({"name": "x", "country": "AT", "city": "Wien"})).await;
    }
    let only = |field: &str| FieldAccess::Only(BTreeSet::from([FieldName::new(field).unwrap()]));
    let filter =
        trellis_model::Filter::parse(&json!({"field": "created_at", "op": "eq", "value": created(&seen)}));
    let scope = |readable, writable| {
        let rows = RowAccess::Where(filter.clone().unwrap());
        Scope::nothing().with(object.clone(), ObjectScope { rows, readable, writable })
    };
    let caller = Caller { scope: scope(only("country"), only("country")), ..by_job(2) };
    let entries = world.records.undo_entries(&of_job(1)).await.unwrap();
    let page = world.records.undo_page(&caller, &entries, None, 9).await.unwrap();
    assert_eq!((page.items.len(), page.hidden), (1, 1));
    assert_eq!((page.items[0].state, &page.items[0].title), (UndoState::Partly, &None));
    let listed: Vec<&str> = page.items[0].fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(listed, ["country"], "nothing is told of fields that may not be read");
    let none = Caller { scope: scope(only("name"), FieldAccess::Only(BTreeSet::new())), ..by_job(2) };
    let refused = world.records.undo_page(&none, &entries, None, 9).await.unwrap();
    assert_eq!(refused.items[0].state, UndoState::Refused);
    assert!(refused.items[0].reason.is_some());
    let outcomes = world.records.undo_apply(&caller, &entries, page.items).await.unwrap();
    assert!(outcomes[0].undone);
    let now = world.get("account", seen.id).await.unwrap();
    assert_eq!([world.text("account", &now, "name"), world.text("account", &now, "country")], ["x", "DE"]);
}

fn created(record: &Record) -> String {
    jiff::Timestamp::from_millisecond(record.created_at_ms).unwrap().to_string()
}

#[tokio::test]
async fn what_the_log_no_longer_tells_stays() {
    let world = World::new().await;
    let changed = world.create("account", json!({"name": "Mill"})).await;
    world.update_by(&by_job(1), changed.id, json!({"name": "x"})).await;
    let made = world.write_by(&by_job(1), world.create_of("account", json!({"name": "Made"}))).await;
    let touched = world.write_by(&by_job(1), world.create_of("account", json!({"name": "Touched"}))).await;
    let last = world.update("account", touched.id, json!({"country": "DE"})).await.unwrap();
    while world.records.expire_payloads(i64::MAX, last.last_log).await.unwrap() {}
    let outcomes = world.undo(2, &of_job(1)).await;
    use UndoState::{Can, Expired};
    let expected = [(changed.id, false, Expired), (made.id, true, Can), (touched.id, false, Expired)];
    assert_eq!(states(&outcomes), expected, "to delete what was made needs no payload");
}

#[tokio::test]
async fn a_record_that_changes_between_plan_and_undo_is_looked_at_again() {
    let world = World::new().await;
    let account = world.create("account", json!({"name": "Mill", "country": "DE"})).await;
    world.update_by(&by_job(1), account.id, json!({"name": "x", "country": "AT"})).await;
    let entries = world.records.undo_entries(&of_job(1)).await.unwrap();
    let page = world.records.undo_page(&world.caller, &entries, None, 9).await.unwrap();
    world.update("account", account.id, json!({"country": "CH"})).await.unwrap();
    let outcomes = world.records.undo_apply(&world.caller, &entries, page.items).await.unwrap();
    assert_eq!(states(&outcomes), [(account.id, true, UndoState::Partly)]);
    let now = world.get("account", account.id).await.unwrap();
    assert_eq!([world.text("account", &now, "name"), world.text("account", &now, "country")], ["Mill", "CH"]);
}

#[tokio::test]
async fn an_undo_of_more_entries_than_allowed_is_refused() {
    let limits = Limits { undo_entries_max: 2, ..Limits::default() };
    let world = World::with(Config { limits, ..Config::default() }).await;
    for count in 1..=3 {
        world.write_by(&by_job(1), world.create_of("account", json!({"name": "x"}))).await;
        let entries = world.records.undo_entries(&of_job(1)).await;
        assert_eq!(entries.is_ok(), count <= 2, "{count}: {entries:?}");
    }
}

#[tokio::test]
async fn who_refers_to_what_would_be_deleted_is_named_unless_it_goes_too() {
    let world = World::new().await;
    let made = world.write_by(&by_job(1), world.create_of("account", json!({"name": "Mill"}))).await;
    let task = |subject: &str| json!({"subject": subject, "status": "open", "account": made.id.to_string()});
    world.write_by(&by_job(1), world.create_of("task", task("goes too"))).await;
    let stays = world.create("task", task("stays")).await;
    let entries = world.records.undo_entries(&of_job(1)).await.unwrap();
    let page = world.records.undo_page(&world.caller, &entries, None, 9).await.unwrap();
    let item = page.items.iter().find(|item| item.id == made.id).unwrap();
    let used = world.records.undo_in_use(&world.caller, &entries, item).await.unwrap();
    assert_eq!(
        used.iter().map(|used| (used.id, used.field.as_str())).collect::<Vec<_>>(),
        [(stays.id, "account")]
    );
    world.undo(2, &of_job(1)).await;
    assert_eq!(world.get("account", made.id).await, None);
    assert!(world.get("task", stays.id).await.is_some());
}
