//! What the engine does about plugins that fail: it keeps quarantines through restarts, logs them, tells the administrators, and lets
//! them release a version. Which version is called is decided in `trellis-plugin-host`.

mod api;
mod notify;
mod stored;

use std::sync::Arc;

use parking_lot::RwLock;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use trellis_model::RecordId;
use trellis_plugin_host::{Clock, HealthChange, HealthListener, PluginHost, Quarantine};
use trellis_records::{Caller, EntryBody, NewEntry, Records};
use trellis_storage::WriteSet;

use crate::{Error, PluginInfo, Result, background::Background, core::Core, plugins::hex};

/// The event when a version is not called any more.
const QUARANTINED: &str = "plugin.quarantined";
/// The event when it is called again because it was tried and went well.
const RECOVERED: &str = "plugin.recovered";
/// The event when somebody has it called again.
const RELEASED: &str = "plugin.released";

/// Hears of the health of plugins.
#[derive(Debug)]
pub(crate) struct Supervisor {
    changes: mpsc::UnboundedSender<HealthChange>,
    /// Who is told; known once there is somebody.
    administrators: RwLock<Vec<RecordId>>,
}

/// What the supervisor has heard and nobody has dealt with.
pub(crate) type Heard = mpsc::UnboundedReceiver<HealthChange>;

impl HealthListener for Supervisor {
    /// Quarantines are rare and short, so that a queue without a limit stays short.
    fn changed(&self, change: HealthChange) {
        if self.changes.send(change).is_err() {
            tracing::debug!("a change of a plugin's health came while the server stops");
        }
    }
}

/// The clock of records, for plugins.
#[derive(Debug)]
struct RecordClock(Arc<Records>);

impl Clock for RecordClock {
    fn now_ms(&self) -> i64 {
        self.0.clock().now_ms()
    }
}

impl Supervisor {
    /// Listens to a plugin host, and puts into quarantine again what an earlier server left there.
    pub(crate) async fn open(records: &Arc<Records>, host: &PluginHost) -> Result<(Arc<Self>, Heard)> {
        let (changes, heard) = mpsc::unbounded_channel();
        let supervisor = Arc::new(Self { changes, administrators: RwLock::default() });
        let clock = Arc::new(RecordClock(Arc::clone(records)));
        host.supervise(clock, Arc::<Self>::clone(&supervisor));
        for quarantine in stored::all(records).await? {
            tracing::warn!(plugin = %quarantine.plugin, reason = quarantine.reason, "still in quarantine");
            host.restore_quarantine(&quarantine);
        }
        Ok((supervisor, heard))
    }

    /// Sets who is told of quarantines.
    pub(crate) fn tell(&self, administrators: Vec<RecordId>) {
        *self.administrators.write() = administrators;
    }
}

/// Starts the thread that keeps, logs and tells what the supervisor hears.
pub(crate) fn start(core: Arc<Core>, heard: Heard) -> Result<Background> {
    Background::start("plugin-health", move |stopped| async move { listen(&core, heard, stopped).await })
}

async fn listen(core: &Core, mut heard: Heard, mut stopped: watch::Receiver<bool>) {
    loop {
        let change = tokio::select! {
            biased;
            change = heard.recv() => change,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        let Some(change) = change else { return };
        if let Err(error) = keep(core, &change).await {
            tracing::error!("a change of a plugin's health was not kept: {error}");
        }
    }
}

async fn keep(core: &Core, change: &HealthChange) -> Result<()> {
    match change {
        HealthChange::Quarantined(quarantine) => {
            tracing::error!(
                plugin = %quarantine.plugin, function = quarantine.function, strikes = quarantine.strikes,
                "quarantined because it {}", quarantine.reason
            );
            let mut set = WriteSet::new();
            stored::put(&mut set, quarantine);
            let log = core.records.commit(set, Some(entry(QUARANTINED, quarantine_json(quarantine)))).await?;
            let administrators = core.supervisor.administrators.read().clone();
            notify::notify(core, quarantine, log.log_number, &administrators).await
        }
        HealthChange::Recovered(health) => {
            let mut set = WriteSet::new();
            if !stored::delete(&core.records, &mut set, &health.plugin.id, &health.digest).await? {
                return Ok(());
            }
            let data = json!({
                "plugin": health.plugin.id.as_str(),
                "version": health.plugin.version.to_string(),
            });
            core.records.commit(set, Some(entry(RECOVERED, data))).await?;
            Ok(())
        }
    }
}

/// Has every version of a plugin called again, with no strikes; changes nothing where all of them are.
///
/// # Errors
/// [`Error::UnknownPlugin`]; those of the store.
pub(crate) async fn release(
    core: &Core,
    caller: &Caller,
    id: &trellis_model::PluginId,
) -> Result<PluginInfo> {
    let digests = core.registry.digests(id);
    if digests.is_empty() {
        return Err(Error::UnknownPlugin { id: id.to_string() });
    }
    let (host, mut set, mut released) = (core.registry.host(), WriteSet::new(), Vec::new());
    for (version, digest) in &digests {
        let was_kept = stored::delete(&core.records, &mut set, id, digest).await?;
        let health = host.health(digest);
        let was_off = health.is_some_and(|health| health.state != trellis_plugin_host::HealthState::Healthy);
        if was_kept || was_off {
            released.push(version.to_string());
        }
    }
    if !released.is_empty() {
        let body = EntryBody::Event {
            name: RELEASED.to_owned(),
            data: json!({ "plugin": id.as_str(), "versions": released }),
        };
        let (actor, cause) = (caller.actor.clone(), caller.cause.clone());
        core.records.commit(set, Some(NewEntry { actor, cause, body })).await?;
    }
    for (_, digest) in &digests {
        host.release(digest);
    }
    core.registry.get(id).ok_or_else(|| Error::UnknownPlugin { id: id.to_string() })
}

fn quarantine_json(quarantine: &Quarantine) -> serde_json::Value {
    json!({
        "plugin": quarantine.plugin.id.as_str(),
        "version": quarantine.plugin.version.to_string(),
        "digest": hex(quarantine.digest.as_bytes()),
        "function": quarantine.function,
        "reason": quarantine.reason,
        "strikes": quarantine.strikes,
        "since_ms": quarantine.since_ms,
        "until_ms": quarantine.until_ms,
    })
}

fn entry(name: &str, data: serde_json::Value) -> NewEntry {
    let Caller { actor, cause, .. } = Caller::system("plugin-health");
    NewEntry { actor, cause, body: EntryBody::Event { name: name.to_owned(), data } }
}
