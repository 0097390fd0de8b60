use std::collections::HashMap;
use std::sync::Arc;

use super::types::{SegmentationDefinition, SegmentationInfo};
use crate::generation::{CodeColumn, Column};
use crate::output::{Classes, Output, OutputKind};
use crate::{Columns, Error, Result, ValueCount};

/// A segmentation's definition with what follows from it.
#[derive(Debug)]
pub(crate) struct Segmentation {
    pub(crate) definition: SegmentationDefinition,
    pub(crate) classes: Classes,
    codes: HashMap<String, u16>,
}

impl Segmentation {
    pub(crate) fn new(definition: SegmentationDefinition) -> Self {
        let codes = definition.values.iter().zip(1..).map(|(value, code)| (value.name.clone(), code));
        Self { codes: codes.collect(), classes: Classes::Values(definition.values.len()), definition }
    }

    /// The code of a value.
    pub(crate) fn code(&self, value: &str) -> Option<u16> {
        self.codes.get(value).copied()
    }

    /// The code of a value, or of null.
    pub(crate) fn code_of(&self, value: Option<&str>) -> Result<u16> {
        let Some(value) = value else { return Ok(0) };
        self.code(value).ok_or_else(|| Error::UnknownValue {
            segmentation: self.definition.name.to_string(),
            value: value.to_owned(),
        })
    }

    /// The value of a code; `None` is null.
    pub(crate) fn value(&self, code: u16) -> Option<&str> {
        let place = usize::from(code).checked_sub(1)?;
        self.definition.values.get(place).map(|value| value.name.as_str())
    }
}

/// A segmentation with its current codes.
#[derive(Debug)]
pub(crate) struct CurrentSegmentation {
    pub(crate) output: Arc<Output>,
    pub(crate) segmentation: Arc<Segmentation>,
}

impl CurrentSegmentation {
    /// `None` for a score.
    pub(crate) fn of(output: &Arc<Output>) -> Option<Self> {
        match &output.kind {
            OutputKind::Segmentation(segmentation) => {
                Some(Self { output: Arc::clone(output), segmentation: Arc::clone(segmentation) })
            }
            OutputKind::Score(_) => None,
        }
    }

    pub(crate) fn column(&self) -> &CodeColumn {
        match &self.output.shown().column {
            Column::Codes(column) => column,
            Column::Numbers(_) => unreachable!("a segmentation has codes"),
        }
    }

    /// The value of a customer; `None` is null.
    pub(crate) fn value_at(&self, ordinal: u64) -> Option<&str> {
        self.segmentation.value(self.column().get(ordinal))
    }
}

impl Columns {
    /// All segmentations in the order in which they were defined, with the current counts.
    pub fn segmentations(&self) -> Vec<Arc<SegmentationInfo>> {
        let state = self.results.state();
        state.outputs.values().filter_map(|output| self.segmentation_info(output)).collect()
    }

    /// Those that filters make, likewise.
    pub fn segmentations_by_filter(&self) -> Vec<Arc<SegmentationInfo>> {
        let state = self.results.state();
        let by_filter = state.outputs.values().filter(|output| output.is_by_filter());
        by_filter.filter_map(|output| self.segmentation_info(output)).collect()
    }

    /// The segmentation of a name or alias.
    pub fn segmentation(&self, name: &str) -> Option<Arc<SegmentationInfo>> {
        self.results.state().get(name).and_then(|output| self.segmentation_info(output))
    }

    fn segmentation_info(&self, output: &Arc<Output>) -> Option<Arc<SegmentationInfo>> {
        let current = CurrentSegmentation::of(output)?;
        let population = self.features.population(output.object).unwrap_or_default();
        let definition = current.segmentation.definition.clone();
        let counts = output.live_counts(&population);
        let values = definition.values.iter().zip(counts.iter().skip(1));
        let counts: Vec<ValueCount> =
            values.map(|(value, count)| ValueCount { value: value.name.clone(), count: *count }).collect();
        let members: u64 = counts.iter().map(|count| count.count).sum();
        Some(Arc::new(SegmentationInfo {
            object: output.object,
            current: output.current(),
            null_count: population.live().saturating_sub(members),
            counts,
            kept: output.kept(),
            stale: output.pointer.is_stale(),
            cleared: output.is_cleared(),
            damaged: output.damaged.clone(),
            definition,
        }))
    }

    pub(crate) fn current_segmentation(&self, name: &str) -> Option<CurrentSegmentation> {
        self.results.state().get(name).and_then(CurrentSegmentation::of)
    }
}
