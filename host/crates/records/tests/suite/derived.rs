use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::{Filter, ObjectId, ObjectName, Op, Path, Scope};
use trellis_records::{DerivedFields, DerivedValue, Error};

use crate::support::World;

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

#[tokio::test]
async fn ordinals_are_those_of_the_records_that_match() {
    let world = World::new().await;
    world.records.set_derived(Arc::new(Even));
    for name in ["A0", "A1", "A2", "A3", "A4"] {
        world.create("account", json!({"name": name})).await;
    }
    let check = async |filter: Json, expected: &[u64]| {
        let (scope, account) = (Scope::everything(), ObjectName::new("account").unwrap());
        let filter = Filter::parse(&filter).unwrap();
        let found = world.records.matching_ordinals(&scope, &account, &filter, &|| true).await.unwrap();
        assert_eq!(found, expected, "{filter:?}");
    };
    let large = json!({"field": "segment.size", "op": "eq", "value": "large"});
    let small = json!({"field": "segment.size", "op": "eq", "value": "small"});
    let named = json!({"field": "name", "op": "in", "value": ["A0", "A3", "A4"]});
    check(large.clone(), &[2, 3, 4]).await;
    check(json!({"and": [large, named]}), &[3, 4]).await;
    check(json!({"and": [large, small]}), &[]).await;
    // Neither is answered by the field alone.
    check(json!({"or": [large, {"field": "name", "op": "eq", "value": "A0"}]}), &[0, 2, 3, 4]).await;
    check(json!({"and": [large, {"field": "score.even", "op": "gte", "value": 3}]}), &[4]).await;
    check(named.clone(), &[0, 3, 4]).await;
    check(json!({"and": []}), &[0, 1, 2, 3, 4]).await;

    let filter = Filter::parse(&named).unwrap();
    let account = ObjectName::new("account").unwrap();
    let stopped = world.records.matching_ordinals(&Scope::everything(), &account, &filter, &|| false).await;
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
}
