//! The job that looks for duplicates, and the thread that puts what saves were warned of into the queue.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::sync::watch;
use trellis_model::{FieldName, ObjectName, Scope};
use trellis_records::{Caller, NotedPairs};

use crate::{Error, Result, background::Background, core::Core, jobs::Running};

/// Suspected records that are looked at in a row.
const SUSPECTS_AT_ONCE: usize = 50;
/// How long the queue waits after a failure.
const RETRY: Duration = Duration::from_secs(5);

/// Scans an object by a matching rule; done again from the beginning after a stop, since a pair that is known is not doubled.
pub(crate) fn run(core: &Core, job: &Running<'_>, object: &str, rule: &str) -> Result<Json> {
    let object = ObjectName::new(object).map_err(trellis_records::Error::from)?;
    let rule = FieldName::new(rule).map_err(trellis_records::Error::from)?;
    // The queue is the host's own work; who asked was checked before.
    let caller = Caller { scope: Scope::everything(), ..job.caller().clone() };
    let mut scan = core.records.scan_duplicates(&object, &rule)?;
    let (mut noted, pairs_max) = (NotedPairs::default(), core.records.config().limits.pairs_max);
    let mut is_complete = true;
    while let Some(mut pairs) = job.wait(scan.next(&core.records))? {
        job.check()?;
        let room = pairs_max.saturating_sub(written(&noted));
        is_complete = pairs.len() <= room;
        pairs.truncate(room);
        let page = job.wait(core.records.note_pairs(&caller, &object, &rule, &pairs))?;
        noted.created += page.created;
        noted.updated += page.updated;
        noted.unchanged += page.unchanged;
        job.progress(scan.counts().keys, None, "match-keys");
        if !is_complete {
            break;
        }
    }
    let counts = scan.counts();
    Ok(json!({
        "object": object.as_str(),
        "rule": rule.as_str(),
        "match_keys": counts.keys,
        "compared": counts.compared,
        "pairs": counts.pairs,
        "created": noted.created,
        "updated": noted.updated,
        "unchanged": noted.unchanged,
        "skipped_blocks": counts.skipped_blocks,
        "complete": is_complete,
    }))
}

fn written(noted: &NotedPairs) -> usize {
    usize::try_from(noted.created + noted.updated + noted.unchanged).unwrap_or(usize::MAX)
}

/// Checks that there is such a rule, before there is a job.
pub(crate) fn check(core: &Core, object: &ObjectName, rule: Option<&FieldName>) -> Result<FieldName> {
    let schema = core.records.schema();
    let unknown = || trellis_records::Error::UnknownObject { name: object.to_string() };
    let definition = schema.object(object.as_str()).ok_or_else(unknown)?;
    let rule = rule.or_else(|| definition.matching_rules.first().map(|rule| &rule.name));
    let rule = rule
        .ok_or_else(|| Error::InvalidRequest { reason: format!("object `{object}` has no matching rule") })?;
    core.records.scan_duplicates(object, rule)?;
    Ok(rule.clone())
}

/// Starts the thread that fills the queue.
pub(crate) fn start(core: Arc<Core>) -> Result<Background> {
    Background::start("duplicates", move |stopped| async move { queue(&core, stopped).await })
}

async fn queue(core: &Core, mut stopped: watch::Receiver<bool>) {
    let mut suspects = core.records.suspects_watch();
    let caller = Caller::system("duplicates");
    loop {
        suspects.borrow_and_update();
        let looked = core.records.queue_suspects(&caller, SUSPECTS_AT_ONCE).await;
        let wait = match looked {
            Ok(0) => None,
            Ok(_) => Some(Duration::ZERO),
            Err(error) => {
                tracing::error!("possible duplicates cannot be put into the queue: {error}");
                Some(RETRY)
            }
        };
        if *stopped.borrow() {
            return;
        }
        tokio::select! {
            changed = suspects.changed(), if wait.is_none() => {
                if changed.is_err() {
                    return;
                }
            }
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}
