//! A generation from what the records are, not from old log entries: those may have expired.

use std::collections::BTreeSet;
use std::path::Path;

use trellis_model::{ObjectDefinition, Scope};
use trellis_records::{Query, Records};

use crate::document::TextFields;
use crate::{Config, Generation, Result};

/// Builds a generation from all records. It has everything up to the log number where it began, and may have some of what came later.
/// `progress` is told how many records were looked at; `None` where it answers false.
pub(crate) async fn build(
    records: &Records,
    folder: &Path,
    config: &Config,
    progress: &(dyn Fn(u64) -> bool + Sync),
) -> Result<Option<(Generation, u64)>> {
    let mut generation = Generation::create(folder, epoch(records), records.log_head(), config)?;
    let schema = records.schema();
    let mut count = 0;
    for object in schema.objects() {
        let go_on = |more| progress(count + more);
        match add_all(records, &mut generation, object, &go_on).await? {
            Some(more) => count += more,
            None => return Ok(None),
        }
    }
    generation.commit.scanned = records.log_head();
    generation.commit()?;
    Ok(Some((generation, count)))
}

/// Takes the records of an object out and adds them again, because its fields are found otherwise now.
pub(crate) async fn build_again(
    records: &Records,
    generation: &mut Generation,
    object: &ObjectDefinition,
) -> Result<()> {
    let mut query = pages(records, object);
    loop {
        let page = records.list(&Scope::everything(), &query).await?;
        page.records.iter().for_each(|record| generation.remove(record.id));
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    add_all(records, generation, object, &|_| true).await?;
    generation.commit.scanned = records.log_head();
    Ok(())
}

/// Adds the records of an object; their number, or `None` where `go_on` answered false.
async fn add_all(
    records: &Records,
    generation: &mut Generation,
    object: &ObjectDefinition,
    go_on: &(dyn Fn(u64) -> bool + Sync),
) -> Result<Option<u64>> {
    let fields = TextFields::of(object);
    let found = !fields.0.is_empty();
    generation.set_fields(object.id, fields);
    let (mut query, mut count) = (pages(records, object), 0);
    if !found {
        return Ok(Some(0));
    }
    loop {
        let page = records.list(&Scope::everything(), &query).await?;
        for record in &page.records {
            generation.add(object.id, record.id, &record.fields)?;
        }
        count += page.records.len() as u64;
        if !go_on(count) {
            return Ok(None);
        }
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    Ok(Some(count))
}

fn pages(records: &Records, object: &ObjectDefinition) -> Query {
    // Computed fields are not found, so they need not be computed.
    let (limit, computed) = (records.config().limits.page_rows_max, Some(BTreeSet::new()));
    Query { limit, computed, ..Query::new(object.name.clone()) }
}

/// The store's epoch as a commit of the index says it.
pub(crate) fn epoch(records: &Records) -> String {
    uuid::Uuid::from_bytes(records.store().epoch().0).simple().to_string()
}
