//! Which run has which capsule: `plugin 00 run` → digest.

use std::collections::BTreeSet;

use trellis_model::{PluginId, RecordId};
use trellis_records::Records;
use trellis_storage::{ScanRange, WriteSet};

use super::Capsules;
use crate::{Error, Result, keys, plugins::hex};

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

fn digest(key: &[u8], value: &[u8]) -> Result<[u8; 32]> {
    let wrong = || Error::Damaged { what: format!("capsule under key {key:02x?} is no digest") };
    value.try_into().map_err(|_| wrong())
}
