//! What a shadow came to so far, in numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use trellis_model::RecordId;
use trellis_plugin_host::Used;

use crate::compare::{AnswersDiff, Figures, RowsDiff};

/// Characters that are kept of why something failed.
const ERROR_CHARS_MAX: usize = 500;

/// What a shadow came to so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct FiguresV1 {
    pub(super) runs: u64,
    /// Runs whose inputs were not kept.
    pub(super) runs_expired: u64,
    /// Runs that the shadow could not be evaluated for.
    pub(super) runs_failed: u64,
    pub(super) rows: u64,
    pub(super) rows_changed: u64,
    /// Sum of how far numbers differ, whichever way, and how many do.
    pub(super) moved: f64,
    pub(super) moved_count: u64,
    pub(super) decisions: u64,
    pub(super) decisions_changed: u64,
    pub(super) patches_changed: u64,
    pub(super) vetoes_added: u64,
    pub(super) vetoes_removed: u64,
    pub(super) actions_added: BTreeMap<String, u64>,
    pub(super) actions_removed: BTreeMap<String, u64>,
    /// Calls that failed, and rows about which nothing could be said.
    pub(super) faults: u64,
    /// What could not be compared: the version reads what was not shown to the other, or has no model yet.
    pub(super) not_comparable: u64,
    /// What did not fit into the queue.
    pub(super) dropped: u64,
    pub(super) fuel_before: u64,
    pub(super) fuel_after: u64,
    pub(super) us_before: u64,
    pub(super) us_after: u64,
    pub(super) last_run: Option<[u8; 16]>,
    /// Why the last call or run that failed did.
    pub(super) last_error: Option<String>,
}

impl FiguresV1 {
    pub(super) fn add_answers(&mut self, diff: &AnswersDiff) {
        self.decisions += diff.compared;
        self.decisions_changed += diff.changed;
        self.faults += diff.failed;
        self.patches_changed += diff.patches_changed;
        self.vetoes_added += diff.vetoes_added;
        self.vetoes_removed += diff.vetoes_removed;
        for (kind, count) in &diff.actions_added {
            *self.actions_added.entry(kind.clone()).or_default() += count;
        }
        for (kind, count) in &diff.actions_removed {
            *self.actions_removed.entry(kind.clone()).or_default() += count;
        }
    }

    /// Adds what came of a whole run.
    pub(super) fn add_run(&mut self, run: RecordId, more: &Self) {
        self.runs += 1;
        self.rows += more.rows;
        self.rows_changed += more.rows_changed;
        self.moved += more.moved;
        self.moved_count += more.moved_count;
        self.faults += more.faults;
        self.fuel_before += more.fuel_before;
        self.fuel_after += more.fuel_after;
        self.us_before += more.us_before;
        self.us_after += more.us_after;
        self.last_run = Some(*run.as_bytes());
    }

    /// Adds what came of changed customers.
    pub(super) fn add_rows(&mut self, diff: &RowsDiff) {
        let (moved, count) = diff.moved();
        self.rows += diff.rows();
        self.rows_changed += diff.changed();
        self.moved += moved;
        self.moved_count += count;
    }

    pub(super) fn add_use(&mut self, before: Used, after: Used) {
        let us = |used: Used| u64::try_from(used.wall.as_micros()).unwrap_or(u64::MAX);
        self.fuel_before += before.fuel;
        self.fuel_after += after.fuel;
        self.us_before += us(before);
        self.us_after += us(after);
    }

    pub(super) fn failed(&mut self, error: &crate::Error) {
        self.faults += 1;
        self.note_error(error);
    }

    pub(super) fn note_error(&mut self, error: &crate::Error) {
        self.last_error = Some(error.to_string().chars().take(ERROR_CHARS_MAX).collect());
    }

    /// The numbers that limits of a promotion are about.
    pub(super) fn for_verdict(&self) -> Figures {
        Figures {
            rows: self.rows,
            rows_changed: self.rows_changed,
            decisions: self.decisions,
            decisions_changed: self.decisions_changed,
            faults: self.faults + self.runs_failed,
            fuel_before: self.fuel_before,
            fuel_after: self.fuel_after,
        }
    }

    pub(super) fn to_json(&self) -> Json {
        let percent =
            |before: u64, after: u64| (before > 0).then(|| (after as f64 / before as f64 * 100.0).round());
        json!({
            "runs": self.runs,
            "runs_expired": self.runs_expired,
            "runs_failed": self.runs_failed,
            "rows": self.rows,
            "rows_changed": self.rows_changed,
            "mean_change": (self.moved_count > 0).then(|| self.moved / self.moved_count as f64),
            "decisions": self.decisions,
            "decisions_changed": self.decisions_changed,
            "patches_changed": self.patches_changed,
            "vetoes_added": self.vetoes_added,
            "vetoes_removed": self.vetoes_removed,
            "actions_added": self.actions_added,
            "actions_removed": self.actions_removed,
            "faults": self.faults,
            "not_comparable": self.not_comparable,
            "dropped": self.dropped,
            "fuel_percent": percent(self.fuel_before, self.fuel_after),
            "time_percent": percent(self.us_before, self.us_after),
            "last_run": self.last_run.map(|run| crate::compare::id_of(run).to_string()),
            "last_error": self.last_error,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn at() -> trellis_plugin_host::CallContext {
        trellis_plugin_host::CallContext {
            run_id: "run".to_owned(),
            as_of_days: 1,
            now_ms: 2,
            time_zone: "UTC".to_owned(),
            base_currency: "EUR".to_owned(),
            seed: 3,
        }
    }

    #[test]
    fn figures_add_up() {
        let mut figures = FiguresV1::default();
        let mut diff = AnswersDiff::default();
        diff.add(&json!({ "actions": [] }), &json!({ "actions": [{ "kind": "create-task" }] }));
        figures.add_answers(&diff);
        figures.add_answers(&diff);
        let used = |fuel| Used { fuel, ..Used::default() };
        figures.add_use(used(100), used(150));
        let shown = figures.to_json();
        assert_eq!((&shown["decisions_changed"], &shown["fuel_percent"]), (&json!(2), &json!(150.0)));
        assert_eq!(shown["actions_added"], json!({ "create-task": 2 }));
        assert_eq!(figures.for_verdict().decisions, 2);
    }
}
