//! What the user who saves is told of what a plugin says.
//!
//! A plugin judges with what it was granted, alike for every user: otherwise whoever sees less could save what nobody should. So its words may
//! hold what the user may not see, and are then kept for the ledger; the user is told that there is a reason.

use std::collections::BTreeMap;

use trellis_model::{
    FieldAccess, FieldName, NamedRecord, ObjectName, RowAccess, Scope, SystemField, bilingual,
};
use trellis_plugin_host::{HookChange, WorkItem};

use super::ledger::Withheld;
use crate::{
    lookups::{Answer, Question},
    plugins::Enabled,
};

/// The code of a refusal whose reason is withheld.
const WITHHELD: &str = "reason-withheld";

/// The fields that a record hook was shown of a change.
pub(super) fn of_change(change: &HookChange) -> Vec<(&ObjectName, &FieldName)> {
    let object = &change.after.object;
    let before = change.before.iter().flat_map(BTreeMap::keys);
    change.after.fields.keys().chain(before).map(|field| (object, field)).collect()
}

/// The fields that a service workflow was shown of a record and its account.
pub(super) fn of_item(item: &WorkItem) -> Vec<(&ObjectName, &FieldName)> {
    fields(&item.item).into_iter().chain(item.account.iter().flat_map(fields)).collect()
}

fn fields(record: &NamedRecord) -> Vec<(&ObjectName, &FieldName)> {
    record.fields.keys().map(|field| (&record.object, field)).collect()
}

/// What a user is told in place of the reason of a refusal that names a field; `None` where the user may see all that the plugin saw.
pub(super) fn refusal(
    enabled: &Enabled,
    user: &Scope,
    shown: &[(&ObjectName, &FieldName)],
    answers: &BTreeMap<Question, Answer>,
    named: Option<(&ObjectName, &FieldName)>,
) -> Option<Withheld> {
    let sees = |(object, field): &(&ObjectName, &FieldName)| {
        SystemField::of(field.as_str()).is_some() || user.of(object).readable.contains(field)
    };
    let asked = answers.keys().all(|question| sees_all(enabled, user, question.object()));
    if asked && shown.iter().all(sees) {
        return None;
    }
    let plugin = &enabled.id;
    Some(Withheld {
        code: WITHHELD.to_owned(),
        field: named.filter(sees).map(|(_, field)| field.clone()),
        reason: bilingual!(
            "plugin `{plugin}` refuses this; its reason is made of data that you may not see, and administrators find it among the decisions",
            "插件 `{plugin}` 拒绝了此操作；其理由涉及您无权查看的数据，管理员可在决策记录中查看"
        ),
    })
}

/// What a user is told who does not see everything, where a plugin failed: what went wrong may quote whatever it was shown.
pub(super) fn cannot_judge(enabled: &Enabled, user: &Scope, code: &str) -> Option<Withheld> {
    if *user == Scope::everything() {
        return None;
    }
    let plugin = &enabled.id;
    Some(Withheld {
        code: code.replace('_', "-"),
        field: None,
        reason: bilingual!(
            "plugin `{plugin}` cannot judge this for now",
            "插件 `{plugin}` 暂时无法判断此操作"
        ),
    })
}

/// Whether a user sees all that a plugin may look up of an object.
fn sees_all(enabled: &Enabled, user: &Scope, object: &ObjectName) -> bool {
    let (granted, own) = (enabled.scope.of(object), user.of(object));
    let fields = match &granted.readable {
        FieldAccess::Only(fields) => fields.iter().all(|field| own.readable.contains(field)),
        FieldAccess::All | FieldAccess::Except(_) => own.readable == FieldAccess::All,
    };
    fields && own.rows == RowAccess::All
}
