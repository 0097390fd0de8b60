//! What the threads of an open store share.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use trellis_storage::{Epoch, Error, Position, Result, Versioned};

use crate::checkpoint::Checkpoint;
use crate::files::Files;
use crate::filter::Filter;
use crate::frame::Place;
use crate::overlay::{Changes, Overlay};
use crate::report::SyncStats;
use crate::snapshot::Snapshots;
use crate::state::{Fault, State};
use crate::sums::Sums;
use crate::walk::Walk;
use crate::{Config, start};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) config: Config,
    pub(crate) files: Files,
    pub(crate) epoch: Epoch,
    pub(crate) state: State,
    pub(crate) overlay: Overlay,
    /// Which keys may exist, once the writer wants to know.
    pub(crate) filter: OnceLock<Filter>,
    /// Position of the last commit that every reader sees.
    pub(crate) head: AtomicU64,
    /// Position of the last commit that some reader may see: ahead of `head` while a group goes into the overlay.
    pub(crate) assigned: AtomicU64,
    pub(crate) applied: Mutex<Applied>,
    pub(crate) queue: Queue,
    pub(crate) snapshots: Snapshots,
    pub(crate) closing: AtomicBool,
    pub(crate) figures: Figures,
    stopped: OnceLock<String>,
}

/// What sled holds. Whoever holds the lock sees sled between two groups.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) position: u64,
    /// Behind the last applied frame.
    pub(crate) place: Place,
    pub(crate) sums: Sums,
    /// A walk over all rows that is under way.
    pub(crate) walk: Option<Walk>,
    pub(crate) checkpoint: Checkpoint,
}

/// Durable write sets on their way into sled.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) last_position: u64,
    /// Behind its frame.
    pub(crate) place: Place,
    pub(crate) sums: Sums,
    /// The last change of each key.
    pub(crate) changes: Changes,
    /// What it takes in memory.
    pub(crate) bytes: usize,
}

/// Groups that wait for the applier, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) waiting: Mutex<Waiting>,
    /// There is something for the applier.
    pub(crate) work: Condvar,
    /// The applier has finished something.
    pub(crate) progress: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) groups: VecDeque<Arc<Group>>,
    /// Of the waiting groups and of the one that is being applied.
    pub(crate) bytes: usize,
    /// No group will follow.
    pub(crate) ended: bool,
    /// Somebody waits for a checkpoint.
    pub(crate) checkpoint_wanted: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) groups: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) journal_sync: Durations,
    pub(crate) checkpoints: Durations,
}

#[derive(Debug, Default)]
pub(crate) struct Durations(Mutex<SyncStats>);

impl Durations {
    pub(crate) fn add_since(&self, start: Instant) {
        let took = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut stats = self.0.lock();
        stats.count += 1;
        stats.total_us = stats.total_us.saturating_add(took);
        stats.max_us = stats.max_us.max(took);
    }

    pub(crate) fn get(&self) -> SyncStats {
        *self.0.lock()
    }
}

impl Shared {
    pub(crate) fn new(dir: PathBuf, config: Config, files: Files, state: State, applied: Applied) -> Self {
        let head = applied.position;
        Self {
            snapshots: Snapshots::default(),
            epoch: applied.checkpoint.epoch,
            dir,
            config,
            files,
            state,
            overlay: Overlay::default(),
            filter: OnceLock::new(),
            head: AtomicU64::new(head),
            assigned: AtomicU64::new(head),
            applied: Mutex::new(applied),
            queue: Queue::default(),
            closing: AtomicBool::new(false),
            figures: Figures::default(),
            stopped: OnceLock::new(),
        }
    }

    /// The newest durable row of `key`.
    pub(crate) fn read(&self, key: &[u8]) -> Result<Option<Versioned>> {
        self.check_running()?;
        if let Some(entry) = self.overlay.get(key) {
            return Ok(entry.value.map(|value| Versioned { position: Position(entry.position), value }));
        }
        if self.filter.get().is_some_and(|filter| !filter.may_hold(key)) {
            return Ok(None);
        }
        self.state.get(key).map_err(|fault| self.state_failed(&fault))
    }

    /// # Errors
    /// [`Error::Stopped`] with the first failure.
    pub(crate) fn check_running(&self) -> Result<()> {
        match self.stopped.get() {
            Some(reason) => Err(Error::Stopped { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// Takes no more work, for good. The first reason stays.
    pub(crate) fn stop(&self, reason: &str) -> Error {
        if self.stopped.set(reason.to_owned()).is_ok() {
            tracing::error!(reason, "the store stops; a restart heals it or names the cause");
            // Whoever waits for the applier or for room looks again.
            let waiting = self.queue.waiting.lock();
            self.queue.work.notify_all();
            self.queue.progress.notify_all();
            drop(waiting);
            if let Some(hook) = &self.config.on_stopped {
                hook.call(reason);
            }
        }
        Error::Stopped { reason: self.stopped.get().cloned().unwrap_or_else(|| reason.to_owned()) }
    }

    /// Stops because of sled; where its files are to blame, the next start builds them again.
    pub(crate) fn state_failed(&self, fault: &Fault) -> Error {
        if let Fault::Damaged(reason) = fault {
            start::mark_suspect(&self.dir, reason, &self.files);
        }
        self.stop(fault.reason())
    }

    /// Waits until replaying needs nothing before `segment` any more.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the store stops or closes meanwhile.
    pub(crate) fn wait_for_checkpoint(&self, segment: u64) -> Result<()> {
        while self.applied.lock().checkpoint.place.segment < segment {
            self.check_running()?;
            if self.is_closing() {
                return Err(Error::Stopped { reason: "the store is being closed".into() });
            }
            let mut waiting = self.queue.waiting.lock();
            waiting.checkpoint_wanted = true;
            self.queue.work.notify_one();
            self.queue.progress.wait_for(&mut waiting, Duration::from_millis(10));
        }
        Ok(())
    }

    /// Stops working at the end of the queue.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}

impl Queue {
    pub(crate) fn push(&self, group: Arc<Group>) {
        let mut waiting = self.waiting.lock();
        waiting.bytes += group.bytes;
        waiting.groups.push_back(group);
        self.work.notify_one();
    }

    /// No group will follow.
    pub(crate) fn end(&self) {
        self.waiting.lock().ended = true;
        self.work.notify_all();
    }

    /// Takes the next group and those behind it, up to `bytes_max`. Empty after `wait`, or where [`Waiting::ended`] and
    /// nothing is left.
    pub(crate) fn next(&self, wait: Duration, bytes_max: usize) -> Vec<Arc<Group>> {
        let mut waiting = self.waiting.lock();
        if waiting.groups.is_empty() && !waiting.ended && !waiting.checkpoint_wanted {
            self.work.wait_for(&mut waiting, wait);
        }
        let mut groups = Vec::new();
        let mut bytes = 0;
        while (groups.is_empty() || bytes < bytes_max)
            && let Some(group) = waiting.groups.pop_front()
        {
            bytes += group.bytes;
            groups.push(group);
        }
        groups
    }

    /// A group is in sled and out of the overlay.
    pub(crate) fn done(&self, group: &Group) {
        self.waiting.lock().bytes -= group.bytes;
        self.progress.notify_all();
    }
}
