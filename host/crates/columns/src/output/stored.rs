//! What stored definitions of segmentations and scores have in common.

use serde::{Deserialize, Serialize};
use trellis_model::{ObjectName, PluginId, SegmentationName, Text};

use super::Source;
use crate::{Error, Result};

#[derive(Serialize, Deserialize)]
pub(crate) enum StoredSource {
    Plugin {
        plugin: String,
        output: String,
    },
    /// The filter as JSON text.
    Filter {
        filter: String,
    },
    Manual,
}

impl From<&Source> for StoredSource {
    fn from(source: &Source) -> Self {
        match source {
            Source::Plugin { plugin, output } => {
                Self::Plugin { plugin: plugin.to_string(), output: output.clone() }
            }
            Source::Filter { filter } => Self::Filter { filter: filter.to_string() },
            Source::Manual => Self::Manual,
        }
    }
}

/// `what` names the definition in errors, here and below.
pub(crate) fn source_of(stored: StoredSource, what: &str) -> Result<Source> {
    Ok(match stored {
        StoredSource::Plugin { plugin, output } => {
            Source::Plugin { plugin: PluginId::new(&plugin).map_err(|error| wrong(what, &error))?, output }
        }
        StoredSource::Filter { filter } => Source::Filter {
            filter: serde_json::from_str(&filter)
                .map_err(|error| Error::damaged(format!("{what}: its filter is no JSON: {error}")))?,
        },
        StoredSource::Manual => Source::Manual,
    })
}

pub(crate) fn texts(text: &Text) -> [String; 2] {
    [text.en.clone(), text.zh_cn.clone()]
}

pub(crate) fn text_of([en, zh_cn]: [String; 2]) -> Text {
    Text { en, zh_cn }
}

pub(crate) fn object_of(name: &str, what: &str) -> Result<ObjectName> {
    ObjectName::new(name).map_err(|error| wrong(what, &error))
}

/// A name and aliases.
pub(crate) fn names_of(
    name: &str,
    aliases: &[String],
    what: &str,
) -> Result<(SegmentationName, Vec<SegmentationName>)> {
    let parsed = |name: &str| SegmentationName::new(name).map_err(|error| wrong(what, &error));
    let aliases = aliases.iter().map(|alias| parsed(alias)).collect::<Result<_>>()?;
    Ok((parsed(name)?, aliases))
}

fn wrong(what: &str, error: &trellis_model::Error) -> Error {
    Error::damaged(format!("{what}: {error}"))
}
