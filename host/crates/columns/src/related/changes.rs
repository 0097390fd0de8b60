//! Which customers have other figures after a change.

use std::collections::BTreeSet;

use trellis_model::{ChangeKind, RecordId, Value};
use trellis_records::{LoggedChange, Records};

use crate::Result;
use crate::dataset::Plan;

/// Which customers log entries are about.
#[derive(Debug, Default)]
pub(crate) struct RelatedChanges {
    /// Whom records pointed at before or after a change.
    targets: BTreeSet<RecordId>,
    /// Records that changed, by their place in what the plan follows: whom they point at is seen from the records.
    records: BTreeSet<(usize, RecordId)>,
    /// Customers whose events changed.
    ordinals: BTreeSet<u64>,
    /// A change is told no longer that may have taken a record from a customer: it can be any.
    everybody: bool,
}

impl RelatedChanges {
    /// Notes a change of a record, where the rows are about that.
    pub(crate) fn add(&mut self, plan: &Plan, change: &LoggedChange) {
        let is_lost = change.kind == ChangeKind::Updated && change.fields.is_none();
        self.everybody |= is_lost && plan.sources.iter().any(|source| source.events == change.object);
        for (place, followed) in plan.followed.iter().enumerate() {
            if followed.object != change.object {
                continue;
            }
            self.everybody |= is_lost;
            let moved = change.fields.as_ref().and_then(|fields| fields.get(&followed.field));
            let sides = moved.into_iter().flat_map(|change| [&change.before, &change.after]);
            self.targets.extend(sides.flatten().filter_map(reference));
            if followed.from_index {
                let events = [change.event, change.event_before].into_iter().flatten();
                let events = events.filter(|event| event.target_object == plan.object);
                self.ordinals.extend(events.map(|event| event.target_ordinal));
            } else if moved.is_none() {
                self.records.insert((place, change.id));
            }
        }
    }

    /// Whether every row may be another.
    pub(crate) fn is_everybody(&self) -> bool {
        self.everybody
    }

    /// The ordinals of the customers whose figures may be others.
    pub(crate) async fn ordinals(mut self, records: &Records, plan: &Plan) -> Result<BTreeSet<u64>> {
        for (place, id) in self.records {
            let Some(followed) = plan.followed.get(place) else { continue };
            let target = records.stored_value(followed.object, id, followed.field).await?;
            self.targets.extend(target.as_ref().and_then(reference));
        }
        let mut ordinals = self.ordinals;
        for id in self.targets {
            ordinals.extend(records.ordinal_of(plan.object, id).await?);
        }
        Ok(ordinals)
    }
}

fn reference(value: &Value) -> Option<RecordId> {
    match value {
        Value::Reference(id) => Some(*id),
        _ => None,
    }
}
