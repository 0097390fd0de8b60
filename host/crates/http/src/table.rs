//! Every address of this server, each with what the API's description says about it. There is no other place to add one.

use axum::Router;
use axum::http::Method;
use axum::routing::{MethodRouter, delete, get, patch, post};

use crate::config::Config;
use crate::handlers::{
    campaigns, changes, decisions, health, home, jobs, metadata, openapi, plugins, records, rules, scores,
    segments, tokens, workflows,
};
use crate::middleware::{Class, class_layers};
use crate::openapi::{Body, Operation, Shape};
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
pub(crate) fn routes(config: &Config) -> Router<App> {
    let of_class = |class| {
        let endpoints = endpoints().into_iter().filter(|endpoint| endpoint.class == class);
        let routes =
            endpoints.fold(Router::new(), |routes, endpoint| routes.route(endpoint.path, endpoint.handler));
        class_layers(routes, class, config)
    };
    // A plugin's upload shares its path with the list, so that method routers of two classes meet: merge joins them.
    of_class(Class::Json).merge(of_class(Class::Plugin)).merge(of_class(Class::Import))
}

/// The table.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    [pages(), of_records(), of_columns(), of_decisions(), of_plugins(), of_system()]
        .into_iter()
        .flatten()
        .collect()
}

fn pages() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/",
            Operation::public("get_home", "Says what this server is.", Shape::Html),
            get(home::get_home),
        ),
        Endpoint::new(
            Method::GET,
            "/errors/{code}",
            Operation::public("get_error_page", "Says what an error means and what to do.", Shape::Markdown),
            get(home::get_error_page),
        ),
    ]
}

fn of_records() -> Vec<Endpoint> {
    let one = "/api/v1/{objects}/{id}";
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/{objects}",
            Operation::new("list_records", "Returns a page of records.", Shape::RecordPage).query(&[
                "limit", "after", "before", "sort", "fields", "filter", "count", "labels", "deleted",
            ]),
            get(records::list_records),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}",
            Operation::new("create_record", "Creates a record.", Shape::Record)
                .created()
                .body(Body::NewRecord)
                .refuses(&[409, 422]),
            post(records::create_record),
        ),
        Endpoint::new(
            Method::GET,
            one,
            Operation::new("get_record", "Returns one record.", Shape::Record)
                .query(&["fields", "labels", "derived"])
                .refuses(&[404]),
            get(records::get_record),
        ),
        Endpoint::new(
            Method::PATCH,
            one,
            Operation::new("update_record", "Changes some fields of a record.", Shape::Record)
                .body(Body::RecordPatch)
                .if_match()
                .refuses(&[404, 409, 412, 422]),
            patch(records::update_record),
        ),
        Endpoint::new(
            Method::DELETE,
            one,
            Operation::new("delete_record", "Deletes a record, so that it can be restored.", Shape::Nothing)
                .if_match()
                .refuses(&[404, 412]),
            delete(records::delete_record),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}/{id}/restore",
            Operation::new("restore_record", "Brings a deleted record back.", Shape::Record)
                .refuses(&[404, 409]),
            post(records::restore_record),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}/search",
            Operation::new(
                "search_records",
                "Returns a page of the records that a filter tree matches.",
                Shape::RecordPage,
            )
            .body(Body::Search),
            post(records::search_records),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}/import",
            Operation::new("import_records", "Starts a job that loads a CSV file.", Shape::Named("Job"))
                .accepted()
                .body(Body::Import)
                .refuses(&[413, 429]),
            post(records::import_records),
        )
        .class(Class::Import),
    ]
}

fn of_columns() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/segmentations",
            Operation::new(
                "list_segmentations",
                "Returns every segmentation with the size of its segments.",
                Shape::List("Segmentation"),
            ),
            get(segments::list_segmentations),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/segments/{segmentation}/{value}/members",
            Operation::new(
                "list_members",
                "Returns a page of the customers in a segment.",
                Shape::Page("Member"),
            )
            .query(&["limit", "after", "expand", "fields", "labels"])
            .refuses(&[404]),
            get(segments::list_members),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/segmentations/{segmentation}/explanations/{id}",
            Operation::new(
                "get_explanation",
                "Says why a customer has its value in a plugin's segmentation.",
                Shape::Named("Explanation"),
            )
            .refuses(&[404, 422]),
            get(segments::get_explanation),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/scores",
            Operation::new(
                "list_scores",
                "Returns every score with how its values are spread.",
                Shape::List("Score"),
            ),
            get(scores::list_scores),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/scores/{score}",
            Operation::new("get_score", "Returns one score.", Shape::Named("Score")).refuses(&[403, 404]),
            get(scores::get_score),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/scores/{score}/rules",
            Operation::new(
                "get_score_rules",
                "Says in words what the model behind a score does.",
                Shape::Named("ScoreRules"),
            )
            .refuses(&[403, 404, 422]),
            get(scores::get_score_rules),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/scores/{score}/explanations/{id}",
            Operation::new(
                "get_score_explanation",
                "Says why a customer has its score.",
                Shape::Named("ScoreExplanation"),
            )
            .refuses(&[404, 422]),
            get(scores::get_score_explanation),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/changes",
            Operation::new("list_changes", "Returns the log entries after a cursor.", Shape::Page("Change"))
                .query(&["limit", "after"])
                .refuses(&[410]),
            get(changes::list_changes),
        ),
    ]
}

fn of_decisions() -> Vec<Endpoint> {
    let decision = Shape::Named("Decision");
    let suggestions = "/api/v1/{objects}/{id}/suggestions";
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/decisions",
            Operation::new(
                "list_decisions",
                "Returns a page of what plugins and rules decided, the newest first.",
                Shape::Page("Decision"),
            )
            .query(&["limit", "after", "object", "record", "plugin", "rule", "kind"])
            .refuses(&[403]),
            get(decisions::list_decisions),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/decisions/{id}",
            Operation::new("get_decision", "Returns one decision.", decision).refuses(&[403, 404]),
            get(decisions::get_decision),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/decisions/{id}/replay",
            Operation::new(
                "replay_decision",
                "Makes a decision again from its recorded inputs and compares; changes nothing.",
                Shape::Named("DecisionReplay"),
            )
            .refuses(&[403, 404, 409, 410]),
            post(decisions::replay_decision),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/rules/check",
            Operation::new(
                "check_rule",
                "Says whether a script can be used as a rule.",
                Shape::Named("RuleCheck"),
            )
            .body(Body::Named("RuleSource"))
            .refuses(&[403]),
            post(rules::check_rule),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/rules/test",
            Operation::new(
                "test_draft",
                "Says what a script would do to a record; changes nothing.",
                Shape::Named("RuleTest"),
            )
            .body(Body::Named("RuleDraft"))
            .refuses(&[403, 404, 422]),
            post(rules::test_draft),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/rules/{id}/test",
            Operation::new(
                "test_rule",
                "Says what a stored rule would do to a record; changes nothing.",
                Shape::Named("RuleTest"),
            )
            .body(Body::Named("RuleTarget"))
            .refuses(&[403, 404, 422]),
            post(rules::test_rule),
        ),
        Endpoint::new(
            Method::GET,
            suggestions,
            Operation::new(
                "list_record_suggestions",
                "Returns what plugins suggest to do with a record.",
                Shape::List("Suggestion"),
            )
            .refuses(&[404]),
            get(workflows::list_record_suggestions),
        ),
        Endpoint::new(
            Method::POST,
            suggestions,
            Operation::new("apply_record_suggestion", "Does what a plugin suggests.", decision)
                .body(Body::Named("SuggestionChoice"))
                .refuses(&[404, 409, 422]),
            post(workflows::apply_record_suggestion),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/campaigns/{id}/run",
            Operation::new(
                "run_campaign",
                "Decides for every customer of a campaign's audience, as a job.",
                Shape::Named("Job"),
            )
            .accepted()
            .refuses(&[403, 404, 409, 422, 429]),
            post(campaigns::run_campaign),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/campaigns/{id}/eligibility/{account}",
            Operation::new(
                "get_eligibility",
                "Says whether a customer may take part in a campaign now, and why.",
                Shape::Named("Eligibility"),
            )
            .refuses(&[404, 409, 422]),
            get(campaigns::get_eligibility),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/campaigns/{id}/evaluation",
            Operation::new(
                "get_evaluation",
                "Says what came of a campaign so far.",
                Shape::Named("CampaignEvaluation"),
            )
            .refuses(&[403, 404, 409, 422]),
            get(campaigns::get_evaluation),
        ),
    ]
}

fn of_plugins() -> Vec<Endpoint> {
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
                "Computes a run again from its recorded inputs and compares, as a job; changes nothing.",
                Shape::Named("Job"),
            )
            .accepted()
            .refuses(&[403, 404, 410, 429]),
            post(plugins::replay_run),
        ),
    ]
}

fn of_system() -> Vec<Endpoint> {
    let job = Shape::Named("Job");
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/metadata/objects",
            Operation::new("list_objects", "Returns every object with its fields.", Shape::List("Object")),
            get(metadata::list_objects),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/metadata/objects/{name}",
            Operation::new("get_object", "Returns one object, by its API name.", Shape::Named("Object"))
                .refuses(&[404]),
            get(metadata::get_object),
        ),
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
            "/api/v1/openapi.json",
            Operation::new("get_openapi", "Returns this description.", Shape::Json),
            get(openapi::get_openapi),
        ),
    ]
}
