//! Which run's results serve: those of the newest run, unless somebody went back to an earlier version of the plugin, whose last run
//! serves until the next one.

use serde::{Deserialize, Serialize};
use serde_json::json;
use trellis_columns::{FlipRequest, GenerationId, Origin};
use trellis_model::{PluginId, RecordId};
use trellis_records::{Caller, Records};
use trellis_storage::WriteSet;

use super::{
    ledger::{self, RunRecord},
    models,
};
use crate::{Result, as_of, capsule, core::Core, keys, plugins::UseSettings, stored};

/// Runs among which one of the version that comes back is looked for.
const RUNS_MAX: usize = 200;

/// An earlier run that serves in place of the one that was the newest then.
#[derive(Debug, Serialize, Deserialize)]
enum StoredServing {
    V1 { run: [u8; 16], instead_of: [u8; 16] },
}

/// The run whose results serve.
pub(super) async fn serving(records: &Records, plugin: &PluginId) -> Result<Option<(RecordId, RunRecord)>> {
    let Some((newest, record)) = ledger::last(records, plugin).await? else { return Ok(None) };
    if let Some(found) = records.store().get(&keys::serving_run(plugin)).await? {
        let StoredServing::V1 { run, instead_of } =
            stored::decode(&found.value, || format!("serving run of `{plugin}`"))?;
        let run = RecordId(uuid::Uuid::from_bytes(run));
        if instead_of == *newest.as_bytes()
            && let Some(earlier) = ledger::get(records, plugin, run).await?
        {
            return Ok(Some((run, earlier)));
        }
    }
    Ok(Some((newest, record)))
}

/// As [`serve_again`], unless the plugin was run since a moment, in milliseconds since 1970-01-01T00:00:00Z.
pub(crate) async fn serve_since(
    core: &Core,
    caller: &Caller,
    plugin: &PluginId,
    (digest, settings): (&[u8; 32], &UseSettings),
    since_ms: i64,
) -> Result<()> {
    let newest = ledger::last(&core.records, plugin).await?;
    if newest.is_some_and(|(run, _)| capsule::time_ms(run) <= since_ms) {
        serve_again(core, caller, plugin, digest, settings).await?;
    }
    Ok(())
}

/// Makes the results of the last run of a version with a configuration serve again, and follow the data from then on. Returns
/// that run; `None` where there is none, or its results or models are not kept.
pub(crate) async fn serve_again(
    core: &Core,
    caller: &Caller,
    plugin: &PluginId,
    digest: &[u8; 32],
    settings: &UseSettings,
) -> Result<Option<RecordId>> {
    let records = &core.records;
    let (config, as_of) = (settings.config.to_string(), as_of::to_days(settings.as_of));
    let fits = |run: &RunRecord| run.plugin_digest == *digest && run.config == config && run.as_of == as_of;
    let runs = ledger::newest(records, plugin, None, RUNS_MAX).await?.0;
    let Some(newest) = runs.first().map(|(run, _)| *run) else { return Ok(None) };
    let current = serving(records, plugin).await?.map(|(run, _)| run);
    let Some((run, record)) = runs.into_iter().find(|(_, record)| fits(record)) else { return Ok(None) };
    if current == Some(run) {
        return Ok(Some(run));
    }
    if models::get_all(records, plugin, &record.models).await?.is_none() {
        return Ok(None);
    }
    let origin = Origin { actor: caller.actor.clone(), cause: caller.cause.clone() };
    let request = FlipRequest {
        run,
        baseline: true,
        as_of: as_of::from_days(record.as_of),
        data: json!({ "plugin": plugin.as_str(), "version": record.version, "rolled_back_to": run.to_string() }),
        origin: origin.clone(),
    };
    let mut set = WriteSet::new();
    let serving = StoredServing::V1 { run: *run.as_bytes(), instead_of: *newest.as_bytes() };
    set.put(keys::serving_run(plugin), stored::encode(&serving));
    match core.columns.flip_with(GenerationId(record.generation), request, set).await {
        Err(trellis_columns::Error::UnknownGeneration { .. }) => return Ok(None),
        other => drop(other?),
    }
    for generation in core.columns.pending_transitions() {
        core.columns.transitions(generation, &origin).await?;
    }
    Ok(Some(run))
}
