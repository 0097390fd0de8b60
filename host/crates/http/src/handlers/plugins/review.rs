//! What an admin looks at before a version of a plugin is enabled.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};
use trellis_engine::{
    ClassLimits, NamesDiff, Review, ReviewDiff, ReviewedHook, ReviewedName, ReviewedRequest, ReviewedSchedule,
};
use trellis_records::SchemaStep;

use super::{absent::absences_json, lifecycle::rule_json, text_json};
use crate::extract::{NoParameters, OnPlugin};
use crate::problem::ApiResult;
use crate::state::App;
use crate::wire::{json, timestamp};

/// Returns what there is to know about a version. Changes nothing.
pub(crate) async fn review_version(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
) -> ApiResult<Response> {
    let review = app.engine.plugin_review(&on.id, &on.version()?).await?;
    json(StatusCode::OK, &review_json(&review))
}

pub(super) fn review_json(review: &Review) -> Json {
    let outputs = review.outputs.iter();
    let outputs = outputs
        .map(|output| json!({ "kind": output.kind, "name": output.name, "label": text_json(&output.label) }));
    let limits = review.limits.iter().map(|(class, limits)| (str::to_owned(class), limits_json(limits)));
    let steps: Vec<Json> = review.schema.steps.iter().map(SchemaStep::to_json).collect();
    let refused: Vec<Json> = review.schema.refused.iter().map(text_json).collect();
    json!({
        "plugin": review.plugin.as_str(),
        "version": review.version.to_string(),
        "name": text_json(&review.name),
        "description": text_json(&review.description),
        "digest": review.digest,
        "bytes": review.bytes,
        "core_modules": review.core_modules,
        "wit": review.wit.to_string(),
        "sdk": review.sdk,
        "provides": review.provides,
        "imports": review.imports,
        "wasi": review.wasi,
        "requests": review.requests.iter().map(request_json).collect::<Vec<_>>(),
        "hooks": review.hooks.iter().map(hook_json).collect::<Vec<_>>(),
        "schedule": review.schedule.as_ref().map(schedule_json),
        "absent": absences_json(&review.absences),
        "limits": limits.collect::<Map<String, Json>>(),
        "outputs": outputs.collect::<Vec<_>>(),
        "schema": { "steps": steps, "refused": refused },
        "rules": review.rules.iter().map(rule_json).collect::<Vec<_>>(),
        "tests": review.tests.to_json(),
        "diff": review.diff.as_ref().map(diff_json),
    })
}

fn request_json(asked: &ReviewedRequest) -> Json {
    json!({
        "grant": asked.request.grant,
        "text": text_json(&asked.request.text),
        "personal": asked.request.personal,
        "way": asked.way,
        "action": asked.action,
        "object": asked.object.as_ref().map(name_json),
        "fields": asked.fields.iter().map(name_json).collect::<Vec<_>>(),
    })
}

fn schedule_json(reviewed: &ReviewedSchedule) -> Json {
    let next = reviewed.next_ms.iter().filter_map(|ms| timestamp(*ms)).map(|time| time.to_string());
    json!({
        "cron": reviewed.schedule.cron.as_str(),
        "model": reviewed.schedule.model.as_str(),
        "analyses": reviewed.schedule.analyses,
        "text": text_json(&reviewed.schedule.in_words()),
        "next_run_at": next.collect::<Vec<_>>(),
    })
}

fn hook_json(hook: &ReviewedHook) -> Json {
    json!({
        "interface": hook.interface,
        "object": name_json(&hook.object),
        "when": hook.when.iter().map(name_json).collect::<Vec<_>>(),
        "refuses_on_failure": hook.refuses_on_failure,
    })
}

fn name_json(name: &ReviewedName) -> Json {
    json!({ "name": name.name, "label": name.label.as_ref().map(text_json), "personal": name.personal })
}

fn limits_json(limits: &ClassLimits) -> Json {
    json!({
        "memory_bytes_max": limits.memory_bytes_max,
        "cpu_ms_max": limits.cpu_ms_max,
        "cpu_us_per_row": limits.cpu_us_per_row,
        "rows_max": limits.rows_max,
        "columns_bytes_max": limits.columns_bytes_max,
        "output_bytes_max": limits.output_bytes_max,
        "log_lines_max": limits.log_lines_max,
        "actions_per_call_max": limits.actions_per_call_max,
        "actions_per_row_max": limits.actions_per_row_max,
        "lookups_max": limits.lookups_max,
    })
}

fn diff_json(diff: &ReviewDiff) -> Json {
    json!({
        "from": diff.from.as_ref().map(ToString::to_string),
        "requests": names_json(&diff.requests),
        "ungranted": diff.ungranted,
        "settings": names_json(&diff.settings),
        "settings_changed": diff.settings_changed,
        "config_problems": diff.config_problems,
        "outputs": names_json(&diff.outputs),
        "provides": names_json(&diff.provides),
        "imports": names_json(&diff.imports),
    })
}

fn names_json(names: &NamesDiff) -> Json {
    json!({ "added": names.added, "removed": names.removed, "kept": names.kept })
}
