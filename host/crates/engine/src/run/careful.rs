//! Changed customers on all of whom a plugin fails. The search for poison rows cannot tell them from a plugin that fails on everybody: so
//! they are asked about a few at a time, beside customers whom the plugin is known to manage. A plugin that fails on those too is broken, and
//! strikes; otherwise the rows on which it fails are found, whether other customers change or not.

use trellis_model::Scope;
use trellis_plugin_host::{Error as HostError, RowKey};

use super::{causes::Causes, follow::Follower};
use crate::{Error, Result, core::Core};

/// Customers of a call, those included whom the plugin is known to manage. So few that the search comes to single rows within the calls that
/// it makes before anything goes well.
const CALL_ROWS: usize = 8;
/// Customers whom the plugin is known to manage, of those.
const KNOWN_ROWS: usize = 4;
/// Customers among whom they are looked for.
const LOOKED_AT_MAX: usize = 4_096;

/// Whether the plugin failed.
pub(super) fn is_fault(error: &Error) -> bool {
    matches!(error, Error::Plugin(HostError::Fault(_)))
}

/// Whether the same may go well in a while, although nobody changes anything.
pub(super) fn may_go_well(error: &Error) -> bool {
    match error {
        Error::Plugin(HostError::Fault(_) | HostError::Busy { .. } | HostError::SlowLookups { .. }) => true,
        // A quarantine without an end is over when somebody says so, which is in the log.
        Error::Plugin(HostError::Unavailable { until_ms, .. }) => until_ms.is_some(),
        _ => false,
    }
}

impl Follower {
    /// Evaluates customers again on whom the plugin failed together.
    ///
    /// # Errors
    /// The fault of a plugin that fails on customers whom it managed before, or where there are none.
    pub(super) async fn evaluate_carefully(
        &mut self,
        core: &Core,
        ordinals: &[u64],
        causes: &mut Causes,
    ) -> Result<()> {
        let known = self.known(core, ordinals).await?;
        if known.is_empty() {
            return self.evaluate_beside(core, ordinals, &[], causes).await;
        }
        for part in ordinals.chunks(CALL_ROWS - known.len()) {
            self.evaluate_beside(core, part, &known, causes).await?;
            if self.superseded {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Some customers besides `ordinals` whom the plugin manages now, since it is asked about them.
    async fn known(&self, core: &Core, ordinals: &[u64]) -> Result<Vec<u64>> {
        let candidates = self.candidates(core, ordinals).await?;
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let mut known = Vec::new();
        for (rows, evaluated) in self.evaluated(core, &candidates, false).await? {
            let is_failed = |row: usize| evaluated.failed.iter().any(|error| error.row as usize == row);
            let managed = rows.into_iter().enumerate().filter(|(row, _)| !is_failed(*row));
            known.extend(managed.map(|(_, ordinal)| ordinal));
        }
        Ok(known)
    }

    /// Customers besides `ordinals` who are not known to be poison, those first who have a result.
    async fn candidates(&self, core: &Core, ordinals: &[u64]) -> Result<Vec<u64>> {
        let all = core.columns.ordinals_of(&self.spec, 0, LOOKED_AT_MAX).await?;
        let poison = core.registry.host().poison_rows(&self.plugin.digest());
        let is_poison = |ordinal: u64| poison.iter().any(|row| row.row == RowKey::Ordinal(ordinal));
        let everything = Scope::everything();
        let has_result = |ordinal: u64| {
            let columns = &core.columns;
            let mut classes = self.outputs.segmentations.iter();
            classes.any(|name| columns.value_of(&everything, name.as_str(), ordinal).is_some())
                || self
                    .outputs
                    .scores
                    .iter()
                    .any(|name| columns.score_of(&everything, name.as_str(), ordinal).is_some())
        };
        let others = all.into_iter().filter(|ordinal| !ordinals.contains(ordinal) && !is_poison(*ordinal));
        let (mut first, rest): (Vec<u64>, Vec<u64>) = others.partition(|ordinal| has_result(*ordinal));
        first.extend(rest);
        first.truncate(KNOWN_ROWS);
        Ok(first)
    }
}
