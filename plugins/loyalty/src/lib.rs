//! Loyalty and satisfaction: attitudinal and behavioural loyalty (R51), its seven kinds (R52), four behaviours and four metrics (R53, R54), what
//! drives it (R55), trust and switching costs (R56, R57), the satisfaction trap with its two curves (R58), three stages of consumption
//! (R59); and what questionnaires say: NPS, satisfaction, drivers.
//!
//! `fit` reads the population twice; everything else looks at one row at a time. The README beside this crate states every rule.

mod config;
mod determinants;
mod judgement;
mod labels;
pub mod least_squares;
mod model;
mod population;
mod questionnaire;
mod reasons;
mod report;
mod rows;
mod satisfaction;
mod words;

use trellis_sdk::{
    Analysis, AnalysisDescription, Assignments, Batch, Context, LearnedBy, LocalizedText, Model, ModelReport,
    NO_VALUE, PluginError, Reason, Report, Result, RowStream, ScoreDescription, Scores, Scoring,
    Segmentation, SegmentationDescription, export_analysis, export_model_report, export_scoring,
    export_segmentation, parse_parameters,
};

pub use config::Config;

use judgement::Judgement;
use model::LoyaltyModel;
use rows::Rows;

/// The plugin.
#[derive(Debug)]
pub struct Loyalty;

impl Segmentation for Loyalty {
    type Config = Config;

    fn describe(_: &Config) -> Result<Vec<SegmentationDescription>> {
        Ok(labels::segmentations())
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, _: &Context) -> Result<Model> {
        population::learn(rows, config)
    }

    fn assign(model: &[u8], rows: &Batch, _: &Context) -> Result<Assignments> {
        let judgements = judge(model, rows)?;
        let codes = |place: fn(&Judgement) -> Option<usize>| -> Vec<u32> {
            judgements.iter().map(|one| place(one).map_or(NO_VALUE, |place| place as u32)).collect()
        };
        let mut assignments = Assignments::default();
        assignments.push("loyalty_type", judgement::TYPES, codes(|one| one.loyalty));
        assignments.push("loyalty_kind", judgement::KINDS, codes(|one| one.kind));
        assignments.push("satisfaction_trap", judgement::TRAPS, codes(|one| one.trap));
        assignments.push("consumption_stage", judgement::STAGES, codes(|one| one.stage));
        Ok(assignments)
    }

    fn explain(model: &[u8], rows: &Batch, _: &Context) -> Result<Vec<Vec<Reason>>> {
        explain(model, rows)
    }
}

impl Scoring for Loyalty {
    type Config = Config;

    fn describe(_: &Config) -> Result<Vec<ScoreDescription>> {
        Ok(labels::scores())
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, _: &Context) -> Result<Model> {
        population::learn(rows, config)
    }

    fn score(model: &[u8], rows: &Batch, _: &Context) -> Result<Scores> {
        let judgements = judge(model, rows)?;
        let mut scores = Scores::default();
        for (name, value) in labels::SCORE_VALUES {
            scores.push(name, judgements.iter().map(value));
        }
        Ok(scores)
    }

    fn explain(model: &[u8], rows: &Batch, _: &Context) -> Result<Vec<Vec<Reason>>> {
        explain(model, rows)
    }

    fn rules(model: &[u8]) -> Result<LocalizedText> {
        Ok(report::rules(&LoyaltyModel::of_bytes(model)?))
    }
}

impl ModelReport for Loyalty {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        Ok(report::report(&LoyaltyModel::of_bytes(model)?))
    }
}

impl Analysis for Loyalty {
    type Config = Config;

    fn describe(_: &Config) -> Result<Vec<AnalysisDescription>> {
        Ok(vec![satisfaction::description(), questionnaire::description()])
    }

    fn analyse(
        name: &str,
        rows: &mut RowStream<'_>,
        parameters: &str,
        _: &Config,
        _: &Context,
    ) -> Result<Report> {
        match name {
            satisfaction::NAME => satisfaction::analyse(rows, &parse_parameters(parameters)?),
            questionnaire::NAME => questionnaire::analyse(rows, &parse_parameters(parameters)?),
            _ => Err(PluginError::other(
                "unknown-analysis",
                (format!("there is no analysis `{name}`"), format!("没有名为 `{name}` 的分析")),
            )),
        }
    }
}

export_segmentation!(Loyalty);
export_scoring!(Loyalty);
export_model_report!(Loyalty);
export_analysis!(Loyalty);

fn judge(model: &[u8], rows: &Batch) -> Result<Vec<Judgement>> {
    let model = LoyaltyModel::of_bytes(model)?;
    Ok(Rows::read(rows)?.customers().map(|customer| model.judge(&customer)).collect())
}

fn explain(model: &[u8], rows: &Batch) -> Result<Vec<Vec<Reason>>> {
    let model = LoyaltyModel::of_bytes(model)?;
    let customers = Rows::read(rows)?;
    Ok(customers.customers().map(|customer| reasons::explain(&model, &customer)).collect())
}
