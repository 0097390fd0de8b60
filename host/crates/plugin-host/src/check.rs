//! Checks what guests return before anybody uses it. A check fails with words that the plugin's author understands.

use std::collections::HashSet;

use trellis_model::{Column, ColumnData, TextColumn, Validity};

use crate::interfaces::segmentation::{
    AssignedColumn, Metric, Reason, RowError, SegmentValue, SegmentationDescription,
};

/// Values of one segmentation.
const VALUES_MAX: usize = 1_000;
/// Segmentations of one plugin.
const SEGMENTATIONS_MAX: usize = 100;
/// Characters of the name of a segmentation or a value.
const NAME_CHARACTERS_MAX: usize = 40;
/// Reasons of one row.
const REASONS_MAX: usize = 5;

type Check<T = ()> = Result<T, String>;

/// Checks names and counts of what `describe` returned.
pub(crate) fn descriptions(descriptions: &[SegmentationDescription]) -> Check {
    if descriptions.len() > SEGMENTATIONS_MAX {
        return Err(format!("{} segmentations, at most {SEGMENTATIONS_MAX}", descriptions.len()));
    }
    unique("segmentation", descriptions.iter().map(|description| description.name.as_str()))?;
    for description in descriptions {
        let name = &description.name;
        if !is_name(name, false) {
            return Err(format!(
                "segmentation `{name}` is not of the form [a-z][a-z0-9_]*, at most 40 characters"
            ));
        }
        if description.values.len() > VALUES_MAX {
            return Err(format!(
                "segmentation `{name}` has {} values, at most {VALUES_MAX}",
                description.values.len()
            ));
        }
        values(&description.values).map_err(|reason| format!("segmentation `{name}`: {reason}"))?;
    }
    Ok(())
}

fn values(values: &[SegmentValue]) -> Check {
    unique("value", values.iter().map(|value| value.name.as_str()))?;
    match values.iter().find(|value| !is_name(&value.name, true)) {
        Some(value) => Err(format!(
            "value `{}` is not of the form [a-z0-9][a-z0-9_]*, at most 40 characters",
            value.name
        )),
        None => Ok(()),
    }
}

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

/// Checks the columns of `assign` against what `describe` said, and makes the rows null that the plugin could not assign.
pub(crate) fn assigned_columns(
    columns: Vec<Column>,
    described: &[SegmentationDescription],
    failed: &[RowError],
    rows: u32,
) -> Check<Vec<AssignedColumn>> {
    if columns.len() != described.len() {
        return Err(format!("{} columns for {} segmentations", columns.len(), described.len()));
    }
    let check = |(column, description): (Column, &SegmentationDescription)| {
        if column.name != description.name {
            return Err(format!("column `{}` where `{}` was described", column.name, description.name));
        }
        let name = column.name.clone();
        let mut column = assigned_column(column, description, rows as usize)
            .map_err(|reason| format!("column `{name}`: {reason}"))?;
        for error in failed {
            clear(&mut column.valid, error.row as usize, rows as usize);
        }
        Ok(column)
    };
    columns.into_iter().zip(described).map(check).collect()
}

fn assigned_column(
    column: Column,
    description: &SegmentationDescription,
    rows: usize,
) -> Check<AssignedColumn> {
    let ColumnData::Dictionary { codes, values } = column.data else {
        return Err("it is no dictionary column".to_owned());
    };
    if codes.len() != rows {
        return Err(format!("{} codes for {rows} rows", codes.len()));
    }
    if !column.valid.fits(rows) {
        return Err(format!("{} validity bytes for {rows} rows", column.valid.0.len()));
    }
    texts(&values)?;
    let described: HashSet<&str> = description.values.iter().map(|value| value.name.as_str()).collect();
    let unknown =
        (0..values.len()).filter_map(|index| values.get(index)).find(|value| !described.contains(value));
    if let Some(value) = unknown {
        return Err(format!("value `{value}` was not described"));
    }
    codes_within(&codes, &column.valid, values.len())?;
    Ok(AssignedColumn { name: column.name, codes, valid: column.valid, values })
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

/// Checks that every failed row is one of the batch.
pub(crate) fn row_errors(failed: &[RowError], rows: u32) -> Check {
    match failed.iter().find(|error| error.row >= rows) {
        Some(error) => Err(format!("failed row {} of {rows} rows", error.row)),
        None => Ok(()),
    }
}

/// Checks that there are at most five reasons for each row, with finite weights.
pub(crate) fn reasons(reasons: &[Vec<Reason>], rows: u32) -> Check {
    if reasons.len() != rows as usize {
        return Err(format!("reasons for {} of {rows} rows", reasons.len()));
    }
    for (row, reasons) in reasons.iter().enumerate() {
        if reasons.len() > REASONS_MAX {
            return Err(format!("{} reasons for row {row}, at most {REASONS_MAX}", reasons.len()));
        }
        if let Some(reason) = reasons.iter().find(|reason| !reason.weight.is_finite()) {
            return Err(format!("reason `{}` of row {row} weighs {}", reason.code, reason.weight));
        }
    }
    Ok(())
}

/// Checks the size of a model and that its figures are finite.
pub(crate) fn model(bytes: &[u8], metrics: &[Metric], bytes_max: u64) -> Check {
    if bytes.len() as u64 > bytes_max {
        return Err(format!("a model of {} bytes, at most {bytes_max}", bytes.len()));
    }
    match metrics.iter().find(|metric| !metric.value.is_finite()) {
        Some(metric) => Err(format!("metric `{}` is {}", metric.name, metric.value)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
