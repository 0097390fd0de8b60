//! Nobody learns by searching what it must not read.

use serde_json::json;
use trellis_model::{FieldAccess, FieldName, Filter, ObjectScope, RowAccess, Scope};
use trellis_records::TextSearch;
use trellis_search::Config;

use crate::support::{World, name, patient};

fn fields(names: &[&str]) -> std::collections::BTreeSet<FieldName> {
    names.iter().map(|name| FieldName::new(name).unwrap()).collect()
}

fn scope(rows: RowAccess, readable: FieldAccess) -> Scope {
    let accounts = ObjectScope { rows, readable, writable: FieldAccess::All };
    Scope::nothing().with(name("account"), accounts)
}

async fn world() -> World {
    let world = World::new().await;
    let account =
        json!({ "name": "Acme", "city": "Paris", "email": "jane@hidden.example", "description": "golf" });
    world.create("account", account).await;
    world.create("product", json!({ "name": "Acme glue" })).await;
    world.caught_up().await;
    world
}

#[tokio::test]
async fn fields_that_cannot_be_read_find_nothing() {
    let world = world().await;
    let check = async |readable: FieldAccess, text: &str, expected: &[&str]| {
        let scope = scope(RowAccess::All, readable.clone());
        assert_eq!(world.titles_for(&scope, text).await, expected, "{text} with {readable:?}");
        assert_eq!(world.listed(&scope, text, "").await, expected, "{text} with {readable:?}");
    };
    let all = FieldAccess::All;
    let no_personal = || FieldAccess::Except(fields(&["email", "phone", "address"]));
    let no_email = || FieldAccess::Except(fields(&["email"]));
    let no_city = || FieldAccess::Except(fields(&["city"]));
    let title_only = || FieldAccess::Only(fields(&["name"]));
    let no_title = || FieldAccess::Except(fields(&["name"]));
    check(all, "acme hidden", &["Acme"]).await;
    check(no_personal(), "acme paris", &["Acme"]).await;
    check(no_personal(), "hidden", &[]).await;
    check(no_personal(), "acme hid", &[]).await;
    check(no_email(), "hidden", &[]).await;
    check(no_city(), "paris", &[]).await;
    check(no_city(), "golf hidden", &["Acme"]).await;
    check(title_only(), "acme", &["Acme"]).await;
    check(title_only(), "golf", &[]).await;
    check(no_title(), "acme", &[]).await;
    check(no_title(), "golf", &[""]).await;
    check(FieldAccess::Only(fields(&[])), "acme", &[]).await;
}

#[tokio::test]
async fn records_that_cannot_be_seen_are_not_found() {
    let world = world().await;
    world.create("account", json!({ "name": "Acme two", "city": "Lyon" })).await;
    world.caught_up().await;
    let lyon = Filter::parse(&json!({ "field": "city", "op": "eq", "value": "Lyon" })).unwrap();
    let lyon = scope(RowAccess::Where(lyon), FieldAccess::Only(fields(&["name"])));
    assert_eq!(world.titles_for(&lyon, "acme").await, ["Acme two"]);
    assert_eq!(world.listed(&lyon, "acme", "").await, ["Acme two"]);
    assert!(world.titles_for(&lyon, "lyon").await.is_empty());
    let nothing = scope(RowAccess::Nothing, FieldAccess::All);
    assert!(world.titles_for(&nothing, "acme").await.is_empty());
    assert!(world.listed(&nothing, "acme", "").await.is_empty());
}

#[tokio::test]
async fn what_can_be_seen_is_found_behind_much_that_cannot() {
    let world = World::new().await;
    world.create("account", json!({ "name": "Acme", "city": "Lyon" })).await;
    for number in 0..150 {
        world.account(&format!("Acme {number}")).await;
    }
    world.caught_up().await;
    let lyon = Filter::parse(&json!({ "field": "city", "op": "eq", "value": "Lyon" })).unwrap();
    let lyon = scope(RowAccess::Where(lyon), FieldAccess::All);
    assert_eq!(world.titles_for(&lyon, "acm").await, ["Acme"]);
}

#[tokio::test]
async fn a_search_reads_so_many_records() {
    let world = World::with(Config { find_reads_max: 2, ..patient() }).await;
    for number in 0..3 {
        world.account(&format!("Acme {number}")).await;
    }
    world.caught_up().await;
    let found = world.search.find(&Scope::everything(), &[], "acme", 10).await.unwrap();
    assert_eq!(found.len(), 2);
}
