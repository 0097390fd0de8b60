//! The plugins of a server: in memory what the store and the files say.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
};

use parking_lot::{Mutex, RwLock};
use semver::Version;
use serde_json::Value as Json;
use trellis_columns::AsOf;
use trellis_model::PluginId;
use trellis_plugin_host::{Inspection, Plugin, PluginHost};
use trellis_records::{Caller, EntryBody, NewEntry, Records};
use trellis_storage::WriteSet;

use super::{
    Enabled, PluginInfo, PluginState, UseSettings,
    entry::{Entry, Installed, Usage, info},
    files::{Files, hex},
    grants,
    stored::{self as stored_plugin, UseV1, VersionV1},
};
use crate::{Error, Result, as_of, blocking::blocking, jobs::StoredActor, keys, run, stored};

/// Bytes of a use's configuration.
const CONFIG_BYTES_MAX: usize = 64 << 10;

/// The plugins of a server.
#[derive(Debug)]
pub(crate) struct Registry {
    records: Arc<Records>,
    pub(super) host: Arc<PluginHost>,
    files: Files,
    pub(super) plugins: RwLock<BTreeMap<PluginId, Entry>>,
    /// What is loaded, by digest.
    loaded: Mutex<HashMap<[u8; 32], Arc<Plugin>>>,
    /// The plugins that are enabled and loaded, by id; renewed with each change.
    enabled: RwLock<Arc<[Arc<Enabled>]>>,
    /// Held while something is changed, so that changes come one after the other.
    changing: tokio::sync::Mutex<()>,
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
    ) -> Result<Arc<Self>> {
        let registry = Arc::new(Self {
            records,
            host,
            files: Files::open(dir)?,
            plugins: RwLock::default(),
            loaded: Mutex::default(),
            enabled: RwLock::new(Arc::new([])),
            changing: tokio::sync::Mutex::default(),
        });
        let versions = stored_plugin::versions(&registry.records).await?;
        let uses = stored_plugin::uses(&registry.records).await?;
        let opening = Arc::clone(&registry);
        blocking("loading plugins", move || opening.fill(versions, uses)).await?;
        Ok(registry)
    }

    fn fill(&self, versions: Vec<(PluginId, Version, VersionV1)>, uses: Vec<(PluginId, Usage)>) {
        let mut plugins = BTreeMap::<PluginId, Entry>::new();
        for (id, version, stored) in versions {
            let inspection = self.inspect(&stored.digest);
            plugins.entry(id).or_default().versions.insert(version, Installed { stored, inspection });
        }
        for (id, usage) in uses {
            let Some(entry) = plugins.get_mut(&id) else { continue };
            if usage.stored.enabled
                && let Some(installed) = entry.versions.get_mut(&usage.version)
                && let Err(error) = self.load(&installed.stored.digest)
            {
                tracing::error!("plugin `{id}` {} is broken: {error}", usage.version);
                installed.inspection = Err(error);
            }
            entry.usage = Some(usage);
        }
        *self.plugins.write() = plugins;
        self.renew_enabled();
    }

    fn inspect(&self, digest: &[u8; 32]) -> Result<Arc<Inspection>, String> {
        let bytes = self.files.read(digest).map_err(|unusable| unusable.0)?;
        trellis_plugin_host::inspect(&bytes).map(Arc::new).map_err(|error| error.to_string())
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

    /// Installs a version of a plugin, or finds that it is there.
    pub(crate) async fn upload(self: &Arc<Self>, caller: &Caller, wasm: Vec<u8>) -> Result<PluginInfo> {
        let _changing = self.changing.lock().await;
        let this = Arc::clone(self);
        let loading = move || this.host.load(&wasm).map(|plugin| (plugin, wasm));
        let (plugin, wasm) = blocking("loading the plugin", loading).await??;
        let inspection = Arc::new(plugin.inspection().clone());
        let (id, version) = (plugin.plugin_version().id.clone(), plugin.plugin_version().version.clone());
        let digest = *plugin.digest().as_bytes();
        let known = self.plugins.read().get(&id).and_then(|entry| entry.versions.get(&version)).cloned();
        if let Some(known) =
            known.as_ref().filter(|known| known.stored.digest != digest && version.pre.is_empty())
        {
            let (installed, uploaded) = (hex(&known.stored.digest), hex(&digest));
            return Err(Error::VersionExists {
                plugin: id,
                version: version.to_string(),
                installed,
                uploaded,
            });
        }
        let this = Arc::clone(self);
        let bytes = wasm.len() as u64;
        blocking("writing the plugin file", move || this.files.write(&digest, &wasm)).await??;
        let name = &inspection.manifest.name;
        let stored = match known {
            Some(known) if known.stored.digest == digest => known.stored,
            _ => {
                let stored = VersionV1 {
                    version: version.to_string(),
                    digest,
                    bytes,
                    name_en: name.en.clone(),
                    name_zh_cn: name.zh_cn.clone(),
                    installed_at_ms: self.records.clock().now_ms(),
                    installed_by: StoredActor::from(&caller.actor),
                };
                self.write_version(caller, &id, &version, &stored).await?;
                stored
            }
        };
        self.loaded.lock().insert(digest, plugin);
        let installed = Installed { stored, inspection: Ok(inspection) };
        self.plugins.write().entry(id.clone()).or_default().versions.insert(version, installed);
        self.renew_enabled();
        self.find(&id)
    }

    async fn write_version(
        &self,
        caller: &Caller,
        id: &PluginId,
        version: &Version,
        stored: &VersionV1,
    ) -> Result<()> {
        let key = keys::plugin_version(id, version);
        let parts = stored::get(self.records.store().as_ref(), &key).await?.map_or(0, |(_, parts)| parts);
        let mut set = WriteSet::new();
        stored::put(&mut set, &key, &stored_plugin::encode_version(stored), parts);
        let data = serde_json::json!({ "plugin": id.as_str(), "version": stored.version, "digest": hex(&stored.digest) });
        self.records.commit(set, Some(entry(caller, "plugin.installed", data))).await?;
        Ok(())
    }

    /// Enables a plugin with these settings, or changes the settings of one that is enabled.
    pub(crate) async fn enable(
        self: &Arc<Self>,
        caller: &Caller,
        id: &PluginId,
        settings: UseSettings,
    ) -> Result<PluginInfo> {
        let _changing = self.changing.lock().await;
        let (version, digest) = self.version_to_enable(id, settings.version)?;
        let plugin = self.load_for_use(id, &version, digest).await?;
        let config = checked_config(id, &plugin, settings.config)?;
        grants::check(id, plugin.inspection(), settings.grants.as_deref())?;
        let (checking, config_text) = (Arc::clone(&plugin), config.to_string());
        // A configuration that the plugin itself refuses is refused now, not by the first run.
        let asking = move || run::check_config(&checking, &config_text);
        blocking("asking the plugin about its settings", asking).await??;
        let stored = UseV1 {
            enabled: true,
            version: version.to_string(),
            config: config.to_string(),
            as_of: as_of::to_days(settings.as_of),
            grants: settings.grants,
            changed_at_ms: self.records.clock().now_ms(),
            changed_by: StoredActor::from(&caller.actor),
        };
        self.write_use(caller, id, Usage { stored, version, parts: 0 }, "plugin.enabled").await
    }

    /// Disables a plugin. What it put out stays.
    pub(crate) async fn disable(&self, caller: &Caller, id: &PluginId) -> Result<PluginInfo> {
        let _changing = self.changing.lock().await;
        let usage = self.plugins.read().get(id).map(|entry| entry.usage.clone());
        let usage = usage.ok_or_else(|| Error::UnknownPlugin { id: id.to_string() })?;
        match usage {
            Some(mut usage) if usage.stored.enabled => {
                usage.stored.enabled = false;
                usage.stored.changed_at_ms = self.records.clock().now_ms();
                usage.stored.changed_by = StoredActor::from(&caller.actor);
                self.write_use(caller, id, usage, "plugin.disabled").await
            }
            _ => self.find(id),
        }
    }

    async fn write_use(
        &self,
        caller: &Caller,
        id: &PluginId,
        mut usage: Usage,
        event: &str,
    ) -> Result<PluginInfo> {
        let before =
            self.plugins.read().get(id).and_then(|entry| entry.usage.as_ref()).map_or(0, |usage| usage.parts);
        let mut set = WriteSet::new();
        let bytes = stored_plugin::encode_use(&usage.stored);
        usage.parts = stored::put(&mut set, &keys::plugin_use(id), &bytes, before);
        let data = serde_json::json!({ "plugin": id.as_str(), "version": usage.stored.version });
        self.records.commit(set, Some(entry(caller, event, data))).await?;
        if let Some(entry) = self.plugins.write().get_mut(id) {
            entry.usage = Some(usage);
        }
        self.unload_unused();
        self.renew_enabled();
        self.find(id)
    }

    /// Lets go of compiled code that no enabled plugin uses; what needs it again loads it again.
    fn unload_unused(&self) {
        let plugins = self.plugins.read();
        let in_use = |entry: &Entry| {
            let usage = entry.usage.as_ref().filter(|usage| usage.stored.enabled)?;
            Some(entry.versions.get(&usage.version)?.stored.digest)
        };
        let in_use: Vec<_> = plugins.values().filter_map(in_use).collect();
        self.loaded.lock().retain(|digest, _| in_use.contains(digest));
    }

    fn version_to_enable(&self, id: &PluginId, wanted: Option<Version>) -> Result<(Version, [u8; 32])> {
        let plugins = self.plugins.read();
        let entry = plugins.get(id).ok_or_else(|| Error::UnknownPlugin { id: id.to_string() })?;
        let newest = || {
            let usable = entry.versions.iter().rev().find(|(_, installed)| installed.inspection.is_ok());
            usable.or_else(|| entry.versions.last_key_value())
        };
        let found = match &wanted {
            Some(version) => entry.versions.get_key_value(version),
            None => newest(),
        };
        let (version, installed) = found.ok_or_else(|| Error::UnknownVersion {
            plugin: id.clone(),
            version: wanted.map(|version| version.to_string()).unwrap_or_default(),
        })?;
        Ok((version.clone(), installed.stored.digest))
    }

    async fn load_for_use(
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

    fn set_inspection(&self, id: &PluginId, version: &Version, inspection: Result<Arc<Inspection>, String>) {
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

    /// A version of a plugin, whether it is enabled or not.
    pub(crate) async fn version(self: &Arc<Self>, id: &PluginId, version: &Version) -> Result<Arc<Plugin>> {
        let digest = {
            let plugins = self.plugins.read();
            let entry = plugins.get(id).ok_or_else(|| Error::UnknownPlugin { id: id.to_string() })?;
            entry.versions.get(version).map(|installed| installed.stored.digest)
        };
        let unknown = || Error::UnknownVersion { plugin: id.clone(), version: version.to_string() };
        let digest = digest.ok_or_else(unknown)?;
        if let Some(plugin) = self.loaded.lock().get(&digest) {
            return Ok(Arc::clone(plugin));
        }
        self.load_for_use(id, version, digest).await
    }

    /// The plugins that are enabled and loaded, by id.
    pub(crate) fn enabled(&self) -> Arc<[Arc<Enabled>]> {
        Arc::clone(&self.enabled.read())
    }

    fn renew_enabled(&self) {
        let plugins = self.plugins.read();
        let loaded = self.loaded.lock();
        let of = |(id, entry): (&PluginId, &Entry)| {
            Enabled::of(id, entry, |digest| loaded.get(digest).cloned()).map(Arc::new)
        };
        *self.enabled.write() = plugins.iter().filter_map(of).collect();
    }

    /// Whether an installed plugin puts out a segmentation or score of this name once it runs.
    pub(crate) fn puts_out(&self, name: &str) -> bool {
        let puts_out = |(id, entry): (&PluginId, &Entry)| {
            let by_prefix = name.strip_prefix(&id.prefix()).is_some_and(|rest| rest.starts_with("__"));
            let aliased = |installed: &Installed| {
                let manifest = installed.inspection.as_ref().ok().map(|inspection| &inspection.manifest);
                manifest.is_some_and(|manifest| {
                    manifest.segmentation_aliases.contains_key(name)
                        || manifest.score_aliases.contains_key(name)
                })
            };
            by_prefix || entry.versions.values().any(aliased)
        };
        self.plugins.read().iter().any(puts_out)
    }

    /// The plugins that are enabled and follow the data as it is now.
    pub(crate) fn enabled_as_of_now(&self) -> Vec<PluginId> {
        let follows = |usage: &Usage| usage.stored.enabled && usage.stored.as_of.is_none();
        let plugins = self.plugins.read();
        plugins
            .iter()
            .filter(|(_, entry)| entry.usage.as_ref().is_some_and(follows))
            .map(|(id, _)| id.clone())
            .collect()
    }

    pub(crate) fn list(&self) -> Vec<PluginInfo> {
        let infos: Vec<_> = self.plugins.read().iter().filter_map(|(id, entry)| info(id, entry)).collect();
        infos.into_iter().map(|info| self.with_health(info)).collect()
    }

    pub(crate) fn get(&self, id: &PluginId) -> Option<PluginInfo> {
        let info = self.plugins.read().get(id).and_then(|entry| info(id, entry));
        info.map(|info| self.with_health(info))
    }

    fn find(&self, id: &PluginId) -> Result<PluginInfo> {
        self.get(id).ok_or_else(|| Error::UnknownPlugin { id: id.to_string() })
    }
}

/// Fills in the defaults and checks the settings against the manifest's schema.
pub(crate) fn checked_config(id: &PluginId, plugin: &Plugin, config: Json) -> Result<Json> {
    let invalid = |reason: String| Error::InvalidSettings { plugin: id.clone(), reason };
    let manifest = plugin.manifest();
    let config = match config {
        Json::Null => manifest.default_config(),
        config @ Json::Object(_) => manifest.config.with_defaults(config),
        other => return Err(invalid(format!("`{other}` is not an object of settings"))),
    };
    if config.to_string().len() > CONFIG_BYTES_MAX {
        return Err(invalid(format!("over {CONFIG_BYTES_MAX} bytes")));
    }
    manifest.validate_config(&config).map_err(|problems| {
        let texts = problems.iter().map(|problem| format!("`{}` {}", problem.setting, problem.reason));
        invalid(texts.collect::<Vec<_>>().join("; "))
    })?;
    Ok(config)
}

fn parse_config(id: &PluginId, config: &str) -> Result<Json> {
    serde_json::from_str(config)
        .map_err(|error| Error::Damaged { what: format!("configuration of plugin `{id}`: {error}") })
}

fn entry(caller: &Caller, name: &str, data: Json) -> NewEntry {
    NewEntry {
        actor: caller.actor.clone(),
        cause: caller.cause.clone(),
        body: EntryBody::Event { name: name.to_owned(), data },
    }
}
