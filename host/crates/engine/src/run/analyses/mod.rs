//! Questions about a whole population, which plugins answer as jobs. An answer is a report; the last ones are kept with what they were
//! made of.

mod api;
mod job;
mod questions;
mod stored;

use serde_json::Value as Json;
use trellis_columns::AsOf;
use trellis_model::{Actor, PluginId, RecordId, Text};

pub(crate) use api::ask;
pub(crate) use job::{AnalysisInput, analyse, check_asked};
pub(crate) use questions::Questions;

/// A question that an enabled plugin answers.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisInfo {
    /// Its name within the plugin.
    pub name: String,
    /// What people call it.
    pub label: Text,
    /// What it answers and how.
    pub description: Text,
    /// The dataset of the manifest that it looks at.
    pub dataset: Option<String>,
    /// JSON Schema of what has to be said with the question.
    pub parameters: Json,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnalysisRequest {
    /// What is said with it; null for the defaults.
    pub parameters: Json,
    /// Up to when data counts, where it is not as of the plugin's settings.
    pub as_of: Option<AsOf>,
}

/// What an answer was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisResult {
    /// Its id; ids sort by when the answer was there.
    pub id: RecordId,
    /// The job that answered.
    pub job: RecordId,
    /// The plugin.
    pub plugin: PluginId,
    /// In which version.
    pub version: String,
    /// BLAKE3 digest of the component, in hex.
    pub digest: String,
    /// The question's name within the plugin.
    pub analysis: String,
    /// What it was called then.
    pub label: Text,
    /// BLAKE3 digest of the configuration's JSON text, in hex.
    pub config_digest: String,
    /// What was said with the question, defaults filled in.
    pub parameters: Json,
    /// Up to when data counted.
    pub as_of: AsOf,
    /// The log entry up to which changes were in the data.
    pub log_number: u64,
    /// The newest log entry when the last dataset that the plugin opened had been read. Changes between the two may be in a part of the data
    /// only; where they are equal, all of it is of one moment.
    pub log_until: u64,
    /// The rows that the plugin read, over all passes and datasets.
    pub rows: u64,
    /// Whether the plugin was granted personal data of what its manifest reads, so that the answer may hold some.
    pub personal: bool,
    /// How long it took to make the rows and to answer, in milliseconds.
    pub took_ms: u64,
    /// When it was answered, in milliseconds since 1970-01-01T00:00:00Z.
    pub answered_at_ms: i64,
    /// Who asked.
    pub asked_by: Actor,
    /// The answer in a few lines.
    pub summary: Text,
}

/// A page of answers, the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisResultPage {
    /// The answers.
    pub results: Vec<AnalysisResult>,
    /// The last one's id where more follow: the next page comes after it.
    pub next: Option<RecordId>,
}
