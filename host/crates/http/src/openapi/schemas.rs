//! Components that do not depend on the objects.

use serde_json::{Map, Value as Json, json};

pub(super) fn fixed() -> Map<String, Json> {
    let components = json!({
        "Money": object(&["amount", "currency"], json!({
            "amount": { "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" },
            "currency": { "type": "string", "pattern": "^[A-Z]{3}$" },
        })),
        "Label": object(&["en", "zh-CN"], json!({ "en": text(), "zh-CN": text() })),
        "Page": object(&["next"], json!({ "next": nullable("string"), "prev": nullable("string"), "limit": integer() })),
        "Problem": object(&["type", "title", "status", "code", "correlation_id"], json!({
            "type": { "type": "string", "format": "uri-reference" }, "title": text(), "status": integer(), "code": text(),
            "correlation_id": text(), "detail": text(),
            "errors": array(object(&["field", "code", "message"], json!({ "field": text(), "code": text(), "message": text() }))),
            "current_version": integer(),
            "conflicts": { "type": "object", "description": "Where the version is another (412): of each field what it was, is, and should become." },
            "duplicates": array(component("Duplicate")), "missing_permission": text(), "plugin": text(), "reason": text(),
        })),
        "Search": object(&[], json!({
            "filter": { "type": "object", "description": "A filter tree." },
            "sort": { "oneOf": [text(), array(text())] },
            "limit": integer(), "after": text(), "before": text(), "fields": array(text()),
            "include": array(text()), "labels": boolean(),
            "count": { "type": "string", "enum": ["none", "exact"] }, "deleted": boolean(), "q": text(), "view": text(),
        })),
        "FoundRecord": object(&["object", "id", "title", "score"], json!({
            "object": text(), "id": id(), "title": nullable("string"), "score": integer(),
        })),
        "Batch": object(&["operations"], json!({
            "operations": array(object(&["op"], json!({
                "op": { "type": "string", "enum": ["create", "update", "delete", "restore", "upsert"] },
                "id": text(), "by": text(), "version": integer(), "data": { "type": "object" },
            }))),
            "atomic": { "type": "boolean", "description": "Whether nothing is done where one operation is refused." },
        })),
        "BatchResult": object(&["data", "refused", "job"], json!({
            "data": array(object(&["index", "status"], json!({
                "index": integer(), "status": integer(), "result": text(), "id": id(), "version": integer(),
                "error": component("Problem"),
            }))),
            "refused": integer(), "job": { "type": "string", "format": "uuid", "description": "The cause of these changes: undo them by it." },
        })),
        "BulkEdit": object(&["filter"], json!({
            "filter": { "type": "object", "description": "A filter tree." }, "set": { "type": "object" }, "delete": boolean(),
            "automations": { "type": "boolean", "description": "Whether rules and plugins react; true where it is left out." },
        })),
        "Job": object(&["id", "kind", "state", "progress"], json!({
            "id": id(), "kind": { "type": "string", "examples": trellis_engine::JobKind::ALL.map(trellis_engine::JobKind::as_str) }, "subject": text(),
            "state": { "type": "string", "enum": ["queued", "running", "succeeded", "failed", "cancelled", "interrupted", "paused"] },
            "progress": object(&["done"], json!({ "done": integer(), "total": nullable("integer"), "unit": text() })),
            "created_at": time(), "started_at": nullable("string"), "finished_at": nullable("string"), "attempts": integer(),
            "created_by": { "type": "object" }, "result": {},
            "error": { "type": ["object", "null"], "properties": { "code": text(), "message": text() } },
        })),
        "Plugin": object(&["id", "state", "version"], json!({
            "id": text(), "state": { "type": "string", "enum": ["installed", "enabled", "disabled", "broken"] },
            "broken": nullable("string"), "name": component("Label"), "description": component("Label"),
            "industry": nullable("string"), "provides": array(text()), "config_schema": {}, "config_default": {},
            "version": text(), "versions": array(component("PluginVersion")), "settings": nullable("object"), "previous": nullable("string"), "serving_run": nullable("string"),
            "schema": { "type": "object" }, "rules": array(component("ShippedRule")), "review": component("PluginReview"),
            "health": { "oneOf": [component("PluginHealth"), { "type": "null" }] },
            "requests": array(object(&["grant", "text"], json!({ "grant": text(), "text": component("Label"), "personal": boolean() }))),
            "schedule": { "anyOf": [component("PluginSchedule"), { "type": "null" }] },
            "absent": array(component("PluginAbsence")),
        })),
        "PluginVersion": object(&["version", "digest", "installed_at"], json!({
            "version": text(), "digest": text(), "bytes": integer(), "wit": nullable("string"), "sdk": nullable("string"),
            "imports": array(text()), "installed_at": time(), "installed_by": { "type": "object" }, "broken": nullable("string"),
        })),
        "PluginUse": object(&[], json!({
            "config": {}, "as_of": { "type": "string", "description": "`now` or a date." }, "version": text(),
            "grants": { "type": "array", "items": text(), "description": "What it is granted of its `requests`; everything where this is left out." },
            "absent": component("PluginAbsent"), "on_quarantine": component("OnQuarantine"),
            "reason": text(), "confirm": boolean(), "enable_rules": boolean(), "ignore_self_tests": boolean(),
            "run": { "type": "boolean", "description": "Whether it is run at once: `run` of the answer is the job, or null with `run_problem`." },
            "schedule": {
                "type": ["object", "null"], "description": "When it runs by itself; as its manifest says where this is left out or null.",
                "properties": {
                    "cron": { "type": "string", "description": "Five fields (minute, hour, day, month, weekday) in the organisation's time zone." },
                    "model": { "type": "string", "enum": ["fit", "last"] },
                    "analyses": { "type": "array", "items": text(), "description": "The analyses that it is asked then, with their defaults." },
                    "off": { "type": "boolean", "description": "True: it does not." },
                },
            },
        })),
        "PluginRun": object(&[], json!({
            "config": {}, "as_of": { "type": "string", "description": "`now` or a date." },
            "model": {
                "description": "`fit` learns a new model, `last` uses that of the last run, a number the model of that number; left out, the pinned one or a new one.",
                "anyOf": [{ "type": "string", "enum": ["fit", "last"] }, { "type": "integer", "minimum": 1 }],
            },
            "announce": boolean(),
        })),
        "Explanation": object(&["run", "value", "reasons"], json!({
            "run": id(), "value": nullable("string"), "reasons": array(component("Reason")),
        })),
        "Change": object(&["number", "position", "timestamp", "actor", "cause"], json!({
            "number": integer(), "position": integer(), "timestamp": time(), "actor": { "type": "object" }, "cause": { "type": "object" },
            "changes": array(object(&["type", "object", "id"], json!({
                "type": text(), "object": text(), "id": id(), "fields": nullable("object"),
            }))),
            "event": object(&["type"], json!({ "type": text(), "data": {} })),
        })),
        "Object": object(&["name", "plural", "url", "label", "plural_label", "title", "append_only", "has_columns", "fields"], json!({
            "name": text(), "plural": text(), "url": text(), "label": component("Label"), "plural_label": component("Label"),
            "title": text(), "append_only": boolean(), "has_columns": boolean(), "fields": array(component("Field")),
            "building": array(text()), "retired": boolean(), "origin": {}, "indexes": array(json!({ "type": "object" })),
            "layouts": array(component("Layout")), "pipelines": array(component("Pipeline")),
            "matching_rules": array(json!({ "type": "object" })), "duplicate_rules": array(json!({ "type": "object" })),
            "quality": { "type": "object" },
        })),
        "ObjectDefinition": { "type": "object" },
        "FieldDefinition": { "type": "object" },
        "SchemaDocument": object(&["format", "objects"], json!({
            "format": integer(), "objects": array(component("ObjectDefinition")),
        })),
        "SchemaStep": object(&["kind", "object", "destructive", "text"], json!({
            "kind": text(), "object": text(), "part": nullable("string"), "destructive": boolean(), "text": component("Label"),
        })),
        "SchemaPlan": object(&["version", "steps", "refused"], json!({
            "version": integer(), "steps": array(component("SchemaStep")), "refused": array(component("Label")),
        })),
        "SchemaChanged": object(&["version", "steps", "jobs"], json!({
            "version": integer(), "steps": array(component("SchemaStep")), "jobs": array(id()), "object": component("Object"),
        })),
        "SchemaVersion": object(&["version", "log_number", "timestamp", "actor", "objects", "steps"], json!({
            "version": integer(), "log_number": integer(), "timestamp": time(), "actor": { "type": "object" },
            "objects": array(text()), "steps": array(component("SchemaStep")),
        })),
        "Token": object(&["id", "user", "label"], token()),
        "NewToken": { "allOf": [component("Token"), object(&["token"], json!({ "token": text() }))] },
        "TokenRequest": object(&["label"], json!({ "label": text(), "user": id(), "expires_at": time() })),
        "Me": object(&["user", "username", "token", "administrator"], json!({
            "user": id(), "username": text(), "name": nullable("string"), "token": text(), "administrator": boolean(),
        })),
        "Server": object(&["version", "wit", "wasmtime", "base_currency", "time_zone"], json!({
            "version": text(), "wasmtime": text(), "base_currency": text(), "time_zone": text(),
            "wit": array(object(&["from", "to"], json!({ "from": text(), "to": text() }))),
        })),
        "Health": object(&["status"], json!({ "status": text(), "version": text() })),
        "Readiness": object(&["status"], json!({ "status": text(), "checks": { "type": "object" } })),
    });
    let Json::Object(mut components) = components else { return Map::new() };
    components.extend(super::comparisons::schemas());
    components.extend(super::decisions::schemas());
    components.extend(super::segments::schemas());
    components.extend(super::plugin_health::schemas());
    components.extend(super::queries::schemas());
    components.extend(super::duplicates::schemas());
    components.extend(super::history::schemas());
    components.extend(super::metadata::schemas());
    components.extend(super::models::schemas());
    components.extend(super::reports::schemas());
    components.extend(super::transfer::schemas());
    components.extend(super::plugins::schemas());
    components
}

fn token() -> Json {
    json!({
        "id": text(), "user": id(), "label": text(), "created_at": time(), "expires_at": nullable("string"),
        "last_used_at": nullable("string"),
    })
}

pub(super) fn object(required: &[&str], properties: Json) -> Json {
    json!({ "type": "object", "required": required, "properties": properties })
}

pub(super) fn array(items: Json) -> Json {
    json!({ "type": "array", "items": items })
}

pub(super) fn component(name: &str) -> Json {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

pub(super) fn nullable(kind: &str) -> Json {
    json!({ "type": [kind, "null"] })
}

pub(super) fn text() -> Json {
    json!({ "type": "string" })
}

pub(super) fn id() -> Json {
    json!({ "type": "string", "format": "uuid" })
}

pub(super) fn time() -> Json {
    json!({ "type": "string", "format": "date-time" })
}

pub(super) fn integer() -> Json {
    json!({ "type": "integer" })
}

pub(super) fn number() -> Json {
    json!({ "type": "number" })
}

pub(super) fn boolean() -> Json {
    json!({ "type": "boolean" })
}
