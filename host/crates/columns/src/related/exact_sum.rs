//! Sums of floating-point numbers that are rounded once, so that they do not depend on the order in which records are found. That holds as
//! long as no sum on the way is beyond what a number holds, 1.8e308: whether there is a sum after that does depend on the order.
//!
//! J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates" (1997): what an addition loses
//! to rounding is kept as further parts, which do not overlap.

/// A sum that loses nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ExactSum {
    /// Ascending by magnitude, none of which overlaps another. One that is not finite makes the sum so.
    parts: Vec<f64>,
}

impl ExactSum {
    pub(super) fn add(&mut self, value: f64) {
        let (mut rest, mut kept) = (value, 0);
        for place in 0..self.parts.len() {
            let Some(part) = self.parts.get(place).copied() else { break };
            let (large, small) = if rest.abs() < part.abs() { (part, rest) } else { (rest, part) };
            let sum = large + small;
            let lost = small - (sum - large);
            if lost != 0.0 {
                if let Some(slot) = self.parts.get_mut(kept) {
                    *slot = lost;
                }
                kept += 1;
            }
            rest = sum;
        }
        self.parts.truncate(kept);
        self.parts.push(rest);
    }

    /// Adds another sum.
    pub(super) fn merge(&mut self, other: &Self) {
        other.parts.iter().for_each(|part| self.add(*part));
    }

    /// The number nearest to the sum; not finite where the sum is beyond what a number holds.
    pub(super) fn value(&self) -> f64 {
        let mut parts = self.parts.iter().rev().copied();
        let Some(mut sum) = parts.next() else { return 0.0 };
        let mut lost = 0.0;
        for part in parts.by_ref() {
            let larger = sum;
            sum = larger + part;
            lost = part - (sum - larger);
            if lost != 0.0 {
                break;
            }
        }
        // A half is rounded to even only where nothing smaller decides it.
        let next = parts.next().unwrap_or(0.0);
        if (lost < 0.0 && next < 0.0) || (lost > 0.0 && next > 0.0) {
            let twice = lost * 2.0;
            let up = sum + twice;
            if twice == up - sum {
                sum = up;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(values: &[f64]) -> f64 {
        let mut sum = ExactSum::default();
        values.iter().for_each(|value| sum.add(*value));
        sum.value()
    }

    #[test]
    fn nothing_is_lost() {
        assert_eq!(sum(&[]), 0.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[1e100, 1.0, -1e100]), 1.0);
        assert_eq!(
            sum(&[1e16, 1.0, 1e-16]),
            10_000_000_000_000_002.0,
            "a half is not a half where more follows"
        );
        assert_eq!(sum(&[1e16, 1.0]), 1e16, "a half is rounded to even");
        assert!(!sum(&[f64::MAX, f64::MAX]).is_finite());
    }

    proptest! {
        #[test]
        fn order_and_parts_do_not_matter(mut values in prop::collection::vec(-1e12..1e12_f64, 0..40), cut in 0..40_usize) {
            let all = sum(&values);
            values.reverse();
            prop_assert_eq!(sum(&values), all);
            let cut = cut.min(values.len());
            let (mut first, mut second) = (ExactSum::default(), ExactSum::default());
            values[..cut].iter().for_each(|value| first.add(*value));
            values[cut..].iter().for_each(|value| second.add(*value));
            first.merge(&second);
            prop_assert_eq!(first.value(), all);
        }
    }
}
