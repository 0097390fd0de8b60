//! A straight line through a series.

use super::{Errors, Outlook};

/// A line by least squares over the periods 1, 2, 3 …
#[derive(Debug, Clone, PartialEq)]
pub struct LinearTrend {
    /// Its value at period 0.
    pub intercept: f64,
    /// What a period adds.
    pub slope: f64,
    periods: f64,
    mean_period: f64,
    squares_of_periods: f64,
    /// What the line leaves over.
    errors: Errors,
}

impl LinearTrend {
    /// Fits a line. None below two values.
    pub fn of(series: &[f64]) -> Option<Self> {
        if series.len() < 2 {
            return None;
        }
        let periods = series.len() as f64;
        let mean_period = (periods + 1.0) / 2.0;
        let mean = series.iter().sum::<f64>() / periods;
        let (mut squares, mut products) = (0.0, 0.0);
        for (place, value) in series.iter().enumerate() {
            let distance = (place + 1) as f64 - mean_period;
            squares += distance * distance;
            products += distance * (value - mean);
        }
        let slope = products / squares;
        let intercept = mean - slope * mean_period;
        let errors =
            series.iter().enumerate().map(|(place, value)| value - intercept - slope * (place + 1) as f64);
        let errors = Errors::of(errors);
        Some(Self { intercept, slope, periods, mean_period, squares_of_periods: squares, errors })
    }

    /// The line beyond the series; deviations as textbooks give them for a new observation (Montgomery, Peck and Vining, *Introduction to
    /// Linear Regression Analysis*, ch. 2.5).
    pub fn outlook(&self, horizon: usize) -> Outlook {
        let places = (1..=horizon).map(|step| self.periods + step as f64);
        let values = places.clone().map(|place| self.intercept + self.slope * place).collect();
        let deviation = |place: f64| {
            let distance = place - self.mean_period;
            let share = 1.0 + 1.0 / self.periods + distance * distance / self.squares_of_periods;
            self.errors.deviation(2) * share.sqrt()
        };
        let learned = vec![("intercept", self.intercept), ("slope", self.slope)];
        Outlook {
            values,
            deviations: places.map(deviation).collect(),
            learned,
            season: Vec::new(),
            squared_errors: self.errors.sum(),
        }
    }
}
