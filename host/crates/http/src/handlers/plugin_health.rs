//! How plugins do: figures, what they wrote, rows that they fail on, and letting one go that was quarantined.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use semver::Version;
use serde_json::{Map, Value as Json, json};
use trellis_engine::{FunctionMetrics, Health, LogLevel, LoggedLine, PluginMetrics, PoisonRow, RowKey};
use trellis_model::PluginId;

use super::plugins::{plugin_json, text_json, version_of};
use crate::extract::{NoParameters, OnPlugin, Parameters, Requester};
use crate::problem::ApiResult;
use crate::state::App;
use crate::wire::{json, prometheus, timestamp};

/// Has a plugin called again, in all its versions and with no strikes.
pub(crate) async fn release_plugin(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
) -> ApiResult<Response> {
    let plugin = app.engine.plugin_release(on.caller(), &on.id).await?;
    json(StatusCode::OK, &plugin_json(&plugin))
}

/// Returns what a version of a plugin did since the start of the server.
pub(crate) async fn get_plugin_metrics(
    State(app): State<App>,
    on: OnPlugin,
    parameters: Parameters,
) -> ApiResult<Response> {
    let version = version_asked(parameters)?;
    let metrics = app.engine.plugin_metrics(&on.id, version.as_ref())?;
    json(StatusCode::OK, &metrics_json(&on.id, metrics.as_ref()))
}

/// Returns the last lines that a version of a plugin wrote.
pub(crate) async fn list_plugin_logs(
    State(app): State<App>,
    on: OnPlugin,
    parameters: Parameters,
) -> ApiResult<Response> {
    let version = version_asked(parameters)?;
    let lines = app.engine.plugin_log(&on.id, version.as_ref())?;
    json(StatusCode::OK, &json!({ "data": lines.iter().map(line_json).collect::<Vec<_>>() }))
}

/// Returns the rows on which a version of a plugin failed lately.
pub(crate) async fn list_poison_rows(
    State(app): State<App>,
    on: OnPlugin,
    parameters: Parameters,
) -> ApiResult<Response> {
    let version = version_asked(parameters)?;
    let rows = app.engine.plugin_poison_rows(&on.id, version.as_ref())?;
    json(StatusCode::OK, &json!({ "data": rows.iter().map(poison_json).collect::<Vec<_>>() }))
}

/// Returns the figures of all plugins for Prometheus.
pub(crate) async fn get_metrics(
    State(app): State<App>,
    requester: Requester,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator("metrics")?;
    let text = prometheus::plugins(&app.engine.all_plugin_metrics());
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// The version that the query names.
fn version_asked(mut parameters: Parameters) -> ApiResult<Option<Version>> {
    let version = parameters.take("version")?;
    parameters.finish()?;
    version.as_deref().map(version_of).transpose()
}

/// How a version stands; null where it was not loaded since the start.
pub(super) fn health_json(health: Option<&Health>) -> Json {
    let Some(health) = health else { return Json::Null };
    let until = health.state.until_ms().and_then(timestamp).map(|time| time.to_string());
    let last = health.last_fault.as_ref().map(|last| {
        json!({
            "at": timestamp(last.at_ms).map(|time| time.to_string()),
            "function": last.function,
            "reason": last.reason,
        })
    });
    json!({
        "state": health.state.as_str(),
        "until": until,
        "strikes": health.strikes,
        "last_fault": last,
    })
}

fn metrics_json(id: &PluginId, metrics: Option<&PluginMetrics>) -> Json {
    let functions = metrics.map(|metrics| {
        metrics
            .functions
            .iter()
            .map(|(name, figures)| (name.clone(), function_json(figures)))
            .collect::<Map<_, _>>()
    });
    json!({
        "plugin": id.as_str(),
        "version": metrics.map(|metrics| metrics.health.plugin.version.to_string()),
        "health": health_json(metrics.map(|metrics| &metrics.health)),
        "strikes_total": metrics.map_or(0, |metrics| metrics.strikes_total),
        "calls_refused": metrics.map_or(0, |metrics| metrics.refused),
        "poison_rows": metrics.map_or(0, |metrics| metrics.poison_rows),
        "log_lines_dropped": metrics.map_or(0, |metrics| metrics.log_lines_dropped),
        "functions": functions.unwrap_or_default(),
    })
}

fn function_json(figures: &FunctionMetrics) -> Json {
    json!({
        "calls": figures.calls,
        "faults": figures.faults,
        "rows": figures.rows,
        "bytes": figures.bytes,
        "log_lines_dropped": figures.log_lines_dropped,
        "p50_us": figures.p50_us,
        "p95_us": figures.p95_us,
        "p99_us": figures.p99_us,
        "total_us": figures.total_us,
        "cpu_us": figures.cpu_us,
    })
}

fn line_json(line: &LoggedLine) -> Json {
    let level = match line.line.level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    };
    json!({
        "at": timestamp(line.at_ms).map(|time| time.to_string()),
        "function": line.function,
        "level": level,
        "message": line.line.message,
    })
}

fn poison_json(row: &PoisonRow) -> Json {
    let (ordinal, record) = match row.row {
        RowKey::Ordinal(ordinal) => (Some(ordinal), None),
        RowKey::Record(record) => (None, Some(record.to_string())),
    };
    json!({
        "function": row.function,
        "ordinal": ordinal,
        "record": record,
        "at": timestamp(row.at_ms).map(|time| time.to_string()),
        "reason": text_json(&row.reason),
    })
}
