//! Why results follow the data: the log entries that changed customers. So a chain of reactions that goes through results is counted on and
//! ends, and what an import changes stays silent in what follows from it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use parking_lot::Mutex;
use trellis_columns::DatasetSpec;
use trellis_model::{Cause, FieldId, ObjectId, ObjectName, RecordId, Scope, Value};
use trellis_records::LoggedChange;

use crate::{Result, core::Core};

/// Entries that are read at once.
const PAGE_ENTRIES: usize = 64;

/// Customers of whom it is kept why their results changed.
const PASSED_ON_MAX: usize = 1_000_000;

/// For each customer the cause that counts: one that is not silent before one that is, a deep one before a shallow one.
#[derive(Debug, Default)]
pub(crate) struct Causes {
    of: HashMap<u64, Cause>,
    /// The one that counts of all that were read, whomever they changed.
    any: Option<Cause>,
    /// The log entry up to which they are known.
    to: u64,
}

/// Which of two causes counts: the greater.
fn weight(cause: &Cause) -> (bool, u8) {
    (!cause.automations_off, cause.depth)
}

/// What of an entry concerns the rows of a dataset.
struct Reading<'a> {
    core: &'a Core,
    object: ObjectId,
    /// Objects that figures and roll-ups are about, with their reference.
    related: Vec<(ObjectId, FieldId)>,
}

impl Causes {
    /// Nobody's yet, of what comes after a log entry.
    pub(crate) fn after(log_number: u64) -> Self {
        Self { to: log_number, ..Self::default() }
    }

    /// Reads on why customers changed, up to a log entry.
    pub(crate) async fn read_to(&mut self, core: &Core, spec: &DatasetSpec, to: u64) -> Result<()> {
        if self.to >= to {
            return Ok(());
        }
        let schema = core.records.schema();
        let Some(object) = schema.object(spec.object.as_str()) else { return Ok(()) };
        let related = spec.columns.iter().flat_map(|column| column.source.followed(&schema, object));
        let reading = Reading {
            core,
            object: object.id,
            related: related.collect::<BTreeSet<_>>().into_iter().collect(),
        };
        while self.to < to {
            let entries = core.records.log_after(self.to, PAGE_ENTRIES).await?;
            let Some(last) = entries.last().map(|entry| entry.number.min(to)) else { break };
            for entry in entries.iter().filter(|entry| entry.number <= to) {
                for change in entry.changes() {
                    let cause = || Cause { job: None, log: Some(entry.number), ..entry.cause.clone() };
                    if self.any.as_ref().is_none_or(|any| weight(any) < weight(&entry.cause)) {
                        self.any = Some(cause());
                    }
                    for ordinal in reading.concerned(change).await? {
                        self.note(ordinal, cause());
                    }
                }
            }
            self.to = last;
        }
        Ok(())
    }

    /// Takes over the causes of some of those of whom others are known.
    pub(super) fn join(&mut self, others: &Self, ordinals: &[u64]) {
        for ordinal in ordinals {
            if let Some(cause) = others.of.get(ordinal) {
                self.note(*ordinal, cause.clone());
            }
        }
    }

    pub(super) fn forget(&mut self, ordinal: u64) {
        self.of.remove(&ordinal);
    }

    fn note(&mut self, ordinal: u64, cause: Cause) {
        match self.of.get_mut(&ordinal) {
            Some(known) if weight(known) >= weight(&cause) => {}
            Some(known) => *known = cause,
            None => drop(self.of.insert(ordinal, cause)),
        }
    }

    /// Divides customers by how deep and how silent what changed them was; of each part the cause is that of one of them.
    pub(crate) fn divide(&self, ordinals: &[u64]) -> Vec<(Cause, Vec<u64>)> {
        self.divide_by(ordinals, |ordinal| self.of.get(&ordinal).cloned().unwrap_or_default())
    }

    /// As [`Causes::divide`], where anything that was read may have changed anybody: who is not known to have changed by something has the
    /// cause that counts of all.
    pub(crate) fn divide_all(&self, ordinals: &[u64]) -> Vec<(Cause, Vec<u64>)> {
        self.divide_by(ordinals, |ordinal| {
            self.of.get(&ordinal).or(self.any.as_ref()).cloned().unwrap_or_default()
        })
    }

    fn divide_by(&self, ordinals: &[u64], cause_of: impl Fn(u64) -> Cause) -> Vec<(Cause, Vec<u64>)> {
        let mut parts: BTreeMap<_, (Cause, Vec<u64>)> = BTreeMap::new();
        for &ordinal in ordinals {
            let cause = cause_of(ordinal);
            let (_, part) =
                parts.entry((cause.automations_off, cause.depth)).or_insert_with(|| (cause, Vec::new()));
            part.push(ordinal);
        }
        parts.into_values().collect()
    }
}

/// Why results changed of late, for the results that are made of them. It is kept until everybody has seen the change.
#[derive(Debug, Default)]
pub(crate) struct PassedOn(Mutex<Vec<Part>>);

/// Customers whose results changed together.
#[derive(Debug)]
struct Part {
    object: ObjectName,
    cause: Cause,
    /// Ascending.
    ordinals: Vec<u64>,
}

impl PassedOn {
    /// Notes that results may have changed. Where nobody takes notice of too many, the oldest are forgotten.
    pub(crate) fn note(&self, object: &ObjectName, cause: Cause, mut ordinals: Vec<u64>) {
        ordinals.sort_unstable();
        let mut parts = self.0.lock();
        parts.push(Part { object: object.clone(), cause, ordinals });
        let mut kept: usize = parts.iter().map(|part| part.ordinals.len()).sum();
        while kept > PASSED_ON_MAX {
            kept -= parts.remove(0).ordinals.len();
        }
    }

    /// Tells why the results of `ordinals` changed, as far as that is known.
    pub(crate) fn tell(&self, object: &ObjectName, ordinals: &[u64], causes: &mut Causes) {
        for part in self.0.lock().iter().filter(|part| part.object == *object) {
            for ordinal in ordinals {
                if part.ordinals.binary_search(ordinal).is_ok() {
                    causes.note(*ordinal, part.cause.clone());
                }
            }
        }
    }

    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }
}

impl Reading<'_> {
    /// The customers whose row a change may make another.
    async fn concerned(&self, change: &LoggedChange) -> Result<Vec<u64>> {
        let mut ordinals = Vec::new();
        if change.object == self.object {
            ordinals.extend(change.ordinal);
        }
        let events = [change.event, change.event_before].into_iter().flatten();
        let events = events.filter(|event| event.target_object == self.object);
        ordinals.extend(events.map(|event| event.target_ordinal));
        for (_, by) in self.related.iter().filter(|(object, _)| *object == change.object) {
            for target in self.targets(change, *by).await? {
                ordinals.extend(self.ordinal(self.object, target).await?);
            }
        }
        Ok(ordinals)
    }

    /// The records that a reference pointed at before a change and points at after it.
    async fn targets(&self, change: &LoggedChange, by: FieldId) -> Result<Vec<RecordId>> {
        let of = |value: Option<&Value>| match value {
            Some(Value::Reference(id)) => Some(*id),
            _ => None,
        };
        if let Some(moved) = change.fields.as_ref().and_then(|fields| fields.get(&by)) {
            return Ok([of(moved.before.as_ref()), of(moved.after.as_ref())].into_iter().flatten().collect());
        }
        let schema = self.core.records.schema();
        let Some(object) = schema.object_by_id(change.object) else { return Ok(Vec::new()) };
        let record = self.core.records.get_deleted_too(&Scope::everything(), &object.name, change.id).await?;
        Ok(record.and_then(|record| of(record.fields.get(&by))).into_iter().collect())
    }

    async fn ordinal(&self, object: ObjectId, id: RecordId) -> Result<Option<u64>> {
        let schema = self.core.records.schema();
        let Some(object) = schema.object_by_id(object) else { return Ok(None) };
        let record = self.core.records.get_deleted_too(&Scope::everything(), &object.name, id).await?;
        Ok(record.and_then(|record| record.ordinal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_results_changed_is_told_to_those_made_of_them() {
        let (accounts, contacts) = (ObjectName::new("account").unwrap(), ObjectName::new("contact").unwrap());
        let silent = |log| Cause { log: Some(log), automations_off: true, ..Cause::default() };
        let passed_on = PassedOn::default();
        passed_on.note(&accounts, silent(7), vec![3, 1]);
        passed_on.note(&contacts, silent(8), vec![2]);
        let mut owed = Causes::default();
        passed_on.tell(&accounts, &[1, 2], &mut owed);
        let mut causes = Causes::after(9);
        causes.join(&owed, &[1, 2, 3]);
        let known = causes.divide(&[1, 2, 3]);
        let known: Vec<_> = known.iter().map(|(cause, ordinals)| (cause.log, ordinals.as_slice())).collect();
        assert_eq!(known, [(None, [2, 3].as_slice()), (Some(7), [1].as_slice())]);

        for number in 0..=PASSED_ON_MAX as u64 / 1_000 {
            passed_on.note(&accounts, silent(number), vec![4; 1_000]);
        }
        let mut owed = Causes::default();
        passed_on.tell(&accounts, &[1, 4], &mut owed);
        assert_eq!((owed.of.contains_key(&1), owed.of.contains_key(&4)), (false, true));
    }

    #[test]
    fn the_loudest_and_deepest_change_of_a_customer_counts() {
        let cause = |log, depth, automations_off| Cause { log: Some(log), depth, automations_off, job: None };
        let mut causes = Causes::after(9);
        causes.note(1, cause(10, 5, true));
        causes.note(1, cause(11, 2, false));
        causes.note(1, cause(12, 0, false));
        causes.note(2, cause(13, 0, true));
        let parts = causes.divide(&[1, 2, 3]);
        let found: Vec<_> = parts
            .iter()
            .map(|(cause, ordinals)| (cause.log, cause.depth, cause.automations_off, ordinals.as_slice()))
            .collect();
        let nobody_knows = (None, 0, false, [3].as_slice());
        assert_eq!(
            found,
            [nobody_knows, (Some(11), 2, false, [1].as_slice()), (Some(13), 0, true, [2].as_slice())]
        );
    }
}
