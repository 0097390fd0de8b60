//! How definitions of scores are stored. Fields are only ever added at the end, with a new version of the envelope.

use serde::{Deserialize, Serialize};

use super::{BandDefinition, ScoreDefinition};
use crate::Result;
use crate::output::{StoredSource, names_of, object_of, source_of, text_of, texts};

#[derive(Serialize, Deserialize)]
struct StoredDefinition {
    name: String,
    object: String,
    label: [String; 2],
    description: [String; 2],
    unit: [String; 2],
    minimum: Option<f64>,
    maximum: Option<f64>,
    bands: Vec<StoredBand>,
    source: StoredSource,
    aliases: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredBand {
    name: String,
    label: [String; 2],
    description: [String; 2],
    lowest: f64,
}

pub(crate) fn encode_definition(definition: &ScoreDefinition) -> Vec<u8> {
    let band = |band: &BandDefinition| StoredBand {
        name: band.name.clone(),
        label: texts(&band.label),
        description: texts(&band.description),
        lowest: band.lowest,
    };
    crate::stored::encode(&StoredDefinition {
        name: definition.name.to_string(),
        object: definition.object.to_string(),
        label: texts(&definition.label),
        description: texts(&definition.description),
        unit: texts(&definition.unit),
        minimum: definition.minimum,
        maximum: definition.maximum,
        bands: definition.bands.iter().map(band).collect(),
        source: StoredSource::from(&definition.source),
        aliases: definition.aliases.iter().map(ToString::to_string).collect(),
    })
}

pub(crate) fn decode_definition(bytes: &[u8], what: &str) -> Result<ScoreDefinition> {
    let stored: StoredDefinition = crate::stored::decode(bytes, what)?;
    let band = |band: StoredBand| BandDefinition {
        name: band.name,
        label: text_of(band.label),
        description: text_of(band.description),
        lowest: band.lowest,
    };
    let (name, aliases) = names_of(&stored.name, &stored.aliases, what)?;
    Ok(ScoreDefinition {
        name,
        object: object_of(&stored.object, what)?,
        label: text_of(stored.label),
        description: text_of(stored.description),
        unit: text_of(stored.unit),
        minimum: stored.minimum,
        maximum: stored.maximum,
        bands: stored.bands.into_iter().map(band).collect(),
        source: source_of(stored.source, what)?,
        aliases,
    })
}
