use std::collections::BTreeSet;

use serde_json::json;
use trellis_model::{FieldAccess, Filter, ObjectScope, Op, Path, RowAccess, Scope, Value};
use trellis_records::{Caller, Query};

use crate::support::{World, name};

/// May see accounts in Oslo without their phone, and write only their name and city; sees orders, but no users.
fn oslo() -> Caller {
    let fields = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<BTreeSet<_>>();
    let account = ObjectScope {
        rows: RowAccess::Where(Filter::compare("city", Op::Eq, "Oslo").unwrap()),
        readable: FieldAccess::Except(fields(&["phone"])),
        writable: FieldAccess::Only(fields(&["name", "city"])),
    };
    let scope =
        Scope::nothing().with(name("account"), account).with(name("order"), ObjectScope::everything());
    Caller { scope, ..Caller::system("oslo") }
}

#[tokio::test]
async fn a_record_out_of_scope_does_not_exist() {
    let world = World::new().await;
    let oslo = oslo();
    let (inside, outside) = (
        world.create("account", json!({"name": "In", "city": "Oslo", "phone": "1"})).await,
        world.create("account", json!({"name": "Out", "city": "Rome", "external_id": "x"})).await,
    );
    let account = name("account");
    let seen = world.records.get(&oslo.scope, &account, inside.id).await.unwrap().unwrap();
    assert_eq!(world.text("account", &seen, "phone"), "", "a field out of scope is not shown");
    assert_eq!(world.records.get(&oslo.scope, &account, outside.id).await.unwrap(), None);
    let page = world.records.list(&oslo.scope, &Query::new(account.clone())).await.unwrap();
    assert_eq!(page.records, [seen]);
    assert_eq!(world.records.count(&oslo.scope, &account, &Filter::everything()).await.unwrap(), 1);
    let phone =
        Query { filter: Filter::compare("phone", Op::Eq, "1").unwrap(), ..Query::new(account.clone()) };
    assert_eq!(
        world.records.list(&oslo.scope, &phone).await.unwrap_err().to_string(),
        "account has no field `phone`"
    );
    let changes = |json| world.changes("account", json);
    let error = world
        .records
        .update(&oslo, &account, outside.id, changes(json!({"name": "x"})), None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "not_found");
    let error = world
        .records
        .update(&oslo, &account, inside.id, changes(json!({"phone": "2"})), None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "field_denied");
    let error = world
        .records
        .create(&oslo, &account, world.fields("account", json!({"name": "New", "city": "Rome"})))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "out_of_scope");
    assert_eq!(world.records.list(&oslo.scope, &Query::new(name("user"))).await.unwrap().records, []);
}

#[tokio::test]
async fn references_and_related_records_keep_to_the_scope() {
    let world = World::new().await;
    let oslo = oslo();
    let inside = world.create("account", json!({"name": "In", "city": "Oslo"})).await;
    let outside = world.create("account", json!({"name": "Out", "city": "Rome"})).await;
    world.order(inside.id, "2026-01-01", "1", 1.0).await;
    world.order(outside.id, "2026-01-01", "1", 1.0).await;
    let count = async |object: &str, filter: serde_json::Value| {
        world.records.count(&oslo.scope, &name(object), &Filter::parse(&filter).unwrap()).await.unwrap()
    };
    assert_eq!(count("order", json!({"field": "account.name", "op": "in", "value": ["In", "Out"]})).await, 1);
    assert_eq!(count("order", json!({"field": "account.name", "op": "null", "value": true})).await, 1);
    let contacts = Filter::parse(&json!({"related": "contacts"})).unwrap();
    let error = world.records.count(&oslo.scope, &name("account"), &contacts).await.unwrap_err();
    assert_eq!(error.to_string(), "account has no field `contacts`", "what cannot be read cannot be counted");
    let order = json!({"account": outside.id.to_string(), "ordered_on": "2026-01-01"});
    let error = world.records.create(&oslo, &name("order"), world.fields("order", order)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("account: there is no account `{}`", outside.id));
}

#[tokio::test]
async fn values_along_a_path_keep_to_the_scope() {
    let world = World::new().await;
    let inside = world.create("account", json!({"name": "In", "city": "Oslo", "phone": "1"})).await;
    let outside = world.create("account", json!({"name": "Out", "city": "Rome"})).await;
    for account in [inside.id, outside.id, inside.id] {
        world.order(account, "2026-01-01", "1", 1.0).await;
    }
    let oslo = oslo();
    let order = name("order");
    let page = world.records.list(&oslo.scope, &Query::new(order.clone())).await.unwrap();
    let along = async |path: &str| {
        let path = Path::parse(path).unwrap();
        let values = world.records.values_along(&oslo.scope, &order, &path, &page.records).await;
        values.map(|found| found.values).map_err(|error| error.to_string())
    };
    let text = |text: &str| Some(Value::Text(text.into()));
    assert_eq!(along("account.name").await.unwrap(), [text("In"), None, text("In")]);
    assert_eq!(along("account.id").await.unwrap()[1], None, "not even its id");
    assert_eq!(along("account.phone").await.unwrap_err(), "account has no field `account.phone`");
    assert_eq!(along("account.owner.name").await.unwrap_err(), "user has no field `account.owner.name`");
}
