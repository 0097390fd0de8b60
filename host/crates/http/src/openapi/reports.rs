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
            "warnings": { "type": "array", "items": component("Label"), "description": "What somebody has to be told." },
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
        "Deleted": object(&["deleted"], json!({ "deleted": integer() })),
        "AnalysisResult": object(&["id", "job", "plugin", "version", "analysis", "answered_at"], json!({
            "id": id(), "job": id(), "plugin": text(), "version": text(), "digest": text(), "analysis": text(), "label": component("Label"),
            "config_digest": text(), "parameters": { "type": "object" }, "as_of": as_of(), "rows": integer(),
            "log": { "type": "integer", "description": "The log entry up to which changes were in the data when the question began." },
            "log_until": { "type": "integer", "description": "The newest log entry when the last dataset had been read; where it is that of `log`, all data is of one moment." },
            "personal": { "type": "boolean", "description": "Whether the plugin was granted personal data that it reads, so that the report may hold some." },
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
    object(
        &["name", "label", "description", "drawing", "rows", "columns"],
        json!({
            "name": text(), "label": component("Label"), "description": component("Label"), "drawing": drawing(), "rows": integer(),
            "columns": array(json!({ "oneOf": columns() })),
        }),
    )
}

/// A column of each type: its values are written as fields of that type are.
#[expect(clippy::indexing_slicing, reason = "a JSON object that is made here takes any member")]
fn columns() -> Vec<Json> {
    let money = json!({ "anyOf": [component("Money"), { "type": "null" }] });
    let of_format = |format: &str| json!({ "type": ["string", "null"], "format": format });
    let types = [
        ("number", nullable("number")),
        ("integer", nullable("integer")),
        ("bool", nullable("boolean")),
        ("date", of_format("date")),
        ("time", of_format("date-time")),
        ("money", money),
        ("text", nullable("string")),
    ];
    let column = |(name, values): (&str, Json)| {
        let mut properties = json!({
            "name": text(), "label": component("Label"), "unit": component("Label"), "type": { "const": name },
            "values": array(values),
        });
        let mut required = vec!["name", "label", "unit", "type", "values"];
        match name {
            "money" => {
                properties["currency"] = text();
                required.push("currency");
            }
            "text" => {
                properties["zh-CN"] = json!({
                    "type": "array", "items": nullable("string"), "description": "The same words in Simplified Chinese.",
                });
            }
            _ => {}
        }
        object(&required, properties)
    };
    types.map(column).to_vec()
}

/// How a panel is drawn; one of a kind that is not known is shown as the table.
#[expect(clippy::indexing_slicing, reason = "a JSON object that is made here takes any member")]
fn drawing() -> Json {
    let of = |kind: &str, required: &[&str], mut properties: Json| {
        properties["kind"] = json!({ "const": kind });
        let required: Vec<&str> = ["kind"].iter().chain(required).copied().collect();
        object(&required, properties)
    };
    let intervals = json!({ "type": "array", "items": { "type": "array", "items": text() } });
    let chart =
        || json!({ "x": text(), "y": array(text()), "series": nullable("string"), "intervals": intervals });
    let of_chart = ["x", "y", "series", "intervals"];
    let known = ["table", "bar", "line", "scatter", "matrix", "tree", "graph"];
    let other = json!({ "kind": { "type": "string", "not": { "enum": known } }, "more": {} });
    json!({ "oneOf": [
        of("table", &[], json!({})),
        of("bar", &of_chart, chart()),
        of("line", &of_chart, chart()),
        of("scatter", &of_chart, chart()),
        of("matrix", &["row", "column", "value"], json!({ "row": text(), "column": text(), "value": text() })),
        of("tree", &["node", "parent", "label", "value"], json!({
            "node": text(), "parent": text(), "label": text(), "value": nullable("string"),
        })),
        of("graph", &["source", "target", "weight"], json!({ "source": text(), "target": text(), "weight": nullable("string") })),
        object(&["kind"], other),
    ] })
}
