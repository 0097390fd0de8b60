//! Where a run reads its rows: from columns, or from a capsule, which gives the same rows whenever it is read.

use trellis_columns::{DatasetStream, RowsStream};
use trellis_model::Batch;
use trellis_plugin_host::{ColumnDescription, RowStream};

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

    /// The same rows from the first one, to be read apart from these.
    fn again(&self) -> Result<Box<dyn Source>>;
}

impl Source for Box<dyn Source> {
    fn next(&mut self) -> Result<Option<Batch>> {
        self.as_mut().next()
    }

    fn rewind(&mut self) -> Result<()> {
        self.as_mut().rewind()
    }

    fn skip(&mut self, batches: u64) -> Result<()> {
        self.as_mut().skip(batches)
    }

    fn rows(&self) -> u64 {
        self.as_ref().rows()
    }

    fn again(&self) -> Result<Box<dyn Source>> {
        self.as_ref().again()
    }
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

    fn again(&self) -> Result<Box<dyn Source>> {
        let mut again = self.clone();
        Self::rewind(&mut again);
        Ok(Box::new(again))
    }
}

impl Source for RowsStream {
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

    fn again(&self) -> Result<Box<dyn Source>> {
        let mut again = self.clone();
        Self::rewind(&mut again);
        Ok(Box::new(again))
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

    fn again(&self) -> Result<Box<dyn Source>> {
        Ok(Box::new(Self::again(self).map_err(damaged)?))
    }
}

fn damaged(unusable: crate::capsule::Unusable) -> Error {
    Error::Damaged { what: unusable.0.en }
}

/// The first rows of a source.
pub(super) struct Limited<S> {
    pub(super) rows: S,
    pub(super) rows_max: u64,
    pub(super) taken: u64,
}

impl<S: Source> Source for Limited<S> {
    fn next(&mut self) -> Result<Option<Batch>> {
        let left = self.rows_max.saturating_sub(self.taken);
        let Some(batch) = (left > 0).then(|| self.rows.next()).transpose()?.flatten() else {
            return Ok(None);
        };
        let batch = match usize::try_from(left) {
            Ok(left) if left < batch.ordinals.len() => batch.pick(&(0..left).collect::<Vec<_>>()),
            _ => batch,
        };
        self.taken += u64::from(batch.rows);
        Ok(Some(batch))
    }

    fn rewind(&mut self) -> Result<()> {
        self.taken = 0;
        self.rows.rewind()
    }

    fn rows(&self) -> u64 {
        self.rows.rows().min(self.rows_max)
    }

    fn again(&self) -> Result<Box<dyn Source>> {
        Ok(Box::new(Limited { rows: self.rows.again()?, rows_max: self.rows_max, taken: 0 }))
    }
}

/// Further datasets, each under the name that the manifest gives it.
pub(crate) type NamedSources = Vec<(String, Box<dyn Source>)>;

/// What a call may open beside the rows that it is made with.
pub(crate) trait Opens: Sync {
    /// The name of those rows themselves.
    fn own(&self) -> Option<&str>;

    /// The rows of a dataset from the first one; `None` where there is none of that name.
    fn open(&self, name: &str) -> Result<Option<Box<dyn Source>>>;

    /// What the columns of a dataset are; of the rows that the call was made with where none is named.
    fn columns(&self, name: Option<&str>) -> Vec<ColumnDescription>;
}

/// Rows as plugins read them.
pub(crate) struct Rows<'a> {
    source: &'a mut dyn Source,
    datasets: &'a dyn Opens,
    failed: Failed,
}

/// Rows of a dataset that a plugin opened.
pub(crate) struct OpenedRows {
    source: Box<dyn Source>,
    columns: Vec<ColumnDescription>,
    failed: Failed,
}

/// Why the last rewinding failed; told by the next read, since rewinding itself has no answer.
#[derive(Default)]
struct Failed(Option<Error>);

impl Failed {
    fn next(&mut self, source: &mut dyn Source) -> Result<Option<Batch>, String> {
        match self.0.take() {
            Some(error) => Err(error.to_string()),
            None => source.next().map_err(|error| error.to_string()),
        }
    }
}

impl<'a> Rows<'a> {
    pub(crate) fn new(source: &'a mut dyn Source, datasets: &'a dyn Opens) -> Self {
        Self { source, datasets, failed: Failed::default() }
    }
}

impl OpenedRows {
    pub(crate) fn new(source: Box<dyn Source>, columns: Vec<ColumnDescription>) -> Self {
        Self { source, columns, failed: Failed::default() }
    }
}

impl RowStream for Rows<'_> {
    fn next(&mut self) -> Result<Option<Batch>, String> {
        self.failed.next(self.source)
    }

    fn rewind(&mut self) {
        self.failed = Failed(self.source.rewind().err());
    }

    fn rows(&self) -> u64 {
        self.source.rows()
    }

    fn name(&self) -> Option<&str> {
        self.datasets.own()
    }

    fn columns(&self) -> Vec<ColumnDescription> {
        self.datasets.columns(None)
    }

    fn dataset(&mut self, name: &str) -> Result<Option<Box<dyn RowStream>>, String> {
        let opened = match self.datasets.own() == Some(name) {
            true => self.source.again().map(Some),
            false => self.datasets.open(name),
        };
        let opened = opened.map_err(|error| error.to_string())?;
        Ok(opened.map(|source| {
            Box::new(OpenedRows::new(source, self.datasets.columns(Some(name)))) as Box<dyn RowStream>
        }))
    }
}

impl RowStream for OpenedRows {
    fn next(&mut self) -> Result<Option<Batch>, String> {
        self.failed.next(self.source.as_mut())
    }

    fn rewind(&mut self) {
        self.failed = Failed(self.source.rewind().err());
    }

    fn rows(&self) -> u64 {
        self.source.rows()
    }

    fn columns(&self) -> Vec<ColumnDescription> {
        self.columns.clone()
    }
}
