//! The ledger of single decisions: what a plugin or rule decided about a record, why, and what became of the actions.
//!
//! Runs over all customers have a ledger of their own (`run/ledger.rs`). A decision with a [`Capsule`] can be replayed: the capsule holds
//! everything that the call saw.

mod answers;
mod capsule;
mod json;
mod mirror;
mod prune;
mod replay;
mod sight;
mod store;
mod stored;

use serde_json::Value as Json;
use trellis_model::{Action, Decider, ObjectName, PluginId, Reason, RecordId, Text};

pub(crate) use capsule::{Capsule, CapsuleCall, PluginInput};
pub(crate) use json::{actions_json, fields_json, text_json};
pub(crate) use mirror::StoredNamed;
pub(crate) use prune::Pruner;
pub(crate) use replay::{
    after_save_output, ask, before_save_output, decided_output, next_output, replay, requirements_output,
    suggestions_output, verdict_output,
};
pub(crate) use sight::Sight;
pub(crate) use store::{get, get_capsule, list, put, put_all, writes};

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecisionKind {
    /// A service workflow judged a new record.
    Triage,
    /// A service workflow reacted to a change or a timer.
    Event,
    /// Somebody chose what a service workflow suggested.
    Suggestion,
    /// A service workflow refused that a record is closed.
    CloseCheck,
    /// A rule or record hook refused a save.
    Veto,
    /// A record hook changed what was saved.
    Patch,
    /// A rule changed what was saved, or reacted to what happened.
    Rule,
    /// A campaign takes a customer in or leaves it out.
    Eligibility,
    /// What a campaign does next with a member.
    NextAction,
    /// A chain of reactions was stopped.
    Stopped,
}

impl DecisionKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Triage,
        Self::Event,
        Self::Suggestion,
        Self::CloseCheck,
        Self::Veto,
        Self::Patch,
        Self::Rule,
        Self::Eligibility,
        Self::NextAction,
        Self::Stopped,
    ];

    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Triage => "triage",
            Self::Event => "event",
            Self::Suggestion => "suggestion",
            Self::CloseCheck => "close_check",
            Self::Veto => "veto",
            Self::Patch => "patch",
            Self::Rule => "rule",
            Self::Eligibility => "eligibility",
            Self::NextAction => "next_action",
            Self::Stopped => "stopped",
        }
    }

    /// The kind of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether nothing was saved because of it; such decisions have a limit of their own.
    pub(crate) fn is_refusal(self) -> bool {
        matches!(self, Self::Veto | Self::CloseCheck)
    }
}

/// A decision about a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Its id; ids sort by time.
    pub id: RecordId,
    /// What was decided.
    pub kind: DecisionKind,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub time_ms: i64,
    /// Who decided.
    pub by: Decider,
    /// BLAKE3 of the plugin's component or of the rule's source.
    pub digest: [u8; 32],
    /// The object of the record.
    pub object: ObjectName,
    /// The record that it is about. One that was refused at its creation does not exist.
    pub record: RecordId,
    /// The log entry that it reacts to; `None` where it was asked for, or decided before the save.
    pub log: Option<u64>,
    /// How deep in a chain of reactions.
    pub depth: u8,
    /// The job that it is part of.
    pub job: Option<RecordId>,
    /// What came out beside the actions; its form depends on the kind (`host/docs/formats/engine.md`).
    pub outcome: Json,
    /// Why, the strongest first.
    pub reasons: Vec<Reason>,
    /// What became of each action, in the order in which they were returned.
    pub actions: Vec<ActionOutcome>,
    /// Whether it can be replayed.
    pub has_capsule: bool,
}

/// How an action stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActionState {
    /// It was carried out.
    Applied,
    /// It was so already.
    Unchanged,
    /// It was not carried out: see the code.
    Refused,
    /// It will be carried out.
    Pending,
}

impl ActionState {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Pending => "pending",
        }
    }
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionOutcome {
    /// The action as it was returned.
    pub action: Json,
    /// Its kind, in kebab-case.
    pub kind: String,
    /// How it stands.
    pub state: ActionState,
    /// Why it was refused: a stable code.
    pub code: Option<String>,
    /// Why it was refused, for people.
    pub message: Option<Text>,
    /// The record that it changed or created.
    pub record: Option<(ObjectName, RecordId)>,
    /// The log entry of the change.
    pub log: Option<u64>,
}

impl ActionOutcome {
    /// An action that is still to be carried out.
    pub(crate) fn pending(action: &Action) -> Self {
        Self {
            action: json::action_json(action),
            kind: action.kind().to_owned(),
            state: ActionState::Pending,
            code: None,
            message: None,
            record: None,
            log: None,
        }
    }
}

/// Which decisions are wanted; all conditions hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DecisionQuery {
    /// About records of this object.
    pub object: Option<ObjectName>,
    /// About this record; needs `object`.
    pub record: Option<RecordId>,
    /// By this plugin.
    pub plugin: Option<PluginId>,
    /// By this rule.
    pub rule: Option<RecordId>,
    /// Of this kind.
    pub kind: Option<DecisionKind>,
}

/// A page of decisions, the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionPage {
    /// The decisions. There may be fewer than asked for although more follow: a page looks at a bounded number of them.
    pub decisions: Vec<Decision>,
    /// Where the next page begins, if more may follow.
    pub next: Option<RecordId>,
}

/// What a decision comes to when it is made again.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// Whether it comes to the same, byte by byte.
    pub same: bool,
    /// What the plugin or rule answered then.
    pub recorded: Json,
    /// What it answers now, from the same inputs.
    pub replayed: Json,
}

/// A decision that is to be recorded.
#[derive(Debug, Clone)]
pub(crate) struct NewDecision {
    pub(crate) kind: DecisionKind,
    pub(crate) time_ms: i64,
    pub(crate) by: Decider,
    pub(crate) digest: [u8; 32],
    pub(crate) object: ObjectName,
    pub(crate) record: RecordId,
    pub(crate) log: Option<u64>,
    pub(crate) depth: u8,
    pub(crate) job: Option<RecordId>,
    pub(crate) outcome: Json,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) actions: Vec<Action>,
    pub(crate) capsule: Option<Capsule>,
}

impl NewDecision {
    /// The decision with every action still to be carried out, and its capsule.
    pub(crate) fn into_decision(self, id: RecordId) -> (Decision, Option<Capsule>) {
        let decision = Decision {
            id,
            kind: self.kind,
            time_ms: self.time_ms,
            by: self.by,
            digest: self.digest,
            object: self.object,
            record: self.record,
            log: self.log,
            depth: self.depth,
            job: self.job,
            outcome: self.outcome,
            reasons: self.reasons,
            actions: self.actions.iter().map(ActionOutcome::pending).collect(),
            has_capsule: self.capsule.is_some(),
        };
        (decision, self.capsule)
    }
}

#[cfg(test)]
mod tests;
