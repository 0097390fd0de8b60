//! The applier: takes durable groups in order, puts them into sled, and writes checkpoints.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trellis_storage::Result;

use crate::checkpoint::Checkpoint;
use crate::overlay::Entry;
use crate::shared::{Group, Shared};
use crate::{snapshot, start};

/// Groups are applied together up to this many bytes: about 20,000 changes, a third of a second for whoever else needs to
/// see sled between two groups.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// Runs until the queue has ended and is empty, or the store stops.
pub(crate) fn run(shared: &Arc<Shared>) {
    if let Err(error) = apply_all(shared) {
        shared.stop(&error.to_string());
    }
}

fn apply_all(shared: &Arc<Shared>) -> Result<()> {
    let interval = Duration::from_millis(shared.config.checkpoint_interval_ms.max(1));
    let mut last_checkpoint = Instant::now();
    loop {
        let groups = shared.queue.next(interval.saturating_sub(last_checkpoint.elapsed()), BATCH_BYTES_MAX);
        shared.check_running()?;
        if !groups.is_empty() {
            apply(shared, &groups)?;
        } else if shared.queue.waiting.lock().ended {
            return checkpoint(shared);
        }
        let wanted = std::mem::take(&mut shared.queue.waiting.lock().checkpoint_wanted);
        if wanted || last_checkpoint.elapsed() >= interval {
            checkpoint(shared)?;
            snapshot::start_if_due(shared);
            last_checkpoint = Instant::now();
        }
    }
}

/// Applies groups as one, in the order of keys: sled finds neighbours faster, and a key that changes again and again is
/// written once. Until the next checkpoint nobody relies on the order.
fn apply(shared: &Shared, groups: &[Arc<Group>]) -> Result<()> {
    let Some(last) = groups.last() else { return Ok(()) };
    let changes = last_changes(groups);
    let mut applied = shared.applied.lock();
    for (key, entry) in changes {
        let before = shared.state.apply(key, entry.position, entry.value.as_deref());
        let before = before.map_err(|fault| shared.state_failed(&fault))?;
        if let Some(walk) = &mut applied.walk {
            walk.correct(key, before.as_deref(), entry.position, entry.value.as_deref());
        }
    }
    applied.position = last.last_position;
    applied.place = last.place;
    groups.iter().for_each(|group| applied.sums.add_all(&group.sums));
    drop(applied);
    for group in groups {
        shared.overlay.remove(&group.changes);
        shared.queue.done(group);
    }
    Ok(())
}

/// The last change of each key, in the order of keys.
fn last_changes(groups: &[Arc<Group>]) -> Vec<(&Arc<[u8]>, &Entry)> {
    let mut changes: Vec<_> = groups.iter().flat_map(|group| &group.changes).collect();
    changes.sort_by(|(a, x), (b, y)| a.cmp(b).then(y.position.cmp(&x.position)));
    changes.dedup_by(|next, first| next.0 == first.0);
    changes
}

/// Makes durable what is applied, and notes it in the checkpoint file. Nothing to do where nothing was applied since.
pub(crate) fn checkpoint(shared: &Shared) -> Result<()> {
    // Only the applier changes what is applied, and it is here.
    let (place, checkpoint) = {
        let applied = shared.applied.lock();
        let (epoch, position, place) = (shared.epoch, applied.position, applied.place);
        (applied.checkpoint.place, Checkpoint { epoch, position, place, sums: applied.sums.clone() })
    };
    if place == checkpoint.place {
        return Ok(());
    }
    let started = Instant::now();
    let synced = shared.state.sync(shared.epoch, checkpoint.position, &shared.files);
    synced.map_err(|fault| shared.state_failed(&fault))?;
    checkpoint.write(&start::checkpoint_path(&shared.dir), &shared.files)?;
    shared.figures.checkpoints.add_since(started);
    shared.applied.lock().checkpoint = checkpoint;
    shared.queue.progress.notify_all();
    Ok(())
}
