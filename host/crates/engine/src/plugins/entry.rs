//! What the registry holds in memory of a plugin, and what others are told of it.

use std::{collections::BTreeMap, sync::Arc};

use semver::Version;
use serde_json::Value as Json;
use trellis_model::{Actor, PluginId, Text};
use trellis_plugin_host::Inspection;

use super::{
    PluginInfo, PluginState, UseSettings, VersionInfo,
    files::hex,
    stored::{UseV1, VersionV1},
};
use crate::{as_of, schedules::UseSchedule};

/// A plugin: what is installed, and how it is used.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    pub(super) versions: BTreeMap<Version, Installed>,
    pub(super) usage: Option<Usage>,
}

impl Entry {
    /// Its versions, the oldest first, without those that were removed.
    pub(super) fn installed(&self) -> impl DoubleEndedIterator<Item = (&Version, &Installed)> {
        self.versions.iter().filter(|(_, installed)| installed.stored.removed_at_ms.is_none())
    }

    pub(super) fn is_installed(&self) -> bool {
        self.installed().next().is_some()
    }

    /// Names of the files of its versions, removed ones included.
    pub(super) fn digests(&self) -> impl Iterator<Item = [u8; 32]> {
        self.versions.values().map(|installed| installed.stored.digest)
    }
}

/// An installed version.
#[derive(Debug, Clone)]
pub(super) struct Installed {
    pub(super) stored: VersionV1,
    /// What the component says about itself, or why it cannot be used.
    pub(super) inspection: Result<Arc<Inspection>, String>,
}

/// The configured use, and how many further parts it has in the store.
#[derive(Debug, Clone)]
pub(super) struct Usage {
    pub(super) stored: UseV1,
    pub(super) version: Version,
    pub(super) parts: u32,
}

/// What others are told about a plugin; `None` where no version of it is left.
pub(super) fn info(id: &PluginId, entry: &Entry) -> Option<PluginInfo> {
    let in_use = entry.usage.as_ref().and_then(|usage| entry.versions.get_key_value(&usage.version));
    let in_use = in_use.filter(|(_, installed)| installed.stored.removed_at_ms.is_none());
    let (version, shown) = in_use.or_else(|| entry.installed().next_back())?;
    let inspection = shown.inspection.as_ref().ok();
    let manifest = inspection.map(|inspection| &inspection.manifest);
    let broken = shown.inspection.as_ref().err().cloned();
    let state = match &entry.usage {
        _ if broken.is_some() => PluginState::Broken,
        None => PluginState::Installed,
        Some(usage) if usage.stored.enabled => PluginState::Enabled,
        Some(_) => PluginState::Disabled,
    };
    let previous = entry.usage.as_ref().and_then(|usage| usage.stored.previous.as_ref());
    let stored_name = || Text::new(&shown.stored.name_en, &shown.stored.name_zh_cn);
    let absent = entry.usage.as_ref().map(|usage| usage.stored.absent.clone()).unwrap_or_default();
    let provides = manifest
        .map(|manifest| manifest.provides.iter().map(|interface| interface.name().to_owned()).collect());
    Some(PluginInfo {
        id: id.clone(),
        state,
        broken,
        name: manifest.map_or_else(stored_name, |manifest| manifest.name.clone()),
        description: manifest.map(|manifest| manifest.description.clone()).unwrap_or_default(),
        industry: manifest.and_then(|manifest| manifest.industry.clone()),
        provides: provides.unwrap_or_default(),
        config_schema: manifest.map_or(Json::Null, |manifest| manifest.config.as_json().clone()),
        config_default: manifest.map_or(Json::Null, trellis_plugin_host::Manifest::default_config),
        version: version.clone(),
        // What its configuration names is asked for too, and what of it is personal the schema knows.
        requests: Vec::new(),
        versions: entry
            .installed()
            .rev()
            .map(|(version, installed)| version_info(version, installed))
            .collect(),
        settings: entry.usage.as_ref().map(settings),
        health: None,
        previous: previous.and_then(|previous| previous.version.parse().ok()),
        // Where it stands is known elsewhere.
        schedule: None,
        absences: manifest.map(|manifest| manifest.absences(&absent)).unwrap_or_default(),
    })
}

fn version_info(version: &Version, installed: &Installed) -> VersionInfo {
    let inspection = installed.inspection.as_ref().ok();
    let unknown = || Actor::System { component: "unknown".into() };
    VersionInfo {
        version: version.clone(),
        digest: hex(&installed.stored.digest),
        bytes: installed.stored.bytes,
        wit: inspection.map(|inspection| inspection.manifest.wit.clone()),
        sdk: inspection.and_then(|inspection| inspection.sdk.clone()),
        imports: inspection.map(|inspection| inspection.imports.clone()).unwrap_or_default(),
        installed_at_ms: installed.stored.installed_at_ms,
        installed_by: Actor::try_from(installed.stored.installed_by.clone()).unwrap_or_else(|_| unknown()),
        broken: installed.inspection.as_ref().err().cloned(),
    }
}

pub(super) fn settings(usage: &Usage) -> UseSettings {
    UseSettings {
        config: serde_json::from_str(&usage.stored.config).unwrap_or_default(),
        as_of: as_of::from_days(usage.stored.as_of),
        version: Some(usage.version.clone()),
        grants: usage.stored.grants.clone(),
        schedule: UseSchedule::from(&usage.stored.schedule),
        absent: usage.stored.absent.clone(),
        on_quarantine: usage.stored.on_quarantine,
    }
}
