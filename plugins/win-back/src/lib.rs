//! Winning customers back: who used to buy and stopped, who is left alone because of an open severe complaint, an offer against a call, and
//! what came of it (R25, R44, R98).
//!
//! Every function looks at one row at a time. The README beside this crate states the rules and the statistics.

mod config;
mod contacts;
mod customers;
mod evaluation;
pub mod proportions;

use trellis_sdk::{
    Batch, CampaignRules, Context, Eligibilities, ObjectRecord, Reason, Report, Result, RowActions,
    RowStream, Variants, export_campaign_rules,
};

pub use config::{Config, Offer, Weights};

use contacts::Contacts;

/// The plugin.
#[derive(Debug)]
pub struct WinBack;

impl CampaignRules for WinBack {
    type Config = Config;

    fn eligible(_: &ObjectRecord, rows: &Batch, config: &Config, at: &Context) -> Result<Eligibilities> {
        let customers = customers::read(rows, at)?;
        let judge = |row: usize| {
            customers.get(row).map_or(Err(customers::NO_ORDERS), |customer| customer.judge(config))
        };
        Ok(Eligibilities::each(rows, judge))
    }

    fn assign_variant(
        campaign: &ObjectRecord,
        rows: &Batch,
        config: &Config,
        _: &Context,
    ) -> Result<Variants> {
        Ok(Variants::by_weight(campaign, rows, &config.weights.groups()?))
    }

    fn next_action(
        campaign: &ObjectRecord,
        rows: &Batch,
        config: &Config,
        at: &Context,
    ) -> Result<Vec<RowActions>> {
        let (variant, status) = (rows.dictionary("variant")?, rows.dictionary("status")?);
        let contacts = Contacts::new(campaign, config, at);
        let next = |(row, customer)| {
            let decision = contacts.next(customer, status.get(row)?, variant.get(row))?;
            Some(decision.for_row(row))
        };
        Ok(customers::read(rows, at)?.iter().enumerate().filter_map(next).collect())
    }

    fn explain(_: &ObjectRecord, rows: &Batch, config: &Config, at: &Context) -> Result<Vec<Vec<Reason>>> {
        Ok(customers::read(rows, at)?.iter().map(|customer| customer.reasons(config)).collect())
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

export_campaign_rules!(WinBack);
