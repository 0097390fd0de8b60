//! How models are stored: `host/docs/formats/engine.md`. Their bytes stand elsewhere, by digest: [`super::super::models`].

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use trellis_model::{Actor, PluginId, RecordId};
use trellis_records::{Caller, EntryBody, NewEntry, Records};
use trellis_storage::{ScanRange, WriteSet};
use uuid::Uuid;

use super::ModelInfo;
use crate::{
    Error, Result, as_of,
    jobs::StoredActor,
    keys,
    plugins::hex,
    run::{evaluator::PerInterface, models},
    stored,
};

#[derive(Debug, Serialize, Deserialize)]
enum StoredModel {
    V1(Learned),
}

/// What a model was learned from, and what is said about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::run) struct Learned {
    pub(in crate::run) version: String,
    pub(in crate::run) plugin_digest: [u8; 32],
    /// JSON, defaults filled in.
    pub(in crate::run) config: String,
    /// Days since 1970-01-01, or now.
    pub(in crate::run) as_of: Option<i32>,
    /// The log entry up to which changes were in the data.
    pub(in crate::run) log_number: u64,
    pub(in crate::run) customers: u64,
    /// Digest of what each interface learned.
    pub(in crate::run) digests: PerInterface<[u8; 32]>,
    pub(in crate::run) bytes: u64,
    /// JSON: see [`crate::run::report::about`].
    pub(in crate::run) about: String,
    pub(in crate::run) job: [u8; 16],
    pub(in crate::run) learned_at_ms: i64,
    pub(in crate::run) learned_by: StoredActor,
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredPin {
    V1 { number: u32, at_ms: i64, by: StoredActor },
}

/// Whether a model is used and kept, beside what is stored of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) pinned: Option<u32>,
    pub(super) in_use: Option<u32>,
}

impl Learned {
    pub(in crate::run) fn about(&self) -> Result<Json> {
        parse("what is said about a model", &self.about)
    }

    pub(super) async fn info(
        self,
        records: &Records,
        plugin: &PluginId,
        number: u32,
        standing: Standing,
    ) -> Result<ModelInfo> {
        let mut kept = true;
        for (_, digest) in self.digests.iter() {
            kept &= models::is_kept(records, plugin, digest).await?;
        }
        let by = Actor::try_from(self.learned_by.clone());
        Ok(ModelInfo {
            number,
            plugin: plugin.clone(),
            digest: hex(&self.plugin_digest),
            config: parse("configuration of a model", &self.config)?,
            as_of: as_of::from_days(self.as_of),
            log_number: self.log_number,
            customers: self.customers,
            about: self.about()?,
            bytes: self.bytes,
            learned_at_ms: self.learned_at_ms,
            learned_by: by
                .map_err(|error| Error::Damaged { what: format!("who learned a model: {error}") })?,
            job: RecordId(Uuid::from_bytes(self.job)),
            kept,
            pinned: standing.pinned == Some(number),
            in_use: standing.in_use == Some(number),
            version: self.version,
        })
    }
}

fn parse(what: &str, text: &str) -> Result<Json> {
    serde_json::from_str(text).map_err(|error| Error::Damaged { what: format!("{what}: {error}") })
}

/// Gives a model its number and writes it down. A job that does so again gets the number that it had.
pub(in crate::run) async fn register(
    records: &Records,
    caller: &Caller,
    plugin: &PluginId,
    model: &Learned,
) -> Result<u32> {
    let last = last(records, plugin).await?;
    if let Some((number, known)) = &last
        && known.job == model.job
        && known.digests == model.digests
    {
        return Ok(*number);
    }
    let number = last.map_or(1, |(number, _)| number + 1);
    let key = keys::learned_model(plugin, number);
    let mut set = WriteSet::new();
    set.expect_absent(key.clone());
    stored::put(&mut set, &key, &stored::encode(&StoredModel::V1(model.clone())), 0);
    let data = json!({
        "plugin": plugin.as_str(),
        "version": model.version,
        "model": number,
        "customers": model.customers,
    });
    records.commit(set, Some(entry(caller, "model.learned", data))).await?;
    Ok(number)
}

pub(in crate::run) async fn get(
    records: &Records,
    plugin: &PluginId,
    number: u32,
) -> Result<Option<Learned>> {
    let key = keys::learned_model(plugin, number);
    match stored::get(records.store().as_ref(), &key).await? {
        Some((bytes, _)) => decode(plugin, number, &bytes).map(Some),
        None => Ok(None),
    }
}

/// The newest model of a plugin.
pub(in crate::run) async fn last(records: &Records, plugin: &PluginId) -> Result<Option<(u32, Learned)>> {
    Ok(newest(records, plugin, None, 1).await?.0.pop())
}

/// Up to `models_max` models of a plugin, the newest first: those after `after`; and whether more follow.
pub(super) async fn newest(
    records: &Records,
    plugin: &PluginId,
    after: Option<u32>,
    models_max: usize,
) -> Result<(Vec<(u32, Learned)>, bool)> {
    let store = records.store().as_ref();
    let mut range = ScanRange::prefix(&keys::learned_models(plugin)).reversed();
    if let Some(after) = after {
        range = range.after(&keys::learned_model(plugin, after));
    }
    let page = store.scan(range, models_max).await?;
    let mut found = Vec::with_capacity(page.rows.len());
    for row in &page.rows {
        let number = keys::model_number(&row.key)?;
        let (bytes, _) = stored::join(store, &row.key, &row.value).await?;
        found.push((number, decode(plugin, number, &bytes)?));
    }
    Ok((found, page.more))
}

/// The model that runs of a plugin use whatever is learned meanwhile.
pub(super) async fn pinned(records: &Records, plugin: &PluginId) -> Result<Option<u32>> {
    let Some(found) = records.store().get(&keys::model_pin(plugin)).await? else { return Ok(None) };
    let StoredPin::V1 { number, .. } =
        stored::decode(&found.value, || format!("pinned model of plugin `{plugin}`"))?;
    Ok(Some(number))
}

/// Has runs use a model, or (`None`) whatever they learn.
pub(super) async fn pin(
    records: &Records,
    caller: &Caller,
    plugin: &PluginId,
    number: Option<u32>,
) -> Result<()> {
    let (key, mut set) = (keys::model_pin(plugin), WriteSet::new());
    let event = match number {
        Some(number) => {
            let (at_ms, by) = (records.clock().now_ms(), StoredActor::from(&caller.actor));
            set.put(key, stored::encode(&StoredPin::V1 { number, at_ms, by }));
            "model.pinned"
        }
        None => {
            set.delete(key);
            "model.unpinned"
        }
    };
    let data = json!({ "plugin": plugin.as_str(), "model": number });
    records.commit(set, Some(entry(caller, event, data))).await?;
    Ok(())
}

fn entry(caller: &Caller, name: &str, data: Json) -> NewEntry {
    let body = EntryBody::Event { name: name.to_owned(), data };
    NewEntry { actor: caller.actor.clone(), cause: caller.cause.clone(), body }
}

fn decode(plugin: &PluginId, number: u32, bytes: &[u8]) -> Result<Learned> {
    let StoredModel::V1(model) = stored::decode(bytes, || format!("model {number} of plugin `{plugin}`"))?;
    Ok(model)
}
