//! Records visited once, with which of several filters each of them matches.

use trellis_model::{Filter, ObjectName, Record, Scope};

use super::feed::Feed;
use super::plan::{Conditions, records_walk};
use crate::codec::record::is_deleted;
use crate::{Records, Result};

impl Records {
    /// Visits the records that match `among` and at least one of `filters`, and says which of them. Without limit and in no order: it goes
    /// once along an index that narrows the matches, or else over all records of the object. A change while it runs may or may not count.
    ///
    /// # Errors
    /// As [`Records::list`].
    pub async fn visit_matching(
        &self,
        scope: &Scope,
        object: &ObjectName,
        among: &Filter,
        filters: &[Filter],
        visit: &mut (dyn FnMut(&Record, &[bool]) + Send),
    ) -> Result<()> {
        let (object, schema) = (self.object(object)?, self.schema());
        let compiler = self.compiler(&schema, Some(scope));
        let any = match filters {
            [only] => only.clone(),
            filters if filters.contains(&Filter::everything()) => Filter::everything(),
            filters => Filter::Or(filters.to_vec()),
        };
        let all = Filter::And(vec![among.clone(), any]);
        let Some(node) = compiler.with_scope(&object, &all)? else { return Ok(()) };
        let nodes =
            filters.iter().map(|filter| compiler.filter(&object, filter)).collect::<Result<Vec<_>>>()?;
        let narrow = Conditions::new(&object, &node).narrow_walk(&object);
        let walk = narrow.unwrap_or_else(|| records_walk(&object));
        let mut feed = Feed::new(&walk, false, None);
        let mut matches = vec![true; nodes.len()];
        while let Some(rows) = feed.next(self).await? {
            for row in rows {
                if walk.index.is_none() && is_deleted(&row.value) {
                    continue;
                }
                let Some(record) = self.row_record(&object, &walk, &row).await? else { continue };
                if record.is_deleted() || !self.matches(&node, &record).await? {
                    continue;
                }
                if nodes.len() > 1 {
                    for (matches, node) in matches.iter_mut().zip(&nodes) {
                        *matches = self.matches(node, &record).await?;
                    }
                }
                visit(&record, &matches);
            }
        }
        Ok(())
    }
}
