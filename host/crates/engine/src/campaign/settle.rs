//! Settling customers: what the plugin says becomes the members' state, and what it wants next is carried out.
//!
//! A member's change and the decision about its next actions are one commit; carrying the actions out then goes on from the ledger
//! (see `actions`). So a run or reaction that is done again after a stop finds what it did and repeats nothing.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;
use trellis_model::{Batch, Cause, RecordId};
use trellis_plugin_host::CallContext;
use trellis_records::{Caller, Error as RecordsError, Write};
use trellis_storage::WriteSet;

use super::{
    change::{Change, Verdict, change},
    deciding::Deciding,
    ids::Occasion,
    members::{self, Member},
    next::{self, Asked, Belongs},
    object,
};
use crate::{
    Result, actions,
    core::Core,
    decisions::{self, ActionState, Capsule, Decision, DecisionKind, NewDecision, PluginInput},
};

/// Members that are written at once.
const WRITES_MAX: usize = 200;
/// Refused changes of members that are named in the result; the others are counted.
const REFUSALS_MAX: usize = 20;

/// A customer that is to be settled.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    pub(super) account: RecordId,
    /// Its row in the batch; `None` for one that the campaign does not look at any more.
    pub(super) row: Option<usize>,
    pub(super) verdict: Verdict,
    pub(super) member: Option<Member>,
    /// Whether the plugin is asked what comes next although nothing changes by what it says.
    pub(super) ask: bool,
}

/// What settling is about.
#[derive(Clone, Copy)]
pub(super) struct Settling<'a> {
    pub(super) core: &'a Core,
    pub(super) deciding: &'a Arc<Deciding>,
    pub(super) at: &'a CallContext,
    pub(super) occasion: &'a Occasion,
    pub(super) cause: &'a Cause,
    /// Asked between members; an error ends the settling, which can be done again.
    pub(super) check: &'a (dyn Fn() -> Result<()> + Sync),
}

/// What became of customers.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Changes of members by name.
    pub(super) changes: BTreeMap<&'static str, u64>,
    /// Members that somebody else changed meanwhile.
    pub(super) conflicts: u64,
    /// Changes that rules, hooks or limits refused.
    pub(super) refused: u64,
    /// The first of them: account, code, message.
    pub(super) refusals: Vec<(RecordId, RecordsError)>,
    /// Decisions about next actions.
    pub(super) decided: u64,
    /// Decisions that were recorded since the ledger was last told.
    recorded: usize,
    /// Actions by what became of them.
    pub(super) actions: BTreeMap<&'static str, u64>,
}

/// A customer with what becomes of it.
struct Settled {
    customer: Customer,
    change: Option<Change>,
    /// The member afterwards.
    after: Option<Member>,
    next: Option<NewDecision>,
}

impl Settling<'_> {
    /// Settles customers of a batch.
    pub(super) async fn settle(
        &self,
        batch: &Batch,
        customers: Vec<Customer>,
        tally: &mut Tally,
    ) -> Result<()> {
        let mut settled: Vec<Settled> =
            customers.into_iter().map(|customer| self.settled(customer)).collect();
        self.go_on(&mut settled, tally).await?;
        self.ask(batch, &mut settled).await?;
        let (with_next, plain): (Vec<_>, Vec<_>) =
            settled.into_iter().partition(|settled| settled.next.is_some());
        let plain: Vec<_> = plain.into_iter().filter(|settled| settled.change.is_some()).collect();
        for part in plain.chunks(WRITES_MAX) {
            (self.check)()?;
            self.write_plain(batch, part, tally).await?;
        }
        for settled in with_next {
            (self.check)()?;
            self.write_with_next(batch, settled, tally).await?;
        }
        self.core.pruner.note(&self.core.records, std::mem::take(&mut tally.recorded));
        Ok(())
    }

    fn settled(&self, customer: Customer) -> Settled {
        let change = change(customer.account, customer.member.as_ref(), &customer.verdict);
        let id = self.occasion.member(customer.account);
        let after = change.as_ref().map(|change| change.after(id)).or_else(|| customer.member.clone());
        Settled { customer, change, after, next: None }
    }

    fn is_asked(&self, settled: &Settled) -> bool {
        let is_news = matches!(settled.change, Some(Change::Create { .. } | Change::Plan { .. }));
        self.deciding.is_active
            && settled.customer.row.is_some()
            && (is_news || settled.customer.ask)
            && settled.after.as_ref().is_some_and(next::is_open)
    }

    /// Carries out what a stop of the server left pending of the same occasion, and asks nothing again about those customers.
    async fn go_on(&self, settled: &mut [Settled], tally: &mut Tally) -> Result<()> {
        for settled in settled {
            let Some(member) = settled.customer.member.clone().filter(|_| self.deciding.is_active) else {
                continue;
            };
            let id = self.occasion.next_action(member.account);
            let Some(mut decision) = decisions::get(&self.core.records, id).await? else { continue };
            settled.customer.ask = false;
            let wanted = actions::pending(&self.core.records.schema(), &decision)?;
            self.carry_out(&mut decision, &wanted, tally).await?;
        }
        Ok(())
    }

    async fn ask(&self, batch: &Batch, settled: &mut [Settled]) -> Result<()> {
        let asked = settled
            .iter()
            .filter(|settled| self.is_asked(settled))
            .filter_map(|settled| Some(Asked { row: settled.customer.row?, member: settled.after.clone()? }));
        let asked: Vec<_> = asked.collect();
        let belongs = Belongs { cause: self.cause, now_ms: self.core.records.clock().now_ms() };
        let mut decided =
            next::decide(&self.core.shadows, self.deciding, self.at, batch, &asked, belongs).await?;
        for settled in settled {
            settled.next = decided.remove(&settled.customer.account);
        }
        Ok(())
    }

    async fn write_plain(&self, batch: &Batch, settled: &[Settled], tally: &mut Tally) -> Result<()> {
        let write = |settled: &Settled| match (&settled.change, &settled.after) {
            (Some(change), Some(after)) => {
                members::write(self.core, self.deciding.id, change, after).map(Some)
            }
            _ => Ok(None),
        };
        let writes =
            settled.iter().filter_map(|settled| write(settled).transpose()).collect::<Result<_>>()?;
        let results = self.core.records.write_batch(&self.caller(), writes).await?;
        let mut set = WriteSet::new();
        for (settled, result) in settled.iter().zip(results) {
            let is_written = tally.note(settled, result.map(drop));
            if let Some(decision) = self.eligibility(batch, settled).filter(|_| is_written) {
                self.record(&mut set, decision)?;
                tally.recorded += 1;
            }
        }
        if !set.is_empty() {
            self.core.records.commit(set, None).await?;
        }
        Ok(())
    }

    async fn write_with_next(&self, batch: &Batch, mut settled: Settled, tally: &mut Tally) -> Result<()> {
        let Some(next) = settled.next.take() else { return Ok(()) };
        let wanted = next.actions.clone();
        let (mut decision, capsule) = next.into_decision(self.occasion.next_action(settled.customer.account));
        match (&settled.change, &settled.after) {
            (Some(change), Some(after)) => {
                let write = members::write(self.core, self.deciding.id, change, after)?;
                let mut also = self.keys(&decision, capsule.as_ref())?;
                if let Some((eligibility, capsule)) = self.eligibility(batch, &settled) {
                    also.extend(self.keys(&eligibility, capsule.as_ref())?);
                }
                if !self.write_one(&settled, write, also, tally).await? {
                    return Ok(());
                }
            }
            _ => decisions::put(&self.core.records, &decision, capsule.as_ref()).await?,
        }
        self.carry_out(&mut decision, &wanted, tally).await
    }

    async fn write_one(
        &self,
        settled: &Settled,
        write: Write,
        also: Vec<(Vec<u8>, Vec<u8>)>,
        tally: &mut Tally,
    ) -> Result<bool> {
        let results =
            self.core.records.write_batch_with(&self.caller(), vec![write], &|_| also.clone()).await?;
        Ok(results.into_iter().all(|result| tally.note(settled, result.map(drop))))
    }

    async fn carry_out(
        &self,
        decision: &mut Decision,
        wanted: &[trellis_model::Action],
        tally: &mut Tally,
    ) -> Result<()> {
        let enabled = &self.deciding.enabled;
        let grants =
            |action: &trellis_model::Action| actions::for_plugin(enabled.manifest(), &enabled.grants, action);
        actions::apply(self.core, decision, None, wanted, &grants, &self.caller()).await?;
        tally.decided += 1;
        tally.recorded += 1;
        for action in &decision.actions {
            *tally.actions.entry(action.state.as_str()).or_default() += 1;
        }
        let is_contact = |kind: &str| matches!(kind, "create-task" | "send-message");
        let contacted = decision
            .actions
            .iter()
            .any(|action| action.state == ActionState::Applied && is_contact(&action.kind));
        if contacted { self.note_contact(decision.record).await } else { Ok(()) }
    }

    /// A planned member with a message or task is contacted: plugins know no ids of members, so the host says it.
    async fn note_contact(&self, member: RecordId) -> Result<()> {
        let Some(member) = members::get(self.core, member).await? else { return Ok(()) };
        if member.status != "planned" {
            return Ok(());
        }
        let write = members::contacted(self.core, &member)?;
        for result in self.core.records.write_batch(&self.caller(), vec![write]).await? {
            if let Err(error) = result {
                tracing::warn!(member = %member.id, code = error.code(), "a contact was not noted: {error}");
            }
        }
        Ok(())
    }

    /// The decision that a member takes part after all, or not; new members are covered by the run's capsule.
    fn eligibility(&self, batch: &Batch, settled: &Settled) -> Option<(Decision, Option<Capsule>)> {
        let row = settled.customer.row?;
        let (member, eligible, cause) = match settled.change.as_ref()? {
            Change::Create { .. } => return None,
            Change::Suppress { member, cause } => (member, false, cause.clone()),
            Change::Plan { member } => (member, true, None),
        };
        let deciding = self.deciding;
        let input = PluginInput::Eligible { campaign: deciding.seen.clone(), batch: batch.pick(&[row]) };
        let output = json!({ "eligible": [eligible], "causes": [cause] });
        let new = NewDecision {
            kind: DecisionKind::Eligibility,
            time_ms: self.core.records.clock().now_ms(),
            by: deciding.decider(),
            digest: deciding.digest(),
            object: object("campaign_member"),
            record: member.id,
            log: self.cause.log,
            depth: self.cause.depth,
            job: self.cause.job,
            outcome: json!({ "eligible": eligible, "cause": cause }),
            reasons: Vec::new(),
            actions: Vec::new(),
            capsule: Some(Capsule::plugin(input, &deciding.config, self.at, Default::default(), &output)),
        };
        Some(new.into_decision(self.occasion.eligibility(settled.customer.account)))
    }

    fn record(&self, set: &mut WriteSet, (decision, capsule): (Decision, Option<Capsule>)) -> Result<()> {
        for (key, value) in self.keys(&decision, capsule.as_ref())? {
            set.put(key, value);
        }
        Ok(())
    }

    fn keys(&self, decision: &Decision, capsule: Option<&Capsule>) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let schema = self.core.records.schema();
        let name = decision.object.as_str();
        let object =
            schema.object(name).ok_or_else(|| RecordsError::UnknownObject { name: name.to_owned() })?;
        self.core.pruner.note(&self.core.records, 1);
        Ok(decisions::writes(object.id, decision, capsule))
    }

    fn caller(&self) -> Caller {
        actions::caller(&self.deciding.decider(), self.cause.clone())
    }
}

impl Tally {
    /// Counts a change of a member; returns whether it was made.
    fn note(&mut self, settled: &Settled, result: Result<(), RecordsError>) -> bool {
        match result {
            Ok(()) => {
                if let Some(change) = &settled.change {
                    *self.changes.entry(change.name()).or_default() += 1;
                }
                return true;
            }
            Err(RecordsError::VersionConflict { .. } | RecordsError::Duplicate { .. }) => self.conflicts += 1,
            Err(error) => {
                self.refused += 1;
                if self.refusals.len() < REFUSALS_MAX {
                    self.refusals.push((settled.customer.account, error));
                }
            }
        }
        false
    }
}
