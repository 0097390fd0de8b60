//! When plugins run by themselves, as the API has it.

use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_engine::{
    Cron, LastScheduled, Schedule, ScheduleInfo, ScheduledModel, ScheduledOutcome, UseSchedule,
};
use trellis_model::{Text, bilingual};

use super::plugins::{invalid, text_json};
use crate::problem::{ApiResult, Code, Problem};
use crate::wire::timestamp;

/// When a use runs by itself: `{"cron": "0 3 * * *", "model": "fit", "analyses": ["churn_reasons"]}`, or `{"off": true}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setting {
    cron: Option<String>,
    model: Option<String>,
    #[serde(default)]
    analyses: Vec<String>,
    #[serde(default)]
    off: bool,
}

pub(super) fn setting(setting: Setting) -> ApiResult<UseSchedule> {
    let model = match setting.model.as_deref() {
        None => ScheduledModel::default(),
        Some(name) => ScheduledModel::named(name).ok_or_else(|| {
            invalid("schedule.model", "`model` is fit or last", "`model` 只接受 fit 或 last")
        })?,
    };
    match (setting.cron, setting.off) {
        (None, true) if setting.model.is_none() && setting.analyses.is_empty() => Ok(UseSchedule::Off),
        (Some(cron), false) => {
            let cron = Cron::parse(&cron).map_err(|reason| {
                let text = bilingual!("{reason}", "定时表达式无效：{reason}");
                wrong("schedule.cron", text)
            })?;
            Ok(UseSchedule::Own(Schedule { cron, model, analyses: setting.analyses }))
        }
        _ => Err(invalid(
            "schedule",
            "`schedule` has either `cron` (with `model` and `analyses`) or `off`: true",
            "`schedule` 需包含 `cron`（可加 `model` 和 `analyses`），或仅 `off`: true",
        )),
    }
}

pub(super) fn setting_json(schedule: &UseSchedule) -> Json {
    match schedule {
        UseSchedule::Manifest => Json::Null,
        UseSchedule::Off => json!({ "off": true }),
        UseSchedule::Own(Schedule { cron, model, analyses }) => {
            json!({ "cron": cron.as_str(), "model": model.as_str(), "analyses": analyses })
        }
    }
}

pub(super) fn info_json(info: &ScheduleInfo) -> Json {
    json!({
        "from": if info.by_settings { "settings" } else { "plugin" },
        "cron": info.schedule.as_ref().map(|schedule| schedule.cron.as_str()),
        "model": info.schedule.as_ref().map(|schedule| schedule.model.as_str()),
        "analyses": info.schedule.as_ref().map(|schedule| &schedule.analyses),
        "text": info.schedule.as_ref().map(|schedule| text_json(&schedule.in_words())),
        "next_run_at": info.next_run_at_ms.and_then(timestamp).map(|time| time.to_string()),
        "last": info.last.as_ref().map(last_json),
    })
}

fn last_json(last: &LastScheduled) -> Json {
    let time = |ms| timestamp(ms).map(|time| time.to_string());
    let (state, job, error) = match &last.outcome {
        ScheduledOutcome::Starting => ("starting", None, None),
        ScheduledOutcome::Started(job) => ("started", Some(job), None),
        ScheduledOutcome::Skipped(job) => ("skipped", Some(job), None),
        ScheduledOutcome::Failed { code, message } => {
            ("failed", None, Some(json!({ "code": code.to_ascii_uppercase(), "message": message })))
        }
    };
    json!({
        "due_at": time(last.due_ms),
        "at": time(last.at_ms),
        "state": state,
        "job": job.map(ToString::to_string),
        "error": error,
    })
}

fn wrong(field: &str, text: Text) -> Problem {
    Problem::new(Code::ValidationError).field(field, "invalid", text)
}
