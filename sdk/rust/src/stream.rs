//! A data set that is too large for one batch.

use std::fmt;

use crate::Batch;
use crate::bindings::shared::trellis::plugin::row_streams as wire;

/// The batches of a data set, one after the other, as often as needed.
///
/// As an iterator it gives the batches of one pass. In a test it is built from batches: see [`RowStream::of_batches`].
pub struct RowStream<'a> {
    source: Source<'a>,
}

enum Source<'a> {
    Host(&'a wire::RowStream),
    Batches { batches: Vec<Batch>, next: usize },
}

impl<'a> RowStream<'a> {
    pub(crate) fn of_host(stream: &'a wire::RowStream) -> Self {
        Self { source: Source::Host(stream) }
    }

    /// A stream that gives `batches`, for tests.
    pub fn of_batches(batches: impl IntoIterator<Item = Batch>) -> RowStream<'static> {
        RowStream { source: Source::Batches { batches: batches.into_iter().collect(), next: 0 } }
    }

    /// Goes back to the first batch. The second pass gives the same rows as the first. A call may go back 1,000 times, unless an admin sets
    /// another limit (`passes_max`).
    pub fn rewind(&mut self) {
        match &mut self.source {
            Source::Host(stream) => stream.rewind(),
            Source::Batches { next, .. } => *next = 0,
        }
    }

    /// How many rows a whole pass gives.
    pub fn rows(&self) -> u64 {
        match &self.source {
            Source::Host(stream) => stream.rows(),
            Source::Batches { batches, .. } => batches.iter().map(|batch| batch.rows() as u64).sum(),
        }
    }
}

impl Iterator for RowStream<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        match &mut self.source {
            Source::Host(stream) => stream.next().map(Batch::from),
            Source::Batches { batches, next } => {
                let batch = batches.get(*next).cloned();
                *next += usize::from(batch.is_some());
                batch
            }
        }
    }
}

impl fmt::Debug for RowStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowStream").finish_non_exhaustive()
    }
}
