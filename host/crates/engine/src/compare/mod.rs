//! Versions of a plugin compared: a dry run beside what there is, a recorded run or decision done again by another version, the check of
//! an upgrade, a shadow that is evaluated beside the version in use, and what of all that lets a version be promoted.
//!
//! Everything here evaluates and returns data. What reads records is given a [`View`](crate::View), and none of the evaluating functions is given
//! anything that writes. What is written about a comparison are its own figures, by `shadow/store.rs`.

mod answers;
mod api;
mod check;
mod decisions;
mod job;
mod limits;
mod records;
mod rows;
mod shadow;
mod trial;
mod verdict;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use trellis_columns::AsOf;
use trellis_model::RecordId;

pub(crate) use answers::AnswersDiff;
pub(crate) use decisions::{Again, again};
pub(crate) use job::{remove_component, run};
pub use limits::CompareLimits;
pub(crate) use rows::{Bands, DiffLimits, RowsDiff};
pub use shadow::ShadowRequest;
pub(crate) use shadow::{Asked, Observed, Shadows, listed, start};
pub(crate) use trial::{Trial, Uses};
pub(crate) use verdict::{Figures, verdict};

/// What a dry run is asked for, where it differs from how the plugin is used.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DryRunRequest {
    /// The version; the one in use, or the newest one where none is.
    pub version: Option<Version>,
    /// Its configuration; that of the use, or the manifest's defaults.
    pub config: Option<Json>,
    /// What it is granted of what it asks for; what the use grants of it, or everything where there is no use.
    pub grants: Option<Vec<String>>,
    /// Up to when data counts; as the use says.
    pub as_of: Option<AsOf>,
    /// Records of each object that are shown to hooks and workflows, and customers that are evaluated; at most the configured limits.
    pub records_max: Option<u64>,
}

/// With what a run is done again.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplayWith {
    /// An installed version.
    Version(Version),
    /// A component that is not installed; it is loaded for this comparison only.
    Component(Vec<u8>),
}

/// A comparison as its job keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum StoredComparison {
    DryRun {
        plugin: String,
        version: String,
        /// JSON, defaults filled in.
        config: String,
        grants: Option<Vec<String>>,
        /// Days since 1970-01-01, or now.
        as_of: Option<i32>,
        records_max: Option<u64>,
    },
    /// `version` is empty where the component lies in the spool folder.
    Replay {
        plugin: String,
        run: [u8; 16],
        version: String,
        spooled: Option<String>,
    },
    Check {
        plugin: String,
        version: String,
    },
}

impl StoredComparison {
    pub(crate) fn plugin(&self) -> &str {
        match self {
            Self::DryRun { plugin, .. } | Self::Replay { plugin, .. } | Self::Check { plugin, .. } => plugin,
        }
    }

    /// The file in the spool folder that it reads.
    pub(crate) fn spooled(&self) -> Option<&str> {
        match self {
            Self::Replay { spooled, .. } => spooled.as_deref(),
            Self::DryRun { .. } | Self::Check { .. } => None,
        }
    }
}

/// The id of a run that somebody names.
pub(crate) fn id_of(bytes: [u8; 16]) -> RecordId {
    RecordId(uuid::Uuid::from_bytes(bytes))
}
