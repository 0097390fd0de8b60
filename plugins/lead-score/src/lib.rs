//! B2B lead scoring: fit and engagement apart, engagement that decays, a matrix of grades with pins, and money, authority and need with
//! their evidence (R16).
//!
//! Every lead is judged by its own figures and the settings; `fit` keeps the settings and counts. The README beside this crate states
//! every rule. What a lead needs to be converted is the plugin `b2b-gate`.

mod config;
mod conversions;
mod judgement;
mod labels;
mod model;
mod reasons;
mod report;
mod rows;

use trellis_sdk::{
    Assignments, Batch, Context, LearnedBy, LocalizedText, Model, ModelReport, NO_VALUE, Reason, Report,
    Result, RowStream, ScoreDescription, Scores, Scoring, Segmentation, SegmentationDescription,
    export_model_report, export_scoring, export_segmentation,
};

pub use config::Config;

use judgement::Judgement;
use model::LeadModel;

/// The plugin.
#[derive(Debug)]
pub struct LeadScore;

impl Segmentation for LeadScore {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<SegmentationDescription>> {
        config.check()?;
        Ok(labels::segmentations())
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, _: &Context) -> Result<Model> {
        LeadModel::learn(rows, config)
    }

    fn assign(model: &[u8], rows: &Batch, _: &Context) -> Result<Assignments> {
        let code = |one: &Judgement| one.grade.map_or(NO_VALUE, |grade| grade as u32);
        let mut assignments = Assignments::default();
        assignments.push("grade", judgement::GRADES, judge(model, rows)?.iter().map(code).collect());
        Ok(assignments)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        explain(model, rows, at)
    }
}

impl Scoring for LeadScore {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<ScoreDescription>> {
        config.check()?;
        Ok(labels::scores())
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, _: &Context) -> Result<Model> {
        LeadModel::learn(rows, config)
    }

    fn score(model: &[u8], rows: &Batch, _: &Context) -> Result<Scores> {
        let judgements = judge(model, rows)?;
        let mut scores = Scores::default();
        scores.push("fit", judgements.iter().map(|one| one.fit));
        scores.push("engagement", judgements.iter().map(|one| Some(one.engagement)));
        scores.push("man", judgements.iter().map(|one| one.man));
        Ok(scores)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        explain(model, rows, at)
    }

    fn rules(model: &[u8]) -> Result<LocalizedText> {
        Ok(report::rules(&LeadModel::of_bytes(model)?))
    }
}

impl ModelReport for LeadScore {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        Ok(report::report(&LeadModel::of_bytes(model)?))
    }
}

export_segmentation!(LeadScore);
export_scoring!(LeadScore);
export_model_report!(LeadScore);

fn judge(model: &[u8], rows: &Batch) -> Result<Vec<Judgement>> {
    let model = LeadModel::of_bytes(model)?;
    Ok(rows::read(rows)?.iter().map(|lead| model.config.judge(lead)).collect())
}

fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
    let model = LeadModel::of_bytes(model)?;
    let explain =
        |lead: &rows::Lead<'_>| reasons::explain(&model.config, lead, &model.config.judge(lead), at);
    Ok(rows::read(rows)?.iter().map(explain).collect())
}
