//! Duplicates and merging.

use axum::http::Method;
use axum::routing::post;

use super::Endpoint;
use crate::handlers::{duplicates, merge};
use crate::openapi::{Body, Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}/duplicates/check",
            Operation::new(
                "check_duplicates_of_record",
                "Returns the records that look like one.",
                Shape::Named("DuplicateCheck"),
            )
            .body(Body::Named("DuplicateCheckRequest"))
            .refuses(&[404, 422]),
            post(duplicates::check_duplicates),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}/duplicates/scan",
            Operation::new(
                "scan_duplicates_of_records",
                "Starts a job that fills the queue of possible duplicates.",
                Shape::Named("Job"),
            )
            .accepted()
            .body(Body::Named("DuplicateScanRequest"))
            .refuses(&[403, 422, 429]),
            post(duplicates::scan_duplicates),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}/merge",
            Operation::new(
                "merge_records",
                "Starts a job that merges records into one.",
                Shape::Named("Job"),
            )
            .accepted()
            .query(&["dry_run"])
            .body(Body::Named("MergeRequest"))
            .refuses(&[403, 404, 409, 422, 429]),
            post(merge::merge_records),
        ),
    ]
}
