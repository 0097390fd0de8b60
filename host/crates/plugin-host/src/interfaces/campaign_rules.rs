//! `campaign-rules`: a plugin decides who takes part in a campaign, in which variant, what happens next, and what came of it.

use trellis_model::{Action, Batch, NamedRecord, Reason};

use super::bindings::exports::trellis::plugin::campaign_rules as wit;
use super::bindings::trellis::plugin::columns;
use super::bindings::trellis::plugin::types::Context;
use super::bindings::trellis::plugin::values::ObjectRecord;
use super::row_streams::RowStream;
use crate::answers::{CallContext, RowError};
use crate::bisect::{Outcome, POISON};
use crate::call::Call;
use crate::health::RowKey;
use crate::join::{self, Answered, Rest};
use crate::manifest::CampaignRulesUse;
use crate::report::Report;
use crate::run::Done;
use crate::{CallStats, CancelFlag, LimitClass, LogLine, Plugin, Result, check, convert};

/// The interface for campaigns of a plugin. Its functions block, and need 1 MiB of stack. `campaign` is the campaign's record with all its
/// fields; the plugin gets those that its manifest declares.
#[derive(Debug, Clone, Copy)]
pub struct CampaignRules<'a> {
    plugin: &'a Plugin,
    used: &'a CampaignRulesUse,
}

/// Who of a batch takes part.
#[derive(Debug, Clone, PartialEq)]
pub struct Eligible {
    /// One a row.
    pub eligible: Vec<bool>,
    /// For each row that does not take part, a stable code that says why; for a row that failed, the code of its failure.
    pub causes: Vec<Option<String>>,
    /// Rows that could not be decided; they do not take part.
    pub failed: Vec<RowError>,
    /// What the plugin wrote.
    pub logs: Vec<LogLine>,
    /// What it used.
    pub stats: CallStats,
}

/// Which variant of a campaign each row gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Variants {
    /// One a row; `None` is the hold-out group, or a row that failed.
    pub variants: Vec<Option<String>>,
    /// Rows that could not be decided; they are in no group.
    pub failed: Vec<RowError>,
    /// What the plugin wrote.
    pub logs: Vec<LogLine>,
    /// What it used.
    pub stats: CallStats,
}

/// What is to happen for the members in a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct NextActions {
    /// The rows for which something happens, ascending, each once.
    pub rows: Vec<RowActions>,
    /// Rows on which the plugin fails; nothing happens for them.
    pub failed: Vec<RowError>,
    /// What the plugin wrote.
    pub logs: Vec<LogLine>,
    /// What it used.
    pub stats: CallStats,
}

/// What is to happen for one row.
#[derive(Debug, Clone, PartialEq)]
pub struct RowActions {
    /// Which row of the batch, from 0.
    pub row: u32,
    /// What is to happen, in this order.
    pub actions: Vec<Action>,
    /// Why, at most five, the strongest first.
    pub reasons: Vec<Reason>,
}

/// What came of a campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// What the plugin says about it.
    pub report: Report,
    /// What the plugin wrote.
    pub logs: Vec<LogLine>,
    /// What it used.
    pub stats: CallStats,
}

impl<'a> CampaignRules<'a> {
    pub(crate) fn of(plugin: &'a Plugin, used: &'a CampaignRulesUse) -> Self {
        Self { plugin, used }
    }

    /// Says for each row whether it may take part now.
    ///
    /// # Errors
    /// What the plugin says against the configuration, a fault of the plugin, or that the batch is over the limits.
    pub fn eligible(
        &self,
        campaign: &NamedRecord,
        batch: Batch,
        config: &str,
        at: &CallContext,
    ) -> Result<Eligible> {
        let asked =
            self.asked_by_parts("eligible", campaign, batch, at, |call, campaign, batch, context| {
                let rows = batch.rows;
                self.plugin.ask::<wit::GuestIndices, _, _>(
                    call,
                    |guest, store| guest.call_eligible(store, campaign, batch, config, context),
                    |answer| {
                        let failed = check::row_errors(convert::row_errors(answer.failed), rows)?;
                        let causes = convert::column_from_guest(answer.causes);
                        let (eligible, causes) =
                            check::campaign_rules::eligible(&answer.eligible, causes, &failed, rows)?;
                        Ok((eligible.into_iter().zip(causes).collect(), failed))
                    },
                )
            })?;
        let poison = (false, Some(POISON.to_owned()));
        let Answered { value, rest } =
            asked.joined(self.plugin.log_lines_max(), |parts| join::values(&poison, parts))?;
        let (eligible, causes) = value.into_iter().unzip();
        Ok(Eligible { eligible, causes, failed: rest.failed, logs: rest.logs, stats: rest.stats })
    }

    /// Asks for a batch, or for the parts of one that fails as a whole.
    fn asked_by_parts<T>(
        &self,
        function: &'static str,
        campaign: &NamedRecord,
        batch: Batch,
        at: &CallContext,
        ask: impl Fn(&Call<'_>, &ObjectRecord, &columns::Batch, &Context) -> Result<Done<(T, Vec<RowError>)>>,
    ) -> Result<Outcome<Answered<T>>> {
        let (rows, call) = self.plugin.batch_call(function, &batch, at)?;
        let (campaign, batch, context) =
            (self.shown(campaign), convert::batch_to_guest(batch), convert::context(at));
        self.plugin.by_parts::<wit::GuestIndices, _>(
            &call,
            rows as usize,
            |row| batch.ordinals.get(row).copied().map(RowKey::Ordinal),
            |call, range| {
                let done = ask(call, &campaign, &convert::rows_of(&batch, range), &context)?;
                let (value, failed) = done.value;
                Ok(Answered { value, rest: Rest { failed, logs: done.logs, stats: done.stats } })
            },
        )
    }

    /// Divides eligible rows into variants.
    ///
    /// # Errors
    /// As [`Self::eligible`].
    pub fn assign_variant(
        &self,
        campaign: &NamedRecord,
        batch: Batch,
        config: &str,
        at: &CallContext,
    ) -> Result<Variants> {
        let asked =
            self.asked_by_parts("assign-variant", campaign, batch, at, |call, campaign, batch, context| {
                let rows = batch.rows;
                self.plugin.ask::<wit::GuestIndices, _, _>(
                    call,
                    |guest, store| guest.call_assign_variant(store, campaign, batch, config, context),
                    |answer| {
                        let failed = check::row_errors(convert::row_errors(answer.failed), rows)?;
                        let column = convert::column_from_guest(answer.column);
                        Ok((check::campaign_rules::variants(column, &failed, rows)?, failed))
                    },
                )
            })?;
        let Answered { value: variants, rest } =
            asked.joined(self.plugin.log_lines_max(), |parts| join::values(&None, parts))?;
        Ok(Variants { variants, failed: rest.failed, logs: rest.logs, stats: rest.stats })
    }

    /// Says what happens next for members of the campaign. The batch has the columns `variant` and `status` besides those of the dataset.
    ///
    /// # Errors
    /// As [`Self::eligible`].
    pub fn next_action(
        &self,
        campaign: &NamedRecord,
        batch: Batch,
        config: &str,
        at: &CallContext,
    ) -> Result<NextActions> {
        let limits = *self.plugin.limits(self.plugin.manifest().limit_class);
        let asked =
            self.asked_by_parts("next-action", campaign, batch, at, |call, campaign, batch, context| {
                let rows = batch.rows;
                self.plugin.ask::<wit::GuestIndices, _, _>(
                    call,
                    |guest, store| guest.call_next_action(store, campaign, batch, config, context),
                    |answer| {
                        let places: Vec<_> = answer.iter().map(|row| (row.row, row.actions.len())).collect();
                        check::campaign_rules::places(&places, rows, &limits)?;
                        let mut answer =
                            answer.into_iter().map(row_actions).collect::<Result<Vec<_>, String>>()?;
                        answer.sort_by_key(|row| row.row);
                        Ok((answer, Vec::new()))
                    },
                )
            })?;
        let Answered { value: rows, rest } = asked.joined(limits.log_lines_max, joined_actions)?;
        Ok(NextActions { rows, failed: rest.failed, logs: rest.logs, stats: rest.stats })
    }

    /// Says why each row may or may not take part: at most five reasons, the strongest first.
    ///
    /// # Errors
    /// As [`Self::eligible`].
    pub fn explain(
        &self,
        campaign: &NamedRecord,
        batch: Batch,
        config: &str,
        at: &CallContext,
    ) -> Result<Vec<Vec<Reason>>> {
        let (rows, call) = self.plugin.batch_call("explain", &batch, at)?;
        let (campaign, batch, context) =
            (self.shown(campaign), convert::batch_to_guest(batch), convert::context(at));
        let done = self.plugin.ask::<wit::GuestIndices, _, _>(
            &call,
            |guest, store| guest.call_explain(store, &campaign, &batch, config, &context),
            |reasons| Ok(check::row_reasons(convert::row_reasons(reasons), rows)?),
        )?;
        Ok(done.value)
    }

    /// Says what came of the campaign so far. `members` gives every member, with the columns `variant`, `status` and `responded` besides
    /// those of the dataset. Runs the plugin on a thread of its own while this one serves the rows.
    ///
    /// # Errors
    /// What the plugin says against the configuration or the data, a fault of the plugin, a failure of `members`, or that `cancel` was set.
    pub fn evaluate(
        &self,
        campaign: &NamedRecord,
        members: &mut dyn RowStream,
        config: &str,
        at: &CallContext,
        cancel: &CancelFlag,
    ) -> Result<Evaluation> {
        let call = Call::new("evaluate", LimitClass::Training).at(at).rows(members.rows()).cancel(cancel);
        let (campaign, context) = (self.shown(campaign), convert::context(at));
        let done = self.plugin.ask_with_rows::<wit::GuestIndices, _, _>(
            &call,
            members,
            |guest, store, rows| guest.call_evaluate(store, &campaign, rows, config, &context),
            |report| Ok(check::reports::report(convert::report(report))?),
        )?;
        Ok(Evaluation { report: done.value, logs: done.logs, stats: done.stats })
    }

    fn shown(&self, campaign: &NamedRecord) -> ObjectRecord {
        convert::record_to_guest(campaign, &self.used.campaign_fields)
    }
}

fn joined_actions(parts: Vec<(usize, Option<Vec<RowActions>>)>) -> Vec<RowActions> {
    let (mut joined, mut start) = (Vec::new(), 0_u32);
    for (rows, part) in parts {
        let moved = |row: RowActions| RowActions { row: row.row.saturating_add(start), ..row };
        joined.extend(part.into_iter().flatten().map(moved));
        start = start.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX));
    }
    joined
}

fn row_actions(row: wit::RowActions) -> Result<RowActions, String> {
    let at_row = |reason: String| format!("row {}: {reason}", row.row);
    let reasons = row.reasons.into_iter().map(convert::reason).collect();
    Ok(RowActions {
        row: row.row,
        actions: convert::actions_from_guest(row.actions).map_err(at_row)?,
        reasons: check::reasons(reasons).map_err(at_row)?,
    })
}
