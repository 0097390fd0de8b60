//! Quarantines in the store: `host/docs/formats/engine.md`.

use serde::{Deserialize, Serialize};
use trellis_model::PluginId;
use trellis_plugin_host::{Digest, PluginVersion, Quarantine};
use trellis_records::Records;
use trellis_storage::{ScanRange, WriteSet};

use crate::{Error, Result, keys, stored};

/// Quarantines of one page of a scan.
const PAGE_ROWS: usize = 200;
/// Bytes of a reason: what it says besides is in the log of the server.
const REASON_BYTES_MAX: usize = 2_000;

#[derive(Debug, Serialize, Deserialize)]
enum Stored {
    V1(QuarantineV1),
}

#[derive(Debug, Serialize, Deserialize)]
struct QuarantineV1 {
    plugin: String,
    version: String,
    digest: [u8; 32],
    since_ms: i64,
    until_ms: Option<i64>,
    strikes: u32,
    function: String,
    reason: String,
}

pub(super) fn put(set: &mut WriteSet, quarantine: &Quarantine) {
    let reason = &quarantine.reason;
    let stored = QuarantineV1 {
        plugin: quarantine.plugin.id.to_string(),
        version: quarantine.plugin.version.to_string(),
        digest: *quarantine.digest.as_bytes(),
        since_ms: quarantine.since_ms,
        until_ms: quarantine.until_ms,
        strikes: quarantine.strikes,
        function: quarantine.function.clone(),
        reason: reason.get(..reason.floor_char_boundary(REASON_BYTES_MAX)).unwrap_or_default().to_owned(),
    };
    let key = keys::plugin_quarantine(&quarantine.plugin.id, quarantine.digest.as_bytes());
    set.put(key, stored::encode(&Stored::V1(stored)));
}

/// Adds to `set` that a quarantine is over; says whether there is one.
pub(super) async fn delete(
    records: &Records,
    set: &mut WriteSet,
    plugin: &PluginId,
    digest: &Digest,
) -> Result<bool> {
    let key = keys::plugin_quarantine(plugin, digest.as_bytes());
    let found = records.store().get(&key).await?.is_some();
    if found {
        set.delete(key);
    }
    Ok(found)
}

/// Every quarantine.
pub(super) async fn all(records: &Records) -> Result<Vec<Quarantine>> {
    let mut range = ScanRange::prefix(&keys::KeyKind::PluginQuarantine.prefix());
    let mut found = Vec::new();
    loop {
        let page = records.store().scan(range.clone(), PAGE_ROWS).await?;
        for row in &page.rows {
            found.push(read(&row.key, &row.value)?);
        }
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => return Ok(found),
        }
    }
}

fn read(key: &[u8], value: &[u8]) -> Result<Quarantine> {
    let what = || format!("quarantine under key {key:02x?}");
    let damaged = |reason: String| Error::Damaged { what: format!("{}: {reason}", what()) };
    let Stored::V1(stored) = stored::decode(value, what)?;
    Ok(Quarantine {
        plugin: PluginVersion {
            id: PluginId::new(&stored.plugin).map_err(|error| damaged(error.to_string()))?,
            version: stored.version.parse().map_err(|error: semver::Error| damaged(error.to_string()))?,
        },
        digest: Digest::from_bytes(stored.digest),
        since_ms: stored.since_ms,
        until_ms: stored.until_ms,
        strikes: stored.strikes,
        function: stored.function,
        reason: stored.reason,
    })
}
