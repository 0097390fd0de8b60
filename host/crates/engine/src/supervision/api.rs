//! What the engine tells of the health of plugins.

use semver::Version;
use trellis_model::{PluginId, RecordId};
use trellis_plugin_host::{Digest, LoggedLine, PluginMetrics, PoisonRow};
use trellis_records::Caller;

use crate::{Engine, Error, PluginInfo, Result};

impl Engine {
    /// Sets which users are told when a plugin is quarantined, or its shadow is lost.
    pub fn tell_administrators(&self, users: Vec<RecordId>) {
        self.core.supervisor.tell(users);
        self.core.shadows.wake();
    }

    /// Has a plugin called again that was quarantined or backs off, in all its versions and with no strikes.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`].
    pub async fn plugin_release(&self, caller: &Caller, id: &PluginId) -> Result<PluginInfo> {
        Ok(self.with_schedule(super::release(&self.core, caller, id).await?))
    }

    /// What a version of a plugin did since the start of the server; the version in use where none is named, `None` where it did nothing.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::UnknownVersion`].
    pub fn plugin_metrics(&self, id: &PluginId, version: Option<&Version>) -> Result<Option<PluginMetrics>> {
        Ok(self.core.registry.host().metrics(&self.digest(id, version)?))
    }

    /// What every loaded version of every plugin did since the start of the server.
    pub fn all_plugin_metrics(&self) -> Vec<PluginMetrics> {
        self.core.registry.host().all_metrics()
    }

    /// What a version of a plugin wrote last, the oldest line first.
    ///
    /// # Errors
    /// As [`Engine::plugin_metrics`].
    pub fn plugin_log(&self, id: &PluginId, version: Option<&Version>) -> Result<Vec<LoggedLine>> {
        Ok(self.core.registry.host().log_lines(&self.digest(id, version)?))
    }

    /// The rows on which a version of a plugin failed lately, the oldest first.
    ///
    /// # Errors
    /// As [`Engine::plugin_metrics`].
    pub fn plugin_poison_rows(&self, id: &PluginId, version: Option<&Version>) -> Result<Vec<PoisonRow>> {
        Ok(self.core.registry.host().poison_rows(&self.digest(id, version)?))
    }

    fn digest(&self, id: &PluginId, version: Option<&Version>) -> Result<Digest> {
        if self.plugin_get(id).is_none() {
            return Err(Error::UnknownPlugin { id: id.to_string() });
        }
        self.core.registry.digest_of(id, version).ok_or_else(|| Error::UnknownVersion {
            plugin: id.clone(),
            version: version.map(ToString::to_string).unwrap_or_default(),
        })
    }
}
