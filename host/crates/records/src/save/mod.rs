//! The save pipeline: the only way in which a record changes.
//!
//! In this order, for all rows of a write set: what the caller may see and write; defaults; types, limits and what is required; what is
//! out of use; references;
//! hooks, in the order in which they were added, each of whose changes is validated before the next one looks (and need not be within
//! what the caller may write); unique values; duplicates; stage gates; saved views; then the commit, with a precondition for all that was read. A row
//! that is refused fails
//! alone: the others start again without it, so no hook decides by a row that is not saved.

mod atomic;
mod building;
mod commit;
mod duplicates;
mod gates;
mod hooked;
mod parents;
mod prepare;
mod references;
mod repoint;
mod segment;
mod shape;
mod trial;
mod validate;
mod views;
mod watch;

use std::collections::BTreeMap;

use trellis_model::{ChangeKind, FieldId, Fields, ObjectName, Phrase, Record, RecordId, Value};
use trellis_storage::WriteSet;

pub use self::duplicates::DuplicateCheck;
use self::prepare::Save;
use self::segment::{Memory, Segment};
pub use self::trial::Trial;
pub(crate) use self::watch::Watched;
use crate::{Caller, Committed, Error, Records, Result};

/// What becomes of which field; `None` is null.
pub type FieldChanges = BTreeMap<FieldId, Option<Value>>;

/// Keys of another crate, with their values, that are committed with the write set which takes the writes before a number.
pub type AlsoCommit<'a> = dyn Fn(usize) -> Vec<(Vec<u8>, Vec<u8>)> + Send + Sync + 'a;

/// As [`AlsoCommit`], with what the write set does.
pub type AlsoTold<'a> = dyn Fn(Taken<'_>) -> Vec<(Vec<u8>, Vec<u8>)> + Send + Sync + 'a;

/// What a write set takes of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// The first of the writes that is not in.
    pub end: usize,
    /// The writes that change a record, in order, and how. Those before `end` that are missing were refused, changed nothing, or are in
    /// an earlier write set.
    pub changes: &'a [(usize, ChangeKind)],
}

/// A change that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Creates a record.
    Create {
        /// Of which object.
        object: ObjectName,
        /// Its fields.
        fields: Fields,
        /// Its id, a UUIDv7 whose time becomes `created_at`; `None` makes one.
        id: Option<RecordId>,
    },
    /// Changes fields of a record.
    Update {
        /// Its object.
        object: ObjectName,
        /// The record.
        id: RecordId,
        /// The fields that change.
        changes: FieldChanges,
        /// Only if the record has this version.
        expected_version: Option<u64>,
    },
    /// Deletes a record, so that it can be restored.
    Delete {
        /// Its object.
        object: ObjectName,
        /// The record.
        id: RecordId,
        /// Only if the record has this version.
        expected_version: Option<u64>,
    },
    /// Brings a deleted record back.
    Restore {
        /// Its object.
        object: ObjectName,
        /// The record.
        id: RecordId,
    },
    /// Creates a record, or changes the one that has the same value in a unique field.
    Upsert {
        /// Its object.
        object: ObjectName,
        /// The unique field; `fields` must have it.
        key_field: FieldId,
        /// The fields that it shall have; others stay.
        fields: Fields,
    },
    /// Deletes a record that became part of another, to which its id leads from now on; a restore ends that.
    MergeInto {
        /// Its object.
        object: ObjectName,
        /// The record.
        id: RecordId,
        /// The other record.
        into: RecordId,
        /// Only if the record has this version.
        expected_version: Option<u64>,
    },
    /// Has a record that refers to a merged one refer to what that was merged into. Unlike an update it concerns records that are only
    /// ever added too, and such as the caller does not see; no hook looks at it, and no other field is validated.
    Repoint {
        /// Its object.
        object: ObjectName,
        /// The record that refers.
        id: RecordId,
        /// The object of the merged record.
        target: ObjectName,
        /// The merged record.
        from: RecordId,
        /// Whether it shall refer to nothing instead.
        clear: bool,
    },
}

/// What became of a [`Write`].
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// A record was created.
    Created(Record),
    /// A record was changed.
    Updated(Record),
    /// It was so already; nothing was written.
    Unchanged(Record),
    /// A record was deleted.
    Deleted,
    /// A record was restored.
    Restored(Record),
}

impl Written {
    /// The record, if there still is one.
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Created(record)
            | Self::Updated(record)
            | Self::Unchanged(record)
            | Self::Restored(record) => Some(record),
            Self::Deleted => None,
        }
    }
}

impl Records {
    /// Creates a record.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn create(&self, caller: &Caller, object: &ObjectName, fields: Fields) -> Result<Record> {
        self.write_for_record(caller, Write::Create { object: object.clone(), fields, id: None }).await
    }

    /// Changes fields of a record. A change that changes nothing writes nothing and returns the record as it is.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn update(
        &self,
        caller: &Caller,
        object: &ObjectName,
        id: RecordId,
        changes: FieldChanges,
        expected_version: Option<u64>,
    ) -> Result<Record> {
        self.write_for_record(caller, Write::Update { object: object.clone(), id, changes, expected_version })
            .await
    }

    /// Deletes a record; its unique values become free.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn delete(
        &self,
        caller: &Caller,
        object: &ObjectName,
        id: RecordId,
        expected_version: Option<u64>,
    ) -> Result<()> {
        self.write_one(caller, Write::Delete { object: object.clone(), id, expected_version }).await.map(drop)
    }

    /// Brings a deleted record back with its unique values; one that is not deleted is returned as it is.
    ///
    /// # Errors
    /// [`Error::Duplicate`] where somebody else has taken a unique value, and as [`Records::write_batch`].
    pub async fn restore(&self, caller: &Caller, object: &ObjectName, id: RecordId) -> Result<Record> {
        self.write_for_record(caller, Write::Restore { object: object.clone(), id }).await
    }

    async fn write_for_record(&self, caller: &Caller, write: Write) -> Result<Record> {
        match self.write_one(caller, write).await? {
            Written::Created(record)
            | Written::Updated(record)
            | Written::Unchanged(record)
            | Written::Restored(record) => Ok(record),
            Written::Deleted => unreachable!("only a delete answers so"),
        }
    }

    async fn write_one(&self, caller: &Caller, write: Write) -> Result<Written> {
        self.write_checked(caller, write, &DuplicateCheck::default()).await
    }

    /// Makes up to `batch_rows_max` changes, in order; later ones see earlier ones. Those that are valid are committed as
    /// one write set with one log entry; each other one has its own error.
    ///
    /// There are several write sets, in order, where one would be too large, or where a write is about a record or unique
    /// value that an earlier one of the batch touches.
    ///
    /// # Errors
    /// [`Error::TooMany`], [`Error::TooDeep`], [`Error::Contended`] and failures of the store concern the whole batch; write
    /// sets that were committed before stay.
    pub async fn write_batch(&self, caller: &Caller, writes: Vec<Write>) -> Result<Vec<Result<Written>>> {
        self.write_batch_with(caller, writes, &|_| Vec::new()).await
    }

    /// As [`Records::write_batch`], and commits keys of another crate with the records: `also(n)` with the write set that takes
    /// the last of the writes before `n`, so `also(writes.len())` with the last one. Asked again where a save starts again. Where a
    /// write set changes no record (each write refused, or so already), it is not committed and nothing is asked. The keys of
    /// a write set should stay below 256 KiB.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn write_batch_with(
        &self,
        caller: &Caller,
        writes: Vec<Write>,
        also: &AlsoCommit<'_>,
    ) -> Result<Vec<Result<Written>>> {
        self.write_batch_told(caller, writes, &|taken| also(taken.end)).await
    }

    /// As [`Records::write_batch_with`], where what is committed too depends on which of the writes change something.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn write_batch_told(
        &self,
        caller: &Caller,
        writes: Vec<Write>,
        also: &AlsoTold<'_>,
    ) -> Result<Vec<Result<Written>>> {
        self.write_all(caller, writes, also, &DuplicateCheck::default()).await
    }

    /// As [`Records::write_batch_with`], for a caller who wants to know what the saved records look like, or to save them all the same.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn write_batch_checked(
        &self,
        caller: &Caller,
        writes: Vec<Write>,
        also: &AlsoCommit<'_>,
        check: &DuplicateCheck,
    ) -> Result<Vec<Result<Written>>> {
        self.write_all(caller, writes, &|taken| also(taken.end), check).await
    }

    /// Makes one change: as [`Records::write_batch_checked`].
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn write_checked(
        &self,
        caller: &Caller,
        write: Write,
        check: &DuplicateCheck,
    ) -> Result<Written> {
        let mut results = self.write_all(caller, vec![write], &|_| Vec::new(), check).await?;
        results.pop().expect("one result for each write")
    }

    async fn write_all(
        &self,
        caller: &Caller,
        writes: Vec<Write>,
        also: &AlsoTold<'_>,
        check: &DuplicateCheck,
    ) -> Result<Vec<Result<Written>>> {
        self.check_batch_size(writes.len())?;
        let batch = Batch { caller, writes: &writes, also, whole: false, check };
        let mut results = Vec::with_capacity(writes.len());
        let mut memory = Memory::default();
        while results.len() < writes.len() {
            let done = self.write_segment(batch, results.len(), &mut memory).await?;
            debug_assert!(!done.is_empty(), "each write set takes at least one write");
            results.extend(done);
        }
        Ok(results)
    }

    fn check_batch_size(&self, count: usize) -> Result<()> {
        let count_max = self.config().limits.batch_rows_max;
        if count > count_max {
            let what = Phrase::new("writes in a batch", "单批写入的条数");
            return Err(Error::TooMany { what, count, count_max });
        }
        Ok(())
    }

    /// Commits one write set of the writes from `start` on; returns what became of those that were taken.
    async fn write_segment(
        &self,
        batch: Batch<'_>,
        start: usize,
        memory: &mut Memory,
    ) -> Result<Vec<Result<Written>>> {
        let (caller, attempts_max) = (batch.caller, self.config().limits.save_attempts_max);
        memory.end_max = None;
        for _ in 0..attempts_max {
            memory.refused.clear();
            let mut segment = self.prepare_segment(batch, start, memory).await?;
            if batch.whole
                && let Some(refused) = atomic::refused(&mut segment.0, memory, batch.writes.len())
            {
                return Ok(refused);
            }
            match segment {
                (segment, None) => return Ok(finish(self, caller, segment, memory, start, None)),
                (segment, Some(set)) => {
                    let committing = self.watched.committing(segment.rows.iter().map(|row| row.object.id));
                    let committed = self.commit_logged(set, true).await;
                    drop(committing);
                    match committed {
                        Ok(committed) => {
                            if segment.has_amounts() {
                                self.base_currency_is_fixed();
                            }
                            if !segment.suspected.is_empty() {
                                self.suspects.send_modify(|count| *count += 1);
                                batch.check.note(segment.found());
                            }
                            return Ok(finish(self, caller, segment, memory, start, Some(committed)));
                        }
                        Err(error) if Self::must_retry(&error) => {
                            if Self::is_about_schema(&error) {
                                self.refresh_schema().await?;
                            }
                            tokio::task::yield_now().await;
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Err(Error::Contended { attempts: attempts_max })
    }

    /// Prepares rows until none of them is refused and all fit; each round leaves at least one more out.
    async fn prepare_segment(
        &self,
        batch: Batch<'_>,
        start: usize,
        memory: &mut Memory,
    ) -> Result<(Segment, Option<WriteSet>)> {
        loop {
            let mut save = Save {
                records: self,
                caller: batch.caller,
                now_ms: self.clock().now_ms(),
                memory,
                segment: Segment::default(),
            };
            save.prepare(batch.writes, start).await?;
            if save.run_hooks().await?
                || save.check_unique().await?
                || save.check_duplicates(batch.check).await?
                || save.pass_gates().await?
                || save.check_views()
                || save.fit()
            {
                continue;
            }
            let set = if save.segment.rows.is_empty() { None } else { Some(save.write_set(batch.also)?) };
            return Ok((save.segment, set));
        }
    }
}

/// The writes of a batch, and what is common to them.
#[derive(Clone, Copy)]
struct Batch<'a> {
    caller: &'a Caller,
    writes: &'a [Write],
    also: &'a AlsoTold<'a>,
    /// Whether all of them are committed or none.
    whole: bool,
    check: &'a DuplicateCheck,
}

/// Puts together what became of each write.
fn finish(
    records: &Records,
    caller: &Caller,
    segment: Segment,
    memory: &mut Memory,
    start: usize,
    committed: Option<Committed>,
) -> Vec<Result<Written>> {
    let mut results = segment.done;
    let end = segment.end;
    results.extend(
        std::mem::take(&mut memory.refused)
            .into_iter()
            .filter(|(write, _)| *write < end)
            .map(|(write, error)| (write, Err(error))),
    );
    if let Some(committed) = committed {
        for row in segment.rows {
            let write = row.write;
            let (object, kind, record) =
                row.committed(committed.position.0, committed.log_number.unwrap_or_default());
            let record = records.readable(&caller.scope, &object, record);
            let written = match kind {
                ChangeKind::Created => Written::Created(record),
                ChangeKind::Updated => Written::Updated(record),
                ChangeKind::Deleted => Written::Deleted,
                ChangeKind::Restored => Written::Restored(record),
            };
            results.insert(write, Ok(written));
        }
    }
    debug_assert_eq!(results.len(), end - start, "one result for each write that was taken");
    results.into_values().collect()
}
