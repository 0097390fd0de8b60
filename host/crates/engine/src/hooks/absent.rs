//! What becomes of saves that a plugin has to agree to which is enabled and cannot be called at all.

use serde_json::json;
use trellis_model::{NamedRecord, ObjectDefinition, Text, Value, bilingual};
use trellis_plugin_host::manifest::{AbsentPolicy, Closed};
use trellis_records::{Proposed, SaveContext, Schema};

use super::{
    is_changed,
    ledger::{About, Ledger, Refused},
    record,
};
use crate::{
    decisions::{DecisionKind, text_json},
    plugins::Absent,
};

/// The code of a save that is refused, and of one that is let through, because a plugin cannot be called.
const CODE: &str = "plugin_broken";

/// Refuses or lets through the rows that an absent plugin would have judged, as its manifest says.
pub(super) fn judge(
    absent: &Absent,
    context: &SaveContext,
    (schema, object): (&Schema, &ObjectDefinition),
    rows: &[Proposed],
    ledger: &mut Ledger,
) {
    let Some(hook) = absent.hook(object.name.as_str()) else { return };
    for (number, row) in rows.iter().enumerate().filter(|(_, row)| row.object == object.id) {
        let Some((before, after)) = named(schema, row, context.now_ms()) else { continue };
        if hook.when.iter().any(|field| is_changed(before.as_ref(), &after, field.as_str())) {
            let of = Row { number, absent, object, after: &after };
            of.not_asked(context, DecisionKind::Veto, DecisionKind::Patch, absent.unjudged(hook), ledger);
        }
    }
}

/// Refuses or lets through the rows that close a record which an absent plugin would have checked.
pub(super) fn check_closing(
    absent: &Absent,
    context: &SaveContext,
    schema: &Schema,
    rows: &[Proposed],
    ledger: &mut Ledger,
) {
    for (number, row) in rows.iter().enumerate() {
        let Some(object) = schema.object_by_id(row.object) else { continue };
        let Some(closed) = absent.closed(object.name.as_str()) else { continue };
        let Some((before, after)) = named(schema, row, context.now_ms()) else { continue };
        if is_closed(closed, &after) && !before.is_some_and(|before| is_closed(closed, &before)) {
            let of = Row { number, absent, object, after: &after };
            of.not_asked(
                context,
                DecisionKind::CloseCheck,
                DecisionKind::CloseCheck,
                absent.unchecked(closed),
                ledger,
            );
        }
    }
}

/// Whether a record is closed.
pub(super) fn is_closed(closed: &Closed, record: &NamedRecord) -> bool {
    match record.fields.get(&closed.field) {
        Some(Value::Choice(option) | Value::Text(option)) => closed.values.contains(option),
        _ => false,
    }
}

fn named(schema: &Schema, row: &Proposed, now_ms: i64) -> Option<(Option<NamedRecord>, NamedRecord)> {
    let after = schema.named(&record(row, now_ms))?;
    Some((row.before.as_ref().and_then(|before| schema.named(before)), after))
}

/// A row that a plugin would have been asked about.
struct Row<'a> {
    number: usize,
    absent: &'a Absent,
    object: &'a ObjectDefinition,
    after: &'a NamedRecord,
}

impl Row<'_> {
    fn not_asked(
        &self,
        context: &SaveContext,
        refusal: DecisionKind,
        acceptance: DecisionKind,
        policy: AbsentPolicy,
        ledger: &mut Ledger,
    ) {
        let (id, version, why) = (&self.absent.id, &self.absent.version, &self.absent.reason);
        let reason: Text =
            bilingual!("plugin `{id}` {version} is broken: {why}", "插件 `{id}` {version} 已损坏：{why}");
        let about = About {
            by: self.absent.decider(),
            digest: self.absent.digest,
            object: self.object.name.clone(),
            record: self.after.id,
        };
        match policy {
            AbsentPolicy::Accept => {
                let outcome = json!({ "not_judged": { "code": CODE, "message": text_json(&reason) } });
                ledger.note(context, acceptance, about, outcome, None);
            }
            _ => {
                let code = CODE.replace('_', "-");
                let refused = Refused {
                    row: self.number,
                    code,
                    field: None,
                    reason,
                    unavailable: true,
                    withheld: None,
                };
                ledger.refuse(context, refusal, about, refused, Vec::new(), None);
            }
        }
    }
}
