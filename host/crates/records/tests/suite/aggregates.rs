//! Groups and what is reckoned over them.

use serde_json::{Value as Json, json};
use trellis_model::{Bucket, FieldAccess, Filter, ObjectScope, Path, RowAccess, Scope, Sort, Value};
use trellis_records::{Aggregated, Aggregation, Config, Error, Function, GroupBy, Limits, Measure};

use crate::support::{World, name};

async fn world_with(config: Config) -> World {
    let world = World::with(config).await;
    let ann = json!({"username": "ann", "name": "Ann", "kind": "person", "active": true});
    let ann = world.create("user", ann).await.id.to_string();
    let oslo = json!({"name": "Delta", "city": "Oslo", "owner": ann});
    let oslo = world.create("account", oslo).await.id;
    let bergen = world.create("account", json!({"name": "Alpha", "city": "Bergen"})).await.id;
    for (account, day, amount, quantity) in [
        (oslo, "2026-01-01", "10.10", 1.0),
        (oslo, "2026-01-31", "20.20", 2.5),
        (oslo, "2026-02-01", "30.30", 3.0),
        (bergen, "2026-03-31", "0.40", 4.0),
        (bergen, "2026-04-01", "5", 5.0),
    ] {
        world.order(account, day, amount, quantity).await;
    }
    world
}

async fn world() -> World {
    world_with(Config::default()).await
}

fn all(object: &str) -> Aggregation {
    Aggregation {
        object: name(object),
        filter: Filter::everything(),
        group_by: Vec::new(),
        measures: Vec::new(),
        having: None,
        sort: Vec::new(),
        limit: 100,
    }
}

fn by(path: &str, bucket: Option<Bucket>) -> GroupBy {
    GroupBy { name: None, path: Path::parse(path).unwrap(), bucket }
}

fn measure(function: Function, path: &str) -> Measure {
    let path = (!path.is_empty()).then(|| Path::parse(path).unwrap());
    Measure { name: None, function, path, filter: None }
}

fn filter(json: Json) -> Filter {
    Filter::parse(&json).unwrap()
}

/// The groups as `[keys…, values…, count]`.
fn rows(result: &Aggregated) -> Json {
    let value = |value: &Option<Value>| match value {
        Some(Value::Money(money)) => json!(money.amount.normalize().to_string()),
        Some(value) => value.to_json(),
        None => Json::Null,
    };
    let row = |group: &trellis_records::Group| -> Json {
        group.keys.iter().chain(&group.values).map(value).chain([json!(group.count)]).collect()
    };
    result.groups.iter().map(row).collect()
}

async fn check(world: &World, aggregation: Aggregation, expected: Json) -> Aggregated {
    let result = world.records.aggregate(&Scope::everything(), &aggregation).await.unwrap();
    assert_eq!(rows(&result), expected, "{aggregation:?}");
    result
}

#[tokio::test]
async fn every_function_reckons_over_the_matches() {
    let world = world().await;
    let measures = vec![
        measure(Function::Count, ""),
        measure(Function::Count, "external_id"),
        measure(Function::CountDistinct, "account"),
        measure(Function::Sum, "amount"),
        measure(Function::Avg, "amount"),
        measure(Function::Min, "ordered_on"),
        measure(Function::Max, "amount"),
        measure(Function::Median, "amount"),
        measure(Function::Percentile(0.9), "quantity"),
    ];
    let expected = json!([[5, 0, 2, "66", "13.2", "2026-01-01", "30.3", "10.1", 4.6, 5]]);
    let result = check(&world, Aggregation { measures: measures.clone(), ..all("order") }, expected).await;
    let names: Vec<&str> = result.values.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names[2..5], ["count_distinct_account", "sum_amount", "avg_amount"]);
    let nothing = filter(json!({"field": "quantity", "op": "gt", "value": 9}));
    let expected = json!([[0, 0, 0, "0", null, null, null, null, null, 0]]);
    check(&world, Aggregation { filter: nothing, measures, ..all("order") }, expected).await;
}

#[tokio::test]
async fn groups_follow_references_and_the_calendar() {
    let world = world().await;
    let sum = vec![measure(Function::Sum, "amount")];
    let of = |group_by: Vec<GroupBy>| Aggregation { group_by, measures: sum.clone(), ..all("order") };
    let cities = json!([["Bergen", "5.4", 2], ["Oslo", "60.6", 3]]);
    check(&world, of(vec![by("account.city", None)]), cities).await;
    let owners = json!([[null, "5.4", 2], ["Ann", "60.6", 3]]);
    check(&world, of(vec![by("account.owner.name", None)]), owners).await;
    let quarters = json!([["2026-01-01", "61", 4], ["2026-04-01", "5", 1]]);
    check(&world, of(vec![by("ordered_on", Some(Bucket::Quarter))]), quarters).await;
    let both = json!([
        ["Bergen", "2026-03-01", "0.4", 1],
        ["Bergen", "2026-04-01", "5", 1],
        ["Oslo", "2026-01-01", "30.3", 2],
        ["Oslo", "2026-02-01", "30.3", 1],
    ]);
    let city_and_month = vec![by("account.city", None), by("ordered_on", Some(Bucket::Month))];
    check(&world, of(city_and_month), both).await;
    let weeks = json!([["2025-12-29", "10.1", 1], ["2026-01-26", "50.5", 2], ["2026-03-30", "5.4", 2]]);
    check(&world, of(vec![by("ordered_on", Some(Bucket::Week))]), weeks).await;
}

#[tokio::test]
async fn groups_are_kept_sorted_and_cut_by_their_results() {
    let world = world().await;
    let won = filter(json!({"field": "amount", "op": "gte", "value": 10}));
    let large = Measure { name: Some("large".into()), filter: Some(won), ..measure(Function::Count, "") };
    let by_month = Aggregation {
        group_by: vec![by("ordered_on", Some(Bucket::Month))],
        measures: vec![measure(Function::Sum, "amount"), large],
        having: Some(filter(json!({"and": [
            {"field": "sum_amount", "op": "gte", "value": 5}, {"field": "ordered_on", "op": "gte", "value": "2026-01-01"},
        ]}))),
        sort: Sort::parse_list("-sum_amount,-ordered_on").unwrap(),
        limit: 2,
        ..all("order")
    };
    let expected = json!([["2026-02-01", "30.3", 1, 1], ["2026-01-01", "30.3", 2, 2]]);
    let result = check(&world, by_month.clone(), expected).await;
    assert_eq!((result.total_groups, result.rows_read), (3, 5));
    let by_count = Aggregation {
        having: Some(filter(json!({"field": "count", "op": "eq", "value": 1}))),
        sort: Sort::parse_list("count,large").unwrap(),
        ..by_month
    };
    let expected = json!([["2026-03-01", "0.4", 0, 1], ["2026-04-01", "5", 0, 1]]);
    check(&world, by_count, expected).await;
}

#[tokio::test]
async fn an_index_narrows_what_is_looked_at() {
    let world = world().await;
    let page = world.list("account", json!({"field": "name", "op": "eq", "value": "Alpha"}), "").await;
    let filter = filter(json!({"field": "account", "op": "eq", "value": page.records[0].id.to_string()}));
    let measures = vec![measure(Function::Sum, "quantity")];
    let result = check(&world, Aggregation { filter, measures, ..all("order") }, json!([[9.0, 2]])).await;
    assert_eq!(result.rows_read, 2);
}

#[tokio::test]
async fn what_a_scope_does_not_show_counts_nothing() {
    let world = world().await;
    let rows_of = |filter: Json| RowAccess::Where(Filter::parse(&filter).unwrap());
    let oslo = rows_of(json!({"field": "city", "op": "eq", "value": "Oslo"}));
    let accounts = ObjectScope { rows: oslo, ..ObjectScope::everything() };
    let scope = Scope::everything().with(name("account"), accounts);
    let group_by = vec![by("account.city", None)];
    let result = world.records.aggregate(&scope, &Aggregation { group_by, ..all("order") }).await.unwrap();
    assert_eq!(rows(&result), json!([[null, 2], ["Oslo", 3]]), "an account out of scope is not there");
    let hidden = FieldAccess::Except([trellis_model::FieldName::new("amount").unwrap()].into());
    let orders = ObjectScope { readable: hidden, ..ObjectScope::everything() };
    let scope = Scope::everything().with(name("order"), orders);
    let sum = Aggregation { measures: vec![measure(Function::Sum, "amount")], ..all("order") };
    let error = world.records.aggregate(&scope, &sum).await.unwrap_err();
    assert_eq!(error.to_string(), "order has no field `amount`");
    let result = world.records.aggregate(&Scope::nothing(), &all("order")).await.unwrap();
    assert_eq!(rows(&result), json!([[0]]));
}

#[tokio::test]
async fn what_cannot_be_reckoned_is_named() {
    let world = world().await;
    let check = async |aggregation: Aggregation, expected: &str| {
        let error = world.records.aggregate(&Scope::everything(), &aggregation).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    let measures = |measure: Measure| Aggregation { measures: vec![measure], ..all("order") };
    let groups = |group_by: Vec<GroupBy>| Aggregation { group_by, ..all("order") };
    check(measures(measure(Function::Sum, "ordered_on")), "`sum` does not apply to `ordered_on`").await;
    check(measures(measure(Function::Sum, "")), "`sum` needs a field").await;
    check(measures(measure(Function::Max, "colour")), "order has no field `colour`").await;
    check(
        measures(measure(Function::Percentile(90.0), "quantity")),
        "a percentile is a share from 0 to 1, such as 0.9",
    )
    .await;
    check(
        groups(vec![by("quantity", Some(Bucket::Month))]),
        "`quantity` cannot be grouped by month: it is neither a date nor a time",
    )
    .await;
    check(
        groups(vec![by("ordered_on", Some(Bucket::Month)), by("ordered_on", Some(Bucket::Year))]),
        "two results are called `ordered_on`: name one of them with `as`",
    )
    .await;
    let having = Some(filter(json!({"field": "amount", "op": "gt", "value": 1})));
    check(Aggregation { having, ..all("order") }, "there is no result `amount`; there are count").await;
}

#[tokio::test]
async fn every_limit_is_reached_and_named() {
    let check = async |limits: Limits, aggregation: Aggregation, what: &str| {
        let world = world_with(Config { limits, ..Config::default() }).await;
        let error = world.records.aggregate(&Scope::everything(), &aggregation).await.unwrap_err();
        let Error::TooMany { what: found, .. } = &error else { panic!("{error}") };
        assert_eq!(found.en, what);
    };
    let days = || Aggregation { group_by: vec![by("ordered_on", None)], limit: 1, ..all("order") };
    let limits = Limits::default();
    check(Limits { aggregate_rows_max: 4, ..limits }, days(), "records to aggregate").await;
    check(Limits { groups_max: 4, ..limits }, days(), "groups").await;
    check(Limits { groups_max: 4, ..limits }, Aggregation { limit: 5, ..days() }, "groups in an answer")
        .await;
    check(Limits { group_fields_max: 0, ..limits }, days(), "fields to group by").await;
    let median = Aggregation { measures: vec![measure(Function::Median, "amount")], ..all("order") };
    check(Limits { aggregate_bytes_max: 64, ..limits }, median.clone(), "bytes of an aggregate").await;
    check(Limits { measures_max: 0, ..limits }, median, "aggregates").await;
}
