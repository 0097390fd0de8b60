//! The applier: takes durable groups in order, puts them into sled, and writes checkpoints.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trellis_storage::Result;

use crate::checkpoint::Checkpoint;
use crate::shared::{Group, Shared};
use crate::{snapshot, start};

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
        let group = shared.queue.next(interval.saturating_sub(last_checkpoint.elapsed()));
        shared.check_running()?;
        match group {
            Some(group) => apply(shared, &group)?,
            None if shared.queue.waiting.lock().ended => return checkpoint(shared),
            None => {}
        }
        let wanted = std::mem::take(&mut shared.queue.waiting.lock().checkpoint_wanted);
        if wanted || last_checkpoint.elapsed() >= interval {
            checkpoint(shared)?;
            snapshot::start_if_due(shared);
            last_checkpoint = Instant::now();
        }
    }
}

fn apply(shared: &Shared, group: &Group) -> Result<()> {
    let mut applied = shared.applied.lock();
    for (key, entry) in &group.changes {
        let before = shared.state.apply(key, entry.position, entry.value.as_deref());
        let before = before.map_err(|fault| shared.state_failed(&fault))?;
        if let Some(walk) = &mut applied.walk {
            walk.correct(key, before.as_deref(), entry.position, entry.value.as_deref());
        }
    }
    applied.position = group.last_position;
    applied.place = group.place;
    applied.sums.add_all(&group.sums);
    drop(applied);
    shared.overlay.remove(&group.changes);
    shared.queue.done(group);
    Ok(())
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
