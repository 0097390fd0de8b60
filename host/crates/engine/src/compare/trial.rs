//! What every comparison works with. None of it writes.

use serde_json::{Value as Json, json};
use tokio::runtime::Handle;
use trellis_model::{ObjectName, Scope};
use trellis_plugin_host::{CancelFlag, Used};

use super::{CompareLimits, DiffLimits, RowsDiff};
use crate::{Result, View, capsule::Archive, plugins::Grants};

/// What every comparison works with.
#[derive(Clone, Copy)]
pub(crate) struct Trial<'a> {
    pub(crate) view: &'a View,
    pub(crate) archive: Archive<'a>,
    pub(crate) limits: &'a CompareLimits,
    /// Rows of a batch.
    pub(crate) batch_rows: usize,
    /// Failed rows that are listed.
    pub(crate) failed_rows_max: usize,
    pub(crate) handle: &'a Handle,
    /// Ends the comparison with its error.
    pub(crate) check: &'a (dyn Fn() -> Result<()> + Sync),
    /// Tells how much is done, and of how much.
    pub(crate) progress: &'a (dyn Fn(u64, Option<u64>) + Sync),
    pub(crate) cancel: &'a CancelFlag,
    /// Whose rights decide about the titles of records.
    pub(crate) scope: &'a Scope,
    /// What the plugin that is compared may see of what was recorded.
    pub(crate) grants: &'a Grants,
}

impl std::fmt::Debug for Trial<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trial").field("limits", self.limits).finish_non_exhaustive()
    }
}

impl Trial<'_> {
    /// Waits for a future on this thread, which is none of the runtime's.
    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        self.handle.block_on(future)
    }

    pub(crate) fn diff_limits(&self) -> DiffLimits {
        DiffLimits { rows_listed_max: self.limits.rows_listed_max, pairs_max: self.limits.pairs_max }
    }

    /// The figures of a comparison, its listed rows with ids and titles.
    pub(crate) fn show(&self, object: &ObjectName, diff: &RowsDiff) -> Result<Json> {
        let ordinals: Vec<u64> = diff.listed().iter().map(|(ordinal, _, _)| *ordinal).collect();
        let titled = self.wait(self.view.titled(self.scope, object, &ordinals))?;
        let row = |(ordinal, before, after): &(u64, Json, Json)| {
            let (id, title) =
                titled.get(ordinal).map_or((None, None), |(id, title)| (Some(*id), title.clone()));
            json!({
                "ordinal": ordinal,
                "id": id.map(|id| id.to_string()),
                "name": title,
                "before": before,
                "after": after,
            })
        };
        Ok(diff.to_json(diff.listed().iter().map(row).collect()))
    }
}

/// What is used by two versions for the same: by the one that was recorded, where it was measured, and by the new one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Uses {
    pub(crate) before: Option<Used>,
    pub(crate) after: Used,
}

impl Uses {
    /// Adds what can be compared: nothing where only one of the two is known.
    pub(crate) fn add(&mut self, more: Self) {
        let Some(before) = more.before else { return };
        self.before = Some(sum(self.before.unwrap_or_default(), before));
        self.after = sum(self.after, more.after);
    }

    pub(crate) fn to_json(self) -> Json {
        use_json(self.before, self.after)
    }
}

fn sum(one: Used, other: Used) -> Used {
    Used {
        calls: one.calls + other.calls,
        faults: one.faults + other.faults,
        wall: one.wall + other.wall,
        fuel: one.fuel + other.fuel,
        ..other
    }
}

/// What two versions used for the same, and what that is of each other in percent.
fn use_json(before: Option<Used>, after: Used) -> Json {
    let millis = |used: Used| used.wall.as_secs_f64() * 1_000.0;
    let percent = |before: f64, after: f64| (before > 0.0).then(|| (after / before * 100.0).round());
    json!({
        "before": before.map(|used| json!({ "calls": used.calls, "faults": used.faults, "ms": millis(used), "fuel": used.fuel })),
        "after": { "calls": after.calls, "faults": after.faults, "ms": millis(after), "fuel": after.fuel },
        "time_percent": before.and_then(|before| percent(millis(before), millis(after))),
        "fuel_percent": before.and_then(|before| percent(before.fuel as f64, after.fuel as f64)),
    })
}
