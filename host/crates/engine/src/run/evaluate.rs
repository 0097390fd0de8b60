//! Evaluating all customers: several batches at once, results in the order of the rows.

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
};

use parking_lot::{Condvar, Mutex};
use trellis_model::Batch;
use trellis_plugin_host::RowError;

use super::{
    evaluator::{Evaluated, Evaluator},
    results::Layout,
    resume,
    source::Source,
};
use crate::{
    Error, Result,
    capsule::{self, Kind},
};

/// How [`evaluate_all`] works.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options<'a> {
    pub(super) evaluator: Evaluator<'a>,
    pub(super) layout: &'a Layout,
    pub(super) parallel_max: usize,
    /// Whether the results are wanted as frames of a capsule too.
    pub(super) frames: bool,
}

/// What came of a batch.
#[derive(Debug)]
pub(crate) struct Done {
    pub(super) ordinals: Vec<u64>,
    pub(super) evaluated: Evaluated,
    /// See [`Layout::encode`].
    pub(super) results: Vec<u8>,
    /// The results as frames of a capsule, if that was wanted and they fit into one.
    pub(super) frame: Option<Result<Vec<u8>, capsule::Unusable>>,
}

/// How many rows there were, and which failed.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) customers: u64,
    /// Those whose results an interrupted attempt of the same run had.
    pub(super) earlier: u64,
    pub(super) failed: u64,
    /// The first failed rows, with their ordinals.
    pub(super) failed_rows: Vec<(u64, RowError)>,
}

/// Where the rows come from, and how far the results have got.
struct Feed<'a> {
    source: &'a mut dyn Source,
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

type Message = (u64, Result<Done>);

/// Evaluates every row of `source` and gives the results to `append` in the order of the rows.
pub(super) fn evaluate_all(
    options: Options<'_>,
    source: &mut dyn Source,
    append: impl FnMut(Done) -> Result<()>,
) -> Result<()> {
    let parallel = options.parallel_max.max(1);
    let feed = Feed { source, taken: 0, appended: 0, stopped: false };
    let shared = Shared { feed: Mutex::new(feed), appended: Condvar::new(), ahead_max: parallel as u64 * 2 };
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(parallel);
        for _ in 0..parallel {
            let (sender, shared) = (sender.clone(), &shared);
            scope.spawn(move || work(shared, options, &sender));
        }
        drop(sender);
        let outcome = append_in_order(&shared, &receiver, append);
        if outcome.is_err() {
            shared.stop();
            // Threads that want to hand over a result must not wait for ever.
            drop(receiver);
        }
        outcome
    })
}

impl Shared<'_> {
    /// The next batch with its number, once it is not too far ahead.
    fn take(&self) -> Result<Option<(u64, Batch)>> {
        let mut feed = self.feed.lock();
        while !feed.stopped && feed.taken >= feed.appended + self.ahead_max {
            self.appended.wait(&mut feed);
        }
        if feed.stopped {
            return Ok(None);
        }
        let Some(batch) = feed.source.next()? else { return Ok(None) };
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

fn work(shared: &Shared<'_>, options: Options<'_>, results: &SyncSender<Message>) {
    let _stop = StopOnDrop(shared);
    trellis_plugin_host::yield_to_others();
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
        let done = evaluate(options, batch);
        let failed = done.is_err();
        if results.send((number, done)).is_err() || failed {
            return;
        }
    }
}

fn evaluate(options: Options<'_>, batch: Batch) -> Result<Done> {
    let ordinals = batch.ordinals.clone();
    let evaluated = options.evaluator.evaluate(batch)?;
    let results = options.layout.encode(&ordinals, &evaluated);
    let bounds = (ordinals.first().copied().unwrap_or(0), ordinals.last().copied().unwrap_or(0));
    let frame = options.frames.then(|| {
        let mut frames = resume::failed_frame(&evaluated.failed)?;
        frames.extend(capsule::encode(Kind::Results, bounds, &results)?);
        Ok(frames)
    });
    Ok(Done { ordinals, evaluated, results, frame })
}

fn append_in_order(
    shared: &Shared<'_>,
    results: &Receiver<Message>,
    mut append: impl FnMut(Done) -> Result<()>,
) -> Result<(), Error> {
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

impl Tally {
    pub(super) fn add(&mut self, done: &Done, failed_rows_kept_max: usize) {
        let failed = &done.evaluated.failed;
        self.customers += done.ordinals.len() as u64;
        self.failed += failed.chunk_by(|a, b| a.row == b.row).count() as u64;
        let room = failed_rows_kept_max.saturating_sub(self.failed_rows.len());
        self.failed_rows.extend(
            failed
                .iter()
                .take(room)
                .filter_map(|row| done.ordinals.get(row.row as usize).map(|&ordinal| (ordinal, row.clone()))),
        );
    }
}
