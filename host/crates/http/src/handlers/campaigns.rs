//! Campaigns that a plugin decides for: running one, why a customer takes part or not, and what came of it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::jobs::accepted;
use super::models::report_with;
use crate::extract::{Parameters, PathParts, Requester};
use crate::problem::ApiResult;
use crate::state::App;
use crate::wire::{json, reasons_json};

/// What rights on running campaigns are called.
const PERMISSION: &str = "campaigns";

/// Decides for every customer of a campaign's audience, as a job.
pub(crate) async fn run_campaign(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    let job = app.engine.campaign_run(&requester.caller, path.id("id", "campaign")?).await?;
    accepted(&job, requester.language())
}

/// Says whether a customer may take part in a campaign now, and why.
pub(crate) async fn get_eligibility(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let (campaign, account) = (path.id("id", "campaign")?, path.id("account", "account")?);
    let answer = app.engine.campaign_eligibility(&requester.caller, campaign, account).await?;
    json(
        StatusCode::OK,
        &json!({
            "plugin": answer.plugin.as_str(),
            "version": answer.version,
            "eligible": answer.eligible,
            "cause": answer.cause,
            "variant": answer.variant,
            "member": answer.member.map(|id| id.to_string()),
            "reasons": reasons_json(&answer.reasons, requester.language()),
        }),
    )
}

/// Says what came of a campaign so far.
pub(crate) async fn get_evaluation(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    let evaluation = app.engine.campaign_evaluate(&requester.caller, path.id("id", "campaign")?).await?;
    let facts = json!({
        "plugin": evaluation.plugin.as_str(),
        "version": evaluation.version,
        "members": evaluation.members,
    });
    json(StatusCode::OK, &report_with(facts, &evaluation.report))
}
