//! Rules, workflows, campaigns, and why they decided so.

use axum::http::Method;
use axum::routing::{get, post};

use super::Endpoint;
use crate::handlers::{campaigns, decisions, rules, workflows};
use crate::openapi::{Body, Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let decision = Shape::Named("Decision");
    let suggestions = "/api/v1/{objects}/{id}/suggestions";
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/decisions",
            Operation::new(
                "list_decisions",
                "Returns a page of what plugins and rules decided, the newest first.",
                Shape::Page("Decision"),
            )
            .query(&["limit", "after", "object", "record", "plugin", "rule", "kind"])
            .refuses(&[403]),
            get(decisions::list_decisions),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/decisions/{id}",
            Operation::new("get_decision", "Returns one decision.", decision).refuses(&[403, 404]),
            get(decisions::get_decision),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/decisions/{id}/replay",
            Operation::new(
                "replay_decision",
                "Makes a decision again from its recorded inputs and compares; changes nothing.",
                Shape::Named("DecisionReplay"),
            )
            .body(Body::Named("DecisionReplayWith"))
            .refuses(&[403, 404, 409, 410, 422]),
            post(decisions::replay_decision),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/rules/check",
            Operation::new(
                "check_rule",
                "Says whether a script can be used as a rule.",
                Shape::Named("RuleCheck"),
            )
            .body(Body::Named("RuleSource"))
            .refuses(&[403]),
            post(rules::check_rule),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/rules/test",
            Operation::new(
                "test_draft",
                "Says what a script would do to a record; changes nothing.",
                Shape::Named("RuleTest"),
            )
            .body(Body::Named("RuleDraft"))
            .refuses(&[403, 404, 422]),
            post(rules::test_draft),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/rules/{id}/test",
            Operation::new(
                "test_rule",
                "Says what a stored rule would do to a record; changes nothing.",
                Shape::Named("RuleTest"),
            )
            .body(Body::Named("RuleTarget"))
            .refuses(&[403, 404, 422]),
            post(rules::test_rule),
        ),
        Endpoint::new(
            Method::GET,
            suggestions,
            Operation::new(
                "list_record_suggestions",
                "Returns what plugins suggest to do with a record.",
                Shape::List("Suggestion"),
            )
            .refuses(&[404]),
            get(workflows::list_record_suggestions),
        ),
        Endpoint::new(
            Method::POST,
            suggestions,
            Operation::new("apply_record_suggestion", "Does what a plugin suggests.", decision)
                .body(Body::Named("SuggestionChoice"))
                .refuses(&[404, 409, 422]),
            post(workflows::apply_record_suggestion),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/segments/{segmentation}/{value}/campaign",
            Operation::new(
                "create_segment_campaign",
                "Makes a campaign whose audience are the customers of a segment: those who are in it now, or whoever is at any time.",
                Shape::Named("SegmentCampaignMade"),
            )
            .created()
            .body(Body::Named("SegmentCampaign"))
            .refuses(&[403, 404, 409, 422]),
            post(campaigns::create_segment_campaign),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/campaigns/{id}/run",
            Operation::new(
                "run_campaign",
                "Decides for every customer of a campaign's audience, as a job.",
                Shape::Named("Job"),
            )
            .accepted()
            .refuses(&[403, 404, 409, 422, 429]),
            post(campaigns::run_campaign),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/campaigns/{id}/eligibility/{account}",
            Operation::new(
                "get_eligibility",
                "Says whether a customer may take part in a campaign now, and why.",
                Shape::Named("Eligibility"),
            )
            .refuses(&[404, 409, 422]),
            get(campaigns::get_eligibility),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/campaigns/{id}/evaluation",
            Operation::new(
                "get_evaluation",
                "Says what came of a campaign so far.",
                Shape::Named("CampaignEvaluation"),
            )
            .refuses(&[403, 404, 409, 422]),
            get(campaigns::get_evaluation),
        ),
    ]
}
