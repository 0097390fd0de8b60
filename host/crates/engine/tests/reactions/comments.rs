//! Who is told of a comment: R24.

use serde_json::json;
use trellis_model::{Actor, RecordId, Via};
use trellis_records::{Caller, Error};

use crate::{
    store::Crash,
    support::{World, name, named},
};

impl World {
    async fn user(&self, user: &str) -> RecordId {
        self.create("user", json!({ "username": user, "name": user, "kind": "person" })).await.id
    }

    async fn say(&self, account: RecordId, text: &str) -> RecordId {
        let fields = json!({ "text": text, "parent_object": "account", "parent_id": account.to_string() });
        self.create("comment", fields).await.id
    }

    /// Who was told what, in the order of names.
    async fn told(&self) -> Vec<(String, String)> {
        let text =
            |value: Option<&serde_json::Value>| value.and_then(|value| value.as_str()).unwrap().to_owned();
        let mut told = Vec::new();
        for notification in self.all("notification").await {
            assert_eq!(notification["read"], json!(false));
            let user = RecordId::parse(&text(notification.get("user"))).unwrap();
            let user = self.fields("user", user).await;
            told.push((text(user.get("name")), text(notification.get("subject"))));
        }
        told.sort();
        told
    }
}

fn mention(user: RecordId) -> String {
    format!("@[you](user:{user})")
}

#[tokio::test(flavor = "multi_thread")]
async fn mentioned_users_and_followers_are_told_once() {
    let world = World::new().await;
    let (ann, bob, cem) = (world.user("Ann").await, world.user("Bob").await, world.user("Cem").await);
    let account = world.create("account", json!({ "name": "Acme" })).await.id;
    for user in [ann, bob, cem] {
        let follows =
            json!({ "parent_object": "account", "parent_id": account.to_string(), "user": user.to_string() });
        world.create("follower", follows).await;
    }
    let by_cem =
        Caller { actor: Actor::User { id: cem, via: Via::Session("s".into()) }, ..Caller::system("test") };
    let text = format!("{} please call, {}", mention(ann), mention(ann));
    let fields = json!({ "text": text, "parent_object": "account", "parent_id": account.to_string(), "author": bob.to_string() });
    let comment = world.create_by(&by_cem, "comment", fields).await.id;
    let saved = world.fields("comment", comment).await;
    assert_eq!(saved["author"], json!(cem.to_string()), "whoever writes it is the author");
    assert_eq!(saved["mentions"], json!([ann.to_string()]));
    world.settle().await;
    let told = |user: &str, subject: &str| (user.to_owned(), subject.to_owned());
    let (first, second) =
        (told("Ann", "Cem mentioned you in a comment on Acme"), told("Bob", "Cem commented on Acme"));
    assert_eq!(world.told().await, [first.clone(), second.clone()], "the author knows");

    // Who is mentioned later is told later, and nobody else again.
    let text = format!("{} and {}", mention(ann), mention(bob));
    world.update("comment", comment, json!({ "text": text })).await;
    world.update("comment", comment, json!({ "text": format!("{text}!") })).await;
    world.settle().await;
    let third = told("Bob", "Cem mentioned you in a comment on Acme");
    assert_eq!(world.told().await, [first, second, third]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_of_nobody_is_refused() {
    let world = World::new().await;
    let account = world.create("account", json!({ "name": "Acme" })).await.id;
    let text = mention(RecordId(uuid::Uuid::from_u128(5)));
    let fields = json!({ "text": text, "parent_object": "account", "parent_id": account.to_string() });
    let changes = world.records.schema().fields(&name("comment"), named(fields)).unwrap();
    let fields = changes.into_iter().filter_map(|(id, value)| Some((id, value?))).collect();
    let refused = world.records.create(&Caller::system("test"), &name("comment"), fields).await;
    let Err(Error::Invalid(errors)) = refused else { panic!("not refused: {refused:?}") };
    assert_eq!((errors[0].field.as_str(), errors[0].code), ("mentions", "unknown_reference"));
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_told_once_wherever_the_server_stops() {
    for crash in [Crash::Before, Crash::After] {
        for commits in 0..3 {
            let world = World::new().await;
            let ann = world.user("Ann").await;
            let account = world.create("account", json!({ "name": "Acme" })).await.id;
            world.settle().await;
            world.warm_up().await;
            // The next commit is the comment itself.
            world.store.stop_at(commits + 1, crash);
            world.say(account, &mention(ann)).await;
            let is_over =
                || async { world.store.has_stopped() || !world.all("notification").await.is_empty() };
            world.until("somebody is told or the store stops", is_over).await;
            let world = world.restart().await;
            world.settle().await;
            assert_eq!(world.told().await.len(), 1, "{crash:?} commit {commits}");
            world.engine.shutdown().await;
        }
    }
}
