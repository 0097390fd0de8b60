//! Checks what `segmentation` returns.

use std::collections::HashSet;

use trellis_model::Column;

use super::{Check, clear, codes_within, dictionary, is_name, unique};
use crate::{AssignedColumn, RowError, SegmentValue, SegmentationDescription};

/// Values of one segmentation.
const VALUES_MAX: usize = 1_000;
/// Segmentations of one plugin.
const SEGMENTATIONS_MAX: usize = 100;

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

/// Checks the columns of `assign` against what `describe` said, and makes the rows null that the plugin could not assign.
pub(crate) fn columns(
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
        let mut column = assigned(column, description, rows as usize)
            .map_err(|reason| format!("column `{name}`: {reason}"))?;
        for error in failed {
            clear(&mut column.valid, error.row as usize, rows as usize);
        }
        Ok(column)
    };
    columns.into_iter().zip(described).map(check).collect()
}

fn assigned(column: Column, description: &SegmentationDescription, rows: usize) -> Check<AssignedColumn> {
    let (name, codes, valid, values) = dictionary(column, rows)?;
    let described: HashSet<&str> = description.values.iter().map(|value| value.name.as_str()).collect();
    let unknown =
        (0..values.len()).filter_map(|index| values.get(index)).find(|value| !described.contains(value));
    if let Some(value) = unknown {
        return Err(format!("value `{value}` was not described"));
    }
    codes_within(&codes, &valid, values.len())?;
    Ok(AssignedColumn { name, codes, valid, values })
}
