//! Actions one after the other, each committed together with the decision that wants it.

use trellis_model::{Action, ObjectName, RecordId, bilingual};
use trellis_records::{Caller, Error as RecordsError, Write};

use super::{
    Granted, Refusal,
    expand::{self, Step},
    stop,
};
use crate::{
    Error, Result,
    core::Core,
    decisions::{self, ActionOutcome, ActionState, Capsule, Decision},
    timers::{self, Owner, Plan, TimerName},
};

/// How often starting or ending a timer is tried again when others change it at the same time.
const TIMER_ATTEMPTS_MAX: usize = 8;

/// Bytes of a decision and its capsule in the write set of an action. A decision above it loses its capsule; one that is above it all the same
/// wants too much, and nothing of it is carried out.
const LEDGER_BYTES_MAX: usize = 512 << 10;

/// Whether the ledger has the decision as it stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Carried {
    /// It has.
    Recorded,
    /// It has not, or without log numbers and refusals: nothing depends on when it gets them.
    Unrecorded,
}

/// What became of one action.
struct Outcome {
    state: ActionState,
    refusal: Option<Refusal>,
    record: Option<(ObjectName, RecordId)>,
    log: Option<u64>,
}

/// One decision while its actions are carried out.
struct Carrying<'a> {
    core: &'a Core,
    decision: &'a mut Decision,
    capsule: &'a mut Option<Capsule>,
    caller: &'a Caller,
}

/// Carries out the actions of a decision that are still pending, in order. Where the chain of reactions is too long, none of them.
/// Takes the capsule once the ledger has it.
pub(crate) async fn carry_out(
    core: &Core,
    decision: &mut Decision,
    capsule: &mut Option<Capsule>,
    actions: &[Action],
    grants: &Granted<'_>,
    caller: &Caller,
) -> Result<Carried> {
    if !actions.is_empty() && caller.cause.depth > stop::DEPTH_MAX {
        stop::stop(core, decision, capsule, actions, caller).await?;
        return Ok(Carried::Recorded);
    }
    core.pruner.note(&core.records, 1);
    if !fits(core, decision, capsule)? {
        refuse_as_too_large(decision);
        return Ok(Carried::Unrecorded);
    }
    let mut carrying = Carrying { core, decision, capsule, caller };
    for (place, action) in actions.iter().enumerate() {
        if !carrying.is_pending(place) {
            continue;
        }
        let outcome = match grants(action) {
            Ok(()) => carrying.carry_out_one(place, action).await?,
            Err(refusal) => Outcome::refused(refusal),
        };
        if let Some(refusal) = &outcome.refusal {
            tracing::info!(
                decision = %carrying.decision.id, by = %carrying.decision.by.text().en, kind = action.kind(), code = refusal.code,
                "an action was refused"
            );
        }
        carrying.note(place, outcome);
    }
    Ok(Carried::Unrecorded)
}

/// Whether a decision fits into a write set, perhaps without its capsule, which goes then.
fn fits(core: &Core, decision: &mut Decision, capsule: &mut Option<Capsule>) -> Result<bool> {
    let bytes = |decision: &Decision, capsule: Option<&Capsule>| {
        let writes = ledger_writes(core, decision, capsule)?;
        Ok::<_, Error>(writes.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>())
    };
    if bytes(decision, capsule.as_ref())? <= LEDGER_BYTES_MAX {
        return Ok(true);
    }
    if capsule.take().is_some() {
        decision.has_capsule = false;
    }
    Ok(bytes(decision, None)? <= LEDGER_BYTES_MAX)
}

fn refuse_as_too_large(decision: &mut Decision) {
    let refusal = Refusal::new(
        "too_large",
        bilingual!(
            "the actions of one decision have at most {LEDGER_BYTES_MAX} bytes together",
            "一次决策的全部动作合计不得超过 {LEDGER_BYTES_MAX} 字节"
        ),
    );
    for action in &mut decision.actions {
        action.action = serde_json::json!({ "kind": action.kind });
        action.state = ActionState::Refused;
        (action.code, action.message) = (Some(refusal.code.to_owned()), Some(refusal.message.clone()));
    }
}

impl Carrying<'_> {
    fn is_pending(&self, place: usize) -> bool {
        let outcome = self.decision.actions.get(place);
        outcome.is_some_and(|outcome| outcome.state == ActionState::Pending)
    }

    async fn carry_out_one(&mut self, place: usize, action: &Action) -> Result<Outcome> {
        let owner = Owner::from(&self.decision.by);
        match expand::expand(self.core, owner, action).await? {
            Err(refusal) => Ok(Outcome::refused(refusal)),
            Ok(Step::Write { object, record, write }) => self.write(place, object, record, write).await,
            Ok(Step::Start { timer, due_ms }) => {
                let (core, cause) = (self.core, self.caller.cause.clone());
                let plan = || timers::plan_start(core, &timer, due_ms, &cause);
                self.change_timer(place, &timer, plan).await
            }
            Ok(Step::Cancel { timer }) => {
                let core = self.core;
                self.change_timer(place, &timer, || timers::plan_cancel(core, &timer)).await
            }
        }
    }

    async fn write(
        &mut self,
        place: usize,
        object: ObjectName,
        record: RecordId,
        write: Write,
    ) -> Result<Outcome> {
        let also = self.recorded(place, Outcome::applied(object.clone(), record, None))?;
        let written = self.core.records.write_batch_with(self.caller, vec![write], &|_| also.clone()).await;
        let written = written.and_then(|mut rows| rows.pop().expect("one result for each write"));
        match written {
            Ok(trellis_records::Written::Unchanged(_)) => Ok(Outcome::unchanged(Some((object, record)))),
            Ok(written) => {
                *self.capsule = None;
                let log = written.record().map(|record| record.last_log);
                Ok(Outcome::applied(object, record, log))
            }
            Err(error @ (RecordsError::Storage(_) | RecordsError::Damaged { .. })) => Err(error.into()),
            Err(error) => Ok(Outcome::refused(expand::refused(error))),
        }
    }

    async fn change_timer<F: Future<Output = Result<Plan>>>(
        &mut self,
        place: usize,
        timer: &TimerName,
        plan: impl Fn() -> F,
    ) -> Result<Outcome> {
        let schema = self.core.records.schema();
        let of = schema.object_by_id(timer.object).map(|object| (object.name.clone(), timer.record));
        for _ in 0..TIMER_ATTEMPTS_MAX {
            let mut set = match plan().await? {
                Plan::Commit(set) => set,
                Plan::Nothing => return Ok(Outcome::unchanged(of)),
                Plan::TooMany(timers_max) => {
                    return Ok(Outcome::refused(Refusal::new(
                        "too_many_timers",
                        bilingual!(
                            "the record has {timers_max} timers already",
                            "该记录已有 {timers_max} 个定时器"
                        ),
                    )));
                }
            };
            let outcome =
                || Outcome { state: ActionState::Applied, refusal: None, record: of.clone(), log: None };
            for (key, value) in self.recorded(place, outcome())? {
                set.put(key, value);
            }
            match self.core.records.commit(set, None).await {
                Ok(_) => {
                    *self.capsule = None;
                    self.core.timers.tell();
                    return Ok(outcome());
                }
                Err(RecordsError::Storage(trellis_storage::Error::PreconditionFailed { .. })) => {}
                Err(error) => return Err(Error::from(error)),
            }
        }
        Ok(Outcome::refused(expand::refused(RecordsError::Contended { attempts: TIMER_ATTEMPTS_MAX })))
    }

    /// The keys of the decision once one more of its actions is carried out.
    fn recorded(&self, place: usize, outcome: Outcome) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut decision = self.decision.clone();
        note(&mut decision, place, outcome);
        ledger_writes(self.core, &decision, self.capsule.as_ref())
    }

    fn note(&mut self, place: usize, outcome: Outcome) {
        note(self.decision, place, outcome);
    }
}

/// The keys of a decision, for a commit that it is part of.
pub(super) fn ledger_writes(
    core: &Core,
    decision: &Decision,
    capsule: Option<&Capsule>,
) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let schema = core.records.schema();
    let unknown = || trellis_records::Error::UnknownObject { name: decision.object.to_string() };
    let object = schema.object(decision.object.as_str()).ok_or_else(unknown)?;
    Ok(decisions::writes(object.id, decision, capsule))
}

/// Writes into a decision what became of one of its actions.
fn note(decision: &mut Decision, place: usize, outcome: Outcome) {
    if let Some(noted) = decision.actions.get_mut(place) {
        let (code, message) =
            outcome.refusal.map(|refusal| (refusal.code.to_owned(), refusal.message)).unzip();
        *noted = ActionOutcome {
            state: outcome.state,
            code,
            message,
            record: outcome.record,
            log: outcome.log,
            action: std::mem::take(&mut noted.action),
            kind: std::mem::take(&mut noted.kind),
        };
    }
}

impl Outcome {
    fn applied(object: ObjectName, record: RecordId, log: Option<u64>) -> Self {
        Self { state: ActionState::Applied, refusal: None, record: Some((object, record)), log }
    }

    fn unchanged(record: Option<(ObjectName, RecordId)>) -> Self {
        Self { state: ActionState::Unchanged, refusal: None, record, log: None }
    }

    fn refused(refusal: Refusal) -> Self {
        Self { state: ActionState::Refused, refusal: Some(refusal), record: None, log: None }
    }
}
