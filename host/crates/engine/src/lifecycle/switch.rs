//! Which version of a plugin serves, and how: enabling, upgrading, rolling back, disabling.

use std::{collections::BTreeMap, sync::Arc};

use semver::Version;
use serde_json::Value as Json;
use trellis_model::PluginId;
use trellis_plugin_host::manifest::{AbsentPolicy, AbsentUse};
use trellis_records::Caller;

use super::{SwitchOptions, Switched, UpgradeRequest, pack, presence, rules, tests};
use crate::{
    Error, PluginInfo, Result, SwitchKind, UseSettings,
    core::Core,
    plugins::{Changing, Note, Prepared},
    run,
};

/// The reason in the history of a way back that a plugin took by itself.
const REASON: &str = "quarantined";

/// Enables a plugin, or changes how it is used.
pub(super) async fn enable(
    core: &Core,
    caller: &Caller,
    id: &PluginId,
    settings: UseSettings,
    options: &SwitchOptions,
) -> Result<Switched> {
    let changing = core.registry.changing().await;
    let prepared = core.registry.prepare(id, settings).await?;
    let serving = core.registry.settings_of(id).filter(|(_, enabled)| *enabled);
    let other = serving.is_some_and(|(settings, _)| settings.version.as_ref() != Some(&prepared.version));
    let kind = if other { SwitchKind::Upgraded } else { SwitchKind::Enabled };
    take_over(core, &changing, caller, prepared, (kind, None), options).await
}

/// Has another version take over with the settings in use, where the request says nothing else.
pub(super) async fn upgrade(
    core: &Core,
    caller: &Caller,
    id: &PluginId,
    request: UpgradeRequest,
) -> Result<Switched> {
    let changing = core.registry.changing().await;
    let UpgradeRequest { version, config, grants, absent, on_quarantine, options } = request;
    let settings = settings_in_use(core, id)?;
    let (from, config_in_use) = (settings.version.clone(), settings.config.clone());
    let settings = UseSettings {
        version,
        config: config.unwrap_or_else(|| settings.config.clone()),
        grants: grants.clone().or_else(|| settings.grants.clone()),
        on_quarantine: on_quarantine.unwrap_or(settings.on_quarantine),
        ..settings
    };
    let settings = with_absent(core, id, absent, settings)?;
    let settings = match (grants, from) {
        (None, Some(from)) => carried_over(core, id, (&from, &config_in_use), settings).await?,
        _ => settings,
    };
    let prepared = core.registry.prepare(id, settings).await?;
    take_over(core, &changing, caller, prepared, (SwitchKind::Upgraded, None), &options).await
}

/// Brings an earlier use back.
pub(super) async fn roll_back(
    core: &Core,
    caller: &Caller,
    id: &PluginId,
    switch: Option<u64>,
    options: SwitchOptions,
) -> Result<Switched> {
    let changing = core.registry.changing().await;
    bring_back(core, &changing, caller, id, switch, options).await
}

/// A way back that a plugin took by itself.
#[derive(Debug)]
pub(crate) struct WentBack {
    /// The version that was quarantined.
    pub(crate) from: Version,
    pub(crate) switched: Switched,
}

/// Brings the use before back where the version in use is quarantined and its settings say so; `None` where they do not, or where there is
/// no way back: see [`crate::plugins::Registry::way_back`].
pub(crate) async fn roll_back_by_itself(
    core: &Core,
    caller: &Caller,
    id: &PluginId,
) -> Result<Option<WentBack>> {
    let changing = core.registry.changing().await;
    let Some(way) = core.registry.way_back(id).await? else { return Ok(None) };
    let options = SwitchOptions { reason: Some(REASON.to_owned()), ..SwitchOptions::default() };
    let switched = bring_back(core, &changing, caller, id, Some(way.switch), options).await?;
    Ok(Some(WentBack { from: way.from, switched }))
}

async fn bring_back(
    core: &Core,
    changing: &Changing<'_>,
    caller: &Caller,
    id: &PluginId,
    switch: Option<u64>,
    options: SwitchOptions,
) -> Result<Switched> {
    let (number, digest, settings) = core.registry.earlier_use(id, switch).await?;
    let prepared = core.registry.prepare(id, settings.clone()).await?;
    if *prepared.plugin.digest().as_bytes() != digest {
        let reason = format!("version {} has other content by now", prepared.version);
        return Err(Error::NothingEarlier { plugin: id.clone(), reason });
    }
    let back = (SwitchKind::RolledBack, Some(number));
    // What the later version added goes out of use again, and stays readable: that is what is asked for.
    let options = SwitchOptions { confirm: true, ignore_self_tests: true, ..options };
    let mut switched = take_over(core, changing, caller, prepared, back, &options).await?;
    switched.serving_run = run::serve_again(core, caller, id, &digest, &settings).await?;
    Ok(switched)
}

/// Disables a plugin; its results stay and are marked stale.
pub(super) async fn disable(
    core: &Core,
    changing: &Changing<'_>,
    caller: &Caller,
    id: &PluginId,
    reason: Option<&str>,
) -> Result<PluginInfo> {
    let info = core.registry.disable(changing, caller, id, reason).await?;
    presence::renew(core, id).await?;
    Ok(info)
}

/// Has a use that was checked serve from now on.
async fn take_over(
    core: &Core,
    changing: &Changing<'_>,
    caller: &Caller,
    prepared: Prepared,
    (kind, back_to): (SwitchKind, Option<u64>),
    options: &SwitchOptions,
) -> Result<Switched> {
    let id = prepared.plugin.id().clone();
    if options.run && prepared.plugin.segmentation().is_none() && prepared.plugin.scoring().is_none() {
        return Err(Error::evaluates_nobody(&id));
    }
    let serving = core
        .registry
        .enabled()
        .iter()
        .any(|enabled| enabled.digest() == *prepared.plugin.digest().as_bytes());
    if !serving && !options.ignore_self_tests {
        tests::check(core, &prepared.plugin).await?;
    }
    let inspection = Arc::new(prepared.plugin.inspection().clone());
    let brought = pack::apply(core, caller, &id, &inspection, options.confirm).await?;
    let rules = rules::plan(core, &id, &inspection).await?;
    rules::ship(core, caller, &id, &rules, options.enable_rules).await?;
    let note = Note { kind, reason: options.reason.as_deref(), back_to };
    let plugin = core.registry.commit_switch(changing, caller, prepared, &note).await?;
    presence::renew(core, &id).await?;
    Ok(Switched {
        plugin,
        serving_run: None,
        run: None,
        schema: brought.steps,
        jobs: Vec::new(),
        rules: rules.shown(),
        builds: brought.builds,
    })
}

/// How a plugin is used, if it is enabled.
fn settings_in_use(core: &Core, id: &PluginId) -> Result<UseSettings> {
    let info = core.registry.get(id).ok_or_else(|| Error::UnknownPlugin { id: id.to_string() })?;
    match core.registry.settings_of(id) {
        Some((settings, true)) => Ok(settings),
        _ => Err(Error::NotEnabled { plugin: id.clone(), state: info.state.as_str() }),
    }
}

/// The settings with what was granted so far. What the version asks for besides has to be granted by name.
async fn carried_over(
    core: &Core,
    id: &PluginId,
    (from, config_in_use): (&Version, &Json),
    settings: UseSettings,
) -> Result<UseSettings> {
    let (version, _) = core.registry.version_to_use(id, settings.version.as_ref())?;
    let asked = core.registry.requests(id, &version, &settings.config)?;
    // Where the file of the version in use is lost, nothing is known of what was granted but what stands in the settings.
    let before = core.registry.requests(id, from, config_in_use).unwrap_or_default();
    let known = |grant: &String| before.iter().any(|request| request.grant == *grant);
    let new: Vec<_> = asked.iter().filter(|request| !known(&request.grant)).cloned().collect();
    if !new.is_empty() {
        return Err(Error::GrantsNeeded { plugin: id.clone(), version: version.to_string(), requests: new });
    }
    let still = |grant: &String| asked.iter().any(|request| request.grant == *grant);
    let grants = settings.grants.map(|grants| grants.into_iter().filter(still).collect());
    Ok(UseSettings { version: Some(version), grants, ..settings })
}

/// The settings with what happens while the version cannot be called: as the request says, or as was said so far of what the version is
/// asked for.
fn with_absent(
    core: &Core,
    id: &PluginId,
    absent: Option<BTreeMap<AbsentUse, AbsentPolicy>>,
    mut settings: UseSettings,
) -> Result<UseSettings> {
    match absent {
        Some(absent) => settings.absent = absent,
        None if !settings.absent.is_empty() => {
            let (version, _) = core.registry.version_to_use(id, settings.version.as_ref())?;
            let inspection = core.registry.inspection(id, &version)?;
            settings.absent.retain(|of, _| of.is_of(&inspection.manifest));
        }
        None => {}
    }
    Ok(settings)
}
