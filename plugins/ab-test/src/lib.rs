//! A/B tests: customers divided for ever, what came of it by every test of the textbooks, and when a variant has won (R98).
//!
//! The statistics are public: [`proportions`], [`means`], [`bayes`], [`tables`], [`multiple`], [`sample_size`]. The README beside this crate
//! states their sources and limits.

mod analyses;
pub mod bayes;
mod config;
mod distributions;
mod eligibility;
mod evaluation;
mod groups;
pub mod means;
pub mod multiple;
pub mod proportions;
pub mod sample_size;
pub mod tables;
mod verdict;

use trellis_sdk::{
    Analysis, AnalysisDescription, Batch, CampaignRules, Context, Decision, Eligibilities, ObjectRecord,
    Reason, Report, Result, RowActions, RowStream, Variants, export_analysis, export_campaign_rules,
    localized, message, reason,
};

pub use config::{Config, Method, Variant, Winner};

use eligibility::Rows;

/// The plugin.
#[derive(Debug)]
pub struct AbTest;

impl CampaignRules for AbTest {
    type Config = Config;

    fn eligible(_: &ObjectRecord, rows: &Batch, config: &Config, _: &Context) -> Result<Eligibilities> {
        let customers = Rows::read(rows, config)?;
        Ok(Eligibilities::each(rows, |row| customers.judge(row, config)))
    }

    fn assign_variant(
        campaign: &ObjectRecord,
        rows: &Batch,
        config: &Config,
        _: &Context,
    ) -> Result<Variants> {
        Ok(Variants::by_weight(campaign, rows, &config.weights()?))
    }

    fn next_action(
        campaign: &ObjectRecord,
        rows: &Batch,
        config: &Config,
        _: &Context,
    ) -> Result<Vec<RowActions>> {
        let (variant, status) = (rows.dictionary("variant")?, rows.dictionary("status")?);
        let customers = Rows::read(rows, config)?;
        let channel = match campaign.choice("channel") {
            Some(channel @ ("email" | "sms" | "wechat" | "phone" | "post")) => channel,
            Some(_) => "other",
            None => "email",
        };
        let next = |row: usize| {
            let name = variant.get(row)?;
            let variant = config.variants.iter().find(|variant| variant.name == name)?;
            let is_due = status.get(row) == Some("planned") && !variant.subject_en.trim().is_empty();
            if !is_due || customers.judge(row, config).is_err() {
                return None;
            }
            let text = localized(format!("is in variant {name}"), format!("属于方案 {name}"));
            let sent = message(channel)
                .subject(&variant.subject_en, or(&variant.subject_zh, &variant.subject_en))
                .body(&variant.body_en, or(&variant.body_zh, &variant.body_en));
            Some(Decision::because(reason("variant", text, 1.0)).then(sent).for_row(row))
        };
        Ok((0..rows.rows()).filter_map(next).collect())
    }

    fn explain(_: &ObjectRecord, rows: &Batch, config: &Config, _: &Context) -> Result<Vec<Vec<Reason>>> {
        let customers = Rows::read(rows, config)?;
        Ok((0..rows.rows()).map(|row| vec![customers.explain(row, config)]).collect())
    }

    fn evaluate(
        campaign: &ObjectRecord,
        members: &mut RowStream<'_>,
        config: &Config,
        at: &Context,
    ) -> Result<Report> {
        evaluation::evaluate(campaign, members, config, at)
    }
}

/// The Chinese text, the English one where there is none.
fn or<'a>(zh: &'a str, en: &'a str) -> &'a str {
    if zh.trim().is_empty() { en } else { zh }
}

impl Analysis for AbTest {
    type Config = Config;

    fn describe(_: &Config) -> Result<Vec<AnalysisDescription>> {
        Ok(analyses::describe())
    }

    fn analyse(
        name: &str,
        rows: &mut RowStream<'_>,
        parameters: &str,
        config: &Config,
        _: &Context,
    ) -> Result<Report> {
        analyses::answer(name, rows, parameters, config)
    }
}

export_campaign_rules!(AbTest);
export_analysis!(AbTest);
