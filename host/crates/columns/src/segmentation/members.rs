use trellis_model::{FieldName, ObjectName, RecordId, RowAccess, Scope};

use super::types::MemberPage;
use crate::output::Output;
use crate::{Columns, Error, Result};

impl Columns {
    /// Returns a page of the customers that have a value and that the scope has, in the order of ordinals. Deleted ones are
    /// left out as far as [`Columns::catch_up`] has come.
    ///
    /// Costs a scan of codes in memory and one look-up a member; with a scope that filters records also their reading, at most
    /// `scan_rows_max` of the records' limits a page: such a page may be short, and `next` goes on.
    ///
    /// # Errors
    /// [`Error::UnknownSegmentation`] (also where the scope hides segments), [`Error::UnknownValue`].
    pub async fn members(
        &self,
        scope: &Scope,
        segmentation: &str,
        value: &str,
        after: Option<u64>,
        rows_max: usize,
    ) -> Result<MemberPage> {
        let unknown = || Error::UnknownSegmentation { name: segmentation.to_owned() };
        let current = self.current_segmentation(segmentation).ok_or_else(unknown)?;
        let (output, column) = (&current.output, current.column());
        if !is_readable(scope, output.object_name(), "segment") {
            return Err(unknown());
        }
        let code = current.segmentation.code_of(Some(value))?;
        let population = self.features.population(output.object).unwrap_or_default();
        let rows = &scope.of(output.object_name()).rows;
        let total = match rows {
            RowAccess::All => output.live_counts(&population).get(usize::from(code)).copied(),
            RowAccess::Nothing => Some(0),
            RowAccess::Where(_) => None,
        };
        let mut page = MemberPage { members: Vec::new(), next: None, total };
        if matches!(rows, RowAccess::Nothing) {
            return Ok(page);
        }
        let rows_max = rows_max.clamp(1, self.config.members_page_max);
        let mut budget = self.records.config().limits.scan_rows_max.max(rows_max);
        let mut from = after.map_or(0, |after| after.saturating_add(1));
        loop {
            // One more than fits tells whether there is a next page.
            let wanted = (rows_max - page.members.len() + 1).min(budget);
            let ordinals = column.find(from, column.bound(), wanted, |of| of == code);
            let complete = ordinals.len() < wanted;
            budget -= ordinals.len();
            from = ordinals.last().map_or(from, |last| last + 1);
            let live: Vec<u64> =
                ordinals.into_iter().filter(|ordinal| population.contains(*ordinal)).collect();
            for (ordinal, id) in self.visible(scope, output, &live).await? {
                if page.members.len() == rows_max {
                    page.next = page.members.last().map(|(last, _)| *last);
                    return Ok(page);
                }
                page.members.push((ordinal, id));
            }
            if complete {
                return Ok(page);
            }
            if budget == 0 {
                page.next = from.checked_sub(1);
                return Ok(page);
            }
        }
    }

    /// Returns the value of a customer. The caller has the ordinal from a record that it may read; whether it may read segments
    /// is checked here.
    pub fn value_of(&self, scope: &Scope, segmentation: &str, ordinal: u64) -> Option<String> {
        let current = self.current_segmentation(segmentation)?;
        if !is_readable(scope, current.output.object_name(), "segment") {
            return None;
        }
        current.value_at(ordinal).map(ToOwned::to_owned)
    }

    pub(super) async fn visible(
        &self,
        scope: &Scope,
        output: &Output,
        ordinals: &[u64],
    ) -> Result<Vec<(u64, RecordId)>> {
        let object = output.object_name();
        let ids = self.records.ordinal_ids(output.object, ordinals).await?;
        let found = ordinals.iter().zip(ids).filter_map(|(ordinal, id)| Some((*ordinal, id?)));
        if matches!(scope.of(object).rows, RowAccess::All) {
            return Ok(found.collect());
        }
        let mut visible = Vec::new();
        for (ordinal, id) in found {
            if self.records.get(scope, object, id).await?.is_some() {
                visible.push((ordinal, id));
            }
        }
        Ok(visible)
    }
}

/// Segments are read as the field `segment` of their object, scores and their bands as its field `score`.
pub(crate) fn is_readable(scope: &Scope, object: &ObjectName, field: &str) -> bool {
    let field = FieldName::new(field).expect("follows the rules of names");
    scope.of(object).readable.contains(&field)
}
