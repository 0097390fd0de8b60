//! Plugins that run by themselves and are asked questions unasked: when their manifest says so, or when an admin does. Each enabled use has
//! one schedule at most.
//!
//! When it is due next is stored. So what was due while the server was down is done once it is up, once however often it was due; and a run
//! that is due while another one goes on is passed over, which is said.

mod alarm;
mod stored;

use std::collections::BTreeMap;

use parking_lot::Mutex;
use trellis_model::{PluginId, RecordId, Text, bilingual};
use trellis_plugin_host::{
    Manifest,
    manifest::{Schedule, ScheduledModel},
};

use trellis_records::Records;

use crate::{Error, Result, core::Core};

pub(crate) use alarm::start;
use stored::StateV1;
pub(crate) use stored::StoredUseSchedule;

/// When a use runs by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum UseSchedule {
    /// When the plugin's manifest says.
    #[default]
    Manifest,
    /// Never.
    Off,
    /// When an admin says.
    Own(Schedule),
}

/// When a plugin runs by itself, and how that went.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleInfo {
    /// Whether the settings say so, or the manifest does.
    pub by_settings: bool,
    /// When and with which model; `None` where the settings say that it does not run.
    pub schedule: Option<Schedule>,
    /// When it is due next, in milliseconds since 1970-01-01T00:00:00Z; `None` while it is not enabled.
    pub next_run_at_ms: Option<i64>,
    /// What became of it the last time.
    pub last: Option<LastScheduled>,
}

/// What became of a scheduled run.
#[derive(Debug, Clone, PartialEq)]
pub struct LastScheduled {
    /// When it was due.
    pub due_ms: i64,
    /// When that was noticed: later where the server was down.
    pub at_ms: i64,
    /// What came of it.
    pub outcome: ScheduledOutcome,
}

/// What came of a run that was due.
#[derive(Debug, Clone, PartialEq)]
pub enum ScheduledOutcome {
    /// It is about to be started.
    Starting,
    /// It was started.
    Started(RecordId),
    /// It was passed over, since this job of the plugin had not ended.
    Skipped(RecordId),
    /// It could not be started.
    Failed {
        /// A stable code, as in [`Error::code`].
        code: String,
        /// What happened.
        message: String,
    },
}

/// Where schedules stand, as the store has it.
#[derive(Debug, Default)]
pub(crate) struct Schedules(Mutex<BTreeMap<PluginId, StateV1>>);

/// What a use runs by: the settings go before the manifest.
pub(crate) fn effective(settings: &UseSchedule, manifest: &Manifest) -> Option<Schedule> {
    match settings {
        UseSchedule::Manifest => manifest.schedule.clone(),
        UseSchedule::Off => None,
        UseSchedule::Own(schedule) => Some(schedule.clone()),
    }
}

/// Checks what a use is to run by.
///
/// # Errors
/// [`Error::InvalidSettings`] where it never comes, comes too often, or asks the plugin for what it does not offer.
pub(crate) fn check(
    records: &Records,
    interval_ms_min: u64,
    settings: &UseSchedule,
    manifest: &Manifest,
) -> Result<()> {
    let Some(schedule) = effective(settings, manifest) else { return Ok(()) };
    let invalid = |reason: Text| Error::InvalidSettings { plugin: manifest.id.clone(), reason };
    let (cron, config, now_ms) = (schedule.cron.as_str(), records.config(), records.clock().now_ms());
    let zone = config.time_zone.iana_name().unwrap_or("UTC");
    schedule.check(&manifest.provides).map_err(|reason| {
        let Text { en, zh_cn } = reason;
        invalid(bilingual!("`schedule` {en}", "`schedule` {zh_cn}"))
    })?;
    if schedule.cron.next_after(now_ms, zone).is_none() {
        return Err(invalid(bilingual!(
            "`schedule`: `{cron}` never comes",
            "`schedule`：`{cron}` 永远不会到来"
        )));
    }
    match schedule.cron.shortest_interval(now_ms, zone) {
        Some(shortest) if shortest.as_millis() < u128::from(interval_ms_min) => {
            let shortest = shortest.as_millis();
            Err(invalid(bilingual!(
                "`schedule`: `{cron}` comes again after {shortest} ms, at least {interval_ms_min} are between two runs (`engine.schedule_interval_ms_min`)",
                "`schedule`：`{cron}` 间隔 {shortest} 毫秒，两次运行至少间隔 {interval_ms_min} 毫秒（`engine.schedule_interval_ms_min`）"
            )))
        }
        _ => Ok(()),
    }
}

/// What is told of a plugin's schedule; `None` where neither its manifest nor its settings have one.
pub(crate) fn info(core: &Core, plugin: &PluginId) -> Option<ScheduleInfo> {
    let (settings, manifest_schedule, enabled) = core.registry.schedule_of(plugin)?;
    let by_settings = settings != UseSchedule::Manifest;
    let schedule = match settings {
        UseSchedule::Manifest => Some(manifest_schedule?),
        UseSchedule::Off => None,
        UseSchedule::Own(schedule) => Some(schedule),
    };
    let states = core.schedules.0.lock();
    let state = states.get(plugin);
    let config = core.records.config();
    let zone = config.time_zone.iana_name().unwrap_or("UTC");
    let next_run_at_ms = schedule.as_ref().filter(|_| enabled).and_then(|schedule| match state {
        Some(state) if state.is_of(schedule, zone) => Some(state.next_due_ms),
        // It has just been set.
        _ => schedule.cron.next_after(core.records.clock().now_ms(), zone),
    });
    let last = state.and_then(|state| state.last.clone()).map(LastScheduled::from);
    Some(ScheduleInfo { by_settings, schedule, next_run_at_ms, last })
}

/// The choice of a model that a schedule stands for.
pub(crate) fn choice(model: ScheduledModel, has_run: bool) -> crate::ModelChoice {
    match model {
        ScheduledModel::Last if has_run => crate::ModelChoice::Last,
        ScheduledModel::Fit | ScheduledModel::Last => crate::ModelChoice::Usual,
    }
}
