//! Whom a campaign is for.

use std::sync::Arc;

use trellis_model::{Batch, Filter, Scope};

use super::object;
use crate::{Error, Result, core::Core, run::Source};

/// The ordinals of the accounts that a filter matches, ascending; `check` is asked again and again.
pub(super) async fn ordinals(
    core: &Core,
    audience: &Filter,
    check: impl Fn() -> Result<()> + Sync,
) -> Result<Vec<u64>> {
    let (scope, account) = (Scope::everything(), object("account"));
    let go_on = || check().is_ok();
    match core.records.matching_ordinals(&scope, &account, audience, &go_on).await {
        Err(trellis_records::Error::Cancelled) => Err(check().err().unwrap_or(Error::Cancelled)),
        found => Ok(found?),
    }
}

/// The rows of a dataset that are in the audience.
pub(super) struct InAudience<S> {
    pub(super) rows: S,
    /// Ascending; `None` for all.
    pub(super) audience: Option<Arc<[u64]>>,
}

impl<S: Source> Source for InAudience<S> {
    fn next(&mut self) -> Result<Option<Batch>> {
        let Some(audience) = &self.audience else { return self.rows.next() };
        while let Some(batch) = self.rows.next()? {
            let inside =
                |row: &usize| batch.ordinals.get(*row).is_some_and(|row| audience.binary_search(row).is_ok());
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
