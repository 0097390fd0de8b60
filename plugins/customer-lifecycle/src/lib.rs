//! The lifecycle of customer relations: four stages (R34–R38), the four patterns of those that ended and what they cost (R39, R40), and
//! whether to recover or let go (R38).
//!
//! Every customer is judged by its own figures and the settings; `fit` keeps the settings and counts. The README beside this crate states
//! every rule.

mod config;
mod labels;
mod model;
mod reasons;
mod report;
mod rows;
mod stages;

use trellis_sdk::{
    Assignments, Batch, Context, LearnedBy, LocalizedText, Model, ModelReport, NO_VALUE, Reason, Report,
    Result, RowStream, ScoreDescription, Scores, Scoring, Segmentation, SegmentationDescription,
    export_model_report, export_scoring, export_segmentation,
};

pub use config::Config;

use model::Lifecycle;
use rows::{Rows, major_units};
use stages::Judgement;

/// The plugin.
#[derive(Debug)]
pub struct CustomerLifecycle;

impl Segmentation for CustomerLifecycle {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<SegmentationDescription>> {
        config.check()?;
        Ok(labels::segmentations())
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        Lifecycle::learn(rows, config, at)
    }

    fn assign(model: &[u8], rows: &Batch, at: &Context) -> Result<Assignments> {
        let judged = Judged::new(model, rows, at)?;
        let codes = |code: fn(&Judgement) -> Option<u32>| -> Vec<u32> {
            judged.judgements().map(|one| one.as_ref().and_then(code).unwrap_or(NO_VALUE)).collect()
        };
        let mut assignments = Assignments::default();
        assignments.push("stage", stages::STAGES, codes(|one| Some(one.stage as u32)));
        assignments.push("pattern", stages::PATTERNS, codes(|one| one.pattern.map(|pattern| pattern as u32)));
        Ok(assignments)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        Ok(Judged::new(model, rows, at)?.reasons())
    }
}

impl Scoring for CustomerLifecycle {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<ScoreDescription>> {
        config.check()?;
        Ok(labels::scores())
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        Lifecycle::learn(rows, config, at)
    }

    fn score(model: &[u8], rows: &Batch, at: &Context) -> Result<Scores> {
        let judged = Judged::new(model, rows, at)?;
        let amounts = |amount: fn(&Judgement) -> Option<f64>| {
            let currency = judged.rows.currency;
            judged.judgements().map(move |one| Some(major_units(currency, one.as_ref().and_then(amount)?)))
        };
        let mut scores = Scores::default();
        scores.push("revenue_lost", amounts(|one| one.lost_a_year));
        scores.push("recovery_benefit", amounts(|one| one.benefit));
        Ok(scores)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        Ok(Judged::new(model, rows, at)?.reasons())
    }

    fn rules(model: &[u8]) -> Result<LocalizedText> {
        Ok(report::rules(&Lifecycle::of_bytes(model)?))
    }
}

impl ModelReport for CustomerLifecycle {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        Ok(report::report(&Lifecycle::of_bytes(model)?))
    }
}

export_segmentation!(CustomerLifecycle);
export_scoring!(CustomerLifecycle);
export_model_report!(CustomerLifecycle);

/// The customers of a batch and the model that judges them.
struct Judged<'a> {
    model: Lifecycle,
    rows: Rows<'a>,
    at: &'a Context,
}

impl<'a> Judged<'a> {
    fn new(model: &[u8], rows: &'a Batch, at: &'a Context) -> Result<Self> {
        let (model, rows) = (Lifecycle::of_bytes(model)?, Rows::read(rows)?);
        model.require_currency(rows.currency)?;
        Ok(Self { model, rows, at })
    }

    fn judgements(&self) -> impl Iterator<Item = Option<Judgement>> + '_ {
        self.rows.customers.iter().map(|customer| Some(self.model.judge(customer.as_ref()?, self.at)))
    }

    fn reasons(&self) -> Vec<Vec<Reason>> {
        let explain = |(customer, judgement): (&Option<rows::Customer>, Option<Judgement>)| {
            let (Some(customer), Some(judgement)) = (customer, judgement) else { return Vec::new() };
            reasons::explain(&self.model.config, customer, &judgement, self.rows.currency)
        };
        self.rows.customers.iter().zip(self.judgements()).map(explain).collect()
    }
}
