//! Service workflows that are asked before a record is closed, and what any call of one is shown.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use futures_util::future::BoxFuture;
use parking_lot::RwLock;
use serde_json::json;
use tokio::runtime::Handle;
use trellis_model::{
    FieldAccess, Language, LookupError, Lookups, NamedRecord, ObjectDefinition, ObjectId, ObjectName,
    ObjectScope, Reason, RowAccess, Scope, Text, Value,
};
use trellis_plugin_host::{
    Requirement, WorkItem,
    manifest::{AbsentPolicy, ServiceWorkflowUse},
};
use trellis_records::{Proposed, SaveContext, SaveHook, Veto};

use super::{
    absent, context as call_context,
    ledger::{About, Ledger, Refused, Withheld},
    record, shown,
};
use crate::{
    Error, Result,
    blocking::blocking,
    compare::{Asked, Observed},
    core::Core,
    decisions::{Capsule, DecisionKind, PluginInput, requirements_output},
    lookups::{RecordLookups, Recording, SaveView},
    plugins::Enabled,
};

/// The object whose records belong to those that are worked on.
const ACCOUNT: &str = "account";

/// Asks service workflows before records are closed.
#[derive(Debug)]
pub(super) struct CloseHook {
    core: Weak<Core>,
}

/// A record that is about to be closed, with the plugin that is asked about it.
struct Closing<'a> {
    core: &'a Arc<Core>,
    context: &'a Arc<SaveContext>,
    enabled: &'a Arc<Enabled>,
    object: &'a ObjectDefinition,
    row: usize,
    after: NamedRecord,
}

impl CloseHook {
    pub(super) fn new(core: &Arc<Core>) -> Self {
        Self { core: Arc::downgrade(core) }
    }

    async fn look(&self, context: &Arc<SaveContext>, rows: &[Proposed]) -> Result<(), Vec<Veto>> {
        let Some(core) = self.core.upgrade() else { return Ok(()) };
        let (schema, mut ledger) = (core.records.schema(), Ledger::default());
        for (number, row) in rows.iter().enumerate() {
            let Some(object) = schema.object_by_id(row.object) else { continue };
            for enabled in core.registry.enabled().iter() {
                if !enabled.checks_closing(object.name.as_str()) {
                    continue;
                }
                let Some(after) = schema.named(&record(row, context.now_ms())) else { continue };
                let before = row.before.as_ref().and_then(|before| schema.named(before));
                if closes(enabled, before.as_ref(), &after) {
                    let closing = Closing { core: &core, context, enabled, object, row: number, after };
                    closing.ask(&mut ledger).await;
                }
            }
        }
        for absent in core.registry.absent().iter() {
            absent::check_closing(absent, context, &schema, rows, &mut ledger);
        }
        ledger.close(&core, context).await
    }
}

/// Whether a change is one of those that close a record.
fn closes(enabled: &Enabled, before: Option<&NamedRecord>, after: &NamedRecord) -> bool {
    let workflow = enabled.manifest().service_workflow.as_ref();
    let Some(closed) = workflow.and_then(|workflow| workflow.closed.as_ref()) else { return false };
    let is_closed = |record: &NamedRecord| absent::is_closed(closed, record);
    is_closed(after) && !before.is_some_and(is_closed)
}

impl Closing<'_> {
    async fn ask(self, ledger: &mut Ledger) {
        let records = &self.core.records;
        let now_ms = self.context.now_ms();
        let at = call_context(self.core, records.ids().record_id(now_ms), now_ms);
        let save = SaveView {
            context: Arc::clone(self.context),
            own: Arc::new([(self.object.id, self.after.id)].into()),
            earlier: Arc::new(RwLock::new(BTreeMap::new())),
        };
        let handle = Handle::current();
        let lookups = Arc::new(RecordLookups::new(records, &handle, &self.enabled.scope, Some(save.clone())));
        let lookups = Recording::new(lookups);
        let account = account_lookups(self.enabled);
        let account = RecordLookups::new(records, &handle, &account, Some(save));
        let (enabled, call, asked) = (Arc::clone(self.enabled), at.clone(), Arc::clone(&lookups));
        let after = self.after.clone();
        let answered = blocking("asking a service workflow", move || {
            let item = work_item(&enabled, after, &account)?;
            let workflow = enabled
                .plugin
                .service_workflow()
                .ok_or_else(|| Error::not_offered(&enabled.id, "service-workflow"))?;
            let requirements = workflow.close_check(&item, &enabled.config, &call, asked)?;
            Ok((item, requirements))
        });
        let answered = answered.await.and_then(|answered| answered);
        if let Ok((_, requirements)) = &answered
            && !self.context.is_trial()
        {
            self.core.shadows.offer(&self.enabled.id, || Observed {
                plugin: self.enabled.id.clone(),
                asked: Asked::Close { record: self.after.clone(), answer: requirements_output(requirements) },
                at: at.clone(),
                answers: lookups.answers(),
            });
        }
        match answered {
            Ok((_, requirements)) if requirements.is_empty() => {}
            Ok((item, requirements)) => {
                let (config, answers) = (&self.enabled.config, lookups.answers());
                let output = requirements_output(&requirements);
                let withheld = shown::refusal(
                    self.enabled,
                    &self.context.caller().scope,
                    &shown::of_item(&item),
                    &answers,
                    requirements.first().and_then(|first| Some((&self.object.name, first.field.as_ref()?))),
                );
                let input = PluginInput::CloseCheck(item);
                let capsule = Capsule::plugin(input, config, &at, answers, &output);
                self.refuse(&requirements, withheld, capsule, ledger);
            }
            Err(error) => self.failed(&error, ledger),
        }
    }

    fn refuse(
        &self,
        requirements: &[Requirement],
        withheld: Option<Withheld>,
        capsule: Capsule,
        ledger: &mut Ledger,
    ) {
        let Some(first) = requirements.first() else { return };
        let reason = |requirement: &Requirement| Reason {
            code: requirement.code.clone(),
            text: requirement.message.clone(),
            weight: 1.0,
        };
        let refused = Refused {
            row: self.row,
            code: first.code.clone(),
            field: first.field.clone(),
            reason: joined(requirements),
            unavailable: false,
            withheld,
        };
        let reasons = requirements.iter().map(reason).collect();
        ledger.refuse(self.context, DecisionKind::CloseCheck, self.about(), refused, reasons, Some(capsule));
    }

    /// A record that cannot be checked is not closed, unless the plugin's use or manifest says otherwise: what the check is for would be lost without
    /// anybody noticing.
    fn failed(&self, error: &Error, ledger: &mut Ledger) {
        tracing::warn!(
            plugin = %self.enabled.plugin.plugin_version(), object = self.object.name.as_str(),
            "a close check failed: {error}"
        );
        if self.enabled.unchecked() == AbsentPolicy::Accept {
            let outcome = json!({ "not_judged": { "code": error.code(), "message": error.to_string() } });
            return ledger.note(self.context, DecisionKind::CloseCheck, self.about(), outcome, None);
        }
        let refused = Refused {
            row: self.row,
            code: error.code().replace('_', "-"),
            field: None,
            reason: Text::new(error.to_string(), ""),
            unavailable: true,
            withheld: shown::cannot_judge(self.enabled, &self.context.caller().scope, error.code()),
        };
        ledger.refuse(self.context, DecisionKind::CloseCheck, self.about(), refused, Vec::new(), None);
    }

    fn about(&self) -> About {
        About {
            by: self.enabled.decider(),
            digest: self.enabled.digest(),
            object: self.object.name.clone(),
            record: self.after.id,
        }
    }
}

/// All that is missing, in one sentence.
fn joined(requirements: &[Requirement]) -> Text {
    let join = |language: Language, separator: &str| {
        let texts = requirements.iter().map(|requirement| requirement.message.get(language));
        texts.collect::<Vec<_>>().join(separator)
    };
    Text::new(join(Language::En, " "), join(Language::ZhCn, ""))
}

/// What a workflow's look at the account of a record sees: the declared fields, where that was granted.
pub(crate) fn account_lookups(enabled: &Enabled) -> Arc<Scope> {
    let workflow = enabled.manifest().service_workflow.as_ref();
    let fields = workflow.map(|workflow| workflow.account_fields.clone()).unwrap_or_default();
    let nothing = Scope::nothing();
    let Ok(account) = ObjectName::new(ACCOUNT) else { return Arc::new(nothing) };
    let fields = enabled.hidden.shown(&account, &fields);
    if fields.is_empty() || !enabled.grants.allow_any(&format!("see:{ACCOUNT}(")) {
        return Arc::new(nothing);
    }
    let seen = ObjectScope {
        rows: RowAccess::All,
        readable: FieldAccess::Only(fields),
        writable: FieldAccess::Only([].into()),
    };
    Arc::new(nothing.with(account, seen))
}

/// What a service workflow is shown of a record: its declared fields, and the account that it is about. `accounts` are look-ups with what
/// [`account_lookups`] sees. Blocks.
pub(crate) fn work_item(
    enabled: &Enabled,
    mut item: NamedRecord,
    accounts: &dyn Lookups,
) -> Result<WorkItem> {
    let account = match item.fields.get(ACCOUNT) {
        Some(Value::Reference(id)) => Some(*id),
        _ => None,
    };
    let workflow: Option<&ServiceWorkflowUse> = enabled.manifest().service_workflow.as_ref();
    let object = item.object.clone();
    item.fields.retain(|name, _| {
        workflow.is_some_and(|workflow| workflow.fields.contains(name)) && enabled.shows(&object, name)
    });
    let account = match (account, ObjectName::new(ACCOUNT)) {
        (Some(id), Ok(object)) => accounts.get(&object, id),
        _ => Ok(None),
    };
    match account {
        Ok(mut account) => {
            if let (Some(account), Some(workflow)) = (&mut account, workflow) {
                account.fields.retain(|name, _| workflow.account_fields.contains(name));
            }
            Ok(WorkItem { item, account })
        }
        // It did not ask for the account, or was not granted it.
        Err(LookupError::Denied(_)) => Ok(WorkItem { item, account: None }),
        Err(error) => {
            Err(Error::Internal { doing: "reading the account of a record", reason: error.to_string() })
        }
    }
}

impl SaveHook for CloseHook {
    fn concerns(&self, object: ObjectId) -> bool {
        let Some(core) = self.core.upgrade() else { return false };
        let (enabled, absent) = (core.registry.enabled(), core.registry.absent());
        if enabled.is_empty() && absent.is_empty() {
            return false;
        }
        let schema = core.records.schema();
        let name = schema.object_by_id(object).map(|object| &object.name);
        name.is_some_and(|name| {
            enabled.iter().any(|enabled| enabled.checks_closing(name.as_str()))
                || absent.iter().any(|absent| absent.closed(name.as_str()).is_some())
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
