//! The thread that waits for the next timer.

use std::{sync::Arc, time::Duration};

use serde_json::{Value as Json, json};
use tokio::sync::watch;
use trellis_model::Actor;
use trellis_records::{EntryBody, NewEntry};
use trellis_storage::{Row, ScanRange, WriteSet};

use super::stored::{Owner, StoredTimer};
use crate::{Error, Result, background::Background, core::Core, keys};

/// The event that tells that a timer has run out: `plugin` or `rule`, `name`, `object`, `record`, `due_ms`.
pub(crate) const FIRED: &str = "timer.fired";

/// Timers that are read at once.
const PAGE_ROWS: usize = 100;
/// How long the thread waits after the store failed.
const RETRY: Duration = Duration::from_secs(1);

/// Starts the thread.
pub(crate) fn start(core: Arc<Core>) -> Result<Background> {
    Background::start("timers", move |stopped| async move { watch_timers(&core, stopped).await })
}

async fn watch_timers(core: &Core, mut stopped: watch::Receiver<bool>) {
    // A clock that is set, or a machine that slept, is noticed after this long.
    let look_again = Duration::from_millis(core.config.timer_clock_check_ms.max(1));
    loop {
        let wait = match fire_due(core).await {
            Ok(None) => None,
            Ok(Some(next_due_ms)) => {
                let left_ms = next_due_ms.saturating_sub(core.records.clock().now_ms());
                Some(Duration::from_millis(left_ms.max(0).cast_unsigned()).min(look_again))
            }
            Err(error) => {
                tracing::error!(code = error.code(), "timers cannot fire: {error}");
                Some(RETRY)
            }
        };
        tokio::select! {
            () = core.timers.0.notified() => {}
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// Fires what is due, in the order in which it became due, and returns when the next timer runs out. One that cannot be read is named and
/// left where it is.
async fn fire_due(core: &Core) -> Result<Option<i64>> {
    let mut range = ScanRange::prefix(&keys::KeyKind::Timer.prefix());
    loop {
        let page = core.records.store().scan(range.clone(), PAGE_ROWS).await?;
        let now_ms = core.records.clock().now_ms();
        for row in &page.rows {
            let due_ms = keys::timer_due_ms(&row.key)?;
            if due_ms > now_ms {
                return Ok(Some(due_ms));
            }
            match fire(core, row, due_ms).await {
                Err(error @ Error::Damaged { .. }) => tracing::error!("a timer cannot fire: {error}"),
                fired => fired?,
            }
        }
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => return Ok(None),
        }
    }
}

/// Tells the log that a timer has run out and removes it. One that was replaced or ended meanwhile stays silent.
async fn fire(core: &Core, row: &Row, due_ms: i64) -> Result<()> {
    let stored = StoredTimer::decode(&row.key, &row.value)?;
    let cause = stored.cause();
    let timer = stored.timer_name();
    let schema = core.records.schema();
    let object = schema.object_by_id(timer.object);
    let (owner_kind, owner) = match &timer.owner {
        Owner::Plugin(id) => ("plugin", id.clone()),
        Owner::Rule(id) => ("rule", uuid::Uuid::from_bytes(*id).to_string()),
    };
    let data = json!({
        owner_kind: owner,
        "name": timer.name,
        "object": object.map_or(Json::Null, |object| json!(object.name.as_str())),
        "record": timer.record.to_string(),
        "due_ms": due_ms,
    });
    let mut set = WriteSet::new();
    set.expect_written_at(row.key.to_vec(), row.position);
    set.delete(row.key.to_vec());
    set.delete(timer.key());
    let actor = Actor::System { component: "timers".to_owned() };
    let entry = NewEntry { actor, cause, body: EntryBody::Event { name: FIRED.to_owned(), data } };
    match core.records.commit(set, Some(entry)).await {
        Ok(_) => Ok(()),
        Err(trellis_records::Error::Storage(trellis_storage::Error::PreconditionFailed { .. })) => Ok(()),
        Err(error) => Err(Error::from(error)),
    }
}
