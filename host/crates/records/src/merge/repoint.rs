//! The second step of a merge: what refers to a loser refers to the winner.

use trellis_model::{ObjectName, RecordId};

use super::references::Referrer;
use crate::{Caller, Error, Records, Result, Write, Written};

/// What became of the references to losers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Repointed {
    /// Records that refer to the winner now.
    pub records: u64,
    /// Records whose reference was cleared, because it is unique and another record refers to the winner already.
    pub cleared: u64,
}

impl Records {
    /// Has all records that refer to a loser refer to what it was merged into: in batches, each of which is a write set of its own, also
    /// records of objects that are otherwise only added to, also those that the caller does not see. Rules and plugins are not asked,
    /// and nothing else is validated: the records are as they were but for the reference. `progress` is told how many are done.
    ///
    /// Does what is left where it was interrupted.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn repoint_references(
        &self,
        caller: &Caller,
        object: &ObjectName,
        losers: &[RecordId],
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Repointed> {
        let target = self.object(object)?;
        let mut repointed = Repointed::default();
        for referrer in self.referrers(object) {
            for loser in losers {
                // Without an alias nobody merged it, or somebody restored it meanwhile.
                while self.alias_of(target.id, *loser).await?.is_some() {
                    let more = self.repoint_batch(caller, object, &referrer, *loser, &mut repointed).await?;
                    progress(repointed.records + repointed.cleared);
                    if !more {
                        break;
                    }
                }
            }
        }
        Ok(repointed)
    }

    /// Repoints a batch of the records that name a loser by one field; returns whether there may be more.
    async fn repoint_batch(
        &self,
        caller: &Caller,
        target: &ObjectName,
        referrer: &Referrer,
        from: RecordId,
        repointed: &mut Repointed,
    ) -> Result<bool> {
        let ids = self.referrers_to(referrer, target, from, self.config().limits.batch_rows_max).await?;
        let repoint = |id: &RecordId, clear: bool| Write::Repoint {
            object: referrer.object.name.clone(),
            id: *id,
            target: target.clone(),
            from,
            clear,
        };
        let (mut changed, mut clashing) = (0, Vec::new());
        let writes = ids.iter().map(|id| repoint(id, false)).collect();
        for (id, result) in ids.iter().zip(self.write_batch(caller, writes).await?) {
            match result {
                Ok(written) => changed += u64::from(matches!(written, Written::Updated(_))),
                // Somebody deleted it meanwhile: where it comes back, it follows the alias.
                Err(Error::NotFound { .. }) => {}
                Err(Error::Duplicate { .. }) => clashing.push(repoint(id, true)),
                Err(error) => return Err(error),
            }
        }
        let mut cleared = 0;
        for result in self.write_batch(caller, clashing).await? {
            match result {
                Ok(written) => cleared += u64::from(matches!(written, Written::Updated(_))),
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        repointed.records += changed;
        repointed.cleared += cleared;
        Ok(changed + cleared > 0)
    }
}
