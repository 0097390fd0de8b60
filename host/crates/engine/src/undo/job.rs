//! The job of an undo. Doing it again after a stop of the server takes back the rest: what went back already is found so.

use serde_json::{Value as Json, json};
use trellis_model::Cause;
use trellis_records::{Caller, UndoItem, UndoOutcome, UndoState};

use super::{BATCH_RECORDS, StoredUndo, results, tally::Tally};
use crate::{Result, core::Core, jobs::Running};

/// Rounds in which records are tried again whose unique values others of the same undo may have freed since.
const CONFLICT_ROUNDS_MAX: usize = 3;

pub(crate) fn run(core: &Core, job: &Running<'_>, asked: &StoredUndo) -> Result<Json> {
    let (records, request) = (&core.records, asked.request()?);
    let cause = Cause { automations_off: !asked.run_automations, ..job.caller().cause.clone() };
    let caller = Caller { cause, ..job.caller().clone() };
    let entries = job.wait(records.undo_entries(&request))?;
    let mut tally = Tally::new(job.id(), core.config.undo_listed_max);
    let (mut from, mut conflicts) = (None, Vec::new());
    loop {
        job.check()?;
        let page = job.wait(records.undo_page(&caller, &entries, from, BATCH_RECORDS))?;
        tally.hidden += page.hidden as u64;
        if asked.dry_run {
            page.items.iter().for_each(|item| tally.plan(item));
        } else {
            for outcome in job.wait(records.undo_apply(&caller, &entries, page.items))? {
                let may_free_up = outcome.item.state == UndoState::Conflict && !outcome.undone;
                if may_free_up && conflicts.len() < core.config.undo_listed_max {
                    conflicts.push(outcome.item);
                } else {
                    tally.note(&outcome);
                }
            }
        }
        job.progress(tally.records, None, "records");
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    for outcome in again(core, job, &caller, &entries, conflicts)? {
        tally.note(&outcome);
    }
    job.progress(tally.records, Some(tally.records), "records");
    let results = match asked.dry_run {
        true => Json::Null,
        false => results::roll_back(core, job, &caller, &request.target)?,
    };
    let mut result = tally.result();
    result.insert("entries".into(), json!(entries.len()));
    result.insert("caused".into(), json!(entries.caused()));
    result.insert("dry_run".into(), json!(asked.dry_run));
    result.insert("results".into(), results);
    Ok(Json::Object(result))
}

/// Tries records in conflict again as long as that helps any of them.
fn again(
    core: &Core,
    job: &Running<'_>,
    caller: &Caller,
    entries: &trellis_records::UndoEntries,
    mut items: Vec<UndoItem>,
) -> Result<Vec<UndoOutcome>> {
    let mut ended = Vec::new();
    for _ in 0..CONFLICT_ROUNDS_MAX {
        if items.is_empty() {
            break;
        }
        job.check()?;
        let mut planned = Vec::with_capacity(items.len());
        for item in items {
            let again = job.wait(core.records.undo_item(caller, entries, &item.object, item.id))?;
            planned.push(again.unwrap_or(item));
        }
        let outcomes = job.wait(core.records.undo_apply(caller, entries, planned))?;
        let (open, done): (Vec<_>, Vec<_>) = outcomes
            .into_iter()
            .partition(|outcome| outcome.item.state == UndoState::Conflict && !outcome.undone);
        let helped = !done.is_empty();
        ended.extend(done);
        items = open.into_iter().map(|outcome| outcome.item).collect();
        if !helped {
            break;
        }
    }
    ended.extend(items.into_iter().map(|item| UndoOutcome { item, undone: false }));
    Ok(ended)
}
