//! What an admin can set.

use serde::Deserialize;
use trellis_sdk::{PluginError, Result};

/// What an admin can set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Industries that fit, whatever their case; empty: the industry says nothing. So for the other three.
    pub industries: Vec<String>,
    /// Countries that fit.
    pub countries: Vec<String>,
    /// Words that a fitting job title contains.
    pub titles: Vec<String>,
    /// Sources that fit.
    pub sources: Vec<String>,
    /// Employees of a fitting company; with neither bound the size says nothing.
    pub employees_min: Option<i64>,
    /// See `employees_min`.
    pub employees_max: Option<i64>,
    /// Parts of the whole. Defaults 30, 10, 25, 20, 15.
    pub industry_weight: f64,
    /// See `industry_weight`.
    pub country_weight: f64,
    /// See `industry_weight`.
    pub title_weight: f64,
    /// See `industry_weight`.
    pub size_weight: f64,
    /// See `industry_weight`.
    pub source_weight: f64,
    /// After so many days a contact counts half. Default 30.
    pub half_life_days: f64,
    /// Points of a personal contact. Default 10.
    pub strong_points: f64,
    /// Points of any other contact. Default 3.
    pub light_points: f64,
    /// So many points are an engagement of 50. Default 20.
    pub points_for_half: f64,
    /// Lowest points of the grades A or 1, B or 2, C or 3. Defaults 75, 50, 25.
    pub grade_a: f64,
    /// See `grade_a`.
    pub grade_b: f64,
    /// See `grade_a`.
    pub grade_c: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            industries: Vec::new(),
            countries: Vec::new(),
            titles: Vec::new(),
            sources: Vec::new(),
            employees_min: None,
            employees_max: None,
            industry_weight: 30.0,
            country_weight: 10.0,
            title_weight: 25.0,
            size_weight: 20.0,
            source_weight: 15.0,
            half_life_days: 30.0,
            strong_points: 10.0,
            light_points: 3.0,
            points_for_half: 20.0,
            grade_a: 75.0,
            grade_b: 50.0,
            grade_c: 25.0,
        }
    }
}

impl Config {
    /// # Errors
    /// [`PluginError::InvalidConfig`] where two settings contradict each other.
    pub(crate) fn check(&self) -> Result<()> {
        let (a, b, c) = (self.grade_a, self.grade_b, self.grade_c);
        if !(a > b && b > c) {
            let problem = (
                format!("`grade_a`, `grade_b` and `grade_c` are {a}, {b} and {c}; they must descend"),
                format!("`grade_a`、`grade_b` 和 `grade_c` 分别为 {a}、{b} 和 {c}；须依次递减"),
            );
            return Err(PluginError::InvalidConfig(problem.into()));
        }
        if let (Some(least), Some(most)) = (self.employees_min, self.employees_max)
            && least > most
        {
            let problem = (
                format!("`employees_min` is {least}, more than `employees_max`, {most}"),
                format!("`employees_min` 为 {least}，大于 `employees_max`（{most}）"),
            );
            return Err(PluginError::InvalidConfig(problem.into()));
        }
        Ok(())
    }

    /// The settings with words in lower case, as leads are compared with them.
    pub(crate) fn lowered(&self) -> Self {
        let lower = |words: &[String]| words.iter().map(|word| word.trim().to_lowercase()).collect();
        Self {
            industries: lower(&self.industries),
            countries: lower(&self.countries),
            titles: lower(&self.titles),
            sources: lower(&self.sources),
            ..self.clone()
        }
    }

    /// 0 for A or 1, to 3 for D or 4.
    pub(crate) fn grade(&self, points: f64) -> usize {
        [self.grade_a, self.grade_b, self.grade_c].iter().position(|lowest| points >= *lowest).unwrap_or(3)
    }
}
