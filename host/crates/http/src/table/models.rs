//! What plugins learned.

use axum::http::Method;
use axum::routing::{delete, get, post};

use super::Endpoint;
use crate::handlers::models;
use crate::openapi::{Body, Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let (job, model) = (Shape::Named("Job"), Shape::Named("PluginModel"));
    let pin = "/api/v1/plugins/{id}/models/{model}/pin";
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/plugins/{id}/fit",
            Operation::new("fit_plugin", "Has a plugin learn a model without using it, as a job.", job)
                .accepted()
                .body(Body::Named("PluginFit"))
                .refuses(&[403, 404, 409, 422, 429]),
            post(models::fit_plugin),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/plugins/{id}/models",
            Operation::new(
                "list_models",
                "Returns a page of the models that a plugin learned, the newest first.",
                Shape::Page("PluginModel"),
            )
            .query(&["limit", "after"])
            .refuses(&[403, 404]),
            get(models::list_models),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/plugins/{id}/models/{model}",
            Operation::new("get_model", "Returns one model of a plugin.", model).refuses(&[403, 404]),
            get(models::get_model),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/plugins/{id}/models/{model}/report",
            Operation::new(
                "get_model_report",
                "Returns what a plugin shows of one of its models: figures, tables and pictures.",
                Shape::Named("ModelReport"),
            )
            .query(&["learned_by"])
            .refuses(&[403, 404, 409, 410, 422]),
            get(models::get_model_report),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/plugins/{id}/report",
            Operation::new(
                "get_plugin_report",
                "Returns what a plugin shows of the model of its current results.",
                Shape::Named("ModelReport"),
            )
            .query(&["learned_by"])
            .refuses(&[403, 404, 409, 410, 422]),
            get(models::get_plugin_report),
        ),
        Endpoint::new(
            Method::POST,
            pin,
            Operation::new(
                "pin_model",
                "Has the runs of a plugin use a model until it is unpinned; starts a run where the results are another one's.",
                Shape::Named("PinnedModel"),
            )
            .refuses(&[403, 404, 409, 410, 429]),
            post(models::pin_model),
        ),
        Endpoint::new(
            Method::DELETE,
            pin,
            Operation::new("unpin_model", "Has the runs of a plugin use what they learn again.", model)
                .refuses(&[403, 404]),
            delete(models::unpin_model),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/plugins/{id}/models/{model}/activate",
            Operation::new(
                "activate_model",
                "Goes back to a model: evaluates all customers with it, as a job.",
                job,
            )
            .accepted()
            .body(Body::Named("ActivateModel"))
            .refuses(&[403, 404, 409, 410, 429]),
            post(models::activate_model),
        ),
    ]
}
