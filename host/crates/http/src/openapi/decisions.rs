//! Components about what plugins and rules decide.

use serde_json::{Map, Value as Json, json};

use super::schemas::{array, boolean, component, id, integer, nullable, number, object, text, time};

pub(super) fn schemas() -> Map<String, Json> {
    let components = json!({
        "Reason": object(&["code", "text", "weight"], json!({
            "code": text(), "text": { "type": "string", "description": "In the language of `Accept-Language`." },
            "weight": number(),
        })),
        "Score": object(&["name", "object", "bands"], json!({
            "name": text(), "aliases": array(text()), "object": text(), "label": component("Label"), "description": component("Label"),
            "unit": component("Label"), "range": object(&[], json!({ "minimum": nullable("number"), "maximum": nullable("number") })),
            "source": component("ResultSource"),
            "bands": array(object(&["value", "lowest", "count"], json!({
                "value": text(), "label": component("Label"), "description": component("Label"), "lowest": number(), "count": integer(),
            }))),
            "count": integer(), "null_count": integer(), "minimum": nullable("number"), "maximum": nullable("number"),
            "mean": nullable("number"), "current": nullable("object"), "stale": boolean(), "cleared": boolean(), "damaged": nullable("string"),
        })),
        "ScoreRules": object(&["score", "markdown"], json!({ "score": text(), "markdown": text() })),
        "ScoreExplanation": object(&["score", "run", "plugin", "version", "value", "reasons"], json!({
            "score": text(), "run": id(), "plugin": text(), "version": text(), "as_of": text(), "value": nullable("number"),
            "band": nullable("string"), "reasons": array(component("Reason")),
        })),
        "Run": object(&["run", "plugin", "version"], json!({
            "run": id(), "plugin": text(), "name": { "description": "What the plugin was called, also where it was removed since." }, "version": text(), "digest": text(), "as_of": text(), "log": integer(), "seed": text(),
            "generation": integer(), "baseline": boolean(), "model": nullable("integer"), "can_be_replayed": boolean(), "result": {},
        })),
        "Decision": object(&["id", "kind", "timestamp", "by", "object", "record", "reasons", "actions"], json!({
            "id": id(), "kind": text(), "timestamp": time(),
            "by": object(&["kind", "id", "version"], json!({ "kind": { "type": "string", "enum": ["plugin", "rule"] }, "id": text(), "version": {}, "name": component("Label") })),
            "object": text(), "record": id(), "log": nullable("integer"), "depth": integer(), "job": nullable("string"), "outcome": {},
            "reasons": array(component("Reason")),
            "actions": array(object(&["kind", "state"], json!({
                "kind": text(), "action": {}, "state": { "type": "string", "enum": ["pending", "applied", "unchanged", "refused"] },
                "code": nullable("string"), "message": nullable("string"), "record": nullable("object"), "log": nullable("integer"),
            }))),
            "can_be_replayed": boolean(),
        })),
        "DecisionReplay": object(&["same"], json!({ "same": boolean(), "recorded": {}, "replayed": {} })),
        "RuleSource": object(&["object", "trigger", "source"], rule_source()),
        "RuleCheck": object(&["valid"], json!({ "valid": boolean(), "problem": nullable("object") })),
        "RuleTarget": object(&[], rule_target()),
        "RuleDraft": object(&["object", "trigger", "source"], rule_draft()),
        "RuleTest": object(&["changes", "vetoes", "actions"], json!({
            "changes": { "type": "object" },
            "vetoes": array(object(&["code", "message"], json!({ "field": nullable("string"), "code": text(), "message": text() }))),
            "actions": array(json!({ "type": "object" })), "reasons": array(component("Reason")), "printed": array(text()), "error": nullable("object"),
        })),
        "Suggestion": object(&["plugin", "version", "name", "label", "reasons", "actions"], json!({
            "plugin": text(), "version": text(), "name": text(), "label": component("Label"), "reasons": array(component("Reason")),
            "actions": array(json!({ "type": "object" })),
        })),
        "SuggestionChoice": object(&["plugin", "name"], json!({ "plugin": text(), "name": text() })),
        "Eligibility": object(&["plugin", "version", "eligible", "reasons"], json!({
            "plugin": text(), "version": text(), "eligible": boolean(), "cause": nullable("string"), "variant": nullable("string"),
            "member": nullable("string"), "reasons": array(component("Reason")),
        })),
        "SegmentCampaign": object(&["campaign"], json!({
            "campaign": { "type": "object", "description": "The fields of the campaign, without its audience." },
            "only": { "type": "object", "description": "A filter over accounts: which customers of the segment." },
            "follows": { "type": "boolean", "default": false, "description": "Whether the audience is whoever is in the segment at any time, instead of those who are now." },
        })),
        "SegmentCampaignMade": object(&["campaign", "customers", "follows", "segment"], json!({
            "campaign": id(), "customers": integer(), "follows": boolean(),
            "segment": object(&["segmentation", "value", "label"], json!({
                "segmentation": text(), "value": text(), "label": component("Label"),
                "result": nullable("object"),
            })),
        })),
        "CampaignEvaluation": { "allOf": [component("Report"), object(&["plugin", "version", "members"], json!({
            "plugin": text(), "version": text(), "members": integer(),
        }))] },
    });
    match components {
        Json::Object(components) => components,
        _ => Map::new(),
    }
}

fn rule_source() -> Json {
    let trigger = json!({ "type": "string", "enum": ["before_save", "after_save", "transition"] });
    json!({ "object": text(), "trigger": trigger, "source": text() })
}

fn rule_target() -> Json {
    json!({
        "id": { "type": "string", "format": "uuid", "description": "A stored record; without it, one that would be created." },
        "fields": { "type": "object", "description": "Changes to it, or the fields of the new one." },
    })
}

fn rule_draft() -> Json {
    let mut draft = rule_source();
    if let Some(draft) = draft.as_object_mut() {
        draft.insert("watches".into(), text());
        draft.insert("reads_personal_data".into(), boolean());
        draft.insert("on".into(), component("RuleTarget"));
    }
    draft
}
