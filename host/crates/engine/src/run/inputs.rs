//! What plugins read of the results of others: scores, bands and segmentations. A new run of the other plugin, a single customer scored again,
//! a plugin that is away: whoever's value is another by then is evaluated again, a part at a time. Who that is shows by comparing what is
//! shown now with what was shown when the results were made. No log entry says it: most changes of a score cross no band and are told nobody.
//!
//! What was shown is kept in memory, and so is why it changed: a chain of reactions is counted on, and what an import changed stays silent.
//! After a restart only a digest is left: where that is another, everybody is evaluated again, and nobody knows why.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use trellis_columns::{DatasetSpec, PublishedValues};
use trellis_model::{PluginId, RecordId};

use super::{causes::Causes, follow::Follower, spec};
use crate::{Result, core::Core};

/// What the results of runs were made of, from the run to whoever follows it.
#[derive(Debug, Default)]
pub(crate) struct ReadByRuns(Mutex<BTreeMap<PluginId, (RecordId, PublishedValues)>>);

/// What a follower's results are made of.
#[derive(Debug)]
pub(super) struct Inputs {
    /// All results are made of these values, or of later ones.
    settled: PublishedValues,
    digest: u64,
    /// The digest that the store has.
    pub(super) saved: Option<u64>,
    /// The values from which on changes are not in `owed` yet.
    seen: PublishedValues,
    /// Customers whose values are others than in `settled`.
    owed: BTreeSet<u64>,
    /// Why these are others, as far as that is known.
    because: Causes,
    /// The ordinal from which on it is not known of anybody what the results were made of.
    unknown_from: Option<u64>,
    /// The last attempt to evaluate some of them failed.
    failed: bool,
}

impl ReadByRuns {
    pub(super) fn put(&self, plugin: &PluginId, run: RecordId, read: PublishedValues) {
        self.0.lock().insert(plugin.clone(), (run, read));
    }

    pub(super) fn forget(&self, plugin: &PluginId) {
        self.0.lock().remove(plugin);
    }

    fn get(&self, plugin: &PluginId, run: RecordId) -> Option<PublishedValues> {
        let read = self.0.lock();
        read.get(plugin).filter(|(of, _)| *of == run).map(|(_, read)| read.clone())
    }
}

impl Inputs {
    /// What the results of a run are made of; `saved` is the digest that was noted last.
    pub(super) fn open(
        core: &Core,
        (plugin, run): (&PluginId, RecordId),
        spec: &DatasetSpec,
        saved: Option<u64>,
    ) -> Self {
        let now = core.columns.published(spec);
        let of = |values: PublishedValues, unknown_from| Self {
            digest: values.digest(),
            settled: values.clone(),
            saved,
            seen: values,
            owed: BTreeSet::new(),
            because: Causes::default(),
            unknown_from,
            failed: false,
        };
        if let Some(read) = core.read_by_runs.get(plugin, run) {
            return of(read, None);
        }
        let opened = of(now, None);
        let is_known = opened.settled.is_empty() || saved == Some(opened.digest);
        Self { unknown_from: (!is_known).then_some(0), ..opened }
    }

    /// The digest of what all results are made of; `None` while that is not known.
    pub(super) fn digest(&self) -> Option<u64> {
        self.unknown_from.is_none().then_some(self.digest)
    }

    fn is_settled(&self) -> bool {
        self.owed.is_empty() && self.unknown_from.is_none()
    }
}

impl Follower {
    /// Evaluates again some of those whose scores and segmentations of other plugins are others by now; returns whether more are left.
    pub(super) async fn follow_inputs(&mut self, core: &Core) -> Result<bool> {
        if self.superseded {
            return Ok(false);
        }
        if !self.inputs.seen.is_empty() {
            // What was withheld since is withheld from now on.
            self.spec = spec::granted(core, self.plugin.manifest(), self.config())?;
        }
        let now = core.columns.published(&self.spec);
        if !now.is_same(&self.inputs.seen) {
            let changed = now.changed_since(&self.inputs.seen);
            core.passed_on.tell(&self.spec.object, &changed, &mut self.inputs.because);
            self.inputs.owed.extend(changed);
            self.inputs.seen = now;
        }
        let rows_max = core.config.day_change_rows_max.clamp(1, core.config.batch_rows_max.max(1)) as usize;
        let part = match self.inputs.unknown_from {
            Some(from) => core.columns.ordinals_of(&self.spec, from, rows_max).await?,
            None => self.inputs.owed.iter().take(rows_max).copied().collect(),
        };
        if !part.is_empty() {
            self.begin_attempt();
            self.inputs.failed = true;
            let mut causes = self.causes();
            causes.join(&self.inputs.because, &part);
            self.evaluate_again(core, &part, &mut causes).await?;
            if self.superseded {
                return Ok(false);
            }
            self.inputs.failed = false;
        }
        self.inputs.done(&part);
        if !self.inputs.is_settled() {
            return Ok(true);
        }
        if !self.inputs.settled.is_same(&self.inputs.seen) {
            self.inputs.settled = self.inputs.seen.clone();
            self.inputs.digest = self.inputs.settled.digest();
        }
        if !self.inputs.settled.is_empty() && self.inputs.saved != self.inputs.digest() {
            self.save_place(core).await?;
        }
        Ok(false)
    }

    /// Whether somebody's scores or segmentations of other plugins may be others than those that the results are made of. Not where evaluating
    /// them failed: then the same would be tried without an end.
    pub(super) fn is_behind_inputs(&self, core: &Core) -> bool {
        if self.superseded || self.inputs.failed {
            return false;
        }
        !self.inputs.is_settled() || !self.has_seen_inputs(core)
    }

    /// Whether it is known whose scores and segmentations of other plugins are others by now.
    pub(super) fn has_seen_inputs(&self, core: &Core) -> bool {
        self.superseded || core.columns.published(&self.spec).is_same(&self.inputs.seen)
    }

    /// Leaves what the results are made of to whoever follows the run next.
    pub(super) fn leave_inputs(&self, core: &Core) {
        if self.inputs.unknown_from.is_none() {
            core.read_by_runs.put(self.id(), self.run(), self.inputs.settled.clone());
        }
    }
}

impl Inputs {
    /// Notes that a part was evaluated.
    fn done(&mut self, part: &[u64]) {
        if self.unknown_from.is_some() {
            self.unknown_from = part.last().map(|last| last + 1);
        }
        for ordinal in part {
            self.owed.remove(ordinal);
            self.because.forget(*ordinal);
        }
    }
}
