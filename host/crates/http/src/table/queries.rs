//! What is asked of many records at once.

use axum::http::Method;
use axum::routing::post;

use super::Endpoint;
use crate::handlers::records;
use crate::openapi::{Body, Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new(
        Method::POST,
        "/api/v1/{objects}/aggregate",
        Operation::new(
            "aggregate_records",
            "Groups the records that a filter tree matches, and reckons over each group.",
            Shape::Named("Aggregated"),
        )
        .body(Body::Named("Aggregate")),
        post(records::aggregate_records),
    )]
}
