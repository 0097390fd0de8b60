//! Ranking every customer.

use trellis_sdk::{PluginError, Result, RowStream};

use crate::config::{By, Shares};
use crate::model::{Knot, Pyramid, TierFigures};
use crate::rows::Rows;

/// Into how many steps of equal numbers of customers the ranking is thinned out.
const STEPS: u64 = 1024;

/// Every customer with an order, from the lowest lifetime value to the highest: 32 bytes a customer.
#[derive(Debug)]
pub(crate) struct Population {
    currency: String,
    /// Value in minor units and ordinal.
    ranked: Vec<(i64, u64)>,
    /// For each rank what all lower ones spent; at last what all spent. Values below 0 count as 0 here: a share of a revenue that some
    /// customers take away again has no meaning.
    revenue_below: Vec<i128>,
}

impl Population {
    /// Reads one pass of `rows` and sorts it.
    pub(crate) fn read(rows: &mut RowStream<'_>) -> Result<Self> {
        let count = usize::try_from(rows.rows()).unwrap_or(0);
        let (mut currency, mut ranked) = (String::new(), Vec::with_capacity(count));
        for batch in rows {
            let rows = Rows::read(&batch)?;
            if currency.is_empty() {
                rows.currency.clone_into(&mut currency);
            } else if currency != rows.currency {
                let message = format!("`spent` is in {currency} and in {}", rows.currency);
                return Err(PluginError::UnsuitableData(message));
            }
            ranked.extend(rows.customers.iter().flatten().map(|customer| (customer.spent, customer.ordinal)));
        }
        if ranked.is_empty() {
            let message = "no customer has an order up to the day as of which it runs";
            return Err(PluginError::UnsuitableData(message.to_owned()));
        }
        ranked.sort_unstable();
        let mut revenue_below = Vec::with_capacity(ranked.len() + 1);
        let mut sum = 0;
        revenue_below.push(sum);
        for (value, _) in &ranked {
            sum += i128::from(*value).max(0);
            revenue_below.push(sum);
        }
        Ok(Self { currency, ranked, revenue_below })
    }

    /// Cuts the ranking into tiers and thins it out.
    pub(crate) fn pyramid(&self, shares: Shares) -> Pyramid {
        let count = self.ranked.len();
        // From the top: the rank from which the tier reaches up, so the tier ends where the one above begins.
        let starts = shares.lowest().map(|lowest| self.first_at(shares.by, lowest));
        let ends = [count, starts[0], starts[1], starts[2]];
        let mut tiers = [TierFigures::default(); 4];
        for ((tier, start), end) in tiers.iter_mut().zip(starts).zip(ends) {
            *tier = self.figures(start, end);
        }
        let last = count as u64 - 1;
        let mut ranks: Vec<u64> = (0..=STEPS)
            .map(|step| (u128::from(last) * u128::from(step) / u128::from(STEPS)) as u64)
            .collect();
        ranks.extend(starts.iter().filter(|start| **start < count).map(|start| *start as u64));
        ranks.sort_unstable();
        ranks.dedup();
        let knots = ranks.into_iter().map(|rank| self.knot(shares.by, rank)).collect();
        Pyramid { shares, currency: self.currency.clone(), customers: count as u64, knots, tiers }
    }

    fn knot(&self, by: By, rank: u64) -> Knot {
        let place = rank as usize;
        let (value, ordinal) = self.at(place);
        let standing_below = self.standing(by, place.saturating_sub(1));
        Knot { value, ordinal, rank, standing: self.standing(by, place), standing_below }
    }

    /// The first rank whose standing is `lowest` or more; the number of customers where there is none.
    fn first_at(&self, by: By, lowest: f64) -> usize {
        let (mut from, mut to) = (0, self.ranked.len());
        while from < to {
            let middle = from + (to - from) / 2;
            if self.standing(by, middle) < lowest {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }

    /// Of the others (or of what they spent), how many percent rank lower. Never falls from one rank to the next.
    fn standing(&self, by: By, rank: usize) -> f64 {
        let spent = |rank: usize| self.revenue_below.get(rank).copied().unwrap_or_default();
        let (below, others, own) = match by {
            By::Customers => (rank as i128, self.ranked.len() as i128 - 1, 1),
            By::Revenue => {
                let (below, own) = (spent(rank), spent(rank + 1) - spent(rank));
                (below, spent(self.ranked.len()) - own, own)
            }
        };
        match (others, own) {
            (0, 0) => 0.0,
            (0, _) => 100.0,
            _ => (100 * below) as f64 / others as f64,
        }
    }

    fn figures(&self, start: usize, end: usize) -> TierFigures {
        let members = self.ranked.get(start..end).unwrap_or_default();
        let revenue: i128 = members.iter().map(|(value, _)| i128::from(*value)).sum();
        TierFigures {
            customers: members.len() as u64,
            revenue: i64::try_from(revenue).unwrap_or(if revenue < 0 { i64::MIN } else { i64::MAX }),
            cut: members.first().map(|(value, _)| *value),
        }
    }

    fn at(&self, rank: usize) -> (i64, u64) {
        self.ranked.get(rank).copied().expect("a rank is below the number of customers")
    }
}
