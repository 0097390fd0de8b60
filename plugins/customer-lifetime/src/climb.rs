//! Finding the parameters of a large population quickly.

use trellis_likelihood::{Maximum, covariances, maximise_from, maximise_near};

use crate::history::Histories;

/// About how many different histories the climb from far away looks at: enough that the parameters of everybody are a few steps further.
const SAMPLE: usize = 20_000;

/// The highest point of the likelihood of `histories`, from several `starts`.
///
/// Of a large population an even sample says about where: the starts are climbed from on the sample alone, and everybody is looked at for
/// the last steps only. Where a parameter of the sample runs to the end of its range, everybody is looked at from all starts: where such a
/// climb ends depends on where it begins. The sample depends on the histories and on nothing else.
pub(crate) fn climb(
    histories: &Histories,
    starts: &[[f64; 4]],
    mut likelihood: impl FnMut(&Histories, &[f64; 4]) -> (f64, [f64; 4]),
) -> Option<Maximum<4>> {
    let near = histories.sample(SAMPLE).and_then(|sample| {
        let found =
            maximise_from(starts, |point| likelihood(&sample, point)).filter(|found| found.is_flat)?;
        let covariances = covariances(&found.point, |point| likelihood(&sample, point).1)?;
        let share = sample.customers as f64 / histories.customers as f64;
        Some((found.point, covariances.map(|row| row.map(|cell| cell * share))))
    });
    let everybody = |point: &[f64; 4]| likelihood(histories, point);
    match near.filter(|(_, covariances)| are_variances_positive(covariances)) {
        Some((point, covariances)) => maximise_near(point, covariances, everybody),
        None => maximise_from(starts, everybody),
    }
}

/// Whether every direction along a parameter leads down from the sample's maximum; what else the matrix lacks the climb itself notices.
fn are_variances_positive(matrix: &[[f64; 4]; 4]) -> bool {
    matrix.iter().enumerate().all(|(place, row)| row.get(place).is_some_and(|cell| *cell > 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::History;

    /// What the sample leaves out counts all the same: the maximum is that of everybody, whatever the sample says.
    #[test]
    fn the_maximum_is_that_of_everybody_and_takes_few_looks() {
        let history = |number: u32| History { repeats: number % 7, last_days: number, age_days: 90_000 };
        let histories = Histories::new((0..80_000).map(history).collect());
        let mut looks = 0;
        let found = climb(&histories, &[[0.0; 4], [3.0; 4]], |histories, point| {
            looks += usize::from(histories.distinct.len() == 80_000);
            let weight = histories.customers as f64;
            // The peak lies elsewhere for the sample, by as much as chance would make of it.
            let peak = if histories.distinct.len() == 80_000 { 1.0 } else { 1.01 };
            let away = point.map(|part| part - peak);
            let value = away.iter().map(|part| -weight * (part * part + 0.1 * part.powi(4))).sum();
            (value, away.map(|part| -weight * (2.0 * part + 0.4 * part * part * part)))
        });
        let found = found.expect("the function is finite everywhere");
        assert!(found.is_flat && found.point.iter().all(|part| (part - 1.0).abs() < 1e-6), "{found:?}");
        assert!((1..=6).contains(&looks), "{looks} looks at everybody");
    }
}
