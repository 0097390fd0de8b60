//! Next best action: for each customer the action with the highest expected gain, within a budget, what channels can carry out, and what a customer
//! can bear (R62, R126, R173).
//!
//! `fit` plans for everybody and keeps what the budget and full channels are worth (`Prices`); every other call looks at one row at a time. The
//! question `plan` says who gets what. The README beside this crate states the method and its bound.

mod allocation;
mod config;
mod customers;
mod planning;
mod prices;
mod reasons;

use trellis_sdk::{
    Action, Analysis, AnalysisDescription, Assignments, Batch, CampaignRules, Context, Decision,
    Eligibilities, LearnedBy, Model, ModelReport, NO_VALUE, ObjectRecord, Reason, Report, Result, RowActions,
    RowStream, ScoreDescription, Scores, Scoring, Segmentation, SegmentationDescription, analysis, described,
    export_analysis, export_campaign_rules, export_model_report, export_scoring, export_segmentation,
    message, parse_parameters, scored, task,
};

pub use config::{ActionSetting, Channel, Config, PerChannel, ProbabilityUnit};

use config::NO_ACTION;
use customers::{Customers, Quiet};
use prices::Prices;

/// The plugin.
#[derive(Debug)]
pub struct NextBestAction;

fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
    let prices = Prices::fit(rows, config.checked()?, &at.base_currency)?;
    Ok(Model { bytes: prices.to_bytes(), summary: prices.summary(), metrics: prices.metrics() })
}

fn ordinal(rows: &Batch, row: usize) -> u64 {
    rows.ordinals().get(row).copied().unwrap_or(u64::MAX)
}

fn explained(prices: &Prices, rows: &Batch) -> Result<Vec<Vec<Reason>>> {
    let customers = Customers::read(rows, &prices.config)?;
    Ok((0..rows.rows()).map(|row| reasons::of_row(prices, &customers, row, ordinal(rows, row))).collect())
}

impl Scoring for NextBestAction {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<ScoreDescription>> {
        config.checked()?;
        Ok(vec![
            scored("expected_gain", "Expected gain of the next best action", "最佳行动的期望收益").about(
                "Probability × gain − cost, in major units of the base currency; 0 where nothing is to be done.",
                "“成功概率 × 收益 − 成本”，以本位币主币单位计；无行动时为 0。",
            ),
            scored("probability", "Probability of the next best action", "最佳行动的成功概率").range(0.0, 1.0),
            scored("cost", "Cost of the next best action", "最佳行动的成本"),
        ])
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        fit(rows, config, at)
    }

    fn score(model: &[u8], rows: &Batch, _: &Context) -> Result<Scores> {
        let prices = Prices::of_bytes(model)?;
        let customers = Customers::read(rows, &prices.config)?;
        let best: Vec<_> =
            (0..rows.rows()).map(|row| prices.best(&customers, row, ordinal(rows, row))).collect();
        let mut scores = Scores::default();
        scores.push("expected_gain", best.iter().map(|best| Some(best.map_or(0.0, |best| best.expected()))));
        scores.push("probability", best.iter().map(|best| best.map(|best| best.probability)));
        scores.push("cost", best.iter().map(|best| best.map(|best| best.cost)));
        Ok(scores)
    }

    fn explain(model: &[u8], rows: &Batch, _: &Context) -> Result<Vec<Vec<Reason>>> {
        explained(&Prices::of_bytes(model)?, rows)
    }
}

impl Segmentation for NextBestAction {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<SegmentationDescription>> {
        let empty = described("action", "Next best action", "最佳行动").about(
            "The action with the highest expected gain that the budget, the channels and the customer can bear.",
            "在预算、渠道能力和客户触达频次允许的范围内，期望收益最高的行动。",
        );
        let actions = config.checked()?.actions.iter();
        let all =
            actions.fold(empty, |all, action| all.value(&action.name, &action.label_en, &action.label_zh));
        Ok(vec![all.value(NO_ACTION, "Nothing", "暂不行动")])
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        fit(rows, config, at)
    }

    fn assign(model: &[u8], rows: &Batch, _: &Context) -> Result<Assignments> {
        let prices = Prices::of_bytes(model)?;
        let customers = Customers::read(rows, &prices.config)?;
        let none = u32::try_from(prices.config.actions.len()).unwrap_or(NO_VALUE);
        let code = |row| {
            prices
                .best(&customers, row, ordinal(rows, row))
                .map_or(none, |best| u32::try_from(best.action).unwrap_or(none))
        };
        let names = prices.config.actions.iter().map(|action| action.name.as_str()).chain([NO_ACTION]);
        let mut assignments = Assignments::default();
        assignments.push("action", names, (0..rows.rows()).map(code).collect());
        Ok(assignments)
    }

    fn explain(model: &[u8], rows: &Batch, _: &Context) -> Result<Vec<Vec<Reason>>> {
        explained(&Prices::of_bytes(model)?, rows)
    }
}

impl CampaignRules for NextBestAction {
    type Config = Config;

    fn eligible(_: &ObjectRecord, rows: &Batch, config: &Config, at: &Context) -> Result<Eligibilities> {
        let prices = Prices::of_settings(config.checked()?, &at.base_currency);
        let customers = Customers::read(rows, config)?;
        Ok(Eligibilities::each(rows, |row| match customers.quiet(row) {
            Some(Quiet::OpenComplaint) => Err("open-complaint"),
            Some(Quiet::RecentMessage) => Err("quiet-time"),
            None => prices.best(&customers, row, ordinal(rows, row)).map(|_| ()).ok_or("no-gainful-action"),
        }))
    }

    fn next_action(_: &ObjectRecord, rows: &Batch, config: &Config, at: &Context) -> Result<Vec<RowActions>> {
        let prices = Prices::of_settings(config.checked()?, &at.base_currency);
        let customers = Customers::read(rows, config)?;
        let (variant, status) = (rows.dictionary("variant")?, rows.dictionary("status")?);
        let next = |row: usize| {
            if status.get(row) != Some("planned") {
                return None;
            }
            variant.get(row)?;
            let action = config.actions.get(prices.best(&customers, row, ordinal(rows, row))?.action)?;
            let reasons = reasons::of_row(&prices, &customers, row, ordinal(rows, row));
            let decision = reasons.into_iter().fold(Decision::nothing(), Decision::and_because);
            Some(decision.then(carried_out(action)).for_row(row))
        };
        Ok((0..rows.rows()).filter_map(next).collect())
    }

    fn explain(_: &ObjectRecord, rows: &Batch, config: &Config, at: &Context) -> Result<Vec<Vec<Reason>>> {
        explained(&Prices::of_settings(config.checked()?, &at.base_currency), rows)
    }
}

/// The message or task that an action is.
fn carried_out(action: &ActionSetting) -> Action {
    let or = |text: &Option<String>, other: &str| {
        text.as_deref().filter(|text| !text.trim().is_empty()).unwrap_or(other).to_owned()
    };
    let (subject_en, subject_zh) =
        (or(&action.subject_en, &action.label_en), or(&action.subject_zh, &action.label_zh));
    match action.channel {
        Channel::Task => {
            let (about_en, about_zh) = (or(&action.body_en, ""), or(&action.body_zh, ""));
            task(subject_en, subject_zh).about(about_en, about_zh).into()
        }
        // A message without a text says at least what it is about.
        channel => {
            let (body_en, body_zh) = (or(&action.body_en, &subject_en), or(&action.body_zh, &subject_zh));
            message(channel.name()).subject(subject_en, subject_zh).body(body_en, body_zh).into()
        }
    }
}

impl ModelReport for NextBestAction {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        Ok(planning::of_model(&Prices::of_bytes(model)?))
    }
}

impl Analysis for NextBestAction {
    type Config = Config;

    fn describe(_: &Config) -> Result<Vec<AnalysisDescription>> {
        let plan = analysis("plan", "Plan actions", "规划行动").about(
            "Who gets what within a budget and what the channels can carry out, and what one more unit of money would bring.",
            "在预算和渠道能力范围内，确定每位客户的行动，并给出预算的影子价格。",
        );
        Ok(vec![plan.of("customers").asking(&planning::parameters())])
    }

    fn analyse(
        _: &str,
        rows: &mut RowStream<'_>,
        parameters: &str,
        config: &Config,
        at: &Context,
    ) -> Result<Report> {
        planning::answer(rows, &parse_parameters(parameters)?, config.checked()?, &at.base_currency)
    }
}

export_scoring!(NextBestAction);
export_segmentation!(NextBestAction);
export_campaign_rules!(NextBestAction);
export_model_report!(NextBestAction);
export_analysis!(NextBestAction);
