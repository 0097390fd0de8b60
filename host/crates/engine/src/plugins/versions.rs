//! Which versions there are, and what they say of themselves.

use std::sync::Arc;

use semver::Version;
use trellis_model::PluginId;
use trellis_plugin_host::{Inspection, Request};

use super::Registry;
use crate::{Error, Result};

impl Registry {
    pub(super) fn has_version(&self, id: &PluginId, version: &str) -> bool {
        let plugins = self.plugins.read();
        let Some(entry) = plugins.get(id) else { return false };
        entry.versions.iter().any(|(known, installed)| {
            known.to_string() == version && installed.stored.removed_at_ms.is_none()
        })
    }

    /// The version that is asked for, or the newest one that is not broken; and its digest.
    pub(crate) fn version_to_use(
        &self,
        id: &PluginId,
        wanted: Option<&Version>,
    ) -> Result<(Version, [u8; 32])> {
        let plugins = self.plugins.read();
        let entry = plugins.get(id).filter(|entry| entry.is_installed());
        let entry = entry.ok_or_else(|| Error::UnknownPlugin { id: id.to_string() })?;
        let newest = || {
            let usable = entry.installed().rev().find(|(_, installed)| installed.inspection.is_ok());
            usable.or_else(|| entry.installed().next_back())
        };
        let found = match wanted {
            Some(version) => entry.installed().find(|(known, _)| *known == version),
            None => newest(),
        };
        let (version, installed) = found.ok_or_else(|| Error::UnknownVersion {
            plugin: id.clone(),
            version: wanted.map(ToString::to_string).unwrap_or_default(),
        })?;
        Ok((version.clone(), installed.stored.digest))
    }

    /// What a version of a plugin asks for under a configuration, defaults filled in.
    ///
    /// # Errors
    /// [`Error::UnknownVersion`], [`Error::Broken`].
    pub(crate) fn requests(
        &self,
        id: &PluginId,
        version: &Version,
        config: &serde_json::Value,
    ) -> Result<Vec<Request>> {
        let inspection = self.inspection(id, version)?;
        let config = inspection.manifest.config.with_defaults(config.clone());
        Ok(self.requests_of(&inspection.configured(&config)))
    }

    /// What a version of a plugin says about itself.
    ///
    /// # Errors
    /// [`Error::UnknownVersion`], [`Error::Broken`].
    pub(crate) fn inspection(&self, id: &PluginId, version: &Version) -> Result<Arc<Inspection>> {
        let (version, _) = self.version_to_use(id, Some(version))?;
        let plugins = self.plugins.read();
        let installed = plugins.get(id).and_then(|entry| entry.versions.get(&version));
        match installed.map(|installed| &installed.inspection) {
            Some(Ok(inspection)) => Ok(Arc::clone(inspection)),
            Some(Err(reason)) => {
                let (plugin, version) = (id.clone(), version.to_string());
                Err(Error::Broken { plugin, version, reason: reason.clone() })
            }
            None => Err(Error::UnknownVersion { plugin: id.clone(), version: version.to_string() }),
        }
    }
}
