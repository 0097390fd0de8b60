//! What plugins and rules may ask while they decide: the records as they are at that moment, and on replay what was answered then.

mod record_lookups;
mod recording;
mod scope;

pub(crate) use record_lookups::{Overlay, RecordLookups, SaveView};
pub(crate) use recording::{Answer, Question, Recording, Replaying};
pub(crate) use scope::{for_user, hidden_fields, plugin_scope, rule_scope, sees_datasets};
