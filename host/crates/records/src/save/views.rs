//! Saved views that are saved: each must fit the object whose records it shows.

use super::prepare::Save;
use crate::Error;
use crate::query::view::VIEW;

impl Save<'_> {
    /// Checks the rows that are views. Returns whether one was refused, so that preparing must start again without it.
    pub(super) fn check_views(&mut self) -> bool {
        let rows = self.segment.rows.iter().filter(|row| row.object.name.as_str() == VIEW && !row.as_is);
        let refused = rows.filter_map(|row| {
            let before = row.before.as_ref().map(|before| &before.record.fields);
            let scope = &self.caller.scope;
            let errors = self.records.view_errors(scope, &row.object, before, &row.after.fields);
            (!errors.is_empty()).then_some((row.write, Error::Invalid(errors)))
        });
        let refused: Vec<_> = refused.collect();
        let any = !refused.is_empty();
        self.memory.refused.extend(refused);
        any
    }
}
