//! How jobs are written down: each change of state with an entry of the log, progress now and then without one.

use trellis_model::{Cause, RecordId};
use trellis_records::{EntryBody, NewEntry};
use trellis_storage::WriteSet;

use super::{
    Job, JobState, Progress,
    stored::{self as stored_job, Request},
    table::{Live, Shared},
};
use crate::{Error, Result, keys, stored};

/// What the store holds of a job.
#[derive(Debug, Default)]
pub(super) struct Saved {
    pub(super) parts: u32,
    pub(super) progress: Progress,
}

impl Shared {
    pub(super) async fn save(&self, live: &Live, with_entry: bool) -> Result<()> {
        let job = live.job.borrow().clone();
        self.save_as(live, &job, with_entry).await
    }

    pub(super) async fn save_as(&self, live: &Live, job: &Job, with_entry: bool) -> Result<()> {
        let mut saved = live.saved.lock().await;
        // What the saver of progress has read may be older than the end that another thread wrote meanwhile.
        if !with_entry && live.job.borrow().state != job.state {
            return Ok(());
        }
        let mut set = WriteSet::new();
        let parts =
            stored::put(&mut set, &keys::job(job.id), &stored_job::encode(job, &live.request), saved.parts);
        if job.state.is_final() {
            set.delete(keys::open_job(job.id));
            for key in super::notes::keys_of(self.records.store().as_ref(), job.id).await? {
                set.delete(key);
            }
        } else {
            set.put(keys::open_job(job.id), Vec::new());
        }
        self.records.commit(set, with_entry.then(|| entry(job))).await?;
        *saved = Saved { parts, progress: job.progress.clone() };
        Ok(())
    }

    pub(super) async fn load(&self, id: RecordId) -> Result<Option<(Job, Request, u32)>> {
        let Some((bytes, parts)) = stored::get(self.records.store().as_ref(), &keys::job(id)).await? else {
            return Ok(None);
        };
        let (job, request) = stored_job::decode(id, &bytes)?;
        Ok(Some((job, request, parts)))
    }
}

fn entry(job: &Job) -> NewEntry {
    let data =
        serde_json::json!({ "job": job.id.to_string(), "kind": job.kind.as_str(), "subject": job.subject });
    NewEntry {
        actor: job.created_by.clone(),
        cause: Cause { job: Some(job.id), ..Cause::default() },
        body: EntryBody::Event { name: format!("job.{}", job.state.as_str()), data },
    }
}

/// The message of an error with those of its causes.
pub(super) fn with_sources(error: &Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| match cause.to_string() {
        cause if text.contains(&cause) => text,
        cause => format!("{text}: {cause}"),
    })
}

/// Writes down how far running jobs are, now and then, until the table is gone.
pub(super) async fn save_progress(shared: std::sync::Weak<Shared>) {
    loop {
        let Some(period_ms) = shared.upgrade().map(|shared| shared.config.job_progress_save_ms.max(1)) else {
            return;
        };
        tokio::time::sleep(std::time::Duration::from_millis(period_ms)).await;
        let Some(shared) = shared.upgrade() else { return };
        let running: Vec<_> =
            shared.live.lock().values().filter(|live| live.state() == JobState::Running).cloned().collect();
        for live in running {
            let is_new = live.saved.lock().await.progress != live.job.borrow().progress;
            if !is_new {
                continue;
            }
            if let Err(error) = shared.save(&live, false).await {
                tracing::warn!("the progress of a job could not be written down: {}", with_sources(&error));
            }
        }
    }
}
