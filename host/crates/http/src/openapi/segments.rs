//! Components about segmentations and who is in their segments.

use serde_json::{Map, Value as Json, json};

use super::schemas::{array, boolean, component, id, integer, nullable, object, text};

pub(super) fn schemas() -> Map<String, Json> {
    let components = json!({
        "Segmentation": object(&["name", "object", "values"], json!({
            "name": text(), "aliases": array(text()), "object": text(), "label": component("Label"), "description": component("Label"),
            "source": component("ResultSource"),
            "values": array(object(&["value", "count"], json!({
                "value": text(), "label": component("Label"), "description": component("Label"), "count": integer(),
            }))),
            "null_count": integer(), "current": nullable("object"), "stale": boolean(), "cleared": boolean(), "damaged": nullable("string"),
            "problem": { "type": ["string", "null"], "description": "Why its filter cannot be asked any more." },
        })),
        "ResultSource": object(&["kind"], json!({
            "kind": { "type": "string", "enum": ["plugin", "filter", "manual"] },
            "plugin": text(), "output": text(), "filter": { "type": "object", "description": "Whoever matches it is a member." },
        })),
        "NewSegmentation": object(&["object", "label", "filter"], json!({
            "name": { "type": "string", "description": "Its API name, which does not change; needed for a new one." },
            "object": text(), "label": component("Label"), "description": component("Label"), "filter": { "type": "object" },
        })),
        "SegmentationUse": object(&["object", "id", "name"], json!({
            "object": { "type": "string", "description": "`segmentation`, or the object of a record." },
            "id": nullable("string"), "name": text(),
        })),
        "SegmentTransitions": object(&["previous", "counts", "data", "page"], json!({
            "previous": { "type": ["object", "null"], "description": "The result before the current one, whose values are compared as they were last; null where no earlier run is kept." },
            "counts": { "description": "How many went from which value to which; null is no value.", "type": "array", "items": object(&["before", "value", "count"], json!({
                "before": nullable("string"), "value": nullable("string"), "count": integer(),
            })) },
            "data": array(object(&["id", "ordinal", "before", "value"], json!({
                "id": id(), "ordinal": integer(), "before": nullable("string"), "value": nullable("string"), "record": { "type": "object" },
            }))),
            "page": component("Page"), "total": integer(), "total_exact": boolean(),
        })),
        "Member": object(&["id", "ordinal"], json!({ "id": id(), "ordinal": integer(), "record": { "type": "object" } })),
    });
    match components {
        Json::Object(components) => components,
        _ => Map::new(),
    }
}
