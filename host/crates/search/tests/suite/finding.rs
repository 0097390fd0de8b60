//! What is found, in which order, on which page.

use serde_json::json;
use trellis_model::{Filter, Scope, Sort};
use trellis_records::{Deleted, Error, Query, TextSearch, Total};
use trellis_search::Config;

use crate::support::{World, name, patient};

#[tokio::test]
async fn words_are_found_in_every_text() {
    let world = World::new().await;
    world
        .create(
            "account",
            json!({ "name": "Société Générale", "city": "Paris", "email": "info@socgen.example" }),
        )
        .await;
    world.create("account", json!({ "name": "上海公海科技有限公司", "description": "5G手机" })).await;
    world.caught_up().await;
    for text in ["societe", "GÉNÉRALE soc", "paris", "socgen", "info@socgen.example", "par", "generale paris"]
    {
        assert_eq!(world.titles(text).await, ["Société Générale"], "{text}");
    }
    for text in ["公海", "科技 公司", "海", "gh", "gonghai", "shghkj", "5g", "手机 公海", "kej", "gong ke"]
    {
        assert_eq!(world.titles(text).await, ["上海公海科技有限公司"], "{text}");
    }
    for text in ["", "...", "lyon", "paris lyon", "技科", "科技公司", "generales", "aris"] {
        assert!(world.titles(text).await.is_empty(), "{text}");
    }
}

#[tokio::test]
async fn titles_come_before_other_texts_and_whole_words_before_beginnings() {
    let world = World::new().await;
    world.create("account", json!({ "name": "Other", "city": "Acmeville" })).await;
    world.create("account", json!({ "name": "Another", "city": "Acme" })).await;
    world.account("Acme").await;
    world.account("Acmeist").await;
    world.account("Acme Holding").await;
    world.account("Acme Trading").await;
    world.caught_up().await;
    let expected = ["Acme", "Acme Trading", "Acme Holding", "Acmeist", "Another", "Other"];
    assert_eq!(world.titles("acme").await, expected);
    assert_eq!(world.listed(&Scope::everything(), "acme", "").await, expected);
}

#[tokio::test]
async fn objects_can_be_named() {
    let world = World::new().await;
    world.account("Acme").await;
    world.create("product", json!({ "name": "Acme glue" })).await;
    world.caught_up().await;
    let find = async |objects: &[&str], limit| {
        let objects: Vec<_> = objects.iter().map(|object| name(object)).collect();
        let found = world.search.find(&Scope::everything(), &objects, "acme", limit).await;
        found.map(|found| found.into_iter().map(|found| found.object.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(find(&[], 10).await.unwrap(), ["account", "product"]);
    assert_eq!(find(&["product"], 10).await.unwrap(), ["product"]);
    assert_eq!(find(&["product", "account"], 1).await.unwrap(), ["account"]);
    assert!(matches!(find(&["nothing"], 1).await, Err(Error::UnknownObject { .. })));
}

#[tokio::test]
async fn a_list_is_filtered_sorted_counted_and_paged() {
    let world = World::new().await;
    for number in 0..9 {
        let city = if number % 2 == 0 { "Lyon" } else { "Paris" };
        world.create("account", json!({ "name": format!("Acme {number}"), "city": city })).await;
    }
    world.account("Nothing").await;
    world.caught_up().await;
    let by_name = world.listed(&Scope::everything(), "acme lyon", "name").await;
    assert_eq!(by_name, ["Acme 0", "Acme 2", "Acme 4", "Acme 6", "Acme 8"]);
    for sort in ["", "-name", "name", "id"] {
        let mut query = Query {
            text: Some("acme".into()),
            filter: Filter::parse(&json!({ "field": "city", "op": "eq", "value": "Paris" })).unwrap(),
            sort: Sort::parse_list(sort).unwrap(),
            limit: 3,
            total: Total::Exact,
            ..Query::new(name("account"))
        };
        let first = world.records.list(&Scope::everything(), &query).await.unwrap();
        assert_eq!((first.records.len(), first.total, first.total_cut), (3, Some(4), false), "{sort}");
        assert_eq!(first.plan.index.as_deref(), Some("text"));
        assert_eq!(first.prev, None);
        query.after = first.next.clone();
        let second = world.records.list(&Scope::everything(), &query).await.unwrap();
        assert_eq!((second.records.len(), second.next.clone()), (1, None), "{sort}");
        assert!(!first.records.contains(&second.records[0]));
        query.after = None;
        query.before = second.prev.clone();
        let back = world.records.list(&Scope::everything(), &query).await.unwrap();
        assert_eq!(back.records, first.records, "{sort}");
        let other = Query { text: Some("acme p".into()), ..query };
        assert!(matches!(world.records.list(&Scope::everything(), &other).await, Err(Error::Query(_))));
    }
}

#[tokio::test]
async fn more_than_are_looked_at_are_not_counted_as_all() {
    let world = World::with(Config { query_hits_max: 2, ..patient() }).await;
    for number in 0..3 {
        world.account(&format!("Acme {number}")).await;
    }
    world.caught_up().await;
    let query = Query { text: Some("acme".into()), total: Total::Exact, ..Query::new(name("account")) };
    let page = world.records.list(&Scope::everything(), &query).await.unwrap();
    assert_eq!((page.records.len(), page.total, page.total_cut), (2, Some(2), true));
}

#[tokio::test]
async fn a_beginning_stands_for_so_many_words() {
    let world = World::with(Config { prefix_words_max: 2, ..patient() }).await;
    for title in ["beat", "beef", "been"] {
        world.account(title).await;
    }
    world.caught_up().await;
    let query = Query { text: Some("be".into()), total: Total::Exact, ..Query::new(name("account")) };
    let page = world.records.list(&Scope::everything(), &query).await.unwrap();
    assert_eq!((page.total, page.total_cut), (Some(2), true));
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let world = World::new().await;
    let list = async |query: Query| world.records.list(&Scope::everything(), &query).await;
    let asked = |text: &str| Query { text: Some(text.into()), ..Query::new(name("account")) };
    assert!(list(asked(&"公".repeat(200))).await.is_ok());
    let error = list(asked(&"公".repeat(201))).await.unwrap_err();
    assert_eq!(error.to_string(), "`q` has more than 200 characters");
    let error = list(Query { deleted: Deleted::Only, ..asked("acme") }).await.unwrap_err();
    assert_eq!(error.to_string(), "deleted records are not found by text");
    world.account("Acme").await;
    assert_eq!(list(asked("  ")).await.unwrap().records.len(), 1, "a blank text asks for nothing");
}
