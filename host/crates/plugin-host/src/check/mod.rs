//! Checks what guests return before anybody uses it. A check fails with words that the plugin's author understands.

pub(crate) mod analysis;
pub(crate) mod campaign_rules;
pub(crate) mod reports;
pub(crate) mod scoring;
pub(crate) mod segmentation;
pub(crate) mod service_workflow;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use trellis_model::{Column, ColumnData, FieldName, Reason, Text, TextColumn, Validity, Value};

use crate::run::Rejection;
use crate::{ClassLimits, FaultKind, Metric, Model, RowError};

/// Characters of the name of an output, a value or a suggestion.
const NAME_CHARACTERS_MAX: usize = 40;
/// Characters of a code, a timer's name or a kind of action.
pub(crate) const CODE_CHARACTERS_MAX: usize = 60;
/// Reasons of one row or decision.
const REASONS_MAX: usize = 5;
/// Figures about one model or campaign.
const METRICS_MAX: usize = 100;
/// Characters of a unit in one language.
const UNIT_CHARACTERS_MAX: usize = 40;

type Check<T = ()> = Result<T, String>;

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Check {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{what} `{name}` is there twice"));
        }
    }
    Ok(())
}

fn is_name(name: &str, digit_first: bool) -> bool {
    let mut characters = name.chars();
    name.len() <= NAME_CHARACTERS_MAX
        && characters.next().is_some_and(|c| c.is_ascii_lowercase() || (digit_first && c.is_ascii_digit()))
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The parts of a dictionary column whose lengths and texts are right; its codes are still to be checked.
fn dictionary(column: Column, rows: usize) -> Check<(String, Vec<u32>, Validity, TextColumn)> {
    let ColumnData::Dictionary { codes, values } = column.data else {
        return Err("it is no dictionary column".to_owned());
    };
    if codes.len() != rows {
        return Err(format!("{} codes for {rows} rows", codes.len()));
    }
    validity(&column.valid, rows)?;
    texts(&values)?;
    Ok((column.name, codes, column.valid, values))
}

fn validity(valid: &Validity, rows: usize) -> Check {
    if valid.fits(rows) {
        return Ok(());
    }
    Err(format!("{} validity bytes for {rows} rows", valid.0.len()))
}

/// The common case, in which even the codes of null rows are in range, is one pass that the compiler vectorises.
fn codes_within(codes: &[u32], valid: &Validity, values: usize) -> Check {
    let within = |code: u32| (code as usize) < values;
    if codes.iter().copied().max().is_none_or(within) {
        return Ok(());
    }
    match codes.iter().enumerate().find(|&(row, &code)| !within(code) && valid.get(row)) {
        Some((row, code)) => Err(format!("code {code} in row {row}, but there are {values} values")),
        None => Ok(()),
    }
}

/// Offsets that rise from 0 to the end of the bytes, each text UTF-8 by itself.
fn texts(column: &TextColumn) -> Check {
    let (first, last) = (column.offsets.first().copied(), column.offsets.last().copied());
    if first != Some(0) || last.map(|last| last as usize) != Some(column.bytes.len()) {
        return Err("text offsets do not span the bytes".to_owned());
    }
    if !column.offsets.is_sorted() {
        return Err("text offsets do not rise".to_owned());
    }
    match (0..column.len()).find(|&index| column.get(index).is_none()) {
        Some(index) => Err(format!("text {index} is not UTF-8")),
        None => Ok(()),
    }
}

fn clear(valid: &mut Validity, row: usize, rows: usize) {
    if valid.0.is_empty() {
        *valid = Validity(vec![u8::MAX; rows.div_ceil(8)]);
    }
    if let Some(byte) = valid.0.get_mut(row / 8) {
        *byte &= !(1 << (row % 8));
    }
}

/// Checks that every failed row is one of the batch and says why in a code. What is said of a row first counts, so that there is never
/// more to keep than the batch had rows.
pub(crate) fn row_errors(mut failed: Vec<RowError>, rows: u32) -> Check<Vec<RowError>> {
    let mut seen = HashSet::new();
    failed.retain(|error| seen.insert(error.row));
    for error in &failed {
        if error.row >= rows {
            return Err(format!("failed row {} of {rows} rows", error.row));
        }
        code("code", &error.code).map_err(|reason| format!("failed row {}: {reason}", error.row))?;
    }
    Ok(failed)
}

/// Checks that there are at most five reasons for each row, with finite weights.
pub(crate) fn row_reasons(reasons: Vec<Vec<Reason>>, rows: u32) -> Check<Vec<Vec<Reason>>> {
    if reasons.len() != rows as usize {
        return Err(format!("reasons for {} of {rows} rows", reasons.len()));
    }
    let check = |(row, reasons): (usize, Vec<Reason>)| {
        self::reasons(reasons).map_err(|reason| format!("row {row}: {reason}"))
    };
    reasons.into_iter().enumerate().map(check).collect()
}

/// Checks that there are at most five reasons, with codes and finite weights.
pub(crate) fn reasons(reasons: Vec<Reason>) -> Check<Vec<Reason>> {
    if reasons.len() > REASONS_MAX {
        return Err(format!("{} reasons, at most {REASONS_MAX}", reasons.len()));
    }
    reasons.iter().try_for_each(|reason| code("reason", &reason.code))?;
    match reasons.iter().find(|reason| !reason.weight.is_finite()) {
        Some(reason) => Err(format!("reason `{}` weighs {}", reason.code, reason.weight)),
        None => Ok(reasons),
    }
}

/// Checks the size of a model and that its figures are finite.
pub(crate) fn model(model: Model, bytes_max: u64) -> Result<Model, Rejection> {
    if model.bytes.len() as u64 > bytes_max {
        return Err(format!("a model of {} bytes, at most {bytes_max}", model.bytes.len()).into());
    }
    metrics(&model.metrics)?;
    Ok(model)
}

/// Checks that figures have names, each one of its own, and are finite.
pub(crate) fn metrics(metrics: &[Metric]) -> Check {
    if metrics.len() > METRICS_MAX {
        return Err(format!("{} metrics, at most {METRICS_MAX}", metrics.len()));
    }
    unique("metric", metrics.iter().map(|metric| metric.name.as_str()))?;
    if let Some(Metric { name, .. }) = metrics.iter().find(|metric| !is_name(&metric.name, false)) {
        return Err(format!("metric `{name}` is not of the form [a-z][a-z0-9_]*, at most 40 characters"));
    }
    for metric in metrics {
        unit(&metric.unit).map_err(|reason| format!("metric `{}`: {reason}", metric.name))?;
    }
    match metrics.iter().find(|metric| !metric.value.is_finite()) {
        Some(metric) => Err(format!("metric `{}` is {}", metric.name, metric.value)),
        None => Ok(()),
    }
}

/// Checks that a unit is a word and not a text.
fn unit(unit: &Text) -> Check {
    let characters = unit.en.chars().count().max(unit.zh_cn.chars().count());
    if characters > UNIT_CHARACTERS_MAX {
        return Err(format!("its unit has {characters} characters, at most {UNIT_CHARACTERS_MAX}"));
    }
    Ok(())
}

/// Checks that a call wants no more done than one call may.
pub(crate) fn actions_of_call(actions: usize, limits: &ClassLimits) -> Result<(), Rejection> {
    let actions_max = limits.actions_per_call_max;
    if actions as u64 > u64::from(actions_max) {
        let limit = "actions_per_call_max";
        return Err(Rejection::Fault(FaultKind::TooManyActions { actions, row: None, actions_max, limit }));
    }
    Ok(())
}

/// Checks the parts of a refusal or requirement.
pub(crate) fn refusal(
    code: String,
    field: Option<String>,
    message: Text,
) -> Check<(String, Option<FieldName>, Text)> {
    self::code("code", &code)?;
    let field = field.map(|field| FieldName::new(&field)).transpose().map_err(|error| error.to_string())?;
    if message.en.is_empty() {
        return Err(format!("`{code}` has no message"));
    }
    Ok((code, field, message))
}

/// Checks that a patch changes something, and nothing that its plugin does not see.
pub(crate) fn patch(patch: &BTreeMap<FieldName, Option<Value>>, fields: &BTreeSet<FieldName>) -> Check {
    if patch.is_empty() {
        return Err("a patch without fields".to_owned());
    }
    match patch.keys().find(|field| !fields.contains(*field)) {
        Some(field) => {
            Err(format!("it patches `{field}`, which its `[[record-hook]]` in plugin.toml does not name"))
        }
        None => Ok(()),
    }
}

/// Checks a code, a timer's name or a kind of action.
pub(crate) fn code(what: &str, code: &str) -> Check {
    let mut characters = code.chars();
    let valid = code.len() <= CODE_CHARACTERS_MAX
        && characters.next().is_some_and(|c| c.is_ascii_lowercase())
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if valid {
        Ok(())
    } else {
        let code: String = code.chars().take(CODE_CHARACTERS_MAX).collect();
        Err(format!(
            "{what} `{code}` is not of the form [a-z][a-z0-9-]*, at most {CODE_CHARACTERS_MAX} characters"
        ))
    }
}

pub(crate) fn not_empty(what: &str, text: &str) -> Check {
    if text.is_empty() { Err(format!("`{what}` is empty")) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
