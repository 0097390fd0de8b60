//! Next purchase: when each customer will buy again, how likely within some days, and who is due, overdue or dormant (R127).
//!
//! `fit` learns how regular customers are and how they differ; `score` and `explain` look at one row at a time. The README beside this crate
//! states the model, its source and its limits.

mod config;
mod gap;
mod model;
mod rows;
mod words;

use trellis_sdk::{
    Batch, Context, LearnedBy, LocalizedText, Model, ModelReport, Reason, Report, Result, RowStream,
    ScoreDescription, Scores, Scoring, export_model_report, export_scoring,
};

pub use config::Config;

use model::{Outlook, Rhythm};
use rows::Rows;

/// The plugin.
#[derive(Debug)]
pub struct NextPurchase;

impl Scoring for NextPurchase {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<ScoreDescription>> {
        Ok(words::describe(&config.checked()?))
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        let rhythm = Rhythm::learn(rows, &config.checked()?, at)?;
        Ok(Model {
            bytes: rhythm.to_bytes(),
            summary: words::summary(&rhythm),
            metrics: words::metrics(&rhythm),
        })
    }

    fn score(model: &[u8], rows: &Batch, at: &Context) -> Result<Scores> {
        let rhythm = Rhythm::of_bytes(model)?;
        let rows = Rows::read(rows, at)?;
        let outlooks: Vec<Option<Outlook>> =
            rows.customers.iter().map(|customer| rhythm.outlook(customer.as_ref()?)).collect();
        let column = |figure: fn(&Outlook) -> f64| -> Vec<Option<f64>> {
            outlooks.iter().map(|outlook| outlook.as_ref().map(figure)).collect()
        };
        let mut scores = Scores::default();
        scores.push(words::DAYS, column(|outlook| outlook.days));
        scores.push(words::PROBABILITY, column(|outlook| outlook.probability));
        scores.push(words::CYCLE, column(|outlook| outlook.cycle));
        scores.push(words::LATENESS, column(|outlook| outlook.lateness));
        for failure in &rows.failures {
            scores.fail(failure.row, failure.code, failure.message.clone());
        }
        Ok(scores)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        let rhythm = Rhythm::of_bytes(model)?;
        let rows = Rows::read(rows, at)?;
        Ok(rows.customers.iter().map(|customer| words::explain(&rhythm, customer.as_ref())).collect())
    }

    fn rules(model: &[u8]) -> Result<LocalizedText> {
        Ok(words::rules(&Rhythm::of_bytes(model)?))
    }
}

impl ModelReport for NextPurchase {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        Ok(words::report_of(&Rhythm::of_bytes(model)?))
    }
}

export_scoring!(NextPurchase);
export_model_report!(NextPurchase);
