use std::sync::Arc;

use trellis_storage::{MemoryStore, Store};

use super::install::{STANDARD, install};
use super::load;
use crate::{Config, Records, SystemClock, SystemIds};

async fn install_all(definitions: &[&str]) -> Result<Arc<MemoryStore>, String> {
    let store = Arc::new(MemoryStore::new());
    for toml in definitions {
        install(&*store, &SystemClock, &SystemIds::default(), &[toml])
            .await
            .map_err(|error| error.to_string())?;
    }
    Ok(store)
}

async fn install_together(definitions: &[&str]) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    install(&*store, &SystemClock, &SystemIds::default(), definitions).await.unwrap();
    store
}

fn thing(fields: &str, rest: &str) -> String {
    let label = r#"{ en = "Thing", zh-CN = "东西" }"#;
    let name = format!("[[fields]]\nname = \"name\"\nlabel = {label}\ntype = \"text\"\n");
    format!(
        "name = \"thing\"\nplural = \"things\"\nlabel = {label}\nplural_label = {label}\ntitle = \"name\"\n{rest}\n{name}{fields}"
    )
}

fn field(name: &str, rest: &str) -> String {
    format!("[[fields]]\nname = \"{name}\"\nlabel = {{ en = \"F\", zh-CN = \"字段\" }}\n{rest}\n")
}

#[tokio::test]
async fn standard_objects_are_found_by_every_name() {
    let store = install_together(&STANDARD).await;
    let schema = load(&*store).await.unwrap();
    assert_eq!(schema.objects().count(), STANDARD.len());
    for object in schema.objects() {
        let key = object.field("external_id").unwrap();
        assert!(key.unique && !key.required, "{}", object.name);
    }
    assert_eq!(schema.object_by_url("order-lines").unwrap().name.as_str(), "order_line");
    assert_eq!(schema.object_by_plural("accounts").unwrap().label.zh_cn, "客户");
}

#[tokio::test]
async fn installing_again_writes_nothing_and_numbers_stay() {
    let store = install_together(&STANDARD).await;
    let (head, before) = (store.head(), load(&*store).await.unwrap());
    install(&*store, &SystemClock, &SystemIds::default(), &STANDARD).await.unwrap();
    assert_eq!(store.head(), head);
    let after = load(&*store).await.unwrap();
    assert!(before.objects().eq(after.objects()));
}

#[tokio::test]
async fn a_new_field_gets_a_number_that_none_had() {
    let number = field("size", "type = \"number\"");
    let store = install_all(&[&thing("", ""), &thing(&number, "")]).await.unwrap();
    let schema = load(&*store).await.unwrap();
    let ids: Vec<u32> = schema.object("thing").unwrap().fields.iter().map(|field| field.id.0).collect();
    assert_eq!(ids, [1, 2]);
}

#[tokio::test]
async fn definitions_that_cannot_be_are_refused_with_the_reason() {
    let check = async |definitions: &[&str], expected: &str| {
        let error = install_all(definitions).await.unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    check(&[&thing("", "colour = 1")], "unknown field `colour`").await;
    check(
        &[&thing(&field("other", "type = \"reference\"\nobject = \"nobody\""), "")],
        "field `other` refers to an object that is not there",
    )
    .await;
    check(&[&thing(&field("id", "type = \"number\""), "")], "`id` is a system field").await;
    check(&[&thing(&field("list", "type = \"list\""), "")], "field `list`: a list needs `of`").await;
    let size = field("size", "type = \"number\"");
    check(&[&thing(&size, ""), &thing("", "")], "field `size` is gone").await;
    check(
        &[&thing(&size, ""), &thing(&field("size", "type = \"integer\""), "")],
        "field `size` has another type",
    )
    .await;
    check(&[&thing("", ""), &thing("", "ordinals = true")], "differ from what is installed").await;
    check(
        &[&thing("", ""), &thing("", "").replace("name = \"thing\"", "name = \"other\"")],
        "is that of another object",
    )
    .await;
}

/// A store as a release before wrote it: some objects, and one that lacks fields.
#[tokio::test]
async fn a_store_of_an_earlier_release_gets_the_objects_and_fields_that_are_new() {
    let without_case = {
        let (task, case) = (definition("task"), field_of(definition("task"), "case"));
        assert!(case.contains("type = \"reference\""));
        task.replace(case, "").replace("\"case\", ", "")
    };
    let earlier = |toml: &'static str| if toml == definition("task") { &*without_case } else { toml };
    let early: Vec<&str> = STANDARD.into_iter().map(earlier).collect();
    let store = install_together(&early).await;
    let before = load(&*store).await.unwrap();
    assert!(before.object("task").unwrap().field("case").is_none());

    let records = Records::open(
        Arc::clone(&store) as Arc<dyn Store>,
        Arc::new(SystemClock),
        Arc::new(SystemIds::default()),
        Config::default(),
    )
    .await
    .unwrap();
    let schema = records.schema();
    assert_eq!(schema.objects().count(), STANDARD.len());
    for old in before.objects() {
        let new = schema.object(old.name.as_str()).unwrap();
        assert_eq!(new.id, old.id);
        assert!(
            old.fields
                .iter()
                .all(|field| new.field(field.name.as_str()).is_some_and(|new| new.id == field.id))
        );
    }
    let task = schema.object("task").unwrap();
    let case = task.field("case").unwrap();
    assert!(before.object("task").unwrap().field_by_id(case.id).is_none());

    // What is new works, with its index.
    let caller = crate::Caller::system("test");
    let text = |object: &str, name: &str, value: &str| {
        let field = schema.object(object).unwrap().field(name).unwrap();
        (field.id, field.field_type.parse_text(value).unwrap())
    };
    let of_case = [text("case", "subject", "Broken"), text("case", "status", "new")].into();
    let broken = records.create(&caller, &"case".parse().unwrap(), of_case).await.unwrap();
    let of_task = [
        text("task", "subject", "Call"),
        text("task", "status", "open"),
        text("task", "case", &broken.id.to_string()),
    ];
    let call = records.create(&caller, &task.name, of_task.into()).await.unwrap();
    let filter = serde_json::json!({"field": "case", "op": "eq", "value": broken.id.to_string()});
    let query = crate::Query {
        filter: trellis_model::Filter::parse(&filter).unwrap(),
        ..crate::Query::new(task.name.clone())
    };
    let page = records.list(&trellis_model::Scope::everything(), &query).await.unwrap();
    assert_eq!((page.records, page.plan.index.as_deref()), (vec![call], Some("case")));
    assert!(records.check().await.unwrap().is_clean());
}

fn definition(name: &str) -> &'static str {
    let first = format!("name = \"{name}\"\n");
    STANDARD.into_iter().find(|toml| toml.starts_with(&first)).unwrap()
}

/// The part of a definition that is about a field.
fn field_of(toml: &'static str, name: &str) -> &'static str {
    let start = toml.find(&format!("[[fields]]\nname = \"{name}\"\n")).unwrap();
    let end = toml[start + 2..].find("[[").map_or(toml.len(), |end| start + 2 + end);
    &toml[start..end]
}
