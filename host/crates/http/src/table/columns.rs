//! Segmentations and scores.

use axum::http::Method;
use axum::routing::{delete, get, post, put};

use super::Endpoint;
use crate::handlers::{changes, scores, segmentations, segments};
use crate::openapi::{Body, Operation, Shape};

const SEGMENTATION: &str = "/api/v1/segmentations/{segmentation}";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/segmentations",
            Operation::new(
                "list_segmentations",
                "Returns every segmentation with the size of its segments.",
                Shape::List("Segmentation"),
            ),
            get(segmentations::list_segmentations),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/segmentations",
            Operation::new(
                "create_segmentation",
                "Makes a segmentation whose members are whoever matches a filter, now and from now on.",
                Shape::Named("Segmentation"),
            )
            .created()
            .body(Body::Named("NewSegmentation"))
            .refuses(&[403, 409, 422]),
            post(segmentations::create_segmentation),
        ),
        Endpoint::new(
            Method::GET,
            SEGMENTATION,
            Operation::new("get_segmentation", "Returns one segmentation.", Shape::Named("Segmentation"))
                .refuses(&[403, 404]),
            get(segmentations::get_segmentation),
        ),
        Endpoint::new(
            Method::PUT,
            SEGMENTATION,
            Operation::new(
                "replace_segmentation",
                "Gives a segmentation that a filter makes another filter, label or description.",
                Shape::Named("Segmentation"),
            )
            .body(Body::Named("NewSegmentation"))
            .refuses(&[403, 404, 422]),
            put(segmentations::replace_segmentation),
        ),
        Endpoint::new(
            Method::DELETE,
            SEGMENTATION,
            Operation::new(
                "remove_segmentation",
                "Removes a segmentation that a filter makes and nothing names.",
                Shape::Nothing,
            )
            .refuses(&[403, 404, 409, 422]),
            delete(segmentations::remove_segmentation),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/segmentations/{segmentation}/uses",
            Operation::new(
                "list_segmentation_uses",
                "Says what names a segmentation: filters of others, campaigns, dashboards, rules, views.",
                Shape::List("SegmentationUse"),
            )
            .refuses(&[403, 404]),
            get(segmentations::list_segmentation_uses),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/segments/{segmentation}/{value}/members",
            Operation::new(
                "list_members",
                "Returns a page of the customers in a segment.",
                Shape::Page("Member"),
            )
            .query(&["limit", "after", "expand", "fields", "labels"])
            .refuses(&[404]),
            get(segments::list_members),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/segmentations/{segmentation}/transitions",
            Operation::new(
                "list_transitions",
                "Returns a page of the customers whose value is another than after the run before.",
                Shape::Named("SegmentTransitions"),
            )
            .query(&["entered", "left", "limit", "after", "expand", "fields", "labels"])
            .refuses(&[404]),
            get(segments::list_transitions),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/segmentations/{segmentation}/explanations/{id}",
            Operation::new(
                "get_explanation",
                "Says why a customer has its value in a segmentation that a plugin or a filter makes.",
                Shape::Named("Explanation"),
            )
            .refuses(&[404, 422]),
            get(segments::get_explanation),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/scores",
            Operation::new(
                "list_scores",
                "Returns every score with how its values are spread.",
                Shape::List("Score"),
            ),
            get(scores::list_scores),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/scores/{score}",
            Operation::new("get_score", "Returns one score.", Shape::Named("Score")).refuses(&[403, 404]),
            get(scores::get_score),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/scores/{score}/rules",
            Operation::new(
                "get_score_rules",
                "Says in words what the model behind a score does.",
                Shape::Named("ScoreRules"),
            )
            .refuses(&[403, 404, 422]),
            get(scores::get_score_rules),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/scores/{score}/explanations/{id}",
            Operation::new(
                "get_score_explanation",
                "Says why a customer has its score.",
                Shape::Named("ScoreExplanation"),
            )
            .refuses(&[404, 422]),
            get(scores::get_score_explanation),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/changes",
            Operation::new("list_changes", "Returns the log entries after a cursor.", Shape::Page("Change"))
                .query(&["limit", "after", "last"])
                .refuses(&[410]),
            get(changes::list_changes),
        ),
    ]
}
