//! The plugins of a server: in memory what the store and the files say.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Weak},
};

use parking_lot::{Mutex, RwLock};
use semver::Version;
use serde_json::Value as Json;
use trellis_columns::AsOf;
use trellis_model::{Language, PluginId, Text, bilingual};
use trellis_plugin_host::{
    Inspection, Plugin, PluginHost,
    manifest::{ConfigProblem, Schedule},
};
use trellis_records::{Records, Schema};

use super::{
    Absent, Enabled, PluginInfo, PluginState,
    entry::{Entry, Installed, Usage, info},
    files::Files,
    opening,
    published::Reads,
    stored::{self as stored_plugin, VersionV1},
};
use crate::{
    Error, Result, as_of,
    blocking::blocking,
    schedules::{self, UseSchedule},
};

/// Bytes of a use's configuration.
const CONFIG_BYTES_MAX: usize = 64 << 10;

/// The plugins of a server.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(super) records: Arc<Records>,
    pub(super) host: Arc<PluginHost>,
    pub(super) files: Files,
    /// Switches of a plugin that are kept.
    pub(super) switches_kept: usize,
    pub(super) plugins: RwLock<BTreeMap<PluginId, Entry>>,
    /// What is loaded, by digest.
    pub(super) loaded: Mutex<HashMap<[u8; 32], Arc<Plugin>>>,
    /// The plugins that are enabled and loaded, by id; renewed with each change.
    enabled: RwLock<Arc<[Arc<Enabled>]>>,
    /// The schema that it was renewed with: which data is personal stands there.
    enabled_with: RwLock<Weak<Schema>>,
    /// Which of them read what others put out; renewed with each change.
    pub(super) reads: RwLock<Reads>,
    /// The plugins that are enabled and cannot be called.
    pub(super) absent: RwLock<Arc<[Arc<Absent>]>>,
    /// Held while something is changed, so that changes come one after the other.
    pub(super) changing: tokio::sync::Mutex<()>,
    /// See [`crate::Config`].
    pub(super) schedule_interval_ms_min: u64,
}

/// A plugin that is enabled, with how it is used.
#[derive(Debug, Clone)]
pub(crate) struct Active {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) config: Json,
    pub(crate) as_of: AsOf,
}

impl Registry {
    /// Reads which plugins there are and loads those that are enabled. One that cannot be loaded is broken, not an error.
    pub(crate) async fn open(
        records: Arc<Records>,
        host: Arc<PluginHost>,
        dir: PathBuf,
        (switches_kept, schedule_interval_ms_min): (usize, u64),
    ) -> Result<Arc<Self>> {
        let registry = Arc::new(Self {
            records,
            host,
            files: Files::open(dir)?,
            switches_kept,
            plugins: RwLock::default(),
            loaded: Mutex::default(),
            enabled: RwLock::new(Arc::new([])),
            enabled_with: RwLock::default(),
            reads: RwLock::default(),
            absent: RwLock::new(Arc::new([])),
            changing: tokio::sync::Mutex::default(),
            schedule_interval_ms_min,
        });
        let versions = stored_plugin::versions(&registry.records).await?;
        let uses = stored_plugin::uses(&registry.records).await?;
        let opening = Arc::clone(&registry);
        blocking("loading plugins", move || opening.fill(versions, uses)).await?;
        registry.find_absent().await?;
        Ok(registry)
    }

    fn fill(&self, versions: Vec<(PluginId, Version, VersionV1)>, uses: Vec<(PluginId, Usage)>) {
        let in_use = |id: &PluginId, version: &Version| {
            uses.iter().any(|(of, usage)| of == id && usage.stored.enabled && usage.version == *version)
        };
        let mut wanted = BTreeMap::<[u8; 32], bool>::new();
        for (id, version, stored) in &versions {
            *wanted.entry(stored.digest).or_default() |= in_use(id, version);
        }
        let opened = opening::open_all(&self.host, &self.files, &wanted.into_iter().collect::<Vec<_>>());
        let mut plugins = BTreeMap::<PluginId, Entry>::new();
        for (id, version, stored) in versions {
            let Some(opened) = opened.get(&stored.digest) else { continue };
            if let Err(error) = &opened.inspection {
                tracing::error!("plugin `{id}` {version} is broken: {error}");
            }
            let installed = Installed { inspection: opened.inspection.clone(), stored };
            plugins.entry(id).or_default().versions.insert(version, installed);
        }
        for (id, usage) in uses {
            if let Some(entry) = plugins.get_mut(&id) {
                entry.usage = Some(usage);
            }
        }
        let loaded = opened.into_iter().filter_map(|(digest, opened)| Some((digest, opened.plugin?)));
        self.loaded.lock().extend(loaded);
        *self.plugins.write() = plugins;
        self.renew_enabled();
    }

    /// The plugin of a digest, compiled. Blocks.
    fn load(&self, digest: &[u8; 32]) -> Result<Arc<Plugin>, String> {
        if let Some(plugin) = self.loaded.lock().get(digest) {
            return Ok(Arc::clone(plugin));
        }
        let bytes = self.files.read(digest).map_err(|unusable| unusable.0)?;
        let plugin = self.host.load(&bytes).map_err(|error| error.to_string())?;
        self.loaded.lock().insert(*digest, Arc::clone(&plugin));
        Ok(plugin)
    }

    /// Lets go of compiled code that no enabled plugin uses; what needs it again loads it again.
    pub(crate) fn unload_unused(&self) {
        let plugins = self.plugins.read();
        let in_use = |entry: &Entry| {
            let usage = entry.usage.as_ref().filter(|usage| usage.stored.enabled)?;
            Some(entry.versions.get(&usage.version)?.stored.digest)
        };
        let in_use: Vec<_> = plugins.values().filter_map(in_use).collect();
        self.loaded.lock().retain(|digest, _| in_use.contains(digest));
    }

    pub(super) async fn load_for_use(
        self: &Arc<Self>,
        id: &PluginId,
        version: &Version,
        digest: [u8; 32],
    ) -> Result<Arc<Plugin>> {
        let this = Arc::clone(self);
        match blocking("loading the plugin", move || this.load(&digest)).await? {
            Ok(plugin) => {
                self.set_inspection(id, version, Ok(Arc::new(plugin.inspection().clone())));
                Ok(plugin)
            }
            Err(reason) => {
                self.set_inspection(id, version, Err(reason.clone()));
                Err(Error::Broken { plugin: id.clone(), version: version.to_string(), reason })
            }
        }
    }

    pub(super) fn set_inspection(
        &self,
        id: &PluginId,
        version: &Version,
        inspection: Result<Arc<Inspection>, String>,
    ) {
        if let Some(installed) =
            self.plugins.write().get_mut(id).and_then(|entry| entry.versions.get_mut(version))
        {
            installed.inspection = inspection;
        }
    }

    /// The plugin as it is enabled.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::NotEnabled`], [`Error::Broken`].
    pub(crate) async fn active(self: &Arc<Self>, id: &PluginId) -> Result<Active> {
        let entry = self.plugins.read().get(id).cloned();
        let entry = entry.ok_or_else(|| Error::UnknownPlugin { id: id.to_string() })?;
        let not_enabled =
            |state: PluginState| Error::NotEnabled { plugin: id.clone(), state: state.as_str() };
        let usage = entry.usage.ok_or_else(|| not_enabled(PluginState::Installed))?;
        if !usage.stored.enabled {
            return Err(not_enabled(PluginState::Disabled));
        }
        let plugin = self.version(id, &usage.version).await?;
        Ok(Active {
            plugin,
            config: parse_config(id, &usage.stored.config)?,
            as_of: as_of::from_days(usage.stored.as_of),
        })
    }

    /// What calls of plugins may use, by class.
    pub(crate) fn limits(&self) -> &trellis_plugin_host::Limits {
        self.host.limits()
    }

    /// Checks that what a run was made with is installed, and that no other version took over from it. Whoever acts upon it holds
    /// [`Registry::changing`].
    ///
    /// # Errors
    /// [`Error::UnknownVersion`], [`Error::Superseded`].
    pub(crate) fn check_still_served(
        &self,
        id: &PluginId,
        version: &Version,
        digest: &[u8; 32],
    ) -> Result<()> {
        let plugins = self.plugins.read();
        let entry = plugins.get(id).ok_or_else(|| Error::UnknownPlugin { id: id.to_string() })?;
        let installed = entry.installed().find(|(known, _)| *known == version);
        let has_content = installed.is_some_and(|(_, installed)| installed.stored.digest == *digest);
        let superseded =
            |serving| Error::Superseded { plugin: id.clone(), version: version.to_string(), serving };
        match &entry.usage {
            Some(usage) if usage.version != *version => Err(superseded(usage.version.to_string())),
            _ if installed.is_none() => {
                Err(Error::UnknownVersion { plugin: id.clone(), version: version.to_string() })
            }
            _ if !has_content => Err(superseded(format!("{version} with other content"))),
            _ => Ok(()),
        }
    }

    /// The content of a version, also of one that was removed and is kept for replays.
    fn digest_known(&self, id: &PluginId, version: &Version) -> Result<[u8; 32]> {
        let plugins = self.plugins.read();
        let entry = plugins.get(id).ok_or_else(|| Error::UnknownPlugin { id: id.to_string() })?;
        let known = entry.versions.get(version).map(|installed| installed.stored.digest);
        known.ok_or_else(|| Error::UnknownVersion { plugin: id.clone(), version: version.to_string() })
    }

    /// A version of a plugin, whether it is enabled or not.
    pub(crate) async fn version(self: &Arc<Self>, id: &PluginId, version: &Version) -> Result<Arc<Plugin>> {
        let digest = self.digest_known(id, version)?;
        if let Some(plugin) = self.loaded.lock().get(&digest) {
            return Ok(Arc::clone(plugin));
        }
        self.load_for_use(id, version, digest).await
    }

    /// A version to compare with others or to measure: what it uses is counted, nobody who works waits for it, and nobody else calls it.
    pub(crate) async fn metered(self: &Arc<Self>, id: &PluginId, version: &Version) -> Result<Arc<Plugin>> {
        let digest = self.digest_known(id, version)?;
        let (this, broken) = (Arc::clone(self), |reason| Error::Broken {
            plugin: id.clone(),
            version: version.to_string(),
            reason,
        });
        let loading = move || {
            let bytes = this.files.read(&digest).map_err(|unusable| Ok(unusable.0))?;
            this.host.load_metered(&bytes).map_err(Err)
        };
        let loaded = blocking("loading the plugin", loading).await?;
        loaded.map_err(|error| match error {
            Ok(reason) => broken(reason),
            Err(error) => Error::Plugin(error),
        })
    }

    /// As [`Registry::metered`], for a component that is not installed. Blocks.
    pub(crate) fn load_metered(&self, component: &[u8]) -> Result<Arc<Plugin>> {
        Ok(self.host.load_metered(component)?)
    }

    /// The plugins that are enabled and loaded, by id.
    pub(crate) fn enabled(&self) -> Arc<[Arc<Enabled>]> {
        if !std::ptr::eq(self.enabled_with.read().as_ptr(), Arc::as_ptr(&self.records.schema())) {
            self.renew_enabled();
        }
        Arc::clone(&self.enabled.read())
    }

    pub(super) fn renew_enabled(&self) {
        let schema = self.records.schema();
        {
            let plugins = self.plugins.read();
            let loaded = self.loaded.lock();
            let of = |(id, entry): (&PluginId, &Entry)| {
                Enabled::of(id, entry, &schema, |digest| loaded.get(digest).cloned()).map(Arc::new)
            };
            *self.enabled.write() = plugins.iter().filter_map(of).collect();
            *self.enabled_with.write() = Arc::downgrade(&schema);
            *self.reads.write() = Reads::of(&plugins, None);
        }
        self.renew_absent();
    }

    /// Whether an installed plugin puts out a segmentation or score of this name once it runs.
    pub(crate) fn puts_out(&self, name: &str) -> bool {
        self.publisher(name).is_some()
    }

    /// The plugins that are enabled and follow the data as it is now, each after those whose results it reads.
    pub(crate) fn enabled_as_of_now(&self) -> Vec<PluginId> {
        let follows = |usage: &Usage| usage.stored.enabled && usage.stored.as_of.is_none();
        let enabled = {
            let plugins = self.plugins.read();
            let followed = plugins.iter().filter(|(_, entry)| entry.usage.as_ref().is_some_and(follows));
            followed.map(|(id, _)| id.clone()).collect()
        };
        self.in_reading_order(enabled)
    }

    /// What the settings of a plugin say about when it runs, what its manifest says, and whether it is enabled.
    pub(crate) fn schedule_of(&self, id: &PluginId) -> Option<(UseSchedule, Option<Schedule>, bool)> {
        let plugins = self.plugins.read();
        let entry = plugins.get(id)?;
        let usage = entry.usage.as_ref();
        let in_use = usage.and_then(|usage| entry.versions.get(&usage.version));
        let shown = in_use.or_else(|| entry.versions.values().next_back())?;
        let of_manifest = shown.inspection.as_ref().ok().and_then(|of| of.manifest.schedule.clone());
        let settings = usage.map(|usage| UseSchedule::from(&usage.stored.schedule)).unwrap_or_default();
        Some((settings, of_manifest, usage.is_some_and(|usage| usage.stored.enabled)))
    }

    /// The plugins that are enabled and run by themselves, with when they do, and when that was set.
    pub(crate) fn scheduled(&self) -> Vec<(PluginId, Schedule, i64)> {
        let of = |(id, entry): (&PluginId, &Entry)| {
            let usage = entry.usage.as_ref().filter(|usage| usage.stored.enabled)?;
            let manifest = &entry.versions.get(&usage.version)?.inspection.as_ref().ok()?.manifest;
            let settings = UseSchedule::from(&usage.stored.schedule);
            Some((id.clone(), schedules::effective(&settings, manifest)?, usage.stored.changed_at_ms))
        };
        self.plugins.read().iter().filter_map(of).collect()
    }

    pub(crate) fn list(&self) -> Vec<PluginInfo> {
        let infos: Vec<_> = self.plugins.read().iter().filter_map(|(id, entry)| info(id, entry)).collect();
        infos.into_iter().map(|info| self.with_health(info)).collect()
    }

    pub(crate) fn get(&self, id: &PluginId) -> Option<PluginInfo> {
        let info = self.plugins.read().get(id).and_then(|entry| info(id, entry));
        info.map(|info| self.with_health(info))
    }

    pub(super) fn find(&self, id: &PluginId) -> Result<PluginInfo> {
        self.get(id).ok_or_else(|| Error::UnknownPlugin { id: id.to_string() })
    }
}

/// Fills in the defaults and checks the settings against the manifest's schema.
pub(crate) fn checked_config(id: &PluginId, plugin: &Plugin, config: Json) -> Result<Json> {
    let invalid = |reason: Text| Error::InvalidSettings { plugin: id.clone(), reason };
    let manifest = plugin.manifest();
    let config = match config {
        Json::Null => manifest.default_config(),
        config @ Json::Object(_) => manifest.config.with_defaults(config),
        other => {
            return Err(invalid(bilingual!(
                "`{other}` is not an object of settings",
                "`{other}` 不是设置对象"
            )));
        }
    };
    if config.to_string().len() > CONFIG_BYTES_MAX {
        return Err(invalid(bilingual!("over {CONFIG_BYTES_MAX} bytes", "超过 {CONFIG_BYTES_MAX} 字节")));
    }
    manifest.validate_config(&config).map_err(|problems| {
        let said = |language, between: &str| {
            let of =
                |problem: &ConfigProblem| format!("`{}` {}", problem.setting, problem.reason.get(language));
            problems.iter().map(of).collect::<Vec<_>>().join(between)
        };
        invalid(Text::new(said(Language::En, "; "), said(Language::ZhCn, "；")))
    })?;
    Ok(config)
}

fn parse_config(id: &PluginId, config: &str) -> Result<Json> {
    serde_json::from_str(config)
        .map_err(|error| Error::Damaged { what: format!("configuration of plugin `{id}`: {error}") })
}
