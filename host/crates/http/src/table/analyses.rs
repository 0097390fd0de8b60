//! Questions about a whole population.

use axum::http::Method;
use axum::routing::{delete, get, post};

use super::Endpoint;
use crate::handlers::analyses;
use crate::openapi::{Body, Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let results = "/api/v1/plugins/{id}/analyses/{analysis}/results";
    let result = "/api/v1/plugins/{id}/analyses/{analysis}/results/{result}";
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/plugins/{id}/analyses",
            Operation::new(
                "list_analyses",
                "Returns the questions that an enabled plugin answers, with what can be said with each.",
                Shape::List("Analysis"),
            )
            .refuses(&[403, 404, 409, 422]),
            get(analyses::list_analyses),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/plugins/{id}/analyses/{analysis}",
            Operation::new("run_analysis", "Has a plugin answer a question, as a job.", Shape::Named("Job"))
                .accepted()
                .body(Body::Named("AnalysisRequest"))
                .refuses(&[403, 404, 409, 422, 429]),
            post(analyses::run_analysis),
        ),
        Endpoint::new(
            Method::GET,
            results,
            Operation::new(
                "list_analysis_results",
                "Returns a page of the answers to a question, the newest first, without their reports.",
                Shape::Page("AnalysisResult"),
            )
            .query(&["limit", "after"])
            .refuses(&[403, 404]),
            get(analyses::list_analysis_results),
        ),
        Endpoint::new(
            Method::DELETE,
            results,
            Operation::new(
                "delete_analysis_results",
                "Deletes every answer to a question, also of a plugin that was removed, and says how many there were.",
                Shape::Named("Deleted"),
            )
            .refuses(&[403, 404]),
            delete(analyses::delete_analysis_results),
        ),
        Endpoint::new(
            Method::DELETE,
            result,
            Operation::new(
                "delete_analysis_result",
                "Deletes an answer with its report, also of a plugin that was removed.",
                Shape::Nothing,
            )
            .refuses(&[403, 404]),
            delete(analyses::delete_analysis_result),
        ),
        Endpoint::new(
            Method::GET,
            result,
            Operation::new(
                "get_analysis_result",
                "Returns an answer: the report, and what it was made of.",
                Shape::Named("AnalysisAnswer"),
            )
            .refuses(&[403, 404]),
            get(analyses::get_analysis_result),
        ),
    ]
}
