//! Trying rules: whether a script can be used, and what it would do to a record. The rules themselves are records of the object `rule`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_engine::{RuleDraft, RuleProblem, RuleTarget, RuleTest, Trigger};
use trellis_model::{Language, RecordId, Text, Value, bilingual};
use trellis_records::FieldChanges;

use crate::extract::{JsonBody, Parameters, PathParts, Requester};
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::{FieldMap, json, parse_changes, reasons_json};

/// What rights on rules are called.
const PERMISSION: &str = "rules";

/// Says whether a script can be used as a rule, and where it is wrong.
pub(crate) async fn check_rule(
    State(app): State<App>,
    requester: Requester,
    parameters: Parameters,
    JsonBody(body): JsonBody<Check>,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    let trigger = trigger(&body.trigger)?;
    let problem = app.engine.rule_check(&body.object, trigger, &body.source).await.err();
    let problem = problem.map(|problem| problem_json(&problem, requester.language()));
    json(StatusCode::OK, &json!({ "valid": problem.is_none(), "problem": problem }))
}

/// Says what a rule that is stored would do to a record, or to a record that does not exist yet. Changes nothing.
pub(crate) async fn test_rule(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
    JsonBody(body): JsonBody<Test>,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    let draft = app.engine.rule_draft(&requester.caller, path.id("id", "rule")?).await?;
    answer(&app, &requester, draft, body).await
}

/// The same for a script that is not stored.
pub(crate) async fn test_draft(
    State(app): State<App>,
    requester: Requester,
    parameters: Parameters,
    JsonBody(body): JsonBody<Draft>,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    let draft = RuleDraft {
        object: body.object,
        trigger: trigger(&body.trigger)?,
        source: body.source,
        watches: body.watches,
        reads_personal_data: body.reads_personal_data,
        name: Text::new("draft", "草稿"),
    };
    answer(&app, &requester, draft, body.on).await
}

async fn answer(app: &App, requester: &Requester, draft: RuleDraft, on: Test) -> ApiResult<Response> {
    let schema = app.records.schema();
    let object = schema.object(&draft.object).ok_or_else(|| Problem::not_found("object", &draft.object))?;
    let changes: FieldChanges = parse_changes(object, on.fields)?;
    let named = |(field, value)| Some((object.field_by_id(field)?.name.clone(), value));
    let changes: BTreeMap<_, Option<Value>> = changes.into_iter().filter_map(named).collect();
    let (target, changes) = match on.id {
        Some(id) => {
            let wrong =
                |_| Problem::not_found(object.name.as_str(), id.chars().take(100).collect::<String>());
            (RuleTarget::Record(RecordId::parse(&id).map_err(wrong)?), changes)
        }
        None => {
            let fields = changes.into_iter().filter_map(|(field, value)| Some((field, value?)));
            (RuleTarget::Fields(fields.collect()), BTreeMap::new())
        }
    };
    let test = app.engine.rule_test(&requester.caller, draft, target, changes).await?;
    json(StatusCode::OK, &test_json(&test, requester.language()))
}

/// A script that may become a rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    object: String,
    trigger: String,
    source: String,
}

/// What a rule is tried on.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Test {
    /// A stored record; without it, one that would be created.
    id: Option<String>,
    /// Changes to it, or the fields of the new one.
    fields: FieldMap,
}

/// A script with what it is tried on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Draft {
    object: String,
    trigger: String,
    source: String,
    watches: Option<String>,
    #[serde(default)]
    reads_personal_data: bool,
    #[serde(default)]
    on: Test,
}

fn trigger(name: &str) -> ApiResult<Trigger> {
    Trigger::of(name).ok_or_else(|| {
        let known = Trigger::ALL.map(Trigger::as_str).join(", ");
        let message = bilingual!("`trigger` is one of {known}", "`trigger` 只接受 {known}");
        Problem::new(Code::ValidationError).field("trigger", "unknown_option", message)
    })
}

fn test_json(test: &RuleTest, language: Language) -> Json {
    let vetoes = test.vetoes.iter().map(|veto| {
        let field = veto.field.as_ref().map(ToString::to_string);
        json!({ "field": field, "code": veto.code, "message": veto.message.get(language) })
    });
    json!({
        "changes": test.changes,
        "vetoes": vetoes.collect::<Vec<_>>(),
        "actions": test.actions_json,
        "reasons": reasons_json(&test.reasons, language),
        "printed": test.printed,
        "error": test.error.as_ref().map(|problem| problem_json(problem, language)),
    })
}

fn problem_json(problem: &RuleProblem, language: Language) -> Json {
    json!({ "line": problem.line, "column": problem.column, "message": problem.message.get(language) })
}
