//! Before-save rules: each record is shown to the rules of its object in their order, and each sees what those before it changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
};

use futures_util::future::BoxFuture;
use parking_lot::RwLock;
use serde_json::json;
use tokio::runtime::Handle;
use trellis_model::{NamedRecord, ObjectDefinition, ObjectId, Reason, RecordId, bilingual};
use trellis_records::{FieldChanges, Proposed, SaveContext, SaveHook, Veto};
use trellis_rules::{BeforeSave, ErrorKind, Trigger};

use super::{
    apply,
    ledger::{About, Ledger, Refused},
    record, user,
};
use crate::{
    blocking::blocking,
    core::Core,
    decisions::{Capsule, CapsuleCall, DecisionKind, before_save_output, fields_json},
    lookups::{Overlay, RecordLookups, Recording, SaveView},
    rules::{Loaded, Rule, RuleCall, error_output},
};

/// Shows records to before-save rules.
#[derive(Debug)]
pub(super) struct RuleHook {
    core: Weak<Core>,
}

/// The rows of one write set while the rules look at them.
struct Judging {
    core: Arc<Core>,
    handle: Handle,
    context: Arc<SaveContext>,
    rules: Arc<Loaded>,
    own: Arc<BTreeSet<(ObjectId, RecordId)>>,
    earlier: Overlay,
    /// Whether inputs are kept: not for large write sets.
    keeps_capsules: bool,
    ledger: Ledger,
}

impl RuleHook {
    pub(super) fn new(core: &Arc<Core>) -> Self {
        Self { core: Arc::downgrade(core) }
    }

    async fn look(&self, context: &Arc<SaveContext>, rows: &mut [Proposed]) -> Result<(), Vec<Veto>> {
        let Some(core) = self.core.upgrade() else { return Ok(()) };
        let rules = match core.rules.fresh().await {
            Ok(rules) => rules,
            Err(error) => {
                tracing::error!("rules cannot be read, the last ones that could be are used: {error}");
                core.rules.current()
            }
        };
        if rows.iter().all(|row| rules.of(row.object, Trigger::BeforeSave).is_empty()) {
            return Ok(());
        }
        let judging = Judging {
            handle: Handle::current(),
            context: Arc::clone(context),
            rules,
            own: Arc::new(rows.iter().map(|row| (row.object, row.id)).collect()),
            earlier: Arc::new(RwLock::new(BTreeMap::new())),
            keeps_capsules: rows.len() <= core.config.hook_capsule_rows_max,
            ledger: Ledger::default(),
            core: Arc::clone(&core),
        };
        let mut judged = rows.to_vec();
        let permit = core.rules.permits.acquire().await;
        let done = blocking("asking rules", move || {
            let ledger = judging.judge(&mut judged);
            (judged, ledger)
        })
        .await;
        drop(permit);
        let (judged, ledger) = match done {
            Ok(done) => done,
            Err(error) => {
                // Rules catch their own panics, so this is a bug of the host; nothing may be saved unchecked.
                tracing::error!("rules ended by a panic: {error}");
                return Err(all_refused(&core, rows));
            }
        };
        rows.clone_from_slice(&judged);
        ledger.close(&core, context).await
    }
}

impl Judging {
    fn judge(mut self, rows: &mut [Proposed]) -> Ledger {
        let schema = self.core.records.schema();
        for (number, row) in rows.iter_mut().enumerate() {
            let Some(object) = schema.object_by_id(row.object).cloned() else { continue };
            self.judge_row(number, row, &object);
            let saved = record(row, self.context.now_ms());
            self.earlier.write().insert((row.object, row.id), saved);
        }
        self.ledger
    }

    /// Asks the rules of one row; the first that refuses is the last that is asked.
    fn judge_row(&mut self, number: usize, row: &mut Proposed, object: &Arc<ObjectDefinition>) {
        let (core, rules) = (Arc::clone(&self.core), Arc::clone(&self.rules));
        let schema = core.records.schema();
        let rules = rules.of(row.object, Trigger::BeforeSave);
        let before = row.before.as_ref().and_then(|before| schema.named(before));
        let Some(mut after) = schema.named(&record(row, self.context.now_ms())) else { return };
        for rule in rules {
            if !rule.wants(before.as_ref(), &after) {
                continue;
            }
            let call = self.call(rule, before.as_ref(), &after);
            let lookups = self.lookups(rule);
            let asked = call.clone();
            let decided =
                asked.before_save(core.rules.engine(), &rule.script, Arc::clone(object), lookups.clone());
            let changes = match decided {
                Ok(decided) if !decided.vetoes.is_empty() => {
                    return self.refuse(number, rule, call, &lookups, &decided);
                }
                Ok(decided) if decided.changes.is_empty() => continue,
                Ok(decided) => match schema.fields(&object.name, decided.changes.clone()) {
                    Ok(changes) => {
                        self.note(rule, call, &lookups, &decided);
                        changes
                    }
                    Err(error) => {
                        let reason = error.text();
                        let refused = Refused { reason, ..failed(number, false) };
                        let capsule =
                            self.capsule(call, &lookups, || before_save_output(&decided).to_string());
                        return self.ledger_refuse(rule, row.id, refused, capsule);
                    }
                },
                Err(error) => {
                    let unavailable = error.kind == ErrorKind::Unavailable;
                    let refused = Refused { reason: error.text(), ..failed(number, unavailable) };
                    let capsule = self.capsule(call, &lookups, || error_output(&error).to_string());
                    tracing::warn!(rule = %rule.id, object = object.name.as_str(), "a rule failed: {:?}", error.kind);
                    return self.ledger_refuse(rule, row.id, refused, capsule);
                }
            };
            change(row, &mut after, changes, object);
        }
    }

    fn call(&self, rule: &Rule, before: Option<&NamedRecord>, after: &NamedRecord) -> RuleCall {
        RuleCall {
            trigger: rule.trigger,
            source: Arc::clone(&rule.source),
            record: after.clone(),
            before: before.cloned(),
            event: None,
            hidden: rule.hidden.clone(),
            now_ms: self.context.now_ms(),
            time_zone: self.core.records.config().time_zone.iana_name().unwrap_or("UTC").to_owned(),
            user: user(&self.context),
        }
    }

    fn lookups(&self, rule: &Rule) -> Arc<Recording> {
        let records = &self.core.records;
        let save = SaveView {
            context: Arc::clone(&self.context),
            own: Arc::clone(&self.own),
            earlier: Arc::clone(&self.earlier),
        };
        Recording::new(Arc::new(RecordLookups::new(records, &self.handle, &rule.scope, Some(save))))
    }

    fn capsule(
        &self,
        call: RuleCall,
        lookups: &Recording,
        output: impl FnOnce() -> String,
    ) -> Option<Capsule> {
        let capsule =
            || Capsule { call: CapsuleCall::Rule(call), answers: lookups.answers(), output: output() };
        self.keeps_capsules.then(capsule)
    }

    fn note(&mut self, rule: &Rule, call: RuleCall, lookups: &Recording, decided: &BeforeSave) {
        let about = about(rule, call.record.id);
        let capsule = self.capsule(call, lookups, || before_save_output(decided).to_string());
        let outcome = json!({ "changes": fields_json(&decided.changes), "printed": decided.printed });
        let context = Arc::clone(&self.context);
        self.ledger.note(&context, DecisionKind::Rule, about, outcome, capsule);
    }

    fn refuse(
        &mut self,
        number: usize,
        rule: &Rule,
        call: RuleCall,
        lookups: &Recording,
        decided: &BeforeSave,
    ) {
        let record = call.record.id;
        let mut capsule = self.capsule(call, lookups, || before_save_output(decided).to_string());
        for veto in &decided.vetoes {
            let refused = Refused {
                row: number,
                code: veto.code.clone(),
                field: veto.field.clone(),
                reason: veto.message.clone(),
                unavailable: false,
                withheld: None,
            };
            self.ledger_refuse(rule, record, refused, capsule.take());
        }
    }

    fn ledger_refuse(&mut self, rule: &Rule, record: RecordId, refused: Refused, capsule: Option<Capsule>) {
        let (code, text) = (refused.code.clone(), refused.reason.clone());
        let reasons = vec![Reason { code, text, weight: 1.0 }];
        let context = Arc::clone(&self.context);
        self.ledger.refuse(&context, DecisionKind::Veto, about(rule, record), refused, reasons, capsule);
    }
}

fn about(rule: &Rule, record: RecordId) -> About {
    let (by, digest) = (rule.decider(), rule.script.digest());
    About { by, digest, object: rule.object.clone(), record }
}

/// A refusal by a rule that could not decide.
fn failed(row: usize, unavailable: bool) -> Refused {
    let code = if unavailable { "rule-unavailable" } else { "rule-error" };
    Refused {
        row,
        code: code.to_owned(),
        field: None,
        reason: Default::default(),
        unavailable,
        withheld: None,
    }
}

/// Writes a rule's changes over a row, and over what the next rule sees of it.
fn change(row: &mut Proposed, after: &mut NamedRecord, changes: FieldChanges, object: &ObjectDefinition) {
    for (field, value) in &changes {
        let Some(name) = object.field_by_id(*field).map(|field| field.name.clone()) else { continue };
        match value {
            Some(value) => after.fields.insert(name, value.clone()),
            None => after.fields.remove(&name),
        };
    }
    apply(row, changes);
}

fn all_refused(core: &Core, rows: &[Proposed]) -> Vec<Veto> {
    let rules = core.rules.current();
    let by = |row: &Proposed| rules.of(row.object, Trigger::BeforeSave).first().map(|rule| rule.decider());
    let veto = |(row, proposed): (usize, &Proposed)| {
        Some(Veto {
            by: by(proposed)?,
            code: "rule-unavailable".to_owned(),
            reason: bilingual!("rules could not be run", "规则无法运行"),
            field: None,
            unavailable: true,
            row,
        })
    };
    rows.iter().enumerate().filter_map(veto).collect()
}

impl SaveHook for RuleHook {
    fn concerns(&self, object: ObjectId) -> bool {
        self.core.upgrade().is_some_and(|core| core.rules.concerns(object))
    }

    fn before_save<'a>(
        &'a self,
        context: &'a Arc<SaveContext>,
        proposed: &'a mut [Proposed],
    ) -> BoxFuture<'a, Result<(), Vec<Veto>>> {
        Box::pin(self.look(context, proposed))
    }
}
