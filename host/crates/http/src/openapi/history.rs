//! Components about what happened, and taking it back.

use serde_json::{Map, Value as Json, json};

use super::schemas::{array, boolean, component, id, integer, nullable, object, text, time};

pub(super) fn schemas() -> Map<String, Json> {
    let states = ["can", "partly", "done", "changed_since", "expired", "missing", "conflict", "refused"];
    let state = || json!({ "type": "string", "enum": states });
    let components = json!({
        "HistoryEntry": object(&["log", "timestamp", "type", "kind", "actor", "cause", "expired"], json!({
            "log": integer(), "timestamp": time(), "type": text(),
            "kind": { "type": "string", "enum": ["created", "updated", "deleted", "restored"] },
            "actor": { "type": "object" }, "cause": { "type": "object" },
            "expired": { "type": "boolean", "description": "Whether the log no longer tells what was before and after." },
            "fields": nullable("object"),
        })),
        "TimelineItem": object(&["kind", "object", "at", "record"], json!({
            "kind": text(), "object": { "type": "string", "description": "API name of the record's object." }, "at": time(),
            "record": { "type": "object", "additionalProperties": true },
        })),
        "UndoTarget": {
            "type": "object", "description": "One of `job`, `log`, `log` with `object` and `id`, `rule`, `plugin`.",
            "properties": {
                "job": id(), "log": integer(), "object": text(), "id": id(), "rule": id(), "plugin": text(), "since": time(),
            },
        },
        "UndoQuestion": object(&["target"], json!({
            "target": component("UndoTarget"), "include_caused": boolean(), "limit": integer(), "after": text(),
        })),
        "UndoOrder": object(&["target"], json!({
            "target": component("UndoTarget"), "include_caused": boolean(), "run_automations": boolean(), "dry_run": boolean(),
        })),
        "ChangeToUndo": object(&["log"], json!({ "log": integer(), "run_automations": boolean() })),
        "UndoneChange": object(&["undone", "item"], json!({ "undone": boolean(), "item": component("UndoItem") })),
        "UndoItem": object(&["object", "id", "action", "state"], json!({
            "object": text(), "id": id(), "title": nullable("string"),
            "action": { "type": "string", "enum": ["delete", "restore", "update"] }, "state": state(),
            "fields": { "type": "object", "description": "Each with `now`, `back_to` and its own `state`." },
            "since": array(object(&["log", "timestamp", "actor"], json!({
                "log": integer(), "timestamp": time(), "actor": { "type": "object" }, "fields": array(text()),
            }))),
            "in_use": array(object(&["object", "id", "field"], json!({ "object": text(), "id": id(), "field": text() }))),
            "code": nullable("string"), "message": nullable("string"),
        })),
        "UndoPreview": object(&["data", "page", "entries", "caused"], json!({
            "data": array(component("UndoItem")), "page": component("Page"), "entries": integer(), "caused": integer(),
            "counts": nullable("object"), "counts_exact": boolean(), "hidden": integer(),
            "results": array(object(&["name", "state"], json!({
                "name": text(), "state": { "type": "string", "enum": ["can", "done", "superseded", "nothing_earlier"] },
            }))),
        })),
    });
    let Json::Object(components) = components else { return Map::new() };
    components
}
