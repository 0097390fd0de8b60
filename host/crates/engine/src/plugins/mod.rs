//! Which plugins are installed, in which versions, and how each is used.

mod absent;
mod changes;
mod config_names;
mod enabled;
mod entry;
mod files;
mod grants;
mod health;
mod opening;
mod personal;
mod published;
mod registry;
mod removal;
mod stored;
mod switches;
mod versions;
mod way_back;

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};
use trellis_columns::AsOf;
use trellis_model::{Actor, PluginId, Text};
use trellis_plugin_host::{
    Health,
    manifest::{Absence, AbsentPolicy, AbsentUse, Request},
};

use crate::schedules::{ScheduleInfo, UseSchedule};
pub(crate) use absent::Absent;
pub(crate) use changes::{Changing, Note, Prepared};
pub(crate) use config_names::problems as names_problems;

pub(crate) use enabled::Enabled;
pub(crate) use files::hex;
pub(crate) use grants::{Grants, check as check_grants, check_columns as check_grants_of_columns};
pub(crate) use personal::{Hidden, steps as path_steps};
pub(crate) use registry::{Active, Registry, checked_config};
pub use switches::{SwitchInfo, SwitchKind};

/// What is known about a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginInfo {
    /// Its id.
    pub id: PluginId,
    /// How it stands.
    pub state: PluginState,
    /// Why it is broken, if it is.
    pub broken: Option<String>,
    /// What people call it.
    pub name: Text,
    /// What it is for; empty where its file is lost.
    pub description: Text,
    /// The industry that it is for.
    pub industry: Option<String>,
    /// The interfaces that it offers.
    pub provides: Vec<String>,
    /// JSON Schema of what an admin can set.
    pub config_schema: serde_json::Value,
    /// What holds where an admin sets nothing.
    pub config_default: serde_json::Value,
    /// What it asks for, to be granted by an admin.
    pub requests: Vec<Request>,
    /// The version in use, or the newest one where none is in use. The facts above are about it.
    pub version: Version,
    /// Every installed version, the newest first.
    pub versions: Vec<VersionInfo>,
    /// How it is used; `None` where it was never enabled.
    pub settings: Option<UseSettings>,
    /// How the version stands that the facts are about; `None` where it was not loaded since the start of the server.
    pub health: Option<Health>,
    /// The version that served before, to which rolling back leads.
    pub previous: Option<Version>,
    /// When it runs by itself; `None` where nobody says so.
    pub schedule: Option<ScheduleInfo>,
    /// What happens while it cannot be called: as its manifest says, or as its settings do.
    pub absences: Vec<Absence>,
}

/// What keeps a version from being removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VersionUse {
    /// It is the one in use, or was when the plugin was disabled.
    InUse,
    /// Rolling back leads to it.
    Previous,
}

/// How a plugin stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PluginState {
    /// It was never enabled.
    Installed,
    /// It can be run.
    Enabled,
    /// It was disabled. What it put out stays readable.
    Disabled,
    /// Its file is missing, damaged or does not load.
    Broken,
}

impl PluginState {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Broken => "broken",
        }
    }
}

/// An installed version of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionInfo {
    /// The version.
    pub version: Version,
    /// BLAKE3 digest of the component, in hex.
    pub digest: String,
    /// Size of the component.
    pub bytes: u64,
    /// The version of `trellis:plugin` that it was built against; `None` where the file is lost.
    pub wit: Option<Version>,
    /// The SDK that it was built with, as it names itself.
    pub sdk: Option<String>,
    /// What it asks the host for.
    pub imports: Vec<String>,
    /// When it was installed, in milliseconds since 1970-01-01T00:00:00Z.
    pub installed_at_ms: i64,
    /// By whom.
    pub installed_by: Actor,
    /// Why it is broken, if it is.
    pub broken: Option<String>,
}

/// How a plugin is used.
#[derive(Debug, Clone, PartialEq)]
pub struct UseSettings {
    /// Its configuration; what is left out (or all of it, by null) has the manifest's defaults.
    pub config: serde_json::Value,
    /// Up to when data counts.
    pub as_of: AsOf,
    /// The version to use; the newest one that is not broken where it is `None`.
    pub version: Option<Version>,
    /// What is granted of [`PluginInfo::requests`]; all of it where it is `None`.
    pub grants: Option<Vec<String>>,
    /// When it runs by itself.
    pub schedule: UseSchedule,
    /// What happens while it cannot be called, where that is not what its manifest says.
    pub absent: BTreeMap<AbsentUse, AbsentPolicy>,
    /// What happens when the version in use is quarantined.
    pub on_quarantine: OnQuarantine,
}

/// What happens when the version in use is quarantined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum OnQuarantine {
    /// It stays the version in use, and is not called.
    #[default]
    Stay,
    /// The use before it comes back, if its version is installed and may be called.
    RollBack,
}

impl OnQuarantine {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stay => "stay",
            Self::RollBack => "roll-back",
        }
    }

    /// What a name stands for.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Stay, Self::RollBack].into_iter().find(|known| known.as_str() == name)
    }
}

impl Default for UseSettings {
    fn default() -> Self {
        Self {
            config: serde_json::Value::Null,
            as_of: AsOf::Now,
            version: None,
            grants: None,
            schedule: UseSchedule::Manifest,
            absent: BTreeMap::new(),
            on_quarantine: OnQuarantine::Stay,
        }
    }
}
