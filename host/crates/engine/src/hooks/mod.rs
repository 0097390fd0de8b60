//! What looks at records before they are saved: what completes comments, the check of rules themselves, before-save rules, record hooks of plugins, close checks of
//! service workflows, in this order.
//!
//! A hook sees only the rows of a write set whose object it is about, so look-ups of a later row see an earlier one of the same write set
//! only where the same hook looked at that too. What a hook changed is recorded in the commit that saves it; what it refused is recorded
//! by a commit of its own.

mod absent;
mod ledger;
mod plugins;
mod rules;
mod shown;
mod workflows;

use std::sync::Arc;

use trellis_columns::AsOf;
use trellis_model::{FieldId, NamedRecord, Record, RecordId, Value};
use trellis_plugin_host::CallContext;
use trellis_records::{Proposed, SaveContext};

pub(crate) use plugins::hook_change;
pub(crate) use workflows::{account_lookups, work_item};

use crate::{as_of, comments::CommentHook, core::Core, rules::RuleGuard, run};

/// Adds the hooks to the records. They let go of the engine when it ends.
pub(crate) fn install(core: &Arc<Core>) {
    if let Some(comments) = CommentHook::new(&core.records.schema()) {
        core.records.add_hook(Arc::new(comments));
    }
    if let Some(guard) = RuleGuard::new(core) {
        core.records.add_hook(Arc::new(guard));
    }
    core.records.add_hook(Arc::new(rules::RuleHook::new(core)));
    core.records.add_hook(Arc::new(plugins::PluginHook::new(core)));
    core.records.add_hook(Arc::new(workflows::CloseHook::new(core)));
}

/// The record as it would be saved.
pub(crate) fn record(proposed: &Proposed, now_ms: i64) -> Record {
    let before = proposed.before.as_ref();
    let created_at_ms = before.map_or(now_ms, |before| before.created_at_ms);
    Record {
        id: proposed.id,
        object: proposed.object,
        version: before.map_or(0, |before| before.version),
        ordinal: before.and_then(|before| before.ordinal),
        created_at_ms,
        updated_at_ms: now_ms.max(created_at_ms),
        deleted_at_ms: None,
        last_log: before.map_or(0, |before| before.last_log),
        fields: proposed.fields.clone(),
    }
}

/// What a call of a plugin is told that is part of a save or of a request about one record.
pub(crate) fn context(core: &Core, call: RecordId, now_ms: i64) -> CallContext {
    let as_of_days = as_of::day(AsOf::Now, now_ms, &core.records.config().time_zone);
    CallContext { as_of_days, now_ms, ..run::context(core, call, AsOf::Now) }
}

/// The user who saves, if it is one.
pub(crate) fn user(context: &SaveContext) -> Option<RecordId> {
    use trellis_model::Actor;
    match &context.caller().actor {
        Actor::User { id, .. } => Some(*id),
        Actor::Plugin { for_user, .. } | Actor::Rule { for_user, .. } => *for_user,
        Actor::System { .. } => None,
    }
}

/// Whether a field of a record has another value than before; it has where the record is created.
fn is_changed(before: Option<&NamedRecord>, after: &NamedRecord, field: &str) -> bool {
    before.is_none_or(|before| before.fields.get(field) != after.fields.get(field))
}

/// Writes changes over the fields of a row.
fn apply(proposed: &mut Proposed, changes: impl IntoIterator<Item = (FieldId, Option<Value>)>) {
    for (field, value) in changes {
        match value {
            Some(value) => proposed.fields.insert(field, value),
            None => proposed.fields.remove(&field),
        };
    }
}
