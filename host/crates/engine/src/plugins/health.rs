//! How plugins stand, as supervision knows it.

use std::sync::Arc;

use semver::Version;
use trellis_model::PluginId;
use trellis_plugin_host::{Digest, PluginHost};

use super::{PluginInfo, Registry};

impl Registry {
    /// What runs the plugins.
    pub(crate) fn host(&self) -> &Arc<PluginHost> {
        &self.host
    }

    /// The installed versions of a plugin, the oldest first.
    pub(crate) fn digests(&self, id: &PluginId) -> Vec<(Version, Digest)> {
        let plugins = self.plugins.read();
        let versions = plugins.get(id).into_iter().flat_map(|entry| &entry.versions);
        versions
            .map(|(version, installed)| (version.clone(), Digest::from_bytes(installed.stored.digest)))
            .collect()
    }

    /// Adds how the version stands that the facts are about.
    pub(super) fn with_health(&self, mut info: PluginInfo) -> PluginInfo {
        let digests = self.digests(&info.id);
        let shown = digests.iter().find(|(version, _)| *version == info.version);
        info.health = shown.and_then(|(_, digest)| self.host.health(digest));
        info
    }

    /// The component of a version, or of the version that a plugin's facts are about.
    pub(crate) fn digest_of(&self, id: &PluginId, version: Option<&Version>) -> Option<Digest> {
        let info = self.get(id)?;
        let wanted = version.unwrap_or(&info.version);
        self.digests(id).into_iter().find(|(version, _)| version == wanted).map(|(_, digest)| digest)
    }
}
