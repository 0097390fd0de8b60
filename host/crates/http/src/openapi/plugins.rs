//! Components of the life of plugins.

use serde_json::{Map, Value as Json, json};

use super::schemas::{array, boolean, component, integer, nullable, object, text, time};

pub(super) fn schemas() -> Map<String, Json> {
    let components = json!({
        "PluginUpgrade": object(&[], json!({
            "version": { "type": "string", "description": "The newest one that is not broken where this is left out." },
            "config": { "description": "The configuration in use where this is left out." },
            "grants": { "type": "array", "items": text(), "description": "What was granted so far where this is left out." },
            "reason": text(), "confirm": boolean(), "enable_rules": boolean(), "ignore_self_tests": boolean(),
            "run": { "type": "boolean", "description": "Whether it is run at once: `run` of the answer is the job, or null with `run_problem`." },
            "absent": component("PluginAbsent"), "on_quarantine": component("OnQuarantine"),
        })),
        "PluginAbsent": {
            "type": "object",
            "description": "What happens while the plugin cannot be called, where that is not what its manifest says.",
            "properties": {
                "segmentation": { "type": "string", "enum": ["keep", "clear"] },
                "scoring": { "type": "string", "enum": ["keep", "clear"] },
                "campaign-rules": { "type": "string", "enum": ["refuse", "skip"] },
                "service-workflow": { "type": "string", "enum": ["skip"] },
                "close-check": { "type": "string", "enum": ["refuse", "accept"] },
                "record-hook": { "type": "string", "enum": ["refuse", "accept"] },
            },
            "additionalProperties": false,
        },
        "OnQuarantine": {
            "type": "string", "enum": ["stay", "roll-back"],
            "description": "What happens when the version in use is quarantined: it stays, or the use before comes back.",
        },
        "PluginAbsence": object(&["for", "policy", "from"], json!({
            "for": text(), "object": nullable("string"), "policy": text(), "text": component("Label"),
            "from": { "type": "string", "enum": ["settings", "plugin"] }, "declared": text(), "choices": array(text()),
        })),
        "PluginRemoved": object(&["rules_switched_off", "schema"], json!({
            "rules_switched_off": integer(), "schema": { "type": "object" },
        })),
        "ShippedRule": object(&["external_id", "name", "state"], json!({
            "external_id": text(), "name": component("Label"),
            "state": { "type": "string", "enum": ["added", "updated", "unchanged", "edited", "deleted", "withdrawn"] },
        })),
        "NamesDiff": object(&["added", "removed", "kept"], json!({
            "added": array(text()), "removed": array(text()), "kept": array(text()),
        })),
        "ReviewedName": object(&["name", "label", "personal"], json!({
            "name": text(), "label": {}, "personal": boolean(),
        })),
        "ReviewedSchedule": object(&["cron", "model", "text", "next_run_at"], json!({
            "cron": text(), "model": text(), "analyses": array(text()), "text": component("Label"), "next_run_at": array(time()),
        })),
        "ReviewDiff": object(&["requests", "ungranted"], json!({
                "from": nullable("string"), "requests": component("NamesDiff"), "ungranted": array(text()),
                "settings": component("NamesDiff"), "settings_changed": array(text()), "config_problems": array(text()),
                "outputs": component("NamesDiff"), "provides": component("NamesDiff"), "imports": component("NamesDiff"),
        })),
        "PluginReview": object(&["plugin", "version", "requests", "limits"], json!({
            "plugin": text(), "version": text(), "name": component("Label"), "description": component("Label"), "digest": text(),
            "bytes": integer(), "core_modules": integer(), "wit": text(), "sdk": nullable("string"), "provides": array(text()),
            "imports": array(text()), "wasi": boolean(),
            "requests": array(object(&["grant", "text", "way"], json!({
                "grant": text(), "text": component("Label"), "personal": boolean(), "way": text(), "action": nullable("string"), "object": {},
                "fields": array(component("ReviewedName")),
            }))),
            "schedule": { "anyOf": [component("ReviewedSchedule"), { "type": "null" }] },
            "absent": array(component("PluginAbsence")),
            "hooks": array(json!({ "type": "object" })), "limits": { "type": "object" },
            "outputs": array(object(&["kind", "name"], json!({ "kind": text(), "name": text(), "label": component("Label") }))),
            "schema": object(&["steps", "refused"], json!({
                "steps": array(component("SchemaStep")), "refused": array(component("Label")),
            })),
            "rules": array(component("ShippedRule")),
            "tests": object(&["passed", "summary", "cases"], json!({
                "passed": boolean(), "summary": component("Label"), "cases": array(json!({ "type": "object" })),
            })),
            "diff": { "anyOf": [component("ReviewDiff"), { "type": "null" }] },
        })),
        "PluginRollBack": object(&[], json!({
            "switch": { "type": "integer", "description": "The number of a switch; the previous one where this is left out." },
            "reason": text(),
        })),
        "PluginSwitch": object(&["switch", "kind", "version"], json!({
            "switch": integer(), "kind": { "type": "string", "enum": ["enabled", "upgraded", "rolled_back"] },
            "version": text(), "digest": text(), "config": {}, "as_of": text(),
            "grants": { "type": ["array", "null"], "items": text() }, "timestamp": time(),
            "actor": { "type": "object" }, "reason": nullable("string"), "current": boolean(), "previous": boolean(),
        })),
    });
    let Json::Object(components) = components else { return Map::new() };
    components
}
