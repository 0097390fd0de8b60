//! How plugins are stored: `host/docs/formats/engine.md`. What a manifest says is read from the component itself; only what is
//! needed to name a plugin whose file is lost stands here too.

use serde::{Deserialize, Serialize};

use crate::jobs::StoredActor;

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoredVersion {
    V1(VersionV1),
}

/// An installed version of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct VersionV1 {
    pub(super) version: String,
    pub(super) digest: [u8; 32],
    pub(super) bytes: u64,
    pub(super) name_en: String,
    pub(super) name_zh_cn: String,
    pub(super) installed_at_ms: i64,
    pub(super) installed_by: StoredActor,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoredUse {
    V1(UseV1),
}

/// The configured use of a plugin: there is one a plugin for now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct UseV1 {
    pub(super) enabled: bool,
    pub(super) version: String,
    /// JSON, defaults filled in.
    pub(super) config: String,
    /// Days since 1970-01-01, or now.
    pub(super) as_of: Option<i32>,
    /// What was granted beyond what every plugin gets.
    pub(super) grants: Vec<String>,
    pub(super) changed_at_ms: i64,
    pub(super) changed_by: StoredActor,
}
