//! Customer clusters: k-means on figures of orders and fields of the customer (R158, R161).
//!
//! `fit` standardises the figures, finds the clusters and how many there are, and keeps their centroids; `assign` and `explain` look at one row at
//! a time. One analysis says which clusters are interested in which products (R125). The README beside this crate states the method, its sources and its limits.

mod config;
mod figures;
mod interest;
pub mod kmeans;
mod model;
mod nearest;
mod panels;
mod points;
mod population;
pub mod quality;
mod rows;
mod words;

use trellis_sdk::{
    Analysis, AnalysisDescription, Assignments, Batch, Context, LearnedBy, Model, ModelReport, NO_VALUE,
    PluginError, Reason, Report, Result, RowStream, Segmentation, SegmentationDescription, export_analysis,
    export_model_report, export_segmentation, localized, reason,
};

pub use config::{Config, Figure, Missing};
pub use points::Points;

use model::ClusterModel;
use rows::Rows;

/// The plugin.
#[derive(Debug)]
pub struct CustomerClusters;

impl Segmentation for CustomerClusters {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<SegmentationDescription>> {
        Ok(vec![words::describe(config.checked()?)])
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        let model = population::learn(rows, config.checked()?, at)?;
        Ok(Model {
            bytes: model.to_bytes(),
            summary: words::summary(&model),
            metrics: words::metrics(&model),
        })
    }

    fn assign(model: &[u8], rows: &Batch, at: &Context) -> Result<Assignments> {
        let model = ClusterModel::of_bytes(model)?;
        let rows = Rows::read(rows, &model.reading, at)?;
        model.require_currency(rows.currency)?;
        let labels = kmeans::labels(&model.points(&rows), &model.centroids);
        let code = |(label, absent): (u8, &bool)| if *absent { NO_VALUE } else { u32::from(label) };
        let mut assignments = Assignments::default();
        assignments.push(
            words::SEGMENTATION,
            (0..model.sizes.len()).map(words::value_name),
            labels.into_iter().zip(&rows.absent).map(code).collect(),
        );
        for failure in &rows.failures {
            assignments.fail(failure.row, failure.code, failure.message.clone());
        }
        Ok(assignments)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        let model = ClusterModel::of_bytes(model)?;
        let rows = Rows::read(rows, &model.reading, at)?;
        model.require_currency(rows.currency)?;
        let points = model.points(&rows);
        let labels = kmeans::labels(&points, &model.centroids);
        let of_row = |(row, (label, absent)): (usize, (u8, &bool))| {
            if *absent {
                let text = localized("not everything that is compared is known", "参与比较的数据不全");
                return vec![reason("no-figures", text, 1.0)];
            }
            words::explain(&model, &points.point(row), usize::from(label))
        };
        Ok(labels.into_iter().zip(&rows.absent).enumerate().map(of_row).collect())
    }
}

impl ModelReport for CustomerClusters {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        Ok(panels::report_of(&ClusterModel::of_bytes(model)?))
    }
}

impl Analysis for CustomerClusters {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<AnalysisDescription>> {
        config.checked()?;
        Ok(vec![interest::describe()])
    }

    fn analyse(
        name: &str,
        rows: &mut RowStream<'_>,
        parameters: &str,
        config: &Config,
        at: &Context,
    ) -> Result<Report> {
        match name {
            interest::INTEREST => interest::answer(rows, parameters, config.checked()?, at),
            other => Err(PluginError::other(
                "no-such-analysis",
                (format!("there is no analysis `{other}`"), format!("没有名为 `{other}` 的分析")),
            )),
        }
    }
}

export_segmentation!(CustomerClusters);
export_model_report!(CustomerClusters);
export_analysis!(CustomerClusters);
