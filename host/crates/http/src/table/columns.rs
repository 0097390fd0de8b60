//! Segmentations and scores.

use axum::http::Method;
use axum::routing::get;

use super::Endpoint;
use crate::handlers::{changes, scores, segments};
use crate::openapi::{Operation, Shape};

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
            get(segments::list_segmentations),
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
                "Says why a customer has its value in a plugin's segmentation.",
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
