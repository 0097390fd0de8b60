//! Record hooks of plugins: each plugin that is enabled for an object judges its records, one plugin after another.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
};

use futures_util::future::BoxFuture;
use parking_lot::RwLock;
use serde_json::json;
use tokio::runtime::Handle;
use trellis_model::{FieldName, NamedRecord, ObjectDefinition, ObjectId, Reason, Text, bilingual};
use trellis_plugin_host::{
    CallContext, HookChange, Verdict,
    manifest::{AbsentPolicy, RecordHookUse},
};
use trellis_records::{Proposed, SaveContext, SaveHook, Schema, Veto};

use super::{
    absent, apply, context as call_context, is_changed,
    ledger::{About, Ledger, Refused},
    record, shown,
};
use crate::{
    Error, Result,
    blocking::blocking,
    compare::{Asked, Observed},
    core::Core,
    decisions::{Capsule, DecisionKind, PluginInput, fields_json, text_json, verdict_output},
    lookups::{RecordLookups, Recording, SaveView},
    plugins::Enabled,
};

/// Changes that one call judges; the interface's limit.
const CHANGES_MAX: usize = 200;

/// Shows records to the record hooks of plugins.
#[derive(Debug)]
pub(super) struct PluginHook {
    core: Weak<Core>,
}

/// The rows of one object while a plugin judges them.
struct Judging<'a> {
    core: &'a Arc<Core>,
    context: &'a Arc<SaveContext>,
    enabled: &'a Arc<Enabled>,
    hook: &'a RecordHookUse,
    object: &'a ObjectDefinition,
    schema: &'a Schema,
    keeps_capsules: bool,
}

/// What a plugin answered, and what it was told.
struct Answered {
    verdicts: Result<Vec<Verdict>>,
    at: CallContext,
    lookups: Arc<Recording>,
}

impl PluginHook {
    pub(super) fn new(core: &Arc<Core>) -> Self {
        Self { core: Arc::downgrade(core) }
    }

    async fn look(&self, context: &Arc<SaveContext>, rows: &mut [Proposed]) -> Result<(), Vec<Veto>> {
        let Some(core) = self.core.upgrade() else { return Ok(()) };
        let (schema, mut ledger) = (core.records.schema(), Ledger::default());
        let objects: BTreeSet<ObjectId> = rows.iter().map(|row| row.object).collect();
        for object in objects.into_iter().filter_map(|object| schema.object_by_id(object)) {
            for enabled in core.registry.enabled().iter() {
                let Some(hook) = enabled.hook(object.name.as_str()) else { continue };
                let keeps_capsules = rows.len() <= core.config.hook_capsule_rows_max;
                let judging =
                    Judging { core: &core, context, enabled, hook, object, schema: &schema, keeps_capsules };
                judging.judge(rows, &mut ledger).await;
                if ledger.has_vetoes() {
                    // What is left is asked again without the refused rows.
                    return ledger.close(&core, context).await;
                }
            }
            for absent in core.registry.absent().iter() {
                absent::judge(absent, context, (&schema, object), rows, &mut ledger);
            }
        }
        ledger.close(&core, context).await
    }
}

impl Judging<'_> {
    async fn judge(&self, rows: &mut [Proposed], ledger: &mut Ledger) {
        let asked: Vec<(usize, HookChange)> = rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.object == self.object.id)
            .filter_map(|(number, row)| Some((number, self.change(row)?)))
            .collect();
        for chunk in asked.chunks(CHANGES_MAX) {
            let answered = self.ask(rows, chunk).await;
            match &answered.verdicts {
                Ok(verdicts) => {
                    self.show_shadow(rows, chunk, verdicts, &answered);
                    for ((number, change), verdict) in chunk.iter().zip(verdicts) {
                        if let Some(row) = rows.get_mut(*number) {
                            self.follow(*number, row, change, verdict, &answered, ledger);
                        }
                    }
                }
                Err(error) => self.failed(chunk, error, ledger),
            }
        }
    }

    /// Has a shadow of the plugin compared with it. Rows are shown as they were when the plugin judged them.
    fn show_shadow(
        &self,
        rows: &[Proposed],
        chunk: &[(usize, HookChange)],
        verdicts: &[Verdict],
        answered: &Answered,
    ) {
        let shadows = &self.core.shadows;
        if self.context.is_trial() || !shadows.watches(&self.enabled.id) {
            return;
        }
        for ((number, _), verdict) in chunk.iter().zip(verdicts) {
            let Some(row) = rows.get(*number) else { continue };
            let before = row.before.as_ref().and_then(|before| self.schema.named(before));
            let Some(after) = self.schema.named(&record(row, self.context.now_ms())) else { continue };
            shadows.offer(&self.enabled.id, || Observed {
                plugin: self.enabled.id.clone(),
                asked: Asked::Save { before, after, answer: verdict_output(verdict) },
                at: answered.at.clone(),
                answers: answered.lookups.answers(),
            });
        }
    }

    /// What the plugin sees of a row; `None` where nothing changed that it wants to know of.
    fn change(&self, row: &Proposed) -> Option<HookChange> {
        let after = self.schema.named(&record(row, self.context.now_ms()))?;
        let before = row.before.as_ref().and_then(|before| self.schema.named(before));
        hook_change(self.enabled, self.hook, before, after)
    }

    async fn ask(&self, rows: &[Proposed], chunk: &[(usize, HookChange)]) -> Answered {
        let records = &self.core.records;
        let now_ms = self.context.now_ms();
        let at = call_context(self.core, records.ids().record_id(now_ms), now_ms);
        let save = SaveView {
            context: Arc::clone(self.context),
            own: Arc::new(rows.iter().map(|row| (row.object, row.id)).collect()),
            earlier: Arc::new(RwLock::new(BTreeMap::new())),
        };
        let lookups = RecordLookups::new(records, &Handle::current(), &self.enabled.scope, Some(save));
        let lookups = Recording::new(Arc::new(lookups));
        let changes: Vec<HookChange> = chunk.iter().map(|(_, change)| change.clone()).collect();
        let (enabled, call, asked) = (Arc::clone(self.enabled), at.clone(), Arc::clone(&lookups));
        let verdicts = blocking("asking a record hook", move || {
            let hook =
                enabled.plugin.record_hook().ok_or_else(|| Error::not_offered(&enabled.id, "record-hook"))?;
            Ok(hook.before_save(&changes, &enabled.config, &call, asked)?)
        });
        Answered { verdicts: verdicts.await.and_then(|verdicts| verdicts), at, lookups }
    }

    fn follow(
        &self,
        number: usize,
        row: &mut Proposed,
        change: &HookChange,
        verdict: &Verdict,
        answered: &Answered,
        ledger: &mut Ledger,
    ) {
        let about = || self.about(change);
        let capsule = || {
            let input = PluginInput::BeforeSave(change.clone());
            let (config, answers) = (&self.enabled.config, answered.lookups.answers());
            Capsule::plugin(input, config, &answered.at, answers, &verdict_output(verdict))
        };
        let capsule = self.keeps_capsules.then(capsule);
        match verdict {
            Verdict::Accept => {}
            Verdict::Patch(fields)
                if fields.keys().any(|field| !self.enabled.shows(&self.object.name, field)) =>
            {
                let reason = bilingual!(
                    "it changes personal data that it was not granted",
                    "插件修改了未授权给它的个人信息"
                );
                self.not_judged(number, change, "invalid-patch".to_owned(), reason, capsule, ledger);
            }
            Verdict::Patch(fields) => match self.schema.fields(&self.object.name, fields.clone()) {
                Ok(changes) => {
                    let outcome = json!({ "changes": fields_json(fields) });
                    apply(row, changes);
                    ledger.note(self.context, DecisionKind::Patch, about(), outcome, capsule);
                }
                Err(error) => {
                    let (code, reason) = ("invalid-patch".to_owned(), error.text());
                    self.not_judged(number, change, code, reason, capsule, ledger);
                }
            },
            Verdict::Failed(reason) => {
                let code = "plugin_fault".to_owned();
                self.not_judged(number, change, code, reason.clone(), None, ledger);
            }
            Verdict::Veto(refusal) => {
                let reason =
                    Reason { code: refusal.code.clone(), text: refusal.message.clone(), weight: 1.0 };
                let refused = Refused {
                    row: number,
                    code: refusal.code.clone(),
                    field: refusal.field.clone(),
                    reason: refusal.message.clone(),
                    unavailable: false,
                    withheld: shown::refusal(
                        self.enabled,
                        &self.context.caller().scope,
                        &shown::of_change(change),
                        &answered.lookups.answers(),
                        refusal.field.as_ref().map(|field| (&self.object.name, field)),
                    ),
                };
                ledger.refuse(self.context, DecisionKind::Veto, about(), refused, vec![reason], capsule);
            }
        }
    }

    /// The plugin failed: what becomes of the rows is what its use or its manifest says.
    fn failed(&self, chunk: &[(usize, HookChange)], error: &Error, ledger: &mut Ledger) {
        tracing::warn!(
            plugin = %self.enabled.plugin.plugin_version(), object = self.object.name.as_str(), rows = chunk.len(),
            "a record hook failed: {error}"
        );
        let text = Text::new(error.to_string(), "");
        for (number, change) in chunk {
            self.not_judged(*number, change, error.code().to_owned(), text.clone(), None, ledger);
        }
    }

    fn not_judged(
        &self,
        row: usize,
        change: &HookChange,
        code: String,
        reason: Text,
        capsule: Option<Capsule>,
        ledger: &mut Ledger,
    ) {
        let about = self.about(change);
        match self.enabled.unjudged(self.hook) {
            AbsentPolicy::Accept => {
                let outcome = json!({ "not_judged": { "code": code, "message": text_json(&reason) } });
                ledger.note(self.context, DecisionKind::Patch, about, outcome, capsule);
            }
            _ => {
                let withheld = shown::cannot_judge(self.enabled, &self.context.caller().scope, &code);
                let code = code.replace('_', "-");
                let refused = Refused { row, code, field: None, reason, unavailable: true, withheld };
                ledger.refuse(self.context, DecisionKind::Veto, about, refused, Vec::new(), capsule);
            }
        }
    }

    fn about(&self, change: &HookChange) -> About {
        About {
            by: self.enabled.decider(),
            digest: self.enabled.digest(),
            object: self.object.name.clone(),
            record: change.after.id,
        }
    }
}

/// What a record hook sees of a change; `None` where nothing changed that it wants to know of.
pub(crate) fn hook_change(
    enabled: &Enabled,
    hook: &RecordHookUse,
    mut before: Option<NamedRecord>,
    mut after: NamedRecord,
) -> Option<HookChange> {
    if !hook.when.iter().any(|field| is_changed(before.as_ref(), &after, field.as_str())) {
        return None;
    }
    let object = after.object.clone();
    let declared = |record: &mut NamedRecord| {
        let shows = |name: &FieldName| enabled.shows(&object, name);
        record.fields.retain(|name, _| hook.fields.contains(name) && shows(name));
    };
    declared(&mut after);
    before.iter_mut().for_each(declared);
    Some(HookChange { after, before: before.map(|before| before.fields) })
}

impl SaveHook for PluginHook {
    fn concerns(&self, object: ObjectId) -> bool {
        let Some(core) = self.core.upgrade() else { return false };
        let (enabled, absent) = (core.registry.enabled(), core.registry.absent());
        if enabled.is_empty() && absent.is_empty() {
            return false;
        }
        let schema = core.records.schema();
        let name = schema.object_by_id(object).map(|object| &object.name);
        name.is_some_and(|name| {
            enabled.iter().any(|enabled| enabled.hook(name.as_str()).is_some())
                || absent.iter().any(|absent| absent.hook(name.as_str()).is_some())
        })
    }

    fn before_save<'a>(
        &'a self,
        context: &'a Arc<SaveContext>,
        proposed: &'a mut [Proposed],
    ) -> BoxFuture<'a, Result<(), Vec<Veto>>> {
        Box::pin(self.look(context, proposed))
    }
}
