//! Caring for customers before, during and after a purchase (R49) over the channels that they use (R50): who is due for which occasion, what is
//! sent or who calls, never two cares within the days between them.
//!
//! Every function looks at one row at a time.

mod cares;
mod config;
mod customers;

use std::collections::BTreeMap;

use trellis_sdk::{
    Batch, CampaignRules, Context, Decision, Eligibilities, ObjectRecord, Reason, Report, Result, RowActions,
    RowStream, export_campaign_rules, localized, metric, panel, report,
};

pub use config::{Config, Entry, Occasion};

/// The plugin.
#[derive(Debug)]
pub struct CareProgramme;

impl CampaignRules for CareProgramme {
    type Config = Config;

    fn eligible(_: &ObjectRecord, rows: &Batch, config: &Config, at: &Context) -> Result<Eligibilities> {
        let customers = customers::read(rows, at)?;
        let judge = |row: usize| {
            customers
                .get(row)
                .map_or(Err(customers::NOTHING_DUE), |customer| customer.due(config).map(|_| ()))
        };
        Ok(Eligibilities::each(rows, judge))
    }

    /// Whoever has not declined is cared for again on the next occasion.
    fn next_action(
        campaign: &ObjectRecord,
        rows: &Batch,
        config: &Config,
        at: &Context,
    ) -> Result<Vec<RowActions>> {
        let (status, variant) = (rows.dictionary("status")?, rows.dictionary("variant")?);
        let name = campaign.text("name").unwrap_or_default();
        let mut actions = Vec::new();
        for (row, customer) in customers::read(rows, at)?.iter().enumerate() {
            let is_in = matches!(status.get(row), Some("planned" | "contacted" | "responded" | "converted"));
            if !is_in || variant.get(row).is_none() {
                continue;
            }
            let Ok(entry) = customer.due(config) else { continue };
            let because =
                customer.reasons(config).into_iter().fold(Decision::nothing(), Decision::and_because);
            actions.push(because.then(cares::care(entry, name)).for_row(row));
        }
        Ok(actions)
    }

    fn explain(_: &ObjectRecord, rows: &Batch, config: &Config, at: &Context) -> Result<Vec<Vec<Reason>>> {
        Ok(customers::read(rows, at)?.iter().map(|customer| customer.reasons(config)).collect())
    }

    fn evaluate(_: &ObjectRecord, members: &mut RowStream<'_>, _: &Config, _: &Context) -> Result<Report> {
        let mut statuses: BTreeMap<String, u64> = BTreeMap::new();
        let (mut reached, mut answered) = (0_u64, 0_u64);
        for batch in members {
            let (status, responded) = (batch.dictionary("status")?, batch.boolean("responded")?);
            for (status, responded) in status.iter().zip(responded.iter()) {
                let status = status.unwrap_or("planned");
                *statuses.entry(status.to_owned()).or_default() += 1;
                let was_reached = !matches!(status, "planned" | "suppressed");
                reached += u64::from(was_reached);
                answered += u64::from(
                    was_reached && (responded == Some(true) || matches!(status, "responded" | "converted")),
                );
            }
        }
        Ok(evaluation(&statuses, reached, answered))
    }
}

export_campaign_rules!(CareProgramme);

fn evaluation(statuses: &BTreeMap<String, u64>, reached: u64, answered: u64) -> Report {
    let summary = localized(
        format!("{answered} of {reached} customers who were cared for answered."),
        format!("已关怀 {reached} 位客户，其中 {answered} 位有回应。"),
    );
    let words = |status: &String| match status.as_str() {
        "planned" => localized("Planned", "计划中"),
        "suppressed" => localized("Held back", "已抑制"),
        "contacted" => localized("Cared for", "已关怀"),
        "responded" => localized("Answered", "已回应"),
        "converted" => localized("Bought", "已转化"),
        "declined" => localized("Declined", "已拒绝"),
        other => localized(other, other),
    };
    let table = panel("statuses", "Members by status", "各状态成员数")
        .words("status", ("Status", "状态"), statuses.keys().map(words))
        .int64(
            "members",
            ("Members", "成员数"),
            "",
            statuses.values().map(|count| i64::try_from(*count).ok()),
        )
        .bar("status", ["members"]);
    let whole = report(summary)
        .metric(metric("reached", localized("Cared for", "已关怀客户数"), reached as f64))
        .metric(metric("answered", localized("Answered", "有回应客户数"), answered as f64));
    let rated = if reached == 0 {
        whole
    } else {
        let label = localized("Answered (%)", "回应率（%）");
        whole.metric(metric("answer_rate", label, answered as f64 * 100.0 / reached as f64))
    };
    rated.panel(table)
}
