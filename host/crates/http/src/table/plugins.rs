//! Plugins and their runs.

use axum::http::Method;
use axum::routing::{get, post};

use super::Endpoint;
use crate::handlers::plugins;
use crate::middleware::Class;
use crate::openapi::{Body, Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let plugin = Shape::Named("Plugin");
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/plugins",
            Operation::new("list_plugins", "Returns every installed plugin.", Shape::List("Plugin")),
            get(plugins::list_plugins),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/plugins",
            Operation::new("upload_plugin", "Installs a plugin.", plugin)
                .created()
                .body(Body::Wasm)
                .refuses(&[409, 413, 422, 429]),
            post(plugins::upload_plugin),
        )
        .class(Class::Plugin),
        Endpoint::new(
            Method::GET,
            "/api/v1/plugins/{id}",
            Operation::new("get_plugin", "Returns one plugin.", plugin).refuses(&[404]),
            get(plugins::get_plugin),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/plugins/{id}/enable",
            Operation::new("enable_plugin", "Enables a plugin, or changes how it is used.", plugin)
                .body(Body::Named("PluginUse"))
                .refuses(&[404, 409, 422]),
            post(plugins::enable_plugin),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/plugins/{id}/disable",
            Operation::new("disable_plugin", "Disables a plugin; its results stay.", plugin).refuses(&[404]),
            post(plugins::disable_plugin),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/plugins/{id}/run",
            Operation::new("run_plugin", "Runs a plugin over all customers, as a job.", Shape::Named("Job"))
                .accepted()
                .body(Body::Named("PluginRun"))
                .refuses(&[404, 409, 422, 429]),
            post(plugins::run_plugin),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/plugins/{id}/runs",
            Operation::new(
                "list_runs",
                "Returns a page of a plugin's runs, the newest first.",
                Shape::Page("Run"),
            )
            .query(&["limit", "after"])
            .refuses(&[403, 404]),
            get(plugins::list_runs),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/plugins/{id}/runs/{run}/replay",
            Operation::new(
                "replay_run",
                "Computes a run again from its recorded inputs and compares, as a job: with its own version, another one, or the component that is the body. Changes nothing.",
                Shape::Named("Job"),
            )
            .accepted()
            .body(Body::NamedOrWasm("RunReplay"))
            .refuses(&[403, 404, 410, 413, 422, 429]),
            post(plugins::replay_run),
        )
        .class(Class::Plugin),
    ]
}
