//! Admins' rules: which there are, compiled; what is checked when one is saved; trying one out.
//!
//! A save that starts after the save of a rule was acknowledged runs with that rule. A save that was under way may run with the rule as it
//! was. Where the object or a field that a rule names is not there, or its script does not compile any more, the rule is left out and named
//! by [`crate::Engine::rules_broken`] and in the log; saves go on without it.

mod book;
mod call;
mod draft;
mod guard;
mod probe;

use serde_json::Value as Json;
use trellis_model::{Action, FieldName, Reason, RecordId, Text, Value};
use trellis_rules::{RuleVeto, Trigger};

pub(crate) use book::{Loaded, Rule, RuleBook, Watched};
pub(crate) use call::{RuleCall, error_output};
pub(crate) use draft::Draft;
pub(crate) use guard::RuleGuard;
pub(crate) use probe::{check, stored, test};

/// What is wrong with a rule, and where in its source.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleProblem {
    /// The line, from 1.
    pub line: Option<u32>,
    /// The character within it, from 1.
    pub column: Option<u32>,
    /// What is wrong.
    pub message: Text,
}

impl From<trellis_rules::Error> for RuleProblem {
    fn from(error: trellis_rules::Error) -> Self {
        Self { line: error.line, column: error.column, message: error.message }
    }
}

/// A rule that is left out.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokenRule {
    /// Its record.
    pub id: RecordId,
    /// What people call it.
    pub name: Text,
    /// Why it is left out.
    pub reason: Text,
}

/// A rule that is tried out before it is saved.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleDraft {
    /// The object whose records it is about.
    pub object: String,
    /// When it runs.
    pub trigger: Trigger,
    /// The script.
    pub source: String,
    /// For a transition: what it watches.
    pub watches: Option<String>,
    /// Whether it is given personal data.
    pub reads_personal_data: bool,
    /// What people call it.
    pub name: Text,
}

/// What a rule is tried with.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleTarget {
    /// A record as it is stored.
    Record(RecordId),
    /// A record that is created with these fields.
    Fields(std::collections::BTreeMap<FieldName, Value>),
}

/// What a rule that was tried out decided. Nothing of it was carried out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleTest {
    /// What becomes of which field: an object.
    pub changes: Json,
    /// Why the record must not be saved.
    pub vetoes: Vec<RuleVeto>,
    /// What is to happen.
    pub actions: Vec<Action>,
    /// The same as the API writes it: a list.
    pub actions_json: Json,
    /// Why.
    pub reasons: Vec<Reason>,
    /// What the rule printed.
    pub printed: Vec<String>,
    /// Why it failed, if it did.
    pub error: Option<RuleProblem>,
}
