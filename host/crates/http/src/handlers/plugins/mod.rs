//! Installing, enabling and running plugins.

mod absent;
pub(crate) mod lifecycle;
pub(crate) mod review;

use axum::extract::{FromRequest, Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_columns::AsOf;
use trellis_engine::{
    ModelChoice, OnQuarantine, PluginInfo, ReplayWith, RunInfo, RunRequest, SwitchOptions, UseSchedule,
    UseSettings, VersionInfo,
};
use trellis_model::Text;

use crate::extract::{JsonBody, NoParameters, OnPlugin, Parameters, PluginAdministrator, WasmBody};
use crate::handlers::plugin_health::health_json;
use crate::handlers::schedule;
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::{actor_json, json, timestamp};

/// Runs of a page.
const RUNS_MAX: usize = 200;

/// Returns every installed plugin.
pub(crate) async fn list_plugins(
    State(app): State<App>,
    _: PluginAdministrator,
    _: NoParameters,
) -> ApiResult<Response> {
    let data: Vec<Json> = app.engine.plugin_list().iter().map(plugin_json).collect();
    json(StatusCode::OK, &json!({ "data": data }))
}

/// Installs a plugin: the body is the component.
pub(crate) async fn upload_plugin(
    State(app): State<App>,
    administrator: PluginAdministrator,
    _: NoParameters,
    WasmBody(wasm): WasmBody,
) -> ApiResult<Response> {
    let (plugin, version) = app.engine.plugin_upload_version(administrator.caller(), wasm).await?;
    let review = app.engine.plugin_review(&plugin.id, &version).await?;
    let mut body = plugin_json(&plugin);
    if let Some(body) = body.as_object_mut() {
        body.insert("review".into(), review::review_json(&review));
    }
    let mut response = json(StatusCode::CREATED, &body)?;
    let location =
        HeaderValue::from_str(&format!("/api/v1/plugins/{}", plugin.id)).expect("a path with a plugin id");
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// Returns one plugin.
pub(crate) async fn get_plugin(State(app): State<App>, on: OnPlugin, _: NoParameters) -> ApiResult<Response> {
    let plugin = app.engine.plugin_get(&on.id).ok_or_else(|| Problem::not_found("plugin", &on.id))?;
    json(StatusCode::OK, &plugin_json(&plugin))
}

/// Enables a plugin, or changes how it is used.
pub(crate) async fn enable_plugin(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
    JsonBody(body): JsonBody<Enable>,
) -> ApiResult<Response> {
    let version = body.version.map(|version| version_of(&version)).transpose()?;
    let as_of = body.as_of.as_deref().map_or(Ok(AsOf::Now), as_of)?;
    let schedule = body.schedule.map_or(Ok(UseSchedule::Manifest), schedule::setting)?;
    let settings = UseSettings {
        config: body.config,
        as_of,
        version,
        grants: body.grants,
        schedule,
        absent: absent::settings(body.absent)?,
        on_quarantine: body.on_quarantine.as_deref().map_or(Ok(OnQuarantine::Stay), absent::on_quarantine)?,
    };
    let options = SwitchOptions {
        reason: lifecycle::checked_reason(body.reason)?,
        confirm: body.confirm,
        enable_rules: body.enable_rules,
        ignore_self_tests: body.ignore_self_tests,
        run: body.run,
    };
    let switched = app.engine.plugin_enable_as(on.caller(), &on.id, settings, options).await?;
    json(StatusCode::OK, &lifecycle::switched_json(&switched, on.requester().language()))
}

/// Disables a plugin. What it put out stays and is marked stale.
pub(crate) async fn disable_plugin(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
) -> ApiResult<Response> {
    let plugin = app.engine.plugin_disable(on.caller(), &on.id).await?;
    json(StatusCode::OK, &plugin_json(&plugin))
}

/// Runs a plugin over all customers, as a job.
pub(crate) async fn run_plugin(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
    JsonBody(body): JsonBody<Run>,
) -> ApiResult<Response> {
    let model = body.model.as_ref().map_or(Ok(ModelChoice::Usual), model_choice)?;
    let as_of = body.as_of.as_deref().map(as_of).transpose()?;
    let request = RunRequest { config: body.config, as_of, model, announce: body.announce };
    let job = app.engine.plugin_run(on.caller(), &on.id, request).await?;
    on.accepted(&job)
}

/// Returns a page of a plugin's runs, the newest first.
pub(crate) async fn list_runs(
    State(app): State<App>,
    on: OnPlugin,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let limit = parameters.take_limit(50, RUNS_MAX)?;
    let after = parameters.take_after_id()?;
    parameters.finish()?;
    let page = app.engine.plugin_runs(&on.id, after, limit).await?;
    let data: Vec<Json> = page.runs.iter().map(run_json).collect();
    let next = page.next.map(|id| id.to_string());
    json(StatusCode::OK, &json!({ "data": data, "page": { "next": next, "limit": limit } }))
}

/// Computes a run again from what was kept of its inputs, as a job, and compares: with the version that made it, with another one that the
/// body names, or with a component that need not be installed and is the body. Changes nothing.
pub(crate) async fn replay_run(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
    request: Request,
) -> ApiResult<Response> {
    let run = on.run()?;
    let with = match WasmBody::is_sent(&request) {
        true => Some(ReplayWith::Component(WasmBody::from_request(request, &app).await?.0.to_vec())),
        false => {
            let JsonBody(body) = JsonBody::<Replay>::from_request(request, &app).await?;
            body.version.as_deref().map(version_of).transpose()?.map(ReplayWith::Version)
        }
    };
    let job = match with {
        None => app.engine.run_replay(on.caller(), &on.id, run).await?,
        Some(with) => app.engine.run_replay_with(on.caller(), &on.id, run, with).await?,
    };
    on.accepted(&job)
}

/// With which version a run or a decision is done again; with its own where none is named.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replay {
    pub(super) version: Option<String>,
}

/// How a plugin shall be used. Without a configuration the manifest's defaults hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enable {
    #[serde(default)]
    config: Json,
    as_of: Option<String>,
    version: Option<String>,
    /// What it is granted of its `requests`; everything where this is left out.
    grants: Option<Vec<String>>,
    /// Why, for the history.
    reason: Option<String>,
    /// Whether steps of the schema are meant that take something out of use.
    #[serde(default)]
    confirm: bool,
    /// Whether the rules that it ships are switched on.
    #[serde(default)]
    enable_rules: bool,
    /// Whether it is used although tests of its own fail.
    #[serde(default)]
    ignore_self_tests: bool,
    /// Whether it is run at once.
    #[serde(default)]
    run: bool,
    /// When it runs by itself; as its manifest says where this is left out.
    schedule: Option<schedule::Setting>,
    /// What happens while it cannot be called; as its manifest says of what is left out.
    #[serde(default)]
    absent: absent::Named,
    /// `stay`, which holds where this is left out, or `roll-back`.
    on_quarantine: Option<String>,
}

/// How one run differs from the plugin's settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    config: Option<Json>,
    as_of: Option<String>,
    model: Option<Json>,
    #[serde(default)]
    announce: bool,
}

/// `fit`, `last` or the number of a model.
fn model_choice(model: &Json) -> ApiResult<ModelChoice> {
    let number = model.as_u64().and_then(|number| u32::try_from(number).ok());
    match (model.as_str(), number) {
        (Some("fit"), _) => Ok(ModelChoice::Fit),
        (Some("last"), _) => Ok(ModelChoice::Last),
        (_, Some(number)) => Ok(ModelChoice::Number(number)),
        _ => Err(invalid(
            "model",
            "`model` is fit, last or the number of a model",
            "`model` 只接受 fit、last 或模型编号",
        )),
    }
}

pub(in crate::handlers) fn version_of(text: &str) -> ApiResult<semver::Version> {
    text.parse().map_err(|_| {
        let zh = "`version` 需为语义化版本号，例如 1.0.0";
        invalid("version", "`version` is a semantic version such as 1.0.0", zh)
    })
}

pub(crate) fn as_of(text: &str) -> ApiResult<AsOf> {
    match text {
        "now" => Ok(AsOf::Now),
        date => date.parse().map(AsOf::Date).map_err(|_| {
            let (en, zh) =
                ("`as_of` is `now` or a date (YYYY-MM-DD)", "`as_of` 为 `now` 或日期（YYYY-MM-DD）");
            invalid("as_of", en, zh)
        }),
    }
}

pub(super) fn as_of_text(as_of: AsOf) -> String {
    match as_of {
        AsOf::Now => "now".to_owned(),
        AsOf::Date(date) => date.to_string(),
    }
}

pub(super) fn invalid(field: &str, en: &str, zh: &str) -> Problem {
    Problem::new(Code::ValidationError).field(field, "invalid", Text::new(en, zh))
}

pub(super) fn text_json(text: &Text) -> Json {
    json!({ "en": text.en, "zh-CN": text.zh_cn })
}

pub(super) fn plugin_json(plugin: &PluginInfo) -> Json {
    let settings = plugin.settings.as_ref().map(|settings| {
        let version = settings.version.as_ref().map(ToString::to_string);
        json!({
            "config": settings.config,
            "as_of": as_of_text(settings.as_of),
            "version": version,
            "grants": settings.grants,
            "schedule": schedule::setting_json(&settings.schedule),
            "absent": absent::settings_json(&settings.absent),
            "on_quarantine": settings.on_quarantine.as_str(),
        })
    });
    let requests = plugin.requests.iter();
    let requests =
        requests.map(|request| json!({ "grant": request.grant, "text": text_json(&request.text), "personal": request.personal }));
    json!({
        "id": plugin.id.as_str(),
        "state": plugin.state.as_str(),
        "broken": plugin.broken,
        "name": text_json(&plugin.name),
        "description": text_json(&plugin.description),
        "industry": plugin.industry,
        "provides": plugin.provides,
        "config_schema": plugin.config_schema,
        "config_default": plugin.config_default,
        "version": plugin.version.to_string(),
        "versions": plugin.versions.iter().map(version_json).collect::<Vec<_>>(),
        "requests": requests.collect::<Vec<_>>(),
        "settings": settings,
        "health": health_json(plugin.health.as_ref()),
        "previous": plugin.previous.as_ref().map(ToString::to_string),
        "schedule": plugin.schedule.as_ref().map(schedule::info_json),
        "absent": absent::absences_json(&plugin.absences),
    })
}

fn run_json(run: &RunInfo) -> Json {
    json!({
        "run": run.run.to_string(),
        "plugin": run.plugin.as_str(),
        "name": run.name.as_ref().map(text_json),
        "version": run.version,
        "digest": run.digest,
        "as_of": as_of_text(run.as_of),
        "log": run.log_number,
        "seed": run.seed.to_string(),
        "generation": run.generation,
        "baseline": run.baseline,
        "model": run.model,
        "can_be_replayed": run.has_capsule,
        "result": run.result,
    })
}

fn version_json(version: &VersionInfo) -> Json {
    json!({
        "version": version.version.to_string(),
        "digest": version.digest,
        "bytes": version.bytes,
        "wit": version.wit.as_ref().map(ToString::to_string),
        "sdk": version.sdk,
        "imports": version.imports,
        "installed_at": timestamp(version.installed_at_ms).map(|time| time.to_string()),
        "installed_by": actor_json(&version.installed_by),
        "broken": version.broken,
    })
}
