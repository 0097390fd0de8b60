//! Imports that people prepare: a file is uploaded and looked at, mapped, checked, mended row by row, and loaded in the end.
//!
//! A prepared import is a folder of files: the upload, what was decided about it, and what is wrong with its rows. It belongs to the user
//! who uploaded it, outlives a restart, and goes when nobody has touched it for long.

mod files;
mod prepare;
mod rows;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use trellis_model::RecordId;
use trellis_transfer::import::{Edits, MappingSpec, Profile, ReadOptions};

pub(crate) use files::Imports;
pub use rows::PreparedRow;
pub(crate) use work::run;

/// An import that somebody prepares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportSession {
    /// Its id.
    pub id: RecordKey,
    /// The user whose it is.
    pub user: RecordKey,
    /// The name of the file at the sender.
    pub file_name: String,
    /// When it was uploaded, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_at_ms: i64,
    /// When it was last changed.
    pub changed_at_ms: i64,
    /// What the file seems to be.
    pub profile: Profile,
    /// What becomes of its columns, once there is an object.
    pub mapping: Option<MappingSpec>,
    /// Whether the mapping is one that was saved for files like this.
    pub mapping_is_saved_one: bool,
    /// Whether rules, workflows and campaigns react to what is loaded.
    pub automations: bool,
    /// How far it is.
    pub state: ImportState,
    /// What people changed in its rows.
    pub edits: Edits,
    /// Rows that were changed since they were checked.
    pub unchecked: BTreeSet<u64>,
    /// What the last check came to: as the result of an import.
    pub checked: Json,
    /// The job that loads it.
    pub job: Option<RecordKey>,
}

/// How far a prepared import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// It can be changed.
    Draft,
    /// A job loads it, or has; nothing about it can be changed any more.
    Started,
}

impl ImportState {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Started => "started",
        }
    }
}

/// What shall be otherwise about a prepared import; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImportChange {
    /// What its rows become. The mapping is suggested anew where none comes with it.
    pub object: Option<String>,
    /// What becomes of its columns.
    pub mapping: Option<MappingSpec>,
    /// How the file is read. Rows that were edited are as in the file again.
    pub options: Option<ReadOptions>,
    /// Whether rules, workflows and campaigns react to what is loaded.
    pub automations: Option<bool>,
}

/// An id within a file of a prepared import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordKey(uuid::Uuid);

impl From<RecordId> for RecordKey {
    fn from(id: RecordId) -> Self {
        Self(id.0)
    }
}

impl From<RecordKey> for RecordId {
    fn from(key: RecordKey) -> Self {
        Self(key.0)
    }
}

impl std::fmt::Display for RecordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ImportSession {
    /// What tells files of the same kind: their columns, in order.
    pub fn signature(&self) -> String {
        signature(&self.profile)
    }

    /// Whether there is anything that people changed in a row.
    fn edited_rows(&self) -> usize {
        self.edits.cells.len() + self.edits.dropped.len()
    }
}

fn signature(profile: &Profile) -> String {
    let names: Vec<String> = profile.columns.iter().map(|column| column.name.to_lowercase()).collect();
    let mut digest = [0; 16];
    blake3::Hasher::new().update(names.join("\u{1f}").as_bytes()).finalize_xof().fill(&mut digest);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is wrong with rows, by their number: what the API writes.
type RowErrors = BTreeMap<u64, Vec<Json>>;
