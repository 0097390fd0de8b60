//! Versions of plugins compared.

use axum::http::Method;
use axum::routing::{delete, get, post};

use super::Endpoint;
use crate::handlers::comparisons;
use crate::openapi::{Body, Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let (job, shadow) = (Shape::Named("Job"), Shape::Named("Shadow"));
    let of_shadow = "/api/v1/plugins/{id}/shadow";
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/plugins/{id}/dry-run",
            Operation::new(
                "dry_run_plugin",
                "Evaluates a version of a plugin over the real data beside what there is now, as a job; applies nothing.",
                job,
            )
            .accepted()
            .body(Body::Named("PluginDryRun"))
            .refuses(&[403, 404, 409, 422, 429]),
            post(comparisons::dry_run_plugin),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/plugins/{id}/versions/{version}/check",
            Operation::new(
                "check_upgrade",
                "Does the last runs and decisions of a plugin again with another version, as a job; changes nothing.",
                job,
            )
            .accepted()
            .refuses(&[403, 404, 409, 422, 429]),
            post(comparisons::check_upgrade),
        ),
        Endpoint::new(
            Method::POST,
            of_shadow,
            Operation::new(
                "start_shadow",
                "Has a version evaluated beside the one in use from now on; nothing of it is applied.",
                shadow,
            )
            .created()
            .body(Body::Named("ShadowStart"))
            .refuses(&[403, 404, 409, 422]),
            post(comparisons::start_shadow),
        ),
        Endpoint::new(
            Method::GET,
            of_shadow,
            Operation::new("get_shadow", "Says how the shadow of a plugin does.", shadow).refuses(&[403, 404]),
            get(comparisons::get_shadow),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/plugins/{id}/shadow/rows/{record}",
            Operation::new(
                "get_shadow_row",
                "Says what the shadow of a plugin came to for one record in the last run, beside the version in use.",
                Shape::Named("ShadowRow"),
            )
            .refuses(&[403, 404]),
            get(comparisons::get_shadow_row),
        ),
        Endpoint::new(
            Method::DELETE,
            of_shadow,
            Operation::new("stop_shadow", "Ends the shadow of a plugin.", Shape::Nothing).refuses(&[403, 404]),
            delete(comparisons::stop_shadow),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/plugins/{id}/promote",
            Operation::new(
                "promote_plugin",
                "Uses the version of a plugin's shadow from now on, where what differs is within the limits.",
                Shape::Named("Plugin"),
            )
            .body(Body::Named("PluginPromote"))
            .refuses(&[403, 404, 409, 422]),
            post(comparisons::promote_plugin),
        ),
    ]
}
