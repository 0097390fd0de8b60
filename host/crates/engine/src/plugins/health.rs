//! How plugins stand, as supervision knows it.

use std::sync::Arc;

use semver::Version;
use trellis_model::PluginId;
use trellis_plugin_host::{Digest, Inspection, Manifest, PluginHost, manifest::Request};

use super::{Grants, Hidden, PluginInfo, Registry, personal};
use crate::{Error, Result};

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

    /// Adds how the version stands that the facts are about, and what it asks for of personal data.
    pub(super) fn with_health(&self, mut info: PluginInfo) -> PluginInfo {
        let digests = self.digests(&info.id);
        let shown = digests.iter().find(|(version, _)| *version == info.version);
        info.health = shown.and_then(|(_, digest)| self.host.health(digest));
        let manifest = {
            let plugins = self.plugins.read();
            let installed = plugins.get(&info.id).and_then(|entry| entry.versions.get(&info.version));
            installed.and_then(|installed| installed.inspection.as_ref().ok()).cloned()
        };
        if let Some(inspection) = manifest {
            let config = info.settings.as_ref().map_or(&info.config_default, |settings| &settings.config);
            info.requests = self.requests_of(&inspection.configured(config));
        }
        info
    }

    /// Everything that a version asks for under the configuration that it is told with, personal data included.
    pub(crate) fn requests_of(&self, inspection: &Inspection) -> Vec<Request> {
        let mut requests = inspection.requests();
        self.mark_personal(&inspection.manifest, &mut requests);
        requests.extend(personal::requests(&inspection.manifest, &self.records.schema()));
        requests
    }

    /// What a plugin may not see of what its manifest reads, as it is used now, or was before it was disabled; everything where nobody ever
    /// granted anything, or where it was removed.
    pub(crate) fn withheld(&self, id: &PluginId, manifest: &Manifest) -> (Hidden, Grants) {
        let usage = self.usage(id);
        let granted = usage.map_or_else(|| Some(Vec::new()), |usage| usage.stored.grants);
        let grants = Grants::new(granted);
        (self.hidden(manifest, &grants), grants)
    }

    /// Whether an admin has said how a plugin is used, be it enabled or not; nobody has of one that was removed.
    pub(crate) fn is_used(&self, id: &PluginId) -> bool {
        self.usage(id).is_some()
    }

    /// What a plugin is granted, as it is used now, or was before it was disabled. Of one that was removed it is all but personal data: what
    /// it saw is shown to it again, and that never held what was withheld from it.
    pub(crate) fn granted_again(&self, id: &PluginId) -> Grants {
        self.usage(id).map(|usage| Grants::new(usage.stored.grants)).unwrap_or_default()
    }

    /// Whether a plugin sees personal data of what its manifest, completed by a configuration, reads.
    pub(crate) fn sees_personal(&self, manifest: &Manifest) -> bool {
        let (hidden, _) = self.withheld(&manifest.id, manifest);
        let mut results = manifest.reads_published().into_iter();
        personal::sees(manifest, &self.records.schema(), &hidden)
            || results.any(|published| !hidden.hides_result(published) && self.is_personal(published))
    }

    /// Whether a plugin is used now, in whichever version: what was queued for it is done only then.
    ///
    /// # Errors
    /// [`crate::Error::UnknownPlugin`], [`crate::Error::NotEnabled`].
    pub(crate) fn check_enabled(&self, id: &PluginId) -> Result<()> {
        let info = self.find(id)?;
        match self.usage(id).is_some_and(|usage| usage.stored.enabled) {
            true => Ok(()),
            false => Err(Error::NotEnabled { plugin: id.clone(), state: info.state.as_str() }),
        }
    }

    /// The component of a version, or of the version that a plugin's facts are about.
    pub(crate) fn digest_of(&self, id: &PluginId, version: Option<&Version>) -> Option<Digest> {
        let info = self.get(id)?;
        let wanted = version.unwrap_or(&info.version);
        self.digests(id).into_iter().find(|(version, _)| version == wanted).map(|(_, digest)| digest)
    }
}
