//! Rows that look like records that are there: warned of or refused, as the object's duplicate rules say.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use trellis_model::{ChangeKind, DuplicateAction, DuplicateRule};

use super::prepare::Save;
use super::segment::Row;
use crate::duplicates::Rule;
use crate::{DuplicateMatch, Error, Result};

/// Whether a save looks for duplicates, and which it found. Those of a write that was refused are in its error.
#[derive(Debug, Default)]
pub struct DuplicateCheck {
    mode: Mode,
    found: Mutex<BTreeMap<usize, Vec<DuplicateMatch>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mode {
    /// What a job writes was not typed by somebody who could look at a warning: it is an import, everything else is not.
    #[default]
    ByCause,
    /// Somebody looks at the answer, although a job may be the cause.
    Attended,
    Skipped,
}

impl DuplicateCheck {
    /// For a caller who looks at the answer to each write.
    pub fn attended() -> Self {
        Self { mode: Mode::Attended, found: Mutex::default() }
    }

    /// For a caller who knows, and saves all the same.
    pub fn skipped() -> Self {
        Self { mode: Mode::Skipped, found: Mutex::default() }
    }

    /// What the saved records look like, by the number of the write in its batch, as far as the caller may see it.
    pub fn found(&self) -> BTreeMap<usize, Vec<DuplicateMatch>> {
        self.found.lock().clone()
    }

    /// Notes what a write set that was committed looks like.
    pub(super) fn note(&self, suspected: BTreeMap<usize, Vec<DuplicateMatch>>) {
        if !suspected.is_empty() {
            self.found.lock().extend(suspected);
        }
    }
}

impl Save<'_> {
    /// Compares the rows with what is stored. Returns whether a row was refused, so that preparing must start again.
    ///
    /// Rows of one write set are not compared with each other, and two saves at the same time may not see each other: the scan in
    /// the background finds such pairs.
    pub(super) async fn check_duplicates(&mut self, check: &DuplicateCheck) -> Result<bool> {
        let (mut refused, mut suspected) = (false, BTreeMap::new());
        let duplicates_max = self.records.config().limits.duplicates_max;
        for row in self.segment.rows.iter().filter(|row| check.mode != Mode::Skipped && row.may_be_checked())
        {
            for action in [DuplicateAction::Block, DuplicateAction::Warn] {
                let rules = self.rules_for(row, action, check.mode);
                if rules.is_empty() {
                    continue;
                }
                let mut found = self.records.search_duplicates(&row.object, &row.after, &rules).await?;
                if found.matches.is_empty() {
                    continue;
                }
                self.records.only_visible(&self.caller.scope, &row.object, &mut found).await?;
                found.matches.truncate(duplicates_max);
                if action == DuplicateAction::Block {
                    let (object, duplicates) = (row.object.name.clone(), found.matches);
                    self.memory.refused.insert(row.write, Error::DuplicateSuspected { object, duplicates });
                    refused = true;
                    break;
                }
                suspected.insert(row.write, found.matches);
            }
        }
        self.segment.suspected = suspected;
        Ok(refused)
    }

    /// The matching rules whose duplicate rule answers this row in this way.
    fn rules_for<'r>(&self, row: &'r Row, action: DuplicateAction, mode: Mode) -> Vec<Rule<'r>> {
        let definition = &*row.object.definition;
        let wanted = |rule: &&DuplicateRule| {
            let of_row = match row.kind {
                _ if mode == Mode::ByCause && self.caller.cause.job.is_some() => rule.on_import,
                ChangeKind::Created => rule.on_create,
                _ => rule.on_update,
            };
            of_row == action
        };
        let matching = |rule: &DuplicateRule| {
            definition.matching_rules.iter().find(|matching| matching.name == rule.matching_rule)
        };
        let country = self.records.config().country;
        let rules = definition.duplicate_rules.iter().filter(wanted).filter_map(matching);
        let rules = rules.map(|rule| Rule::new(definition, rule, country));
        let touched = |rule: &Rule<'_>| {
            row.before.as_ref().is_none_or(|before| rule.is_touched(&before.record, &row.after))
        };
        rules.filter(touched).collect()
    }
}

impl Row {
    fn may_be_checked(&self) -> bool {
        !self.object.duplicate_rules.is_empty()
            && !self.as_is
            && matches!(self.kind, ChangeKind::Created | ChangeKind::Updated)
    }
}
