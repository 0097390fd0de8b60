//! Which models are kept.

use std::collections::BTreeSet;

use trellis_model::PluginId;
use trellis_records::Records;

use super::stored;
use crate::{
    Result,
    run::{ledger, models, serving},
};

/// Models and runs that are looked at when old models go.
const LOOKED_AT_MAX: usize = 200;

/// Deletes the bytes of models beyond the newest `kept` of a plugin. What is pinned, and what one of its newest `kept` runs used, stays,
/// so that these can be explained.
pub(in crate::run) async fn prune(records: &Records, plugin: &PluginId, kept: usize) -> Result<()> {
    let kept = kept.max(1);
    let (learned, _) = stored::newest(records, plugin, None, LOOKED_AT_MAX).await?;
    let runs = ledger::newest(records, plugin, None, LOOKED_AT_MAX).await?.0;
    let pinned = stored::pinned(records, plugin).await?;
    let mut keep = BTreeSet::new();
    let mut all = BTreeSet::<[u8; 32]>::new();
    for (place, (number, model)) in learned.iter().enumerate() {
        let digests = model.digests.iter().map(|(_, digest)| *digest).collect::<Vec<_>>();
        all.extend(&digests);
        if place < kept || pinned == Some(*number) {
            keep.extend(digests);
        }
    }
    if let Some(number) = pinned
        && let Some(model) = stored::get(records, plugin, number).await?
    {
        keep.extend(model.digests.iter().map(|(_, digest)| *digest));
    }
    for (place, (_, run)) in runs.iter().enumerate() {
        let digests = run.models.iter().map(|(_, digest)| *digest).collect::<Vec<_>>();
        all.extend(&digests);
        if place < kept {
            keep.extend(digests);
        }
    }
    if let Some((_, run)) = serving::serving(records, plugin).await? {
        keep.extend(run.models.iter().map(|(_, digest)| *digest));
    }
    for digest in all.difference(&keep) {
        if models::is_kept(records, plugin, digest).await? {
            models::delete(records, plugin, digest).await?;
        }
    }
    Ok(())
}
