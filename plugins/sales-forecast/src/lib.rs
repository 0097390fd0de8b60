//! Sales forecasts (R117) and what they rest on: the weighted pipeline, the trend of past sales, win rates and velocity, and plan against
//! forecast.
//!
//! The methods are plain functions over numbers ([`Method`], [`HoltWinters`], [`back_test`]), so that they can be compared with reference results
//! without records; the questions read records and draw what the methods say.

mod calendar;
mod config;
mod deals;
mod methods;
mod names;
mod pipeline;
mod plan;
mod questions;
mod series;
mod tally;
mod trend;
mod win_rates;

use trellis_sdk::{
    Analysis, AnalysisDescription, Context, PluginError, Report, Result, RowStream, export_analysis,
};

pub use calendar::{Grain, Periods, Weekday};
pub use config::{Config, StageProbability};
pub use methods::{
    Accuracy, BackTest, HoltWinters, LinearTrend, Method, Outlook, Seasonality, Settings, Smoothing, Start,
    StartRule, accuracy, back_test, choose, moving_average, simple_smoothing,
};

/// The plugin.
#[derive(Debug)]
pub struct SalesForecast;

impl Analysis for SalesForecast {
    type Config = Config;

    fn describe(_: &Config) -> Result<Vec<AnalysisDescription>> {
        Ok(questions::all())
    }

    fn analyse(
        name: &str,
        rows: &mut RowStream<'_>,
        parameters: &str,
        config: &Config,
        at: &Context,
    ) -> Result<Report> {
        match name {
            "pipeline" => pipeline::answer(rows, &trellis_sdk::parse_parameters(parameters)?, config, at),
            "win_rates" => win_rates::answer(rows, &trellis_sdk::parse_parameters(parameters)?, config, at),
            "trend" => trend::answer(rows, &trellis_sdk::parse_parameters(parameters)?, config, at),
            "plan" => plan::answer(rows, &trellis_sdk::parse_parameters(parameters)?, config, at),
            unknown => Err(PluginError::other(
                "unknown-question",
                (format!("there is no question `{unknown}`"), format!("没有名为 `{unknown}` 的问题")),
            )),
        }
    }
}

export_analysis!(SalesForecast);
