//! How schedules are stored: `host/docs/formats/engine.md`.

use serde::{Deserialize, Serialize};
use trellis_model::{PluginId, RecordId};
use trellis_plugin_host::manifest::{Cron, Schedule, ScheduledModel};
use trellis_records::{NewEntry, Records};
use trellis_storage::{ScanRange, WriteSet};
use uuid::Uuid;

use super::{LastScheduled, ScheduledOutcome, UseSchedule};
use crate::{Result, keys, stored};

/// Keys of a page of a scan.
const PAGE_ROWS: usize = 200;

/// When a use runs by itself, within what is stored of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum StoredUseSchedule {
    Manifest,
    Off,
    Own { cron: String, fit: bool },
    OwnAsking { cron: String, fit: bool, analyses: Vec<String> },
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredState {
    V1(StateV1),
}

/// Where a schedule stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StateV1 {
    pub(super) cron: String,
    pub(super) time_zone: String,
    pub(super) next_due_ms: i64,
    pub(super) last: Option<StoredLast>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredLast {
    pub(super) due_ms: i64,
    pub(super) at_ms: i64,
    pub(super) outcome: StoredOutcome,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum StoredOutcome {
    Starting,
    Started([u8; 16]),
    Skipped([u8; 16]),
    Failed { code: String, message: String },
}

impl StateV1 {
    /// Whether it is about a schedule in a time zone; otherwise that was set since.
    pub(super) fn is_of(&self, schedule: &Schedule, time_zone: &str) -> bool {
        self.cron == schedule.cron.as_str() && self.time_zone == time_zone
    }
}

impl From<StoredLast> for LastScheduled {
    fn from(last: StoredLast) -> Self {
        let id = |bytes| RecordId(Uuid::from_bytes(bytes));
        let outcome = match last.outcome {
            StoredOutcome::Starting => ScheduledOutcome::Starting,
            StoredOutcome::Started(job) => ScheduledOutcome::Started(id(job)),
            StoredOutcome::Skipped(job) => ScheduledOutcome::Skipped(id(job)),
            StoredOutcome::Failed { code, message } => ScheduledOutcome::Failed { code, message },
        };
        Self { due_ms: last.due_ms, at_ms: last.at_ms, outcome }
    }
}

impl From<&UseSchedule> for StoredUseSchedule {
    fn from(schedule: &UseSchedule) -> Self {
        match schedule {
            UseSchedule::Manifest => Self::Manifest,
            UseSchedule::Off => Self::Off,
            UseSchedule::Own(Schedule { cron, model, analyses }) => {
                let (cron, fit) = (cron.as_str().to_owned(), *model == ScheduledModel::Fit);
                match analyses.as_slice() {
                    [] => Self::Own { cron, fit },
                    analyses => Self::OwnAsking { cron, fit, analyses: analyses.to_vec() },
                }
            }
        }
    }
}

impl From<&StoredUseSchedule> for UseSchedule {
    fn from(schedule: &StoredUseSchedule) -> Self {
        match schedule {
            StoredUseSchedule::Manifest => Self::Manifest,
            StoredUseSchedule::Off => Self::Off,
            StoredUseSchedule::Own { cron, fit } => own(cron, *fit, &[]),
            StoredUseSchedule::OwnAsking { cron, fit, analyses } => own(cron, *fit, analyses),
        }
    }
}

fn own(cron: &str, fit: bool, analyses: &[String]) -> UseSchedule {
    match Cron::parse(cron) {
        Ok(cron) => {
            let model = if fit { ScheduledModel::Fit } else { ScheduledModel::Last };
            UseSchedule::Own(Schedule { cron, model, analyses: analyses.to_vec() })
        }
        // It was checked when it was stored; one that another version no longer takes does not run.
        Err(reason) => {
            tracing::warn!("a schedule is off: {reason}");
            UseSchedule::Off
        }
    }
}

/// Where every schedule stands.
pub(super) async fn all(records: &Records) -> Result<Vec<(PluginId, StateV1)>> {
    let (mut range, mut found) = (ScanRange::prefix(&keys::KeyKind::Schedule.prefix()), Vec::new());
    loop {
        let page = records.store().scan(range.clone(), PAGE_ROWS).await?;
        for row in &page.rows {
            let StoredState::V1(state) =
                stored::decode(&row.value, || format!("schedule under key {:02x?}", row.key))?;
            found.push((keys::plugin_of(&row.key)?, state));
        }
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => return Ok(found),
        }
    }
}

/// Writes down where a schedule stands, with what the log is told; `None` forgets it.
pub(super) async fn put(
    records: &Records,
    plugin: &PluginId,
    state: Option<&StateV1>,
    entry: Option<NewEntry>,
) -> Result<()> {
    let mut set = WriteSet::new();
    match state {
        Some(state) => {
            set.put(keys::schedule(plugin), stored::encode(&StoredState::V1(state.clone())));
        }
        None => {
            set.delete(keys::schedule(plugin));
        }
    }
    records.commit(set, entry).await?;
    Ok(())
}
