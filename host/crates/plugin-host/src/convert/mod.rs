//! Moves data between the model's types and those that cross to guests.

mod actions;
mod columns;
mod reports;
mod values;

use trellis_model::{Reason, Text};

use crate::answers::{CallContext, Metric, Model, RowError};
use crate::check::CODE_CHARACTERS_MAX;
use crate::error::PluginError;
use crate::interfaces::bindings::trellis::plugin::{row_streams, types};
use crate::interfaces::row_streams::ColumnDescription;
use crate::plain;

pub(crate) use actions::actions_from_guest;
pub(crate) use columns::{batch_to_guest, column_from_guest, rows_of};
pub(crate) use reports::report;
pub(crate) use values::{fields_from_guest, fields_to_guest, record_to_guest};

pub(crate) fn context(at: &CallContext) -> types::Context {
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

pub(crate) fn text(text: types::LocalizedText) -> Text {
    Text::new(plain::lines(text.en), plain::lines(text.zh_cn))
}

/// A unit, on one line; its length is still to be checked.
pub(crate) fn unit(unit: &types::LocalizedText) -> Text {
    Text::new(plain::line(&unit.en, usize::MAX), plain::line(&unit.zh_cn, usize::MAX))
}

/// A text of the host for a guest.
fn localized(text: Text) -> types::LocalizedText {
    types::LocalizedText { en: text.en, zh_cn: text.zh_cn }
}

pub(crate) fn column_description(column: ColumnDescription) -> row_streams::ColumnDescription {
    row_streams::ColumnDescription {
        name: column.name,
        label: localized(column.label),
        unit: localized(column.unit),
        options: column.options.into_iter().map(|(value, label)| (value, localized(label))).collect(),
        extra: Vec::new(),
    }
}

/// Why something failed, in both languages, each on one line.
fn explanation(text: &types::LocalizedText) -> Box<Text> {
    Box::new(Text::new(plain::reason(&text.en), plain::reason(&text.zh_cn)))
}

pub(crate) fn reason(reason: types::Reason) -> Reason {
    Reason { code: reason.code, text: text(reason.text), weight: reason.weight }
}

pub(crate) fn row_reasons(rows: Vec<Vec<types::Reason>>) -> Vec<Vec<Reason>> {
    rows.into_iter().map(|row| row.into_iter().map(reason).collect()).collect()
}

pub(crate) fn row_errors(errors: Vec<types::RowError>) -> Vec<RowError> {
    let error = |error: types::RowError| RowError {
        row: error.row,
        code: error.code,
        message: *explanation(&error.message),
    };
    errors.into_iter().map(error).collect()
}

pub(crate) fn model(model: types::Model) -> Model {
    Model { bytes: model.bytes, summary: text(model.summary), metrics: metrics(model.metrics) }
}

pub(crate) fn metrics(metrics: Vec<types::Metric>) -> Vec<Metric> {
    let metric = |metric: types::Metric| Metric {
        name: metric.name,
        label: text(metric.label),
        unit: unit(&metric.unit),
        value: unsigned_zero(metric.value),
    };
    metrics.into_iter().map(metric).collect()
}

/// A sum of nothing is −0 in many languages; people read that as a mistake.
pub(crate) fn unsigned_zero(number: f64) -> f64 {
    if number == 0.0 { 0.0 } else { number }
}

pub(crate) fn plugin_error(error: types::PluginError) -> PluginError {
    match error {
        types::PluginError::InvalidConfig(text) => PluginError::InvalidConfig(explanation(&text)),
        types::PluginError::InvalidParameters(text) => PluginError::InvalidParameters(explanation(&text)),
        types::PluginError::UnsuitableData(text) => PluginError::UnsuitableData(explanation(&text)),
        types::PluginError::UnreadableModel(text) => PluginError::UnreadableModel(explanation(&text)),
        types::PluginError::Denied(text) => PluginError::Denied(explanation(&text)),
        types::PluginError::Transient(text) => PluginError::Transient(explanation(&text)),
        types::PluginError::Other((code, text)) => {
            PluginError::Other { code: plain::line(&code, CODE_CHARACTERS_MAX), text: explanation(&text) }
        }
    }
}
