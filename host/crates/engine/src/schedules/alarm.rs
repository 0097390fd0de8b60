//! The thread that starts what is due.

use std::{sync::Arc, time::Duration};

use serde_json::{Value as Json, json};
use tokio::sync::watch;
use trellis_model::{Cause, PluginId, RecordId};
use trellis_plugin_host::manifest::Schedule;
use trellis_records::{Caller, EntryBody, NewEntry};
use trellis_storage::WriteSet;

use super::{
    choice,
    stored::{self, StateV1, StoredLast, StoredOutcome},
};
use crate::{
    AnalysisRequest, Error, Result, RunRequest, background::Background, core::Core, jobs::Jobs, run,
};

/// Bytes of the message that says why a run could not be started.
const MESSAGE_CHARS_MAX: usize = 500;

/// Starts the thread.
pub(crate) async fn start(core: Arc<Core>, jobs: Arc<Jobs>) -> Result<Background> {
    *core.schedules.0.lock() = stored::all(&core.records).await?.into_iter().collect();
    Background::start("schedules", move |stopped| async move { keep(&core, &jobs, stopped).await })
}

async fn keep(core: &Core, jobs: &Jobs, mut stopped: watch::Receiver<bool>) {
    // The clock is looked at, not slept by: it may be set, and the machine may sleep.
    let look_again = Duration::from_millis(core.config.timer_clock_check_ms.max(1));
    loop {
        if let Err(error) = look(core, jobs).await {
            tracing::error!(code = error.code(), "schedules cannot be kept: {error}");
        }
        tokio::select! {
            () = tokio::time::sleep(look_again) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// Starts what is due, and notes when it is due next. What is in memory tells both, so that a look costs nothing while nothing is due.
async fn look(core: &Core, jobs: &Jobs) -> Result<()> {
    let scheduled = core.registry.scheduled();
    let forgotten: Vec<PluginId> = {
        let states = core.schedules.0.lock();
        states.keys().filter(|id| !scheduled.iter().any(|(known, ..)| known == *id)).cloned().collect()
    };
    for id in forgotten {
        put(core, &id, None, None).await?;
    }
    for (id, schedule, set_ms) in scheduled {
        // One that cannot be kept now does not keep the others waiting.
        if let Err(error) = look_at(core, jobs, &id, (&schedule, set_ms)).await {
            tracing::error!(plugin = %id, code = error.code(), "its schedule cannot be kept: {error}");
        }
    }
    Ok(())
}

async fn look_at(
    core: &Core,
    jobs: &Jobs,
    id: &PluginId,
    (schedule, set_ms): (&Schedule, i64),
) -> Result<()> {
    let (now_ms, config) = (core.records.clock().now_ms(), core.records.config());
    let zone = config.time_zone.iana_name().unwrap_or("UTC");
    // One that never comes again is not due for ever.
    let due_after = |ms| schedule.cron.next_after(ms, zone).unwrap_or(i64::MAX);
    let known = core.schedules.0.lock().get(id).cloned();
    let state = StateV1 {
        cron: schedule.cron.as_str().to_owned(),
        time_zone: zone.to_owned(),
        next_due_ms: i64::MAX,
        last: known.as_ref().and_then(|known| known.last.clone()),
    };
    let due_ms = match known {
        // A stop of the server came between noting that it is due and starting it.
        Some(StateV1 { last: Some(StoredLast { outcome: StoredOutcome::Starting, due_ms, .. }), .. }) => {
            due_ms
        }
        Some(known) if known.is_of(schedule, zone) && now_ms < known.next_due_ms => return Ok(()),
        Some(known) if known.is_of(schedule, zone) => known.next_due_ms,
        // Another time zone holds from now on, a schedule from when it was set.
        known => {
            let is_same = known.is_some_and(|known| known.cron == state.cron);
            let next_due_ms = due_after(if is_same { now_ms } else { set_ms });
            return put(core, id, Some(StateV1 { next_due_ms, ..state }), None).await;
        }
    };
    let last = |outcome| Some(StoredLast { due_ms, at_ms: now_ms, outcome });
    let state = StateV1 { next_due_ms: due_after(now_ms), ..state };
    put(core, id, Some(StateV1 { last: last(StoredOutcome::Starting), ..state.clone() }), None).await?;
    let (event, outcome, data) = match begin(core, jobs, id, (schedule, due_ms)).await {
        Ok(job) => {
            ("schedule.started", StoredOutcome::Started(*job.as_bytes()), json!({ "job": job.to_string() }))
        }
        Err(Error::Busy { job, .. }) => {
            ("schedule.skipped", StoredOutcome::Skipped(*job.as_bytes()), json!({ "job": job.to_string() }))
        }
        Err(error @ (Error::Storage(_) | Error::Records(_) | Error::Stopping)) => return Err(error),
        Err(error) => {
            let (code, message) = failure(id, &error);
            let data = json!({ "code": code, "message": message });
            ("schedule.failed", StoredOutcome::Failed { code, message }, data)
        }
    };
    let entry = entry(event, id, due_ms, data);
    put(core, id, Some(StateV1 { last: last(outcome), ..state }), Some(entry)).await
}

/// Starts the run and asks the questions; returns the job of the run, or of the first question where there is nothing to run. A question that
/// cannot be asked does not keep the others from it.
async fn begin(
    core: &Core,
    jobs: &Jobs,
    id: &PluginId,
    (schedule, due_ms): (&Schedule, i64),
) -> Result<RecordId> {
    let caller = Caller::system("schedule");
    let mut first = None;
    if core.registry.active(id).await?.plugin.manifest().runs() {
        let has_run = run::has_run(core, id).await?;
        let request = RunRequest { model: choice(schedule.model, has_run), ..RunRequest::default() };
        first = Some(run::start(core, jobs, &caller, id, request).await);
    }
    for analysis in &schedule.analyses {
        let asked = run::ask(core, jobs, &caller, id, analysis, AnalysisRequest::default()).await;
        match asked {
            Err(error @ (Error::Storage(_) | Error::Records(_) | Error::Stopping)) => return Err(error),
            Err(error) if first.is_some() => {
                let (code, message) = failure(id, &error);
                let data = json!({ "analysis": analysis, "code": code, "message": message });
                let entry = entry("schedule.failed", id, due_ms, data);
                core.records.commit(WriteSet::new(), Some(entry)).await?;
            }
            asked if first.is_none() => first = Some(asked),
            _ => {}
        }
    }
    first.unwrap_or_else(|| Err(Error::not_offered(id, "scoring"))).map(|job| job.id)
}

/// What is said of what could not be started.
fn failure(id: &PluginId, error: &Error) -> (String, String) {
    tracing::warn!(plugin = %id, code = error.code(), "what is due was not started: {error}");
    (error.code().to_owned(), error.to_string().chars().take(MESSAGE_CHARS_MAX).collect())
}

async fn put(core: &Core, id: &PluginId, state: Option<StateV1>, entry: Option<NewEntry>) -> Result<()> {
    stored::put(&core.records, id, state.as_ref(), entry).await?;
    let mut states = core.schedules.0.lock();
    match state {
        Some(state) => states.insert(id.clone(), state),
        None => states.remove(id),
    };
    Ok(())
}

fn entry(event: &str, id: &PluginId, due_ms: i64, mut data: Json) -> NewEntry {
    if let Some(data) = data.as_object_mut() {
        data.insert("plugin".to_owned(), id.as_str().into());
        data.insert("due_ms".to_owned(), due_ms.into());
    }
    let body = EntryBody::Event { name: event.to_owned(), data };
    NewEntry { actor: Caller::system("schedule").actor, cause: Cause::default(), body }
}
