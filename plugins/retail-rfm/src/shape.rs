//! What a population looks like under the cuts that were learned of it, for the report on the model.

use crate::classes::{self, CLASS_NAMES, MATRIX_NAMES};
use crate::model::RfmModel;
use crate::rows::Rows;

/// How many customers are drawn as points.
pub(crate) const POINTS_MAX: usize = 300;

/// Counts of a population.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Shape {
    /// Customers of each class.
    pub(crate) classes: Vec<u64>,
    /// Customers in each field of the value matrix.
    pub(crate) matrix: Vec<u64>,
    /// Customers in each cell of recency and frequency, recency first.
    pub(crate) cells: Vec<u64>,
    /// What they spent, in minor units.
    pub(crate) spent: Vec<i64>,
    /// Some customers, evenly chosen.
    pub(crate) points: Vec<Point>,
}

/// One customer of the value matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) orders: i64,
    pub(crate) spent: i64,
    /// The field of the matrix, counted as [`MATRIX_NAMES`] are.
    pub(crate) field: u64,
}

impl Shape {
    pub(crate) fn new(groups: usize) -> Self {
        Self {
            classes: vec![0; CLASS_NAMES.len()],
            matrix: vec![0; MATRIX_NAMES.len()],
            cells: vec![0; groups * groups],
            spent: vec![0; groups * groups],
            points: Vec::new(),
        }
    }

    /// Counts the customers of `rows`, of whom the first is number `first` of the population; every `step`th is kept as a point.
    pub(crate) fn add(&mut self, model: &RfmModel, rows: &Rows<'_>, first: usize, step: usize) {
        let scores = model.scores(rows);
        let (classes, matrix) = (classes::classes(model, &scores), classes::value_matrix(model, rows));
        let [recency, frequency, _] = &scores;
        if !model.is_uniform() {
            count(&mut self.classes, &classes);
            count(&mut self.matrix, &matrix);
        }
        let cells: Vec<u32> =
            recency.iter().zip(frequency).map(|(r, f)| r * model.groups as u32 + f).collect();
        count(&mut self.cells, &cells);
        for (cell, spent) in cells.iter().zip(&rows.spent) {
            self.spent
                .iter_mut()
                .skip(*cell as usize)
                .take(1)
                .for_each(|sum| *sum = sum.saturating_add(*spent));
        }
        let points = rows.orders.iter().zip(&rows.spent).zip(&matrix).enumerate();
        let chosen = points.filter(|(place, _)| (first + place).is_multiple_of(step));
        self.points.extend(chosen.map(|(_, ((orders, spent), field))| Point {
            orders: *orders,
            spent: *spent,
            field: u64::from(*field),
        }));
    }
}

fn count(counts: &mut [u64], codes: &[u32]) {
    for code in codes {
        if let Some(count) = counts.get_mut(*code as usize) {
            *count += 1;
        }
    }
}
