//! Checks what `scoring` returns.

use trellis_model::Text;

use super::{Check, clear, is_name, unique, validity};
use crate::{Band, RowError, ScoreDescription, ScoredColumn};

/// Scores of one plugin.
const SCORES_MAX: usize = 100;
/// Bands of one score.
const BANDS_MAX: usize = 100;
/// Bytes of the rules in one language.
const RULES_BYTES_MAX: usize = 64 << 10;

/// Checks what `describe` returned.
pub(crate) fn descriptions(descriptions: &[ScoreDescription]) -> Check {
    if descriptions.len() > SCORES_MAX {
        return Err(format!("{} scores, at most {SCORES_MAX}", descriptions.len()));
    }
    unique("score", descriptions.iter().map(|description| description.name.as_str()))?;
    for description in descriptions {
        let name = &description.name;
        if !is_name(name, false) {
            return Err(format!("score `{name}` is not of the form [a-z][a-z0-9_]*, at most 40 characters"));
        }
        described(description).map_err(|reason| format!("score `{name}`: {reason}"))?;
    }
    Ok(())
}

fn described(description: &ScoreDescription) -> Check {
    let ScoreDescription { unit, minimum, maximum, bands, .. } = description;
    super::unit(unit)?;
    let (lowest, highest) = (minimum.unwrap_or(f64::MIN), maximum.unwrap_or(f64::MAX));
    if !lowest.is_finite() || !highest.is_finite() || lowest > highest {
        return Err(format!("its range is {lowest} to {highest}"));
    }
    if bands.len() > BANDS_MAX {
        return Err(format!("{} bands, at most {BANDS_MAX}", bands.len()));
    }
    unique("band", bands.iter().map(|band| band.name.as_str()))?;
    if let Some(band) = bands.iter().find(|band| !is_name(&band.name, true)) {
        let name = &band.name;
        return Err(format!("band `{name}` is not of the form [a-z0-9][a-z0-9_]*, at most 40 characters"));
    }
    ascending(bands)
}

fn ascending(bands: &[Band]) -> Check {
    if let Some(band) = bands.iter().find(|band| !band.lowest.is_finite()) {
        return Err(format!("band `{}` begins at {}", band.name, band.lowest));
    }
    // The first begins wherever the others leave it room.
    let others = bands.get(1..).unwrap_or_default();
    let fall = others.windows(2).find_map(|pair| match pair {
        [below, above] if below.lowest >= above.lowest => Some((below, above)),
        _ => None,
    });
    match fall {
        Some((below, above)) => Err(format!(
            "band `{}` begins at {}, not above `{}` at {}",
            above.name, above.lowest, below.name, below.lowest
        )),
        None => Ok(()),
    }
}

/// Checks the columns of `score` against what `describe` said, and makes the rows null that the plugin could not score.
pub(crate) fn columns(
    columns: Vec<ScoredColumn>,
    described: &[ScoreDescription],
    failed: &[RowError],
    rows: u32,
) -> Check<Vec<ScoredColumn>> {
    if columns.len() != described.len() {
        return Err(format!("{} columns for {} scores", columns.len(), described.len()));
    }
    let check = |(mut column, description): (ScoredColumn, &ScoreDescription)| {
        if column.name != description.name {
            return Err(format!("column `{}` where `{}` was described", column.name, description.name));
        }
        let rows = rows as usize;
        scored(&column, rows).map_err(|reason| format!("column `{}`: {reason}", column.name))?;
        for error in failed {
            clear(&mut column.valid, error.row as usize, rows);
        }
        values(&mut column, description).map_err(|reason| format!("column `{}`: {reason}", column.name))?;
        Ok(column)
    };
    columns.into_iter().zip(described).map(check).collect()
}

fn scored(column: &ScoredColumn, rows: usize) -> Check {
    if column.values.len() != rows {
        return Err(format!("{} values for {rows} rows", column.values.len()));
    }
    validity(&column.valid, rows)
}

/// Every value is finite and in the range; what stands at a row without a value becomes 0.
fn values(column: &mut ScoredColumn, description: &ScoreDescription) -> Check {
    let lowest = description.minimum.unwrap_or(f64::MIN);
    let highest = description.maximum.unwrap_or(f64::MAX);
    for (row, value) in column.values.iter_mut().enumerate() {
        if !column.valid.get(row) {
            *value = 0.0;
        } else if !value.is_finite() {
            return Err(format!("row {row} is {value}"));
        } else if *value < lowest || *value > highest {
            return Err(format!("row {row} is {value}, outside {lowest} to {highest}"));
        } else {
            // One zero of two.
            *value += 0.0;
        }
    }
    Ok(())
}

/// Checks the length of rules in words.
pub(crate) fn rules(rules: Text) -> Check<Text> {
    let bytes = rules.en.len().max(rules.zh_cn.len());
    if bytes > RULES_BYTES_MAX {
        return Err(format!("rules of {bytes} bytes, at most {RULES_BYTES_MAX}"));
    }
    Ok(rules)
}
