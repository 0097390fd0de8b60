//! How plugins are stored: `host/docs/formats/engine.md`. What a manifest says is read from the component itself; only what is
//! needed to name a plugin whose file is lost stands here too.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};
use trellis_model::PluginId;
use trellis_plugin_host::manifest::{AbsentPolicy, AbsentUse};
use trellis_records::Records;
use trellis_storage::ScanRange;

use super::{OnQuarantine, entry::Usage};
use crate::{Error, Result, jobs::StoredActor, keys, schedules::StoredUseSchedule, stored};

/// Plugins of one page of a scan.
const PAGE_ROWS: usize = 200;

#[derive(Debug, Serialize, Deserialize)]
enum StoredVersion {
    V1(VersionV1),
}

/// An installed version of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct VersionV1 {
    pub(super) version: String,
    pub(super) digest: [u8; 32],
    pub(super) bytes: u64,
    pub(super) name_en: String,
    pub(super) name_zh_cn: String,
    pub(super) installed_at_ms: i64,
    pub(super) installed_by: StoredActor,
    /// When it was removed; it stays while a run that can be replayed was made with it.
    pub(super) removed_at_ms: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredUse {
    V1(UseV1),
}

/// The configured use of a plugin: there is one a plugin for now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct UseV1 {
    pub(super) enabled: bool,
    pub(super) version: String,
    /// JSON, defaults filled in.
    pub(super) config: String,
    /// Days since 1970-01-01, or now.
    pub(super) as_of: Option<i32>,
    /// What was granted of what the manifest asks for; all of it where nothing was said.
    pub(super) grants: Option<Vec<String>>,
    pub(super) changed_at_ms: i64,
    pub(super) changed_by: StoredActor,
    /// The number of the switch that made it, from 1.
    pub(super) switch: u64,
    /// Where rolling back leads.
    pub(super) previous: Option<PreviousV1>,
    pub(super) schedule: StoredUseSchedule,
    /// What happens while it cannot be called, where an admin says otherwise than the manifest.
    pub(super) absent: BTreeMap<AbsentUse, AbsentPolicy>,
    pub(super) on_quarantine: OnQuarantine,
}

/// A switch that can be rolled back to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PreviousV1 {
    pub(super) switch: u64,
    pub(super) version: String,
}

pub(super) fn encode_version(version: &VersionV1) -> Vec<u8> {
    stored::encode(&StoredVersion::V1(version.clone()))
}

pub(super) fn encode_use(usage: &UseV1) -> Vec<u8> {
    stored::encode(&StoredUse::V1(usage.clone()))
}

/// Every installed version of every plugin.
pub(super) async fn versions(records: &Records) -> Result<Vec<(PluginId, Version, VersionV1)>> {
    let mut versions = Vec::new();
    for (key, value, _) in scan(records, keys::KeyKind::PluginVersion).await? {
        let StoredVersion::V1(stored) =
            stored::decode(&value, || format!("plugin version under key {key:02x?}"))?;
        versions.push((keys::plugin_of(&key)?, version(&key, &stored.version)?, stored));
    }
    Ok(versions)
}

/// The use of every plugin that was ever enabled.
pub(super) async fn uses(records: &Records) -> Result<Vec<(PluginId, Usage)>> {
    let mut uses = Vec::new();
    for (key, value, parts) in scan(records, keys::KeyKind::PluginUse).await? {
        let StoredUse::V1(stored) =
            stored::decode(&value, || format!("use of a plugin under key {key:02x?}"))?;
        uses.push((
            keys::plugin_of(&key)?,
            Usage { version: version(&key, &stored.version)?, stored, parts },
        ));
    }
    Ok(uses)
}

fn version(key: &[u8], text: &str) -> Result<Version> {
    Version::parse(text)
        .map_err(|error| Error::Damaged { what: format!("version under key {key:02x?}: {error}") })
}

async fn scan(records: &Records, kind: keys::KeyKind) -> Result<Vec<(Vec<u8>, Vec<u8>, u32)>> {
    let store = records.store();
    let (mut range, mut found) = (ScanRange::prefix(&kind.prefix()), Vec::new());
    loop {
        let page = store.scan(range.clone(), PAGE_ROWS).await?;
        for row in &page.rows {
            let (value, parts) = stored::join(store.as_ref(), &row.key, &row.value).await?;
            found.push((row.key.to_vec(), value, parts));
        }
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => return Ok(found),
        }
    }
}
