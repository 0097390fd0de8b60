//! Holt–Winters: a level, a trend and a season, each smoothed (Holt 1957, Winters 1960).

use serde::Deserialize;

use super::Outlook;
use super::search::least;

/// How the season joins the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seasonality {
    /// It is added: swings of the same size whatever the level.
    Additive,
    /// It multiplies: swings that grow with the level. Needs values above 0.
    Multiplicative,
}

/// The smoothing constants, each from 0 (nothing is learned) to 1 (only the last value counts).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothing {
    /// Of the level.
    pub alpha: f64,
    /// Of the trend.
    pub beta: f64,
    /// Of the season.
    pub gamma: f64,
}

/// Where the recursion begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// The level just before the first value that is smoothed.
    pub level: f64,
    /// The trend there.
    pub trend: f64,
    /// The season, that of the first value of the series first; empty for none.
    pub season: Vec<f64>,
    /// How many values are left out before smoothing begins.
    pub skipped: usize,
}

/// How [`Start`] is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartRule {
    /// A classical decomposition of the first two seasons, as R's `HoltWinters` does: a line through the centred moving average, and the mean
    /// distance from it.
    #[default]
    Decomposition,
    /// The mean of the first season, the difference of the means of the first two seasons, the distances from the first mean.
    Simple,
}

/// A series that was smoothed to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct HoltWinters {
    seasonality: Seasonality,
    /// The constants.
    pub smoothing: Smoothing,
    /// The level after the last value.
    pub level: f64,
    /// The trend after the last value.
    pub trend: f64,
    /// The season, that of the next period first.
    pub season: Vec<f64>,
    /// The sum of the squared errors of each forecast one step ahead.
    pub squared_errors: f64,
    /// How many errors there were.
    errors: usize,
}

impl StartRule {
    /// The start of `series`. None where it has less than two seasons, or values that are not above 0 and a season that multiplies.
    pub fn start(self, series: &[f64], season: usize, seasonality: Seasonality) -> Option<Start> {
        let first = series.get(..season.checked_mul(2)?).filter(|_| season >= 2)?;
        if seasonality == Seasonality::Multiplicative && series.iter().any(|value| *value <= 0.0) {
            return None;
        }
        match self {
            Self::Decomposition => decomposed(first, season, seasonality),
            Self::Simple => Some(simple(first, season, seasonality)),
        }
    }
}

impl HoltWinters {
    /// Smooths `series`, with those constants of `settings` that are given and the best others.
    pub fn fit(series: &[f64], seasonality: Seasonality, settings: &super::Settings) -> Option<Self> {
        let start = settings.start.start(series, settings.season, seasonality)?;
        let given = [settings.alpha, settings.beta, settings.gamma];
        Self::fit_from(series, &start, seasonality, given)
    }

    /// Smooths without a season, begun at the second value with the first difference.
    pub fn holt(series: &[f64], settings: &super::Settings) -> Option<Self> {
        let (first, second) = (series.first()?, series.get(1)?);
        let start = Start { level: *second, trend: second - first, season: Vec::new(), skipped: 2 };
        Self::fit_from(series, &start, Seasonality::Additive, [settings.alpha, settings.beta, Some(0.0)])
    }

    fn fit_from(
        series: &[f64],
        start: &Start,
        seasonality: Seasonality,
        given: [Option<f64>; 3],
    ) -> Option<Self> {
        let free = given.iter().filter(|constant| constant.is_none()).count();
        let smoothing = |found: &[f64]| {
            let mut found = found.iter().copied();
            let mut constant = |given: Option<f64>| given.or_else(|| found.next()).unwrap_or(0.0);
            let [alpha, beta, gamma] = given.map(&mut constant);
            Smoothing { alpha, beta, gamma }
        };
        let squares = |place: &[f64]| {
            Self::run(series, start, seasonality, smoothing(place))
                .map_or(f64::INFINITY, |fit| fit.squared_errors)
        };
        let found = if free == 0 { Vec::new() } else { least(free, squares) };
        Self::run(series, start, seasonality, smoothing(&found))
    }

    /// Smooths `series` from `start` with these constants. None where nothing is left to smooth, or a level became 0 or worse under a
    /// season that multiplies.
    #[expect(
        clippy::indexing_slicing,
        reason = "`place % season.len()` lies within the season, and the loop is hot"
    )]
    pub fn run(
        series: &[f64],
        start: &Start,
        seasonality: Seasonality,
        smoothing: Smoothing,
    ) -> Option<Self> {
        let Smoothing { alpha, beta, gamma } = smoothing;
        let neutral = if seasonality == Seasonality::Additive { 0.0 } else { 1.0 };
        let mut season = if start.season.is_empty() { vec![neutral] } else { start.season.clone() };
        let (mut level, mut trend, mut squares) = (start.level, start.trend, 0.0);
        let smoothed = series.get(start.skipped..).filter(|values| !values.is_empty())?;
        for (place, value) in smoothed.iter().enumerate() {
            let of_season = &mut season[(start.skipped + place) % start.season.len().max(1)];
            let before = level;
            let error;
            match seasonality {
                Seasonality::Additive => {
                    error = value - (level + trend + *of_season);
                    level = alpha * (value - *of_season) + (1.0 - alpha) * (level + trend);
                    *of_season = gamma * (value - level) + (1.0 - gamma) * *of_season;
                }
                Seasonality::Multiplicative => {
                    error = value - (level + trend) * *of_season;
                    level = alpha * (value / *of_season) + (1.0 - alpha) * (level + trend);
                    *of_season = gamma * (value / level) + (1.0 - gamma) * *of_season;
                }
            }
            trend = beta * (level - before) + (1.0 - beta) * trend;
            squares += error * error;
        }
        season.rotate_left(series.len() % start.season.len().max(1));
        if start.season.is_empty() {
            season.clear();
        }
        let fit = Self {
            seasonality,
            smoothing,
            level,
            trend,
            season,
            squared_errors: squares,
            errors: smoothed.len(),
        };
        fit.is_sound().then_some(fit)
    }

    /// Numbers that can be gone on with. A season that multiplies by 0 or less says nothing.
    fn is_sound(&self) -> bool {
        let season = self
            .season
            .iter()
            .all(|factor| factor.is_finite() && (self.seasonality == Seasonality::Additive || *factor > 0.0));
        season && [self.level, self.trend, self.squared_errors].iter().all(|number| number.is_finite())
    }

    /// The values of the periods to come.
    pub fn forecast(&self, horizon: usize) -> Vec<f64> {
        (1..=horizon)
            .map(|step| {
                let line = self.level + step as f64 * self.trend;
                match self.seasonality {
                    Seasonality::Additive => line + self.of_season(step),
                    Seasonality::Multiplicative => line * self.of_season(step),
                }
            })
            .collect()
    }

    /// The season of the period `step` ahead, counted from 1.
    fn of_season(&self, step: usize) -> f64 {
        let neutral = if self.seasonality == Seasonality::Additive { 0.0 } else { 1.0 };
        let place = (step - 1).checked_rem(self.season.len());
        place.and_then(|place| self.season.get(place)).copied().unwrap_or(neutral)
    }

    /// The forecast with what is known of its error: Yar and Chatfield (1990) for a season that is added, Chatfield and Yar (1991) for one
    /// that multiplies.
    pub fn outlook(&self, horizon: usize) -> Outlook {
        let Smoothing { alpha, beta, gamma } = self.smoothing;
        let deviation = (self.squared_errors / self.errors.max(1) as f64).sqrt();
        let weight = |lag: usize| {
            let again = !self.season.is_empty() && lag.is_multiple_of(self.season.len());
            let season = if again { gamma * (1.0 - alpha) } else { 0.0 };
            if lag == 0 { 1.0 } else { alpha * (1.0 + lag as f64 * beta) + season }
        };
        let ratio = |step: usize, lag: usize| match self.seasonality {
            Seasonality::Additive => 1.0,
            Seasonality::Multiplicative => self.of_season(step) / self.of_season(step - lag),
        };
        let variance = |step: usize| -> f64 {
            (0..step).map(|lag| ratio(step, lag) * weight(lag)).map(|part| part * part).sum()
        };
        let mut learned = vec![("alpha", alpha), ("beta", beta)];
        if !self.season.is_empty() {
            learned.push(("gamma", gamma));
        }
        learned.extend([("level", self.level), ("trend", self.trend)]);
        Outlook {
            values: self.forecast(horizon),
            deviations: (1..=horizon).map(|step| deviation * variance(step).sqrt()).collect(),
            learned,
            season: self.season.clone(),
            squared_errors: Some(self.squared_errors),
        }
    }
}

fn simple(first: &[f64], season: usize, seasonality: Seasonality) -> Start {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / season as f64;
    let (one, two) = first.split_at(season);
    let level = mean(one);
    let season_of = one.iter().map(|value| without(*value, level, seasonality)).collect();
    Start { level, trend: (mean(two) - level) / season as f64, season: season_of, skipped: season }
}

/// Level and trend from a line through the centred moving average of two seasons, the season from the distances of the values in
/// the middle.
fn decomposed(first: &[f64], season: usize, seasonality: Seasonality) -> Option<Start> {
    let half = season / 2;
    let centred: Vec<f64> = match season % 2 {
        0 => first
            .windows(season + 1)
            .map(|run| {
                let ends = run.first().copied().unwrap_or(0.0) + run.last().copied().unwrap_or(0.0);
                (run.iter().sum::<f64>() - ends / 2.0) / season as f64
            })
            .collect(),
        _ => first.windows(season).map(|run| run.iter().sum::<f64>() / season as f64).collect(),
    };
    let line = super::LinearTrend::of(&centred)?;
    // Each place of the season: the mean of what was seen there.
    let (mut sums, mut counts) = (vec![0.0; season], vec![0.0; season]);
    for (place, average) in centred.iter().enumerate() {
        let value = first.get(place + half)?;
        *sums.get_mut((place + half) % season)? += without(*value, *average, seasonality);
        *counts.get_mut((place + half) % season)? += 1.0;
    }
    let figures: Vec<f64> = sums.iter().zip(&counts).map(|(sum, count)| sum / count).collect();
    let mean = figures.iter().sum::<f64>() / season as f64;
    let season_of = figures.iter().map(|figure| without(*figure, mean, seasonality)).collect();
    Some(Start { level: line.intercept, trend: line.slope, season: season_of, skipped: season })
}

fn without(value: f64, base: f64, seasonality: Seasonality) -> f64 {
    match seasonality {
        Seasonality::Additive => value - base,
        Seasonality::Multiplicative => value / base,
    }
}
