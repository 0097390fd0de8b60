//! Lets the payloads of old log entries and the inputs of old runs go.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{Result, background::Background, core::Core};

const DAY_MS: i64 = 86_400_000;

/// Starts the thread that lets payloads go, a step at a time.
pub(crate) fn start(core: Arc<Core>) -> Result<Background> {
    Background::start("payload-expiry", move |stopped| async move { expire(&core, stopped).await })
}

async fn expire(core: &Core, mut stopped: watch::Receiver<bool>) {
    let every = Duration::from_millis(core.config.payload_expiry_interval_ms.max(1));
    loop {
        if let Err(error) = core.expire_capsules().await {
            tracing::warn!("inputs of old runs were not deleted: {error}");
        }
        loop {
            match step(core).await {
                Ok(true) if !*stopped.borrow() => tokio::task::yield_now().await,
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!("payloads of old log entries were not deleted: {error}");
                    break;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// One bounded step; returns whether there is more to do. What a reader of the log has not read yet stays.
async fn step(core: &Core) -> Result<bool> {
    let days = i64::from(core.records.config().limits.payload_days);
    if days == 0 {
        return Ok(false);
    }
    let before_ms = core.records.clock().now_ms() - days * DAY_MS;
    let read = core.columns.catch_up().await?.min(*core.reacted.borrow());
    Ok(core.records.expire_payloads(before_ms, read).await?)
}
