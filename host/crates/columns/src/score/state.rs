use std::sync::Arc;

use trellis_model::Scope;

use super::types::{ScoreDefinition, ScoreInfo};
use crate::generation::{Cell, Column, NumberColumn};
use crate::output::{Classes, Output, OutputKind};
use crate::segmentation::is_readable;
use crate::{Columns, ValueCount};

/// A score's definition with what follows from it.
#[derive(Debug)]
pub(crate) struct Score {
    pub(crate) definition: ScoreDefinition,
    pub(crate) classes: Classes,
}

impl Score {
    pub(crate) fn new(definition: ScoreDefinition) -> Self {
        let lowest = definition.bands.iter().map(|band| band.lowest);
        Self { classes: Classes::Bands(lowest.collect()), definition }
    }

    /// The band of a class; `None` for null, and where there are no bands.
    pub(crate) fn band(&self, class: u16) -> Option<&str> {
        let place = usize::from(class).checked_sub(1)?;
        self.definition.bands.get(place).map(|band| band.name.as_str())
    }
}

/// A score with its current numbers.
#[derive(Debug)]
pub(crate) struct CurrentScore {
    pub(crate) output: Arc<Output>,
    pub(crate) score: Arc<Score>,
}

impl CurrentScore {
    /// `None` for a segmentation.
    pub(crate) fn of(output: &Arc<Output>) -> Option<Self> {
        match &output.kind {
            OutputKind::Score(score) => Some(Self { output: Arc::clone(output), score: Arc::clone(score) }),
            OutputKind::Segmentation(_) => None,
        }
    }

    pub(crate) fn column(&self) -> &NumberColumn {
        match &self.output.shown().column {
            Column::Numbers(column) => column,
            Column::Codes(_) => unreachable!("a score has numbers"),
        }
    }

    /// The number of a customer; `None` is null.
    pub(crate) fn number_at(&self, ordinal: u64) -> Option<f64> {
        self.column().get(ordinal).get()
    }

    /// The band that a customer is in.
    pub(crate) fn band_at(&self, ordinal: u64) -> Option<&str> {
        self.score.band(self.score.classes.of(Cell::Number(self.column().get(ordinal))))
    }
}

impl Columns {
    /// All scores in the order in which they were defined, with what their numbers are now.
    pub fn scores(&self) -> Vec<Arc<ScoreInfo>> {
        let state = self.results.state();
        state.outputs.values().filter_map(|output| self.score_info(output)).collect()
    }

    /// The score of a name or alias.
    pub fn score(&self, name: &str) -> Option<Arc<ScoreInfo>> {
        self.results.state().get(name).and_then(|output| self.score_info(output))
    }

    /// Returns the number of a customer. The caller has the ordinal from a record that it may read; whether it may read scores
    /// is checked here.
    pub fn score_of(&self, scope: &Scope, name: &str, ordinal: u64) -> Option<f64> {
        self.readable_score(scope, name)?.number_at(ordinal)
    }

    /// Returns the API name of the band that a customer is in; as [`Columns::score_of`].
    pub fn band_of(&self, scope: &Scope, name: &str, ordinal: u64) -> Option<String> {
        self.readable_score(scope, name)?.band_at(ordinal).map(ToOwned::to_owned)
    }

    fn readable_score(&self, scope: &Scope, name: &str) -> Option<CurrentScore> {
        let current = self.current_score(name)?;
        is_readable(scope, current.output.object_name(), "score").then_some(current)
    }

    pub(crate) fn current_score(&self, name: &str) -> Option<CurrentScore> {
        self.results.state().get(name).and_then(CurrentScore::of)
    }

    fn score_info(&self, output: &Arc<Output>) -> Option<Arc<ScoreInfo>> {
        let current = CurrentScore::of(output)?;
        let population = self.features.population(output.object).unwrap_or_default();
        let definition = current.score.definition.clone();
        let counts = output.live_counts(&population);
        let bands = definition.bands.iter().zip(counts.iter().skip(1));
        let bands = bands.map(|(band, count)| ValueCount { value: band.name.clone(), count: *count });
        let summary = current.column().summary_without(population.deleted());
        let some = |number: f64| Some(number).filter(|number| summary.members > 0 && number.is_finite());
        Some(Arc::new(ScoreInfo {
            object: output.object,
            current: output.current(),
            count: summary.members,
            null_count: population.live().saturating_sub(summary.members),
            minimum: some(summary.minimum),
            maximum: some(summary.maximum),
            mean: some(summary.sum / summary.members as f64),
            bands: bands.collect(),
            kept: output.kept(),
            stale: output.pointer.is_stale(),
            cleared: output.is_cleared(),
            damaged: output.damaged.clone(),
            definition,
        }))
    }
}
