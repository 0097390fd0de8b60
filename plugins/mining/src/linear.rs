//! Solving symmetric systems that may not have full rank.

/// A symmetric positive semidefinite matrix, its lower triangle row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Symmetric {
    size: usize,
    cells: Vec<f64>,
}

/// The Cholesky factor of the columns that are not linear combinations of earlier ones.
#[derive(Debug, Clone)]
pub struct Factor {
    lower: Symmetric,
    kept: Vec<bool>,
}

impl Symmetric {
    /// A matrix of zeros.
    pub fn zeros(size: usize) -> Self {
        Self { size, cells: vec![0.0; size * (size + 1) / 2] }
    }

    /// How many rows it has.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The cells of `row` up to its diagonal.
    #[expect(clippy::indexing_slicing, reason = "a row below `size` lies within the cells")]
    #[inline]
    pub fn row(&self, row: usize) -> &[f64] {
        let start = row * (row + 1) / 2;
        &self.cells[start..=start + row]
    }

    /// The cells of `row` up to its diagonal, to change them.
    #[expect(clippy::indexing_slicing, reason = "a row below `size` lies within the cells")]
    #[inline]
    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        let start = row * (row + 1) / 2;
        &mut self.cells[start..=start + row]
    }

    /// A cell; the order of `row` and `column` does not matter.
    #[expect(clippy::indexing_slicing, reason = "a column up to the row lies within the row")]
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.row(row.max(column))[row.min(column)]
    }

    /// Multiplies every cell.
    pub fn scale(&mut self, factor: f64) {
        self.cells.iter_mut().for_each(|cell| *cell *= factor);
    }

    /// Adds to the diagonal.
    pub fn add_to_diagonal(&mut self, values: &[f64]) {
        for (place, value) in values.iter().enumerate().take(self.size) {
            if let Some(last) = self.row_mut(place).last_mut() {
                *last += value;
            }
        }
    }

    /// Factors it column by column, leaving out those of which less than `tolerance` of their own length is left once the earlier ones are
    /// taken away: the rank is the number of columns kept. With `only`, columns that it does not name are left out as well.
    #[expect(clippy::indexing_slicing, reason = "places below `size`, in triangles of that size")]
    pub fn factor(&self, tolerance: f64, only: Option<&[bool]>) -> Factor {
        let mut lower = self.clone();
        let mut kept = vec![false; self.size];
        for row in 0..self.size {
            let wanted = only.is_none_or(|only| only[row]);
            for column in 0..row {
                let value = if wanted && kept[column] {
                    let (mine, above) = (lower.row(row), lower.row(column));
                    let known: f64 =
                        mine[..column].iter().zip(&above[..column]).map(|(one, other)| one * other).sum();
                    (mine[column] - known) / above[column]
                } else {
                    0.0
                };
                lower.row_mut(row)[column] = value;
            }
            let whole = self.row(row)[row];
            let taken: f64 = lower.row(row)[..row].iter().map(|value| value * value).sum();
            let left = whole - taken;
            kept[row] = wanted && whole > 0.0 && left > tolerance * whole;
            lower.row_mut(row)[row] = if kept[row] { left.sqrt() } else { 1.0 };
            if !kept[row] {
                lower.row_mut(row)[..row].fill(0.0);
            }
        }
        Factor { lower, kept }
    }
}

impl Factor {
    /// How many columns were kept.
    pub fn rank(&self) -> usize {
        self.kept.iter().filter(|kept| **kept).count()
    }

    /// Which columns were kept.
    pub fn kept(&self) -> &[bool] {
        &self.kept
    }

    /// A solution of `matrix · x = right`, with 0 for columns that were left out.
    #[expect(clippy::indexing_slicing, reason = "places below `size`, in a triangle of that size")]
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let size = self.lower.size();
        let mut solution = vec![0.0; size];
        for row in 0..size {
            if !self.kept[row] {
                continue;
            }
            let cells = self.lower.row(row);
            let known: f64 = cells[..row].iter().zip(&solution).map(|(one, other)| one * other).sum();
            solution[row] = (right[row] - known) / cells[row];
        }
        for row in (0..size).rev() {
            if !self.kept[row] {
                continue;
            }
            let cells = self.lower.row(row);
            let value = solution[row] / cells[row];
            solution[row] = value;
            for (left, cell) in solution[..row].iter_mut().zip(cells) {
                *left -= cell * value;
            }
        }
        solution
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependent_columns_are_left_out_and_the_rest_is_solved() {
        // The third column is the sum of the first two.
        let columns = [[1.0, 2.0, 0.5, 1.0], [0.0, 1.0, 3.0, 1.0], [1.0, 3.0, 3.5, 2.0]];
        let mut matrix = Symmetric::zeros(3);
        for (row, one) in columns.iter().enumerate() {
            for (column, other) in columns.iter().enumerate().take(row + 1) {
                matrix.row_mut(row)[column] = one.iter().zip(other).map(|(a, b)| a * b).sum();
            }
        }
        let factor = matrix.factor(1e-9, None);
        assert_eq!(factor.kept(), [true, true, false]);
        let right: Vec<f64> = (0..3).map(|row| 2.0 * matrix.at(row, 0) - matrix.at(row, 1)).collect();
        let solution = factor.solve(&right);
        assert!((solution[0] - 2.0).abs() < 1e-12 && (solution[1] + 1.0).abs() < 1e-12, "{solution:?}");
        assert_eq!(solution[2], 0.0);
    }
}
