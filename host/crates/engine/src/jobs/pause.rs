//! Stopping a job where it is, and having it go on.

use std::sync::atomic::Ordering::Relaxed;

use trellis_model::RecordId;

use super::table::{Live, Shared};
use super::{Job, JobState, Jobs};
use crate::{Error, Result};

impl Jobs {
    /// Asks a job to stop where it is until somebody resumes it. One that waits is paused at once, one that runs as soon as it looks; one
    /// that has ended stays as it is.
    ///
    /// # Errors
    /// [`Error::UnknownJob`]; [`Error::InvalidRequest`] for a kind of job that cannot pause.
    pub(crate) async fn pause(&self, id: RecordId) -> Result<Job> {
        let shared = self.shared();
        if let Some(live) = shared.find_live(id) {
            if !shared.work.can_pause(&live.request) {
                let kind = live.request.kind().as_str();
                return Err(Error::InvalidRequest {
                    reason: format!("a job of kind `{kind}` cannot be paused"),
                });
            }
            live.pausing.store(true, Relaxed);
            if shared.remove_queued(id) {
                shared.paused(&live).await;
            } else {
                live.cancel.store(true, Relaxed);
            }
        }
        self.get(id).await?.ok_or(Error::UnknownJob { id })
    }

    /// Has a paused job go on.
    ///
    /// # Errors
    /// [`Error::UnknownJob`]; [`Error::InvalidRequest`] where the job is not paused.
    pub(crate) async fn resume(&self, id: RecordId) -> Result<Job> {
        let shared = self.shared();
        // Of two who resume it at once, or cancel it, one does.
        let paused = shared.find_live(id).filter(|live| live.claim(JobState::Paused, JobState::Queued));
        let Some(live) = paused else {
            let job = self.get(id).await?.ok_or(Error::UnknownJob { id })?;
            return Err(Error::InvalidRequest {
                reason: format!("job {id} is {}, not paused", job.state.as_str()),
            });
        };
        live.pausing.store(false, Relaxed);
        live.cancel.store(false, Relaxed);
        if live.is_cancelled() {
            // It was cancelled since: the thread that takes it up ends it.
            live.stop();
        }
        // Going on is no other attempt: those count starts after a crash.
        live.job.send_modify(|job| job.attempts = job.attempts.saturating_sub(1));
        shared.save(&live, true).await?;
        let job = live.job.borrow().clone();
        shared.enqueue(live);
        Ok(job)
    }
}

impl Shared {
    /// Notes that a job has stopped where it is.
    pub(super) async fn paused(&self, live: &Live) {
        live.job.send_modify(|job| job.state = JobState::Paused);
        if let Err(error) = self.save(live, true).await {
            tracing::error!("the pause of a job could not be written down: {error}");
        }
    }
}
