//! Merging: several records become one, the others' ids lead to it.
//!
//! A merge has two steps, done by a job of the crates above. [`Records::merge_records`] is one batch: the losers are deleted and get an
//! alias, the winner takes over what was chosen. [`Records::repoint_references`] then has everything that refers to a loser refer to the
//! winner. Both can be done again: what was done is found so. Between the steps nothing dangles for a reader that follows aliases, and
//! no new reference to a loser can come to be: a save stores the winner instead.

mod alias;
mod plan;
mod references;
mod repoint;

use std::collections::BTreeMap;

use trellis_model::{FieldName, ObjectName, Phrase, Record, RecordId, Text, Value, bilingual};

pub(crate) use self::alias::{ids, replace as replace_reference, target_of};
pub use self::plan::{MergePlan, MergeValue, ReferenceCount};
pub(crate) use self::references::PARENT;
pub use self::repoint::Repointed;
use crate::{Caller, DuplicateCheck, Error, Records, Result, Write, Written};

/// Which records become one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeRequest {
    /// Their object.
    pub object: ObjectName,
    /// The record that stays.
    pub winner: RecordId,
    /// The records that become part of it.
    pub losers: Vec<RecordId>,
    /// Whose value is taken, by field, also where it is null. Where nothing is said: the winner's, or else that of the first loser
    /// that has one.
    pub choices: BTreeMap<FieldName, RecordId>,
}

impl MergeRequest {
    /// Checks what can be said without the records.
    fn check(&self, records_max: usize) -> Result<()> {
        let refuse = |text: Text| Err(Error::Merge(text));
        if self.losers.is_empty() {
            return refuse(Text::new("no record to merge into the winner", "没有要并入的记录"));
        }
        if self.losers.len() > records_max {
            let what = Phrase::new("records to merge into another", "一次并入的记录数");
            return Err(Error::TooMany { what, count: self.losers.len(), count_max: records_max });
        }
        for (place, loser) in self.losers.iter().enumerate() {
            if *loser == self.winner || self.losers.iter().take(place).any(|other| other == loser) {
                return refuse(bilingual!("record `{loser}` is named twice", "记录 `{loser}` 重复出现"));
            }
        }
        let is_named = |id: &RecordId| *id == self.winner || self.losers.contains(id);
        match self.choices.iter().find(|(_, id)| !is_named(id)) {
            Some((field, id)) => refuse(bilingual!(
                "the value of `{field}` is to come from `{id}`, which is not merged",
                "字段 `{field}` 取自 `{id}`，而该记录不参与合并"
            )),
            None => Ok(()),
        }
    }
}

impl Records {
    /// The first step of a merge: deletes the losers, leads their ids to the winner, and gives the winner the chosen values. Where the
    /// winner takes over a unique value, it is written in a second write set, right after the one that frees the value.
    ///
    /// # Errors
    /// As [`Records::merge_plan`] and [`Records::write_batch`]. Done again after it was done, it finds nothing to do.
    pub async fn merge_records(&self, caller: &Caller, request: &MergeRequest) -> Result<Record> {
        let attempts_max = self.config().limits.save_attempts_max;
        for _ in 0..attempts_max {
            match self.try_merge(caller, request).await {
                Err(Error::VersionConflict { .. }) => tokio::task::yield_now().await,
                merged => return merged,
            }
        }
        Err(Error::Contended { attempts: attempts_max })
    }

    async fn try_merge(&self, caller: &Caller, request: &MergeRequest) -> Result<Record> {
        let merging = self.merging(&caller.scope, request).await?;
        let object = &request.object;
        let open = merging.losers.iter().filter(|loser| !loser.is_deleted());
        let mut writes: Vec<Write> = open
            .map(|loser| Write::MergeInto {
                object: object.clone(),
                id: loser.id,
                into: request.winner,
                expected_version: Some(loser.version),
            })
            .collect();
        writes.push(Write::Update {
            object: object.clone(),
            id: request.winner,
            changes: merging.changes(),
            expected_version: Some(merging.winner.version),
        });
        // Whether they look alike is settled.
        let written =
            self.write_batch_checked(caller, writes, &|_| Vec::new(), &DuplicateCheck::skipped()).await?;
        let mut winner = None;
        for written in written {
            match written? {
                Written::Deleted => {}
                Written::Created(record)
                | Written::Updated(record)
                | Written::Unchanged(record)
                | Written::Restored(record) => winner = Some(record),
            }
        }
        winner.ok_or_else(|| Error::NotFound { object: object.clone(), id: request.winner })
    }
}

/// A value as a plan tells it: whose it is.
fn value_of(record: &Record, field: trellis_model::FieldId) -> Option<&Value> {
    record.fields.get(&field)
}
