use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use trellis_model::{FieldAccess, ObjectScope, RecordId, Scope};
use trellis_records::{Config, Error, Limits, TimelineCursor, TimelineQuery};

use crate::support::{World, name};

fn at(minute: u32) -> String {
    format!("2023-11-14T10:{minute:02}:00Z")
}

impl World {
    async fn call(&self, channel: &str, minute: u32, about: Json) -> RecordId {
        let mut fields = json!({"channel": channel, "occurred_at": at(minute)});
        fields.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
        self.create("interaction", fields).await.id
    }

    /// Kinds and ids of a timeline, read page by page.
    async fn timeline(
        &self,
        object: &str,
        id: RecordId,
        kinds: &[&str],
        limit: usize,
    ) -> Vec<(String, RecordId)> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
            let query = TimelineQuery { kinds, after, limit };
            let page = self.records.timeline(&Scope::everything(), &name(object), id, &query).await.unwrap();
            assert!(page.items.len() <= limit);
            assert!(page.items.is_sorted_by_key(|item| std::cmp::Reverse(item.at)));
            found.extend(page.items.into_iter().map(|item| (item.kind, item.record.id)));
            match page.next {
                Some(next) => after = Some(TimelineCursor::parse(&next.to_string()).unwrap()),
                None => return found,
            }
        }
    }
}

fn kinds(found: &[(String, RecordId)]) -> Vec<&str> {
    found.iter().map(|(kind, _)| kind.as_str()).collect()
}

#[tokio::test]
async fn an_account_shows_what_happened_with_it_its_people_and_its_deals() {
    let world = World::new().await;
    let account = world.create("account", json!({"name": "Acme"})).await.id;
    let other = world.create("account", json!({"name": "Other"})).await.id;
    let of = |id: RecordId| json!({"account": id.to_string()});
    let contact = world.create("contact", json!({"name": "Ann", "account": account.to_string()})).await.id;
    let deal = json!({"name": "Deal", "stage": "prospecting", "account": account.to_string()});
    let deal = world.create("opportunity", deal).await.id;
    let case = json!({"subject": "Broken", "status": "new", "contact": contact.to_string()});
    world.create("case", case).await;

    world.call("phone", 5, of(account)).await;
    world.call("email", 7, json!({"contact": contact.to_string()})).await;
    world.call("visit", 6, json!({"opportunity": deal.to_string()})).await;
    world.call("phone", 8, of(other)).await;
    world.order(account, "2023-11-13", "10", 1.0).await;
    let task = json!({"subject": "Call back", "status": "open", "account": account.to_string()});
    world.create("task", task).await;
    for (object, id) in [("account", account), ("contact", contact), ("opportunity", deal)] {
        let about = json!({"text": "Noted", "parent_object": object, "parent_id": id.to_string()});
        world.create("comment", about).await;
    }

    let found = world.timeline("account", account, &[], 50).await;
    let expected =
        ["comment", "comment", "comment", "task", "case", "opportunity", "email", "visit", "phone", "order"];
    assert_eq!(kinds(&found), expected);
    for limit in 1..=11 {
        assert_eq!(world.timeline("account", account, &[], limit).await, found, "pages of {limit}");
    }
    let wanted = ["phone", "email", "task"];
    assert_eq!(kinds(&world.timeline("account", account, &wanted, 2).await), ["task", "email", "phone"]);
    let all = world.timeline("account", account, &["interaction"], 2).await;
    assert_eq!(kinds(&all), ["email", "visit", "phone"]);
    let of_contact = world.timeline("contact", contact, &[], 50).await;
    assert_eq!(kinds(&of_contact), ["comment", "case", "email"]);
    assert_eq!(kinds(&world.timeline("opportunity", deal, &[], 50).await), ["comment", "visit"]);
}

#[tokio::test]
async fn what_happened_at_the_same_moment_comes_once_and_in_a_lasting_order() {
    let world = World::new().await;
    let account = world.create("account", json!({"name": "Acme"})).await.id;
    for _ in 0..7 {
        world.call("phone", 0, json!({"account": account.to_string()})).await;
        let event = json!({
            "subject": "Fair", "status": "planned", "starts_at": at(0), "account": account.to_string(),
        });
        world.create("event", event).await;
        // An order stands at the first moment of its day.
        world.order(account, "2023-11-14", "1", 1.0).await;
        let midnight =
            json!({"channel": "sms", "occurred_at": "2023-11-14T00:00:00Z", "account": account.to_string()});
        world.create("interaction", midnight).await;
    }
    let partner = json!({"name": "Both", "stage": "prospecting", "account": account.to_string(), "partner": account.to_string()});
    world.create("opportunity", partner).await;
    let found = world.timeline("account", account, &[], 100).await;
    let repeat = |kind: &'static str| std::iter::repeat_n(kind, 7);
    let expected: Vec<&str> = ["opportunity"]
        .into_iter()
        .chain(repeat("phone"))
        .chain(repeat("event"))
        .chain(repeat("sms"))
        .chain(repeat("order"))
        .collect();
    assert_eq!(kinds(&found), expected);
    for limit in [1, 2, 3, 5, 8] {
        assert_eq!(world.timeline("account", account, &[], limit).await, found, "pages of {limit}");
    }
}

#[tokio::test]
async fn a_timeline_keeps_to_the_scope_and_to_its_limits() {
    let limits = Limits { timeline_related_max: 1, page_rows_max: 5, ..Limits::default() };
    let world = World::with(Config { limits, ..Config::default() }).await;
    let account = world.create("account", json!({"name": "Acme"})).await.id;
    for person in ["Ann", "Bob"] {
        let contact =
            world.create("contact", json!({"name": person, "account": account.to_string()})).await.id;
        let about = json!({"text": person, "parent_object": "contact", "parent_id": contact.to_string()});
        world.create("comment", about).await;
    }
    world.call("phone", 1, json!({"account": account.to_string()})).await;
    let found = world.timeline("account", account, &[], 5).await;
    assert_eq!(kinds(&found), ["comment", "phone"], "only of the youngest contact");

    let ask = async |scope: &Scope, kinds: &[&str], limit: usize| {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        world
            .records
            .timeline(scope, &name("account"), account, &TimelineQuery { kinds, after: None, limit })
            .await
    };
    let everything = Scope::everything();
    assert!(matches!(ask(&everything, &[], 6).await, Err(Error::TooMany { .. })));
    assert!(matches!(ask(&everything, &["fax"], 5).await, Err(Error::Query(_))));

    let without = |object: &str, scope| Scope::everything().with(name(object), scope);
    let blind = ObjectScope {
        readable: FieldAccess::Except(BTreeSet::from(["account".parse().unwrap()])),
        ..ObjectScope::everything()
    };
    for (hidden, left) in [("comment", "phone"), ("interaction", "comment")] {
        let shown = ask(&without(hidden, ObjectScope::nothing()), &[], 5).await.unwrap().items;
        assert_eq!(shown.iter().map(|item| item.kind.as_str()).collect::<Vec<_>>(), [left]);
    }
    let shown = ask(&without("interaction", blind), &[], 5).await.unwrap().items;
    assert_eq!(shown.len(), 1, "who must not read the reference cannot ask by it");
    let nobody = without("account", ObjectScope::nothing());
    assert!(matches!(ask(&nobody, &[], 5).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_comment_belongs_to_a_record_that_is_there() {
    let world = World::new().await;
    let account = world.create("account", json!({"name": "Acme"})).await.id;
    let say = async |object: &str, id: String| {
        let comment = json!({"text": "Hello", "parent_object": object, "parent_id": id});
        world.try_create("comment", comment).await
    };
    let refused = |result: Result<_, Error>| match result {
        Err(Error::Invalid(errors)) => (errors[0].field.to_string(), errors[0].code),
        other => panic!("not refused: {other:?}"),
    };
    let comment = say("account", account.to_string()).await.unwrap();
    assert_eq!(refused(say("planet", account.to_string()).await), ("parent_object".into(), "unknown_object"));
    for id in ["x".to_owned(), comment.id.to_string(), account.to_string().to_uppercase()] {
        assert_eq!(refused(say("account", id).await), ("parent_id".into(), "unknown_reference"));
    }
    world.delete("account", account).await;
    assert_eq!(refused(say("account", account.to_string()).await).1, "unknown_reference");
    world.update("comment", comment.id, json!({"text": "Changed"})).await.unwrap();
}

#[tokio::test]
async fn what_is_about_a_contact_is_about_its_account() {
    let world = World::new().await;
    let [first, second] = [json!({"name": "A"}), json!({"name": "B"})];
    let (first, second) = (world.create("account", first).await.id, world.create("account", second).await.id);
    let contact = world.create("contact", json!({"name": "Ann", "account": first.to_string()})).await.id;
    let alone = world.create("contact", json!({"name": "Bob"})).await.id;
    let account_of = async |fields: Json| {
        let task = world.create("task", fields).await;
        world.text("task", &task, "account")
    };
    let task = |about: Json| {
        let mut task = json!({"subject": "Call", "status": "open"});
        task.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
        task
    };
    assert_eq!(account_of(task(json!({"contact": contact.to_string()}))).await, first.to_string());
    assert_eq!(account_of(task(json!({"contact": alone.to_string()}))).await, "");
    let given = json!({"contact": contact.to_string(), "account": second.to_string()});
    assert_eq!(account_of(task(given)).await, second.to_string());
    world.delete("account", first).await;
    assert_eq!(account_of(task(json!({"contact": contact.to_string()}))).await, "");
}
