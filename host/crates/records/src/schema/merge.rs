//! What a release changed and what the company changed, put together.

use serde_json::{Map, Value as Json};

/// What tells the elements of a list apart, where it is a list of named things.
const KEYS: [&str; 3] = ["name", "value", "matching_rule"];

/// `current` with what changed from `base` to `next`. Where both changed the same thing, `current` holds; what `current` or `next` lost
/// is lost, but for elements of lists that only `next` lost: those stay.
pub(super) fn merge(base: &Json, current: &Json, next: &Json) -> Json {
    match (base, current, next) {
        _ if current == base => next.clone(),
        _ if next == base || next == current => current.clone(),
        (Json::Object(base), Json::Object(current), Json::Object(next)) => {
            Json::Object(merge_objects(base, current, next))
        }
        (Json::Array(base), Json::Array(current), Json::Array(next)) => {
            match (named(base), named(current), named(next)) {
                (Some(base), Some(current), Some(next)) => merge_lists(&base, &current, &next),
                _ => Json::Array(current.clone()),
            }
        }
        _ => current.clone(),
    }
}

fn merge_objects(
    base: &Map<String, Json>,
    current: &Map<String, Json>,
    next: &Map<String, Json>,
) -> Map<String, Json> {
    let keys = current.keys().chain(next.keys().filter(|key| !current.contains_key(*key)));
    let merged = keys.filter_map(|key| {
        let (base, current, next) = (base.get(key), current.get(key), next.get(key));
        let nothing = Json::Null;
        let value = merge(base.unwrap_or(&nothing), current.unwrap_or(&nothing), next.unwrap_or(&nothing));
        (!value.is_null()).then(|| (key.clone(), value))
    });
    merged.collect()
}

type Named<'a> = Vec<(&'a str, &'a Json)>;

/// The elements by what tells them apart; `None` where one has nothing of the kind.
fn named(list: &[Json]) -> Option<Named<'_>> {
    let key = |element: &Json| KEYS.iter().any(|key| element.get(key).is_some());
    list.iter()
        .all(key)
        .then(|| list.iter().filter_map(|element| Some((name_of(element)?, element))).collect())
}

pub(super) fn name_of(element: &Json) -> Option<&str> {
    KEYS.iter().find_map(|key| element.get(key)).and_then(Json::as_str)
}

fn merge_lists(base: &Named<'_>, current: &Named<'_>, next: &Named<'_>) -> Json {
    let find = |list: &Named<'_>, name: &str| {
        list.iter().find(|(other, _)| *other == name).map(|(_, element)| (*element).clone())
    };
    let kept = current.iter().map(|(name, element)| match (find(base, name), find(next, name)) {
        (Some(base), Some(next)) => merge(&base, element, &next),
        _ => (*element).clone(),
    });
    // What the company took out of a list stays out; what the release adds comes in.
    let is_new = |(name, _): &&(&str, &Json)| find(current, name).is_none() && find(base, name).is_none();
    Json::Array(kept.chain(next.iter().filter(is_new).map(|(_, element)| (*element).clone())).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_changes_are_kept_and_the_companys_wins() {
        let check = |base: Json, current: Json, next: Json, expected: Json| {
            assert_eq!(merge(&base, &current, &next), expected);
        };
        check(json!({"a": 1}), json!({"a": 1}), json!({"a": 2}), json!({"a": 2}));
        check(json!({"a": 1}), json!({"a": 3}), json!({"a": 2}), json!({"a": 3}));
        check(json!({"a": 1}), json!({"a": 1, "b": 1}), json!({"a": 2}), json!({"a": 2, "b": 1}));
        let field = |name: &str, label: &str| json!({"name": name, "label": label});
        check(
            json!([field("x", "X"), field("y", "Y")]),
            json!([field("mine", "M"), field("y", "Why"), field("x", "X")]),
            json!([field("x", "Ex"), field("y", "Y"), field("z", "Z")]),
            json!([field("mine", "M"), field("y", "Why"), field("x", "Ex"), field("z", "Z")]),
        );
        check(json!([1]), json!([2]), json!([3]), json!([2]));
    }
}
