//! What is shown of a plugin's results while it is away: disabled, removed, broken or quarantined.
//!
//! It is found anew from how the plugin stands now, so that it may be asked for again and again: after each step of a plugin's life, each
//! change of its health, each of its runs, and at the start.

use trellis_columns::Presence;
use trellis_model::PluginId;
use trellis_plugin_host::manifest::{AbsentPolicy, AbsentUse};

use crate::{Result, core::Core};

/// Shows the results of a plugin as they are to be shown now. Writes nothing where they are.
pub(crate) async fn renew(core: &Core, id: &PluginId) -> Result<()> {
    let is_away = core.registry.is_away(id);
    let presence = |of| match (is_away, core.registry.absence(id, of)) {
        (false, _) => Presence::There,
        (true, AbsentPolicy::Clear) => Presence::Cleared,
        (true, _) => Presence::Kept,
    };
    let (segmentations, scores) = (presence(AbsentUse::Segmentation), presence(AbsentUse::Scoring));
    Ok(core.columns.set_presence(id, segmentations, scores).await?)
}

/// As [`renew`], of every plugin that is installed.
pub(crate) async fn renew_all(core: &Core) -> Result<()> {
    for info in core.registry.list() {
        renew(core, &info.id).await?;
    }
    Ok(())
}
