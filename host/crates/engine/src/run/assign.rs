//! Assigning all customers: several batches at once, results in the order of the rows.

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
};

use parking_lot::{Condvar, Mutex};
use trellis_columns::{CodesColumn, DatasetStream, GenerationWriter};
use trellis_plugin_host::{Assigned, CallContext, RowError, Segmentation, SegmentationDescription};

use crate::{Error, Result, jobs::Running};

/// What all calls of a run have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Assigner<'a> {
    pub(super) segmentation: Segmentation<'a>,
    pub(super) described: &'a [SegmentationDescription],
    pub(super) model: &'a [u8],
    pub(super) at: &'a CallContext,
}

/// What came of the rows.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) customers: u64,
    pub(super) failed: u64,
    /// The first failed rows, with their ordinals.
    pub(super) failed_rows: Vec<(u64, RowError)>,
}

/// Where the rows come from, and how far the results have got.
struct Feed<'a> {
    stream: &'a mut DatasetStream,
    taken: u64,
    appended: u64,
    stopped: bool,
}

struct Shared<'a> {
    feed: Mutex<Feed<'a>>,
    appended: Condvar,
    /// Batches that may be ahead of the last appended one.
    ahead_max: u64,
}

struct Done {
    ordinals: Vec<u64>,
    assigned: Assigned,
}

type Message = (u64, Result<Done>);

/// Assigns every row of `stream` and appends the results to `writer` in order.
pub(super) fn assign_all(
    job: &Running<'_>,
    assigner: Assigner<'_>,
    stream: &mut DatasetStream,
    writer: &mut GenerationWriter,
    options: Options,
) -> Result<Tally> {
    let parallel = options.parallel_max.max(1);
    let total = stream.rows();
    let feed = Feed { stream, taken: 0, appended: 0, stopped: false };
    let shared = Shared { feed: Mutex::new(feed), appended: Condvar::new(), ahead_max: parallel as u64 * 2 };
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(parallel);
        for _ in 0..parallel {
            let (sender, shared) = (sender.clone(), &shared);
            scope.spawn(move || work(shared, assigner, &sender));
        }
        drop(sender);
        let mut tally = Tally::default();
        let outcome = append_in_order(&shared, &receiver, |done| {
            job.check()?;
            append(writer, &done)?;
            tally.add(&done, options.failed_rows_kept_max);
            job.progress(tally.customers, Some(total), "customers");
            Ok(())
        });
        if outcome.is_err() {
            shared.stop();
            // Threads that want to hand over a result must not wait for ever.
            drop(receiver);
        }
        outcome.map(|()| tally)
    })
}

/// How [`assign_all`] works.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    pub(super) parallel_max: usize,
    pub(super) failed_rows_kept_max: usize,
}

impl Shared<'_> {
    /// The next batch with its number, once it is not too far ahead.
    fn take(&self) -> Result<Option<(u64, trellis_model::Batch)>> {
        let mut feed = self.feed.lock();
        while !feed.stopped && feed.taken >= feed.appended + self.ahead_max {
            self.appended.wait(&mut feed);
        }
        if feed.stopped {
            return Ok(None);
        }
        let Some(batch) = feed.stream.next()? else { return Ok(None) };
        let number = feed.taken;
        feed.taken += 1;
        Ok(Some((number, batch)))
    }

    fn advance(&self, appended: u64) {
        self.feed.lock().appended = appended;
        self.appended.notify_all();
    }

    fn stop(&self) {
        self.feed.lock().stopped = true;
        self.appended.notify_all();
    }
}

/// Stops the others when a thread ends, also by a panic: otherwise they would wait for its batch for ever.
struct StopOnDrop<'a, 'b>(&'a Shared<'b>);

impl Drop for StopOnDrop<'_, '_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn work(shared: &Shared<'_>, assigner: Assigner<'_>, results: &SyncSender<Message>) {
    let _stop = StopOnDrop(shared);
    loop {
        let (number, batch) = match shared.take() {
            Ok(Some(taken)) => taken,
            Ok(None) => return,
            Err(error) => {
                // Nobody listens any more only where the run has failed already.
                let _ = results.send((u64::MAX, Err(error)));
                return;
            }
        };
        let ordinals = batch.ordinals.clone();
        let assigned = assigner.segmentation.assign(assigner.described, assigner.model, batch, assigner.at);
        let done = assigned.map(|assigned| Done { ordinals, assigned }).map_err(Error::from);
        let failed = done.is_err();
        if results.send((number, done)).is_err() || failed {
            return;
        }
    }
}

fn append_in_order(
    shared: &Shared<'_>,
    results: &Receiver<Message>,
    mut append: impl FnMut(Done) -> Result<()>,
) -> Result<()> {
    let (mut waiting, mut next) = (BTreeMap::new(), 0);
    for (number, done) in results {
        waiting.insert(number, done?);
        while let Some(done) = waiting.remove(&next) {
            append(done)?;
            next += 1;
            shared.advance(next);
        }
    }
    Ok(())
}

fn append(writer: &mut GenerationWriter, done: &Done) -> Result<()> {
    let columns: Vec<_> = done
        .assigned
        .columns
        .iter()
        .map(|column| CodesColumn { codes: &column.codes, valid: &column.valid, values: &column.values })
        .collect();
    Ok(writer.append(&done.ordinals, &columns)?)
}

impl Tally {
    fn add(&mut self, done: &Done, failed_rows_kept_max: usize) {
        self.customers += done.ordinals.len() as u64;
        self.failed += done.assigned.failed.len() as u64;
        let room = failed_rows_kept_max.saturating_sub(self.failed_rows.len());
        let kept = done.assigned.failed.iter().take(room);
        self.failed_rows.extend(
            kept.filter_map(|row| done.ordinals.get(row.row as usize).map(|&ordinal| (ordinal, row.clone()))),
        );
    }
}
