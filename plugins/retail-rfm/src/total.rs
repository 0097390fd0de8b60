//! The weighted total of the three grades, in tenths.

/// How many totals there are with so many groups: 1.0, 1.1 … n.
pub(crate) fn count(groups: usize) -> usize {
    10 * (groups - 1) + 1
}

/// The name of a total as a value: `3_4` for 3.4.
pub(crate) fn name(total: usize) -> String {
    let tenths = total + 10;
    format!("{}_{}", tenths / 10, tenths % 10)
}

/// A total for people: `3.4`.
pub(crate) fn shown(total: usize) -> String {
    let tenths = total + 10;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// For each row the weighted mean of its grades, which count from 0, in tenths. `weights` make 1 together.
pub(crate) fn totals(scores: &[Vec<u32>; 3], weights: [f64; 3]) -> Vec<u32> {
    let ([recency, frequency, monetary], [r_weight, f_weight, m_weight]) = (scores, weights);
    let rows = recency.iter().zip(frequency).zip(monetary);
    let total = |((r, f), m): ((&u32, &u32), &u32)| {
        let sum = r_weight * f64::from(*r) + f_weight * f64::from(*f) + m_weight * f64::from(*m);
        // What is half a tenth but for the rounding of weights is rounded up.
        (10.0 * sum + 0.5 + 1e-9).floor() as u32
    };
    rows.map(total).collect()
}
