//! Each change of how a plugin is used, so that the way back is open: `host/docs/formats/engine.md`.

use semver::Version;
use serde::{Deserialize, Serialize};
use trellis_columns::AsOf;
use trellis_model::{Actor, PluginId};
use trellis_records::Records;
use trellis_storage::{ScanRange, WriteSet};

use super::{
    files::hex,
    stored::{PreviousV1, UseV1},
};
use crate::{Error, Result, as_of, keys, stored};

/// Switches that are read at once.
const PAGE_ROWS: usize = 200;

/// Why a plugin is used otherwise than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SwitchKind {
    /// It was enabled, or enabled with other settings.
    Enabled,
    /// Another version took over.
    Upgraded,
    /// An earlier use came back.
    RolledBack,
}

impl SwitchKind {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Upgraded => "upgraded",
            Self::RolledBack => "rolled_back",
        }
    }

    /// The event in the log.
    pub(super) fn event(self) -> &'static str {
        match self {
            Self::Enabled => "plugin.enabled",
            Self::Upgraded => "plugin.upgraded",
            Self::RolledBack => "plugin.rolled_back",
        }
    }
}

/// A change of how a plugin is used.
#[derive(Debug, Clone, PartialEq)]
pub struct SwitchInfo {
    /// Counts a plugin's switches from 1.
    pub number: u64,
    /// Why it came.
    pub kind: SwitchKind,
    /// The version in use from then on.
    pub version: Version,
    /// BLAKE3 digest of the component, in hex.
    pub digest: String,
    /// Its configuration, defaults filled in.
    pub config: serde_json::Value,
    /// Up to when data counts.
    pub as_of: AsOf,
    /// What was granted; everything that an admin need not grant by name where it is `None`.
    pub grants: Option<Vec<String>>,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: i64,
    /// By whom.
    pub by: Actor,
    /// What whoever did it gave as the reason.
    pub reason: Option<String>,
    /// Whether it is the one in use, or was when the plugin was disabled.
    pub current: bool,
    /// Whether rolling back leads to it.
    pub previous: bool,
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredSwitch {
    V1(SwitchV1),
}

/// A change of how a plugin is used; `usage.switch` is its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SwitchV1 {
    pub(super) kind: SwitchKind,
    pub(super) digest: [u8; 32],
    pub(super) reason: Option<String>,
    pub(super) usage: UseV1,
}

impl SwitchV1 {
    pub(super) fn put(&self, set: &mut WriteSet, plugin: &PluginId) {
        let bytes = stored::encode(&StoredSwitch::V1(self.clone()));
        stored::put(set, &keys::plugin_switch(plugin, self.usage.switch), &bytes, 0);
    }

    pub(super) fn as_previous(&self) -> PreviousV1 {
        PreviousV1 { switch: self.usage.switch, version: self.usage.version.clone() }
    }

    /// `usage` is the one in use.
    pub(super) fn info(&self, plugin: &PluginId, usage: Option<&UseV1>) -> Result<SwitchInfo> {
        let number = self.usage.switch;
        let damaged = |why: String| Error::Damaged { what: format!("switch {number} of `{plugin}`: {why}") };
        let previous = usage.and_then(|usage| usage.previous.as_ref());
        Ok(SwitchInfo {
            number,
            kind: self.kind,
            version: self.usage.version.parse().map_err(|error: semver::Error| damaged(error.to_string()))?,
            digest: hex(&self.digest),
            config: serde_json::from_str(&self.usage.config).map_err(|error| damaged(error.to_string()))?,
            as_of: as_of::from_days(self.usage.as_of),
            grants: self.usage.grants.clone(),
            at_ms: self.usage.changed_at_ms,
            by: Actor::try_from(self.usage.changed_by.clone()).map_err(|error| damaged(error.to_string()))?,
            reason: self.reason.clone(),
            current: usage.is_some_and(|usage| usage.switch == number),
            previous: previous.is_some_and(|previous| previous.switch == number),
        })
    }
}

/// A switch with how many further parts it has in the store.
pub(super) struct Found {
    pub(super) switch: SwitchV1,
    parts: u32,
}

/// The switches of a plugin that are kept, the newest first.
pub(super) async fn all(records: &Records, plugin: &PluginId) -> Result<Vec<Found>> {
    let store = records.store();
    let mut range = ScanRange::prefix(&keys::plugin_switches(plugin)).reversed();
    let mut found = Vec::new();
    loop {
        let page = store.scan(range.clone(), PAGE_ROWS).await?;
        for row in &page.rows {
            let (bytes, parts) = stored::join(store.as_ref(), &row.key, &row.value).await?;
            let StoredSwitch::V1(switch) =
                stored::decode(&bytes, || format!("a switch of plugin `{plugin}`"))?;
            found.push(Found { switch, parts });
        }
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => return Ok(found),
        }
    }
}

/// A switch by its number, if it is kept.
pub(super) async fn get(records: &Records, plugin: &PluginId, number: u64) -> Result<Option<SwitchV1>> {
    let key = keys::plugin_switch(plugin, number);
    let Some((bytes, _)) = stored::get(records.store().as_ref(), &key).await? else { return Ok(None) };
    let StoredSwitch::V1(switch) = stored::decode(&bytes, || format!("switch {number} of `{plugin}`"))?;
    Ok(Some(switch))
}

/// Deletes all but the newest `kept` switches and the one to which rolling back leads.
pub(super) fn prune(
    set: &mut WriteSet,
    plugin: &PluginId,
    found: &[Found],
    kept: usize,
    previous: Option<u64>,
) {
    for old in found.iter().skip(kept).filter(|old| Some(old.switch.usage.switch) != previous) {
        old.delete(set, plugin);
    }
}

impl Found {
    pub(super) fn delete(&self, set: &mut WriteSet, plugin: &PluginId) {
        stored::delete(set, &keys::plugin_switch(plugin, self.switch.usage.switch), self.parts);
    }
}
