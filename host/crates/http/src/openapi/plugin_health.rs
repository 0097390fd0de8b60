//! Components about how plugins do.

use serde_json::{Map, Value as Json, json};

use super::schemas::{component, integer, nullable, object, text};

pub(super) fn schemas() -> Map<String, Json> {
    let components = json!({
        "PluginHealth": object(&["state", "strikes"], json!({
            "state": { "type": "string", "enum": ["healthy", "backing-off", "trying", "quarantined"] },
            "until": { "type": ["string", "null"], "format": "date-time", "description": "When it is tried again." },
            "strikes": integer(),
            "last_fault": { "type": ["object", "null"], "properties": { "at": text(), "function": text(), "reason": text() } },
        })),
        "PluginMetrics": object(&["plugin", "functions"], json!({
            "plugin": text(), "version": nullable("string"),
            "health": { "oneOf": [component("PluginHealth"), { "type": "null" }] },
            "strikes_total": integer(), "calls_refused": integer(), "poison_rows": integer(), "log_lines_dropped": integer(),
            "functions": { "type": "object", "additionalProperties": object(&["calls", "faults"], json!({
                "calls": integer(), "faults": { "type": "object", "additionalProperties": integer() },
                "rows": integer(), "bytes": integer(), "log_lines_dropped": integer(),
                "p50_us": integer(), "p95_us": integer(), "p99_us": integer(), "total_us": integer(), "cpu_us": integer(),
            })) },
        })),
        "PluginLogLine": object(&["at", "function", "level", "message"], json!({
            "at": text(), "function": text(), "message": text(),
            "level": { "type": "string", "enum": ["debug", "info", "warn", "error"] },
        })),
        "PoisonRow": object(&["function", "at", "reason"], json!({
            "function": text(), "ordinal": nullable("integer"), "record": nullable("string"), "at": text(),
            "reason": component("Label"),
        })),
    });
    match components {
        Json::Object(components) => components,
        _ => Map::new(),
    }
}
