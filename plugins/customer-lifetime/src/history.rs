//! What is known of customers' purchases: how many repeat purchases (x), when the last was (t_x) and how long ago the first (T).

/// Days in a week; the unit of time in which parameters are stated.
const DAYS_OF_WEEK: f64 = 7.0;

/// One customer. Purchases of one day count as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct History {
    /// Days with a purchase after the first.
    pub repeats: u32,
    /// Days from the first purchase to the last; 0 without repeats.
    pub last_days: u32,
    /// Days from the first purchase to the end of what is known.
    pub age_days: u32,
}

/// The days as weeks.
pub(crate) fn weeks(days: u32) -> f64 {
    f64::from(days) / DAYS_OF_WEEK
}

impl History {
    /// Somebody who just bought for the first time.
    pub(crate) const NEW: Self = Self { repeats: 0, last_days: 0, age_days: 0 };

    pub(crate) fn x(&self) -> f64 {
        f64::from(self.repeats)
    }

    pub(crate) fn t_x(&self) -> f64 {
        weeks(self.last_days)
    }

    pub(crate) fn age(&self) -> f64 {
        weeks(self.age_days)
    }
}

/// A population: each different history once, with how many customers have it. Most customers share theirs with others, so that a million
/// customers are some ten thousand histories.
#[derive(Debug, Clone, PartialEq)]
pub struct Histories {
    /// Ascending.
    pub(crate) distinct: Vec<(History, u32)>,
    /// The longest age.
    pub(crate) days_max: u32,
    pub(crate) customers: u64,
    /// How many customers bought again.
    pub(crate) repeaters: u64,
    /// Repeat purchases of all.
    pub(crate) repeats: u64,
}

impl Histories {
    /// Gathers a population.
    pub fn new(mut all: Vec<History>) -> Self {
        all.sort_unstable();
        let distinct: Vec<(History, u32)> = all
            .chunk_by(|one, next| one == next)
            .filter_map(|same| Some((*same.first()?, u32::try_from(same.len()).unwrap_or(u32::MAX))))
            .collect();
        Self {
            days_max: all.iter().map(|history| history.age_days).max().unwrap_or(0),
            customers: all.len() as u64,
            repeaters: all.iter().filter(|history| history.repeats > 0).count() as u64,
            repeats: all.iter().map(|history| u64::from(history.repeats)).sum(),
            distinct,
        }
    }

    /// Every so manieth of the different histories with the customers who have it, at least `size`; none of populations that are not much
    /// larger.
    pub(crate) fn sample(&self, size: usize) -> Option<Self> {
        let step = self.distinct.len() / size;
        if step < 2 {
            return None;
        }
        let distinct: Vec<(History, u32)> =
            self.distinct.iter().skip(step / 2).step_by(step).copied().collect();
        let customers = |is_counted: fn(&History) -> bool| -> u64 {
            distinct
                .iter()
                .filter(|(history, _)| is_counted(history))
                .map(|(_, count)| u64::from(*count))
                .sum()
        };
        Some(Self {
            days_max: self.days_max,
            customers: customers(|_| true),
            repeaters: customers(|history| history.repeats > 0),
            repeats: distinct
                .iter()
                .map(|(history, count)| u64::from(history.repeats) * u64::from(*count))
                .sum(),
            distinct,
        })
    }

    /// The histories with equally many repeats, ascending.
    pub(crate) fn by_repeats(&self) -> impl Iterator<Item = &[(History, u32)]> {
        self.distinct.chunk_by(|(one, _), (next, _)| one.repeats == next.repeats)
    }

    /// How many customers have each age, ascending by days.
    pub(crate) fn ages(&self) -> Vec<(u32, u64)> {
        let mut ages: Vec<(u32, u64)> =
            self.distinct.iter().map(|(history, count)| (history.age_days, u64::from(*count))).collect();
        ages.sort_unstable();
        ages.chunk_by(|one, next| one.0 == next.0)
            .filter_map(|same| Some((same.first()?.0, same.iter().map(|(_, count)| count).sum())))
            .collect()
    }

    /// The mean age in weeks; 1 where everybody is new.
    pub(crate) fn mean_age(&self) -> f64 {
        let weeks: f64 = self.distinct.iter().map(|(history, count)| f64::from(*count) * history.age()).sum();
        if weeks > 0.0 { weeks / self.customers as f64 } else { 1.0 }
    }
}
