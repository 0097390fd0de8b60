//! Lists and multi-choices, which no standard object has all of: `any` and `all`.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::{Filter, ObjectName, Scope, Value};
use trellis_storage::MemoryStore;

use crate::{Caller, Config, Query, Records, SystemClock, SystemIds, schema};

const GUEST: &str = r#"
name = "guest"
plural = "guests"
label = { en = "Guest", zh-CN = "来宾" }
plural_label = { en = "Guests", zh-CN = "来宾" }
title = "name"

[[fields]]
name = "name"
label = { en = "Name", zh-CN = "姓名" }
type = "text"
indexed = true

[[fields]]
name = "interests"
label = { en = "Interests", zh-CN = "兴趣" }
type = "multi_choice"
options = [
  { value = "art", label = { en = "Art", zh-CN = "艺术" } },
  { value = "food", label = { en = "Food", zh-CN = "美食" } },
  { value = "golf", label = { en = "Golf", zh-CN = "高尔夫" } },
]

[[fields]]
name = "visits"
label = { en = "Visits", zh-CN = "到访年份" }
type = "list"
of = "integer"
"#;

async fn guests() -> Arc<Records> {
    let store = Arc::new(MemoryStore::new());
    schema::install(&*store, &SystemClock, &SystemIds::default(), &[GUEST]).await.unwrap();
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds::default()));
    let records = Records::open(store, clock, ids, Config::default()).await.unwrap();
    let rows = [
        json!({"name": "Ann", "interests": ["art", "food"], "visits": [2024, 2025]}),
        json!({"name": "Bob", "interests": ["golf"], "visits": [2025]}),
        json!({"name": "Cid", "interests": [], "visits": []}),
        json!({"name": "Dan"}),
        json!({"name": "Eve", "interests": ["golf", "art", "food", "art"], "visits": [2026]}),
    ];
    let schema = records.schema();
    let guest = schema.object("guest").unwrap();
    for row in rows {
        let field = |(name, value): (&String, &Json)| {
            let field = guest.field(name).unwrap();
            (field.id, field.field_type.parse_json(value).unwrap().unwrap())
        };
        let fields = row.as_object().unwrap().iter().map(field).collect();
        records.create(&Caller::system("test"), &guest.name, fields).await.unwrap();
    }
    records
}

async fn names(records: &Records, filter: Json) -> Result<String, String> {
    let object: ObjectName = "guest".parse().unwrap();
    let filter = Filter::parse(&filter).map_err(|error| error.to_string())?;
    let query = Query { filter, ..Query::new(object) };
    let page = records.list(&Scope::everything(), &query).await.map_err(|error| error.text().en.clone())?;
    let name = records.schema().object("guest").unwrap().field("name").unwrap().id;
    let mut names: Vec<String> =
        page.records.iter().filter_map(|record| record.fields.get(&name).map(Value::canonical)).collect();
    names.sort();
    Ok(names.join(" "))
}

#[tokio::test]
async fn any_and_all_look_into_lists_and_multi_choices() {
    let records = guests().await;
    let check = async |field: &str, op: &str, value: Json, expected: &str| {
        let filter = json!({"field": field, "op": op, "value": value});
        assert_eq!(names(&records, filter.clone()).await.unwrap(), expected, "{filter}");
    };
    check("interests", "any", json!(["golf"]), "Bob Eve").await;
    check("interests", "any", json!(["golf", "food"]), "Ann Bob Eve").await;
    check("interests", "any", json!([]), "").await;
    check("interests", "all", json!(["golf"]), "Bob Eve").await;
    check("interests", "all", json!(["food", "art"]), "Ann Eve").await;
    check("interests", "all", json!(["golf", "art", "food"]), "Eve").await;
    // Of an empty list every option there is not is chosen; of nothing nothing is known.
    check("interests", "all", json!([]), "Ann Bob Cid Eve").await;
    check("interests", "null", json!(true), "Dan").await;
    check("interests", "eq", json!(["food", "art"]), "Ann").await;
    check("visits", "any", json!([2025]), "Ann Bob").await;
    check("visits", "any", json!([2024, 2026]), "Ann Eve").await;
    check("visits", "all", json!([2025, 2024]), "Ann").await;
    check("visits", "any", json!([1999]), "").await;

    let not = json!({"not": {"field": "interests", "op": "any", "value": ["golf"]}});
    assert_eq!(names(&records, not).await.unwrap(), "Ann Cid", "what is null is neither");
}

#[tokio::test]
async fn any_and_all_of_anything_else_are_refused() {
    let records = guests().await;
    let check = async |field: &str, op: &str, value: Json, expected: &str| {
        let error = names(&records, json!({"field": field, "op": op, "value": value})).await.unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    check("name", "any", json!(["Ann"]), "`any` does not apply to this kind of field").await;
    check("name", "all", json!(["Ann"]), "`all` does not apply to this kind of field").await;
    check("interests", "any", json!(["chess"]), "`chess` is not one of the options art, food, golf").await;
    check("visits", "all", json!(["x"]), "`\"x\"` is not a whole number").await;
}
