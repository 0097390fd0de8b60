//! What a plugin puts out, as segmentations and scores.

use std::{collections::BTreeMap, sync::Arc};

use trellis_columns::{
    BandDefinition, Columns, ScoreDefinition, SegmentationDefinition, Source, ValueDefinition,
};
use trellis_model::{ObjectName, SegmentationName};
use trellis_plugin_host::{Manifest, ScoreDescription, SegmentationDescription};

use super::evaluator::Described;
use crate::{Error, Result};

/// Full names of what a plugin puts out, in the order in which it describes them.
#[derive(Debug, Clone, Default)]
pub(super) struct Outputs {
    pub(super) segmentations: Vec<SegmentationName>,
    pub(super) scores: Vec<SegmentationName>,
}

impl Outputs {
    /// All names in the order of a generation's columns: segmentations, then scores.
    pub(super) fn all(&self) -> Vec<SegmentationName> {
        self.segmentations.iter().chain(&self.scores).cloned().collect()
    }
}

/// What definitions of one plugin have in common.
struct Defining<'a> {
    columns: &'a Arc<Columns>,
    manifest: &'a Manifest,
    object: &'a ObjectName,
}

/// Defines what a plugin describes and returns the full names.
///
/// An alias that another segmentation or score has already stays with it.
pub(super) async fn define(
    columns: &Arc<Columns>,
    manifest: &Manifest,
    object: &ObjectName,
    described: &Described,
) -> Result<Outputs> {
    let defining = Defining { columns, manifest, object };
    let mut outputs = Outputs::default();
    for description in &described.segmentations {
        let definition = defining.segmentation(description)?;
        outputs.segmentations.push(definition.name.clone());
        columns.define(definition).await?;
    }
    for description in &described.scores {
        let definition = defining.score(description)?;
        outputs.scores.push(definition.name.clone());
        columns.define_score(definition).await?;
    }
    Ok(outputs)
}

impl Defining<'_> {
    fn segmentation(&self, description: &SegmentationDescription) -> Result<SegmentationDefinition> {
        let name = self.full_name(&description.name)?;
        let value = |value: &trellis_plugin_host::SegmentValue| ValueDefinition {
            name: value.name.clone(),
            label: value.label.clone(),
            description: value.description.clone(),
        };
        Ok(SegmentationDefinition {
            aliases: self.aliases(&self.manifest.segmentation_aliases, &description.name, &name)?,
            name,
            object: self.object.clone(),
            label: description.label.clone(),
            description: description.description.clone(),
            values: description.values.iter().map(value).collect(),
            source: self.source(&description.name),
        })
    }

    fn score(&self, description: &ScoreDescription) -> Result<ScoreDefinition> {
        let name = self.full_name(&description.name)?;
        let band = |band: &trellis_plugin_host::Band| BandDefinition {
            name: band.name.clone(),
            label: band.label.clone(),
            description: band.description.clone(),
            lowest: band.lowest,
        };
        Ok(ScoreDefinition {
            aliases: self.aliases(&self.manifest.score_aliases, &description.name, &name)?,
            name,
            object: self.object.clone(),
            label: description.label.clone(),
            description: description.description.clone(),
            unit: description.unit.clone(),
            minimum: description.minimum,
            maximum: description.maximum,
            bands: description.bands.iter().map(band).collect(),
            source: self.source(&description.name),
        })
    }

    fn source(&self, output: &str) -> Source {
        Source::Plugin { plugin: self.manifest.id.clone(), output: output.to_owned() }
    }

    /// The aliases of an output that are free or its own.
    fn aliases(
        &self,
        of_manifest: &BTreeMap<String, String>,
        output: &str,
        name: &SegmentationName,
    ) -> Result<Vec<SegmentationName>> {
        let mut aliases = Vec::new();
        for (alias, _) in of_manifest.iter().filter(|(_, of)| *of == output) {
            let alias = self.checked(alias)?;
            match self.holder(&alias) {
                Some(holder) if holder != *name => {
                    tracing::warn!(
                        "alias `{alias}` of {} stays with `{holder}`",
                        self.manifest.plugin_version()
                    );
                }
                _ => aliases.push(alias),
            }
        }
        Ok(aliases)
    }

    fn holder(&self, alias: &SegmentationName) -> Option<SegmentationName> {
        let segmentation = self.columns.segmentation(alias.as_str());
        let score = || self.columns.score(alias.as_str()).map(|info| info.definition.name.clone());
        segmentation.map(|info| info.definition.name.clone()).or_else(score)
    }

    fn full_name(&self, output: &str) -> Result<SegmentationName> {
        self.checked(&self.manifest.output_name(output))
    }

    fn checked(&self, name: &str) -> Result<SegmentationName> {
        let plugin = &self.manifest.id;
        SegmentationName::new(name)
            .map_err(|error| Error::CannotRun { plugin: plugin.clone(), reason: error.text() })
    }
}
