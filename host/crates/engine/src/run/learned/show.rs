//! What models look like, as their plugins show them: asked when somebody wants to see it, and kept for the next one who does.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use trellis_model::{PluginId, bilingual};
use trellis_plugin_host::{LearnedBy, Plugin, Report};

use super::{choose, stored};
use crate::{
    Engine, Error, Result,
    blocking::blocking,
    core::Core,
    plugins::hex,
    run::{self, evaluator::PerInterface, models, serving},
};

/// What a plugin shows of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownModel {
    /// The plugin.
    pub plugin: PluginId,
    /// The version that shows it.
    pub version: String,
    /// BLAKE3 digest of the component that shows it, in hex.
    pub digest: String,
    /// The model's number; `None` for the model of a run that was before models had numbers.
    pub model: Option<u32>,
    /// For each interface that learned a part of it (`segmentation`, `scoring`) what that part is.
    pub reports: Vec<(LearnedBy, Arc<Report>)>,
}

/// Whose part of which model is shown, and by which component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    component: [u8; 32],
    learned_by: LearnedBy,
    model: [u8; 32],
}

/// Reports that were asked for lately. One depends on the bytes of component and model and nothing else, so it never grows old.
#[derive(Debug)]
pub(crate) struct ShownModels {
    bytes_max: usize,
    kept: Mutex<Kept>,
    /// What is being asked for now: of several who want the same, one asks.
    asking: Mutex<HashMap<Key, Weak<tokio::sync::Mutex<()>>>>,
}

/// Those that were asked for last at the end.
#[derive(Debug, Default)]
struct Kept {
    reports: VecDeque<(Key, Arc<Report>)>,
    bytes: usize,
}

/// Bytes that a report counts besides its own: an empty one is not free.
const ENTRY_BYTES: usize = 200;

fn bytes_of(report: &Report) -> usize {
    ENTRY_BYTES + report.bytes()
}

impl ShownModels {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, kept: Mutex::default(), asking: Mutex::default() }
    }

    fn get(&self, key: &Key) -> Option<Arc<Report>> {
        let reports = &mut self.kept.lock().reports;
        let place = reports.iter().position(|(known, _)| known == key)?;
        let found = reports.remove(place)?;
        let report = Arc::clone(&found.1);
        reports.push_back(found);
        Some(report)
    }

    /// Keeps a report, and as many of the others as there is room for.
    fn put(&self, key: Key, report: &Arc<Report>) {
        let kept = &mut *self.kept.lock();
        if let Some(place) = kept.reports.iter().position(|(known, _)| *known == key)
            && let Some((_, before)) = kept.reports.remove(place)
        {
            kept.bytes -= bytes_of(&before);
        }
        kept.bytes += bytes_of(report);
        kept.reports.push_back((key, Arc::clone(report)));
        while kept.bytes > self.bytes_max
            && let Some((_, oldest)) = kept.reports.pop_front()
        {
            kept.bytes -= bytes_of(&oldest);
        }
    }

    /// What whoever asks for a report holds meanwhile.
    fn turn(&self, key: &Key) -> Arc<tokio::sync::Mutex<()>> {
        let mut asking = self.asking.lock();
        asking.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = asking.get(key).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::<tokio::sync::Mutex<()>>::default();
        asking.insert(*key, Arc::downgrade(&turn));
        turn
    }
}

impl Engine {
    /// What a plugin shows of one of its models: by the version that learned it, or by the version in use where that one cannot.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::UnknownModel`], [`Error::ModelExpired`], [`Error::CannotRun`] where no version shows models,
    /// [`Error::ModelIncompatible`], [`Error::Plugin`].
    pub async fn model_report(&self, id: &PluginId, number: u32) -> Result<ShownModel> {
        let core = &self.core;
        check_known(core, id).await?;
        let unknown = || Error::UnknownModel { plugin: id.clone(), model: number };
        let learned = stored::get(&core.records, id, number).await?.ok_or_else(unknown)?;
        let by = shower(core, id, &learned.version, &learned.plugin_digest).await?;
        show(core, by, Some(number), &learned.digests).await
    }

    /// What a plugin shows of the model of its current results.
    ///
    /// # Errors
    /// As [`Engine::model_report`]; [`Error::NoModel`] where it was never run.
    pub async fn model_report_in_use(&self, id: &PluginId) -> Result<ShownModel> {
        let core = &self.core;
        check_known(core, id).await?;
        let serving = serving::serving(&core.records, id).await?;
        let (_, run) = serving.ok_or_else(|| Error::NoModel { plugin: id.clone() })?;
        let by = shower(core, id, &run.version, &run.plugin_digest).await?;
        show(core, by, run.model, &run.models).await
    }
}

async fn check_known(core: &Core, id: &PluginId) -> Result<()> {
    match run::is_known(core, id).await? {
        true => Ok(()),
        false => Err(Error::UnknownPlugin { id: id.to_string() }),
    }
}

/// Who shows a model: the component of this version and digest, else the version in use.
async fn shower(core: &Core, id: &PluginId, version: &str, digest: &[u8; 32]) -> Result<Arc<Plugin>> {
    let shows = |plugin: &Arc<Plugin>| plugin.model_report().is_some();
    if let Ok(version) = version.parse()
        && let Ok(plugin) = core.registry.version(id, &version).await
        && plugin.digest().as_bytes() == digest
        && shows(&plugin)
    {
        return Ok(plugin);
    }
    let in_use = core.registry.active(id).await.map(|active| active.plugin);
    in_use.ok().filter(shows).ok_or_else(|| Error::CannotRun {
        plugin: id.clone(),
        reason: bilingual!(
            "neither version {version}, whose model it is, nor a version in use offers the interface `model-report`",
            "学得该模型的版本 {version} 与在用版本均未提供接口 `model-report`"
        ),
    })
}

async fn show(
    core: &Arc<Core>,
    plugin: Arc<Plugin>,
    model: Option<u32>,
    digests: &PerInterface<[u8; 32]>,
) -> Result<ShownModel> {
    let mut reports = Vec::new();
    for (interface, digest) in digests.iter() {
        let Some(learned_by) = LearnedBy::named(interface) else { continue };
        let key = Key { component: *plugin.digest().as_bytes(), learned_by, model: *digest };
        // A model that is no longer kept is not shown from memory either.
        if !models::is_kept(&core.records, plugin.id(), digest).await? {
            return Err(gone(plugin.id(), model));
        }
        let report = match core.shown_models.get(&key) {
            Some(report) => report,
            None => ask(core, &plugin, model, &key).await?,
        };
        reports.push((learned_by, report));
    }
    Ok(ShownModel {
        plugin: plugin.id().clone(),
        version: plugin.version().to_string(),
        digest: hex(plugin.digest().as_bytes()),
        model,
        reports,
    })
}

fn gone(plugin: &PluginId, model: Option<u32>) -> Error {
    match model {
        Some(model) => Error::ModelExpired { plugin: plugin.clone(), model },
        None => Error::NoModel { plugin: plugin.clone() },
    }
}

/// Asks a plugin to show a model. Goes on to its end where whoever wanted it has left: it may take a while, and is kept for the next.
async fn ask(core: &Arc<Core>, plugin: &Arc<Plugin>, number: Option<u32>, key: &Key) -> Result<Arc<Report>> {
    let (core, plugin, key) = (Arc::clone(core), Arc::clone(plugin), *key);
    let asked = tokio::spawn(async move {
        let turn = core.shown_models.turn(&key);
        let _turn = turn.lock().await;
        if let Some(report) = core.shown_models.get(&key) {
            return Ok(report);
        }
        let bytes = models::get(&core.records, plugin.id(), &key.model).await?;
        let bytes = bytes.ok_or_else(|| gone(plugin.id(), number))?;
        let report = blocking("asking the plugin to show a model", move || {
            let shows = plugin.model_report();
            let shows = shows.ok_or_else(|| Error::not_offered(plugin.id(), "model-report"))?;
            let shown = shows.describe_model(key.learned_by, &bytes);
            shown.map_err(|error| choose::explained(error.into(), &plugin, number))
        });
        let report = Arc::new(report.await??);
        core.shown_models.put(key, &report);
        Ok(report)
    });
    asked.await.map_err(|error| Error::Internal {
        doing: "asking the plugin to show a model",
        reason: error.to_string(),
    })?
}

#[cfg(test)]
mod tests {
    use trellis_model::Text;

    use super::*;

    fn key(model: u8) -> Key {
        Key { component: [0; 32], learned_by: LearnedBy::Scoring, model: [model; 32] }
    }

    fn report(bytes: usize) -> Arc<Report> {
        Arc::new(Report { summary: Text::new("x".repeat(bytes), ""), ..Report::default() })
    }

    #[test]
    fn reports_that_nobody_asks_for_make_room_for_others() {
        let shown = ShownModels::new(2 * ENTRY_BYTES + 10);
        for model in [1, 2] {
            shown.put(key(model), &report(5));
        }
        assert!(shown.get(&key(1)).is_some());
        shown.put(key(3), &report(5));
        let kept = |model| shown.get(&key(model)).is_some();
        assert_eq!([1, 2, 3].map(kept), [true, false, true], "the second was not asked for since");
        shown.put(key(4), &report(2 * ENTRY_BYTES + 11));
        assert_eq!(
            [1, 3, 4].map(kept),
            [false, false, false],
            "one that is larger than all of it is not kept"
        );
        let other = Key { component: [1; 32], ..key(5) };
        shown.put(key(5), &report(1));
        assert_eq!(shown.get(&other), None, "another component may show it otherwise");
    }

    #[test]
    fn empty_reports_are_not_kept_without_end() {
        let shown = ShownModels::new(3 * ENTRY_BYTES);
        (0..10).for_each(|model| shown.put(key(model), &report(0)));
        (0..2).for_each(|_| shown.put(key(9), &report(0)));
        assert_eq!(shown.kept.lock().reports.len(), 3);
        assert_eq!(shown.kept.lock().bytes, 3 * ENTRY_BYTES);
    }

    #[test]
    fn of_several_who_want_the_same_one_asks() {
        let shown = ShownModels::new(0);
        let first = shown.turn(&key(1));
        assert!(Arc::ptr_eq(&first, &shown.turn(&key(1))));
        assert!(!Arc::ptr_eq(&first, &shown.turn(&key(2))));
        drop(first);
        shown.turn(&key(3));
        assert_eq!(shown.asking.lock().len(), 1, "nothing is left of those who have had theirs");
    }
}
