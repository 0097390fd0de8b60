//! Campaigns: making one for a segment; and those that a plugin decides for: running one, why a customer takes part or not, and what came of it.

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_engine::SegmentCampaign;
use trellis_model::{Filter, Text};

use super::jobs::accepted;
use super::models::report_with;
use super::plugins::{as_of_text, text_json};
use crate::extract::{JsonBody, NoParameters, Parameters, PathParts, Requester};
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::{FieldMap, json, parse_fields, reasons_json, timestamp};

/// What rights on running campaigns are called.
const PERMISSION: &str = "campaigns";

/// What a campaign for a segment is to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfSegment {
    campaign: FieldMap,
    only: Option<Json>,
    #[serde(default)]
    follows: bool,
}

/// Makes a campaign for the customers of a segment.
pub(crate) async fn create_segment_campaign(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    _: NoParameters,
    JsonBody(body): JsonBody<OfSegment>,
) -> ApiResult<Response> {
    requester.require_administrator(PERMISSION)?;
    let schema = app.records.schema();
    let object = schema.object("campaign").ok_or_else(|| Problem::not_found("object", "campaign"))?;
    let fields = parse_fields(object, body.campaign)?;
    if object.field("audience").is_some_and(|audience| fields.contains_key(&audience.id)) {
        let message = Text::new(
            "the audience is what the segment says; `only` narrows it",
            "受众由客群决定，可用 `only` 进一步筛选",
        );
        return Err(Problem::new(Code::ValidationError).field("campaign.audience", "read_only", message));
    }
    let invalid = |error: trellis_model::Error| {
        Problem::new(Code::ValidationError).field("only", "invalid", error.text())
    };
    let only = body.only.as_ref().map(Filter::parse).transpose().map_err(invalid)?;
    let (segmentation, value) = (path.get("segmentation").to_owned(), path.get("value").to_owned());
    let wanted = SegmentCampaign { segmentation, value, only, follows: body.follows, fields };
    let follows = wanted.follows;
    let value = wanted.value.clone();
    let taken = app.engine.campaign_of_segment(&requester.caller, wanted).await?;
    let id = taken.campaign.id;
    let result = taken.result.map(|result| {
        json!({
            "run": result.run.to_string(),
            "as_of": as_of_text(result.as_of),
            "since": timestamp(result.flipped_at_ms).map(|time| time.to_string()),
        })
    });
    let answer = json!({
        "campaign": id.to_string(),
        "customers": taken.customers,
        "follows": follows,
        "segment": {
            "segmentation": taken.segmentation.as_str(),
            "value": value,
            "label": text_json(&taken.label),
            "result": result,
        },
    });
    let mut response = json(StatusCode::CREATED, &answer)?;
    let location = HeaderValue::from_str(&format!("/api/v1/campaigns/{id}")).expect("a path with an id");
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

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
