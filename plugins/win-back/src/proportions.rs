//! Comparing two proportions.

use trellis_sdk::math;

/// How many of a group did something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Group {
    /// How many there are.
    pub members: u64,
    /// How many of them did it.
    pub responses: u64,
}

/// A comparison of two groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The second proportion minus the first.
    pub difference: f64,
    /// The difference in standard errors, under the assumption that there is none (pooled).
    pub z: f64,
    /// How likely a difference of that size or more is, in either direction, if there is none.
    pub p_two_sided: f64,
    /// Whether both groups are large enough for the approximation: at least five responses and five others expected in each.
    pub is_reliable: bool,
}

impl Group {
    /// The proportion, 0 to 1; none for an empty group.
    pub fn rate(self) -> Option<f64> {
        (self.members > 0).then(|| self.responses as f64 / self.members as f64)
    }
}

/// Compares `second` with `first` by the z-test for two proportions with the pooled standard error, without correction for continuity.
/// None where a group is empty, or all or none of both did it: then there is nothing to test.
pub fn compare(first: Group, second: Group) -> Option<Comparison> {
    let difference = second.rate()? - first.rate()?;
    let members = (first.members + second.members) as f64;
    let pooled = (first.responses + second.responses) as f64 / members;
    let variance = pooled * (1.0 - pooled) * (1.0 / first.members as f64 + 1.0 / second.members as f64);
    if variance <= 0.0 {
        return None;
    }
    let z = difference / variance.sqrt();
    let smaller = first.members.min(second.members) as f64;
    Some(Comparison {
        difference,
        z,
        // The two tails of the normal distribution beyond |z|.
        p_two_sided: math::erfc(z.abs() / std::f64::consts::SQRT_2),
        is_reliable: smaller * pooled.min(1.0 - pooled) >= 5.0,
    })
}
