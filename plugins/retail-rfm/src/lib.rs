//! RFM segmentation: recency, frequency and monetary value of every customer's orders, graded by quantiles and by equal
//! groups, with the eight named classes and the value matrix made of them (R155–R157, R159).
//!
//! `fit` reads the population once and keeps a few dozen numbers (`RfmModel`); `assign` and `explain` look at one row at a time.
//! The README beside this crate states the rules and their source.

mod classes;
mod dimensions;
mod labels;
mod model;
mod population;
mod reasons;
mod rows;

use serde::Deserialize;
use trellis_sdk::{
    Assignments, Batch, Context, Model, NO_VALUE, PluginError, Reason, Result, RowStream, Segmentation,
    SegmentationDescription, export_segmentation,
};

use model::RfmModel;
use population::Population;
use rows::Rows;

/// The plugin.
#[derive(Debug)]
pub struct RetailRfm;

/// What an admin can set.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How many grades each dimension has: 2 to 9, by default 5.
    #[serde(default = "groups_default")]
    pub groups: usize,
}

fn groups_default() -> usize {
    5
}

impl Config {
    fn checked_groups(&self) -> Result<usize> {
        if (2..=9).contains(&self.groups) {
            return Ok(self.groups);
        }
        Err(PluginError::InvalidConfig(format!("`groups` is {}; it must be 2 to 9", self.groups)))
    }
}

impl Segmentation for RetailRfm {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<SegmentationDescription>> {
        Ok(labels::describe(config.checked_groups()?))
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        let groups = config.checked_groups()?;
        let model = Population::read(rows, at)?.model(groups);
        Ok(Model { bytes: model.to_bytes(), summary: model.summary(), metrics: model.metrics() })
    }

    fn assign(model: &[u8], rows: &Batch, at: &Context) -> Result<Assignments> {
        let model = RfmModel::of_bytes(model)?;
        let rows = Rows::read(rows, at)?;
        model.require_currency(rows.currency)?;
        Ok(assign(&model, &rows))
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        let model = RfmModel::of_bytes(model)?;
        let rows = Rows::read(rows, at)?;
        model.require_currency(rows.currency)?;
        Ok(reasons::explain(&model, &rows))
    }
}

export_segmentation!(RetailRfm);

/// Fills the columns in the order of [`labels::describe`], each in one pass over arrays.
fn assign(model: &RfmModel, rows: &Rows<'_>) -> Assignments {
    let dimensions = [&model.recency, &model.frequency, &model.monetary];
    let values = [&rows.recency, &rows.orders, &rows.spent];
    let zipped = || dimensions.into_iter().zip(values);
    let quantile: Vec<Vec<u32>> =
        zipped().map(|(dimension, values)| dimension.quantile_scores(values)).collect();
    let ntile: Vec<Vec<u32>> =
        zipped().map(|(dimension, values)| dimension.ntile_scores(values, rows.ordinals)).collect();
    let groups = model.groups as u32;
    let class = classes::classes(model, &quantile);
    let matrix = classes::value_matrix(model, rows);

    let mut assignments = Assignments::default();
    let scores = labels::score_names(model.groups);
    let quantile_cell = cell_codes(groups, &quantile);
    let ntile_cell = cell_codes(groups, &ntile);
    let scored =
        labels::QUANTILE_NAMES.into_iter().zip(quantile).chain(labels::NTILE_NAMES.into_iter().zip(ntile));
    for (name, codes) in scored {
        assignments.push(name, &scores, rows.without_absent(codes));
    }
    for (name, codes) in [("quantile_cell", quantile_cell), ("ntile_cell", ntile_cell)] {
        assignments.push(name, labels::cells(model.groups), rows.without_absent(codes));
    }
    assignments.push("class", classes::CLASS_NAMES, rows.without_absent(class));
    assignments.push("value_matrix", classes::MATRIX_NAMES, rows.without_absent(matrix));
    for failure in &rows.failures {
        assignments.fail(failure.row, failure.code, failure.message.clone());
    }
    assignments
}

/// Which cell the scores of three dimensions make: `111` is 0, `112` is 1 and so on.
fn cell_codes(groups: u32, scores: &[Vec<u32>]) -> Vec<u32> {
    let [recency, frequency, monetary] = scores else { return Vec::new() };
    let triples = recency.iter().zip(frequency).zip(monetary);
    triples.map(|((r, f), m)| (r * groups + f) * groups + m).collect()
}

impl Rows<'_> {
    fn without_absent(&self, mut codes: Vec<u32>) -> Vec<u32> {
        for row in &self.absent {
            if let Some(code) = codes.get_mut(*row) {
                *code = NO_VALUE;
            }
        }
        codes
    }
}
