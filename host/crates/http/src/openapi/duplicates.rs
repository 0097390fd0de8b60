//! Components about duplicates and merging.

use serde_json::{Map, Value as Json, json};

use super::schemas::{array, boolean, component, id, integer, number, object, text};

pub(super) fn schemas() -> Map<String, Json> {
    let components = json!({
        "Duplicate": object(&["id", "rule", "score", "matched_on"], json!({
            "id": id(), "rule": text(), "score": number(), "matched_on": array(text()),
        })),
        "DuplicateCheck": object(&["data", "compared", "skipped_blocks"], json!({
            "data": array(component("Duplicate")), "compared": integer(), "skipped_blocks": array(text()),
        })),
        "DuplicateCheckRequest": object(&[], json!({
            "fields": { "type": "object", "description": "Fields as of a new record." },
            "id": { "type": "string", "format": "uuid", "description": "The stored record that is meant." },
        })),
        "DuplicateScanRequest": object(&[], json!({
            "rule": { "type": "string", "description": "A matching rule; the first one of the object where this is left out." },
        })),
        "MergeRequest": object(&["winner", "losers"], json!({
            "winner": id(), "losers": array(id()),
            "choices": { "type": "object", "additionalProperties": id(), "description": "Field → the record whose value is taken." },
        })),
        "MergePlan": object(&["object", "values", "references", "warnings"], json!({
            "object": text(),
            "values": array(object(&["field", "value", "from"], json!({ "field": text(), "value": {}, "from": id() }))),
            "references": array(object(&["object", "field", "count", "at_least"], json!({
                "object": text(), "field": text(), "count": integer(), "at_least": boolean(),
            }))),
            "warnings": array(text()),
        })),
    });
    match components {
        Json::Object(components) => components,
        _ => Map::new(),
    }
}
