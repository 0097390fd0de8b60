//! How definitions of segmentations are stored. Fields are only ever added at the end, with a new version of the envelope.

use serde::{Deserialize, Serialize};

use super::{SegmentationDefinition, ValueDefinition};
use crate::Result;
use crate::output::{StoredSource, names_of, object_of, source_of, text_of, texts};

#[derive(Serialize, Deserialize)]
struct StoredDefinition {
    name: String,
    object: String,
    label: [String; 2],
    description: [String; 2],
    values: Vec<StoredValue>,
    source: StoredSource,
    aliases: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredValue {
    name: String,
    label: [String; 2],
    description: [String; 2],
}

pub(crate) fn encode_definition(definition: &SegmentationDefinition) -> Vec<u8> {
    let value = |value: &ValueDefinition| StoredValue {
        name: value.name.clone(),
        label: texts(&value.label),
        description: texts(&value.description),
    };
    crate::stored::encode(&StoredDefinition {
        name: definition.name.to_string(),
        object: definition.object.to_string(),
        label: texts(&definition.label),
        description: texts(&definition.description),
        values: definition.values.iter().map(value).collect(),
        source: StoredSource::from(&definition.source),
        aliases: definition.aliases.iter().map(ToString::to_string).collect(),
    })
}

pub(crate) fn decode_definition(bytes: &[u8], what: &str) -> Result<SegmentationDefinition> {
    let stored: StoredDefinition = crate::stored::decode(bytes, what)?;
    let value = |value: StoredValue| ValueDefinition {
        name: value.name,
        label: text_of(value.label),
        description: text_of(value.description),
    };
    let (name, aliases) = names_of(&stored.name, &stored.aliases, what)?;
    Ok(SegmentationDefinition {
        name,
        object: object_of(&stored.object, what)?,
        label: text_of(stored.label),
        description: text_of(stored.description),
        values: stored.values.into_iter().map(value).collect(),
        source: source_of(stored.source, what)?,
        aliases,
    })
}
