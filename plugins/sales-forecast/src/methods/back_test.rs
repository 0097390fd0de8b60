//! How well a method would have forecast what is known by now.

use super::{Method, Outlook, Settings};

/// The errors of a forecast over the values that came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Mean absolute error in percent of each value; none where a value is 0.
    pub mape: Option<f64>,
    /// The mean absolute error as a share of that of the seasonal naive forecast one season ahead within the training part (Hyndman and
    /// Koehler 2006); below 1 is better than it. None where that one makes no error.
    pub mase: Option<f64>,
}

/// A method that was tried on what is known.
#[derive(Debug, Clone, PartialEq)]
pub struct BackTest {
    /// Which one.
    pub method: Method,
    /// Mean errors over all origins; none where the method cannot be used on the series.
    pub accuracy: Option<Accuracy>,
}

/// The errors of `forecast` against `actual`; `training` is what the forecast was made from. None where there is nothing to compare.
pub fn accuracy(training: &[f64], season: usize, forecast: &[f64], actual: &[f64]) -> Option<Accuracy> {
    if actual.is_empty() || forecast.len() != actual.len() {
        return None;
    }
    let mean = |errors: &mut dyn Iterator<Item = f64>| errors.sum::<f64>() / actual.len() as f64;
    let errors = || forecast.iter().zip(actual).map(|(forecast, actual)| actual - forecast);
    let mae = mean(&mut errors().map(f64::abs));
    let has_zero = actual.contains(&0.0);
    let shares = errors().zip(actual).map(|(error, actual)| (error / actual).abs() * 100.0);
    let mape = (!has_zero).then(|| mean(&mut { shares }));
    let scale = seasonal_error(training, season);
    Some(Accuracy {
        rmse: mean(&mut errors().map(|error| error * error)).sqrt(),
        mae,
        mape,
        mase: scale.filter(|scale| *scale > 0.0).map(|scale| mae / scale),
    })
}

/// Tries every method: each of `origins` (at least 1) times it forecasts `test` values that are known, from those before them, each time
/// one value earlier. The result is in the order of [`Method::ALL`].
pub fn back_test(series: &[f64], test: usize, origins: usize, settings: &Settings) -> Vec<BackTest> {
    let tried = |method: Method| {
        let all: Option<Vec<Accuracy>> =
            (0..origins.max(1)).map(|back| tried_once(method, series, test, back, settings)).collect();
        BackTest { method, accuracy: all.and_then(|all| mean_of(&all)) }
    };
    Method::ALL.into_iter().map(tried).collect()
}

/// The method with the least mean absolute error; of equal ones the simplest. None where none could be used.
pub fn choose(tests: &[BackTest]) -> Option<Method> {
    let with_error = tests.iter().filter_map(|test| Some((test.method, test.accuracy?.mae)));
    with_error.min_by(|one, other| one.1.total_cmp(&other.1)).map(|(method, _)| method)
}

fn tried_once(
    method: Method,
    series: &[f64],
    test: usize,
    back: usize,
    settings: &Settings,
) -> Option<Accuracy> {
    let end = series.len().checked_sub(back)?;
    let (training, actual) = series.get(..end)?.split_at_checked(end.checked_sub(test)?)?;
    let Outlook { values, .. } = method.continue_series(training, actual.len(), settings)?;
    accuracy(training, settings.season, &values, actual)
}

fn seasonal_error(training: &[f64], season: usize) -> Option<f64> {
    let season = season.max(1);
    let count = training.len().checked_sub(season).filter(|count| *count > 0)?;
    let errors = training.iter().skip(season).zip(training).map(|(value, before)| (value - before).abs());
    Some(errors.sum::<f64>() / count as f64)
}

fn mean_of(all: &[Accuracy]) -> Option<Accuracy> {
    let count = all.len() as f64;
    let mean = |pick: fn(&Accuracy) -> Option<f64>| {
        let values: Option<Vec<f64>> = all.iter().map(pick).collect();
        values.map(|values| values.iter().sum::<f64>() / count)
    };
    Some(Accuracy {
        rmse: mean(|one| Some(one.rmse))?,
        mae: mean(|one| Some(one.mae))?,
        mape: mean(|one| one.mape),
        mase: mean(|one| one.mase),
    })
}
