//! Components about versions of plugins that are compared.

use serde_json::{Map, Value as Json, json};

use super::schemas::{array, boolean, component, id, integer, nullable, object, text};

pub(super) fn schemas() -> Map<String, Json> {
    let grants = || json!({ "type": "array", "items": text(), "description": "What it is granted; what the use grants where this is left out." });
    let components = json!({
        "PluginDryRun": object(&[], json!({
            "version": text(), "config": {}, "grants": grants(),
            "as_of": { "type": "string", "description": "`now` or a date." }, "records_max": integer(),
        })),
        "RunReplay": object(&[], json!({
            "version": { "type": "string", "description": "An installed version; the one that made the run where this is left out." },
        })),
        "DecisionReplayWith": object(&[], json!({
            "version": { "type": "string", "description": "An installed version; the one that decided where this is left out." },
        })),
        "ShadowStart": object(&["version"], json!({ "version": text(), "config": {}, "grants": grants() })),
        "ShadowRow": object(&["plugin", "run", "object", "record"], json!({
            "plugin": text(), "run": id(), "object": text(), "record": id(),
            "before": { "description": "What the version in use had come to, by output." },
            "after": { "description": "What the shadow came to, by output." },
        })),
        "Shadow": object(&["plugin", "version", "figures", "verdict"], json!({
            "plugin": text(), "version": text(), "version_in_use": nullable("string"), "config": {},
            "started_at_ms": integer(), "figures": { "type": "object" },
            "verdict": object(&["may_be_promoted", "against", "rows", "rows_changed", "decisions", "decisions_changed", "faults"], json!({
                "may_be_promoted": boolean(), "against": array(component("Label")), "rows": integer(), "rows_changed": integer(),
                "decisions": integer(), "decisions_changed": integer(), "faults": integer(),
            })),
            "runs": array(object(&["run", "version"], json!({ "run": id(), "version": text(), "results": nullable("string"), "compared": {} }))),
        })),
        "PluginPromote": object(&[], json!({ "ignore_thresholds": boolean() })),
    });
    match components {
        Json::Object(components) => components,
        _ => Map::new(),
    }
}
