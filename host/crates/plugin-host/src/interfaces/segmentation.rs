//! `segmentation`: a plugin puts each customer into at most one value of each segmentation that it offers.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use trellis_model::{Batch, Column, Text, TextColumn, Validity};
use wasmtime::Store;
use wasmtime::component::{Instance, Resource};

use super::bindings::exports::trellis::plugin::segmentation::{self as wit, Guest};
use super::bindings::trellis::plugin::types;
use super::row_streams::{self, RowStream, check_size};
use crate::call::CallState;
use crate::plugin::{Call, Prepared, Rejection, panic_message};
use crate::{CallStats, CancelFlag, LimitClass, LogLine, Plugin, Result, check, convert};

/// The segmentation interface of a plugin. Its functions block, and need 1 MiB of stack.
#[derive(Debug, Clone, Copy)]
pub struct Segmentation<'a> {
    plugin: &'a Plugin,
}

/// What holds for the whole of a call; the same in every call of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallContext {
    /// The run or request that the call belongs to.
    pub run_id: String,
    /// The day up to which data exists, inclusive, in days since 1970-01-01.
    pub as_of_days: i32,
    /// The logical time in milliseconds since 1970-01-01T00:00:00Z.
    pub now_ms: i64,
    /// The organisation's IANA time zone.
    pub time_zone: String,
    /// The organisation's ISO 4217 base currency.
    pub base_currency: String,
    /// The seed of the run.
    pub seed: u64,
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

/// What a plugin learned, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// What it learned.
    pub model: Model,
    /// What it wrote.
    pub logs: Vec<LogLine>,
    /// What it used.
    pub stats: CallStats,
}

/// What a plugin learned from a whole population.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The plugin's own format.
    pub bytes: Vec<u8>,
    /// What was learned, for people.
    pub summary: Text,
    /// Figures about it.
    pub metrics: Vec<Metric>,
}

/// A figure about a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// What it is, with its unit.
    pub label: Text,
    /// Finite.
    pub value: f64,
}

/// The values of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Assigned {
    /// One column for each segmentation that was described, in that order.
    pub columns: Vec<AssignedColumn>,
    /// Rows that could not be assigned; they are null in every column.
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

/// A row that could not be handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Which row of the batch, from 0.
    pub row: u32,
    /// A stable code.
    pub code: String,
    /// What is wrong with it.
    pub message: Text,
}

/// One reason behind a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// A stable code.
    pub code: String,
    /// The sentence.
    pub text: Text,
    /// How much it weighed. Finite.
    pub weight: f64,
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
        let no_cancel = CancelFlag::default();
        let call = self.call("describe", LimitClass::Call, 0, &no_cancel);
        let done = self.plugin.run(&call, None, |store, instance, prepared| {
            let answer = guest(store, instance, prepared)?.call_describe(store, config)?;
            Ok(answered(answer).and_then(|descriptions| {
                let descriptions: Vec<_> = descriptions.into_iter().map(description).collect();
                check::descriptions(&descriptions)?;
                Ok(descriptions)
            }))
        })?;
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
        let call = self.call("fit", LimitClass::Training, rows.rows(), cancel);
        let limits = *self.plugin.limits(LimitClass::Training);
        let (client, server) = row_streams::connect(rows, &limits, cancel);
        let body = |store: &mut Store<CallState>, instance: &Instance, prepared: &Prepared| {
            let (rows, at) = (Resource::new_own(0), context(at));
            let answer = guest(store, instance, prepared)?.call_fit(store, rows, config, &at)?;
            Ok(answered(answer).and_then(|fitted| {
                let fitted = model(fitted);
                check::model(&fitted.bytes, &fitted.metrics, limits.output_bytes_max)?;
                Ok(fitted)
            }))
        };
        let done = std::thread::scope(|scope| {
            let guest = std::thread::Builder::new()
                .name("plugin-fit".to_owned())
                .spawn_scoped(scope, || self.plugin.run(&call, Some(client), body))
                .map_err(|error| self.plugin.host_failure(format!("cannot start a thread: {error}")))?;
            // A panic of `rows` ends the stream, and with it the guest.
            let served = catch_unwind(AssertUnwindSafe(|| server.serve()));
            let done = guest.join();
            let failure = |panic: &(dyn Any + Send)| self.plugin.host_failure(panic_message(panic));
            served.map_err(|panic| failure(&*panic))?;
            done.map_err(|panic| failure(&*panic))?
        })?;
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
        let (rows, class, no_cancel) =
            (batch.rows, self.plugin.manifest().limit_class, CancelFlag::default());
        check_size(&batch, self.plugin.limits(class)).map_err(|stop| self.plugin.stopped_by_host(stop))?;
        let (batch, at) = (convert::batch_to_guest(batch), context(at));
        let call = self.call("assign", class, rows.into(), &no_cancel);
        let done = self.plugin.run(&call, None, |store, instance, prepared| {
            let answer = guest(store, instance, prepared)?.call_assign(store, model, &batch, &at)?;
            Ok(answered(answer).and_then(|assignments| {
                let failed: Vec<_> = assignments.failed.into_iter().map(row_error).collect();
                check::row_errors(&failed, rows)?;
                let columns: Vec<Column> =
                    assignments.columns.into_iter().map(convert::column_from_guest).collect();
                Ok((check::assigned_columns(columns, described, &failed, rows)?, failed))
            }))
        })?;
        let (columns, failed) = done.value;
        Ok(Assigned { columns, failed, logs: done.logs, stats: done.stats })
    }

    /// Says why, for each row at most five reasons, the strongest first.
    ///
    /// # Errors
    /// As [`Self::assign`].
    pub fn explain(&self, model: &[u8], batch: Batch, at: &CallContext) -> Result<Vec<Vec<Reason>>> {
        let (rows, class, no_cancel) =
            (batch.rows, self.plugin.manifest().limit_class, CancelFlag::default());
        check_size(&batch, self.plugin.limits(class)).map_err(|stop| self.plugin.stopped_by_host(stop))?;
        let (batch, at) = (convert::batch_to_guest(batch), context(at));
        let call = self.call("explain", class, rows.into(), &no_cancel);
        let done = self.plugin.run(&call, None, |store, instance, prepared| {
            let answer = guest(store, instance, prepared)?.call_explain(store, model, &batch, &at)?;
            Ok(answered(answer).and_then(|reasons| {
                let reasons: Vec<Vec<_>> =
                    reasons.into_iter().map(|row| row.into_iter().map(reason).collect()).collect();
                check::reasons(&reasons, rows)?;
                Ok(reasons)
            }))
        })?;
        Ok(done.value)
    }

    /// Makes a store and an instance and drops them: what every call costs before the plugin does anything. For measurements.
    #[doc(hidden)]
    pub fn instantiate_only(&self) -> Result<()> {
        let no_cancel = CancelFlag::default();
        let call = self.call("describe", LimitClass::Call, 0, &no_cancel);
        self.plugin.run(&call, None, |_, _, _| Ok(Ok(()))).map(|done| done.value)
    }

    fn call<'c>(
        &self,
        function: &'static str,
        class: LimitClass,
        rows: u64,
        cancel: &'c CancelFlag,
    ) -> Call<'c> {
        Call { interface: "segmentation", function, class, rows, cancel }
    }
}

/// Finds the interface's functions in a new instance.
fn guest(store: &mut Store<CallState>, instance: &Instance, prepared: &Prepared) -> wasmtime::Result<Guest> {
    prepared.segmentation()?.load(store, instance)
}

/// A plugin's own error becomes a rejection of the call.
fn answered<T>(answer: Result<T, types::PluginError>) -> Result<T, Rejection> {
    answer.map_err(|error| Rejection::Plugin(convert::plugin_error(error)))
}

fn context(at: &CallContext) -> types::Context {
    types::Context {
        run_id: at.run_id.clone(),
        as_of: at.as_of_days,
        now_ms: at.now_ms,
        time_zone: at.time_zone.clone(),
        base_currency: at.base_currency.clone(),
        seed: at.seed,
        extra: Vec::new(),
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

fn model(model: types::Model) -> Model {
    let metric = |metric: types::Metric| Metric {
        name: metric.name,
        label: convert::text(metric.label),
        value: metric.value,
    };
    Model {
        bytes: model.bytes,
        summary: convert::text(model.summary),
        metrics: model.metrics.into_iter().map(metric).collect(),
    }
}

fn row_error(error: types::RowError) -> RowError {
    RowError { row: error.row, code: error.code, message: convert::text(error.message) }
}

fn reason(reason: types::Reason) -> Reason {
    Reason { code: reason.code, text: convert::text(reason.text), weight: reason.weight }
}
