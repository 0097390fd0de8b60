//! Doing what an undo wants to do.

use trellis_model::{ObjectName, RecordId};

use super::plan::Found;
use super::trace::Entries;
use super::{UndoAction, UndoEntries, UndoItem, UndoReason, UndoState};
use crate::{Caller, Error, Records, Result, Write};

/// How often a record is looked at again: because its fields go back after it was restored, or because it changed meanwhile.
const ROUNDS_MAX: usize = 5;

/// What became of one record of an undo.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoOutcome {
    /// The record; its state is why not, or that some of its fields stayed.
    pub item: UndoItem,
    /// Whether something was taken back.
    pub undone: bool,
}

impl Records {
    /// Takes back what [`Records::undo_page`] said, with the caller as who does it: each record by ordinary writes, based on the version
    /// that the page saw; one that changed meanwhile is looked at again. An item that cannot be done, or is refused now, says so.
    ///
    /// # Errors
    /// Failures of the store; what was written before stays, and doing it again does the rest.
    pub async fn undo_apply(
        &self,
        caller: &Caller,
        entries: &UndoEntries,
        items: Vec<UndoItem>,
    ) -> Result<Vec<UndoOutcome>> {
        let mut outcomes: Vec<UndoOutcome> =
            items.into_iter().map(|item| UndoOutcome { item, undone: false }).collect();
        let mut open: Vec<usize> = (0..outcomes.len()).collect();
        for _ in 0..ROUNDS_MAX {
            open.retain(|at| outcomes.get(*at).is_some_and(|outcome| outcome.item.state.can()));
            let mut again = Vec::new();
            for chunk in open.chunks(self.config().limits.batch_rows_max.max(1)) {
                again.extend(self.undo_batch(caller, entries, &mut outcomes, chunk).await?);
            }
            open = again;
            if open.is_empty() {
                break;
            }
        }
        for at in open {
            if let Some(outcome) = outcomes.get_mut(at) {
                refuse(&mut outcome.item, &Error::Contended { attempts: ROUNDS_MAX });
            }
        }
        Ok(outcomes)
    }

    /// What an undo would do with one record now; `None` where there is nothing to do, or the caller does not see it.
    ///
    /// # Errors
    /// As [`Records::undo_page`].
    pub async fn undo_item(
        &self,
        caller: &Caller,
        entries: &UndoEntries,
        object: &ObjectName,
        id: RecordId,
    ) -> Result<Option<UndoItem>> {
        let key = (self.object(object)?.id, id);
        Ok(match self.undo_of(caller, entries, &mut Entries::default(), key, None).await? {
            Found::Item(item) => Some(*item),
            Found::Hidden | Found::Nothing => None,
        })
    }

    /// Writes the items at some places once; returns those that have to be looked at again.
    async fn undo_batch(
        &self,
        caller: &Caller,
        entries: &UndoEntries,
        outcomes: &mut [UndoOutcome],
        places: &[usize],
    ) -> Result<Vec<usize>> {
        let write = |at: &usize| outcomes.get(*at).map(|outcome| write_of(&outcome.item));
        let writes: Vec<Write> = places.iter().filter_map(write).collect();
        let results = self.write_batch(caller, writes).await?;
        let (mut again, mut read) = (Vec::new(), Entries::default());
        for (at, result) in places.iter().zip(results) {
            let Some(outcome) = outcomes.get_mut(*at) else { continue };
            let look_again = match result {
                Ok(_) => {
                    outcome.undone = true;
                    outcome.item.action == UndoAction::Restore && !outcome.item.changes.is_empty()
                }
                Err(Error::VersionConflict { .. } | Error::NotFound { .. }) => true,
                Err(error) => {
                    refuse(&mut outcome.item, &error);
                    false
                }
            };
            if look_again && self.look_again(caller, entries, &mut read, outcome).await? {
                again.push(*at);
            }
        }
        Ok(again)
    }

    /// Plans a record anew; returns whether there is still something to do.
    async fn look_again(
        &self,
        caller: &Caller,
        entries: &UndoEntries,
        read: &mut Entries,
        outcome: &mut UndoOutcome,
    ) -> Result<bool> {
        let object = self.object(&outcome.item.object)?;
        let key = (object.id, outcome.item.id);
        match self.undo_of(caller, entries, read, key, None).await? {
            Found::Item(item) if item.state == UndoState::Done && outcome.undone => Ok(false),
            Found::Item(item) => {
                outcome.item = *item;
                Ok(outcome.item.state.can())
            }
            Found::Hidden => {
                let missing = Error::NotFound { object: object.name.clone(), id: outcome.item.id };
                refuse(&mut outcome.item, &missing);
                Ok(false)
            }
            Found::Nothing => Ok(false),
        }
    }
}

fn write_of(item: &UndoItem) -> Write {
    let (object, id, expected_version) = (item.object.clone(), item.id, Some(item.version));
    match item.action {
        UndoAction::Delete => Write::Delete { object, id, expected_version },
        UndoAction::Restore => Write::Restore { object, id },
        UndoAction::Update => Write::Update { object, id, changes: item.changes.clone(), expected_version },
    }
}

/// Notes why a record stays as it is.
fn refuse(item: &mut UndoItem, error: &Error) {
    item.state =
        if matches!(error, Error::Duplicate { .. }) { UndoState::Conflict } else { UndoState::Refused };
    item.reason = Some(UndoReason { code: error.code(), text: error.text() });
}
