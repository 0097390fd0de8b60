//! Single decisions made again by another version, from what was known then.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::{Decider, FieldName, NamedRecord, PluginId, RecordId, Text};
use trellis_plugin_host::{Manifest, Plugin, WorkItem};
use trellis_records::Schema;

use super::{AnswersDiff, Trial, Uses};
use crate::{
    DecisionQuery, Error, Result,
    decisions::{Capsule, CapsuleCall, PluginInput, Sight, ask},
    lookups::Replaying,
    plugins::{Grants, checked_config},
    run::narrow,
};

/// Decisions of a page.
const PAGE_ROWS: usize = 200;

/// What a version comes to from what was known at a decision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Again {
    pub(crate) recorded: Json,
    pub(crate) replayed: Json,
}

/// Makes a decision again with another version. Blocks.
///
/// # Errors
/// That a plugin did not decide it, that the version refuses the configuration of then, reads what was not recorded, or fails.
pub(crate) fn again(
    id: RecordId,
    candidate: &Plugin,
    capsule: Capsule,
    sees: (&Schema, &Grants),
) -> Result<Again> {
    let recorded = parsed(id, &capsule.output)?;
    let replayed = answer(id, candidate, capsule, sees)?;
    Ok(Again { recorded, replayed })
}

fn parsed(id: RecordId, output: &str) -> Result<Json> {
    serde_json::from_str(output)
        .map_err(|error| Error::Damaged { what: format!("capsule of decision {id}: {error}") })
}

fn answer(
    id: RecordId,
    candidate: &Plugin,
    capsule: Capsule,
    (schema, grants): (&Schema, &Grants),
) -> Result<Json> {
    let plugin = candidate.id();
    let CapsuleCall::Plugin { input, config, at } = capsule.call else {
        return Err(Error::InvalidRequest { reason: format!("decision {id} is not a plugin's") });
    };
    let config = checked_config(plugin, candidate, parsed(id, &config)?)?.to_string();
    let input = narrowed(id, plugin, (candidate, &config), input)?;
    let sight = Sight::of(candidate.manifest(), &config, schema, grants)?;
    sight.check(id, &input, &capsule.answers)?;
    ask(candidate, &input, &config, &at, Arc::new(Replaying(sight.answers(capsule.answers))))
}

/// What a version would have been told: no more fields and columns than it declares.
fn narrowed(
    id: RecordId,
    plugin: &PluginId,
    candidate: (&Plugin, &str),
    input: PluginInput,
) -> Result<PluginInput> {
    let manifest = candidate.0.manifest();
    Ok(match input {
        PluginInput::Eligible { campaign, batch } => {
            let batch = columns(id, plugin, candidate, batch, &[])?;
            PluginInput::Eligible { campaign: campaign_of(manifest, campaign), batch }
        }
        PluginInput::Variant { campaign, batch } => {
            let batch = columns(id, plugin, candidate, batch, &[])?;
            PluginInput::Variant { campaign: campaign_of(manifest, campaign), batch }
        }
        PluginInput::NextAction { campaign, batch } => {
            let batch = columns(id, plugin, candidate, batch, &["variant", "status"])?;
            PluginInput::NextAction { campaign: campaign_of(manifest, campaign), batch }
        }
        PluginInput::BeforeSave(mut change) => {
            if let Some(hook) = manifest.record_hook(&change.after.object) {
                change.after.fields.retain(|name, _| hook.fields.contains(name));
                change
                    .before
                    .iter_mut()
                    .for_each(|before| before.retain(|name, _| hook.fields.contains(name)));
            }
            PluginInput::BeforeSave(change)
        }
        PluginInput::Triage(item) => PluginInput::Triage(item_of(manifest, item)),
        PluginInput::Suggest(item) => PluginInput::Suggest(item_of(manifest, item)),
        PluginInput::CloseCheck(item) => PluginInput::CloseCheck(item_of(manifest, item)),
        PluginInput::Event(item, occurrence) => PluginInput::Event(item_of(manifest, item), occurrence),
    })
}

fn campaign_of(manifest: &Manifest, mut campaign: NamedRecord) -> NamedRecord {
    let declared = manifest.campaign_rules.as_ref();
    let is_declared = |name: &FieldName| declared.is_some_and(|used| used.campaign_fields.contains(name));
    campaign.fields.retain(|name, _| is_declared(name));
    campaign
}

fn item_of(manifest: &Manifest, mut item: WorkItem) -> WorkItem {
    // What it is asked without a workflow it answers that it does not offer one.
    let Some(workflow) = &manifest.service_workflow else { return item };
    item.item.fields.retain(|name, _| workflow.fields.contains(name));
    if let Some(account) = &mut item.account {
        account.fields.retain(|name, _| workflow.account_fields.contains(name));
    }
    item
}

fn columns(
    id: RecordId,
    plugin: &PluginId,
    (candidate, config): (&Plugin, &str),
    batch: trellis_model::Batch,
    also: &[&str],
) -> Result<trellis_model::Batch> {
    let declared = crate::run::dataset(candidate.manifest(), config)?.columns;
    let mut names: Vec<String> = declared.into_iter().map(|column| column.name).collect();
    names.extend(also.iter().map(|name| (*name).to_owned()));
    let missing: Vec<_> =
        names.iter().filter(|name| batch.column(name).is_none()).map(|name| format!("`{name}`")).collect();
    if !missing.is_empty() {
        return Err(Error::not_recorded(plugin, candidate.version(), ("decision", "决策", id), &missing));
    }
    Ok(narrow(batch, &names))
}

/// What came of making decisions again.
#[derive(Debug, Default)]
pub(super) struct Remade {
    pub(super) diff: AnswersDiff,
    pub(super) failed: u64,
    /// Decisions whose inputs are not kept, or may not be seen any more.
    pub(super) expired: u64,
    pub(super) listed: Vec<Json>,
    pub(super) errors: Vec<Json>,
    pub(super) uses: Uses,
}

/// Makes the last decisions of a plugin again. With `version`, the one in use, that is asked too, so that what both use can be compared.
pub(super) fn remake(
    trial: &Trial<'_>,
    plugin: &PluginId,
    version: Option<&Plugin>,
    candidate: &Plugin,
) -> Result<Remade> {
    let query = DecisionQuery { plugin: Some(plugin.clone()), ..DecisionQuery::default() };
    let (mut remade, mut after) = (Remade::default(), None);
    let schema = trial.view.schema();
    let sees = (&*schema, trial.grants);
    loop {
        let page = trial.wait(trial.view.decisions(&query, after, PAGE_ROWS))?;
        for decision in page.decisions {
            if looked_at(&remade) >= trial.limits.check_decisions_max as u64 {
                return Ok(remade);
            }
            (trial.check)()?;
            let Some(capsule) = trial.wait(trial.view.decision_capsule(decision.id))? else {
                remade.expired += 1;
                continue;
            };
            let before = version.filter(|version| is_by(version, &decision.by)).map(|version| {
                // Only for what it uses; that it decides so again is not the question here.
                let used = version.used();
                let _ = answer(decision.id, version, capsule.clone(), sees);
                version.used().since(used)
            });
            let used = candidate.used();
            match again(decision.id, candidate, capsule, sees) {
                Err(Error::InputsExpired { .. }) => remade.expired += 1,
                again => remade.add(trial, decision.id, again),
            }
            remade.uses.add(Uses { before, after: candidate.used().since(used) });
            (trial.progress)(looked_at(&remade), None);
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(remade),
        }
    }
}

fn is_by(version: &Plugin, by: &Decider) -> bool {
    matches!(by, Decider::Plugin { version: made_by, .. } if version.version().to_string() == *made_by)
}

fn looked_at(remade: &Remade) -> u64 {
    remade.diff.compared + remade.failed
}

impl Remade {
    fn add(&mut self, trial: &Trial<'_>, id: RecordId, again: Result<Again>) {
        match again {
            Ok(Again { recorded, replayed }) => {
                let differs = self.diff.add(&recorded, &replayed);
                if differs && self.listed.len() < trial.limits.rows_listed_max {
                    self.listed
                        .push(json!({ "decision": id.to_string(), "before": recorded, "after": replayed }));
                }
            }
            Err(error) => {
                self.failed += 1;
                if self.errors.len() < trial.failed_rows_max {
                    let (code, message) = (error.code(), error.to_string());
                    self.errors.push(json!({ "decision": id.to_string(), "code": code, "message": message }));
                }
            }
        }
    }

    pub(super) fn into_json(self) -> Json {
        let mut shown = self.diff.to_json();
        shown.insert("failed".to_owned(), (self.failed + self.diff.failed).into());
        shown.insert("expired".to_owned(), self.expired.into());
        shown.insert("first_decisions".to_owned(), self.listed.into());
        shown.insert("failures".to_owned(), self.errors.into());
        Json::Object(shown)
    }
}

/// Why a decision cannot be made again.
pub(crate) fn not_kept(id: RecordId) -> Error {
    Error::InputsExpired {
        run: id, reason: Text::new("its inputs were not kept", "未保留其输入数据")
    }
}
