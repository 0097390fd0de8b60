//! Removing versions and whole plugins. What plugins brought and put out stays readable.

use std::collections::BTreeSet;

use semver::Version;
use serde_json::json;
use trellis_model::PluginId;
use trellis_records::Caller;

use super::{Removed, presence, switch};
use crate::{Error, Result, VersionUse, blocking::blocking, capsule, core::Core, plugins::Changing};

/// Removes one version of a plugin.
pub(super) async fn version(core: &Core, caller: &Caller, id: &PluginId, version: &Version) -> Result<()> {
    let changing = core.registry.changing().await;
    core.registry.version_to_use(id, Some(version))?;
    let reason = match core.registry.use_of_version(id, version) {
        Some(VersionUse::InUse) => "it is the version in use: upgrade or roll back first",
        Some(VersionUse::Previous) => "rolling back leads to it",
        None if core.shadows.evaluates(id, version) => SHADOW,
        None => {
            let versions = BTreeSet::from([version.clone()]);
            return forget(core, &changing, caller, id, (&versions, false), "plugin.version_removed").await;
        }
    };
    Err(in_use(id, version, reason))
}

/// Why a version that a shadow evaluates stays.
const SHADOW: &str = "it is evaluated beside the version in use: end the shadow first";

fn in_use(id: &PluginId, version: &Version, reason: &str) -> Error {
    Error::InUse { what: format!("version {version} of plugin `{id}`"), reason: reason.to_owned() }
}

/// Refuses other content for a version that serves, or is evaluated as a shadow: nobody has checked it for that.
pub(super) fn check_replaceable(core: &Core, id: &PluginId, version: &Version) -> Result<()> {
    let serves = core.registry.settings_of(id);
    let serves = serves.is_some_and(|(used, enabled)| enabled && used.version.as_ref() == Some(version));
    let reason = match (serves, core.shadows.evaluates(id, version)) {
        (true, _) => "it serves: disable the plugin first, or give the new file another version",
        (false, true) => SHADOW,
        (false, false) => return Ok(()),
    };
    Err(in_use(id, version, reason))
}

/// Removes a plugin.
pub(super) async fn plugin(core: &Core, caller: &Caller, id: &PluginId, force: bool) -> Result<Removed> {
    let changing = core.registry.changing().await;
    let versions = core.registry.installed_versions(id);
    if versions.is_empty() {
        return Err(Error::UnknownPlugin { id: id.to_string() });
    }
    if core.registry.settings_of(id).is_some_and(|(_, enabled)| enabled) {
        if !force {
            let what = format!("plugin `{id}`");
            return Err(Error::InUse {
                what,
                reason: "it is enabled: disable it first, or say `force`".into(),
            });
        }
        switch::disable(core, &changing, caller, id, Some("removed")).await?;
    }
    let rules_off = super::rules::switch_off(core, caller, id).await?;
    let applied = core.records.schema_remove_pack(caller, id).await?;
    forget(core, &changing, caller, id, (&versions, true), "plugin.removed").await?;
    presence::renew(core, id).await?;
    Ok(Removed { rules_off, schema: applied.steps })
}

async fn forget(
    core: &Core,
    changing: &Changing<'_>,
    caller: &Caller,
    id: &PluginId,
    (versions, all): (&BTreeSet<Version>, bool),
    event: &str,
) -> Result<()> {
    let needed = needed(core, id).await?;
    let kept: BTreeSet<Version> = versions.intersection(&needed).cloned().collect();
    let names = |versions: &BTreeSet<Version>| versions.iter().map(ToString::to_string).collect::<Vec<_>>();
    let data = json!({ "plugin": id.as_str(), "versions": names(versions), "kept_for_replay": names(&kept) });
    core.registry.remove(changing, caller, id, versions, (&kept, all), (event, data)).await
}

/// Lets go of removed versions that no run which can be replayed needs any more.
pub(crate) async fn purge(core: &Core) -> Result<()> {
    let caller = Caller::system("plugins");
    for (id, removed) in core.registry.removed_versions() {
        let needed = needed(core, &id).await?;
        let free: BTreeSet<Version> = removed.difference(&needed).cloned().collect();
        if !free.is_empty() {
            let changing = core.registry.changing().await;
            forget(core, &changing, &caller, &id, (&free, false), "plugin.version_removed").await?;
        }
    }
    Ok(())
}

/// The versions of a plugin that runs were made with whose inputs are kept.
async fn needed(core: &Core, id: &PluginId) -> Result<BTreeSet<Version>> {
    let digests = capsule::of_plugin(&core.records, id).await?;
    let capsules = core.capsules.clone();
    blocking("reading which versions are needed", move || {
        // A capsule that cannot be read cannot be replayed either.
        let readable = digests.iter().filter_map(|digest| capsules.reader(digest).ok());
        readable.filter_map(|capsule| capsule.header().version.parse().ok()).collect()
    })
    .await
}
