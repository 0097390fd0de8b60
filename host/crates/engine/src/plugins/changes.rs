//! What changes the registry: installing, switching from one use to another, disabling. Everything is checked and loaded
//! before the one commit, and what is in memory follows it: whatever is refused leaves the version in use as it was. A call that is
//! under way keeps the version that it began with.

use std::sync::Arc;

use semver::Version;
use serde_json::{Value as Json, json};
use tokio::sync::MutexGuard;
use trellis_model::PluginId;
use trellis_plugin_host::{Digest, Inspection, Plugin};
use trellis_records::{Caller, EntryBody, NewEntry};
use trellis_storage::WriteSet;

use super::{
    PluginInfo, Registry, SwitchInfo, SwitchKind, UseSchedule, UseSettings, config_names,
    entry::{Entry, Installed, Usage, settings},
    files::hex,
    grants,
    registry::checked_config,
    stored::{self as stored_plugin, UseV1, VersionV1},
    switches::{self, SwitchV1},
};
use crate::{
    Error, Result, as_of,
    blocking::blocking,
    jobs::StoredActor,
    keys,
    lifecycle::schema_after,
    run,
    schedules::{self, StoredUseSchedule},
    stored,
};

/// Whoever holds it is the only one that changes which plugins there are and how they are used.
#[derive(Debug)]
pub(crate) struct Changing<'a>(#[expect(dead_code, reason = "held, not read")] MutexGuard<'a, ()>);

/// A use that was checked and whose code is loaded. All that is left is to commit it.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) plugin: Arc<Plugin>,
    /// Version and configuration as they will be stored.
    pub(crate) settings: UseSettings,
    pub(crate) version: Version,
}

/// How a switch goes down in the history.
#[derive(Debug, Clone)]
pub(crate) struct Note<'a> {
    pub(crate) kind: SwitchKind,
    pub(crate) reason: Option<&'a str>,
    /// The switch that is rolled back to: what was before that one is then before this one.
    pub(crate) back_to: Option<u64>,
}

impl Registry {
    /// Waits until nobody else changes anything.
    pub(crate) async fn changing(&self) -> Changing<'_> {
        Changing(self.changing.lock().await)
    }

    /// Installs a version of a plugin, or finds that it is there. `check` may refuse it; it is told whether other content of the version goes.
    pub(crate) async fn upload(
        self: &Arc<Self>,
        caller: &Caller,
        wasm: Vec<u8>,
        check: impl Fn(&Inspection, bool) -> Result<()>,
    ) -> Result<(PluginInfo, Arc<Plugin>)> {
        let _changing = self.changing().await;
        let this = Arc::clone(self);
        let loading = move || this.host.load(&wasm).map(|plugin| (plugin, wasm));
        let (plugin, wasm) = blocking("loading the plugin", loading).await??;
        let inspection = Arc::new(plugin.inspection().clone());
        let (id, version) = (plugin.plugin_version().id.clone(), plugin.plugin_version().version.clone());
        let digest = *plugin.digest().as_bytes();
        let known = self.plugins.read().get(&id).and_then(|entry| entry.versions.get(&version)).cloned();
        let installed = known.as_ref().filter(|known| known.stored.removed_at_ms.is_none());
        let replaces = installed.is_some_and(|known| known.stored.digest != digest);
        let accepted = no_other_content(&id, &version, known.as_ref().map(|known| &known.stored), digest)
            .and_then(|()| check(&inspection, replaces));
        if let Err(refused) = accepted {
            self.forget_unless_named(&digest);
            return Err(refused);
        }
        let replaced = known.as_ref().map(|known| known.stored.digest).filter(|known| *known != digest);
        let this = Arc::clone(self);
        let bytes = wasm.len() as u64;
        blocking("writing the plugin file", move || this.files.write(&digest, &wasm)).await??;
        let name = &inspection.manifest.name;
        let stored = match known {
            Some(known) if known.stored.digest == digest && known.stored.removed_at_ms.is_none() => {
                known.stored
            }
            _ => {
                let stored = VersionV1 {
                    version: version.to_string(),
                    digest,
                    bytes,
                    name_en: name.en.clone(),
                    name_zh_cn: name.zh_cn.clone(),
                    installed_at_ms: self.records.clock().now_ms(),
                    installed_by: StoredActor::from(&caller.actor),
                    removed_at_ms: None,
                };
                self.write_version(caller, &id, &version, &stored, replaced).await?;
                stored
            }
        };
        self.loaded.lock().insert(digest, Arc::clone(&plugin));
        let installed = Installed { stored, inspection: Ok(inspection) };
        self.plugins.write().entry(id.clone()).or_default().versions.insert(version, installed);
        self.unload_unused();
        self.renew_enabled();
        self.remove_files(replaced.into_iter().collect()).await?;
        Ok((self.find(&id)?, plugin))
    }

    /// Leaves nothing behind of a component that was loaded and is none of the installed ones.
    fn forget_unless_named(&self, digest: &[u8; 32]) {
        let is_named = self.plugins.read().values().flat_map(Entry::digests).any(|named| named == *digest);
        if !is_named {
            self.host.forget(&Digest::from_bytes(*digest));
        }
    }

    async fn write_version(
        &self,
        caller: &Caller,
        id: &PluginId,
        version: &Version,
        stored: &VersionV1,
        replaced: Option<[u8; 32]>,
    ) -> Result<()> {
        let (key, mut set) = (keys::plugin_version(id, version), WriteSet::new());
        let bytes = stored_plugin::encode_version(stored);
        stored::replace(self.records.store().as_ref(), &mut set, &key, &bytes).await?;
        replaced.iter().for_each(|digest| {
            set.delete(keys::plugin_quarantine(id, digest));
        });
        let data = json!({ "plugin": id.as_str(), "version": stored.version, "digest": hex(&stored.digest) });
        self.records.commit(set, Some(entry(caller, "plugin.installed", data))).await?;
        Ok(())
    }

    /// Checks how a plugin is to be used, and loads that version: file, configuration, grants, and what the plugin says about the
    /// configuration. Changes nothing.
    pub(crate) async fn prepare(self: &Arc<Self>, id: &PluginId, settings: UseSettings) -> Result<Prepared> {
        let (version, digest) = self.version_to_use(id, settings.version.as_ref())?;
        let plugin = self.load_for_use(id, &version, digest).await?;
        let config = checked_config(id, &plugin, settings.config)?;
        // Settings may name what the version itself brings, as defaults do: it is there once it is enabled.
        let brought = schema_after(&self.records, id, plugin.inspection()).await?;
        let is_there = |object: &_, published: &_| self.finds(object, published);
        config_names::check(id, &brought, plugin.manifest(), &config, &is_there)?;
        let inspection = plugin.inspection().configured(&config);
        let schema = self.records.schema();
        grants::check(id, &inspection, &schema, settings.grants.as_deref())?;
        let granted = grants::Grants::new(settings.grants.clone());
        let hidden = self.hidden(&inspection.manifest, &granted);
        grants::check_columns(&inspection.manifest, &version, &hidden, &granted)?;
        self.check_circle(id, &inspection.manifest)?;
        run::check_known_as_of(&inspection.manifest, settings.as_of)
            .map_err(|reason| Error::InvalidSettings { plugin: id.clone(), reason })?;
        schedules::check(
            &self.records,
            self.schedule_interval_ms_min,
            &settings.schedule,
            plugin.manifest(),
        )?;
        let absent = plugin.manifest().check_absent(&settings.absent);
        absent.map_err(|reason| Error::InvalidSettings { plugin: id.clone(), reason })?;
        let (checking, config_text) = (Arc::clone(&plugin), config.to_string());
        // A configuration that the plugin itself refuses is refused now, not by the first run.
        let asked = match &settings.schedule {
            UseSchedule::Own(schedule) => schedule.analyses.clone(),
            UseSchedule::Manifest | UseSchedule::Off => Vec::new(),
        };
        let asking = move || {
            run::check_config(&checking, &config_text)?;
            run::check_asked(&checking, &config_text, &asked)
        };
        blocking("asking the plugin about its settings", asking).await??;
        let settings = UseSettings { config, version: Some(version.clone()), ..settings };
        Ok(Prepared { plugin, settings, version })
    }

    /// Makes a prepared use the one that serves: in one commit, and then at once for every call that begins.
    pub(crate) async fn commit_switch(
        &self,
        _: &Changing<'_>,
        caller: &Caller,
        prepared: Prepared,
        note: &Note<'_>,
    ) -> Result<PluginInfo> {
        let id = prepared.plugin.id().clone();
        // Others may have been enabled since it was prepared.
        self.check_circle(&id, &prepared.plugin.manifest().configured(&prepared.settings.config))?;
        let before = self.usage(&id);
        let mut usage = UseV1::of(&prepared, &before, caller, self.records.clock().now_ms());
        let mut set = WriteSet::new();
        let is_new = before.as_ref().is_none_or(|before| !usage.is_used_as(&before.stored));
        if is_new {
            let found = switches::all(&self.records, &id).await?;
            usage.switch = found.first().map_or(0, |newest| newest.switch.usage.switch) + 1;
            let target = note
                .back_to
                .and_then(|number| found.iter().find(|found| found.switch.usage.switch == number));
            usage.previous = match target {
                Some(target) => target.switch.usage.previous.clone(),
                None => {
                    let current = before.as_ref().map(|before| before.stored.switch);
                    let current = found.iter().find(|found| Some(found.switch.usage.switch) == current);
                    current.map(|current| current.switch.as_previous())
                }
            };
            let gone = |previous: &stored_plugin::PreviousV1| !self.has_version(&id, &previous.version);
            usage.previous = usage.previous.filter(|previous| !gone(previous));
            let previous = usage.previous.as_ref().map(|previous| previous.switch);
            switches::prune(&mut set, &id, &found, self.switches_kept.saturating_sub(1), previous);
            let digest = *prepared.plugin.digest().as_bytes();
            let reason = note.reason.map(str::to_owned);
            SwitchV1 { kind: note.kind, digest, reason, usage: usage.clone() }.put(&mut set, &id);
        }
        let version = prepared.version.clone();
        self.loaded.lock().insert(*prepared.plugin.digest().as_bytes(), prepared.plugin);
        let data = json!({
            "plugin": id.as_str(), "version": usage.version, "switch": usage.switch,
            "from": before.as_ref().map(|before| before.version.to_string()), "reason": note.reason,
        });
        let parts = before.map_or(0, |before| before.parts);
        self.write_use(caller, &id, set, Usage { stored: usage, version, parts }, (note.kind.event(), data))
            .await
    }

    /// Disables a plugin. What it put out stays.
    pub(crate) async fn disable(
        &self,
        _: &Changing<'_>,
        caller: &Caller,
        id: &PluginId,
        reason: Option<&str>,
    ) -> Result<PluginInfo> {
        let known = self.find(id)?;
        let Some(mut usage) = self.usage(id).filter(|usage| usage.stored.enabled) else { return Ok(known) };
        usage.stored.enabled = false;
        usage.stored.changed_at_ms = self.records.clock().now_ms();
        usage.stored.changed_by = StoredActor::from(&caller.actor);
        let data = json!({ "plugin": id.as_str(), "version": usage.stored.version, "reason": reason });
        self.write_use(caller, id, WriteSet::new(), usage, ("plugin.disabled", data)).await
    }

    /// `usage.parts` are those of what is stored now.
    async fn write_use(
        &self,
        caller: &Caller,
        id: &PluginId,
        mut set: WriteSet,
        mut usage: Usage,
        (event, data): (&str, Json),
    ) -> Result<PluginInfo> {
        let bytes = stored_plugin::encode_use(&usage.stored);
        usage.parts = stored::put(&mut set, &keys::plugin_use(id), &bytes, usage.parts);
        self.records.commit(set, Some(entry(caller, event, data))).await?;
        if let Some(entry) = self.plugins.write().get_mut(id) {
            entry.usage = Some(usage);
        }
        self.unload_unused();
        self.renew_enabled();
        self.find(id)
    }

    /// The switches of a plugin that are kept, the newest first.
    pub(crate) async fn switches(&self, id: &PluginId) -> Result<Vec<SwitchInfo>> {
        self.find(id)?;
        let usage = self.usage(id);
        let usage = usage.as_ref().map(|usage| &usage.stored);
        let found = switches::all(&self.records, id).await?;
        found.iter().map(|found| found.switch.info(id, usage)).collect()
    }

    /// How a plugin was used after a switch (the previous one where none is named), and its number.
    ///
    /// # Errors
    /// [`Error::NothingEarlier`].
    pub(crate) async fn earlier_use(
        &self,
        id: &PluginId,
        number: Option<u64>,
    ) -> Result<(u64, [u8; 32], UseSettings)> {
        self.find(id)?;
        let usage = self.usage(id);
        let current = usage.as_ref().map(|usage| usage.stored.switch);
        let previous = usage.as_ref().and_then(|usage| usage.stored.previous.as_ref());
        let nothing = |reason: &str| Error::NothingEarlier { plugin: id.clone(), reason: reason.to_owned() };
        let number = number.or(previous.map(|previous| previous.switch));
        let number = number.ok_or_else(|| nothing("it was not used otherwise before"))?;
        if current == Some(number) {
            return Err(nothing(&format!("switch {number} is the one in use")));
        }
        let found = switches::get(&self.records, id, number).await?;
        let found = found.ok_or_else(|| nothing(&format!("switch {number} is not kept")))?;
        let info = found.info(id, None)?;
        let usage = Usage { version: info.version, stored: found.usage, parts: 0 };
        Ok((number, found.digest, settings(&usage)))
    }

    /// How a plugin is used, or was before it was disabled.
    pub(crate) fn settings_of(&self, id: &PluginId) -> Option<(UseSettings, bool)> {
        self.usage(id).map(|usage| (settings(&usage), usage.stored.enabled))
    }

    pub(super) fn usage(&self, id: &PluginId) -> Option<Usage> {
        self.plugins.read().get(id)?.usage.clone()
    }
}

impl UseV1 {
    /// What is stored of a prepared use that is switched on; the switch and the way back are those of `before`.
    fn of(prepared: &Prepared, before: &Option<Usage>, caller: &Caller, now_ms: i64) -> Self {
        let settings = &prepared.settings;
        let before = before.as_ref().map(|before| &before.stored);
        Self {
            enabled: true,
            version: prepared.version.to_string(),
            config: settings.config.to_string(),
            as_of: as_of::to_days(settings.as_of),
            grants: settings.grants.clone(),
            changed_at_ms: now_ms,
            changed_by: StoredActor::from(&caller.actor),
            switch: before.map_or(0, |before| before.switch),
            previous: before.and_then(|before| before.previous.clone()),
            schedule: StoredUseSchedule::from(&settings.schedule),
            absent: settings.absent.clone(),
            on_quarantine: settings.on_quarantine,
        }
    }

    /// Whether two uses do the same, whoever set them, and whether they are switched on or not.
    fn is_used_as(&self, other: &Self) -> bool {
        let plain = |usage: &Self| Self {
            enabled: true,
            changed_at_ms: 0,
            changed_by: StoredActor::System { component: String::new() },
            switch: 0,
            previous: None,
            ..usage.clone()
        };
        plain(self) == plain(other)
    }
}

/// A version that is no pre-release has one content for good.
fn no_other_content(
    plugin: &PluginId,
    version: &Version,
    known: Option<&VersionV1>,
    digest: [u8; 32],
) -> Result<()> {
    match known.filter(|known| known.digest != digest && version.pre.is_empty()) {
        None => Ok(()),
        Some(known) => Err(Error::VersionExists {
            plugin: plugin.clone(),
            version: version.to_string(),
            installed: hex(&known.digest),
            uploaded: hex(&digest),
        }),
    }
}

pub(super) fn entry(caller: &Caller, name: &str, data: Json) -> NewEntry {
    NewEntry {
        actor: caller.actor.clone(),
        cause: caller.cause.clone(),
        body: EntryBody::Event { name: name.to_owned(), data },
    }
}
