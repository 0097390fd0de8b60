//! RFM segmentation: recency, frequency and monetary value of every customer's orders, graded by quantiles and by equal
//! groups, with the eight named classes and the value matrix made of them (R155–R157, R159).
//!
//! `fit` reads the population once and keeps a few dozen numbers (`RfmModel`); `assign` and `explain` look at one row at a time.
//! The README beside this crate states the rules and their source.

mod classes;
mod config;
mod dimensions;
mod labels;
mod model;
mod panels;
mod population;
mod reasons;
mod rows;
mod segments;
mod shape;
mod total;

use trellis_sdk::{
    Assignments, Batch, Context, LearnedBy, Model, ModelReport, NO_VALUE, Reason, Report, Result, RowStream,
    Segmentation, SegmentationDescription, export_model_report, export_segmentation,
};

pub use config::{Bounds, Config, Method, Middle, Weighting, Weights};
pub use segments::NamedSegment;

use model::RfmModel;
use population::Population;
use rows::Rows;

/// The plugin.
#[derive(Debug)]
pub struct RetailRfm;

impl Segmentation for RetailRfm {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<SegmentationDescription>> {
        Ok(labels::describe(config.checked()?))
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        let model = Population::read(rows, at)?.model(config.checked()?)?;
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

impl ModelReport for RetailRfm {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        Ok(panels::report_of(&RfmModel::of_bytes(model)?))
    }
}

export_segmentation!(RetailRfm);
export_model_report!(RetailRfm);

/// Fills the columns in the order of [`labels::describe`], each in one pass over arrays.
fn assign(model: &RfmModel, rows: &Rows<'_>) -> Assignments {
    let [quantile, ntile] = [Method::Quantile, Method::Ntile].map(|method| model.scores_by(method, rows));
    let fixed = model.has_bounds().then(|| model.scores_by(Method::Fixed, rows));
    let deciding = match (model.graded_by, &fixed) {
        (Method::Ntile, _) => &ntile,
        (Method::Fixed, Some(fixed)) => fixed,
        _ => &quantile,
    };
    let groups = model.groups as u32;
    let judged = |codes: Vec<u32>| if model.is_uniform() { vec![NO_VALUE; codes.len()] } else { codes };
    let class = judged(classes::classes(model, deciding));
    let matrix = judged(classes::value_matrix(model, rows));
    let segment = judged(segments::assign(model, deciding));
    let total = model.weights.map(|weights| total::totals(deciding, weights));

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
    if !model.segments.is_empty() {
        let names = model.segments.iter().map(|segment| segment.name.as_str());
        assignments.push(labels::SEGMENT_NAME, names, rows.without_absent(segment));
    }
    if let Some(fixed) = fixed {
        let cell = cell_codes(groups, &fixed);
        for (name, codes) in labels::FIXED_NAMES.into_iter().zip(fixed) {
            assignments.push(name, &scores, rows.without_absent(codes));
        }
        assignments.push("fixed_cell", labels::cells(model.groups), rows.without_absent(cell));
    }
    if let Some(total) = total {
        let names = (0..total::count(model.groups)).map(total::name);
        assignments.push("total", names, rows.without_absent(total));
    }
    for failure in &rows.failures {
        assignments.fail(failure.row, failure.code, failure.message.clone());
    }
    assignments
}

/// Which cell the scores of three dimensions make: `111` is 0, `112` is 1 and so on.
fn cell_codes(groups: u32, [recency, frequency, monetary]: &[Vec<u32>; 3]) -> Vec<u32> {
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
