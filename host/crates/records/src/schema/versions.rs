//! What the schema was, version by version.

use serde_json::Value as Json;
use trellis_model::Actor;
use trellis_storage::ScanRange;

use super::SchemaDocument;
use super::change::{joined, scan};
use crate::codec::chunks;
use crate::keys::{self, Key, KeyKind};
use crate::{Error, Records, Result};

/// Rows that are read to find so many versions: most are one row.
const ROWS_MAX: usize = 200;

/// One change of the schema.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemaVersion {
    /// Its number.
    pub version: u64,
    /// Its log entry.
    pub log_number: u64,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub time_ms: i64,
    /// Who.
    pub actor: Actor,
    /// The objects that it changed.
    pub objects: Vec<String>,
    /// What it did, as [`super::SchemaStep::to_json`] writes it.
    pub steps: Json,
}

impl Records {
    /// Up to `limit` (at most 200) versions, the newest first: those before `after`.
    ///
    /// # Errors
    /// [`Error::Damaged`] where one cannot be read.
    pub async fn schema_versions(&self, after: Option<u64>, limit: usize) -> Result<Vec<SchemaVersion>> {
        let mut range = ScanRange::prefix(&Key::new(KeyKind::SchemaVersion).done()).reversed();
        if let Some(after) = after {
            range = range.after(&keys::schema_version(after, 0));
        }
        let mut versions = Vec::new();
        loop {
            let page = self.store().scan(range.clone(), ROWS_MAX).await?;
            for row in &page.rows {
                let Some((version, 0)) = numbers(&row.key) else { continue };
                versions.push(self.schema_version(version).await?);
                if versions.len() >= limit.clamp(1, ROWS_MAX) {
                    return Ok(versions);
                }
            }
            match page.rows.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => return Ok(versions),
            }
        }
    }

    async fn schema_version(&self, version: u64) -> Result<SchemaVersion> {
        let damaged = || Error::damaged(format!("schema version {version} cannot be read"));
        let prefix = Key::new(KeyKind::SchemaVersion).u64(version).done();
        let mut rows = scan(&**self.store(), &prefix).await?.into_iter();
        let first = rows.next().ok_or_else(damaged)?;
        let log_number = chunks::prefix(&first.value)?.0.stamp;
        let (body, _) = joined(&first, &mut rows)?;
        let json: Json = serde_json::from_slice(&body).map_err(|_| damaged())?;
        let entry = self.log_entry(log_number).await?.ok_or_else(damaged)?;
        let objects = json.get("objects").and_then(Json::as_array).into_iter().flatten();
        Ok(SchemaVersion {
            version,
            log_number,
            time_ms: entry.time_ms,
            actor: entry.actor,
            objects: objects.filter_map(Json::as_str).map(str::to_owned).collect(),
            steps: json.get("steps").cloned().unwrap_or_default(),
        })
    }

    /// All definitions as they were at a version; `None` where there is no such version.
    ///
    /// # Errors
    /// [`Error::Damaged`] where one cannot be read.
    pub async fn schema_at(&self, version: u64) -> Result<Option<SchemaDocument>> {
        if self.store().get(&keys::schema_version(version, 0)).await?.is_none() {
            return Ok(None);
        }
        let schema = self.schema();
        let mut objects = Vec::new();
        for object in schema.objects() {
            let prefix = keys::schema_objects_of(object.id).done();
            let range = ScanRange {
                start: prefix.clone(),
                end: Some(keys::schema_object(object.id, version + 1, 0)),
                reverse: true,
            };
            // Parts of one version follow each other; the last one that is found says which version it is.
            let found = self.store().scan(range, 1).await?.rows.pop();
            let Some((at, _)) = found.and_then(|row| numbers(&row.key)) else { continue };
            let of_version = keys::schema_objects_of(object.id).u64(at).done();
            let mut rows = scan(&**self.store(), &of_version).await?.into_iter();
            let first = rows.next().ok_or_else(|| Error::damaged("a version of a definition is missing"))?;
            let (body, _) = joined(&first, &mut rows)?;
            let json = serde_json::from_slice(&body)
                .map_err(|_| Error::damaged(format!("version {at} of {} cannot be read", object.name)))?;
            objects.push(json);
        }
        Ok(Some(SchemaDocument::of(objects)))
    }
}

/// The version and part that a key ends with.
fn numbers(key: &[u8]) -> Option<(u64, u16)> {
    let [v0, v1, v2, v3, v4, v5, v6, v7, p0, p1] = *key.last_chunk::<10>()?;
    Some((u64::from_be_bytes([v0, v1, v2, v3, v4, v5, v6, v7]), u16::from_be_bytes([p0, p1])))
}
