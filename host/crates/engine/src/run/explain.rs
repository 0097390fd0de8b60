//! Why a customer has its value: asked of the plugin when somebody wants to know.

use trellis_columns::Source;
use trellis_model::RecordId;
use trellis_records::Caller;

use super::{Explanation, Reason, ledger, models, plugin_run, spec};
use crate::{Error, Result, as_of, blocking::blocking, core::Core};

/// Asks the plugin, with the model of the current result, about the customer as the data is now (up to the run's fixed date, if it
/// had one).
pub(crate) async fn explain(
    core: &Core,
    caller: &Caller,
    segmentation: &str,
    id: RecordId,
) -> Result<Explanation> {
    let nothing =
        |reason: &str| Error::NoExplanation { name: segmentation.to_owned(), reason: reason.to_owned() };
    let info = core.columns.segmentation(segmentation).ok_or_else(|| nothing("does not exist"))?;
    let Source::Plugin { plugin: plugin_id, .. } = &info.definition.source else {
        return Err(nothing("is not a plugin's: its filter or its list says all"));
    };
    let record = core.records.find(&caller.scope, &info.definition.object, id).await?;
    let ordinal = record.ordinal.ok_or_else(|| nothing("is of an object without columns"))?;
    let current = info.current.ok_or_else(|| nothing("was never run"))?;
    let run = ledger::get(&core.records, plugin_id, current.run).await?;
    let run = run.ok_or_else(|| nothing("has a result whose run is not known"))?;
    let model = models::get(&core.records, plugin_id, &run.model).await?;
    let model = model.ok_or_else(|| nothing("has a result whose model is no longer kept"))?;
    let plugin = run.plugin(core, plugin_id).await?;
    let plugin = plugin.ok_or_else(|| nothing("was made by a version of its plugin that was replaced"))?;
    let as_of = as_of::from_days(run.as_of);
    core.columns.catch_up().await?;
    let batch = core.columns.dataset_rows(&spec::dataset(plugin.manifest())?, as_of, &[ordinal]).await?;
    let at = plugin_run::context(core, current.run, as_of);
    let reasons = blocking("asking the plugin for reasons", move || {
        if batch.rows == 0 {
            return Ok(Vec::new());
        }
        plugin_run::segmentation(&plugin)?.explain(&model, batch, &at).map_err(Error::from)
    })
    .await??;
    let reason = |reason: trellis_plugin_host::Reason| Reason {
        code: reason.code,
        text: reason.text,
        weight: reason.weight,
    };
    Ok(Explanation {
        run: current.run,
        value: core.columns.value_of(&caller.scope, segmentation, ordinal),
        reasons: reasons.into_iter().flatten().map(reason).collect(),
    })
}
