//! How sure a maximum is.

/// The step in a parameter, a logarithm, over which slopes are compared.
const STEP: f64 = 1e-4;

/// The standard errors of the parameters at a maximum of a log-likelihood: the square roots of the diagonal of the inverse of the observed
/// information, whose entries are differences of `slopes`. None for a parameter that the data do not determine.
pub fn standard_errors<const N: usize>(
    maximum: &[f64; N],
    slopes: impl FnMut(&[f64; N]) -> [f64; N],
) -> [Option<f64>; N] {
    let Some(covariances) = covariances(maximum, slopes) else { return [None; N] };
    std::array::from_fn(|part| {
        let variance = entry(&covariances, part, part);
        (variance.is_finite() && variance > 0.0).then(|| libm::sqrt(variance))
    })
}

/// The inverse of the observed information at a maximum of a log-likelihood; none where the data do not determine every parameter.
pub fn covariances<const N: usize>(
    maximum: &[f64; N],
    mut slopes: impl FnMut(&[f64; N]) -> [f64; N],
) -> Option<[[f64; N]; N]> {
    let mut information = [[0.0; N]; N];
    for (parameter, row) in information.iter_mut().enumerate() {
        let mut at = |step: f64| {
            let mut point = *maximum;
            point.iter_mut().skip(parameter).take(1).for_each(|part| *part += step);
            slopes(&point)
        };
        let (above, below) = (at(STEP), at(-STEP));
        for (cell, (above, below)) in row.iter_mut().zip(above.iter().zip(&below)) {
            *cell = (below - above) / (2.0 * STEP);
        }
    }
    let transposed: [[f64; N]; N] =
        std::array::from_fn(|row| std::array::from_fn(|column| entry(&information, column, row)));
    for (row, other) in information.iter_mut().zip(&transposed) {
        row.iter_mut().zip(other).for_each(|(cell, other)| *cell = 0.5 * (*cell + other));
    }
    inverse_of(information)
}

fn entry<const N: usize>(matrix: &[[f64; N]; N], row: usize, column: usize) -> f64 {
    matrix.get(row).and_then(|row| row.get(column)).copied().unwrap_or(f64::NAN)
}

/// The inverse, by elimination with a pivot for each column.
#[expect(clippy::indexing_slicing, reason = "every index runs over the fixed dimension")]
fn inverse_of<const N: usize>(mut matrix: [[f64; N]; N]) -> Option<[[f64; N]; N]> {
    let mut inverse: [[f64; N]; N] =
        std::array::from_fn(|row| std::array::from_fn(|column| if row == column { 1.0 } else { 0.0 }));
    for column in 0..N {
        let pivot = (column..N).max_by(|one, other| {
            libm::fabs(matrix[*one][column]).total_cmp(&libm::fabs(matrix[*other][column]))
        });
        let pivot = pivot.unwrap_or(column);
        matrix.swap(column, pivot);
        inverse.swap(column, pivot);
        let divisor = matrix[column][column];
        if libm::fabs(divisor) < 1e-12 {
            return None;
        }
        for cell in 0..N {
            matrix[column][cell] /= divisor;
            inverse[column][cell] /= divisor;
        }
        for row in (0..N).filter(|row| *row != column) {
            let factor = matrix[row][column];
            for cell in 0..N {
                matrix[row][cell] -= factor * matrix[column][cell];
                inverse[row][cell] -= factor * inverse[column][cell];
            }
        }
    }
    Some(inverse)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a normal likelihood with variances 4 and 9 and correlation 0.5 the standard errors are 2 and 3.
    #[test]
    fn they_are_those_of_the_normal_distribution() {
        let determinant = 4.0 * 9.0 - 3.0 * 3.0;
        let slopes = |point: &[f64; 2]| {
            let [x, y] = *point;
            [-(9.0 * x - 3.0 * y) / determinant, -(4.0 * y - 3.0 * x) / determinant]
        };
        let [one, other] = standard_errors(&[0.3, -0.2], slopes);
        assert!((one.unwrap_or(0.0) - 2.0).abs() < 1e-8 && (other.unwrap_or(0.0) - 3.0).abs() < 1e-8);
    }

    #[test]
    fn what_the_data_do_not_determine_has_none() {
        assert_eq!(standard_errors(&[0.0, 0.0], |point| [-point[0], 0.0]), [None, None]);
    }
}
