//! The two interfaces by which a run gives customers results, as one: a plugin may offer either or both, and one run serves both.

use serde::{Deserialize, Serialize};
use trellis_model::{Batch, Text};
use trellis_plugin_host::{
    AssignedColumn, CallContext, CancelFlag, LogLine, Model, Plugin, RowError, RowStream, ScoreDescription,
    ScoredColumn, SegmentationDescription,
};

use crate::{Error, Result};

/// Something for each of the two interfaces that a plugin offers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PerInterface<T> {
    pub(super) segmentation: Option<T>,
    pub(super) scoring: Option<T>,
}

/// What a plugin puts out under a configuration; nothing for an interface that it does not offer.
#[derive(Debug, Clone)]
pub(super) struct Described {
    pub(super) segmentations: Vec<SegmentationDescription>,
    pub(super) scores: Vec<ScoreDescription>,
}

/// What all calls for one model have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evaluator<'a> {
    pub(super) plugin: &'a Plugin,
    pub(super) described: &'a Described,
    pub(super) models: &'a PerInterface<Vec<u8>>,
    pub(super) at: &'a CallContext,
}

/// The results of a batch.
#[derive(Debug)]
pub(super) struct Evaluated {
    /// One for each segmentation that was described, in that order.
    pub(super) segmentations: Vec<AssignedColumn>,
    /// One for each score that was described, in that order.
    pub(super) scores: Vec<ScoredColumn>,
    /// Rows without a result, ascending; a row that failed twice is there twice.
    pub(super) failed: Vec<RowError>,
}

impl<T> PerInterface<T> {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &T)> {
        let named = [("segmentation", &self.segmentation), ("scoring", &self.scoring)];
        named.into_iter().filter_map(|(name, of)| Some((name, of.as_ref()?)))
    }

    pub(super) fn map<U>(&self, f: impl Fn(&T) -> U) -> PerInterface<U> {
        PerInterface {
            segmentation: self.segmentation.as_ref().map(&f),
            scoring: self.scoring.as_ref().map(&f),
        }
    }

    pub(super) fn try_map<U>(&self, f: impl Fn(&T) -> Result<U>) -> Result<PerInterface<U>> {
        Ok(PerInterface {
            segmentation: self.segmentation.as_ref().map(&f).transpose()?,
            scoring: self.scoring.as_ref().map(&f).transpose()?,
        })
    }
}

/// Asks a plugin what it puts out.
pub(super) fn describe(plugin: &Plugin, config: &str) -> Result<Described> {
    let (segmentation, scoring) = (plugin.segmentation(), plugin.scoring());
    if segmentation.is_none() && scoring.is_none() {
        return Err(Error::evaluates_nobody(plugin.id()));
    }
    let segmentations = segmentation.map(|segmentation| segmentation.describe(config)).transpose()?;
    let scores = scoring.map(|scoring| scoring.describe(config)).transpose()?;
    Ok(Described { segmentations: segmentations.unwrap_or_default(), scores: scores.unwrap_or_default() })
}

/// Has a plugin look at a configuration before anything is run with it. One that offers neither interface has nothing to say.
pub(crate) fn check(plugin: &Plugin, config: &str) -> Result<()> {
    let is_run = plugin.segmentation().is_some() || plugin.scoring().is_some();
    if is_run { describe(plugin, config).map(drop) } else { Ok(()) }
}

/// The kind, name and label of everything that a plugin puts out under a configuration; nothing for one that is not run.
pub(crate) fn outputs(plugin: &Plugin, config: &str) -> Result<Vec<(&'static str, String, Text)>> {
    if plugin.segmentation().is_none() && plugin.scoring().is_none() {
        return Ok(Vec::new());
    }
    let described = describe(plugin, config)?;
    let segmentations =
        described.segmentations.into_iter().map(|output| ("segmentation", output.name, output.label));
    let scores = described.scores.into_iter().map(|output| ("score", output.name, output.label));
    Ok(segmentations.chain(scores).collect())
}

/// Learns a model for each interface that the plugin offers, from the same rows.
pub(super) fn fit(
    plugin: &Plugin,
    rows: &mut dyn RowStream,
    config: &str,
    at: &CallContext,
    cancel: &CancelFlag,
) -> Result<PerInterface<Model>> {
    let mut models = PerInterface { segmentation: None, scoring: None };
    if let Some(segmentation) = plugin.segmentation() {
        let fitted = segmentation.fit(rows, config, at, cancel)?;
        log(plugin, &fitted.logs);
        models.segmentation = Some(fitted.model);
    }
    if let Some(scoring) = plugin.scoring() {
        rows.rewind();
        let fitted = scoring.fit(rows, config, at, cancel)?;
        log(plugin, &fitted.logs);
        models.scoring = Some(fitted.model);
    }
    Ok(models)
}

pub(super) fn log(plugin: &Plugin, lines: &[LogLine]) {
    for line in lines {
        tracing::info!(plugin = %plugin.plugin_version(), level = ?line.level, "{}", line.message);
    }
}

impl Evaluator<'_> {
    /// Gives each row of a batch its results.
    pub(super) fn evaluate(&self, batch: Batch) -> Result<Evaluated> {
        let mut evaluated = Evaluated { segmentations: Vec::new(), scores: Vec::new(), failed: Vec::new() };
        let scoring = self.plugin.scoring().zip(self.models.scoring.as_ref());
        let mut batch = Some(batch);
        if let Some((segmentation, model)) = self.plugin.segmentation().zip(self.models.segmentation.as_ref())
        {
            let rows = if scoring.is_some() { batch.clone() } else { batch.take() };
            let assigned = segmentation.assign(
                &self.described.segmentations,
                model,
                rows.unwrap_or_default(),
                self.at,
            )?;
            evaluated.segmentations = assigned.columns;
            evaluated.failed = assigned.failed;
        }
        if let Some((scoring, model)) = scoring {
            let rows = batch.take().unwrap_or_default();
            let scored = scoring.score(&self.described.scores, model, rows, self.at)?;
            evaluated.scores = scored.columns;
            evaluated.failed.extend(scored.failed);
            evaluated.failed.sort_by_key(|row| row.row);
        }
        Ok(evaluated)
    }
}
