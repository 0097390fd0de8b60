use std::collections::BTreeMap;

use trellis_model::{RowAccess, Scope};

use super::members::is_readable;
use super::state::CurrentSegmentation;
use super::types::{Transition, TransitionCount, TransitionPage, TransitionsWanted};
use crate::generation::{Column, load_output};
use crate::{Columns, Error, Result};

/// A customer whose code is another: ordinal, before, after.
type Moved = (u64, u16, u16);

impl Columns {
    /// Returns a page of the customers whose value is another than after the run before the current one, in the order of ordinals, and
    /// how many went from which value to which. Deleted ones are left out as far as [`Columns::catch_up`] has come. Nobody moves while
    /// no earlier run is kept or the segmentation is cleared. For a scope that does not have every record a page may be short, or empty:
    /// `next` goes on.
    ///
    /// Costs the reading of the earlier generation and a scan of the codes that differ.
    ///
    /// # Errors
    /// [`Error::UnknownSegmentation`] (also where the scope hides segments), [`Error::UnknownValue`], those of the store.
    pub async fn transitions_of(
        &self,
        scope: &Scope,
        segmentation: &str,
        wanted: TransitionsWanted<'_>,
        after: Option<u64>,
        rows_max: usize,
    ) -> Result<TransitionPage> {
        let unknown = || Error::UnknownSegmentation { name: segmentation.to_owned() };
        let current = self.current_segmentation(segmentation).ok_or_else(unknown)?;
        let output = &current.output;
        let rows = &scope.of(output.object_name()).rows;
        if !is_readable(scope, output.object_name(), "segment") {
            return Err(unknown());
        }
        let code =
            |value: Option<Option<&str>>| value.map(|value| current.segmentation.code_of(value)).transpose();
        let (entered, left) = (code(wanted.entered)?, code(wanted.left)?);
        let mut page = TransitionPage::default();
        if output.is_cleared() || matches!(rows, RowAccess::Nothing) {
            return Ok(page);
        }
        let Some(earlier) = output.pointer.earlier() else { return Ok(page) };
        page.previous = Some(earlier.to_current());
        let sees_all = matches!(rows, RowAccess::All);
        let mut moved = match self.moved(&current).await {
            Ok(moved) => moved,
            // What was compared with may have been let go of meanwhile, after another flip.
            Err(_) if self.is_outdated(&current) => {
                return Box::pin(self.transitions_of(scope, segmentation, wanted, after, rows_max)).await;
            }
            Err(error) => return Err(error),
        };
        if sees_all {
            page.counts = counts(&current, &moved);
        }
        moved.retain(|(_, before, now)| {
            entered.is_none_or(|code| *now == code) && left.is_none_or(|code| *before == code)
        });
        page.total = sees_all.then_some(moved.len() as u64);

        let from = after.map_or(0, |after| after.saturating_add(1));
        let begin = moved.partition_point(|(ordinal, ..)| *ordinal < from);
        let rows_max = rows_max.clamp(1, self.config.members_page_max);
        let rest = moved.get(begin..).unwrap_or_default();
        let shown = rest.get(..rows_max).unwrap_or(rest);
        page.next = shown.last().filter(|_| rest.len() > shown.len()).map(|(ordinal, ..)| *ordinal);
        let codes: BTreeMap<u64, (u16, u16)> =
            shown.iter().map(|(ordinal, before, now)| (*ordinal, (*before, *now))).collect();
        let ordinals: Vec<u64> = codes.keys().copied().collect();
        let value = |code: u16| current.segmentation.value(code).map(ToOwned::to_owned);
        page.transitions = self
            .visible(scope, output, &ordinals)
            .await?
            .into_iter()
            .filter_map(|(ordinal, id)| {
                let (before, now) = codes.get(&ordinal)?;
                Some(Transition { ordinal, id, before: value(*before), value: value(*now) })
            })
            .collect();
        Ok(page)
    }

    /// Whether another result became current since.
    fn is_outdated(&self, of: &CurrentSegmentation) -> bool {
        let now = self.current_segmentation(of.output.name().as_str());
        now.is_none_or(|now| now.output.pointer.current != of.output.pointer.current)
    }

    /// Everybody who is not deleted and has another code than in the newest kept generation before the current one.
    async fn moved(&self, current: &CurrentSegmentation) -> Result<Vec<Moved>> {
        let output = &current.output;
        let Some(earlier) = output.pointer.earlier() else { return Ok(Vec::new()) };
        let state = self.results.state();
        let header = &state.find_generation(earlier.generation)?.header;
        let store = self.records.store().as_ref();
        let before =
            load_output(store, earlier.generation, header, output.id, output.classes(), None).await?.column;
        let population = self.features.population(output.object).unwrap_or_default();
        let now = current.column();
        let differing = output.shown().column.differing(&before);
        let Column::Codes(before) = before else { unreachable!("a segmentation has codes") };
        Ok(differing
            .into_iter()
            .filter(|ordinal| population.contains(*ordinal))
            .map(|ordinal| (ordinal, before.get(ordinal), now.get(ordinal)))
            .collect())
    }
}

fn counts(current: &CurrentSegmentation, moved: &[Moved]) -> Vec<TransitionCount> {
    let mut counts = BTreeMap::<(u16, u16), u64>::new();
    for (_, before, now) in moved {
        *counts.entry((*before, *now)).or_default() += 1;
    }
    let value = |code: u16| current.segmentation.value(code).map(ToOwned::to_owned);
    let count = |((before, now), count)| TransitionCount { before: value(before), value: value(now), count };
    counts.into_iter().map(count).collect()
}
