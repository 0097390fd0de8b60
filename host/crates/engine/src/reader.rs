//! The reader that keeps columns and results up with the log.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::{Result, background::Background, core::Core, run};

/// How long the reader waits after a failure.
const RETRY: Duration = Duration::from_secs(1);

/// How often what a plugin failed on is tried again, in the intervals in which changes are followed.
const TRY_AGAIN: u32 = 50;

/// Starts the thread that follows the log.
pub(crate) fn start(core: Arc<Core>) -> Result<Background> {
    Background::start("log-reader", move |stopped| async move { read(&core, stopped).await })
}

async fn read(core: &Core, mut stopped: watch::Receiver<bool>) {
    let mut log = core.records.log_watch();
    let mut followers = BTreeMap::new();
    let follow_every = Duration::from_millis(core.config.follow_interval_ms);
    let mut follow_at = Instant::now();
    let (mut is_behind, mut seen_day) = (true, run::today(core));
    // The clock is looked at, not slept by: it may be set, and the machine may sleep.
    let look_at_clock = Duration::from_millis(core.config.timer_clock_check_ms.max(1));
    loop {
        if let Err(error) = core.columns.catch_up().await {
            tracing::error!("columns cannot follow the log: {error}");
            follow_at = follow_at.max(Instant::now() + RETRY);
        }
        if is_behind && Instant::now() >= follow_at {
            let started = Instant::now();
            // What is left in parts goes on as changes do.
            let left = run::follow_all(core, &mut followers).await;
            is_behind = left.more || left.to_try;
            // Under a flood of changes it takes at most a quarter of the time of one core.
            let pause = if left.to_try && !left.more { follow_every * TRY_AGAIN } else { follow_every };
            follow_at = Instant::now() + pause.max(started.elapsed() * 3);
        }
        // Nothing else takes notice of the log: a change that came while the clock was looked at is still to be told.
        tokio::select! {
            changed = log.changed() => {
                if changed.is_err() {
                    return;
                }
                is_behind = true;
            }
            () = tokio::time::sleep_until(follow_at.into()), if is_behind => {}
            () = tokio::time::sleep(look_at_clock), if !is_behind => {
                let today = run::today(core);
                // A single score that is another is in no log entry where nobody crossed a band.
                is_behind = today > seen_day || run::are_behind(core, &followers);
                seen_day = today;
            }
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}
