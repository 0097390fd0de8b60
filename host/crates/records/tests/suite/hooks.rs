use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::{Value as Json, json};
use trellis_model::{FieldId, ObjectId, Op, Path, Text, Value};
use trellis_records::{DerivedFields, DerivedValue, Error, Proposed, SaveHook, Veto};

use crate::support::World;

/// Refuses accounts named `bad`, and writes names in capitals.
#[derive(Debug)]
struct Manners {
    name: FieldId,
}

impl SaveHook for Manners {
    fn before_save<'a>(&'a self, proposed: &'a mut [Proposed]) -> BoxFuture<'a, Result<(), Vec<Veto>>> {
        Box::pin(async move {
            for (row, record) in proposed.iter_mut().enumerate() {
                let Some(Value::Text(name)) = record.fields.get_mut(&self.name) else { continue };
                if name.starts_with("bad") {
                    return Err(vec![Veto {
                        by: "manners".into(),
                        reason: Text::new("not so", "不可以"),
                        row,
                    }]);
                }
                *name = if name == "empty" { String::new() } else { name.to_uppercase() };
            }
            Ok(())
        })
    }
}

#[tokio::test]
async fn hooks_change_and_refuse_rows_and_their_changes_are_checked() {
    let world = World::new().await;
    let name = world.records.schema().object("account").unwrap().field("name").unwrap().id;
    world.records.add_hook(Arc::new(Manners { name }));
    let names = ["one", "bad 1", "two", "bad 2", "empty"];
    let writes = names.iter().map(|name| world.create_of("account", json!({"name": name}))).collect();
    let results = world.records.write_batch(&world.caller, writes).await.unwrap();
    let codes: Vec<&str> =
        results.iter().map(|result| result.as_ref().map_or_else(Error::code, |_| "ok")).collect();
    assert_eq!(codes, ["ok", "veto", "ok", "veto", "validation_error"]);
    assert_eq!(results[1].as_ref().unwrap_err().to_string(), "refused by manners: not so");
    assert_eq!(world.names("account", json!({"and": []}), "name").await, ["ONE", "TWO"]);
    world.expect_clean().await;
}

/// `score.even` is the ordinal of accounts whose ordinal is even, `segment.size` a text.
#[derive(Debug)]
struct Even;

impl DerivedFields for Even {
    fn knows(&self, _object: ObjectId, path: &Path) -> bool {
        ["score.even", "segment.size"].contains(&path.to_string().as_str())
    }

    fn value(&self, _object: ObjectId, path: &Path, ordinal: u64) -> Option<DerivedValue> {
        if path.to_string() == "segment.size" {
            return Some(DerivedValue::Text(if ordinal < 2 { "small" } else { "large" }.into()));
        }
        ordinal.is_multiple_of(2).then_some(DerivedValue::Number(ordinal as f64))
    }

    fn matching(
        &self,
        _object: ObjectId,
        path: &Path,
        op: Op,
        value: &Json,
        after: Option<u64>,
        rows_max: usize,
    ) -> Option<Vec<u64>> {
        if path.to_string() != "segment.size" || op != Op::Eq {
            return None;
        }
        let ordinals = if value == "small" { 0..2 } else { 2..5 };
        Some(ordinals.filter(|ordinal| Some(*ordinal) > after).take(rows_max).collect())
    }
}

#[tokio::test]
async fn derived_fields_filter_and_sort_like_stored_ones() {
    let world = World::new().await;
    world.records.set_derived(Arc::new(Even));
    let mut first = None;
    for name in ["A0", "A1", "A2", "A3", "A4"] {
        let id = world.create("account", json!({"name": name})).await.id;
        first.get_or_insert(id);
    }
    world.order(first.unwrap(), "2026-01-01", "1", 1.0).await;
    let check = async |filter: Json, sort: &str, expected: &[&str]| {
        assert_eq!(world.names("account", filter, sort).await, expected);
    };
    check(json!({"field": "segment.size", "op": "eq", "value": "large"}), "-name", &["A4", "A3", "A2"]).await;
    check(json!({"field": "segment.size", "op": "ne", "value": "large"}), "", &["A0", "A1"]).await;
    check(json!({"field": "score.even", "op": "gte", "value": 2}), "name", &["A2", "A4"]).await;
    check(json!({"field": "score.even", "op": "null", "value": true}), "name", &["A1", "A3"]).await;
    check(json!({"and": []}), "-score.even", &["A4", "A2", "A0", "A3", "A1"]).await;
    let page =
        world.list("account", json!({"field": "segment.size", "op": "eq", "value": "large"}), "").await;
    assert_eq!((page.plan.index.as_deref(), page.plan.rows_read), (Some("segment.size"), 3));
    assert_eq!(
        world.count("order", json!({"field": "account.segment.size", "op": "eq", "value": "small"})).await,
        1
    );
}
