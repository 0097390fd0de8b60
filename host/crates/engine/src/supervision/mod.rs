//! What the engine does about plugins that fail: it keeps quarantines through restarts, logs them, tells the administrators, and lets
//! them release a version. Which version is called is decided in `trellis-plugin-host`.

mod api;
mod notify;
mod stored;

use std::sync::Arc;

use parking_lot::RwLock;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use trellis_model::{PluginId, RecordId};
use trellis_plugin_host::{Clock, HealthChange, HealthListener, PluginHost, Quarantine};
use trellis_records::{Caller, EntryBody, NewEntry, Records};
use trellis_storage::WriteSet;

use crate::{
    Error, PluginInfo, Result, background::Background, core::Core, jobs::Jobs, lifecycle, plugins::hex,
    schema_build,
};

pub(crate) use notify::notify;

/// Who does what supervision does.
const COMPONENT: &str = "plugin-health";
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

    /// Whether there is somebody to tell.
    pub(crate) fn has_administrators(&self) -> bool {
        !self.administrators.read().is_empty()
    }
}

/// Starts the thread that keeps, logs and tells what the supervisor hears.
pub(crate) fn start(core: Arc<Core>, jobs: Arc<Jobs>, heard: Heard) -> Result<Background> {
    Background::start("plugin-health", move |stopped| async move {
        listen(&Listening { core, jobs }, heard, stopped).await;
    })
}

/// What is needed to deal with what is heard.
struct Listening {
    core: Arc<Core>,
    jobs: Arc<Jobs>,
}

async fn listen(listening: &Listening, mut heard: Heard, mut stopped: watch::Receiver<bool>) {
    // A stop of the server may have come between a quarantine and the way back.
    for info in listening.core.registry.list() {
        listening.go_back(&info.id).await;
    }
    loop {
        let change = tokio::select! {
            biased;
            change = heard.recv() => change,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        let Some(change) = change else { return };
        if let Err(error) = listening.keep(&change).await {
            tracing::error!("a change of a plugin's health was not kept: {error}");
        }
    }
}

impl Listening {
    async fn keep(&self, change: &HealthChange) -> Result<()> {
        let core = &*self.core;
        match change {
            HealthChange::Quarantined(quarantine) => {
                let id = &quarantine.plugin.id;
                tracing::error!(
                    plugin = %quarantine.plugin, function = quarantine.function, strikes = quarantine.strikes,
                    "quarantined because it {}", quarantine.reason
                );
                let mut set = WriteSet::new();
                stored::put(&mut set, quarantine);
                let entry = entry(QUARANTINED, quarantine_json(quarantine));
                let log = core.records.commit(set, Some(entry)).await?;
                notify::notify(core, id, &notify::quarantined(quarantine), log.log_number).await?;
                lifecycle::renew_presence(core, id).await?;
                self.go_back(id).await;
                Ok(())
            }
            HealthChange::Recovered(health) => {
                let id = &health.plugin.id;
                let mut set = WriteSet::new();
                if stored::delete(&core.records, &mut set, id, &health.digest).await? {
                    let version = health.plugin.version.to_string();
                    let data = json!({ "plugin": id.as_str(), "version": version });
                    core.records.commit(set, Some(entry(RECOVERED, data))).await?;
                }
                lifecycle::renew_presence(core, id).await
            }
        }
    }

    /// Brings the use before back, where the version in use is quarantined and its settings say so. Where that fails, the version stays, and
    /// the administrators are told both.
    async fn go_back(&self, id: &PluginId) {
        let (core, caller) = (&*self.core, Caller::system(COMPONENT));
        let (text, builds) = match lifecycle::roll_back_by_itself(core, &caller, id).await {
            Ok(None) => return,
            Ok(Some(back)) => {
                let to = &back.switched.plugin.version;
                tracing::warn!(plugin = %id, from = %back.from, to = %to, "rolled back by itself");
                (notify::rolled_back(id, &back.from, to), back.switched.builds)
            }
            Err(error) => {
                tracing::error!(plugin = %id, code = error.code(), "it could not be rolled back: {error}");
                (notify::not_rolled_back(id, &error), Vec::new())
            }
        };
        for object in builds {
            schema_build::queue(core, &self.jobs, &caller, &object).await;
        }
        if let Err(error) = notify::notify(core, id, &text, None).await {
            tracing::error!(plugin = %id, "administrators were not told: {error}");
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
    lifecycle::renew_presence(core, id).await?;
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
    let Caller { actor, cause, .. } = Caller::system(COMPONENT);
    NewEntry { actor, cause, body: EntryBody::Event { name: name.to_owned(), data } }
}
