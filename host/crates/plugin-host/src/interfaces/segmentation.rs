//! `segmentation`: a plugin puts each customer into at most one value of each segmentation that it offers.

use trellis_model::{Batch, Column, Reason, Text, TextColumn, Validity};

use super::bindings::exports::trellis::plugin::segmentation as wit;
use super::bindings::trellis::plugin::columns;
use super::bindings::trellis::plugin::types::Context;
use super::row_streams::RowStream;
use crate::answers::{CallContext, Fitted, RowError};
use crate::call::Call;
use crate::health::RowKey;
use crate::join::{self, Answered, Rest};
use crate::{CallStats, CancelFlag, LimitClass, LogLine, Plugin, Result, check, convert};

/// The segmentation interface of a plugin. Its functions block, and need 1 MiB of stack.
#[derive(Debug, Clone, Copy)]
pub struct Segmentation<'a> {
    plugin: &'a Plugin,
}

/// One way to divide the customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentationDescription {
    /// Its name within the plugin, `[a-z][a-z0-9_]*`.
    pub name: String,
    /// What people call it.
    pub label: Text,
    /// What it is for.
    pub description: Text,
    /// Its values in the order in which they are shown, at most 1,000.
    pub values: Vec<SegmentValue>,
    /// Facts that later versions add.
    pub extra: Vec<(String, String)>,
}

/// A value that a customer can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentValue {
    /// Its name, `[a-z0-9][a-z0-9_]*`.
    pub name: String,
    /// What people call it.
    pub label: Text,
    /// What it means and what to do about it.
    pub description: Text,
}

/// The values of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Assigned {
    /// One column for each segmentation that was described, in that order.
    pub columns: Vec<AssignedColumn>,
    /// Rows that could not be assigned; they are null in every column. Those on which the plugin fails have the code `poison`.
    pub failed: Vec<RowError>,
    /// What the plugin wrote.
    pub logs: Vec<LogLine>,
    /// What it used.
    pub stats: CallStats,
}

/// The values of a batch in one segmentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignedColumn {
    /// The segmentation's name within the plugin.
    pub name: String,
    /// For each row an index into `values`; within it wherever `valid` says that there is a value.
    pub codes: Vec<u32>,
    /// Which rows have a value.
    pub valid: Validity,
    /// Names of values, each one that was described.
    pub values: TextColumn,
}

impl<'a> Segmentation<'a> {
    pub(crate) fn of(plugin: &'a Plugin) -> Self {
        Self { plugin }
    }

    /// Names the segmentations under a configuration.
    ///
    /// # Errors
    /// What the plugin says against the configuration, or a fault of the plugin.
    pub fn describe(&self, config: &str) -> Result<Vec<SegmentationDescription>> {
        let call = Call::new("describe", LimitClass::Call);
        let done = self.plugin.ask::<wit::GuestIndices, _, _>(
            &call,
            |guest, store| guest.call_describe(store, config),
            |descriptions| {
                let descriptions: Vec<_> = descriptions.into_iter().map(description).collect();
                check::segmentation::descriptions(&descriptions)?;
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

    /// Assigns every row of a batch with the bytes of a model. `described` is what [`Self::describe`] returned under the configuration
    /// of that model; the result is checked against it.
    ///
    /// # Errors
    /// What the plugin says against the model, a fault of the plugin, or that the batch is over the limits.
    pub fn assign(
        &self,
        described: &[SegmentationDescription],
        model: &[u8],
        batch: Batch,
        at: &CallContext,
    ) -> Result<Assigned> {
        let (rows, call) = self.plugin.batch_call("assign", &batch, at)?;
        let (batch, context) = (convert::batch_to_guest(batch), convert::context(at));
        let asked = self.plugin.by_parts::<wit::GuestIndices, _>(
            &call,
            rows as usize,
            |row| batch.ordinals.get(row).copied().map(RowKey::Ordinal),
            |call, range| {
                self.assign_rows(call, described, model, &convert::rows_of(&batch, range), &context)
            },
        )?;
        let names: Vec<_> = described.iter().map(|description| description.name.as_str()).collect();
        let Answered { value: columns, rest } =
            asked.joined(self.plugin.log_lines_max(), |parts| join::assigned(&names, parts))?;
        Ok(Assigned { columns, failed: rest.failed, logs: rest.logs, stats: rest.stats })
    }

    fn assign_rows(
        &self,
        call: &Call<'_>,
        described: &[SegmentationDescription],
        model: &[u8],
        batch: &columns::Batch,
        context: &Context,
    ) -> Result<Answered<Vec<AssignedColumn>>> {
        let rows = batch.rows;
        let done = self.plugin.ask::<wit::GuestIndices, _, _>(
            call,
            |guest, store| guest.call_assign(store, model, batch, context),
            |assignments| {
                let failed = check::row_errors(convert::row_errors(assignments.failed), rows)?;
                let columns: Vec<Column> =
                    assignments.columns.into_iter().map(convert::column_from_guest).collect();
                Ok((check::segmentation::columns(columns, described, &failed, rows)?, failed))
            },
        )?;
        let (value, failed) = done.value;
        Ok(Answered { value, rest: Rest { failed, logs: done.logs, stats: done.stats } })
    }

    /// Says why, for each row at most five reasons, the strongest first.
    ///
    /// # Errors
    /// As [`Self::assign`].
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

    /// Makes a store and an instance and drops them: what every call costs before the plugin does anything. For measurements.
    #[doc(hidden)]
    pub fn instantiate_only(&self) -> Result<()> {
        self.plugin.instantiate_only()
    }
}

fn description(description: wit::SegmentationDescription) -> SegmentationDescription {
    let value = |value: wit::SegmentValue| SegmentValue {
        name: value.name,
        label: convert::text(value.label),
        description: convert::text(value.description),
    };
    SegmentationDescription {
        name: description.name,
        label: convert::text(description.label),
        description: convert::text(description.description),
        values: description.values.into_iter().map(value).collect(),
        extra: description.extra,
    }
}
