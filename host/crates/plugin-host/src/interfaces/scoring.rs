//! `scoring`: a plugin gives each customer one number for each score that it offers.

use trellis_model::{Batch, Reason, Text, Validity};

use super::bindings::exports::trellis::plugin::scoring as wit;
use super::bindings::trellis::plugin::columns;
use super::bindings::trellis::plugin::types::Context;
use super::row_streams::RowStream;
use crate::answers::{CallContext, Fitted, RowError};
use crate::call::Call;
use crate::health::RowKey;
use crate::join::{self, Answered, Rest};
use crate::{CallStats, CancelFlag, LimitClass, LogLine, Plugin, Result, check, convert};

/// The scoring interface of a plugin. Its functions block, and need 1 MiB of stack.
#[derive(Debug, Clone, Copy)]
pub struct Scoring<'a> {
    plugin: &'a Plugin,
}

/// A number that the plugin gives.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreDescription {
    /// Its name within the plugin, `[a-z][a-z0-9_]*`.
    pub name: String,
    /// What people call it.
    pub label: Text,
    /// What it says.
    pub description: Text,
    /// Its unit for people; empty for a pure number.
    pub unit: Text,
    /// The lowest value that it can have.
    pub minimum: Option<f64>,
    /// The highest value that it can have.
    pub maximum: Option<f64>,
    /// Its bands, ascending, at most 100.
    pub bands: Vec<Band>,
    /// Facts that later versions add.
    pub extra: Vec<(String, String)>,
}

/// A part of a score's range that has a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Its name, `[a-z0-9][a-z0-9_]*`.
    pub name: String,
    /// What people call it.
    pub label: Text,
    /// What it means and what to do about it.
    pub description: Text,
    /// Its lowest value, finite; the first band has no lower end, whatever it says here.
    pub lowest: f64,
}

/// The scores of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// One column for each score that was described, in that order.
    pub columns: Vec<ScoredColumn>,
    /// Rows that could not be scored; they are null in every column.
    pub failed: Vec<RowError>,
    /// What the plugin wrote.
    pub logs: Vec<LogLine>,
    /// What it used.
    pub stats: CallStats,
}

/// One score of the rows of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredColumn {
    /// The score's name within the plugin.
    pub name: String,
    /// Which rows have a value.
    pub valid: Validity,
    /// One a row: finite and within the score's range, 0 where there is no value.
    pub values: Vec<f64>,
}

impl<'a> Scoring<'a> {
    pub(crate) fn of(plugin: &'a Plugin) -> Self {
        Self { plugin }
    }

    /// Names the scores under a configuration.
    ///
    /// # Errors
    /// What the plugin says against the configuration, or a fault of the plugin.
    pub fn describe(&self, config: &str) -> Result<Vec<ScoreDescription>> {
        let call = Call::new("describe", LimitClass::Call);
        let done = self.plugin.ask::<wit::GuestIndices, _, _>(
            &call,
            |guest, store| guest.call_describe(store, config),
            |descriptions| {
                let descriptions: Vec<_> = descriptions.into_iter().map(description).collect();
                check::scoring::descriptions(&descriptions)?;
                Ok(descriptions)
            },
        )?;
        Ok(done.value)
    }

    /// Learns a model from `rows`. Runs the plugin on a thread of its own while this one serves the rows.
    ///
    /// # Errors
    /// What the plugin says against the configuration or the data, a fault of the plugin, a failure of `rows`, or that `cancel` was set.
    pub fn fit(
        &self,
        rows: &mut dyn RowStream,
        config: &str,
        at: &CallContext,
        cancel: &CancelFlag,
    ) -> Result<Fitted> {
        let call = Call::new("fit", LimitClass::Training).at(at).rows(rows.rows()).cancel(cancel);
        let (bytes_max, context) = (self.plugin.limits(call.class).output_bytes_max, convert::context(at));
        let done = self.plugin.ask_with_rows::<wit::GuestIndices, _, _>(
            &call,
            rows,
            |guest, store, rows| guest.call_fit(store, rows, config, &context),
            |model| check::model(convert::model(model), bytes_max),
        )?;
        Ok(Fitted { model: done.value, logs: done.logs, stats: done.stats })
    }

    /// Scores every row of a batch with the bytes of a model. `described` is what [`Self::describe`] returned under the configuration of
    /// that model; the result is checked against it.
    ///
    /// # Errors
    /// What the plugin says against the model, a fault of the plugin, or that the batch is over the limits.
    pub fn score(
        &self,
        described: &[ScoreDescription],
        model: &[u8],
        batch: Batch,
        at: &CallContext,
    ) -> Result<Scored> {
        let (rows, call) = self.plugin.batch_call("score", &batch, at)?;
        let (batch, context) = (convert::batch_to_guest(batch), convert::context(at));
        let asked = self.plugin.by_parts::<wit::GuestIndices, _>(
            &call,
            rows as usize,
            |row| batch.ordinals.get(row).copied().map(RowKey::Ordinal),
            |call, range| self.score_rows(call, described, model, &convert::rows_of(&batch, range), &context),
        )?;
        let names: Vec<_> = described.iter().map(|description| description.name.as_str()).collect();
        let Answered { value: columns, rest } =
            asked.joined(self.plugin.log_lines_max(), |parts| join::scored(&names, parts))?;
        Ok(Scored { columns, failed: rest.failed, logs: rest.logs, stats: rest.stats })
    }

    fn score_rows(
        &self,
        call: &Call<'_>,
        described: &[ScoreDescription],
        model: &[u8],
        batch: &columns::Batch,
        context: &Context,
    ) -> Result<Answered<Vec<ScoredColumn>>> {
        let rows = batch.rows;
        let done = self.plugin.ask::<wit::GuestIndices, _, _>(
            call,
            |guest, store| guest.call_score(store, model, batch, context),
            |scores| {
                let failed = check::row_errors(convert::row_errors(scores.failed), rows)?;
                let columns = scores.columns.into_iter().map(column).collect();
                Ok((check::scoring::columns(columns, described, &failed, rows)?, failed))
            },
        )?;
        let (value, failed) = done.value;
        Ok(Answered { value, rest: Rest { failed, logs: done.logs, stats: done.stats } })
    }

    /// Says why, for each row at most five reasons, the strongest first.
    ///
    /// # Errors
    /// As [`Self::score`].
    pub fn explain(&self, model: &[u8], batch: Batch, at: &CallContext) -> Result<Vec<Vec<Reason>>> {
        let (rows, call) = self.plugin.batch_call("explain", &batch, at)?;
        let (batch, context) = (convert::batch_to_guest(batch), convert::context(at));
        let done = self.plugin.ask::<wit::GuestIndices, _, _>(
            &call,
            |guest, store| guest.call_explain(store, model, &batch, &context),
            |reasons| Ok(check::row_reasons(convert::row_reasons(reasons), rows)?),
        )?;
        Ok(done.value)
    }

    /// Says in words what a model does: Markdown, at most 64 KiB in each language.
    ///
    /// # Errors
    /// What the plugin says against the model, or a fault of the plugin.
    pub fn rules(&self, model: &[u8]) -> Result<Text> {
        let call = Call::new("rules", self.plugin.manifest().limit_class);
        let done = self.plugin.ask::<wit::GuestIndices, _, _>(
            &call,
            |guest, store| guest.call_rules(store, model),
            |rules| Ok(check::scoring::rules(convert::text(rules))?),
        )?;
        Ok(done.value)
    }
}

fn description(description: wit::ScoreDescription) -> ScoreDescription {
    let minimum = description.minimum;
    let band = |(place, band): (usize, wit::Band)| Band {
        name: band.name,
        label: convert::text(band.label),
        description: convert::text(band.description),
        // What the first one says means nothing, so it may say anything.
        lowest: match band.lowest {
            lowest if place == 0 && !lowest.is_finite() => minimum.unwrap_or(f64::MIN),
            lowest => lowest,
        },
    };
    ScoreDescription {
        name: description.name,
        label: convert::text(description.label),
        description: convert::text(description.description),
        unit: convert::unit(&description.unit),
        minimum: description.minimum,
        maximum: description.maximum,
        bands: description.bands.into_iter().enumerate().map(band).collect(),
        extra: description.extra,
    }
}

fn column(column: wit::ScoreColumn) -> ScoredColumn {
    ScoredColumn { name: column.name, valid: Validity(column.valid), values: column.values }
}
