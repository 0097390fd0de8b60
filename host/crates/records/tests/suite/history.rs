//! What a record tells of its past.

use std::collections::BTreeSet;

use serde_json::json;
use trellis_model::{
    Actor, Cause, ChangeKind, FieldAccess, FieldName, ObjectScope, PluginId, RecordId, RowAccess, Scope,
};
use trellis_records::{Caller, Error, LogSource, Moment, Write};

use crate::support::{World, name};

fn id(number: u128) -> RecordId {
    RecordId(uuid::Uuid::from_u128(number))
}

fn names_only() -> Scope {
    let readable = FieldAccess::Only(BTreeSet::from([FieldName::new("name").unwrap()]));
    Scope::nothing().with(name("account"), ObjectScope { readable, ..ObjectScope::everything() })
}

#[tokio::test]
async fn a_history_tells_each_change_newest_first_in_pages() {
    let world = World::new().await;
    let account = world.create("account", json!({"name": "Mill", "country": "DE"})).await;
    world.create("account", json!({"name": "Other"})).await;
    world.update("account", account.id, json!({"name": "Mill & Sons"})).await.unwrap();
    world.update("account", account.id, json!({"country": null})).await.unwrap();
    world.delete("account", account.id).await;
    let (everything, object) = (Scope::everything(), name("account"));
    let history = |from, max| world.records.history(&everything, &object, account.id, from, max);
    let first = history(None, 3).await.unwrap();
    let second = history(first.next, 3).await.unwrap();
    assert_eq!(second.next, None);
    let entries: Vec<_> = first.entries.iter().chain(&second.entries).collect();
    let kinds: Vec<ChangeKind> = entries.iter().map(|entry| entry.change.kind).collect();
    use ChangeKind::{Created, Deleted, Updated};
    assert_eq!(kinds, [Deleted, Updated, Updated, Created]);
    assert!(entries.is_sorted_by(|a, b| a.number > b.number && a.time_ms > b.time_ms));
    let country = world.records.schema().object("account").unwrap().field("country").unwrap().id;
    let change = &entries[1].change.fields.as_ref().unwrap()[&country];
    assert_eq!((change.before.is_some(), change.after.is_some()), (true, false));

    let limited = world.records.history(&names_only(), &object, account.id, None, 9).await.unwrap();
    let fields: usize = limited.entries.iter().map(|entry| entry.change.fields.as_ref().unwrap().len()).sum();
    assert_eq!(fields, 3, "a name that came, changed and went; nothing of the country");

    let other = history(Some(account.last_log + 1), 1).await;
    assert!(matches!(other, Err(Error::Query(_))), "an entry about another record is no place: {other:?}");
    let nothing = Scope::nothing();
    let hidden = world.records.history(&nothing, &object, account.id, None, 1).await;
    assert!(matches!(hidden, Err(Error::NotFound { .. })));
    let nobody = ObjectScope { rows: RowAccess::Nothing, ..ObjectScope::everything() };
    let nobody = Scope::everything().with(object.clone(), nobody);
    assert!(world.records.as_of(&nobody, &object, account.id, Moment::Entry(99)).await.is_err());
}

#[tokio::test]
async fn a_record_can_be_seen_as_it_was() {
    let world = World::new().await;
    let object = name("account");
    let created = world.create("account", json!({"name": "Mill", "country": "DE"})).await;
    let changed =
        world.update("account", created.id, json!({"name": "Mühle", "country": null})).await.unwrap();
    world.delete("account", created.id).await;
    let restored = world.records.restore(&world.caller, &object, created.id).await.unwrap();
    let everything = Scope::everything();
    let at = async |moment| world.records.as_of(&everything, &object, created.id, moment).await;
    for known in [&created, &changed, &restored] {
        let then = at(Moment::Entry(known.last_log)).await.unwrap();
        assert_eq!(
            (then.version, then.last_log, &then.fields),
            (known.version, known.last_log, &known.fields)
        );
        assert_eq!(at(Moment::Time(then.updated_at_ms)).await.unwrap(), then);
    }
    for absent in [Moment::Entry(created.last_log - 1), Moment::Time(0), Moment::Entry(changed.last_log + 1)]
    {
        assert!(matches!(at(absent).await, Err(Error::NotFound { .. })), "{absent:?}");
    }
    assert_eq!(at(Moment::Time(i64::MAX)).await.unwrap().fields, restored.fields);
    let limited =
        world.records.as_of(&names_only(), &object, created.id, Moment::Entry(created.last_log)).await;
    assert_eq!(limited.unwrap().fields.len(), 1);
}

#[tokio::test]
async fn what_has_expired_says_so() {
    let world = World::new().await;
    let object = name("account");
    let created = world.create("account", json!({"name": "Mill"})).await;
    let mut last = created.clone();
    for number in 0..450 {
        last = world.update("account", created.id, json!({"name": format!("Mill {number}")})).await.unwrap();
    }
    let everything = Scope::everything();
    let middle = world.records.log_entry(created.last_log + 300).await.unwrap().unwrap();
    let mut steps = 1;
    while world.records.expire_payloads(middle.time_ms, u64::MAX).await.unwrap() {
        steps += 1;
    }
    assert!(steps > 1, "a step is bounded");
    assert_eq!(world.records.payloads_expired_to().await.unwrap(), middle.number - 1);
    assert!(!world.records.expire_payloads(middle.time_ms, u64::MAX).await.unwrap());
    let at =
        async |number| world.records.as_of(&everything, &object, created.id, Moment::Entry(number)).await;
    assert!(at(middle.number - 1).await.is_ok());
    let number = middle.number - 1;
    let expired = at(middle.number - 2).await;
    assert!(
        matches!(&expired, Err(Error::HistoryExpired { number: gone, .. }) if *gone == number),
        "{expired:?}"
    );
    let page = world.records.history(&everything, &object, created.id, Some(middle.number), 2).await.unwrap();
    assert!(page.entries[0].change.fields.is_some() && page.entries[1].change.fields.is_none());
    // A reader that lags behind keeps what it has not read.
    assert!(!world.records.expire_payloads(i64::MAX, last.last_log - 1).await.unwrap());
    assert_eq!(world.records.payloads_expired_to().await.unwrap(), last.last_log - 1);
    world.expect_clean().await;
}

#[tokio::test]
async fn entries_are_found_by_where_they_come_from() {
    let world = World::new().await;
    let plugin = PluginId::new("retail-rfm").unwrap();
    let actors = [
        Actor::System { component: "test".into() },
        Actor::Rule { id: id(7), version: 2, for_user: None },
        Actor::Plugin { id: plugin.clone(), version: "1.0.0".into(), for_user: None },
    ];
    let mut written = Vec::new();
    for job in [None, Some(id(1)), Some(id(2))] {
        for actor in &actors {
            let cause = Cause { job, log: written.first().copied(), ..Cause::default() };
            let caller = Caller { actor: actor.clone(), cause, ..Caller::system("test") };
            let write = world.create_of("account", json!({"name": "Mill"}));
            let result = world.records.write_batch(&caller, vec![write]).await.unwrap().remove(0).unwrap();
            written.push(result.record().unwrap().last_log);
        }
    }
    let check = async |source: LogSource, expected: &[usize]| {
        let expected: Vec<u64> = expected.iter().map(|place| written[*place]).collect();
        assert_eq!(world.records.log_of(&source, 0, 100).await.unwrap(), expected, "{source:?}");
        let first = world.records.log_of(&source, 0, 1).await.unwrap();
        let rest =
            world.records.log_of(&source, first.first().copied().unwrap_or_default(), 100).await.unwrap();
        assert_eq!([first, rest].concat(), expected, "{source:?} in two pages");
    };
    check(LogSource::Job(id(1)), &[3, 4, 5]).await;
    check(LogSource::Job(id(2)), &[6, 7, 8]).await;
    check(LogSource::Rule(id(7)), &[1, 4, 7]).await;
    check(LogSource::Plugin(plugin), &[2, 5, 8]).await;
    check(LogSource::Entry(written[0]), &[1, 2, 3, 4, 5, 6, 7, 8]).await;
    check(LogSource::Entry(written[1]), &[]).await;
    check(LogSource::Plugin(PluginId::new("retail").unwrap()), &[]).await;
    let none = Write::Delete { object: name("account"), id: id(9), expected_version: None };
    assert!(world.records.write_batch(&world.caller, vec![none]).await.unwrap()[0].is_err());
}
