//! What hooks say about the rows of a write set.

use std::sync::Arc;

use trellis_model::{ChangeKind, ObjectId, RecordId, bilingual};
use trellis_storage::Position;

use super::prepare::Save;
use super::segment::Row;
use super::{Written, validate};
use crate::{Error, Proposed, Result, SaveContext, SaveHook, Veto};

impl Save<'_> {
    /// Lets hooks look at the rows, one hook after another. Returns whether a row was refused, so that preparing must start
    /// again without it.
    pub(super) async fn run_hooks(&mut self) -> Result<bool> {
        let hooks = self.records.hooks();
        let mut context: Option<Arc<SaveContext>> = None;
        for hook in hooks.iter() {
            let asked = self.concerned(&**hook);
            if asked.is_empty() {
                continue;
            }
            let trial = self.memory.trial.is_some();
            let context = context
                .get_or_insert_with(|| Arc::new(SaveContext::new(self.caller.clone(), self.now_ms, trial)));
            if self.ask(&**hook, context, asked).await? {
                return Ok(true);
            }
        }
        if let Some(context) = context {
            self.leave_out_unchanged();
            self.rely_on(&context).await?;
        }
        Ok(false)
    }

    /// The places of the rows that a hook wants to see.
    fn concerned(&self, hook: &dyn SaveHook) -> Vec<usize> {
        let concerned = |row: &Row| {
            matches!(row.kind, ChangeKind::Created | ChangeKind::Updated)
                && !row.as_is
                && hook.concerns(row.object.id)
        };
        let rows = self.segment.rows.iter().enumerate();
        rows.filter(|(_, row)| concerned(row)).map(|(place, _)| place).collect()
    }

    /// Returns whether the hook refused a row, or changed one so that it is not valid.
    async fn ask(
        &mut self,
        hook: &dyn SaveHook,
        context: &Arc<SaveContext>,
        asked: Vec<usize>,
    ) -> Result<bool> {
        let propose = |place: &usize| self.segment.rows.get(*place).map(Row::proposed);
        let mut proposed: Vec<Proposed> = asked.iter().filter_map(propose).collect();
        let mut refused = false;
        if let Err(vetoes) = hook.before_save(context, &mut proposed).await {
            for veto in vetoes {
                self.refuse(&asked, veto)?;
                refused = true;
            }
        }
        if refused {
            return Ok(true);
        }
        for (place, proposed) in asked.into_iter().zip(proposed) {
            refused |= self.accept(place, proposed).await?;
        }
        Ok(refused)
    }

    /// Notes a veto as the error of its write; of several the first counts.
    fn refuse(&mut self, asked: &[usize], veto: Veto) -> Result<()> {
        let Veto { by, code, reason, field, unavailable, row: number } = veto;
        let row = asked.get(number).and_then(|place| self.segment.rows.get(*place));
        let row = row.ok_or_else(|| {
            let by = by.text();
            let refused =
                bilingual!(" refused row {number}, which there is not", "拒绝了不存在的第 {number} 行");
            Error::Query(by.then(&refused))
        })?;
        let error = Error::Veto { by: Box::new(by), code, reason, field, unavailable };
        self.memory.refused.entry(row.write).or_insert(error);
        Ok(())
    }

    /// Takes over what a hook changed in a row and checks it again; returns whether it is no longer valid.
    async fn accept(&mut self, place: usize, proposed: Proposed) -> Result<bool> {
        let Some(row) = self.segment.rows.get(place) else { return Ok(false) };
        if row.after.fields == proposed.fields {
            return Ok(false);
        }
        let (object, write) = (row.object.clone(), row.write);
        let (config, mut after) = (self.records.config(), row.after.clone());
        // What comes back stands as it was found there, see `row`.
        let led = (row.kind == ChangeKind::Restored).then(|| row.after.clone());
        let checked = match validate::fields(&object, proposed.fields, &config.limits, config.base_currency) {
            Ok(fields) => {
                after.fields = fields;
                match self.check_shape(&object, proposed.before.as_ref(), &after).await {
                    Ok(()) => {
                        let before = proposed.before.as_ref();
                        self.check_references(&object, before, led.as_ref().or(before), &mut after).await
                    }
                    refused => refused,
                }
            }
            Err(error) => Err(error),
        };
        match checked {
            Ok(()) => {
                let event = self.event(&object, &after).await?;
                if let Some(row) = self.segment.rows.get_mut(place) {
                    (row.after, row.event_after) = (after, event);
                }
                Ok(false)
            }
            Err(error @ (Error::Storage(_) | Error::Damaged { .. })) => Err(error),
            Err(error) => {
                self.memory.refused.insert(write, error);
                Ok(true)
            }
        }
    }

    /// Rows that hooks brought back to what is stored are no changes.
    fn leave_out_unchanged(&mut self) {
        let unchanged = |row: &mut Row| match &row.before {
            Some(before) => row.kind == ChangeKind::Updated && before.record.fields == row.after.fields,
            None => false,
        };
        let unchanged: Vec<Row> = self.segment.rows.extract_if(.., unchanged).collect();
        for Row { write, object, before, .. } in unchanged {
            if let Some(before) = before {
                let record = self.records.readable(&self.caller.scope, &object, before.record);
                self.segment.done.insert(write, Ok(Written::Unchanged(record)));
            }
        }
    }

    /// Takes over what hooks noted: the versions that they relied on become preconditions, their keys part of the write set.
    async fn rely_on(&mut self, context: &SaveContext) -> Result<()> {
        let noted = context.take();
        self.segment.noted = !noted.expected.is_empty() || !noted.puts.is_empty();
        self.segment.puts = noted.puts;
        for ((object, id), version) in noted.expected {
            match version {
                Some(version) => {
                    // Where a reference was checked at another version, one of both has changed: the older one will fail.
                    let expected = self.segment.expect.entry((object, id)).or_insert(Position(version));
                    *expected = Position(version).min(*expected);
                }
                None => self.rely_on_absence(object, id).await?,
            }
        }
        Ok(())
    }

    /// A record that is not there must not come to be; one that is deleted must not come back. One that has come to be since a
    /// hook looked fails the precondition, so that the hook looks again.
    async fn rely_on_absence(&mut self, object: ObjectId, id: RecordId) -> Result<()> {
        match self.stored_target(object, id).await?.filter(|target| target.deleted) {
            Some(deleted) => self.segment.expect.extend(deleted.position.map(|at| ((object, id), at))),
            None => drop(self.segment.absent.insert((object, id))),
        }
        Ok(())
    }
}

impl Row {
    fn proposed(&self) -> Proposed {
        Proposed {
            object: self.object.id,
            id: self.after.id,
            kind: self.kind,
            before: self.before.as_ref().map(|before| before.record.clone()),
            fields: self.after.fields.clone(),
        }
    }
}
