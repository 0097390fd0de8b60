//! What a start makes up for: steps of a plugin's life that a stop cut short after their first commit.

use trellis_records::Caller;

use super::presence;
use crate::{
    Result, SwitchKind,
    core::Core,
    plugins::{PluginInfo, PluginState},
    run,
};

/// Does the second half of what an earlier server began: results of a use that came back serve again, and those of a plugin that was removed
/// are marked. What fails is said and left, since nothing depends on it.
pub(crate) async fn heal(core: &Core) {
    for info in core.registry.list() {
        if let Err(error) = one(core, &info).await {
            tracing::error!(plugin = %info.id, code = error.code(), "not made up for: {error}");
        }
    }
    if let Err(error) = removed(core).await {
        tracing::error!(code = error.code(), "results of removed plugins are not marked: {error}");
    }
}

async fn one(core: &Core, info: &PluginInfo) -> Result<()> {
    match info.state {
        PluginState::Enabled => serve_again(core, info).await,
        PluginState::Disabled | PluginState::Installed | PluginState::Broken => Ok(()),
    }
}

/// A roll back switches first, and then has the results of the last run of that use serve.
async fn serve_again(core: &Core, info: &PluginInfo) -> Result<()> {
    let (Some(settings), id) = (&info.settings, &info.id) else { return Ok(()) };
    let switches = core.registry.switches(id).await?;
    let current = switches.iter().find(|switch| switch.current);
    let Some(back) = current.filter(|switch| switch.kind == SwitchKind::RolledBack) else { return Ok(()) };
    let Some(digest) = core.registry.digest_of(id, Some(&back.version)) else { return Ok(()) };
    let caller = Caller::system("plugins");
    run::serve_since(core, &caller, id, (digest.as_bytes(), settings), back.at_ms).await?;
    Ok(())
}

/// Marks the results of plugins that are not installed.
async fn removed(core: &Core) -> Result<()> {
    for plugin in core.columns.plugins() {
        if core.registry.get(&plugin).is_none() {
            presence::renew(core, &plugin).await?;
        }
    }
    Ok(())
}
