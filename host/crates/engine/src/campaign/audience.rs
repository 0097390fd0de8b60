//! Whom a campaign is for.

use std::collections::BTreeSet;

use trellis_model::{Batch, Filter, Scope};
use trellis_records::Query;

use super::object;
use crate::{Result, core::Core, run::Source};

/// Accounts of a page.
const PAGE_ROWS: usize = 200;

/// The ordinals of the accounts that a filter matches. Reads every one of them; `check` is asked between pages.
pub(super) async fn ordinals(
    core: &Core,
    audience: &Filter,
    check: impl Fn() -> Result<()>,
) -> Result<BTreeSet<u64>> {
    let mut query = Query { filter: audience.clone(), limit: PAGE_ROWS, ..Query::new(object("account")) };
    let mut ordinals = BTreeSet::new();
    loop {
        check()?;
        let page = core.records.list(&Scope::everything(), &query).await?;
        ordinals.extend(page.records.iter().filter_map(|record| record.ordinal));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(ordinals),
        }
    }
}

/// The rows of a dataset that are in the audience.
pub(super) struct InAudience<S> {
    pub(super) rows: S,
    /// `None` for all.
    pub(super) audience: Option<BTreeSet<u64>>,
}

impl<S: Source> Source for InAudience<S> {
    fn next(&mut self) -> Result<Option<Batch>> {
        let Some(audience) = &self.audience else { return self.rows.next() };
        while let Some(batch) = self.rows.next()? {
            let inside = |row: &usize| batch.ordinals.get(*row).is_some_and(|row| audience.contains(row));
            let rows: Vec<usize> = (0..batch.ordinals.len()).filter(inside).collect();
            if !rows.is_empty() {
                return Ok(Some(batch.pick(&rows)));
            }
        }
        Ok(None)
    }

    fn rewind(&mut self) -> Result<()> {
        self.rows.rewind()
    }

    fn rows(&self) -> u64 {
        match &self.audience {
            Some(audience) => self.rows.rows().min(audience.len() as u64),
            None => self.rows.rows(),
        }
    }

    fn again(&self) -> Result<Box<dyn Source>> {
        Ok(Box::new(InAudience { rows: self.rows.again()?, audience: self.audience.clone() }))
    }
}
