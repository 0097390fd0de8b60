//! How plugins do.

use axum::http::Method;
use axum::routing::{get, post};

use super::Endpoint;
use crate::handlers::plugin_health;
use crate::openapi::{Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/plugins/{id}/release",
            Operation::new(
                "release_plugin",
                "Has a plugin called again that was quarantined or backs off.",
                Shape::Named("Plugin"),
            )
            .refuses(&[403, 404]),
            post(plugin_health::release_plugin),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/plugins/{id}/metrics",
            Operation::new(
                "get_plugin_metrics",
                "Returns what a version of a plugin did since the start of the server.",
                Shape::Named("PluginMetrics"),
            )
            .query(&["version"])
            .refuses(&[403, 404]),
            get(plugin_health::get_plugin_metrics),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/plugins/{id}/logs",
            Operation::new(
                "list_plugin_logs",
                "Returns the last lines that a version of a plugin wrote, the oldest first.",
                Shape::List("PluginLogLine"),
            )
            .query(&["version"])
            .refuses(&[403, 404]),
            get(plugin_health::list_plugin_logs),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/plugins/{id}/poison-rows",
            Operation::new(
                "list_poison_rows",
                "Returns the rows on which a version of a plugin failed lately, the oldest first.",
                Shape::List("PoisonRow"),
            )
            .query(&["version"])
            .refuses(&[403, 404]),
            get(plugin_health::list_poison_rows),
        ),
        Endpoint::new(
            Method::GET,
            "/metrics",
            Operation::new(
                "get_metrics",
                "Returns the figures of all plugins in the text format of Prometheus.",
                Shape::Plain,
            )
            .refuses(&[403]),
            get(plugin_health::get_metrics),
        ),
    ]
}
