//! Decisions in the store: each under its id, so that they sort by time, and a key that finds those of a record.

use trellis_model::{Decider, ObjectId, RecordId};
use trellis_records::Records;
use trellis_storage::{ScanRange, Store, WriteSet};

use super::{Capsule, Decision, DecisionPage, DecisionQuery, capsule, stored as stored_decision};
use crate::{Error, Result, keys, stored};

/// Decisions of a page.
const PAGE_MAX: usize = 200;
/// Decisions that one page looks at.
const LOOKED_AT_MAX: usize = 2_000;
/// Rows of a scan.
const SCAN_ROWS: usize = 100;

/// The keys of a decision with their values, for a commit that it is part of. Those of the same decision put again replace the first.
pub(crate) fn writes(
    object: ObjectId,
    decision: &Decision,
    capsule: Option<&Capsule>,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut writes = stored::puts(&keys::decision(decision.id), &stored_decision::encode(decision));
    writes.push((keys::decision_of_record(object, decision.record, decision.id), Vec::new()));
    if let Some(capsule) = capsule {
        writes.extend(stored::puts(&keys::decision_capsule(decision.id), &capsule::encode(capsule)));
    }
    writes
}

/// Records a decision by itself.
pub(crate) async fn put(records: &Records, decision: &Decision, capsule: Option<&Capsule>) -> Result<()> {
    put_all(records, &[(decision.clone(), capsule.cloned())]).await
}

/// Records several decisions in one commit.
pub(crate) async fn put_all(records: &Records, decisions: &[(Decision, Option<Capsule>)]) -> Result<()> {
    let mut set = WriteSet::new();
    for (decision, capsule) in decisions {
        let object = object_id(records, decision.object.as_str())?;
        for (key, value) in writes(object, decision, capsule.as_ref()) {
            set.put(key, value);
        }
    }
    records.commit(set, None).await?;
    Ok(())
}

/// A decision.
pub(crate) async fn get(records: &Records, id: RecordId) -> Result<Option<Decision>> {
    match stored::get(records.store().as_ref(), &keys::decision(id)).await? {
        Some((bytes, _)) => stored_decision::decode(id, &bytes).map(Some),
        None => Ok(None),
    }
}

/// The capsule of a decision.
pub(crate) async fn get_capsule(records: &Records, id: RecordId) -> Result<Option<Capsule>> {
    match stored::get(records.store().as_ref(), &keys::decision_capsule(id)).await? {
        Some((bytes, _)) => capsule::decode(id, &bytes).map(Some),
        None => Ok(None),
    }
}

/// Up to `decisions_max` (at most 200) decisions, the newest first: those before `after`.
pub(crate) async fn list(
    records: &Records,
    query: &DecisionQuery,
    after: Option<RecordId>,
    decisions_max: usize,
) -> Result<DecisionPage> {
    let wanted = decisions_max.clamp(1, PAGE_MAX);
    let prefix = match (&query.object, query.record) {
        (Some(object), Some(record)) => {
            keys::decisions_of_record(object_id(records, object.as_str())?, record)
        }
        (None, Some(_)) => {
            return Err(Error::InvalidRequest { reason: "`record` needs `object`".to_owned() });
        }
        (_, None) => keys::KeyKind::Decision.prefix(),
    };
    let mut range = ScanRange::prefix(&prefix).reversed();
    if let Some(after) = after {
        range = range.after(&[prefix.as_slice(), after.as_bytes()].concat());
    }
    let store = records.store().as_ref();
    let (mut found, mut looked_at) = (Vec::new(), 0);
    loop {
        let page = store.scan(range.clone(), SCAN_ROWS).await?;
        let mut last = None;
        for row in &page.rows {
            if found.len() >= wanted || looked_at >= LOOKED_AT_MAX {
                return Ok(DecisionPage { decisions: found, next: last });
            }
            let id = keys::trailing_id(&row.key)?;
            looked_at += 1;
            last = Some(id);
            found.extend(read(store, id).await?.filter(|decision| matches(query, decision)));
        }
        match page.rows.last() {
            Some(row) if page.more => range = range.after(&row.key),
            _ => return Ok(DecisionPage { decisions: found, next: None }),
        }
        if (found.len() >= wanted || looked_at >= LOOKED_AT_MAX) && last.is_some() {
            return Ok(DecisionPage { decisions: found, next: last });
        }
    }
}

/// A decision whose key was just scanned; one that was pruned meanwhile is not there.
async fn read(store: &dyn Store, id: RecordId) -> Result<Option<Decision>> {
    match stored::get(store, &keys::decision(id)).await? {
        Some((bytes, _)) => stored_decision::decode(id, &bytes).map(Some),
        None => Ok(None),
    }
}

fn matches(query: &DecisionQuery, decision: &Decision) -> bool {
    let by_plugin = |wanted| matches!(&decision.by, Decider::Plugin { id, .. } if id == wanted);
    let by_rule = |wanted| matches!(&decision.by, Decider::Rule { id, .. } if *id == wanted);
    query.object.as_ref().is_none_or(|object| *object == decision.object)
        && query.record.is_none_or(|record| record == decision.record)
        && query.plugin.as_ref().is_none_or(by_plugin)
        && query.rule.is_none_or(by_rule)
        && query.kind.is_none_or(|kind| kind == decision.kind)
}

fn object_id(records: &Records, name: &str) -> Result<ObjectId> {
    let schema = records.schema();
    let object = schema.object(name);
    let unknown = || trellis_records::Error::UnknownObject { name: name.to_owned() };
    Ok(object.map(|object| object.id).ok_or_else(unknown)?)
}
