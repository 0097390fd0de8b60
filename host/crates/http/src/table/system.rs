//! Jobs, changes, tokens, health.

use axum::http::Method;
use axum::routing::{delete, get, post};

use super::Endpoint;
use crate::handlers::{health, jobs, me, openapi, server, tokens};
use crate::openapi::{Body, Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let job = Shape::Named("Job");
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/jobs",
            Operation::new("list_jobs", "Returns a page of jobs, the newest first.", Shape::Page("Job"))
                .query(&["limit", "after"]),
            get(jobs::list_jobs),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/jobs/{id}",
            Operation::new("get_job", "Returns one job.", job).refuses(&[404]),
            get(jobs::get_job),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/jobs/{id}/cancel",
            Operation::new("cancel_job", "Asks a job to stop.", job).accepted().refuses(&[404]),
            post(jobs::cancel_job),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/tokens",
            Operation::new("list_tokens", "Returns tokens without their secrets.", Shape::List("Token")),
            get(tokens::list_tokens),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/tokens",
            Operation::new(
                "create_token",
                "Makes a token; its text is in this answer only.",
                Shape::Named("NewToken"),
            )
            .created()
            .body(Body::Named("TokenRequest"))
            .refuses(&[409, 422]),
            post(tokens::create_token),
        ),
        Endpoint::new(
            Method::DELETE,
            "/api/v1/tokens/{id}",
            Operation::new("revoke_token", "Ends a token.", Shape::Nothing).refuses(&[404]),
            delete(tokens::revoke_token),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/health",
            Operation::public(
                "get_health",
                "Answers as long as the process serves requests.",
                Shape::Named("Health"),
            ),
            get(health::get_health),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/ready",
            Operation::public(
                "get_readiness",
                "Says whether the server can do its work.",
                Shape::Named("Readiness"),
            )
            .refuses(&[503]),
            get(health::get_readiness),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/me",
            Operation::new("get_me", "Says whose token it is.", Shape::Named("Me")),
            get(me::get_me),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/server",
            Operation::new(
                "get_server",
                "Says which versions of the plugin interfaces run here, on which engine, and by which money and clock.",
                Shape::Named("Server"),
            ),
            get(server::get_server),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/openapi.json",
            Operation::new("get_openapi", "Returns this description.", Shape::Json),
            get(openapi::get_openapi),
        ),
    ]
}
