//! The customer value pyramid: every customer's lifetime value, its standing among all customers, and the four tiers platinum, gold, iron
//! and lead; movement between them, what each costs and who does not pay (R28, R29).
//!
//! `fit` ranks the population once and keeps a thinned ranking (`Pyramid`); `score` and `explain` look at one row at a time.
//! The README beside this crate states the definitions and their limits.

mod config;
mod model;
mod population;
mod profit;
mod reasons;
mod report;
mod rows;
mod tiers;

use trellis_sdk::{
    Batch, Context, LearnedBy, LocalizedText, Model, ModelReport, Reason, Report, Result, RowStream,
    ScoreDescription, Scores, Scoring, export_model_report, export_scoring,
};

pub use config::{By, Config};

use model::Pyramid;
use population::Population;
use rows::{Rows, major_units};

/// The plugin.
#[derive(Debug)]
pub struct ValuePyramid;

impl Scoring for ValuePyramid {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<ScoreDescription>> {
        Ok(tiers::describe(&config.shares()?, config.cost.is_some()))
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, _: &Context) -> Result<Model> {
        let shares = config.shares()?;
        let pyramid = Population::read(rows)?.pyramid(shares, config.cost.is_some());
        Ok(Model { bytes: pyramid.to_bytes(), summary: pyramid.summary(), metrics: pyramid.metrics() })
    }

    fn score(model: &[u8], rows: &Batch, _: &Context) -> Result<Scores> {
        let (pyramid, rows) = read(model, rows)?;
        let customers = || rows.customers.iter();
        let mut scores = Scores::default();
        scores.push(
            tiers::VALUE,
            customers().map(|customer| Some(major_units(rows.currency, customer.as_ref()?.spent))),
        );
        scores.push(
            tiers::STANDING,
            customers().map(|customer| {
                let customer = customer.as_ref()?;
                Some(pyramid.place(customer.spent, customer.ordinal).standing)
            }),
        );
        if pyramid.averages.is_some() {
            let profit = |customer: &rows::Customer| customer.spent.saturating_sub(customer.cost?).into();
            scores.push(
                tiers::PROFIT,
                customers()
                    .map(|customer| Some(major_units(rows.currency, customer.as_ref().and_then(profit)?))),
            );
        }
        Ok(scores)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        let (pyramid, rows) = read(model, rows)?;
        Ok(reasons::explain(&pyramid, &rows, at))
    }

    fn rules(model: &[u8]) -> Result<LocalizedText> {
        Ok(reasons::rules(&Pyramid::of_bytes(model)?))
    }
}

impl ModelReport for ValuePyramid {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        Ok(report::report(&Pyramid::of_bytes(model)?))
    }
}

export_scoring!(ValuePyramid);
export_model_report!(ValuePyramid);

fn read<'a>(model: &[u8], rows: &'a Batch) -> Result<(Pyramid, Rows<'a>)> {
    let pyramid = Pyramid::of_bytes(model)?;
    let rows = Rows::read(rows)?;
    pyramid.require_currency(rows.currency)?;
    Ok((pyramid, rows))
}
