//! Segmentations that a filter makes.

use serde_json::{Value as Json, json};
use trellis_columns::TransitionsWanted;
use trellis_engine::{Config, Error, FilterSegmentation};
use trellis_model::{Cause, RecordId, Scope, Text};
use trellis_records::Caller;

use crate::{
    customers::caller,
    store::Crash,
    support::{World, name},
};

const DAY_MS: i64 = 24 * 3_600_000;

fn wanted(filter: Json) -> FilterSegmentation {
    FilterSegmentation {
        object: name("account"),
        label: Text::new("Some", "一些"),
        description: Text::default(),
        filter,
    }
}

fn retail() -> Json {
    json!({ "field": "industry", "op": "eq", "value": "retail" })
}

impl World {
    async fn segment(&self, called: &str, filter: Json) {
        self.engine.segmentation_create(&caller(), called, wanted(filter)).await.unwrap();
    }

    async fn refused(&self, called: &str, filter: Json) -> (&'static str, String) {
        match self.engine.segmentation_create(&caller(), called, wanted(filter)).await.unwrap_err() {
            Error::InvalidSegmentation { field, reason } => (field, reason.en),
            error => ("", error.to_string()),
        }
    }

    async fn company(&self, industry: &str) -> RecordId {
        self.create("account", json!({ "name": "Somebody", "industry": industry })).await.id
    }

    async fn is_in(&self, called: &str, account: RecordId) -> bool {
        let record = self.records.get_deleted_too(&Scope::everything(), &name("account"), account).await;
        let ordinal = record.unwrap().unwrap().ordinal.unwrap();
        self.columns.value_of(&Scope::everything(), called, ordinal).as_deref() == Some("member")
    }

    async fn comes(&self, called: &str, account: RecordId) {
        self.until("a customer becomes a member", || self.is_in(called, account)).await;
    }

    async fn goes(&self, called: &str, account: RecordId) {
        self.until("a customer is a member no more", || async { !self.is_in(called, account).await }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_follow_everything_that_a_filter_reads() {
    let world = World::new().await;
    let there = world.company("retail").await;
    world.segment("shops", retail()).await;
    assert!(world.is_in("shops", there).await, "at once");
    let info = world.columns.segmentation("shops").unwrap();
    assert_eq!((info.counts[0].count, info.null_count, info.stale), (1, 0, false));

    let later = world.company("retail").await;
    world.comes("shops", later).await;
    world.update("account", later, json!({ "industry": "bank" })).await;
    world.goes("shops", later).await;
    world.update("account", later, json!({ "industry": "retail" })).await;
    world.comes("shops", later).await;
    world.records.delete(&caller(), &name("account"), later, None).await.unwrap();
    world.goes("shops", later).await;

    // Records that refer to it, and what is counted of them in a field.
    world.segment("buyers", json!({ "related": "orders", "count": { "gte": 2 } })).await;
    world.segment("in_talks", json!({ "field": "open_opportunities", "op": "gte", "value": 1 })).await;
    world.order(there, "2026-11-01", "10.00").await;
    world.order(there, "2026-11-02", "10.00").await;
    world.comes("buyers", there).await;
    let order = world.all_ids("order").await[0];
    world.records.delete(&caller(), &name("order"), order, None).await.unwrap();
    world.goes("buyers", there).await;
    let deal = json!({ "name": "Deal", "account": there.to_string(), "stage": "prospecting" });
    world.create("opportunity", deal).await;
    world.comes("in_talks", there).await;

    // What lies behind a reference.
    world.segment("of_group", json!({ "field": "parent.industry", "op": "eq", "value": "holding" })).await;
    let parent = world.company("bank").await;
    world.update("account", there, json!({ "parent": parent.to_string() })).await;
    world.update("account", parent, json!({ "industry": "holding" })).await;
    world.comes("of_group", there).await;

    // Other segmentations.
    let both = json!({ "and": [
        { "field": "segment.shops", "op": "eq", "value": "member" },
        { "field": "segment.buyers", "op": "null", "value": true },
    ]});
    world.segment("shops_that_do_not_buy", both).await;
    assert!(world.is_in("shops_that_do_not_buy", there).await);
    world.order(there, "2026-11-03", "10.00").await;
    world.goes("shops_that_do_not_buy", there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_is_news_and_who_was_there_first_is_none() {
    let world = World::new().await;
    world.company("retail").await;
    world.segment("shops", retail()).await;
    let call = r#"if entered("member") { create_task(#{ subject: "Welcome", account: record.id }); }"#;
    world.rule("account", "transition", call, json!({ "watches": "segment.shops" })).await;
    world.engine.segmentation_replace(&caller(), "shops", wanted(retail())).await.unwrap();
    world.settle().await;
    assert_eq!(world.all("task").await, [], "they were there before");

    let new = world.company("retail").await;
    world.until("the rule welcomes", || async { !world.all("task").await.is_empty() }).await;
    assert_eq!(world.all("task").await[0]["account"], json!(new.to_string()));

    // What an import changes silently is silent here, too, also where the server stopped between.
    let cause = Cause { automations_off: true, ..Cause::default() };
    let silent = Caller { cause, ..caller() };
    let quiet = json!({ "name": "Quiet", "industry": "retail" });
    let first = world.create_by(&silent, "account", quiet.clone()).await.id;
    world.comes("shops", first).await;
    let world =
        world.restart_after(async |world| drop(world.create_by(&silent, "account", quiet).await)).await;
    let second = *world.all_ids("account").await.iter().max().unwrap();
    world.comes("shops", second).await;
    world.settle().await;
    assert_eq!(world.all("task").await.len(), 1);
    let changed = world.events("segment.changed").await.len();
    assert_eq!(changed, 3, "the loud one and the two silent ones");

    // Another filter is no news of anybody.
    let other = json!({ "field": "industry", "op": "eq", "value": "bank" });
    world.engine.segmentation_replace(&caller(), "shops", wanted(other)).await.unwrap();
    assert!(!world.is_in("shops", new).await);
    world.settle().await;
    assert_eq!(world.events("segment.changed").await.len(), changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_through_a_filter_ends() {
    let world = World::new().await;
    let away = r#"if entered("member") { set_fields(#{ industry: "bank" }); }"#;
    let back = r#"if left("member") { set_fields(#{ industry: "retail" }); }"#;
    world.segment("shops", retail()).await;
    world.rule("account", "transition", away, json!({ "watches": "segment.shops" })).await;
    world.rule("account", "transition", back, json!({ "watches": "segment.shops" })).await;
    world.company("retail").await;
    world.until("it stops", || async { !world.events("reaction.stopped").await.is_empty() }).await;
    world.settle().await;
    assert_eq!(world.events("reaction.stopped").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_day_makes_members_and_is_compared_with_the_day_before() {
    let world = World::new().await;
    let old = json!({ "field": "created_at", "op": "lt", "value": "today" });
    let account = world.company("bank").await;
    world.segment("known", old).await;
    assert!(!world.is_in("known", account).await);
    let moved = async || {
        let (scope, all) = (Scope::everything(), TransitionsWanted::default());
        let page = world.columns.transitions_of(&scope, "known", all, None, 10).await.unwrap();
        page.transitions.iter().map(|one| (one.before.clone(), one.value.clone())).collect::<Vec<_>>()
    };
    assert_eq!(moved().await, []);
    world.clock.advance_ms(DAY_MS);
    world.comes("known", account).await;
    assert_eq!(moved().await, [(None, Some("member".to_owned()))]);
    let came = TransitionsWanted { entered: None, left: Some(None) };
    let page = world.columns.transitions_of(&Scope::everything(), "known", came, None, 10).await.unwrap();
    assert_eq!(page.transitions.len(), 1, "who had no value before can be asked for");
    assert_eq!(world.events("segment.changed").await.len(), 1, "it is news");
    world.clock.advance_ms(DAY_MS);
    world.until("nobody moved since yesterday", || async { moved().await.is_empty() }).await;
    assert!(world.is_in("known", account).await);
    assert!(world.columns.segmentation("known").unwrap().kept.len() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_and_named() {
    let world = World::with(Config { filter_segmentations_max: 3, ..Config::default() }).await;
    let check = async |called: &str, filter: Json, field: &str, says: &str| {
        let (of, reason) = world.refused(called, filter).await;
        assert!(of == field && reason.contains(says), "{of}: {reason}");
    };
    check("Shops", retail(), "name", "not a valid").await;
    check("plug__in", retail(), "name", "`plug__in`").await;
    check("audience_1", retail(), "name", "`audience_`").await;
    check("shops", json!({ "field": "nothing", "op": "eq", "value": 1 }), "filter", "nothing").await;
    check("shops", json!([]), "filter", "expected an object").await;
    let itself =
        |called: &str| json!({ "field": format!("segment.{called}"), "op": "eq", "value": "member" });
    check("shops", itself("shops"), "filter", "shops").await;
    world.segment("one", retail()).await;
    world.segment("two", itself("one")).await;
    check("one", retail(), "", "one").await;
    let circle = world.engine.segmentation_replace(&caller(), "one", wanted(itself("two"))).await;
    assert!(circle.unwrap_err().to_string().contains("reads itself, through `two`"));
    let other = FilterSegmentation { object: name("contact"), ..wanted(retail()) };
    let other = world.engine.segmentation_replace(&caller(), "one", other).await.unwrap_err();
    assert!(other.to_string().contains("cannot change"), "{other}");
    let unlabelled = FilterSegmentation { label: Text::default(), ..wanted(retail()) };
    let unlabelled = world.engine.segmentation_create(&caller(), "three", unlabelled).await.unwrap_err();
    assert!(unlabelled.to_string().contains("label"), "{unlabelled}");
    world.segment("three", retail()).await;
    check("four", retail(), "filter", "engine.filter_segmentations_max").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_named_stays_and_one_that_is_removed_leaves_nothing() {
    let world = World::new().await;
    let shop = world.company("retail").await;
    world.segment("shops", retail()).await;
    let reads = json!({ "field": "segment.shops", "op": "eq", "value": "member" });
    world.segment("good_shops", reads.clone()).await;
    let view = json!({ "name": "Shops only", "object": "account", "filter": reads });
    let view = world.create("view", view).await.id;
    let named = world.engine.segmentation_remove(&caller(), "shops").await.unwrap_err();
    assert!(matches!(named, Error::SegmentationInUse { .. }), "{named}");
    assert!(named.to_string().contains("segmentation `good_shops`, view `Shops only`"), "{named}");
    world.engine.segmentation_remove(&caller(), "good_shops").await.unwrap();
    world.records.delete(&caller(), &name("view"), view, None).await.unwrap();
    world.engine.segmentation_remove(&caller(), "shops").await.unwrap();
    assert!(world.columns.segmentation("shops").is_none());
    assert_eq!(world.all("segment").await, []);

    let world = world.restart().await;
    assert!(world.columns.segmentations().is_empty());
    world.segment("shops", retail()).await;
    assert!(world.is_in("shops", shop).await, "its name is free again");
    assert_eq!(world.all("segment").await.len(), 1);
    assert!(world.columns.check().await.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn why_somebody_is_a_member_is_said_by_condition() {
    let world = World::new().await;
    let parent = world.create("account", json!({ "name": "Mother", "industry": "bank" })).await.id;
    let account = world.company("retail").await;
    let other = world.company("bank").await;
    world.update("account", account, json!({ "parent": other.to_string() })).await;
    let filter = json!({ "and": [
        { "or": [retail(), { "field": "industry", "op": "eq", "value": "bank" }] },
        { "not": { "field": "parent", "op": "eq", "value": parent.to_string() } },
        { "related": "orders", "where": { "field": "amount", "op": "gte", "value": 10 }, "count": { "lt": 1 } },
        { "field": "created_at", "op": "gte", "value": "last_n_days:30" },
        { "field": "city", "op": "null", "value": true },
    ]});
    world.segment("some", filter).await;
    let reasons = async || {
        let explained = world.engine.explain(&caller(), "some", account).await.unwrap();
        let texts =
            explained.reasons.iter().map(|reason| (reason.text.en.clone(), reason.text.zh_cn.clone()));
        (explained.value, texts.collect::<Vec<_>>())
    };
    let (value, found) = reasons().await;
    assert_eq!(value.as_deref(), Some("member"));
    let expected = [
        ("Industry is retail", "行业 为 retail"),
        ("not (Parent account is Mother)", "不满足（上级客户 为 Mother）"),
        (
            "number of Orders where Amount is at least 10 is below 1",
            "订单（订单金额 不低于 10）的数量 小于 1",
        ),
        ("Created is not before the last 30 days", "创建时间 不早于 最近 30 天"),
        ("City is empty", "城市为空"),
    ];
    let expected = expected.map(|(en, zh)| (en.to_owned(), zh.to_owned()));
    assert_eq!(found, expected);
    world.update("account", account, json!({ "city": "Berlin" })).await;
    world.goes("some", account).await;
    let (value, found) = reasons().await;
    assert_eq!((value, found[0].0.as_str()), (None, "does not hold: City is empty"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_anywhere_loses_no_member() {
    for writes in 1..=12 {
        let world = World::new().await;
        world.warm_up().await;
        let first = world.company("retail").await;
        let second = world.company("bank").await;
        world.store.stop_at(writes, Crash::After);
        let engine = world.engine.clone();
        let making =
            tokio::spawn(
                async move { engine.segmentation_create(&caller(), "shops", wanted(retail())).await },
            );
        let _ = tokio::time::timeout(std::time::Duration::from_secs(5), making).await;
        let world = world.restart().await;
        if world.columns.segmentation("shops").is_none() {
            world.segment("shops", retail()).await;
        }
        world.comes("shops", first).await;
        world.update("account", second, json!({ "industry": "retail" })).await;
        world.comes("shops", second).await;
        assert_eq!(world.all("segment").await.len(), 1, "stopped at {writes}");
        assert!(world.columns.check().await.unwrap().is_clean());
    }
}
