//! Which run has which capsule: `plugin 00 run` → digest.

use std::collections::BTreeSet;

use trellis_model::{PluginId, RecordId};
use trellis_records::Records;
use trellis_storage::{ScanRange, WriteSet};

use super::Capsules;
use crate::{Error, Result, keys, plugins::hex};

const DAY_MS: i64 = 86_400_000;
/// Keys of one page of a scan.
const PAGE_ROWS: usize = 200;

/// Lists the capsule of a run, in the write set that makes the run known.
pub(crate) fn entry(set: &mut WriteSet, plugin: &PluginId, run: RecordId, digest: &[u8; 32]) {
    set.put(keys::run_capsule(plugin, run), digest);
}

/// The capsule of a run; `None` where it has none, or none any more.
pub(crate) async fn digest_of(
    records: &Records,
    plugin: &PluginId,
    run: RecordId,
) -> Result<Option<[u8; 32]>> {
    let key = keys::run_capsule(plugin, run);
    let found = records.store().get(&key).await?;
    found.map(|found| digest(&key, &found.value)).transpose()
}

/// The capsules of a plugin's runs.
pub(crate) async fn of_plugin(records: &Records, plugin: &PluginId) -> Result<Vec<[u8; 32]>> {
    let mut range = ScanRange::prefix(&keys::run_capsules(plugin));
    let mut digests = Vec::new();
    loop {
        let page = records.store().scan(range.clone(), PAGE_ROWS).await?;
        for row in &page.rows {
            digests.push(digest(&row.key, &row.value)?);
        }
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => return Ok(digests),
        }
    }
}

/// Every capsule that is listed, in hex.
pub(crate) async fn listed(records: &Records) -> Result<BTreeSet<String>> {
    let (mut range, mut listed) = (ScanRange::prefix(&keys::KeyKind::RunCapsule.prefix()), BTreeSet::new());
    loop {
        let page = records.store().scan(range.clone(), PAGE_ROWS).await?;
        for row in &page.rows {
            listed.insert(hex(&digest(&row.key, &row.value)?));
        }
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => return Ok(listed),
        }
    }
}

/// Deletes the capsules of all but the newest `kept` runs of a plugin that have one.
pub(crate) async fn delete_old(
    records: &Records,
    capsules: &Capsules,
    plugin: &PluginId,
    kept: usize,
) -> Result<()> {
    let range = ScanRange::prefix(&keys::run_capsules(plugin)).reversed();
    let page = records.store().scan(range, PAGE_ROWS).await?;
    let digests = page.rows.iter().map(|row| digest(&row.key, &row.value)).collect::<Result<Vec<_>>>()?;
    let (keep, old) = digests.split_at(kept.min(digests.len()));
    for (row, digest) in page.rows.iter().skip(keep.len()).zip(old) {
        // Not listed first: a file that is not listed goes at the next start, a listed one without a file says so.
        let mut set = WriteSet::new();
        set.delete(row.key.to_vec());
        records.commit(set, None).await?;
        if !keep.contains(digest) {
            capsules.remove(digest);
        }
    }
    Ok(())
}

/// The newest runs of a plugin that have a capsule, the newest first.
pub(crate) async fn newest(records: &Records, plugin: &PluginId, runs_max: usize) -> Result<Vec<RecordId>> {
    let range = ScanRange::prefix(&keys::run_capsules(plugin)).reversed();
    let page = records.store().scan(range, runs_max.clamp(1, PAGE_ROWS)).await?;
    page.rows.iter().take(runs_max).map(|row| keys::trailing_id(&row.key)).collect()
}

/// How long capsules are kept, whichever plugin's they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    /// Days after the run was asked for; 0 is without end.
    pub(crate) days_max: u32,
    /// Bytes of all of them; the oldest go first.
    pub(crate) bytes_max: u64,
}

/// Deletes the capsules of all plugins that are too old or too much. Returns how many.
pub(crate) async fn expire(
    records: &Records,
    capsules: &Capsules,
    retention: Retention,
    now_ms: i64,
) -> Result<usize> {
    let (mut range, mut found) = (ScanRange::prefix(&keys::KeyKind::RunCapsule.prefix()), Vec::new());
    loop {
        let page = records.store().scan(range.clone(), PAGE_ROWS).await?;
        for row in &page.rows {
            found.push((keys::trailing_id(&row.key)?, row.key.to_vec(), digest(&row.key, &row.value)?));
        }
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => break,
        }
    }
    found.sort_unstable_by(|(one, ..), (other, ..)| other.cmp(one));
    let oldest_ms = now_ms - i64::from(retention.days_max) * DAY_MS;
    let (mut kept, mut bytes, mut deleted) = (BTreeSet::new(), 0_u64, 0);
    for (run, key, digest) in found {
        if !kept.contains(&digest) {
            bytes = bytes.saturating_add(capsules.bytes(&digest));
        }
        let is_old = retention.days_max > 0 && time_ms(run) < oldest_ms;
        if !is_old && bytes <= retention.bytes_max {
            kept.insert(digest);
            continue;
        }
        let mut set = WriteSet::new();
        set.delete(key);
        records.commit(set, None).await?;
        if !kept.contains(&digest) {
            capsules.remove(&digest);
        }
        deleted += 1;
    }
    Ok(deleted)
}

/// When a run was asked for, as its id says.
pub(crate) fn time_ms(run: RecordId) -> i64 {
    let time = run.0.get_timestamp().map(|time| time.to_unix());
    let ms = time.map_or(0, |(seconds, nanos)| seconds * 1_000 + u64::from(nanos) / 1_000_000);
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn digest(key: &[u8], value: &[u8]) -> Result<[u8; 32]> {
    let wrong = || Error::Damaged { what: format!("capsule under key {key:02x?} is no digest") };
    value.try_into().map_err(|_| wrong())
}
