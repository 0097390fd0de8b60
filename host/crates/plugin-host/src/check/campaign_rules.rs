//! Checks what `campaign-rules` returns.

use std::collections::HashSet;

use trellis_model::{Column, TextColumn, Validity};

use super::{Check, clear, code, codes_within, dictionary, is_name};
use crate::run::Rejection;
use crate::{ClassLimits, FaultKind, RowError};

/// Variants of one campaign.
const VARIANTS_MAX: usize = 20;
/// Different causes in one batch.
const CAUSES_MAX: usize = 1_000;

/// Who takes part, and why the others do not.
type Eligibility = (Vec<bool>, Vec<Option<String>>);

/// Checks the answer of `eligible`; rows that failed do not take part.
pub(crate) fn eligible(flags: &[u8], causes: Column, failed: &[RowError], rows: u32) -> Check<Eligibility> {
    let rows = rows as usize;
    if flags.len() != rows {
        return Err(format!("eligibility of {} of {rows} rows", flags.len()));
    }
    if let Some((row, flag)) = flags.iter().enumerate().find(|(_, flag)| **flag > 1) {
        return Err(format!("row {row} is {flag}, which is neither 0 nor 1"));
    }
    let mut eligible: Vec<bool> = flags.iter().map(|&flag| flag == 1).collect();
    let (codes, valid, values) = named(causes, "cause", rows)?;
    at_most("causes", values.len(), CAUSES_MAX)?;
    for cause in texts(&values) {
        code("cause", cause)?;
    }
    codes_within(&codes, &valid, values.len())?;
    let cause = |row: usize| {
        let index = codes.get(row).copied().filter(|_| valid.get(row))?;
        values.get(index as usize).map(str::to_owned)
    };
    let mut causes: Vec<Option<String>> = eligible
        .iter()
        .enumerate()
        .map(|(row, &eligible)| if eligible { None } else { cause(row) })
        .collect();
    for error in failed {
        let row = error.row as usize;
        if let (Some(eligible), Some(cause)) = (eligible.get_mut(row), causes.get_mut(row)) {
            *eligible = false;
            cause.get_or_insert_with(|| error.code.clone());
        }
    }
    match eligible.iter().zip(&causes).position(|(eligible, cause)| !eligible && cause.is_none()) {
        Some(row) => Err(format!("row {row} does not take part and has no cause")),
        None => Ok((eligible, causes)),
    }
}

/// Checks the answer of `assign-variant`; rows that failed have no variant.
pub(crate) fn variants(column: Column, failed: &[RowError], rows: u32) -> Check<Vec<Option<String>>> {
    let rows = rows as usize;
    let (codes, mut valid, values) = named(column, "variant", rows)?;
    at_most("variants", values.len(), VARIANTS_MAX)?;
    if let Some(name) = texts(&values).find(|name| !is_name(name, true)) {
        return Err(format!("variant `{name}` is not of the form [a-z0-9][a-z0-9_]*, at most 40 characters"));
    }
    codes_within(&codes, &valid, values.len())?;
    for error in failed {
        clear(&mut valid, error.row as usize, rows);
    }
    let variant = |(row, code): (usize, u32)| {
        let name = values.get(code as usize).filter(|_| valid.get(row));
        name.map(str::to_owned)
    };
    Ok(codes.iter().copied().enumerate().map(variant).collect())
}

/// Checks that actions are for rows of the batch, for each at most once, and not too many.
pub(crate) fn places(places: &[(u32, usize)], rows: u32, limits: &ClassLimits) -> Result<(), Rejection> {
    let actions_max = limits.actions_per_row_max;
    let mut seen = HashSet::new();
    for &(row, actions) in places {
        if row >= rows {
            return Err(format!("actions for row {row} of {rows} rows").into());
        }
        if !seen.insert(row) {
            return Err(format!("row {row} is there twice").into());
        }
        if actions as u64 > u64::from(actions_max) {
            let (row, limit) = (Some(row), "actions_per_row_max");
            return Err(Rejection::Fault(FaultKind::TooManyActions { actions, row, actions_max, limit }));
        }
    }
    Ok(())
}

/// The parts of a dictionary column of this name.
fn named(column: Column, name: &str, rows: usize) -> Check<(Vec<u32>, Validity, TextColumn)> {
    if column.name != name {
        return Err(format!("column `{}` where `{name}` belongs", column.name));
    }
    let (_, codes, valid, values) =
        dictionary(column, rows).map_err(|reason| format!("column `{name}`: {reason}"))?;
    Ok((codes, valid, values))
}

fn at_most(what: &str, count: usize, limit: usize) -> Check {
    if count > limit { Err(format!("{count} {what}, at most {limit}")) } else { Ok(()) }
}

fn texts(values: &TextColumn) -> impl Iterator<Item = &str> {
    (0..values.len()).filter_map(|index| values.get(index))
}
