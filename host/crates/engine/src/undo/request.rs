//! An undo as its job keeps it.

use serde::{Deserialize, Serialize};
use trellis_model::{ObjectName, PluginId, RecordId, Scope};
use trellis_records::{Caller, UndoRequest, UndoTarget};
use uuid::Uuid;

use super::UndoOrder;
use crate::Result;

/// What an undo has to do, kept so that it can go on after a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredUndo {
    target: StoredTarget,
    include_caused: bool,
    until: u64,
    pub(super) run_automations: bool,
    pub(super) dry_run: bool,
    /// Whether the caller's scope had no limits: only then can it go on after a restart without the caller.
    pub(crate) unlimited: bool,
    /// What it takes back, for people.
    pub(crate) subject: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum StoredTarget {
    Entry(u64),
    Change { number: u64, object: String, id: [u8; 16] },
    Job([u8; 16]),
    Rule { id: [u8; 16], since_ms: Option<i64> },
    Plugin { id: String, since_ms: Option<i64> },
}

impl StoredUndo {
    pub(super) fn new(order: &UndoOrder, until: u64, caller: &Caller) -> Self {
        Self {
            target: StoredTarget::from(&order.target),
            include_caused: order.include_caused,
            until,
            run_automations: order.run_automations,
            dry_run: order.dry_run,
            unlimited: caller.scope == Scope::everything(),
            subject: subject(&order.target),
        }
    }

    pub(super) fn request(&self) -> Result<UndoRequest> {
        let target = self.target.clone().try_into().map_err(|error: trellis_model::Error| {
            crate::Error::Damaged { what: format!("request of an undo: {error}") }
        })?;
        Ok(UndoRequest { target, include_caused: self.include_caused, until: self.until })
    }
}

fn subject(target: &UndoTarget) -> String {
    match target {
        UndoTarget::Entry(number) => format!("log {number}"),
        UndoTarget::Change { number, object, id } => format!("log {number} {object} {id}"),
        UndoTarget::Job(id) => format!("job {id}"),
        UndoTarget::Rule { id, .. } => format!("rule {id}"),
        UndoTarget::Plugin { id, .. } => format!("plugin {id}"),
    }
}

impl From<&UndoTarget> for StoredTarget {
    fn from(target: &UndoTarget) -> Self {
        match target {
            UndoTarget::Entry(number) => Self::Entry(*number),
            UndoTarget::Change { number, object, id } => {
                Self::Change { number: *number, object: object.to_string(), id: *id.as_bytes() }
            }
            UndoTarget::Job(id) => Self::Job(*id.as_bytes()),
            UndoTarget::Rule { id, since_ms } => Self::Rule { id: *id.as_bytes(), since_ms: *since_ms },
            UndoTarget::Plugin { id, since_ms } => Self::Plugin { id: id.to_string(), since_ms: *since_ms },
        }
    }
}

impl TryFrom<StoredTarget> for UndoTarget {
    type Error = trellis_model::Error;

    fn try_from(target: StoredTarget) -> Result<Self, Self::Error> {
        let id = |bytes| RecordId(Uuid::from_bytes(bytes));
        Ok(match target {
            StoredTarget::Entry(number) => Self::Entry(number),
            StoredTarget::Change { number, object, id: record } => {
                Self::Change { number, object: ObjectName::new(&object)?, id: id(record) }
            }
            StoredTarget::Job(job) => Self::Job(id(job)),
            StoredTarget::Rule { id: rule, since_ms } => Self::Rule { id: id(rule), since_ms },
            StoredTarget::Plugin { id, since_ms } => Self::Plugin { id: PluginId::new(&id)?, since_ms },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_survive_being_stored() {
        let id = RecordId(Uuid::from_u128(7));
        let targets = [
            UndoTarget::Entry(3),
            UndoTarget::Change { number: 3, object: ObjectName::new("account").unwrap(), id },
            UndoTarget::Job(id),
            UndoTarget::Rule { id, since_ms: Some(-4) },
            UndoTarget::Plugin { id: PluginId::new("retail-rfm").unwrap(), since_ms: None },
        ];
        for target in targets {
            let order = UndoOrder {
                target: target.clone(),
                include_caused: true,
                run_automations: false,
                dry_run: true,
            };
            let stored = StoredUndo::new(&order, 9, &Caller::system("test"));
            assert_eq!(stored.request().unwrap(), UndoRequest { target, include_caused: true, until: 9 });
            assert!(stored.unlimited && stored.dry_run && !stored.run_automations);
        }
    }
}
