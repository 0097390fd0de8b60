//! What a plugin puts out, as segmentations.

use std::sync::Arc;

use trellis_columns::{Columns, SegmentationDefinition, Source, ValueDefinition};
use trellis_model::{ObjectName, SegmentationName};
use trellis_plugin_host::{Manifest, SegmentationDescription};

use crate::{Error, Result};

/// Defines the segmentations that a plugin describes and returns their full names, in the same order.
///
/// An alias that another segmentation has already stays with it.
pub(super) async fn define(
    columns: &Arc<Columns>,
    manifest: &Manifest,
    object: &ObjectName,
    described: &[SegmentationDescription],
) -> Result<Vec<SegmentationName>> {
    let mut names = Vec::with_capacity(described.len());
    for description in described {
        let definition = definition(columns, manifest, object, description)?;
        names.push(definition.name.clone());
        columns.define(definition).await?;
    }
    Ok(names)
}

fn definition(
    columns: &Arc<Columns>,
    manifest: &Manifest,
    object: &ObjectName,
    description: &SegmentationDescription,
) -> Result<SegmentationDefinition> {
    let name = segmentation_name(manifest, &manifest.output_name(&description.name))?;
    let mut aliases = Vec::new();
    let of_output = manifest.segmentation_aliases.iter().filter(|(_, output)| **output == description.name);
    for (alias, _) in of_output {
        let alias = segmentation_name(manifest, alias)?;
        match columns.segmentation(alias.as_str()) {
            Some(holder) if holder.definition.name != name => {
                tracing::warn!(
                    "alias `{alias}` of {} stays with `{}`",
                    manifest.plugin_version(),
                    holder.definition.name
                );
            }
            _ => aliases.push(alias),
        }
    }
    let value = |value: &trellis_plugin_host::SegmentValue| ValueDefinition {
        name: value.name.clone(),
        label: value.label.clone(),
        description: value.description.clone(),
    };
    Ok(SegmentationDefinition {
        name,
        object: object.clone(),
        label: description.label.clone(),
        description: description.description.clone(),
        values: description.values.iter().map(value).collect(),
        source: Source::Plugin { plugin: manifest.id.clone(), output: description.name.clone() },
        aliases,
    })
}

fn segmentation_name(manifest: &Manifest, name: &str) -> Result<SegmentationName> {
    let wrong = |error: trellis_model::Error| Error::CannotRun {
        plugin: manifest.id.clone(),
        reason: error.to_string(),
    };
    SegmentationName::new(name).map_err(wrong)
}
