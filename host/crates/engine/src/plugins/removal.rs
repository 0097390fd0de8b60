//! Removing versions of plugins, and what keeps them.

use std::collections::BTreeSet;

use semver::Version;
use serde_json::Value as Json;
use trellis_model::PluginId;
use trellis_plugin_host::Digest;
use trellis_records::Caller;
use trellis_storage::WriteSet;

use super::{
    Registry, VersionUse,
    changes::{Changing, entry},
    entry::Entry,
    stored as stored_plugin, switches,
};
use crate::{Result, blocking::blocking, keys, stored};

impl Registry {
    /// What keeps a version from being removed.
    pub(crate) fn use_of_version(&self, id: &PluginId, version: &Version) -> Option<VersionUse> {
        let usage = self.usage(id)?;
        if usage.version == *version {
            return Some(VersionUse::InUse);
        }
        let previous = usage.stored.previous?;
        (previous.version == version.to_string()).then_some(VersionUse::Previous)
    }

    /// Removes versions of a plugin; `all` removes how it was used too. Versions among `kept` stay, out of sight, until no run
    /// that can be replayed needs them.
    pub(crate) async fn remove(
        &self,
        _: &Changing<'_>,
        caller: &Caller,
        id: &PluginId,
        versions: &BTreeSet<Version>,
        (kept, all): (&BTreeSet<Version>, bool),
        (event, data): (&str, Json),
    ) -> Result<()> {
        let now_ms = self.records.clock().now_ms();
        let Some(mut entry_after) = self.plugins.read().get(id).cloned() else { return Ok(()) };
        let (mut set, mut files) = (WriteSet::new(), Vec::new());
        for version in versions {
            let Some(installed) = entry_after.versions.get_mut(version) else { continue };
            let key = keys::plugin_version(id, version);
            let parts = stored::get(self.records.store().as_ref(), &key).await?.map_or(0, |(_, parts)| parts);
            if kept.contains(version) {
                installed.stored.removed_at_ms.get_or_insert(now_ms);
                stored::put(&mut set, &key, &stored_plugin::encode_version(&installed.stored), parts);
            } else {
                stored::delete(&mut set, &key, parts);
                set.delete(keys::plugin_quarantine(id, &installed.stored.digest));
                files.push(installed.stored.digest);
                entry_after.versions.remove(version);
            }
        }
        if all {
            if let Some(usage) = entry_after.usage.take() {
                stored::delete(&mut set, &keys::plugin_use(id), usage.parts);
            }
            for found in switches::all(&self.records, id).await? {
                found.delete(&mut set, id);
            }
        }
        self.records.commit(set, Some(entry(caller, event, data))).await?;
        {
            let mut plugins = self.plugins.write();
            if entry_after.versions.is_empty() {
                plugins.remove(id);
            } else {
                plugins.insert(id.clone(), entry_after);
            }
        }
        self.unload_unused();
        self.renew_enabled();
        self.remove_files(files).await
    }

    /// Removes component files that no version names any more.
    pub(super) async fn remove_files(&self, digests: Vec<[u8; 32]>) -> Result<()> {
        let named: BTreeSet<[u8; 32]> = {
            let plugins = self.plugins.read();
            plugins.values().flat_map(Entry::digests).collect()
        };
        let gone: Vec<_> = digests.into_iter().filter(|digest| !named.contains(digest)).collect();
        gone.iter().for_each(|digest| self.host.forget(&Digest::from_bytes(*digest)));
        let files = self.files.clone();
        blocking("removing plugin files", move || gone.iter().try_for_each(|digest| files.remove(digest)))
            .await?
    }

    /// The versions of each plugin that were removed and stayed because a run needed them.
    pub(crate) fn removed_versions(&self) -> Vec<(PluginId, BTreeSet<Version>)> {
        let plugins = self.plugins.read();
        let removed = |(id, entry): (&PluginId, &Entry)| {
            let removed = entry.versions.iter().filter(|(_, known)| known.stored.removed_at_ms.is_some());
            (id.clone(), removed.map(|(version, _)| version.clone()).collect::<BTreeSet<_>>())
        };
        plugins.iter().map(removed).filter(|(_, versions)| !versions.is_empty()).collect()
    }

    /// The versions of a plugin that are installed.
    pub(crate) fn installed_versions(&self, id: &PluginId) -> BTreeSet<Version> {
        let plugins = self.plugins.read();
        let versions = plugins.get(id).map(|entry| entry.installed().map(|(version, _)| version.clone()));
        versions.map(Iterator::collect).unwrap_or_default()
    }
}
