//! Components about what plugins learned, and when they run by themselves.

use serde_json::{Map, Value as Json, json};

use super::schemas::{array, boolean, component, id, integer, nullable, number, object, text, time};

pub(super) fn schemas() -> Map<String, Json> {
    let as_of = || json!({ "type": "string", "description": "`now` or a date." });
    let learned = object(
        &["summary", "metrics", "bytes", "digest"],
        json!({
            "summary": component("Label"),
            "metrics": array(object(&["name", "label", "value"], json!({
                "name": text(), "label": component("Label"), "value": number(),
            }))),
            "bytes": integer(), "digest": text(),
        }),
    );
    let components = json!({
        "PluginFit": object(&[], json!({ "config": {}, "as_of": as_of() })),
        "ActivateModel": object(&[], json!({
            "announce": { "type": "boolean", "description": "Whether it is told what changes for each customer." },
        })),
        "PluginModel": object(&["model", "plugin", "version", "kept", "pinned", "in_use"], json!({
            "model": integer(), "plugin": text(), "version": text(), "digest": text(), "config": {}, "as_of": as_of(),
            "log": integer(), "customers": integer(),
            "about": object(&[], json!({ "segmentation": learned.clone(), "scoring": learned })),
            "bytes": integer(), "learned_at": time(), "learned_by": { "type": "object" }, "job": id(),
            "kept": { "type": "boolean", "description": "Whether it can still be used." },
            "pinned": boolean(),
            "in_use": { "type": "boolean", "description": "Whether the current results are its." },
        })),
        "PinnedModel": object(&["model", "job"], json!({
            "model": component("PluginModel"),
            "job": { "anyOf": [component("Job"), { "type": "null" }], "description": "The run with the model, where one was needed." },
        })),
        "PluginSchedule": object(&["from", "next_run_at"], json!({
            "from": { "type": "string", "enum": ["plugin", "settings"], "description": "Who says so." },
            "cron": nullable("string"), "model": { "type": ["string", "null"], "enum": ["fit", "last", null] },
            "analyses": { "anyOf": [array(text()), { "type": "null" }] },
            "text": { "anyOf": [component("Label"), { "type": "null" }] },
            "next_run_at": nullable("string"), "last": nullable("object"),
        })),
    });
    match components {
        Json::Object(components) => components,
        _ => Map::new(),
    }
}
