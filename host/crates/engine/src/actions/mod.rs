//! What plugins and rules want to happen, carried out: each action is checked against what was granted and saved like any other change,
//! with the plugin or rule as its actor. One that is refused is recorded with the reason; the others stand.
//!
//! Each action is a write set of its own that also holds the decision with what became of the actions so far. So a decision that is
//! found in the ledger goes on with the first action that is still pending, and nothing is done twice: `host/docs/formats/engine.md`.

mod carry;
mod choose;
mod expand;
mod grants;
mod read;
mod stop;

use trellis_model::{Action, Actor, Cause, Decider, Language, Phrase, RecordId, Scope, Text};
use trellis_records::Caller;

pub(crate) use carry::{Carried, carry_out};
pub(crate) use choose::choose;
pub(crate) use grants::{Granted, for_plugin, for_rule, not_enabled};
pub(crate) use read::pending;

use crate::{
    Result,
    core::Core,
    decisions::{self, Capsule, Decision},
};

/// Why an action is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// A stable code: that of a save, or one of this module's.
    pub(crate) code: &'static str,
    pub(crate) message: Text,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<Text>) -> Self {
        Self { code, message: message.into() }
    }

    fn phrase(code: &'static str, en: &'static str, zh_cn: &'static str) -> Self {
        Self::new(code, Phrase::new(en, zh_cn))
    }
}

/// Carries out the actions of a new decision and records it with what became of them.
///
/// # Errors
/// Only where the store fails; then the decision may be in the ledger with actions that are still pending.
pub(crate) async fn apply(
    core: &Core,
    decision: &mut Decision,
    mut capsule: Option<Capsule>,
    actions: &[Action],
    grants: &Granted<'_>,
    caller: &Caller,
) -> Result<()> {
    match carry_out(core, decision, &mut capsule, actions, grants, caller).await? {
        Carried::Recorded => Ok(()),
        Carried::Unrecorded => decisions::put(&core.records, decision, capsule.as_ref()).await,
    }
}

/// Who carries out what a plugin or rule decided, where nobody asked for it: it may do what it was granted.
pub(crate) fn caller(by: &Decider, cause: Cause) -> Caller {
    Caller { scope: Scope::everything(), actor: actor(by, None), cause, language: Language::En }
}

/// The plugin or rule as an actor.
pub(crate) fn actor(by: &Decider, for_user: Option<RecordId>) -> Actor {
    match by {
        Decider::Plugin { id, version } => {
            Actor::Plugin { id: id.clone(), version: version.clone(), for_user }
        }
        Decider::Rule { id, version, .. } => Actor::Rule { id: *id, version: *version, for_user },
    }
}
