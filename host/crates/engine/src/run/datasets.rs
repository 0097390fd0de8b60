//! The further datasets of a plugin: rows that it reads beside the customers. All of a call are opened together, before it begins.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use trellis_columns::{AsOf, Columns, DatasetSpec, GoOn, RowsSpec};
use trellis_model::{Batch, RecordId, bilingual};
use trellis_plugin_host::{ColumnDescription, Manifest};

use super::{
    source::{NamedSources, Opens, Source},
    spec,
    words::{self, Words},
};
use crate::{Error, Result, core::Core};

/// A dataset of a plugin with what is withheld of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Spec {
    Customers(DatasetSpec),
    Rows(RowsSpec),
}

/// What a call may open beside the rows that it is made with.
#[derive(Default)]
pub(crate) struct Datasets {
    /// The name of those rows themselves.
    own: Option<String>,
    /// Nothing is read from these: each that is opened is one of its own.
    others: BTreeMap<String, Mutex<Box<dyn Source>>>,
    /// What their columns are, and those of the rows themselves.
    words: Words,
}

/// The error that a run did not record a dataset: it learned nothing, or was made before the plugin declared it.
pub(super) fn not_gathered(run: RecordId, name: &str) -> Error {
    let reason = bilingual!(
        "it did not record the rows of dataset `{name}`: a run with an older model reads none",
        "未记录数据集 `{name}` 的数据行：使用旧模型的运行不读取这些数据"
    );
    Error::InputsExpired { run, reason }
}

impl Datasets {
    /// What a call on the customers of a plugin may open.
    pub(crate) fn new(manifest: &Manifest, others: NamedSources) -> Self {
        let own = manifest.customers().map(|dataset| dataset.name.clone());
        let others = others.into_iter().map(|(name, source)| (name, Mutex::new(source)));
        Self { own, others: others.collect(), words: Words::new() }
    }

    /// With what the columns are called.
    #[must_use]
    pub(crate) fn called(self, words: Words) -> Self {
        Self { words, ..self }
    }
}

impl Opens for Datasets {
    fn own(&self) -> Option<&str> {
        self.own.as_deref()
    }

    fn open(&self, name: &str) -> Result<Option<Box<dyn Source>>> {
        self.others.get(name).map(|source| source.lock().again()).transpose()
    }

    fn columns(&self, name: Option<&str>) -> Vec<ColumnDescription> {
        words::columns(&self.words, name.or(self.own()))
    }
}

impl Spec {
    /// Opens the dataset as the data is now, or was up to a date, for as long as it is wanted. [`Columns::catch_up`] comes before it.
    pub(crate) async fn open_while(
        &self,
        columns: &Arc<Columns>,
        as_of: AsOf,
        batch_rows: usize,
        go_on: GoOn,
    ) -> Result<Box<dyn Source>, trellis_columns::Error> {
        Ok(match self {
            Self::Customers(spec) => Box::new(columns.dataset_while(spec, as_of, batch_rows, go_on).await?),
            Self::Rows(spec) => Box::new(columns.rows_dataset_while(spec, as_of, batch_rows, go_on).await?),
        })
    }
}

/// Every dataset of rows that a plugin declares, as the data is now or was up to a date: withheld as the plugin is used now.
pub(crate) async fn open_rows(
    core: &Core,
    manifest: &Manifest,
    config: &str,
    as_of: AsOf,
    go_on: &GoOn,
) -> Result<NamedSources> {
    let specs = spec::rows_granted(core, manifest, config)?;
    open_all(&core.columns, specs, as_of, core.config.batch_rows_max as usize, go_on).await
}

/// Opens datasets of rows.
pub(crate) async fn open_all(
    columns: &Arc<Columns>,
    specs: Vec<(String, RowsSpec)>,
    as_of: AsOf,
    batch_rows: usize,
    go_on: &GoOn,
) -> Result<NamedSources> {
    let mut opened = Vec::with_capacity(specs.len());
    for (name, spec) in specs {
        let rows = Spec::Rows(spec).open_while(columns, as_of, batch_rows, go_on.clone()).await;
        let rows = rows.map_err(|error| error.in_dataset(&name))?;
        opened.push((name, rows));
    }
    Ok(opened)
}

/// No rows: of a call that is about no dataset.
pub(crate) struct NoRows;

impl Source for NoRows {
    fn next(&mut self) -> Result<Option<Batch>> {
        Ok(None)
    }

    fn rewind(&mut self) -> Result<()> {
        Ok(())
    }

    fn rows(&self) -> u64 {
        0
    }

    fn again(&self) -> Result<Box<dyn Source>> {
        Ok(Box::new(Self))
    }
}
