//! Full-text search over all objects.

use axum::http::Method;
use axum::routing::{get, post};

use super::Endpoint;
use crate::handlers::search;
use crate::openapi::{Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/search",
            Operation::new(
                "find_records",
                "Returns the records of all objects, or of some, that a text finds, the best first.",
                Shape::List("FoundRecord"),
            )
            .query(&["q", "objects", "limit", "wait"])
            .refuses(&[404, 503]),
            get(search::find_records),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/search/rebuild",
            Operation::new(
                "rebuild_search",
                "Builds the index of full-text search anew, while the old one serves.",
                Shape::Named("Job"),
            )
            .accepted()
            .refuses(&[429, 503]),
            post(search::rebuild_search),
        ),
    ]
}
