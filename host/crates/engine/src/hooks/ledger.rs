//! What hooks decided, on its way into the ledger of decisions.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::{Decider, FieldName, ObjectName, Reason, RecordId, Text};
use trellis_records::{SaveContext, Veto};

use crate::{
    core::Core,
    decisions::{self, Capsule, Decision, DecisionKind, NewDecision, text_json},
};

/// Bytes of decisions and capsules that hooks add to one write set; capsules beyond it are not kept.
const BYTES_MAX: usize = 512 << 10;
/// Refusals of one write set that are recorded; the others are only answered.
const REFUSALS_MAX: usize = 20;

/// Who decided about which record.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) by: Decider,
    pub(super) digest: [u8; 32],
    pub(super) object: ObjectName,
    pub(super) record: RecordId,
}

/// What one look of a hook came to.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Decisions that hold if the write set is committed.
    changes: Vec<NewDecision>,
    refusals: Vec<NewDecision>,
    vetoes: Vec<Veto>,
}

/// A refusal of a row.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) row: usize,
    pub(super) code: String,
    pub(super) field: Option<FieldName>,
    pub(super) reason: Text,
    pub(super) unavailable: bool,
    /// What the user who saves is told instead, where the reason may hold what this user may not see.
    pub(super) withheld: Option<Withheld>,
}

/// What a user is told in place of a reason.
#[derive(Debug)]
pub(super) struct Withheld {
    pub(super) code: String,
    pub(super) field: Option<FieldName>,
    pub(super) reason: Text,
}

impl Ledger {
    pub(super) fn has_vetoes(&self) -> bool {
        !self.vetoes.is_empty()
    }

    /// Notes what changed, or was let through.
    pub(super) fn note(
        &mut self,
        context: &SaveContext,
        kind: DecisionKind,
        about: About,
        outcome: Json,
        capsule: Option<Capsule>,
    ) {
        self.changes.push(decision(context, kind, about, outcome, Vec::new(), capsule));
    }

    /// Refuses a row for one or several reasons, of which the first has the code.
    pub(super) fn refuse(
        &mut self,
        context: &SaveContext,
        kind: DecisionKind,
        about: About,
        refused: Refused,
        reasons: Vec<Reason>,
        capsule: Option<Capsule>,
    ) {
        let Refused { row, code, field, reason, unavailable, withheld } = refused;
        let outcome = json!({
            "code": code,
            "field": field.as_ref().map(FieldName::as_str),
            "message": text_json(&reason),
            "unavailable": unavailable,
        });
        let by = about.by.clone();
        if self.refusals.len() < REFUSALS_MAX {
            self.refusals.push(decision(context, kind, about, outcome, reasons, capsule));
        }
        let told = withheld.unwrap_or(Withheld { code, field, reason });
        let Withheld { code, field, reason } = told;
        self.vetoes.push(Veto { by, code, reason, field, unavailable, row });
    }

    /// Hands the decisions over: those of refusals to the store, the others to the commit.
    pub(super) async fn close(self, core: &Arc<Core>, context: &SaveContext) -> Result<(), Vec<Veto>> {
        if context.is_trial() {
            return if self.vetoes.is_empty() { Ok(()) } else { Err(self.vetoes) };
        }
        if self.vetoes.is_empty() {
            self.add_to_commit(core, context);
            return Ok(());
        }
        let refusals: Vec<_> = self.refusals.into_iter().map(|refusal| identified(core, refusal)).collect();
        core.pruner.note_refusals(&core.records, refusals.len());
        if let Err(error) = decisions::put_all(&core.records, &refusals).await {
            tracing::error!("refusals cannot be recorded: {error}");
        }
        Err(self.vetoes)
    }

    fn add_to_commit(self, core: &Arc<Core>, context: &SaveContext) {
        let (count, mut bytes) = (self.changes.len(), 0);
        for change in self.changes {
            let (mut decision, capsule) = identified(core, change);
            let schema = core.records.schema();
            let Some(object) = schema.object(decision.object.as_str()) else { continue };
            let mut writes = decisions::writes(object.id, &decision, capsule.as_ref());
            let size = |writes: &[(Vec<u8>, Vec<u8>)]| {
                writes.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>()
            };
            if capsule.is_some() && bytes + size(&writes) > BYTES_MAX {
                decision.has_capsule = false;
                writes = decisions::writes(object.id, &decision, None);
            }
            bytes += size(&writes);
            writes.into_iter().for_each(|(key, value)| context.put(key, value));
        }
        if count > 0 {
            core.pruner.note(&core.records, count);
        }
    }
}

fn identified(core: &Core, decision: NewDecision) -> (Decision, Option<Capsule>) {
    let id = core.records.ids().record_id(decision.time_ms);
    decision.into_decision(id)
}

fn decision(
    context: &SaveContext,
    kind: DecisionKind,
    about: About,
    outcome: Json,
    reasons: Vec<Reason>,
    capsule: Option<Capsule>,
) -> NewDecision {
    let cause = &context.caller().cause;
    NewDecision {
        kind,
        time_ms: context.now_ms(),
        by: about.by,
        digest: about.digest,
        object: about.object,
        record: about.record,
        log: cause.log,
        depth: cause.depth,
        job: cause.job,
        outcome,
        reasons,
        actions: Vec::new(),
        capsule,
    }
}
