//! Logistic regression: plain maximum likelihood, or with a quadratic penalty (ridge).
//!
//! Newton's method with halved steps (McCullagh and Nelder, *Generalized Linear Models*, 1989, chapter 2.5). Columns of the design that are
//! linear combinations of earlier ones are left out, as R's `glm` does: predictions and likelihood do not depend on which are.

use trellis_sdk::math::{exp, log, log1p};
use trellis_sdk::{ModelReader, ModelWriter, Result};

use crate::encoding::{Encoded, NO_LEVEL, Values};
use crate::linear::Symmetric;

/// What keeps coefficients small.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Penalty {
    /// Nothing: maximum likelihood.
    None,
    /// Minimises `½·|w|² + c·Σ log loss`, `w` of standardised columns (mean and population standard deviation of training; 1 where that is 0), the
    /// intercept free.
    Ridge {
        /// The weight of the data; 1 is usual.
        c: f64,
    },
}

/// A logistic regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    /// In the units of the design.
    pub intercept: f64,
    /// One for each column of the design, in its units; 0 where the column was left out.
    pub coefficients: Vec<f64>,
    /// The mean of each column of the design in training.
    pub means: Vec<f64>,
    /// The population standard deviation of each column in training; 1 where it is 0.
    pub deviations: Vec<f64>,
}

/// A logistic regression, and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The regression.
    pub model: Logistic,
    /// Of the training rows.
    pub log_likelihood: f64,
    /// Of the training rows under their mean.
    pub null_log_likelihood: f64,
    /// What was minimised; the negative log-likelihood where there is no penalty.
    pub objective: f64,
    /// How many Newton steps were taken.
    pub iterations: usize,
    /// How many columns of the design are independent, with the intercept.
    pub rank: usize,
    /// Whether a combination of columns separates the classes, so that coefficients grow without end and mean nothing.
    pub is_separated: bool,
}

const ITERATIONS_MAX: usize = 60;
/// What is left of a column that others explain, as a share of its length, below which it counts as explained.
const RANK_TOLERANCE: f64 = 1e-9;
/// A change of the objective, as a share of it, below which it is at its minimum.
const CHANGE_MIN: f64 = 1e-12;
/// A Newton step at the minimum that is still so long, in standard deviations, is one towards infinity.
const STEP_OF_SEPARATION: f64 = 1e-2;

/// Learns from rows of both classes.
///
/// # Errors
/// The only class, where there is one; `None` where there are no rows.
pub fn fit(rows: &Encoded, positive: &[bool], penalty: Penalty) -> Result<Fitted, Option<bool>> {
    let count = positive.len() as f64;
    let positives = positive.iter().filter(|positive| **positive).count() as f64;
    if positives == 0.0 || positives == count {
        return Err(positive.first().copied());
    }
    let design = Design::new(rows);
    let (data_weight, ridge) = match penalty {
        Penalty::None => (1.0, vec![0.0; design.width + 1]),
        Penalty::Ridge { c } => (c, design.ridge()),
    };
    let share = positives / count;
    let mut state = Newton {
        design,
        positive,
        data_weight,
        ridge,
        weights: Vec::new(),
        objective: 0.0,
        margins: Vec::new(),
        tells_apart: false,
    };
    state.weights = vec![0.0; state.design.width + 1];
    if let Some(intercept) = state.weights.first_mut() {
        *intercept = log(share / (1.0 - share));
    }
    let outcome = state.run();
    let likelihood = state.log_likelihood(&state.margins);
    Ok(Fitted {
        model: state.design.model(&state.weights),
        log_likelihood: likelihood,
        null_log_likelihood: positives * log(share) + (count - positives) * log(1.0 - share),
        objective: state.objective,
        iterations: outcome.iterations,
        rank: outcome.rank,
        is_separated: penalty == Penalty::None
            && (state.tells_apart || outcome.last_step > STEP_OF_SEPARATION),
    })
}

impl Logistic {
    /// The log odds of every row.
    pub fn margins(&self, rows: &Encoded) -> Vec<f64> {
        let mut margins = vec![self.intercept; rows.rows];
        self.add_up(rows, |_, row_values| {
            for (margin, value) in margins.iter_mut().zip(row_values) {
                *margin += value;
            }
        });
        margins
    }

    /// What each feature adds to the log odds of each row beyond what it adds on average: feature by feature, row by row.
    pub fn contributions(&self, rows: &Encoded) -> Vec<Vec<f64>> {
        let mut contributions = vec![vec![0.0; rows.rows]; rows.features.len()];
        let mut averages = vec![0.0; rows.features.len()];
        let mut column = 0;
        for (average, values) in averages.iter_mut().zip(&rows.features) {
            let width = values.columns();
            let places = self.coefficients.iter().zip(&self.means).skip(column).take(width);
            *average = places.map(|(coefficient, mean)| coefficient * mean).sum();
            column += width;
        }
        self.add_up(rows, |feature, row_values| {
            if let (Some(found), Some(average)) = (contributions.get_mut(feature), averages.get(feature)) {
                for (contribution, value) in found.iter_mut().zip(row_values) {
                    *contribution = value - average;
                }
            }
        });
        contributions
    }

    /// Coefficients and intercept of standardised columns.
    pub fn standardised(&self) -> (f64, Vec<f64>) {
        let shift: f64 = self.coefficients.iter().zip(&self.means).map(|(one, mean)| one * mean).sum();
        let scaled = self.coefficients.iter().zip(&self.deviations).map(|(one, deviation)| one * deviation);
        (self.intercept + shift, scaled.collect())
    }

    /// Hands over what each feature adds to each row, feature after feature.
    fn add_up(&self, rows: &Encoded, mut each: impl FnMut(usize, &mut dyn Iterator<Item = f64>)) {
        let mut rest = self.coefficients.as_slice();
        for (feature, values) in rows.features.iter().enumerate() {
            let (mine, others) = rest.split_at_checked(values.columns()).unwrap_or((&[], rest));
            rest = others;
            match values {
                Values::Numbers(numbers) => {
                    let coefficient = mine.first().copied().unwrap_or(0.0);
                    each(feature, &mut numbers.iter().map(|number| coefficient * number));
                }
                Values::Levels { codes, .. } => {
                    let of_level = |code: &u8| mine.get(usize::from(*code)).copied().unwrap_or(0.0);
                    each(feature, &mut codes.iter().map(of_level));
                }
            }
        }
    }

    /// Writes the regression.
    pub fn write(&self, writer: ModelWriter) -> ModelWriter {
        writer.f64(self.intercept).f64s(&self.coefficients).f64s(&self.means).f64s(&self.deviations)
    }

    /// Reads what [`Logistic::write`] wrote.
    ///
    /// # Errors
    /// [`trellis_sdk::PluginError::UnreadableModel`] for anything else.
    pub fn read(reader: &mut ModelReader<'_>) -> Result<Self> {
        Ok(Self {
            intercept: reader.f64()?,
            coefficients: reader.f64s()?,
            means: reader.f64s()?,
            deviations: reader.f64s()?,
        })
    }
}

/// The probability that belongs to log odds.
pub fn probability(margin: f64) -> f64 {
    if margin >= 0.0 {
        1.0 / (1.0 + exp(-margin))
    } else {
        let odds = exp(margin);
        odds / (1.0 + odds)
    }
}

/// Minus the logarithm of the probability of what happened.
fn log_loss(margin: f64, positive: bool) -> f64 {
    let against = if positive { -margin } else { margin };
    if against > 0.0 { against + log1p(exp(-against)) } else { log1p(exp(against)) }
}

impl Values {
    /// How many columns of the design it makes.
    pub fn columns(&self) -> usize {
        match self {
            Self::Numbers(_) => 1,
            Self::Levels { count, .. } => *count,
        }
    }
}

/// The design with standardised numbers, read row by row.
struct Design<'a> {
    rows: &'a Encoded,
    width: usize,
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl<'a> Design<'a> {
    fn new(rows: &'a Encoded) -> Self {
        let count = rows.rows as f64;
        let (mut means, mut deviations) = (Vec::new(), Vec::new());
        for values in &rows.features {
            match values {
                Values::Numbers(numbers) => {
                    let mean = numbers.iter().sum::<f64>() / count;
                    let squares: f64 = numbers.iter().map(|number| (number - mean) * (number - mean)).sum();
                    means.push(mean);
                    // Rounding alone gives a constant column a variance.
                    let is_constant = numbers.iter().all(|number| Some(number) == numbers.first());
                    deviations.push(if is_constant { 1.0 } else { (squares / count).sqrt() });
                }
                Values::Levels { codes, count: levels } => {
                    let mut counts = vec![0_usize; *levels];
                    for code in codes {
                        if let Some(found) = counts.get_mut(usize::from(*code)) {
                            *found += 1;
                        }
                    }
                    for found in counts {
                        let mean = found as f64 / count;
                        means.push(mean);
                        let deviation = (mean * (1.0 - mean)).sqrt();
                        deviations.push(if deviation > 0.0 { deviation } else { 1.0 });
                    }
                }
            }
        }
        Self { rows, width: means.len(), means, deviations }
    }

    /// The penalty of each weight, the intercept first: numbers are standardised here, 0/1 columns are not.
    fn ridge(&self) -> Vec<f64> {
        let mut ridge = vec![0.0];
        let mut deviations = self.deviations.iter();
        for values in &self.rows.features {
            let mine = deviations.by_ref().take(values.columns());
            match values {
                Values::Numbers(_) => ridge.extend(mine.map(|_| 1.0)),
                Values::Levels { .. } => ridge.extend(mine.map(|deviation| deviation * deviation)),
            }
        }
        ridge
    }

    /// Its numbers and its levels, each with where its columns stand among the weights, of which the intercept's is the first.
    fn parts(&self) -> (Vec<Numbers<'_>>, Vec<Levels<'_>>) {
        let (mut numbers, mut levels, mut column) = (Vec::new(), Vec::new(), 1);
        let mut standards = self.means.iter().zip(&self.deviations);
        for values in &self.rows.features {
            let width = values.columns();
            let first = standards.by_ref().take(width).fold(None, |first, standard| first.or(Some(standard)));
            match (values, first) {
                (Values::Numbers(values), Some((mean, deviation))) => {
                    numbers.push(Numbers { column, values, mean: *mean, deviation: *deviation });
                }
                (Values::Levels { codes, count }, _) => levels.push(Levels { column, codes, count: *count }),
                _ => {}
            }
            column += width;
        }
        (numbers, levels)
    }

    /// The log odds of every row under `weights` of standardised columns.
    fn margins(&self, weights: &[f64]) -> Vec<f64> {
        let weight = |column: usize| weights.get(column).copied().unwrap_or(0.0);
        let mut margins = vec![weight(0); self.rows.rows];
        let (numbers, levels) = self.parts();
        for number in numbers {
            let weight = weight(number.column);
            for (margin, value) in margins.iter_mut().zip(number.values) {
                *margin += (value - number.mean) / number.deviation * weight;
            }
        }
        for level in levels {
            let weights: Vec<f64> = level.columns().map(weight).collect();
            for (margin, code) in margins.iter_mut().zip(level.codes) {
                // A level that was not met has no weight.
                *margin += weights.get(usize::from(*code)).copied().unwrap_or(0.0);
            }
        }
        margins
    }

    fn model(&self, weights: &[f64]) -> Logistic {
        let (intercept, weights) =
            weights.split_first().map_or((0.0, &[][..]), |(first, rest)| (*first, rest));
        let mut coefficients = Vec::with_capacity(self.width);
        let mut shift = 0.0;
        let mut columns = weights.iter().zip(self.means.iter().zip(&self.deviations));
        for values in &self.rows.features {
            let is_number = matches!(values, Values::Numbers(_));
            for (weight, (mean, deviation)) in columns.by_ref().take(values.columns()) {
                let coefficient = if is_number { weight / deviation } else { *weight };
                shift += if is_number { coefficient * mean } else { 0.0 };
                coefficients.push(coefficient);
            }
        }
        Logistic {
            intercept: intercept - shift,
            coefficients,
            means: self.means.clone(),
            deviations: self.deviations.clone(),
        }
    }
}

/// A numeric column of the design.
struct Numbers<'a> {
    column: usize,
    values: &'a [f64],
    mean: f64,
    deviation: f64,
}

impl Numbers<'_> {
    #[expect(clippy::indexing_slicing, reason = "every feature has a value a row")]
    #[inline]
    fn at(&self, row: usize) -> f64 {
        (self.values[row] - self.mean) / self.deviation
    }
}

/// The 0/1 columns of a category.
struct Levels<'a> {
    /// Where the first one stands.
    column: usize,
    codes: &'a [u8],
    count: usize,
}

impl Levels<'_> {
    fn columns(&self) -> std::ops::Range<usize> {
        self.column..self.column + self.count
    }

    /// Which of its columns is 1 in a row.
    #[expect(clippy::indexing_slicing, reason = "every feature has a value a row")]
    #[inline]
    fn column(&self, row: usize) -> Option<usize> {
        let code = self.codes[row];
        (code != NO_LEVEL).then(|| self.column + usize::from(code))
    }
}

struct Newton<'a> {
    design: Design<'a>,
    positive: &'a [bool],
    data_weight: f64,
    ridge: Vec<f64>,
    weights: Vec<f64>,
    objective: f64,
    /// The log odds of every row under the weights.
    margins: Vec<f64>,
    /// Whether the weights put every row on the side of its class: then each multiple of them is better still, and there is no maximum.
    tells_apart: bool,
}

struct Outcome {
    iterations: usize,
    rank: usize,
    last_step: f64,
}

impl Newton<'_> {
    fn run(&mut self) -> Outcome {
        let margins = self.design.margins(&self.weights);
        self.stand(self.weights.clone(), self.objective_at(&self.weights, &margins), margins);
        let mut kept: Option<Vec<bool>> = None;
        let mut outcome = Outcome { iterations: 0, rank: 0, last_step: 0.0 };
        while outcome.iterations < ITERATIONS_MAX {
            let (gradient, curvature) = self.derivatives();
            let factor =
                curvature.factor(if kept.is_some() { 1e-14 } else { RANK_TOLERANCE }, kept.as_deref());
            if kept.is_none() {
                // All rows weigh the same at the start, so that this is the rank of the design itself.
                outcome.rank = factor.rank();
                kept = Some(factor.kept().to_vec());
            }
            let step = factor.solve(&gradient);
            outcome.iterations += 1;
            outcome.last_step = step.iter().fold(0.0, |longest, part| f64::max(longest, part.abs()));
            let before = self.objective;
            self.advance(&step);
            let is_endless = self.tells_apart && self.ridge.iter().all(|ridge| *ridge == 0.0);
            if is_endless || before - self.objective <= CHANGE_MIN * before.abs() {
                break;
            }
        }
        outcome
    }

    /// Goes the step, or the largest half of a half of it that makes things better.
    fn advance(&mut self, step: &[f64]) {
        let mut length = 1.0;
        for _ in 0..40 {
            let tried: Vec<f64> =
                self.weights.iter().zip(step).map(|(weight, part)| weight + length * part).collect();
            let margins = self.design.margins(&tried);
            let objective = self.objective_at(&tried, &margins);
            if objective <= self.objective {
                self.stand(tried, objective, margins);
                return;
            }
            length /= 2.0;
        }
    }

    /// Stands at `weights`, which have `objective` and give the rows these log odds.
    fn stand(&mut self, weights: Vec<f64>, objective: f64, margins: Vec<f64>) {
        let mut sides = self.positive.iter().zip(&margins);
        self.tells_apart =
            sides.all(|(positive, margin)| if *positive { *margin > 0.0 } else { *margin < 0.0 });
        (self.weights, self.objective, self.margins) = (weights, objective, margins);
    }

    /// What is to become small.
    fn objective_at(&self, weights: &[f64], margins: &[f64]) -> f64 {
        let penalty: f64 =
            weights.iter().zip(&self.ridge).map(|(weight, ridge)| ridge * weight * weight).sum();
        penalty / 2.0 - self.data_weight * self.log_likelihood(margins)
    }

    fn log_likelihood(&self, margins: &[f64]) -> f64 {
        let rows = self.positive.iter().zip(margins);
        rows.fold(0.0, |sum, (positive, margin)| sum - log_loss(*margin, *positive))
    }

    /// Minus the gradient, and the matrix of second derivatives.
    ///
    /// Numbers fill every row and lie beside each other here, with the intercept, so that their products are sums over slices; a level adds
    /// to its own cells only.
    #[expect(
        clippy::indexing_slicing,
        reason = "columns of the design are below its width, and features have a value a row"
    )]
    fn derivatives(&self) -> (Vec<f64>, Symmetric) {
        let size = self.design.width + 1;
        let (mut gradient, mut curvature) = (vec![0.0; size], Symmetric::zeros(size));
        let (numbers, levels) = self.design.parts();
        let width = numbers.len() + 1;
        let mut dense = vec![1.0; width];
        let (mut slopes, mut products) = (vec![0.0; width], vec![0.0; width * width]);
        let mut beside = vec![0.0; size * width];
        let mut met = Vec::with_capacity(levels.len());
        for (place, (positive, margin)) in self.positive.iter().zip(&self.margins).enumerate() {
            for (cell, number) in dense[1..].iter_mut().zip(&numbers) {
                *cell = number.at(place);
            }
            let expected = probability(*margin);
            let residual = f64::from(u8::from(*positive)) - expected;
            let weight = expected * (1.0 - expected);
            for (index, value) in dense.iter().enumerate() {
                slopes[index] += residual * value;
                let weighted = weight * value;
                let cells = &mut products[index * width..][..=index];
                cells.iter_mut().zip(&dense).for_each(|(sum, cell)| *sum += weighted * cell);
            }
            met.clear();
            for column in levels.iter().filter_map(|level| level.column(place)) {
                gradient[column] += residual;
                let cells = &mut beside[column * width..][..width];
                cells.iter_mut().zip(&dense).for_each(|(sum, cell)| *sum += weight * cell);
                met.push(column);
                let cells = curvature.row_mut(column);
                met.iter().for_each(|other| cells[*other] += weight);
            }
        }
        let places: Vec<usize> =
            std::iter::once(0).chain(numbers.iter().map(|number| number.column)).collect();
        for (index, column) in places.iter().enumerate() {
            gradient[*column] = slopes[index];
            for (other, product) in places.iter().zip(&products[index * width..][..=index]) {
                curvature.row_mut(*column)[*other] = *product;
            }
        }
        for column in levels.iter().flat_map(|level| level.columns()) {
            for (other, product) in places.iter().zip(&beside[column * width..][..width]) {
                curvature.row_mut(column.max(*other))[column.min(*other)] = *product;
            }
        }
        curvature.scale(self.data_weight);
        curvature.add_to_diagonal(&self.ridge);
        for ((slope, weight), ridge) in gradient.iter_mut().zip(&self.weights).zip(&self.ridge) {
            *slope = self.data_weight * *slope - ridge * weight;
        }
        (gradient, curvature)
    }
}
