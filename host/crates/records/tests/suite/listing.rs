use serde_json::{Value as Json, json};
use trellis_model::{Scope, Sort};
use trellis_records::{Config, Cursor, Deleted, Limits, Query, RecordPage, Total};

use crate::support::World;

/// Four accounts with what a filter may find: cities with a null, a reference, orders.
async fn world() -> World {
    let world = World::new().await;
    let ann = world
        .create("user", json!({"username": "ann", "name": "Ann", "kind": "person", "active": true}))
        .await;
    let bob = world
        .create("user", json!({"username": "bob", "name": "Bob", "kind": "person", "active": false}))
        .await;
    let account = |name: &str, city: Option<&str>, owner: Option<&str>| json!({"name": name, "city": city, "owner": owner});
    let (ann, bob) = (ann.id.to_string(), bob.id.to_string());
    let a1 = world.create("account", account("Delta", Some("Oslo"), Some(&ann))).await;
    let a2 = world.create("account", account("Alpha", Some("Bergen"), Some(&bob))).await;
    world.create("account", account("Charlie", None, Some(&ann))).await;
    world.create("account", account("Bravo", Some("oslo"), None)).await;
    world.order(a1.id, "2026-01-01", "10.50", 1.0).await;
    world.order(a1.id, "2026-02-01", "20.25", 2.0).await;
    world.order(a2.id, "2026-02-02", "5", 1.0).await;
    world
}

async fn check(world: &World, filter: Json, expected: &[&str]) {
    assert_eq!(world.names("account", filter.clone(), "name").await, expected, "{filter}");
    assert_eq!(world.count("account", filter.clone()).await, expected.len() as u64, "count of {filter}");
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let world = world().await;
    let all = ["Alpha", "Bravo", "Charlie", "Delta"];
    let field = |field: &str, op: &str, value: Json| json!({"field": field, "op": op, "value": value});
    check(&world, json!({"and": []}), &all).await;
    check(&world, json!({"or": []}), &[]).await;
    check(&world, field("name", "eq", json!("Alpha")), &["Alpha"]).await;
    check(&world, field("name", "gt", json!("Bravo")), &["Charlie", "Delta"]).await;
    check(&world, field("name", "gte", json!("Bravo")), &["Bravo", "Charlie", "Delta"]).await;
    check(&world, field("name", "lt", json!("Bravo")), &["Alpha"]).await;
    check(&world, field("name", "between", json!(["Bravo", "Charlie"])), &["Bravo", "Charlie"]).await;
    check(&world, field("name", "in", json!(["Alpha", "Zulu"])), &["Alpha"]).await;
    check(&world, field("name", "contains", json!("A")), &all).await;
    check(&world, field("name", "starts", json!("cha")), &["Charlie"]).await;
    check(&world, field("name", "ends", json!("LPHA")), &["Alpha"]).await;
    check(&world, field("city", "eq", json!("Oslo")), &["Delta"]).await;
    check(&world, field("account_type", "null", json!(true)), &all).await;
    check(&world, field("owner.name", "eq", json!("Ann")), &["Charlie", "Delta"]).await;
    check(&world, field("owner.active", "eq", json!(false)), &["Alpha"]).await;
    check(&world, field("owner", "null", json!(true)), &["Bravo"]).await;
    check(&world, field("owner.name", "null", json!(true)), &["Bravo"]).await;
    check(&world, field("created_at", "gt", json!("2000-01-01")), &all).await;
    check(&world, field("created_at", "lt", json!("2000-01-01T00:00:00Z")), &[]).await;
    check(&world, json!({"related": "orders"}), &["Alpha", "Delta"]).await;
    check(&world, json!({"related": "orders", "count": {"eq": 0}}), &["Bravo", "Charlie"]).await;
    check(&world, json!({"related": "orders", "count": {"gte": 2}}), &["Delta"]).await;
    check(
        &world,
        json!({"related": "orders", "where": field("ordered_on", "gte", json!("2026-02-01"))}),
        &["Alpha", "Delta"],
    )
    .await;
    check(&world, json!({"related": "orders", "sum": {"field": "amount", "gte": 30.75}}), &["Delta"]).await;
    check(
        &world,
        json!({"related": "orders", "sum": {"field": "quantity", "lt": 2}}),
        &["Alpha", "Bravo", "Charlie"],
    )
    .await;
}

#[tokio::test]
async fn nulls_are_neither_equal_nor_different() {
    let world = world().await;
    let city = |op: &str, value: Json| json!({"field": "city", "op": op, "value": value});
    check(&world, city("ne", json!("Oslo")), &["Alpha", "Bravo"]).await;
    check(&world, json!({"not": city("eq", json!("Oslo"))}), &["Alpha", "Bravo"]).await;
    check(&world, city("nin", json!(["Oslo"])), &["Alpha", "Bravo"]).await;
    check(&world, city("in", json!(["Oslo", null])), &["Delta"]).await;
    check(&world, city("nin", json!(["Oslo", null])), &[]).await;
    check(&world, city("eq", Json::Null), &[]).await;
    check(&world, json!({"not": city("eq", Json::Null)}), &[]).await;
    check(&world, city("null", json!(true)), &["Charlie"]).await;
    check(&world, city("null", json!(false)), &["Alpha", "Bravo", "Delta"]).await;
    check(
        &world,
        json!({"or": [city("eq", json!("Oslo")), city("null", json!(true))]}),
        &["Charlie", "Delta"],
    )
    .await;
    check(&world, json!({"and": [{"not": city("starts", json!("o"))}]}), &["Alpha"]).await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_named() {
    let world = world().await;
    let check = async |filter: Json, sort: &str, message: &str| {
        let query = world.query("account", filter, sort);
        assert_eq!(world.records.list(&Scope::everything(), &query).await.unwrap_err().to_string(), message);
    };
    check(json!({"field": "nam", "op": "eq", "value": "x"}), "", "account has no field `nam`").await;
    check(json!({"field": "owner.nam", "op": "eq", "value": "x"}), "", "user has no field `owner.nam`").await;
    check(json!({"related": "segments"}), "", "account has no field `segments`").await;
    check(json!({"and": []}), "owner.name", "accounts cannot be sorted by `owner.name`").await;
    check(
        json!({"field": "kind", "op": "eq", "value": "god"}),
        "",
        "filter on `kind`: `god` is not one of the options person, company",
    )
    .await;
    check(
        json!({"field": "owner", "op": "contains", "value": "x"}),
        "",
        "filter on `owner`: `contains` does not apply to this kind of field",
    )
    .await;
    check(
        json!({"field": "created_at", "op": "gt", "value": "2026-13-01"}),
        "",
        "filter on `created_at`: `2026-13-01` is not a time (RFC 3339)",
    )
    .await;
    check(
        json!({"field": "created_at", "op": "gt", "value": "last_fortnight"}),
        "",
        "filter on `created_at`: `last_fortnight` is neither a day nor relative to one, such as `today`, \
         `last_month`, `this_quarter`, `last_n_days:30`",
    )
    .await;
}

#[tokio::test]
async fn results_are_sorted_with_nulls_first_and_the_id_last() {
    let world = world().await;
    let check = async |sort: &str, expected: [&str; 4]| {
        assert_eq!(world.names("account", json!({"and": []}), sort).await, expected, "{sort}")
    };
    check("", ["Delta", "Alpha", "Charlie", "Bravo"]).await;
    check("-created_at", ["Bravo", "Charlie", "Alpha", "Delta"]).await;
    check("name", ["Alpha", "Bravo", "Charlie", "Delta"]).await;
    check("-name", ["Delta", "Charlie", "Bravo", "Alpha"]).await;
    check("city", ["Charlie", "Alpha", "Delta", "Bravo"]).await;
    check("-city", ["Bravo", "Delta", "Alpha", "Charlie"]).await;
    check("account_type", ["Delta", "Alpha", "Charlie", "Bravo"]).await;
    check("-account_type", ["Bravo", "Charlie", "Alpha", "Delta"]).await;
    check("owner,-name", ["Bravo", "Delta", "Charlie", "Alpha"]).await;
}

#[tokio::test]
async fn plans_name_their_index() {
    let world = world().await;
    let owner = world
        .records
        .find_by(
            &Scope::everything(),
            &crate::support::name("user"),
            &"username".parse().unwrap(),
            &trellis_model::Value::Text("ann".into()),
        )
        .await
        .unwrap()
        .unwrap();
    let owned = json!({"field": "owner", "op": "eq", "value": owner.id.to_string()});
    let check = async |object: &str, filter: Json, sort: &str, index: Option<&str>, rows: usize| {
        let page = world.list(object, filter.clone(), sort).await;
        assert_eq!((page.plan.index.as_deref(), page.plan.rows_read), (index, rows), "{filter} {sort}");
    };
    check("account", owned.clone(), "name", Some("owner, name"), 2).await;
    check("account", owned.clone(), "", Some("owner, name"), 2).await;
    check("account", owned, "-updated_at", Some("owner, name"), 2).await;
    check("account", json!({"and": []}), "-name", Some("name"), 4).await;
    check("account", json!({"and": []}), "updated_at", Some("updated_at"), 4).await;
    check("account", json!({"and": []}), "", None, 4).await;
    check("account", json!({"field": "city", "op": "eq", "value": "Oslo"}), "name", Some("name"), 4).await;
    check("account", json!({"field": "name", "op": "gt", "value": "B"}), "name", Some("name"), 3).await;
    check(
        "order",
        json!({"field": "ordered_on", "op": "between", "value": ["2026-02-01", "2026-02-28"]}),
        "-ordered_on",
        Some("ordered_on"),
        2,
    )
    .await;
    check(
        "order",
        json!({"field": "ordered_on", "op": "gte", "value": "2026-02-01"}),
        "amount",
        Some("ordered_on"),
        2,
    )
    .await;
    check("user", json!({"field": "username", "op": "eq", "value": "ann"}), "name", Some("id"), 1).await;
}

/// Follows `next` to the end, then `prev` back to the start; both ways must show the same records.
async fn both_ways(world: &World, query: Query, limit: usize) -> Vec<String> {
    let id = |page: &RecordPage| page.records.iter().map(|record| record.id.to_string()).collect::<Vec<_>>();
    let scope = Scope::everything();
    let mut query = Query { limit, ..query };
    let (mut forward, mut pages): (Vec<String>, Vec<Vec<String>>) = (Vec::new(), Vec::new());
    let mut page = world.records.list(&scope, &query).await.unwrap();
    assert_eq!(page.prev, None);
    loop {
        forward.extend(id(&page));
        pages.push(id(&page));
        let Some(next) = page.next.clone() else { break };
        query.after = Some(Cursor::parse(&next.to_string()).unwrap());
        page = world.records.list(&scope, &query).await.unwrap();
    }
    query.after = None;
    for expected in pages.iter().rev().skip(1) {
        query.before = Some(page.prev.clone().unwrap());
        page = world.records.list(&scope, &query).await.unwrap();
        assert_eq!(id(&page), *expected);
    }
    forward
}

#[tokio::test]
async fn pages_forward_and_backward_show_every_record_once() {
    let world = World::new().await;
    for n in 0..23 {
        let city = ["Oslo", "Bergen"].get(n % 3).map(|city| (*city).to_owned());
        world.create("account", json!({"name": format!("n{}", n % 5), "city": city, "country": "NO"})).await;
    }
    let country = json!({"field": "country", "op": "eq", "value": "NO"});
    for filter in [json!({"and": []}), country, json!({"field": "city", "op": "null", "value": false})] {
        for sort in
            ["", "-id", "name", "-name", "city", "-city", "city,-name", "-updated_at", "country", "-country"]
        {
            let query = world.query("account", filter.clone(), sort);
            let page = world.list("account", filter.clone(), sort).await;
            let whole: Vec<String> = page.records.iter().map(|record| record.id.to_string()).collect();
            for limit in [1, 4, 23, 50] {
                assert_eq!(both_ways(&world, query.clone(), limit).await, whole, "{filter} {sort} {limit}");
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_query_is_refused() {
    let world = world().await;
    let query = Query { limit: 1, ..world.query("account", json!({"and": []}), "name") };
    let next = world.records.list(&Scope::everything(), &query).await.unwrap().next;
    let other = Query { after: next.clone(), sort: Sort::parse_list("-name").unwrap(), ..query.clone() };
    assert_eq!(
        world.records.list(&Scope::everything(), &other).await.unwrap_err().to_string(),
        "the cursor is of another query"
    );
    let both = Query { after: next.clone(), before: next, ..query };
    assert_eq!(world.records.list(&Scope::everything(), &both).await.unwrap_err().code(), "invalid_query");
}

#[tokio::test]
async fn a_walk_stops_at_its_limit_says_so_and_goes_on() {
    let limits = Limits { scan_rows_max: 5, gather_rows_max: 2, ..Limits::default() };
    let world = World::with(Config { limits, ..Config::default() }).await;
    for n in 0..12 {
        world
            .create(
                "account",
                json!({"name": format!("n{n:02}"), "city": if n == 11 { "Oslo" } else { "Rome" }}),
            )
            .await;
    }
    let mut query = world.query("account", json!({"field": "city", "op": "eq", "value": "Oslo"}), "name");
    let mut pages = Vec::new();
    loop {
        let page = world.records.list(&Scope::everything(), &query).await.unwrap();
        pages.push((page.records.len(), page.plan.budget_spent));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(pages, [(0, true), (0, true), (1, false)]);
    let error = world
        .records
        .list(&Scope::everything(), &world.query("account", json!({"and": []}), "city"))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "accounts cannot be sorted so: there is no index for it, and more than 5 to look at"
    );
}

#[tokio::test]
async fn deleted_records_are_listed_apart_and_totals_are_exact() {
    let world = world().await;
    let gone = world
        .list("account", json!({"field": "name", "op": "eq", "value": "Bravo"}), "")
        .await
        .records
        .remove(0);
    world.delete("account", gone.id).await;
    check(&world, json!({"and": []}), &["Alpha", "Charlie", "Delta"]).await;
    let deleted = Query {
        deleted: Deleted::Only,
        total: Total::Exact,
        ..world.query("account", json!({"and": []}), "name")
    };
    let page = world.records.list(&Scope::everything(), &deleted).await.unwrap();
    assert_eq!((page.records.len(), page.total), (1, Some(1)));
    assert_eq!(page.records[0].id, gone.id);
    let some = Query { limit: 1, total: Total::Exact, ..world.query("account", json!({"and": []}), "name") };
    assert_eq!(world.records.list(&Scope::everything(), &some).await.unwrap().total, Some(3));
}
