//! The shadow asked what the version in use was asked. Nothing here writes.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value as Json, json};
use tokio::runtime::Handle;
use trellis_model::{Batch, LookupError, Lookups, NamedRecord, ObjectName, RecordId};
use trellis_plugin_host::{CallContext, HookChange};

use super::{Asked, Observed, Shadow};
use crate::{
    Error, Result, View,
    compare::{AnswersDiff, Bands, DiffLimits, RowsDiff},
    decisions::{PluginInput, Sight, ask},
    hooks,
    lookups::{Answer, Question, Replaying},
    plugins::Enabled,
    run::{self, Withheld},
};

/// What a version came to.
pub(super) enum Outcome {
    Answers(AnswersDiff),
    Rows(RowsDiff),
    /// The version reads what was not shown to the other, or has no model yet, or does not offer what was asked.
    NotComparable,
}

/// Answers what the version in use asked too as it was answered then, and everything else as the records are now.
pub(super) struct Known {
    known: Replaying,
    live: Arc<dyn Lookups>,
}

impl Known {
    pub(super) fn new(known: BTreeMap<Question, Answer>, live: Arc<dyn Lookups>) -> Self {
        Self { known: Replaying(known), live }
    }

    fn by(&self, question: &Question) -> &dyn Lookups {
        if self.known.0.contains_key(question) { &self.known } else { &*self.live }
    }
}

impl Lookups for Known {
    fn get(&self, object: &ObjectName, id: RecordId) -> Result<Option<NamedRecord>, LookupError> {
        self.by(&Question::Get { object: object.clone(), id }).get(object, id)
    }

    fn find(
        &self,
        object: &ObjectName,
        filter: &Json,
        records_max: u32,
    ) -> Result<Vec<NamedRecord>, LookupError> {
        let question = Question::Find { object: object.clone(), filter: filter.to_string(), records_max };
        self.by(&question).find(object, filter, records_max)
    }

    fn count(&self, object: &ObjectName, filter: &Json) -> Result<u64, LookupError> {
        let question = Question::Count { object: object.clone(), filter: filter.to_string() };
        self.by(&question).count(object, filter)
    }
}

/// Asks the shadow what was observed, and compares. Blocks, on a thread that is none of the runtime's.
pub(super) fn compare(view: &View, handle: &Handle, shadow: &Shadow, observed: &Observed) -> Result<Outcome> {
    let candidate = &shadow.candidate;
    match &observed.asked {
        Asked::Rows { batch, results } => rows(view, shadow, &observed.at, batch, results),
        Asked::Work { answer, .. }
        | Asked::Suggest { answer, .. }
        | Asked::Close { answer, .. }
        | Asked::Save { answer, .. }
        | Asked::Next { answer, .. } => {
            let Some(after) = answered(view, handle, candidate, observed)? else {
                return Ok(Outcome::NotComparable);
            };
            let mut diff = AnswersDiff::default();
            diff.add(answer, &after);
            Ok(Outcome::Answers(diff))
        }
    }
}

/// What a version answers to what was observed; `None` where it cannot be asked that.
pub(super) fn answered(
    view: &View,
    handle: &Handle,
    enabled: &Enabled,
    observed: &Observed,
) -> Result<Option<Json>> {
    let Some((input, config)) = input(view, handle, enabled, observed)? else { return Ok(None) };
    let live = view.lookups(handle, &enabled.scope);
    // It may be granted less than the version that asked: what it would not be answered alike it asks itself.
    let sight = Sight::of(enabled.manifest(), &config, &view.schema(), &enabled.grants)?;
    let seen = sight.answers(observed.answers.clone());
    let alike = seen.into_iter().filter(|(question, answer)| observed.answers.get(question) == Some(answer));
    let lookups = Arc::new(Known::new(alike.collect(), live));
    ask(&enabled.plugin, &input, &config, &observed.at, lookups).map(Some)
}

fn input(
    view: &View,
    handle: &Handle,
    enabled: &Enabled,
    observed: &Observed,
) -> Result<Option<(PluginInput, String)>> {
    let own = || enabled.config.clone();
    let item = |record: &NamedRecord| {
        let accounts = view.lookups(handle, &hooks::account_lookups(enabled));
        hooks::work_item(enabled, record.clone(), &*accounts)
    };
    Ok(match &observed.asked {
        Asked::Work { record, .. } | Asked::Suggest { record, .. } | Asked::Close { record, .. }
            if !enabled.guides(record.object.as_str()) =>
        {
            None
        }
        Asked::Work { record, occurrence: None, .. } => Some((PluginInput::Triage(item(record)?), own())),
        Asked::Work { record, occurrence: Some(occurrence), .. } => {
            Some((PluginInput::Event(item(record)?, occurrence.clone()), own()))
        }
        Asked::Suggest { record, .. } => Some((PluginInput::Suggest(item(record)?), own())),
        Asked::Close { record, .. } => Some((PluginInput::CloseCheck(item(record)?), own())),
        Asked::Save { before, after, .. } => {
            let change = enabled.hook(after.object.as_str());
            // A hook that does not want to know of the change lets it through.
            let change =
                change.and_then(|hook| hooks::hook_change(enabled, hook, before.clone(), after.clone()));
            change.map(|change: HookChange| (PluginInput::BeforeSave(change), own()))
        }
        Asked::Next { campaign, config, batch, .. } => {
            let columns = run::dataset(enabled.manifest(), config)?.columns;
            let mut names: Vec<String> = columns.into_iter().map(|column| column.name).collect();
            names.extend(["variant".to_owned(), "status".to_owned()]);
            let has_all = names.iter().all(|name| batch.column(name).is_some());
            // It may be granted less than the version that was asked.
            let withheld = Withheld::of(enabled.manifest(), config, &view.schema(), &enabled.grants)?;
            let narrowed = || withheld.mask_customers(run::narrow(batch.clone(), &names));
            let mut campaign = campaign.clone();
            let sees = enabled.grants.allow_any("see:campaign(");
            campaign.fields.retain(|name, _| sees && enabled.shows(&campaign.object, name));
            has_all.then(|| {
                let input = PluginInput::NextAction { campaign, batch: narrowed() };
                (input, config.clone())
            })
        }
        Asked::Rows { .. } => None,
    })
}

fn rows(
    view: &View,
    shadow: &Shadow,
    at: &CallContext,
    batch: &Batch,
    results: &[(u64, Json)],
) -> Result<Outcome> {
    let models = shadow.models.lock().clone();
    let Some(models) = models else { return Ok(Outcome::NotComparable) };
    let candidate = &shadow.candidate;
    let columns = run::dataset(candidate.manifest(), &candidate.config)?.columns;
    let names: Vec<String> = columns.into_iter().map(|column| column.name).collect();
    if names.iter().any(|name| batch.column(name).is_none()) {
        return Ok(Outcome::NotComparable);
    }
    let (manifest, config) = (candidate.manifest(), &candidate.config);
    let withheld = Withheld::of(manifest, config, &view.schema(), &candidate.grants)?;
    let batch = withheld.mask_customers(run::narrow(batch.clone(), &names));
    let now = run::evaluate_rows(&candidate.plugin, &candidate.config, &models, batch, at)?;
    let mut now: BTreeMap<u64, Json> = now.into_iter().collect();
    let mut diff = RowsDiff::new(DiffLimits { rows_listed_max: 0, pairs_max: 0 }, Bands::default());
    for (ordinal, before) in results {
        diff.add(*ordinal, before, &now.remove(ordinal).unwrap_or_else(|| json!({})));
    }
    Ok(Outcome::Rows(diff))
}

/// Whether an error says that the version was asked what it does not offer, rather than that it failed.
pub(super) fn is_not_offered(error: &Error) -> bool {
    matches!(error, Error::CannotRun { .. })
}
