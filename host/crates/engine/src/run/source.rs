//! Where a run reads its rows: from columns, or from a capsule, which gives the same rows whenever it is read.

use trellis_columns::DatasetStream;
use trellis_model::Batch;
use trellis_plugin_host::RowStream;

use crate::{Error, Result, capsule::Inputs};

/// Batches that can be read several times.
pub(crate) trait Source: Send {
    /// The next batch, `None` after the last.
    fn next(&mut self) -> Result<Option<Batch>>;

    /// Goes back to the first batch.
    fn rewind(&mut self) -> Result<()>;

    /// Passes over batches.
    fn skip(&mut self, batches: u64) -> Result<()> {
        for _ in 0..batches {
            self.next()?;
        }
        Ok(())
    }

    /// How many rows there are in all.
    fn rows(&self) -> u64;
}

impl Source for DatasetStream {
    fn next(&mut self) -> Result<Option<Batch>> {
        Ok(Self::next(self)?)
    }

    fn rewind(&mut self) -> Result<()> {
        Self::rewind(self);
        Ok(())
    }

    fn rows(&self) -> u64 {
        Self::rows(self)
    }
}

impl Source for Inputs {
    fn next(&mut self) -> Result<Option<Batch>> {
        Self::next(self).map_err(damaged)
    }

    fn rewind(&mut self) -> Result<()> {
        Self::rewind(self).map_err(damaged)
    }

    fn skip(&mut self, batches: u64) -> Result<()> {
        Self::skip(self, batches).map_err(damaged)
    }

    fn rows(&self) -> u64 {
        Self::rows(self)
    }
}

fn damaged(unusable: crate::capsule::Unusable) -> Error {
    Error::Damaged { what: unusable.0.en }
}

/// Rows as plugins read them.
pub(crate) struct Rows<'a> {
    source: &'a mut dyn Source,
    /// Why the last rewinding failed; told by the next read, since rewinding itself has no answer.
    failed: Option<Error>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(source: &'a mut dyn Source) -> Self {
        Self { source, failed: None }
    }
}

impl RowStream for Rows<'_> {
    fn next(&mut self) -> Result<Option<Batch>, String> {
        match self.failed.take() {
            Some(error) => Err(error.to_string()),
            None => self.source.next().map_err(|error| error.to_string()),
        }
    }

    fn rewind(&mut self) {
        self.failed = self.source.rewind().err();
    }

    fn rows(&self) -> u64 {
        self.source.rows()
    }
}
