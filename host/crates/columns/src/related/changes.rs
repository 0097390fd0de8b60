//! Which customers have other figures after a change.

use std::collections::BTreeSet;

use trellis_model::{RecordId, Scope, Value};
use trellis_records::{LoggedChange, Records};

use crate::Result;
use crate::dataset::Plan;

/// Which customers log entries are about.
#[derive(Debug, Default)]
pub(crate) struct RelatedChanges {
    /// Whom records pointed at before or after a change.
    targets: BTreeSet<RecordId>,
    /// Records that changed, by their source's place in the plan: whom they point at is seen from the records.
    records: BTreeSet<(usize, RecordId)>,
    /// Customers whose events changed.
    ordinals: BTreeSet<u64>,
}

impl RelatedChanges {
    /// Notes a change of a record, where figures are about that.
    pub(crate) fn add(&mut self, plan: &Plan, change: &LoggedChange) {
        for (place, source) in plan.related.iter().enumerate() {
            if source.object != change.object {
                continue;
            }
            let moved = change.fields.as_ref().and_then(|fields| fields.get(&source.field));
            let sides = moved.into_iter().flat_map(|change| [&change.before, &change.after]);
            self.targets.extend(sides.flatten().filter_map(reference));
            if source.from_index {
                let events = [change.event, change.event_before].into_iter().flatten();
                let events = events.filter(|event| event.target_object == plan.object);
                self.ordinals.extend(events.map(|event| event.target_ordinal));
            } else {
                self.records.insert((place, change.id));
            }
        }
    }

    /// The ordinals of the customers whose figures may be others.
    pub(crate) async fn ordinals(mut self, records: &Records, plan: &Plan) -> Result<BTreeSet<u64>> {
        for (place, id) in self.records {
            let Some(source) = plan.related.get(place) else { continue };
            let found = records.get_deleted_too(&Scope::everything(), &source.object_name, id).await?;
            let target = found.as_ref().and_then(|record| record.fields.get(&source.field));
            self.targets.extend(target.and_then(reference));
        }
        let mut ordinals = self.ordinals;
        for id in self.targets {
            ordinals.extend(ordinal_of(records, plan, id).await?);
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

pub(super) async fn ordinal_of(records: &Records, plan: &Plan, id: RecordId) -> Result<Option<u64>> {
    let found = records.get_deleted_too(&Scope::everything(), &plan.object_name, id).await?;
    Ok(found.and_then(|record| record.ordinal))
}
