//! Ranking every customer.

use trellis_sdk::{PluginError, Result, RowStream};

use crate::config::{By, Shares};
use crate::model::{Knot, Movement, Pyramid, TierFigures};
use crate::profit::Averages;
use crate::rows::{Customer, Rows};
use crate::tiers::TIERS;

/// Into how many steps of equal numbers of customers the ranking is thinned out.
const STEPS: u64 = 1024;

/// Every customer with an order, from the lowest lifetime value to the highest: 64 bytes a customer.
#[derive(Debug)]
pub(crate) struct Population {
    currency: String,
    ranked: Vec<Customer>,
    ranking: Ranking,
}

/// Values in ascending order, and what they add up to.
#[derive(Debug)]
struct Ranking {
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
                let message = (
                    format!("`spent` is in {currency} and in {}", rows.currency),
                    format!("`spent` 的币种既有 {currency} 又有 {}", rows.currency),
                );
                return Err(PluginError::UnsuitableData(message.into()));
            }
            ranked.extend(rows.customers.iter().flatten().copied());
        }
        if ranked.is_empty() {
            let message = (
                "no customer has an order up to the day as of which it runs",
                "截至运行日期，没有客户有订单",
            );
            return Err(PluginError::UnsuitableData(message.into()));
        }
        ranked.sort_unstable_by_key(|customer| (customer.spent, customer.ordinal));
        let ranking = Ranking::of(ranked.iter().map(|customer| customer.spent), ranked.len());
        Ok(Self { currency, ranked, ranking })
    }

    /// Cuts the ranking into tiers and thins it out.
    pub(crate) fn pyramid(&self, shares: Shares, has_cost: bool) -> Pyramid {
        let count = self.ranked.len();
        // From the top: the rank from which the tier reaches up, so the tier ends where the one above begins.
        let starts = shares.lowest().map(|lowest| self.ranking.first_at(shares.by, lowest));
        let ends = [count, starts[0], starts[1], starts[2]];
        let averages = has_cost.then(|| Averages::of(&self.ranked));
        let mut tiers = [TierFigures::default(); 4];
        for ((tier, start), end) in tiers.iter_mut().zip(starts).zip(ends) {
            *tier = self.figures(start, end, averages.as_ref());
        }
        let last = count as u64 - 1;
        let mut ranks: Vec<u64> = (0..=STEPS)
            .map(|step| (u128::from(last) * u128::from(step) / u128::from(STEPS)) as u64)
            .collect();
        ranks.extend(starts.iter().filter(|start| **start < count).map(|start| *start as u64));
        ranks.sort_unstable();
        ranks.dedup();
        let knots = ranks.into_iter().map(|rank| self.knot(shares.by, rank)).collect();
        Pyramid {
            shares,
            currency: self.currency.clone(),
            customers: count as u64,
            knots,
            tiers,
            averages,
            movement: self.movement(shares),
            pareto: self.pareto(),
        }
    }

    /// How many customers went from which tier at the beginning of the window (the last: no order yet) to which tier now.
    fn movement(&self, shares: Shares) -> Option<Movement> {
        let mut earlier: Vec<(i64, u64, usize)> = self
            .ranked
            .iter()
            .enumerate()
            .filter_map(|(rank, customer)| Some((customer.spent_before?, customer.ordinal, rank)))
            .collect();
        if earlier.is_empty() {
            return None;
        }
        earlier.sort_unstable();
        let ranking = Ranking::of(earlier.iter().map(|(before, ..)| *before), earlier.len());
        let mut movement = Movement::default();
        let mut add = |before: usize, rank: usize| {
            let now = shares.tier(self.ranking.standing(shares.by, rank));
            if let Some(count) = movement.get_mut(before).and_then(|row| row.get_mut(now)) {
                *count += 1;
            }
        };
        for (place, (.., rank)) in earlier.iter().enumerate() {
            add(shares.tier(ranking.standing(shares.by, place)), *rank);
        }
        let new = self.ranked.iter().enumerate().filter(|(_, customer)| customer.spent_before.is_none());
        new.for_each(|(rank, _)| add(TIERS.len(), rank));
        Some(movement)
    }

    /// How many percent of the revenue the best 1, 2, … 100 % of the customers bring.
    fn pareto(&self) -> Vec<f64> {
        let (count, all) = (self.ranked.len(), self.ranking.below(self.ranked.len()));
        let share = |percent: usize| {
            let best = (count * percent).div_ceil(100);
            let brought = all - self.ranking.below(count - best);
            if all > 0 { (100 * brought) as f64 / all as f64 } else { 0.0 }
        };
        (1..=100).map(share).collect()
    }

    fn knot(&self, by: By, rank: u64) -> Knot {
        let place = rank as usize;
        let customer = self.ranked.get(place).expect("a rank is below the number of customers");
        let standing_below = self.ranking.standing(by, place.saturating_sub(1));
        Knot {
            value: customer.spent,
            ordinal: customer.ordinal,
            rank,
            standing: self.ranking.standing(by, place),
            standing_below,
        }
    }

    fn figures(&self, start: usize, end: usize, averages: Option<&Averages>) -> TierFigures {
        let members = self.ranked.get(start..end).unwrap_or_default();
        let revenue: i128 = members.iter().map(|customer| i128::from(customer.spent)).sum();
        let mut figures = TierFigures {
            customers: members.len() as u64,
            revenue: clamped(revenue),
            cut: members.first().map(|customer| customer.spent),
            ..TierFigures::default()
        };
        let Some(averages) = averages else { return figures };
        let (mut cost, mut income) = (0, 0);
        for customer in members {
            let Some(one) = customer.cost else { continue };
            figures.costed += 1;
            cost += i128::from(one);
            income += i128::from(customer.spent);
            let cause = averages.unprofitable(customer);
            if let Some(count) = cause.and_then(|cause| figures.unprofitable.get_mut(cause)) {
                *count += 1;
            }
        }
        (figures.cost, figures.profit) = (clamped(cost), clamped(income - cost));
        figures
    }
}

impl Ranking {
    /// Values from the lowest to the highest.
    fn of(values: impl Iterator<Item = i64>, count: usize) -> Self {
        let mut revenue_below = Vec::with_capacity(count + 1);
        let mut sum = 0;
        revenue_below.push(sum);
        for value in values {
            sum += i128::from(value).max(0);
            revenue_below.push(sum);
        }
        Self { revenue_below }
    }

    fn count(&self) -> usize {
        self.revenue_below.len() - 1
    }

    fn below(&self, rank: usize) -> i128 {
        self.revenue_below.get(rank).copied().unwrap_or_default()
    }

    /// The first rank whose standing is `lowest` or more; the number of customers where there is none.
    fn first_at(&self, by: By, lowest: f64) -> usize {
        let (mut from, mut to) = (0, self.count());
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
        let (below, others, own) = match by {
            By::Customers => (rank as i128, self.count() as i128 - 1, 1),
            By::Revenue => {
                let (below, own) = (self.below(rank), self.below(rank + 1) - self.below(rank));
                (below, self.below(self.count()) - own, own)
            }
        };
        match (others, own) {
            (0, 0) => 0.0,
            (0, _) => 100.0,
            _ => (100 * below) as f64 / others as f64,
        }
    }
}

fn clamped(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}
