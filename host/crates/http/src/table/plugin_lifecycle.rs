//! Versions of plugins: which one serves, and the way back.

use axum::http::Method;
use axum::routing::{delete, get, post};

use super::Endpoint;
use crate::handlers::plugins::{lifecycle, review};
use crate::openapi::{Body, Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let plugin = Shape::Named("Plugin");
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/plugins/{id}/upgrade",
            Operation::new("upgrade_plugin", "Has another version of a plugin take over.", plugin)
                .body(Body::Named("PluginUpgrade"))
                .refuses(&[404, 409, 422]),
            post(lifecycle::upgrade_plugin),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/plugins/{id}/roll-back",
            Operation::new(
                "roll_back_plugin",
                "Brings back version, configuration and grants as they were before the last switch.",
                plugin,
            )
            .body(Body::Named("PluginRollBack"))
            .refuses(&[404, 409, 422]),
            post(lifecycle::roll_back_plugin),
        ),
        Endpoint::new(
            Method::DELETE,
            "/api/v1/plugins/{id}",
            Operation::new(
                "remove_plugin",
                "Removes a plugin; what it put out and brought stays readable.",
                Shape::Named("PluginRemoved"),
            )
            .query(&["force"])
            .refuses(&[404, 409]),
            delete(lifecycle::remove_plugin),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/plugins/{id}/versions/{version}/review",
            Operation::new(
                "review_plugin_version",
                "Returns what a version reads and may do, its limits, what it brings, and what is different from the one in use.",
                Shape::Named("PluginReview"),
            )
            .refuses(&[404, 409]),
            get(review::review_version),
        ),
        Endpoint::new(
            Method::DELETE,
            "/api/v1/plugins/{id}/versions/{version}",
            Operation::new("remove_plugin_version", "Removes a version of a plugin.", Shape::Nothing)
                .refuses(&[404, 409]),
            delete(lifecycle::remove_version),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/plugins/{id}/switches",
            Operation::new(
                "list_plugin_switches",
                "Returns how a plugin was used, the newest first.",
                Shape::List("PluginSwitch"),
            )
            .refuses(&[404]),
            get(lifecycle::list_switches),
        ),
    ]
}
