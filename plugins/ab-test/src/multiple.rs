//! Several tests at once: p-values that stay honest.

/// Bonferroni: each p times their number.
pub fn bonferroni(values: &[f64]) -> Vec<f64> {
    values.iter().map(|p| (p * values.len() as f64).min(1.0)).collect()
}

/// Holm (1979): the smallest p times their number, the next times one less, and so on; never less than the one before.
pub fn holm(values: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![0.0; values.len()];
    let mut highest = 0.0_f64;
    for (rank, place) in ascending(values).into_iter().enumerate() {
        let p = values.get(place).copied().unwrap_or(1.0);
        highest = highest.max((p * (values.len() - rank) as f64).min(1.0));
        if let Some(adjusted) = adjusted.get_mut(place) {
            *adjusted = highest;
        }
    }
    adjusted
}

/// Benjamini and Hochberg (1995): bounds the share of false findings among the findings.
pub fn benjamini_hochberg(values: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![0.0; values.len()];
    let mut lowest = 1.0_f64;
    for (rank, place) in ascending(values).into_iter().enumerate().rev() {
        let p = values.get(place).copied().unwrap_or(1.0);
        lowest = lowest.min(p * values.len() as f64 / (rank + 1) as f64);
        if let Some(adjusted) = adjusted.get_mut(place) {
            *adjusted = lowest;
        }
    }
    adjusted
}

fn ascending(values: &[f64]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    let value = |place: &usize| values.get(*place).copied().unwrap_or(1.0);
    places.sort_by(|one, other| value(one).total_cmp(&value(other)).then(one.cmp(other)));
    places
}
