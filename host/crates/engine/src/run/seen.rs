//! Recorded rows as a version may read them now: no columns but those that it declares, and nothing of what is withheld from its plugin by
//! now, whatever the run saw. Decision 67 says why.

use std::collections::{BTreeMap, BTreeSet};

use trellis_columns::ColumnSource;
use trellis_model::{Batch, Column, Filter};
use trellis_plugin_host::Manifest;
use trellis_records::Schema;

use super::{
    datasets::{NoRows, Spec},
    source::{NamedSources, Source},
    spec,
};
use crate::{
    Result,
    plugins::{Grants, Hidden},
};

/// What of its datasets a plugin may not see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Withheld {
    /// The dataset whose rows are customers.
    customers: String,
    /// By dataset; one of which nothing is withheld is not there.
    datasets: BTreeMap<String, Of>,
}

/// What of a dataset is withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Of {
    Columns(BTreeSet<String>),
    /// Which rows there are is decided by what is withheld: none are shown.
    Rows,
}

impl Withheld {
    /// What is withheld from a version under a configuration, with what its plugin is granted and what is personal data now.
    pub(crate) fn of(manifest: &Manifest, config: &str, schema: &Schema, grants: &Grants) -> Result<Self> {
        let manifest = spec::configured(manifest, config)?;
        Self::with(&manifest, &Hidden::of(&manifest, schema, grants), grants)
    }

    /// The same of a completed manifest of which it is known what is hidden.
    pub(crate) fn with(manifest: &Manifest, hidden: &Hidden, grants: &Grants) -> Result<Self> {
        let customers = manifest.customers().map(|dataset| dataset.name.clone()).unwrap_or_default();
        let mut datasets = BTreeMap::new();
        for (name, spec) in spec::all(manifest, hidden, grants)? {
            let of = match spec {
                Spec::Customers(spec) => {
                    let columns = spec.columns.into_iter();
                    let withheld =
                        columns.filter(|column| matches!(column.source, ColumnSource::Withheld(_)));
                    Of::Columns(withheld.map(|column| column.name).collect())
                }
                Spec::Rows(spec) if spec.filter == Filter::Or(Vec::new()) => Of::Rows,
                Spec::Rows(spec) => {
                    let withheld = spec.columns.into_iter().filter(|column| column.withheld);
                    Of::Columns(withheld.map(|column| column.name).collect())
                }
            };
            if of != Of::Columns(BTreeSet::new()) {
                datasets.insert(name, of);
            }
        }
        Ok(Self { customers, datasets })
    }

    /// Each column that is withheld as `dataset.column`, and each dataset of which all rows are, by its name; sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = |(dataset, of): (&String, &Of)| match of {
            Of::Columns(columns) => columns.iter().map(|column| format!("{dataset}.{column}")).collect(),
            Of::Rows => vec![dataset.clone()],
        };
        self.datasets.iter().flat_map(names).collect()
    }

    /// The rows of customers without what is withheld.
    pub(crate) fn mask_customers(&self, batch: Batch) -> Batch {
        match self.datasets.get(&self.customers) {
            Some(Of::Columns(columns)) => blank(batch, columns),
            Some(Of::Rows) => batch.pick(&[]),
            None => batch,
        }
    }

    /// The columns of a batch of customers that say something and are withheld, as [`Self::names`] names them.
    pub(crate) fn told_to_customers(&self, batch: &Batch) -> Vec<String> {
        let Some(Of::Columns(withheld)) = self.datasets.get(&self.customers) else { return Vec::new() };
        let says = |column: &&Column| {
            withheld.contains(&column.name) && (0..column.data.len()).any(|row| column.valid.get(row))
        };
        batch
            .columns
            .iter()
            .filter(says)
            .map(|column| format!("{}.{}", self.customers, column.name))
            .collect()
    }

    /// The same of all of them.
    pub(crate) fn mask_all_customers(&self, rows: Box<dyn Source>) -> Box<dyn Source> {
        self.mask_dataset(&self.customers, rows)
    }

    /// The rows of a dataset without what is withheld.
    pub(crate) fn mask_dataset(&self, name: &str, rows: Box<dyn Source>) -> Box<dyn Source> {
        match self.datasets.get(name) {
            Some(Of::Columns(columns)) => Box::new(Blanked { rows, columns: columns.clone() }),
            Some(Of::Rows) => Box::new(NoRows),
            None => rows,
        }
    }

    /// The rows of further datasets without what is withheld.
    pub(crate) fn mask_datasets(&self, datasets: NamedSources) -> NamedSources {
        let of = |(name, rows): (String, Box<dyn Source>)| {
            let rows = self.mask_dataset(&name, rows);
            (name, rows)
        };
        datasets.into_iter().map(of).collect()
    }
}

/// The batch with columns of these names empty.
fn blank(batch: Batch, names: &BTreeSet<String>) -> Batch {
    let column = |column: Column| {
        if !names.contains(&column.name) {
            return column;
        }
        let (valid, data) = trellis_columns::withheld(column.data);
        Column { name: column.name, valid, data }
    };
    Batch { columns: batch.columns.into_iter().map(column).collect(), ..batch }
}

/// The columns of a batch that a version declares, in its order.
pub(crate) fn narrow(batch: Batch, columns: &[String]) -> Batch {
    let columns = columns.iter().filter_map(|name| batch.column(name).cloned()).collect();
    Batch { columns, ..batch }
}

/// Rows without what stands in some of their columns.
struct Blanked {
    rows: Box<dyn Source>,
    columns: BTreeSet<String>,
}

impl Source for Blanked {
    fn next(&mut self) -> Result<Option<Batch>> {
        Ok(self.rows.next()?.map(|batch| blank(batch, &self.columns)))
    }

    fn rewind(&mut self) -> Result<()> {
        self.rows.rewind()
    }

    fn skip(&mut self, batches: u64) -> Result<()> {
        self.rows.skip(batches)
    }

    fn rows(&self) -> u64 {
        self.rows.rows()
    }

    fn again(&self) -> Result<Box<dyn Source>> {
        Ok(Box::new(Self { rows: self.rows.again()?, columns: self.columns.clone() }))
    }
}

/// The columns of a recorded run that a version reads.
pub(super) struct Narrowed {
    pub(super) rows: Box<dyn Source>,
    pub(super) columns: Vec<String>,
}

impl Source for Narrowed {
    fn next(&mut self) -> Result<Option<Batch>> {
        Ok(self.rows.next()?.map(|batch| narrow(batch, &self.columns)))
    }

    fn rewind(&mut self) -> Result<()> {
        self.rows.rewind()
    }

    fn rows(&self) -> u64 {
        self.rows.rows()
    }

    fn again(&self) -> Result<Box<dyn Source>> {
        Ok(Box::new(Self { rows: self.rows.again()?, columns: self.columns.clone() }))
    }
}
