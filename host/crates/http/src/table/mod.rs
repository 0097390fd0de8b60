//! Every address of this server, each with what the API's description says about it. There is no other place to add one: each area has its
//! own file.

mod activities;
mod analyses;
mod columns;
mod comparisons;
mod decisions;
mod duplicates;
mod history;
mod metadata;
mod models;
mod pages;
mod plugin_health;
mod plugin_lifecycle;
mod plugins;
mod queries;
mod records;
mod search;
mod system;
mod transfer;

use axum::Router;
use axum::http::Method;
use axum::routing::MethodRouter;

use crate::middleware::{Class, class_layers};
use crate::openapi::Operation;
use crate::state::App;

/// An address and method, what answers there, and its description.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) class: Class,
    pub(crate) operation: Operation,
    handler: MethodRouter<App>,
}

impl Endpoint {
    fn new(method: Method, path: &'static str, operation: Operation, handler: MethodRouter<App>) -> Self {
        Self { method, path, class: Class::Json, operation, handler }
    }

    fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }
}

/// The router of all endpoints with the limits of their class.
pub(crate) fn routes(app: &App) -> Router<App> {
    let of_class = |class| {
        let endpoints = endpoints().into_iter().filter(|endpoint| endpoint.class == class);
        let routes =
            endpoints.fold(Router::new(), |routes, endpoint| routes.route(endpoint.path, endpoint.handler));
        class_layers(routes, class, app)
    };
    // A plugin's upload shares its path with the list, so that method routers of two classes meet: merge joins them.
    of_class(Class::Json).merge(of_class(Class::Plugin)).merge(of_class(Class::Import))
}

/// The table.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let areas = [
        metadata::endpoints(),
        pages::endpoints(),
        records::endpoints(),
        search::endpoints(),
        queries::endpoints(),
        activities::endpoints(),
        columns::endpoints(),
        comparisons::endpoints(),
        decisions::endpoints(),
        duplicates::endpoints(),
        history::endpoints(),
        plugins::endpoints(),
        plugin_health::endpoints(),
        plugin_lifecycle::endpoints(),
        models::endpoints(),
        analyses::endpoints(),
        system::endpoints(),
        transfer::endpoints(),
    ];
    areas.into_iter().flatten().collect()
}
