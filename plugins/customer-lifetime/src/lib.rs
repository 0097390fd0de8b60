//! Customer lifetime value: whether a customer is still active, how often and for how much they will buy within a horizon, and what that is
//! worth today (R167, R170).
//!
//! `fit` finds the parameters of a model of purchases ([`BgNbd`] or [`ParetoNbd`]) and of spend (`GammaGamma`) by maximum likelihood; `score`
//! and `explain` look at one row at a time. The README beside this crate states the models, their sources and their limits.

mod bg_nbd;
mod climb;
mod config;
mod history;
mod holdout;
mod labels;
mod model;
mod panels;
mod pareto_nbd;
mod population;
mod purchases;
mod reasons;
mod rows;
mod value;

use trellis_sdk::{
    Batch, Context, LearnedBy, LocalizedText, Model, ModelReport, Reason, Report, Result, RowStream,
    ScoreDescription, Scores, Scoring, export_model_report, export_scoring,
};

pub use bg_nbd::BgNbd;
pub use config::{Choice, Config};
pub use history::{Histories, History};
pub use pareto_nbd::ParetoNbd;
pub use purchases::Estimate;

use model::LifetimeModel;
use rows::Rows;
use value::Value;

/// The plugin.
#[derive(Debug)]
pub struct CustomerLifetime;

impl Scoring for CustomerLifetime {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<ScoreDescription>> {
        Ok(labels::describe(&config.checked()?))
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        let model = population::learn(rows, &config.checked()?, at)?;
        Ok(Model {
            bytes: model.to_bytes(),
            summary: labels::summary(&model),
            metrics: labels::metrics(&model),
        })
    }

    fn score(model: &[u8], rows: &Batch, at: &Context) -> Result<Scores> {
        let (model, rows) = read(model, rows, at)?;
        let values: Vec<Option<Value>> = rows.customers.iter().map(|known| model.value(known)).collect();
        let column = |figure: fn(&Value) -> Option<f64>| -> Vec<Option<f64>> {
            values.iter().map(|value| value.as_ref().and_then(figure)).collect()
        };
        let mut scores = Scores::default();
        scores.push(labels::ALIVE, column(|value| value.alive));
        scores.push(labels::PURCHASES, column(|value| value.purchases));
        scores.push(labels::SPEND, column(|value| Some(value.spend)));
        scores.push(labels::LIFETIME, column(Value::clv));
        scores.push(labels::SIMPLE, column(|value| Some(value.simple)));
        for failure in &rows.failures {
            scores.fail(failure.row, failure.code, failure.message.clone());
        }
        Ok(scores)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        let (model, rows) = read(model, rows, at)?;
        Ok(rows.customers.iter().map(|known| reasons::explain(&model, known)).collect())
    }

    fn rules(model: &[u8]) -> Result<LocalizedText> {
        Ok(reasons::rules(&LifetimeModel::of_bytes(model)?))
    }
}

impl ModelReport for CustomerLifetime {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        Ok(panels::report_of(&LifetimeModel::of_bytes(model)?))
    }
}

export_scoring!(CustomerLifetime);
export_model_report!(CustomerLifetime);

fn read<'a>(model: &[u8], rows: &'a Batch, at: &Context) -> Result<(LifetimeModel, Rows<'a>)> {
    let model = LifetimeModel::of_bytes(model)?;
    let rows = Rows::read(rows, at, 0)?;
    model.require_currency(rows.currency)?;
    Ok((model, rows))
}
