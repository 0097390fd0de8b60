//! Components of imports and exports.

use serde_json::{Map, Value as Json, json};

use super::schemas::{array, boolean, id, integer, nullable, object, text, time};

pub(super) fn schemas() -> Map<String, Json> {
    let options = json!({ "type": "object", "properties": {
        "encoding": nullable("string"), "delimiter": nullable("string"), "header": nullable("boolean"), "sheet": nullable("string"),
    } });
    let column = object(
        &["name", "samples"],
        json!({ "name": text(), "samples": array(text()), "field": nullable("string") }),
    );
    let components = json!({
        "PreparedImport": object(&["id", "state", "columns", "rows"], json!({
            "id": id(), "file_name": text(), "state": { "type": "string", "enum": ["draft", "started"] },
            "created_at": time(), "changed_at": time(), "options": options, "sheets": array(text()), "columns": array(column),
            "rows": integer(), "header_signature": text(), "object": nullable("string"), "mapping": nullable("object"),
            "mapping_is_saved_one": boolean(), "automations": boolean(), "edited_rows": array(integer()),
            "dropped_rows": array(integer()), "checked": nullable("object"), "job": nullable("string"),
        })),
        "PreparedImportPatch": object(&[], json!({
            "object": text(), "mapping": { "type": "object" }, "options": options, "automations": boolean(),
        })),
        "ImportRowPatch": object(&["cells"], json!({
            "cells": { "type": "object", "additionalProperties": text() },
        })),
        "Export": object(&[], json!({
            "format": { "type": "string", "enum": ["csv", "xlsx", "jsonl"] },
            "columns": { "type": ["array", "null"], "items": text(), "description": "Fields by API name, in order; null is all." },
            "filter": { "type": ["object", "null"], "description": "A filter tree." }, "sort": nullable("string"),
            "header": { "type": "string", "enum": ["labels", "names"] },
            "references": { "type": "string", "enum": ["titles", "ids"] },
            "encoding": { "type": "string", "enum": ["utf-8-bom", "utf-8", "gb18030"] },
            "guard": { "type": "boolean", "description": "Whether texts of CSV that look like formulas get an apostrophe." },
            "language": { "type": "string", "enum": ["en", "zh-CN"] },
        })),
    });
    let Json::Object(components) = components else { return Map::new() };
    components
}
