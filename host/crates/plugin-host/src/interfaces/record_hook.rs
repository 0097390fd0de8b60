//! `record-hook`: a plugin judges records before they are saved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trellis_model::{FieldName, Lookups, NamedRecord, Text, Value};

use super::bindings::exports::trellis::plugin::record_hook as wit;
use crate::answers::{CallContext, RowError};
use crate::call::Call;
use crate::health::RowKey;
use crate::join::{self, Answered, Rest};
use crate::run::Rejection;
use crate::{Error, LimitClass, Plugin, Result, check, convert};

/// The interface for records that are saved of a plugin. Its function blocks, and needs 1 MiB of stack.
#[derive(Debug, Clone, Copy)]
pub struct RecordHook<'a> {
    plugin: &'a Plugin,
}

/// A record that is about to be saved. The plugin gets the fields that its manifest declares.
#[derive(Debug, Clone, PartialEq)]
pub struct HookChange {
    /// The record as it would be.
    pub after: NamedRecord,
    /// Its fields as they are stored; `None` where it is created.
    pub before: Option<BTreeMap<FieldName, Value>>,
}

/// What becomes of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is saved as it is.
    Accept,
    /// It is saved with these fields changed; each is one that the manifest declares.
    Patch(BTreeMap<FieldName, Option<Value>>),
    /// It is not saved.
    Veto(Refusal),
    /// The plugin fails on this change, and judged the others of the same call. It never says so itself.
    Failed(Text),
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A stable code in kebab-case.
    pub code: String,
    /// The field at fault.
    pub field: Option<FieldName>,
    /// Why, for whoever saves.
    pub message: Text,
}

impl<'a> RecordHook<'a> {
    pub(crate) fn of(plugin: &'a Plugin) -> Self {
        Self { plugin }
    }

    /// Judges changes of one object, at most as many as the class record-hook has rows, and returns one verdict for each.
    ///
    /// # Errors
    /// What the plugin says against the configuration, a fault of the plugin, that its look-ups took too long, that there are too many
    /// changes, or that the manifest declares no hook for the object.
    pub fn before_save(
        &self,
        changes: &[HookChange],
        config: &str,
        at: &CallContext,
        lookups: Arc<dyn Lookups>,
    ) -> Result<Vec<Verdict>> {
        let Some(first) = changes.first() else { return Ok(Vec::new()) };
        let object = &first.after.object;
        let used = self.plugin.manifest().record_hook(object).ok_or_else(|| {
            self.plugin.host_failure(format!("its manifest has no `[[record-hook]]` for `{object}`"))
        })?;
        self.check_count(changes.len())?;
        let shown: Vec<_> = changes.iter().map(|change| change_to_guest(change, &used.fields)).collect();
        let rows = shown.len();
        let call = Call::new("before-save", LimitClass::RecordHook).at(at).rows(rows as u64).lookups(lookups);
        let context = convert::context(at);
        let asked = self.plugin.by_parts::<wit::GuestIndices, _>(
            &call,
            rows,
            |row| changes.get(row).map(|change| RowKey::Record(change.after.id)),
            |call, range| {
                let shown = shown.get(range).unwrap_or_default();
                let done = self.plugin.ask::<wit::GuestIndices, _, _>(
                    call,
                    |guest, store| guest.call_before_save(store, shown, config, &context),
                    |verdicts| take(verdicts, shown.len(), &used.fields),
                )?;
                Ok(Answered { value: done.value, rest: Rest::default() })
            },
        )?;
        let Answered { value: mut verdicts, rest } =
            asked.joined(0, |parts| join::values(&Verdict::Accept, parts))?;
        for RowError { row, message, .. } in rest.failed {
            if let Some(verdict) = verdicts.get_mut(row as usize) {
                *verdict = Verdict::Failed(message);
            }
        }
        Ok(verdicts)
    }

    fn check_count(&self, changes: usize) -> Result<()> {
        let limit = self.plugin.limits(LimitClass::RecordHook).rows_max;
        if changes as u64 > u64::from(limit) {
            let plugin = self.plugin.plugin_version().clone();
            let (found, limit) = (changes as u64, limit.into());
            return Err(Error::BatchTooLarge { plugin, found, limit, unit: "changes" });
        }
        Ok(())
    }
}

fn change_to_guest(change: &HookChange, fields: &BTreeSet<FieldName>) -> wit::Change {
    let before = change.before.as_ref().map(|before| {
        convert::fields_to_guest(before.iter().map(|(name, value)| (name, Some(value))), fields)
    });
    wit::Change { after: convert::record_to_guest(&change.after, fields), before }
}

fn take(
    verdicts: Vec<wit::Verdict>,
    changes: usize,
    fields: &BTreeSet<FieldName>,
) -> Result<Vec<Verdict>, Rejection> {
    if verdicts.len() != changes {
        return Err(format!("{} verdicts for {changes} changes", verdicts.len()).into());
    }
    let take = |(row, taken)| verdict(taken, fields).map_err(|reason| format!("change {row}: {reason}"));
    Ok(verdicts.into_iter().enumerate().map(take).collect::<Result<_, String>>()?)
}

fn verdict(verdict: wit::Verdict, fields: &BTreeSet<FieldName>) -> Result<Verdict, String> {
    Ok(match verdict {
        wit::Verdict::Accept => Verdict::Accept,
        wit::Verdict::Patch(patch) => {
            let patch = convert::fields_from_guest(patch)?;
            check::patch(&patch, fields)?;
            Verdict::Patch(patch)
        }
        wit::Verdict::Veto(refusal) => {
            let (code, field, message) =
                check::refusal(refusal.code, refusal.field, convert::text(refusal.message))?;
            Verdict::Veto(Refusal { code, field, message })
        }
    })
}
