use std::sync::Arc;

use trellis_storage::{MemoryStore, Store};

use super::install::{STANDARD, install};
use super::load;
use crate::{SystemClock, SystemIds};

async fn install_all(definitions: &[&str]) -> Result<Arc<MemoryStore>, String> {
    let store = Arc::new(MemoryStore::new());
    for toml in definitions {
        install(&*store, &SystemClock, &SystemIds::default(), toml)
            .await
            .map_err(|error| error.to_string())?;
    }
    Ok(store)
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
async fn the_standard_objects_are_labelled_in_both_languages() {
    let store = install_all(&STANDARD).await.unwrap();
    let schema = load(&*store).await.unwrap();
    assert_eq!(schema.objects().count(), 9);
    for object in schema.objects() {
        let options = |field: &trellis_model::FieldDefinition| match &field.field_type {
            trellis_model::FieldType::Choice { options } => options.clone(),
            _ => Vec::new(),
        };
        let of_fields = object.fields.iter().flat_map(|field| {
            [field.label.clone()].into_iter().chain(options(field).into_iter().map(|option| option.label))
        });
        for label in of_fields.chain([object.label.clone(), object.plural_label.clone()]) {
            assert!(!label.en.is_empty() && !label.zh_cn.is_ascii(), "{}: {label:?}", object.name);
        }
        let key = object.field("external_id").unwrap();
        assert!(key.unique && !key.required, "{}", object.name);
    }
    assert_eq!(schema.object_by_url("order-lines").unwrap().name.as_str(), "order_line");
    assert_eq!(schema.object_by_plural("accounts").unwrap().label.zh_cn, "客户");
}

#[tokio::test]
async fn installing_again_writes_nothing_and_numbers_stay() {
    let store = install_all(&STANDARD).await.unwrap();
    let (head, before) = (store.head(), load(&*store).await.unwrap());
    for toml in STANDARD {
        install(&*store, &SystemClock, &SystemIds::default(), toml).await.unwrap();
    }
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
        "field `size` has another type or index",
    )
    .await;
    check(
        &[&thing("", ""), &thing(&field("size", "type = \"number\"\nindexed = true"), "")],
        "needs a migration",
    )
    .await;
    check(&[&thing("", ""), &thing("", "ordinals = true")], "differ from what is installed").await;
    check(
        &[&thing("", ""), &thing("", "").replace("name = \"thing\"", "name = \"other\"")],
        "is that of another object",
    )
    .await;
}
