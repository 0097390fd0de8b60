//! A data set that is too large for one batch.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::Batch;
use crate::bindings::shared::trellis::plugin::row_streams as wire;
use crate::error::{PluginError, Result};

pub use wire::ColumnDescription;

/// The batches of a data set, one after the other, as often as needed.
///
/// As an iterator it gives the batches of one pass. In a test it is built from batches: see [`RowStream::of_batches`].
pub struct RowStream<'a> {
    source: Source<'a>,
}

enum Source<'a> {
    Host(&'a wire::RowStream),
    Opened(wire::RowStream),
    Batches { name: String, all: Rc<BTreeMap<String, Dataset>>, next: usize },
}

/// A dataset of a test.
#[derive(Default)]
struct Dataset {
    columns: Vec<ColumnDescription>,
    batches: Vec<Batch>,
}

impl Dataset {
    fn of(batches: impl IntoIterator<Item = Batch>) -> Self {
        Self { columns: Vec::new(), batches: batches.into_iter().collect() }
    }
}

impl<'a> RowStream<'a> {
    pub(crate) fn of_host(stream: &'a wire::RowStream) -> Self {
        Self { source: Source::Host(stream) }
    }

    /// A stream that gives `batches`, for tests.
    pub fn of_batches(batches: impl IntoIterator<Item = Batch>) -> RowStream<'static> {
        let all = BTreeMap::from([(String::new(), Dataset::of(batches))]);
        RowStream { source: Source::Batches { name: String::new(), all: Rc::new(all), next: 0 } }
    }

    /// Adds another dataset to a stream of [`RowStream::of_batches`], for tests: [`RowStream::dataset`] opens it.
    ///
    /// # Panics
    /// If the stream is one of a host, or in use.
    #[must_use]
    pub fn with_dataset(mut self, name: &str, batches: impl IntoIterator<Item = Batch>) -> Self {
        let Source::Batches { all, .. } = &mut self.source else {
            panic!("only a stream of batches gets datasets")
        };
        let all = Rc::get_mut(all).expect("datasets are added before any is opened");
        all.insert(name.to_owned(), Dataset::of(batches));
        self
    }

    /// Says what the columns of a stream of [`RowStream::of_batches`] are, for tests: see [`RowStream::columns`].
    ///
    /// # Panics
    /// If the stream is one of a host, or in use.
    #[must_use]
    pub fn described(mut self, columns: impl IntoIterator<Item = ColumnDescription>) -> Self {
        let Source::Batches { all, .. } = &mut self.source else {
            panic!("only a stream of batches is described")
        };
        let all = Rc::get_mut(all).expect("columns are described before any dataset is opened");
        all.entry(String::new()).or_default().columns = columns.into_iter().collect();
        self
    }

    /// What the columns of its batches are, in words for people: their order is that of the columns. In a test, those that
    /// [`RowStream::described`] gave, else none.
    pub fn columns(&self) -> Vec<ColumnDescription> {
        match &self.source {
            Source::Host(stream) => stream.columns(),
            Source::Opened(stream) => stream.columns(),
            Source::Batches { name, all, .. } => {
                all.get(name).map(|dataset| dataset.columns.clone()).unwrap_or_default()
            }
        }
    }

    /// Opens a dataset of the manifest, from its first row; also once more the one that the call was made with.
    ///
    /// # Errors
    /// `missing-dataset` where the manifest declares none of that name.
    pub fn dataset(&self, name: &str) -> Result<RowStream<'static>> {
        let source = match &self.source {
            Source::Host(stream) => stream.dataset(name).map(Source::Opened),
            Source::Opened(stream) => stream.dataset(name).map(Source::Opened),
            Source::Batches { all, .. } => all.contains_key(name).then(|| Source::Batches {
                name: name.to_owned(),
                all: Rc::clone(all),
                next: 0,
            }),
        };
        let source = source.ok_or_else(|| {
            let en = format!("there is no dataset `{name}` in the manifest");
            PluginError::other("missing-dataset", (en, format!("清单中没有数据集 `{name}`")))
        })?;
        Ok(RowStream { source })
    }

    /// Goes back to the first batch. The second pass gives the same rows as the first. A call may go back 1,000 times, unless an admin sets
    /// another limit (`passes_max`).
    pub fn rewind(&mut self) {
        match &mut self.source {
            Source::Host(stream) => stream.rewind(),
            Source::Opened(stream) => stream.rewind(),
            Source::Batches { next, .. } => *next = 0,
        }
    }

    /// How many rows a whole pass gives.
    pub fn rows(&self) -> u64 {
        match &self.source {
            Source::Host(stream) => stream.rows(),
            Source::Opened(stream) => stream.rows(),
            Source::Batches { name, all, .. } => all
                .get(name)
                .into_iter()
                .flat_map(|dataset| &dataset.batches)
                .map(|batch| batch.rows() as u64)
                .sum(),
        }
    }
}

impl Iterator for RowStream<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        match &mut self.source {
            Source::Host(stream) => stream.next().map(Batch::from),
            Source::Opened(stream) => stream.next().map(Batch::from),
            Source::Batches { name, all, next } => {
                let batch = all.get(name).and_then(|dataset| dataset.batches.get(*next)).cloned();
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
