//! Components of what is asked of many records at once.

use serde_json::{Map, Value as Json, json};

use super::schemas::{array, boolean, integer, number, object, text};

pub(super) fn schemas() -> Map<String, Json> {
    let filter = |what: &str| json!({ "type": "object", "description": what });
    let components = json!({
        "Aggregate": object(&[], json!({
            "filter": filter("A filter tree."),
            "group_by": array(object(&["field"], json!({
                "field": text(), "as": text(),
                "bucket": { "type": "string", "enum": ["day", "week", "month", "quarter", "year"] },
            }))),
            "aggregates": array(object(&["function"], json!({
                "function": {
                    "type": "string",
                    "enum": ["count", "count_distinct", "sum", "avg", "min", "max", "median", "percentile"],
                },
                "field": text(), "as": text(), "p": number(),
                "filter": filter("Which records of the group count."),
            }))),
            "having": filter("A filter tree over the names of the results."),
            "sort": { "oneOf": [text(), array(text())] }, "limit": integer(), "labels": boolean(),
        })),
        "Aggregated": object(&["data", "total_groups", "truncated"], json!({
            "data": array(object(&["keys", "values", "count"], json!({
                "keys": { "type": "object" }, "values": { "type": "object" }, "count": integer(),
            }))),
            "total_groups": integer(), "truncated": boolean(),
        })),
    });
    if let Json::Object(components) = components { components } else { Map::new() }
}
