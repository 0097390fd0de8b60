//! Key customers: rankings from several angles, the few who bring most of the revenue and what they share (R74), others who are like them
//! (R75), and cohorts.
//!
//! `fit` ranks the population and counts traits; `assign`, `score` and `explain` look at one row at a time. The README beside this crate states
//! the definitions, their sources and their limits.

mod cohorts;
mod config;
mod model;
mod panels;
mod pareto;
mod population;
mod rankings;
mod traits;
mod words;

use trellis_sdk::{
    Analysis, AnalysisDescription, Assignments, Batch, Context, LearnedBy, LocalizedText, Model, ModelReport,
    NO_VALUE, PluginError, Reason, Report, Result, RowStream, ScoreDescription, Scores, Scoring,
    Segmentation, SegmentationDescription, export_analysis, export_model_report, export_scoring,
    export_segmentation, localized,
};

pub use config::{Config, KeyBy};
pub use pareto::Ranked;

use model::KeyModel;
use rankings::Figures;
use traits::Seen;

/// The plugin.
#[derive(Debug)]
pub struct KeyCustomers;

impl Segmentation for KeyCustomers {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<SegmentationDescription>> {
        config.checked()?;
        Ok(words::segmentations(config))
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        fit(rows, config, at)
    }

    fn assign(model: &[u8], rows: &Batch, at: &Context) -> Result<Assignments> {
        let model = KeyModel::of_bytes(model)?;
        let figures = read(&model, rows, at)?;
        let code = |value: Option<u32>| value.unwrap_or(NO_VALUE);
        let mut assignments = Assignments::default();
        let standing =
            (0..rows.rows()).map(|row| code(model.is_key(&figures, row).map(|is_key| u32::from(!is_key))));
        assignments.push(words::STANDING, words::STANDINGS, standing.collect());
        let classes = (0..rows.rows()).map(|row| code(model.class(&figures, row)));
        assignments.push(words::ABC, words::CLASSES, classes.collect());
        for (row, days) in &figures.failures {
            assignments.fail(*row, AFTER_AS_OF, after_as_of(*days));
        }
        Ok(assignments)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        let model = KeyModel::of_bytes(model)?;
        let figures = read(&model, rows, at)?;
        Ok((0..rows.rows()).map(|row| words::explain_standing(&model, &figures, row)).collect())
    }
}

impl Scoring for KeyCustomers {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<ScoreDescription>> {
        config.checked()?;
        Ok(words::scores())
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        fit(rows, config, at)
    }

    fn score(model: &[u8], rows: &Batch, at: &Context) -> Result<Scores> {
        let model = KeyModel::of_bytes(model)?;
        let places = places(&model, rows, at)?;
        let mut scores = Scores::default();
        scores.push(
            words::LOOK_ALIKE,
            (0..rows.rows()).map(|row| words::look_alike(&model, &of_row(&places, row))),
        );
        Ok(scores)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        let model = KeyModel::of_bytes(model)?;
        let places = places(&model, rows, at)?;
        Ok((0..rows.rows()).map(|row| words::explain_likeness(&model, &of_row(&places, row))).collect())
    }

    fn rules(model: &[u8]) -> Result<LocalizedText> {
        Ok(words::rules(&KeyModel::of_bytes(model)?))
    }
}

impl ModelReport for KeyCustomers {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        Ok(panels::report_of(&KeyModel::of_bytes(model)?))
    }
}

impl Analysis for KeyCustomers {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<AnalysisDescription>> {
        config.checked()?;
        Ok(vec![cohorts::describe()])
    }

    fn analyse(
        name: &str,
        rows: &mut RowStream<'_>,
        parameters: &str,
        _: &Config,
        at: &Context,
    ) -> Result<Report> {
        match name {
            cohorts::COHORTS => cohorts::answer(rows, parameters, at),
            other => Err(PluginError::other(
                "no-such-analysis",
                (format!("there is no analysis `{other}`"), format!("没有名为 `{other}` 的分析")),
            )),
        }
    }
}

export_segmentation!(KeyCustomers);
export_scoring!(KeyCustomers);
export_model_report!(KeyCustomers);
export_analysis!(KeyCustomers);

const AFTER_AS_OF: &str = "order-after-as-of";

fn after_as_of(days: i64) -> LocalizedText {
    localized(
        format!("the last order lies {days} days after the day that counts as today"),
        format!("最近一次下单在计算日之后 {days} 天"),
    )
}

fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
    let model = population::learn(rows, config.checked()?, at)?;
    Ok(Model { bytes: model.to_bytes(), summary: words::summary(&model), metrics: words::metrics(&model) })
}

fn read<'a>(model: &KeyModel, rows: &'a Batch, at: &Context) -> Result<Figures<'a>> {
    let figures = Figures::read(rows, u32::try_from(model.growth_days).unwrap_or(u32::MAX), at)?;
    model.require_currency(figures.currency)?;
    Ok(figures)
}

/// For each trait and row which values it has.
fn places(model: &KeyModel, rows: &Batch, at: &Context) -> Result<Vec<Vec<Vec<usize>>>> {
    let of_trait =
        |found: &traits::Trait| Ok(found.places(&Seen::read(rows, &format!("traits.{}", found.name), at)?));
    model.traits.iter().map(of_trait).collect()
}

fn of_row(places: &[Vec<Vec<usize>>], row: usize) -> Vec<&[usize]> {
    places.iter().map(|rows| rows.get(row).map_or(&[][..], Vec::as_slice)).collect()
}
