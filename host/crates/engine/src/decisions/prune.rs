//! Keeps the number of decisions bounded: the oldest go, refusals by a limit of their own, so that an import of refused rows does not push
//! out what was decided about everything else.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use trellis_model::RecordId;
use trellis_records::Records;
use trellis_storage::{ScanRange, WriteSet};

use super::stored as stored_decision;
use crate::{Result, keys, stored};

/// Rows of a scan, and decisions that are deleted at once.
const PAGE_ROWS: usize = 200;
/// How many more than are kept there may be, as a share of these: looking for the oldest means a scan of all.
const SHARE: usize = 20;
/// At least so many.
const NOTED_MIN: usize = 100;

/// Counts new decisions, and deletes old ones now and then.
#[derive(Debug)]
pub(crate) struct Pruner {
    kept_max: usize,
    refusals_kept_max: usize,
    noted: AtomicUsize,
    refusals_noted: AtomicUsize,
    running: AtomicBool,
}

impl Pruner {
    pub(crate) fn new(kept_max: usize, refusals_kept_max: usize) -> Arc<Self> {
        let zero = AtomicUsize::default;
        let running = AtomicBool::new(false);
        Arc::new(Self { kept_max, refusals_kept_max, noted: zero(), refusals_noted: zero(), running })
    }

    /// Notes that decisions were recorded; starts deleting in the background where there may be too many. Noting too many costs only time.
    /// Called within the runtime.
    pub(crate) fn note(self: &Arc<Self>, records: &Arc<Records>, decisions: usize) {
        self.count(records, &self.noted, decisions, self.kept_max);
    }

    /// As [`Pruner::note`], for refusals.
    pub(crate) fn note_refusals(self: &Arc<Self>, records: &Arc<Records>, refusals: usize) {
        self.count(records, &self.refusals_noted, refusals, self.refusals_kept_max);
    }

    fn count(self: &Arc<Self>, records: &Arc<Records>, noted: &AtomicUsize, more: usize, kept_max: usize) {
        let due = (kept_max / SHARE).max(NOTED_MIN);
        if noted.fetch_add(more, Relaxed) + more < due || self.running.swap(true, Relaxed) {
            return;
        }
        noted.store(0, Relaxed);
        let (this, records) = (Arc::clone(self), Arc::clone(records));
        tokio::spawn(async move {
            if let Err(error) = this.prune(&records).await {
                tracing::error!("old decisions cannot be deleted: {error}");
            }
            this.running.store(false, Relaxed);
        });
    }

    /// Deletes what is over the limits, the oldest first. Returns how many.
    pub(crate) async fn prune(&self, records: &Records) -> Result<usize> {
        let (mut refusals, mut others) = (Vec::new(), Vec::new());
        let mut range = ScanRange::prefix(&keys::KeyKind::Decision.prefix());
        loop {
            let page = records.store().scan(range.clone(), PAGE_ROWS).await?;
            for row in &page.rows {
                let is_refusal = row.value.get(stored::HEAD_BYTES..).and_then(stored_decision::is_refusal);
                let kind = if is_refusal == Some(true) { &mut refusals } else { &mut others };
                kind.push(keys::trailing_id(&row.key)?);
            }
            match page.rows.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => break,
            }
            tokio::task::yield_now().await;
        }
        refusals.truncate(refusals.len().saturating_sub(self.refusals_kept_max));
        others.truncate(others.len().saturating_sub(self.kept_max));
        let old = [refusals, others].concat();
        for ids in old.chunks(PAGE_ROWS) {
            delete(records, ids).await?;
        }
        Ok(old.len())
    }
}

async fn delete(records: &Records, ids: &[RecordId]) -> Result<()> {
    let store = records.store().as_ref();
    let mut set = WriteSet::new();
    for id in ids {
        let key = keys::decision(*id);
        if let Some((bytes, _)) = stored::get(store, &key).await? {
            let decision = stored_decision::decode(*id, &bytes)?;
            if let Some(object) = records.schema().object(decision.object.as_str()) {
                set.delete(keys::decision_of_record(object.id, decision.record, *id));
            }
        }
        for key in [key, keys::decision_capsule(*id)] {
            // What was put again may have left more parts than its last form has.
            for row in store.scan(ScanRange::prefix(&keys::parts(&key)), PAGE_ROWS).await?.rows {
                set.delete(row.key.to_vec());
            }
            set.delete(key);
        }
    }
    records.commit(set, None).await?;
    Ok(())
}
