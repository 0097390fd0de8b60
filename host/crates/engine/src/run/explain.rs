//! Why a customer has its value: asked of the plugin when somebody wants to know.

use std::sync::Arc;

use trellis_columns::{AsOf, ColumnSource, CurrentResult, Source as ResultSource};
use trellis_model::{Batch, ObjectName, PluginId, Reason, RecordId, RowAccess, Scope, Text};
use trellis_plugin_host::{CallContext, Plugin};
use trellis_records::Caller;

use super::{
    Explanation, ScoreExplanation, context, day,
    ledger::{self, RunRecord},
    models, spec,
};
use crate::{
    Error, Result, as_of,
    blocking::blocking,
    capsule::{self, Kind},
    core::Core,
    lookups::sees_datasets,
    segments,
};

/// Log entries after a run through which is looked for a change of the customer; with more, its data as it is now counts.
const ENTRIES_MAX: u64 = 50_000;

/// Why somebody is told nothing of a result that others may have explained.
const UNSEEN: (&str, &str) = ("is made of data that you may not see", "由您无权查看的数据得出");

/// A result of a plugin that somebody asks about.
struct Asked<'a> {
    core: &'a Core,
    name: &'a str,
    plugin_id: &'a PluginId,
    run_id: RecordId,
    run: RunRecord,
    plugin: Arc<Plugin>,
}

/// Which of a plugin's interfaces is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interface {
    Segmentation,
    Scoring,
}

/// Why a customer has its value in a segmentation.
pub(crate) async fn explain(
    core: &Core,
    caller: &Caller,
    segmentation: &str,
    id: RecordId,
) -> Result<Explanation> {
    let info = core.columns.segmentation(segmentation);
    let info = info.ok_or_else(|| nothing(segmentation, "does not exist", "不存在"))?;
    let ordinal = ordinal(core, caller, segmentation, &info.definition.object, id).await?;
    check_shown(segmentation, info.cleared)?;
    if let (Some(_), Some(current)) = (segments::filter_of(&info), info.current) {
        let reasons = segments::reasons(core, caller, &info, ordinal).await?;
        let reasons = reasons.ok_or_else(|| nothing(segmentation, UNSEEN.0, UNSEEN.1))?;
        let value = core.columns.value_of(&caller.scope, segmentation, ordinal);
        return Ok(Explanation { run: current.run, value, reasons });
    }
    let asked = Asked::find(core, segmentation, &info.definition.source, info.current.as_ref()).await?;
    asked.check_scope(&caller.scope)?;
    let reasons = asked.reasons(Interface::Segmentation, ordinal).await?;
    let value = core.columns.value_of(&caller.scope, segmentation, ordinal);
    Ok(Explanation { run: asked.run_id, value, reasons })
}

/// Why a customer has its value in a score.
pub(crate) async fn score_explain(
    core: &Core,
    caller: &Caller,
    score: &str,
    id: RecordId,
) -> Result<ScoreExplanation> {
    let info = core.columns.score(score).ok_or_else(|| nothing(score, "does not exist", "不存在"))?;
    let ordinal = ordinal(core, caller, score, &info.definition.object, id).await?;
    check_shown(score, info.cleared)?;
    let asked = Asked::find(core, score, &info.definition.source, info.current.as_ref()).await?;
    asked.check_scope(&caller.scope)?;
    let reasons = asked.reasons(Interface::Scoring, ordinal).await?;
    Ok(ScoreExplanation {
        score: info.definition.name.to_string(),
        run: asked.run_id,
        plugin: asked.plugin_id.clone(),
        version: asked.run.version.clone(),
        as_of: as_of::from_days(asked.run.as_of),
        value: core.columns.score_of(&caller.scope, score, ordinal),
        band: core.columns.band_of(&caller.scope, score, ordinal),
        reasons,
    })
}

/// What the model of a score does, in words. It tells of all customers, so who sees some of them only is not told.
pub(crate) async fn score_rules(core: &Core, caller: &Caller, score: &str) -> Result<Text> {
    let info = core.columns.score(score).ok_or_else(|| nothing(score, "does not exist", "不存在"))?;
    let asked = Asked::find(core, score, &info.definition.source, info.current.as_ref()).await?;
    asked.check_scope(&caller.scope)?;
    if caller.scope.of(&info.definition.object).rows != RowAccess::All {
        return Err(nothing(score, UNSEEN.0, UNSEEN.1));
    }
    let (model, plugin) = (asked.model(Interface::Scoring).await?, Arc::clone(&asked.plugin));
    blocking("asking the plugin for the rules of its model", move || {
        let scoring = plugin.scoring().ok_or_else(|| not_offered(&plugin, "scoring"))?;
        Ok(scoring.rules(&model)?)
    })
    .await?
}

fn nothing(name: &str, en: &str, zh_cn: &str) -> Error {
    Error::NoExplanation { name: name.to_owned(), reason: Text::new(en, zh_cn) }
}

/// Refuses to explain values that nobody is shown.
fn check_shown(name: &str, is_cleared: bool) -> Result<()> {
    if is_cleared {
        Err(nothing(name, "has no values until its plugin is back", "在插件恢复之前没有值"))
    } else {
        Ok(())
    }
}

fn not_offered(plugin: &Plugin, interface: &str) -> Error {
    Error::not_offered(plugin.id(), interface)
}

/// The ordinal of a record that the caller may see.
async fn ordinal(core: &Core, caller: &Caller, name: &str, object: &ObjectName, id: RecordId) -> Result<u64> {
    let record = core.records.find(&caller.scope, object, id).await?;
    record.ordinal.ok_or_else(|| nothing(name, "is of an object without columns", "所属对象没有列数据"))
}

impl<'a> Asked<'a> {
    async fn find(
        core: &'a Core,
        name: &'a str,
        source: &'a ResultSource,
        current: Option<&CurrentResult>,
    ) -> Result<Self> {
        let nothing = |en: &str, zh_cn: &str| nothing(name, en, zh_cn);
        let ResultSource::Plugin { plugin: plugin_id, .. } = source else {
            return Err(nothing("is not a plugin's: its list says all", "并非由插件得出：其名单已说明一切"));
        };
        let run_id = current.ok_or_else(|| nothing("was never run", "从未运行过"))?.run;
        let run = ledger::get(&core.records, plugin_id, run_id).await?;
        let run = run.ok_or_else(|| nothing("has a result whose run is not known", "的结果缺少运行记录"))?;
        let plugin = run.plugin(core, plugin_id).await?;
        let plugin = plugin.ok_or_else(|| {
            nothing(
                "was made by a version of its plugin that was removed or replaced",
                "由其插件的某个版本得出，而该版本已被移除或替换",
            )
        })?;
        Ok(Self { core, name, plugin_id, run_id, run, plugin })
    }

    /// Reasons may quote all that the plugin reads of a customer, and what it learned from further rows.
    fn check_scope(&self, user: &Scope) -> Result<()> {
        let manifest = spec::configured(self.plugin.manifest(), &self.run.config)?;
        match sees_datasets(user, &self.core.records.schema(), &manifest) {
            true => Ok(()),
            false => Err(nothing(self.name, UNSEEN.0, UNSEEN.1)),
        }
    }

    async fn model(&self, interface: Interface) -> Result<Vec<u8>> {
        let digest = match interface {
            Interface::Segmentation => self.run.models.segmentation,
            Interface::Scoring => self.run.models.scoring,
        };
        let digest =
            digest.ok_or_else(|| nothing(self.name, "has a result without a model", "的结果没有模型"))?;
        let model = models::get(&self.core.records, self.plugin_id, &digest).await?;
        model.ok_or_else(|| {
            nothing(self.name, "has a result whose model is no longer kept", "的结果所用模型已不再保留")
        })
    }

    /// Asks the plugin about a customer: with the data that the run saw, as far as that is kept and the customer was not evaluated
    /// again since; otherwise with the data as it is now (up to the run's fixed date, if it had one).
    async fn reasons(&self, interface: Interface, ordinal: u64) -> Result<Vec<Reason>> {
        let model = self.model(interface).await?;
        let (batch, at) = self.inputs(ordinal).await?;
        let plugin = Arc::clone(&self.plugin);
        let reasons = blocking("asking the plugin for reasons", move || {
            if batch.rows == 0 {
                return Ok(Vec::new());
            }
            match interface {
                Interface::Segmentation => {
                    let segmentation = plugin.segmentation();
                    let segmentation = segmentation.ok_or_else(|| not_offered(&plugin, "segmentation"))?;
                    Ok::<_, Error>(segmentation.explain(&model, batch, &at)?)
                }
                Interface::Scoring => {
                    let scoring = plugin.scoring().ok_or_else(|| not_offered(&plugin, "scoring"))?;
                    Ok(scoring.explain(&model, batch, &at)?)
                }
            }
        })
        .await??;
        Ok(reasons.into_iter().flatten().collect())
    }

    async fn inputs(&self, ordinal: u64) -> Result<(Batch, CallContext)> {
        let (core, as_of) = (self.core, as_of::from_days(self.run.as_of));
        let (manifest, config) = (self.plugin.manifest(), &self.run.config);
        if !core.registry.is_used(self.plugin_id) {
            return self.inputs_of_removed(ordinal).await;
        }
        let spec = spec::granted(core, manifest, config)?;
        if let Some(kept) = self.kept(&spec, ordinal).await? {
            return Ok(kept);
        }
        core.columns.catch_up().await?;
        let batch = core.columns.dataset_row(&spec, as_of, Some(ordinal)).await?;
        Ok((batch, context::of(core, self.run_id, as_of)))
    }

    /// What the run saw of the customer, for a plugin that was removed: nobody says any more what it may see of the data as it is now.
    async fn inputs_of_removed(&self, ordinal: u64) -> Result<(Batch, CallContext)> {
        let (core, manifest) = (self.core, self.plugin.manifest());
        let grants = core.registry.granted_again(self.plugin_id);
        let spec = spec::granted_by(manifest, &self.run.config, &core.records.schema(), &grants)?;
        self.kept(&spec, ordinal).await?.ok_or_else(|| {
            nothing(
                self.name,
                "was made by a plugin that was removed, of data that is no longer kept or has changed since: install and enable it to have its reasons",
                "由已移除的插件得出，当时的数据已不再保留或已有变化：重新安装并启用该插件后才能查看原因",
            )
        })
    }

    /// Whether the row of the customer may be another since the run.
    async fn has_changed(&self, spec: &trellis_columns::DatasetSpec, ordinal: u64) -> Result<bool> {
        let (mut after, head) = (self.run.log_number, self.core.records.log_head());
        while after < head {
            let (changed, to) = self.core.columns.changed_after(spec, after).await?;
            if changed.binary_search(&ordinal).is_ok() {
                return Ok(true);
            }
            if to == after {
                break;
            }
            after = to;
        }
        Ok(false)
    }

    /// What the run saw of the customer; `None` where that is not kept, or is not what the value was made of.
    async fn kept(
        &self,
        spec: &trellis_columns::DatasetSpec,
        ordinal: u64,
    ) -> Result<Option<(Batch, CallContext)>> {
        let core = self.core;
        // What the run saw and is withheld by now is not shown to the plugin again.
        if spec.columns.iter().any(|column| matches!(column.source, ColumnSource::Withheld(_))) {
            return Ok(None);
        }
        // No log entry tells that a score or segmentation that it reads is another.
        if spec.columns.iter().any(|column| matches!(column.source, ColumnSource::Published(_))) {
            return Ok(None);
        }
        let Some(digest) = capsule::digest_of(&core.records, self.plugin_id, self.run_id).await? else {
            return Ok(None);
        };
        if as_of::from_days(self.run.as_of) == AsOf::Now {
            let is_new_day = day::today(core) > self.run.as_of_day && day::moves_with_time(core, spec);
            if is_new_day || core.records.log_head() > self.run.log_number + ENTRIES_MAX {
                return Ok(None);
            }
            if self.has_changed(spec, ordinal).await? {
                return Ok(None);
            }
        }
        let (capsules, run) = (core.capsules.clone(), self.run_id);
        let found = blocking("reading a capsule", move || {
            let mut reader = capsules.reader(&digest)?;
            let at = reader.header().at.context(run);
            let frame = reader.of_ordinal(Kind::Inputs, ordinal)?;
            let batch = frame.map(|frame| capsule::batch_of(&frame)).transpose()?;
            Ok::<_, capsule::Unusable>((batch.map(|batch| row_of(&batch, ordinal)).unwrap_or_default(), at))
        })
        .await?;
        match found {
            Ok(kept) => Ok(Some(kept)),
            Err(why) => {
                tracing::warn!(run = %self.run_id, "explained with the data as it is now: {}", why.0.en);
                Ok(None)
            }
        }
    }
}

/// The batch of one row; an empty one where the ordinal has none.
fn row_of(batch: &Batch, ordinal: u64) -> Batch {
    match batch.ordinals.binary_search(&ordinal) {
        Ok(row) => batch.pick(&[row]),
        Err(_) => Batch::default(),
    }
}
