use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use trellis_model::{FieldName, Value};
use trellis_records::Error;

use crate::support::{World, name};

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn one(field: &str, value: Option<Value>) -> BTreeMap<FieldName, Option<Value>> {
    [(FieldName::new(field).unwrap(), value)].into()
}

#[tokio::test]
async fn a_record_has_its_fields_by_name_and_its_times() {
    let world = World::new().await;
    let record = world.create("account", json!({"name": "Acme", "kind": "company"})).await;
    let named = world.records.schema().named(&record).unwrap();
    assert_eq!((named.object, named.id, named.version), (name("account"), record.id, record.version));
    let fields: Vec<&str> = named.fields.keys().map(FieldName::as_str).collect();
    assert_eq!(fields, ["created_at", "kind", "name", "updated_at"]);
    let Value::Time(created) = named.fields["created_at"] else { panic!("{named:?}", named = named.fields) };
    assert_eq!(created.as_millisecond(), record.created_at_ms);
    assert_eq!(named.fields["kind"], Value::Choice("company".into()));
}

#[tokio::test]
async fn fields_by_name_become_values_of_their_types() {
    let world = World::new().await;
    let schema = world.records.schema();
    let check = |object: &str, field: &str, value: Value, expected: Json| {
        let changes = schema.fields(&name(object), one(field, Some(value))).unwrap();
        let id = schema.object(object).unwrap().field(field).unwrap().id;
        let (changed, value) = changes.first_key_value().unwrap();
        assert_eq!((*changed, changes.len()), (id, 1));
        assert_eq!(value.as_ref().map_or(Json::Null, Value::to_json), expected, "{object}.{field}");
    };
    let id = "01939d4c-7c3a-7b6e-8000-000000000001";
    check("account", "kind", text("person"), json!("person"));
    check("account", "kind", text(""), Json::Null);
    check("account", "owner", text(id), json!(id));
    check("account", "city", Value::Choice("Oslo".into()), json!("Oslo"));
    check("task", "due_on", text("2026-11-22"), json!("2026-11-22"));
    check(
        "interaction",
        "occurred_at",
        text("2026-11-22T08:00:00.123456Z"),
        json!("2026-11-22T08:00:00.123Z"),
    );
    check("interaction", "duration_minutes", Value::Integer(7), json!(7.0));
    check("lead", "employees", Value::Number(12.0), json!(12));
    check("lead", "employees", Value::Number(12.5), json!(12.5));
    check("rule", "when_fields", Value::List(vec![text("a"), text("")]), json!(["a"]));
    check("rule", "when_fields", Value::MultiChoice(vec!["a".into()]), json!(["a"]));
    check("campaign", "audience", text("any"), json!("any"));
    let nothing = schema.fields(&name("account"), one("city", None)).unwrap();
    assert_eq!(nothing.into_values().collect::<Vec<_>>(), [None]);
}

#[tokio::test]
async fn what_cannot_be_a_field_is_named() {
    let world = World::new().await;
    let schema = world.records.schema();
    let check = |object: &str, field: &str, value: &str, code: &str, message: &str| {
        let error = schema.fields(&name(object), one(field, Some(text(value)))).unwrap_err();
        let code_found = match &error {
            Error::Invalid(errors) => errors[0].code,
            other => other.code(),
        };
        assert_eq!((code_found, error.to_string().as_str()), (code, message));
    };
    check("nothing", "name", "x", "unknown_object", "there is no object `nothing`");
    check("account", "colour", "x", "unknown_field", "account has no field `colour`");
    check("account", "created_at", "x", "unknown_field", "account has no field `created_at`");
    check("account", "owner", "me", "invalid_type", "owner: `me` is not a record id (a UUID)");
    let options = "status: `new` is not one of the options open, in_progress, done, cancelled";
    check("task", "status", "new", "unknown_option", options);
}
