//! How far a job is with what a plugin reads on its behalf: over all datasets, and all passes of each.

use std::sync::Arc;

use parking_lot::Mutex;
use trellis_model::Batch;

use super::source::Source;
use crate::{
    Result,
    jobs::{Running, Watch},
};

/// What a job reads. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    watch: Watch,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Rows that the plugin read, over all passes.
    read: u64,
    /// Rows of what is read and copied, of this pass.
    done: u64,
    /// All rows of it.
    total: u64,
}

/// Rows whose reading is counted, and that end where the job is cancelled.
pub(crate) struct Counted {
    source: Box<dyn Source>,
    reading: Reading,
    /// Of this pass.
    read: u64,
}

impl Reading {
    pub(crate) fn new(job: &Running<'_>) -> Self {
        Self { watch: job.watch(), counts: Arc::default() }
    }

    /// Rows that the plugin read, over all passes of all datasets.
    pub(crate) fn rows(&self) -> u64 {
        self.counts.lock().read
    }

    /// Has rows counted that the plugin is going to read.
    pub(crate) fn of(&self, source: Box<dyn Source>) -> Counted {
        self.begin(source.rows());
        Counted { source, reading: self.clone(), read: 0 }
    }

    /// So many rows are going to be copied.
    pub(super) fn begin(&self, rows: u64) {
        self.counts.lock().total += rows;
    }

    /// So many rows were copied.
    pub(super) fn copied(&self, rows: u32) -> Result<()> {
        self.watch.check()?;
        self.tell(|counts| counts.done += u64::from(rows));
        Ok(())
    }

    fn tell(&self, change: impl FnOnce(&mut Counts)) {
        let (done, total) = {
            let mut counts = self.counts.lock();
            change(&mut counts);
            (counts.done, counts.total)
        };
        self.watch.progress(done, Some(total), "rows");
    }
}

impl Source for Counted {
    fn next(&mut self) -> Result<Option<Batch>> {
        self.reading.watch.check()?;
        let batch = self.source.next()?;
        let rows = batch.as_ref().map_or(0, |batch| u64::from(batch.rows));
        self.read += rows;
        self.reading.tell(|counts| {
            counts.read += rows;
            counts.done += rows;
        });
        Ok(batch)
    }

    /// A plugin may read the rows several times: how far a job is, is how far it is with this time.
    fn rewind(&mut self) -> Result<()> {
        let read = std::mem::take(&mut self.read);
        self.reading.tell(|counts| counts.done -= read);
        self.source.rewind()
    }

    fn rows(&self) -> u64 {
        self.source.rows()
    }

    fn again(&self) -> Result<Box<dyn Source>> {
        Ok(Box::new(self.reading.of(self.source.again()?)))
    }
}
