//! Components about reports and analyses: `host/docs/reports.md`.

use serde_json::{Map, Value as Json, json};

use super::schemas::{array, component, id, integer, nullable, number, object, text, time};

pub(super) fn schemas() -> Map<String, Json> {
    let as_of = || json!({ "type": "string", "description": "`now` or a date." });
    let components = json!({
        "Metric": object(&["name", "label", "value"], json!({
            "name": text(), "label": component("Label"), "value": number(),
        })),
        "Report": object(&["summary", "metrics", "panels"], json!({
            "summary": component("Label"), "metrics": array(component("Metric")), "panels": array(component("Panel")),
        })),
        "Panel": panel(),
        "ModelReport": { "allOf": [component("Report"), object(&["plugin", "version", "model", "learned_by"], json!({
            "plugin": text(), "version": { "type": "string", "description": "The version that shows it." }, "digest": text(),
            "model": nullable("integer"), "learned_by": interface(), "interfaces": array(interface()),
        }))] },
        "Analysis": object(&["name", "label", "parameters"], json!({
            "name": text(), "label": component("Label"), "description": component("Label"), "dataset": nullable("string"),
            "parameters": { "type": "object", "description": "JSON Schema of what is said with the question." },
        })),
        "AnalysisRequest": object(&[], json!({
            "parameters": { "type": "object", "description": "What is said with the question; what is left out has its default." },
            "as_of": as_of(),
        })),
        "AnalysisResult": object(&["id", "plugin", "version", "analysis", "answered_at"], json!({
            "id": id(), "plugin": text(), "version": text(), "digest": text(), "analysis": text(), "label": component("Label"),
            "config_digest": text(), "parameters": { "type": "object" }, "as_of": as_of(), "log": integer(), "rows": integer(),
            "took_ms": integer(), "answered_at": time(), "asked_by": { "type": "object" }, "summary": component("Label"),
        })),
        "AnalysisAnswer": { "allOf": [component("AnalysisResult"), object(&["report"], json!({ "report": component("Report") }))] },
    });
    match components {
        Json::Object(components) => components,
        _ => Map::new(),
    }
}

fn interface() -> Json {
    json!({ "type": "string", "enum": ["segmentation", "scoring"] })
}

fn panel() -> Json {
    let types = ["number", "integer", "bool", "date", "time", "money", "text"];
    let kinds = ["table", "bar", "line", "scatter", "matrix", "tree", "graph"];
    let column = object(
        &["name", "label", "unit", "type", "values"],
        json!({
            "name": text(), "label": component("Label"), "unit": component("Label"), "type": { "type": "string", "enum": types },
            "currency": text(), "values": array(json!({})),
            "zh-CN": { "type": "array", "items": nullable("string"), "description": "The same words in Simplified Chinese." },
        }),
    );
    let drawing = object(
        &["kind"],
        json!({
            "kind": { "type": "string", "examples": kinds, "description": "One that is not known is shown as the table." },
            "x": text(), "y": array(text()), "series": nullable("string"),
            "intervals": { "type": "array", "items": { "type": "array", "items": text() } },
            "more": {},
            "row": text(), "column": text(), "value": nullable("string"), "node": text(), "parent": text(), "label": text(),
            "source": text(), "target": text(), "weight": nullable("string"),
        }),
    );
    object(
        &["name", "label", "description", "drawing", "rows", "columns"],
        json!({
            "name": text(), "label": component("Label"), "description": component("Label"), "drawing": drawing, "rows": integer(),
            "columns": array(column),
        }),
    )
}
