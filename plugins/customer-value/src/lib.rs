//! The value of customers: in four parts (R150), by three contributions (R30), what a customer gets for what it gives (R31, R32), value created
//! and captured (R33), and the share of wallet (R60).
//!
//! `fit` reads the population twice; everything else looks at one row at a time. The README beside this crate states every rule.

mod config;
mod judgement;
mod labels;
mod model;
mod reasons;
mod report;
mod rows;
mod trend;

use trellis_sdk::{
    Assignments, Batch, Context, LearnedBy, LocalizedText, Model, ModelReport, NO_VALUE, Reason, Report,
    Result, RowStream, ScoreDescription, Scores, Scoring, Segmentation, SegmentationDescription,
    export_model_report, export_scoring, export_segmentation,
};

pub use config::Config;

use judgement::Judgement;
use model::ValueModel;
use rows::Rows;

/// The plugin.
#[derive(Debug)]
pub struct CustomerValue;

impl Segmentation for CustomerValue {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<SegmentationDescription>> {
        config.check()?;
        Ok(labels::segmentations())
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, _: &Context) -> Result<Model> {
        ValueModel::learn(rows, config)
    }

    fn assign(model: &[u8], rows: &Batch, _: &Context) -> Result<Assignments> {
        let code = |one: &Judgement| one.quadrant.map_or(NO_VALUE, |quadrant| quadrant as u32);
        let mut assignments = Assignments::default();
        assignments.push("quadrant", judgement::QUADRANTS, judge(model, rows)?.iter().map(code).collect());
        Ok(assignments)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        explain(model, rows, at)
    }
}

impl Scoring for CustomerValue {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<ScoreDescription>> {
        config.check()?;
        Ok(labels::scores(config))
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, _: &Context) -> Result<Model> {
        ValueModel::learn(rows, config)
    }

    fn score(model: &[u8], rows: &Batch, _: &Context) -> Result<Scores> {
        let judgements = judge(model, rows)?;
        let mut scores = Scores::default();
        let mut push = |name: &str, value: fn(&Judgement) -> Option<f64>| {
            scores.push(name, judgements.iter().map(value))
        };
        push("value", |one| one.value);
        push("history", |one| one.parts[0]);
        push("potential", |one| one.parts[1]);
        push("composite", |one| one.composite);
        push("delivered_value", |one| one.delivered);
        push("total_value", |one| one.total_value);
        push("total_cost", |one| one.total_cost);
        push("share_of_wallet", |one| one.wallet);
        push("share_of_wallet_change", |one| one.wallet_change);
        Ok(scores)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        explain(model, rows, at)
    }

    fn rules(model: &[u8]) -> Result<LocalizedText> {
        Ok(report::rules(&ValueModel::of_bytes(model)?))
    }
}

impl ModelReport for CustomerValue {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        Ok(report::report(&ValueModel::of_bytes(model)?))
    }
}

export_segmentation!(CustomerValue);
export_scoring!(CustomerValue);
export_model_report!(CustomerValue);

fn read<'a>(model: &[u8], rows: &'a Batch) -> Result<(ValueModel, Rows<'a>)> {
    let (model, rows) = (ValueModel::of_bytes(model)?, Rows::read(rows)?);
    model.require_currency(rows.currency)?;
    Ok((model, rows))
}

fn judge(model: &[u8], rows: &Batch) -> Result<Vec<Judgement>> {
    let (model, rows) = read(model, rows)?;
    Ok(rows.customers().map(|customer| model.judge(&customer)).collect())
}

fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
    let (model, rows) = read(model, rows)?;
    Ok(rows.customers().map(|customer| reasons::explain(&model, &customer, at)).collect())
}
