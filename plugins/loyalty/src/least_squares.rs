//! Linear regression in one pass, with standard errors.
//!
//! Means and co-moments are updated row by row (Welford), scaled to correlations, and swept (J. H. Goodnight, "A Tutorial on the SWEEP
//! Operator", The American Statistician 33, 1979). Memory is one square of the number of columns, whatever the number of rows.

/// Below this share of a predictor's variance that the earlier ones leave unexplained, it adds nothing of its own.
const TOLERANCE: f64 = 1e-10;

/// Rows of a regression, summed up.
#[derive(Debug, Clone)]
pub struct LeastSquares {
    rows: u64,
    /// Of the predictors, and of the outcome at the end.
    means: Vec<f64>,
    /// Sums of products of deviations from the means, row by row.
    moments: Vec<f64>,
    deviations: Vec<f64>,
}

/// What a regression found.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// How many rows it was learned from.
    pub rows: u64,
    /// The constant.
    pub intercept: Coefficient,
    /// One for each predictor in order; none where it is constant or follows from earlier ones.
    pub coefficients: Vec<Option<Coefficient>>,
    /// The share of the outcome's variance that is explained, 0 to 1.
    pub r_squared: f64,
}

/// A weight and its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficient {
    /// The weight.
    pub value: f64,
    /// Its standard error, from the residual variance with n − p degrees of freedom.
    pub error: f64,
}

impl LeastSquares {
    /// A regression on so many predictors.
    pub fn new(predictors: usize) -> Self {
        let columns = predictors + 1;
        Self {
            rows: 0,
            means: vec![0.0; columns],
            moments: vec![0.0; columns * columns],
            deviations: vec![0.0; columns],
        }
    }

    /// Adds a row: the predictors and the outcome. Values beyond the predictors are ignored.
    #[expect(clippy::indexing_slicing, reason = "the square matrix has a row and a column for each mean")]
    pub fn add(&mut self, predictors: &[f64], outcome: f64) {
        self.rows += 1;
        let (count, columns) = (self.rows as f64, self.means.len());
        let values = predictors.iter().copied().take(columns - 1).chain([outcome]);
        for ((value, mean), deviation) in values.zip(&mut self.means).zip(&mut self.deviations) {
            *deviation = value - *mean;
            *mean += *deviation / count;
        }
        let weight = (count - 1.0) / count;
        for row in 0..columns {
            for column in 0..columns {
                self.moments[row * columns + column] +=
                    weight * self.deviations[row] * self.deviations[column];
            }
        }
    }

    /// The correlation of the outcome with each predictor; none where one of the two is constant.
    pub fn correlations(&self) -> Vec<Option<f64>> {
        let scales = self.scales();
        let outcome = self.means.len() - 1;
        let of = |column| {
            let product = scales.get(column)? * scales.get(outcome)?;
            (product > 0.0).then(|| self.moment(column, outcome) / product)
        };
        (0..outcome).map(of).collect()
    }

    /// Solves it; none with fewer rows than weights plus one, or where no predictor or the outcome does not vary.
    #[expect(clippy::indexing_slicing, reason = "all indices are below the number of columns")]
    pub fn solve(&self) -> Option<Fit> {
        let columns = self.means.len();
        let outcome = columns - 1;
        let scales = self.scales();
        if scales[outcome] <= 0.0 {
            return None;
        }
        let correlation = |row: usize, column: usize| {
            let product = scales[row] * scales[column];
            if product > 0.0 { self.moment(row, column) / product } else { 0.0 }
        };
        let mut swept: Vec<f64> =
            (0..columns * columns).map(|cell| correlation(cell / columns, cell % columns)).collect();
        let used: Vec<bool> =
            (0..outcome).map(|pivot| scales[pivot] > 0.0 && sweep(&mut swept, columns, pivot)).collect();
        let weights = used.iter().filter(|used| **used).count();
        let freedom = self.rows.checked_sub(weights as u64 + 1).filter(|freedom| *freedom > 0)? as f64;
        if weights == 0 {
            return None;
        }
        let unexplained = swept[outcome * columns + outcome].max(0.0);
        let variance = unexplained * scales[outcome] * scales[outcome] / freedom;
        let inverse =
            |row: usize, column: usize| swept[row * columns + column] / (scales[row] * scales[column]);
        let coefficient = |column: usize| {
            used[column].then(|| Coefficient {
                value: swept[column * columns + outcome] * scales[outcome] / scales[column],
                error: (variance * inverse(column, column).max(0.0)).sqrt(),
            })
        };
        let coefficients: Vec<_> = (0..outcome).map(coefficient).collect();
        let terms = coefficients.iter().zip(&self.means);
        let explained: f64 = terms.map(|(term, mean)| term.map_or(0.0, |term| term.value * mean)).sum();
        let spread: f64 = (0..outcome)
            .flat_map(|row| (0..outcome).map(move |column| (row, column)))
            .filter(|(row, column)| used[*row] && used[*column])
            .map(|(row, column)| self.means[row] * inverse(row, column) * self.means[column])
            .sum();
        let intercept = Coefficient {
            value: self.means[outcome] - explained,
            error: (variance * (1.0 / self.rows as f64 + spread.max(0.0))).sqrt(),
        };
        Some(Fit { rows: self.rows, intercept, coefficients, r_squared: 1.0 - unexplained })
    }

    fn moment(&self, row: usize, column: usize) -> f64 {
        self.moments.get(row * self.means.len() + column).copied().unwrap_or_default()
    }

    /// The root of each column's sum of squared deviations; 0 where it does not vary beyond rounding.
    fn scales(&self) -> Vec<f64> {
        let scale = |(column, mean): (usize, &f64)| {
            let scale = self.moment(column, column).max(0.0).sqrt();
            let rounding = mean.abs() * (self.rows as f64).sqrt() * 1e-12;
            if scale > rounding { scale } else { 0.0 }
        };
        self.means.iter().enumerate().map(scale).collect()
    }
}

/// Takes a predictor into the regression; false, and nothing happens, where the earlier ones already say it.
#[expect(clippy::indexing_slicing, reason = "all indices are below the number of columns")]
fn sweep(matrix: &mut [f64], columns: usize, pivot: usize) -> bool {
    let divisor = matrix[pivot * columns + pivot];
    if divisor < TOLERANCE {
        return false;
    }
    for column in 0..columns {
        matrix[pivot * columns + column] /= divisor;
    }
    for row in (0..columns).filter(|row| *row != pivot) {
        let factor = matrix[row * columns + pivot];
        for column in 0..columns {
            matrix[row * columns + column] -= factor * matrix[pivot * columns + column];
        }
        matrix[row * columns + pivot] = -factor / divisor;
    }
    matrix[pivot * columns + pivot] = 1.0 / divisor;
    true
}

#[cfg(test)]
mod tests {
    use super::LeastSquares;

    #[test]
    fn a_line_and_its_error_are_those_of_the_textbook() {
        // Anscombe's first set: intercept 3.0001 (1.1247), slope 0.5001 (0.1179), R² 0.6665.
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        let mut line = LeastSquares::new(1);
        x.iter().zip(y).for_each(|(x, y)| line.add(&[*x], y));
        let fit = line.solve().unwrap();
        let slope = fit.coefficients[0].unwrap();
        for (found, expected) in [
            (fit.intercept.value, 3.0001),
            (fit.intercept.error, 1.1247),
            (slope.value, 0.5001),
            (slope.error, 0.1179),
            (fit.r_squared, 0.6665),
        ] {
            assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
    }

    #[test]
    fn what_says_nothing_of_its_own_has_no_weight() {
        let mut plane = LeastSquares::new(3);
        for (x, y) in [(1.0, 2.0), (2.0, 3.5), (3.0, 6.5), (4.0, 8.0)] {
            plane.add(&[x, 2.0 * x + 1.0, 5.0], y);
        }
        let fit = plane.solve().unwrap();
        assert!(fit.coefficients[0].is_some());
        assert_eq!(fit.coefficients[1..], [None, None]);
    }

    #[test]
    fn too_few_rows_or_a_constant_outcome_have_no_solution() {
        let mut two = LeastSquares::new(1);
        two.add(&[1.0], 2.0);
        two.add(&[2.0], 5.0);
        assert_eq!(two.solve(), None);
        let mut flat = LeastSquares::new(1);
        (0..9).for_each(|x| flat.add(&[f64::from(x)], 0.1));
        assert_eq!(flat.solve(), None);
    }
}
