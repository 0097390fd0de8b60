//! Components that say what objects are like: fields, layouts, pipelines.

use serde_json::{Map, Value as Json, json};

use super::schemas::{array, boolean, component, integer, number, object, text};

/// The names of all types of fields.
const TYPES: [&str; 12] = [
    "text",
    "number",
    "integer",
    "money",
    "bool",
    "date",
    "time",
    "choice",
    "multi_choice",
    "reference",
    "list",
    "json",
];

pub(super) fn schemas() -> Map<String, Json> {
    let filter = || json!({ "type": "object", "description": "A filter tree." });
    let kind = || json!({ "type": "string", "enum": TYPES });
    let of = object(
        &["type"],
        json!({ "type": kind(), "characters_max": integer(), "object": text(), "options": array(component("ChoiceOption")) }),
    );
    let required = [
        "name",
        "label",
        "description",
        "type",
        "required",
        "unique",
        "indexed",
        "personal_data",
        "computed",
        "writable",
    ];
    let components = json!({
        "ChoiceOption": object(&["value", "label"], json!({
            "value": text(), "label": component("Label"), "retired": boolean(),
        })),
        "Field": object(&required, json!({
            "name": text(), "label": component("Label"), "description": component("Label"), "type": kind(),
            "required": boolean(), "unique": boolean(), "indexed": boolean(), "personal_data": boolean(), "computed": boolean(),
            "writable": { "type": "boolean", "description": "Whether the caller may change it." },
            "characters_max": integer(),
            "options": { "type": "array", "items": component("ChoiceOption"), "description": "Of a choice, in the order in which they are shown." },
            "object": { "type": "string", "description": "Which object a reference, or a list of references, leads to." },
            "of": of,
            "format": { "type": "string", "description": "What the text is: `email`, `phone`, `url`…" },
            "required_if": filter(), "default": {}, "formula": { "type": "object" }, "roll_up": { "type": "object" },
            "retired": boolean(), "origin": {},
        })),
        "Layout": object(&["name", "label"], json!({
            "name": text(), "label": component("Label"), "when": filter(),
            "columns": array(text()), "sort": text(),
            "sections": array(object(&["name", "label", "fields"], json!({
                "name": text(), "label": component("Label"), "fields": array(text()),
            }))),
            "related": array(object(&["object", "reference"], json!({
                "object": text(), "reference": text(), "columns": array(text()), "sort": text(),
            }))),
        })),
        "Pipeline": object(&["name", "label", "stage", "stages"], json!({
            "name": text(), "label": component("Label"), "when": filter(),
            "stage": { "type": "string", "description": "The choice that holds the stage." },
            "entered_at": text(), "probability": text(), "tasks_done": text(), "closed_at": text(),
            "stages": array(object(&["value"], json!({
                "value": text(), "goal": component("Label"), "required": array(text()), "probability": number(),
                "days_max": integer(), "outcome": text(),
                "tasks": array(object(&["name", "label", "required"], json!({
                    "name": text(), "label": component("Label"), "required": boolean(),
                }))),
            }))),
        })),
    });
    if let Json::Object(components) = components { components } else { Map::new() }
}
