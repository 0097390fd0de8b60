//! What a start does with the jobs of an earlier server.

use std::{collections::BTreeSet, sync::Arc};

use trellis_model::Text;
use trellis_records::Records;
use trellis_storage::{ScanRange, WriteSet};

use super::{
    Job, JobError, JobState, Progress,
    stored::{self as stored_job, Request},
    table::{Live, PAGE_JOBS_MAX, Shared},
};
use crate::{Error, Result, keys, stored};

/// Jobs that are deleted in one write set when old ones go.
const PRUNE_JOBS_MAX: usize = 100;

/// The ids of the jobs that have not ended.
pub(crate) async fn open_ids(records: &Records) -> Result<BTreeSet<String>> {
    let (mut range, mut ids) = (ScanRange::prefix(&keys::KeyKind::OpenJob.prefix()), BTreeSet::new());
    loop {
        let page = records.store().scan(range.clone(), PAGE_JOBS_MAX).await?;
        for row in &page.rows {
            ids.insert(keys::trailing_id(&row.key)?.to_string());
        }
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => return Ok(ids),
        }
    }
}

impl Shared {
    /// Queues again what an earlier server did not finish, as far as it can go on.
    pub(super) async fn recover(&self) -> Result<()> {
        let mut range = ScanRange::prefix(&keys::KeyKind::OpenJob.prefix());
        loop {
            let page = self.records.store().scan(range.clone(), PAGE_JOBS_MAX).await?;
            for row in &page.rows {
                let id = keys::trailing_id(&row.key)?;
                let missing =
                    || Error::Damaged { what: format!("job {id} is listed as open and does not exist") };
                let (job, request, parts) = self.load(id).await?.ok_or_else(missing)?;
                self.recover_one(job, request, parts).await?;
            }
            match page.rows.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => return Ok(()),
            }
        }
    }

    async fn recover_one(&self, mut job: Job, request: Request, parts: u32) -> Result<()> {
        let may_go_on = job.attempts < self.config.job_attempts_max && self.work.can_resume(&request);
        if !may_go_on {
            let live = Live::recovered(job, request, parts);
            self.end(&live, JobState::Interrupted, serde_json::Value::Null, Some(interrupted())).await;
            return Ok(());
        }
        if job.state == JobState::Paused {
            self.live.lock().insert(job.id, Live::recovered(job, request, parts));
            return Ok(());
        }
        tracing::info!(job = %job.id, kind = job.kind.as_str(), "a job that was interrupted goes on");
        job.state = JobState::Queued;
        job.progress = Progress::default();
        let live = Live::recovered(job, request, parts);
        self.save(&live, true).await?;
        let id = live.job.borrow().id;
        self.live.lock().insert(id, Arc::clone(&live));
        self.enqueue(live);
        Ok(())
    }

    /// Deletes finished jobs beyond the number that is kept, the oldest ones.
    pub(super) async fn prune(&self) -> Result<()> {
        let store = self.records.store();
        let (mut range, mut seen) = (ScanRange::prefix(&keys::KeyKind::Job.prefix()).reversed(), 0);
        loop {
            let page = store.scan(range.clone(), PRUNE_JOBS_MAX).await?;
            let keep = self.config.jobs_kept_max.saturating_sub(seen).min(page.rows.len());
            seen += page.rows.len();
            let mut set = WriteSet::new();
            for row in page.rows.iter().skip(keep) {
                let id = keys::trailing_id(&row.key)?;
                let (bytes, parts) = stored::join(store.as_ref(), &row.key, &row.value).await?;
                if stored_job::decode(id, &bytes)?.0.state.is_final() {
                    stored::delete(&mut set, &row.key, parts);
                }
            }
            if !set.is_empty() {
                self.records.commit(set, None).await?;
            }
            match page.rows.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => return Ok(()),
            }
        }
    }
}

fn interrupted() -> JobError {
    let message = Text::new(
        "the server stopped while the job ran, and the job cannot go on by itself: start it again",
        "作业运行时服务器停止，且该作业无法自行继续，请重新启动",
    );
    JobError { code: "interrupted".into(), message }
}
