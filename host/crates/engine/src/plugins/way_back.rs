//! Where a plugin goes back to by itself when its version in use is quarantined.

use semver::Version;
use trellis_model::PluginId;
use trellis_plugin_host::{Digest, HealthState};

use super::{OnQuarantine, Registry, SwitchKind, switches};
use crate::{Error, Result};

/// A use to go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WayBack {
    /// The switch that made it.
    pub(crate) switch: u64,
    /// The version that is quarantined.
    pub(crate) from: Version,
}

impl Registry {
    /// The newest earlier use whose version is another one, is installed and is not quarantined; where the version in use is quarantined
    /// and its settings say to go back.
    ///
    /// Never from a use that is itself the end of a way back: so a plugin goes back at most once after each upgrade, and from version to
    /// version only in one direction.
    ///
    /// # Errors
    /// [`Error::Damaged`] where a switch cannot be read.
    pub(crate) async fn way_back(&self, id: &PluginId) -> Result<Option<WayBack>> {
        let Some((usage, digest)) = self.rolls_back(id) else { return Ok(None) };
        let found = switches::all(&self.records, id).await?;
        let of = |number: u64| {
            let mut switches = found.iter().map(|found| &found.switch);
            switches.find(|switch| switch.usage.switch == number)
        };
        if of(usage.stored.switch).is_none_or(|current| current.kind == SwitchKind::RolledBack) {
            return Ok(None);
        }
        let mut previous = usage.stored.previous.as_ref();
        // A way back leads to lower numbers only, so it ends.
        while let Some(switch) = previous.and_then(|previous| of(previous.switch)) {
            let usable = switch.digest != digest
                && self.has_component(id, &switch.usage.version, &switch.digest)
                && !self.is_quarantined(&switch.digest);
            if usable {
                return Ok(Some(WayBack { switch: switch.usage.switch, from: usage.version }));
            }
            let next = switch.usage.previous.as_ref();
            if next.is_some_and(|next| next.switch >= switch.usage.switch) {
                let what = format!("switch {} of `{id}` leads back to a later one", switch.usage.switch);
                return Err(Error::Damaged { what });
            }
            previous = next;
        }
        Ok(None)
    }

    /// The use of a plugin whose version is quarantined and whose settings say to go back then, with the digest of the version.
    fn rolls_back(&self, id: &PluginId) -> Option<(super::entry::Usage, [u8; 32])> {
        let usage = self.usage(id).filter(|usage| usage.stored.enabled)?;
        if usage.stored.on_quarantine != OnQuarantine::RollBack {
            return None;
        }
        let digest = self.plugins.read().get(id)?.versions.get(&usage.version)?.stored.digest;
        self.is_quarantined(&digest).then_some((usage, digest))
    }

    pub(super) fn is_quarantined(&self, digest: &[u8; 32]) -> bool {
        let health = self.host().health(&Digest::from_bytes(*digest));
        health.is_some_and(|health| matches!(health.state, HealthState::Quarantined { .. }))
    }

    /// Whether a version is installed with this content, and not known to be broken.
    fn has_component(&self, id: &PluginId, version: &str, digest: &[u8; 32]) -> bool {
        let plugins = self.plugins.read();
        plugins.get(id).is_some_and(|entry| {
            let mut installed = entry.installed();
            installed.any(|(known, installed)| {
                known.to_string() == version
                    && installed.stored.digest == *digest
                    && installed.inspection.is_ok()
            })
        })
    }
}
