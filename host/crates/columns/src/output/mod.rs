//! What segmentations and scores have in common: a name, a source, a pointer to the generation that is current.

mod classes;
mod define;
mod pointer;
mod state;
mod stored;

use serde_json::Value as Json;
use trellis_model::PluginId;

pub(crate) use classes::Classes;
pub(crate) use define::{check_names, check_texts, merged_aliases};
pub use pointer::Presence;
pub(crate) use pointer::{Pointer, StoredResult};
pub(crate) use state::{Output, OutputKind};
pub(crate) use stored::{StoredSource, names_of, object_of, source_of, text_of, texts};

use crate::{AsOf, GenerationId, RunId};

/// Where the values of a segmentation or score come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An output of a plugin.
    Plugin {
        /// Which plugin.
        plugin: PluginId,
        /// Its name for the output.
        output: String,
    },
    /// A filter; the single value of the segmentation is `member`. No score has this source.
    Filter {
        /// Whom it matches, in its JSON form: whether it still fits the schema shows where it is asked.
        filter: Json,
    },
    /// People, by hand; the single value of a segmentation is `member`.
    Manual,
}

/// Which result is current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentResult {
    /// Its generation.
    pub generation: GenerationId,
    /// The run that made it.
    pub run: RunId,
    /// Up to when events counted.
    pub as_of: AsOf,
    /// When it became current, in milliseconds since 1970-01-01T00:00:00Z.
    pub flipped_at_ms: i64,
}

/// How many customers have a value of a segmentation, or are in a band of a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueCount {
    /// The API name of the value or band.
    pub value: String,
    /// How many.
    pub count: u64,
}
