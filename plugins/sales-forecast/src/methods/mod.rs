//! Methods that continue a series of numbers.

mod back_test;
mod holt_winters;
mod linear;
mod search;
mod smoothing;

pub use back_test::{Accuracy, BackTest, accuracy, back_test, choose};
pub use holt_winters::{HoltWinters, Seasonality, Smoothing, Start, StartRule};
pub use linear::LinearTrend;
pub use smoothing::{moving_average, simple_smoothing};

use serde::Deserialize;

/// A way to continue a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// As the last value.
    Naive,
    /// As the value a season ago.
    SeasonalNaive,
    /// As the mean of the last values.
    MovingAverage,
    /// Simple exponential smoothing.
    SimpleSmoothing,
    /// A straight line by least squares.
    LinearTrend,
    /// Holt's level and trend.
    Holt,
    /// Holt–Winters with a season that is added.
    HoltWintersAdditive,
    /// Holt–Winters with a season that multiplies.
    HoltWintersMultiplicative,
}

/// What a method needs to know beside the series.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Periods after which the season repeats; below 2 there is none.
    pub season: usize,
    /// Values of a moving average.
    pub window: usize,
    /// Smoothing constants that are given, each from 0 to 1; the others are chosen so that the squared errors are least.
    pub alpha: Option<f64>,
    /// See [`Settings::alpha`].
    pub beta: Option<f64>,
    /// See [`Settings::alpha`].
    pub gamma: Option<f64>,
    /// How Holt–Winters begins.
    pub start: StartRule,
}

impl Default for Settings {
    fn default() -> Self {
        Self { season: 12, window: 3, alpha: None, beta: None, gamma: None, start: StartRule::Decomposition }
    }
}

/// What a method says about the periods to come.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// The value of each period, the nearest first.
    pub values: Vec<f64>,
    /// The standard deviation of the error of each.
    pub deviations: Vec<f64>,
    /// What the method learned, by stable names.
    pub learned: Vec<(&'static str, f64)>,
    /// The season, that of the next period first; empty where the method has none.
    pub season: Vec<f64>,
    /// The sum of the squared errors that the method makes within the series: of each forecast one step ahead, of a line what it leaves
    /// over. None where it makes no forecast within the series.
    pub squared_errors: Option<f64>,
}

impl Method {
    /// All of them, the simplest first: of equally good ones the simplest is chosen.
    pub const ALL: [Self; 8] = [
        Self::Naive,
        Self::SeasonalNaive,
        Self::MovingAverage,
        Self::SimpleSmoothing,
        Self::LinearTrend,
        Self::Holt,
        Self::HoltWintersAdditive,
        Self::HoltWintersMultiplicative,
    ];

    /// Continues `series` by `horizon` periods. None where it is too short for the method, or unsuitable: a multiplying season needs values
    /// above 0.
    pub fn continue_series(self, series: &[f64], horizon: usize, settings: &Settings) -> Option<Outlook> {
        if series.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let outlook = match self {
            Self::Naive => smoothing::naive(series, 1, horizon),
            Self::SeasonalNaive if settings.season >= 2 => smoothing::naive(series, settings.season, horizon),
            Self::SeasonalNaive => None,
            Self::MovingAverage => smoothing::averaged(series, settings.window, horizon),
            Self::SimpleSmoothing => smoothing::smoothed(series, settings.alpha, horizon),
            Self::LinearTrend => LinearTrend::of(series).map(|line| line.outlook(horizon)),
            Self::Holt => HoltWinters::holt(series, settings).map(|fit| fit.outlook(horizon)),
            Self::HoltWintersAdditive => {
                HoltWinters::fit(series, Seasonality::Additive, settings).map(|fit| fit.outlook(horizon))
            }
            Self::HoltWintersMultiplicative => {
                HoltWinters::fit(series, Seasonality::Multiplicative, settings)
                    .map(|fit| fit.outlook(horizon))
            }
        }?;
        outlook.values.iter().all(|value| value.is_finite()).then_some(outlook)
    }

    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::SeasonalNaive => "seasonal_naive",
            Self::MovingAverage => "moving_average",
            Self::SimpleSmoothing => "simple_smoothing",
            Self::LinearTrend => "linear_trend",
            Self::Holt => "holt",
            Self::HoltWintersAdditive => "holt_winters_additive",
            Self::HoltWintersMultiplicative => "holt_winters_multiplicative",
        }
    }

    /// English and Chinese.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Naive => ("Last value", "沿用上期"),
            Self::SeasonalNaive => ("Value a season ago", "沿用去年同期"),
            Self::MovingAverage => ("Moving average", "移动平均"),
            Self::SimpleSmoothing => ("Simple exponential smoothing", "一次指数平滑"),
            Self::LinearTrend => ("Linear trend", "线性趋势"),
            Self::Holt => ("Holt (level and trend)", "霍尔特（水平与趋势）"),
            Self::HoltWintersAdditive => ("Holt–Winters, additive", "霍尔特-温特斯（加法）"),
            Self::HoltWintersMultiplicative => ("Holt–Winters, multiplicative", "霍尔特-温特斯（乘法）"),
        }
    }
}

/// Errors that are added up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Errors {
    count: usize,
    squares: f64,
}

impl Errors {
    fn of(errors: impl Iterator<Item = f64>) -> Self {
        errors.fold(Self::default(), |sum, error| Self {
            count: sum.count + 1,
            squares: sum.squares + error * error,
        })
    }

    /// Their standard deviation around 0, or around what `parameters` were learned for; 0 without a degree of freedom.
    fn deviation(self, parameters: usize) -> f64 {
        match self.count.saturating_sub(parameters) {
            0 => 0.0,
            freedom => (self.squares / freedom as f64).sqrt(),
        }
    }

    /// The sum of their squares, if there are any.
    fn sum(self) -> Option<f64> {
        (self.count > 0).then_some(self.squares)
    }
}
