//! Who brings how much: ranking by value, shares of the sum, and cuts in the ranking.

/// Where a ranking is cut: whoever has more, or as much and a number not above, is before the cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cut {
    pub(crate) value: f64,
    pub(crate) ordinal: u64,
}

impl Cut {
    /// Before whom nobody is.
    pub(crate) const NOBODY: Self = Self { value: f64::INFINITY, ordinal: 0 };

    pub(crate) fn is_before(&self, value: f64, ordinal: u64) -> bool {
        value > self.value || value == self.value && ordinal <= self.ordinal
    }
}

/// Customers with their values, the highest first; of equal ones the lower ordinal.
#[derive(Debug, Clone)]
pub struct Ranked {
    customers: Vec<(f64, u64)>,
}

impl Ranked {
    /// Ranks those whose value is known.
    pub fn new(customers: impl Iterator<Item = (f64, u64)>) -> Self {
        let mut customers: Vec<(f64, u64)> = customers.filter(|(value, _)| !value.is_nan()).collect();
        customers.sort_unstable_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        Self { customers }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.customers.len()
    }

    /// The cut after the first `count`.
    pub(crate) fn cut(&self, count: usize) -> Cut {
        let last = count
            .checked_sub(1)
            .and_then(|last| self.customers.get(last.min(self.customers.len().saturating_sub(1))));
        last.map_or(Cut::NOBODY, |(value, ordinal)| Cut { value: *value, ordinal: *ordinal })
    }

    /// How many customers are the first so many percent, rounded up.
    pub fn top_count(&self, percent: f64) -> usize {
        // What is a whole number but for rounding stays it.
        let exact = self.count() as f64 * percent / 100.0;
        ((exact - 1e-9).ceil().max(0.0) as usize).min(self.count())
    }

    /// What all bring; values below 0 count as 0.
    pub fn sum(&self) -> f64 {
        self.customers.iter().map(|(value, _)| value.max(0.0)).sum()
    }

    /// Which part of the sum the first `count` bring; 0 where there is no sum.
    pub fn share(&self, count: usize) -> f64 {
        let whole = self.sum();
        let part: f64 = self.customers.iter().take(count).map(|(value, _)| value.max(0.0)).sum();
        if whole > 0.0 { part / whole } else { 0.0 }
    }

    /// The fewest customers who bring at least so many percent of the sum; 0 where there is no sum.
    pub fn fewest_for(&self, percent: f64) -> usize {
        let wanted = self.sum() * percent / 100.0;
        if wanted <= 0.0 {
            return 0;
        }
        let mut part = 0.0;
        // Sums of amounts round in the last digits: what is reached but for these is reached.
        let reached = self.customers.iter().position(|(value, _)| {
            part += value.max(0.0);
            part >= wanted * (1.0 - 1e-12)
        });
        reached.map_or(self.count(), |place| place + 1)
    }

    /// How many customers are passed before so many percent of the sum are exceeded: class A of an ABC analysis with 80, A and B with 95.
    pub fn within(&self, percent: f64) -> usize {
        let limit = self.sum() * percent / 100.0 * (1.0 + 1e-12);
        let mut part = 0.0;
        self.customers
            .iter()
            .take_while(|(value, _)| {
                part += value.max(0.0);
                part <= limit
            })
            .count()
    }

    /// Gini's coefficient: 0 where all bring the same, near 1 where one brings all. 0 where there is no sum.
    pub fn gini(&self) -> f64 {
        let (count, whole) = (self.count() as f64, self.sum());
        let places = (1..).zip(self.customers.iter().rev());
        let weighted: f64 = places.map(|(place, (value, _))| f64::from(place) * value.max(0.0)).sum();
        if whole > 0.0 { 2.0 * weighted / (count * whole) - (count + 1.0) / count } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(values: &[f64]) -> Ranked {
        Ranked::new(values.iter().copied().zip(1..))
    }

    #[test]
    fn shares_and_cuts_count_from_the_best() {
        let all = ranked(&[10.0, 50.0, 20.0, 20.0, f64::NAN]);
        assert_eq!((all.count(), all.sum(), all.top_count(25.0), all.top_count(26.0)), (4, 100.0, 1, 2));
        assert_eq!(
            (all.share(1), all.fewest_for(70.0), all.fewest_for(71.0), all.within(70.0), all.within(49.0)),
            (0.5, 2, 3, 2, 0)
        );
        let cut = all.cut(2);
        assert_eq!(cut, Cut { value: 20.0, ordinal: 3 });
        assert!(
            cut.is_before(50.0, 2)
                && cut.is_before(20.0, 3)
                && !cut.is_before(20.0, 4)
                && !cut.is_before(10.0, 1)
        );
        assert!(!all.cut(0).is_before(1e300, 0));
    }

    #[test]
    fn inequality_is_nothing_among_equals_and_nearly_one_for_a_monopoly() {
        assert!(ranked(&[3.0; 9]).gini().abs() < 1e-12);
        let mut monopoly = [0.0; 100];
        monopoly[3] = 5.0;
        assert!((ranked(&monopoly).gini() - 0.99).abs() < 1e-12);
        assert_eq!(
            (ranked(&[0.0, -5.0]).gini(), ranked(&[-1.0]).share(1), ranked(&[]).fewest_for(80.0)),
            (0.0, 0.0, 0)
        );
    }
}
