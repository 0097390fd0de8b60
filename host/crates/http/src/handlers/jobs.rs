//! Work that outlives its request.

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value as Json, json};
use trellis_engine::Job;
use trellis_model::{Actor, Language, RecordId, Text};

use crate::extract::{NoParameters, OnJob, Parameters, Requester};
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::{actor_json, json, timestamp};

/// Jobs of a page.
const JOBS_MAX: usize = 200;

/// Returns a page of jobs, the newest first. Who may not do everything sees only its own.
pub(crate) async fn list_jobs(
    State(app): State<App>,
    requester: Requester,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let limit = parameters.take_limit(50, JOBS_MAX)?;
    let after = parameters.take_after_id()?;
    parameters.finish()?;
    let page = app.engine.jobs(after, limit).await?;
    let shown = page.jobs.iter().filter(|job| visible(job, &requester));
    let data: Vec<JobView> = shown.map(|job| JobView::new(job, requester.language())).collect();
    let next = page.next.map(|id| id.to_string());
    json(StatusCode::OK, &json!({ "data": data, "page": { "next": next, "limit": limit } }))
}

/// Returns one job.
pub(crate) async fn get_job(on: OnJob, _: NoParameters) -> ApiResult<Response> {
    json(StatusCode::OK, &JobView::new(&on.job, on.language()))
}

/// Asks a job to stop.
pub(crate) async fn cancel_job(State(app): State<App>, on: OnJob, _: NoParameters) -> ApiResult<Response> {
    let job = app.engine.job_cancel(on.job.id).await?;
    json(StatusCode::ACCEPTED, &JobView::new(&job, on.language()))
}

/// Asks a job to stop where it is until somebody resumes it.
pub(crate) async fn pause_job(State(app): State<App>, on: OnJob, _: NoParameters) -> ApiResult<Response> {
    let job = app.engine.job_pause(on.job.id).await?;
    json(StatusCode::ACCEPTED, &JobView::new(&job, on.language()))
}

/// Has a paused job go on.
pub(crate) async fn resume_job(State(app): State<App>, on: OnJob, _: NoParameters) -> ApiResult<Response> {
    let job = app.engine.job_resume(on.job.id).await?;
    json(StatusCode::ACCEPTED, &JobView::new(&job, on.language()))
}

/// Answers 202 with a job and where to follow it.
pub(crate) fn accepted(job: &Job, language: Language) -> ApiResult<Response> {
    let mut response = json(StatusCode::ACCEPTED, &JobView::new(job, language))?;
    let location = HeaderValue::from_str(&format!("/api/v1/jobs/{}", job.id)).expect("a path with an id");
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

pub(crate) async fn find(app: &App, requester: &Requester, id: RecordId) -> ApiResult<Job> {
    let job = app.engine.job_get(id).await?.filter(|job| visible(job, requester));
    job.ok_or_else(|| Problem::not_found("job", id))
}

/// Whether the requester may know of a job; one that is no longer listed is known to administrators only.
pub(super) async fn may_see(app: &App, requester: &Requester, id: RecordId) -> ApiResult<()> {
    match app.engine.job_get(id).await? {
        Some(job) if visible(&job, requester) => Ok(()),
        None if requester.principal.administrator => Ok(()),
        _ => Err(Problem::not_found("job", id)),
    }
}

fn visible(job: &Job, requester: &Requester) -> bool {
    let own = matches!(&job.created_by, Actor::User { id, .. } if *id == requester.principal.user);
    own || requester.principal.administrator
}

/// A job as the API writes it.
#[derive(Debug, Serialize)]
pub(crate) struct JobView<'a> {
    id: String,
    kind: &'static str,
    subject: &'a str,
    state: &'static str,
    progress: Json,
    created_at: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
    attempts: u32,
    created_by: Json,
    result: Json,
    error: Option<Json>,
}

impl<'a> JobView<'a> {
    /// The job for a reader of this language.
    pub(crate) fn new(job: &'a Job, language: Language) -> Self {
        let time = |ms| timestamp(ms).map(|time| time.to_string());
        let progress =
            json!({ "done": job.progress.done, "total": job.progress.total, "unit": job.progress.unit });
        // Codes of problems are upper case everywhere in the API.
        let error = job.error.as_ref();
        let error =
            error.map(|error| json!({ "code": error.code.to_ascii_uppercase(), "message": error.message.get(language) }));
        Self {
            id: job.id.to_string(),
            kind: job.kind.as_str(),
            subject: &job.subject,
            state: job.state.as_str(),
            progress,
            created_at: time(job.created_at_ms),
            started_at: job.started_at_ms.and_then(time),
            finished_at: job.finished_at_ms.and_then(time),
            attempts: job.attempts,
            created_by: actor_json(&job.created_by),
            result: in_language(&job.result, language),
            error,
        }
    }
}

/// The result with the messages about rows, which are stored in all languages, in this one.
pub(super) fn in_language(result: &Json, language: Language) -> Json {
    let mut result = result.clone();
    for (list, text) in [("errors", "message"), ("records", "message"), ("dropped_by_reason", "reason")] {
        let items = result.get_mut(list).and_then(Json::as_array_mut);
        items
            .into_iter()
            .flatten()
            .filter_map(|item| item.get_mut(text))
            .for_each(|text| pick(text, language));
    }
    result
}

/// Puts the text in a language in the place of the texts in all.
fn pick(message: &mut Json, language: Language) {
    let text = |language: Language| message.get(language.tag())?.as_str().map(str::to_owned);
    if let Some(en) = text(Language::En) {
        let both = Text::new(en, text(Language::ZhCn).unwrap_or_default());
        *message = json!(both.get(language));
    }
}
