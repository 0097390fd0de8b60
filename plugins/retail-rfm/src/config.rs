//! What an admin can set.

use serde::Deserialize;
use trellis_sdk::{PluginError, Result};

use crate::segments::{self, NamedSegment};

/// What an admin can set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "Settings")]
pub struct Config {
    /// How many grades each dimension has: 2 to 9, by default 5.
    pub groups: usize,
    /// Bounds that an admin sets, beside quantiles and equal groups; none by default.
    pub bounds: Option<Bounds>,
    /// Which grades decide on the class, the named segment and the total.
    pub graded_by: Method,
    /// What the value matrix is cut by; by default the mean.
    pub matrix_by: Middle,
    /// Named segments of one's own; the usual ten where there are none and five grades.
    pub segments: Vec<NamedSegment>,
    /// Whether there is a weighted total, and by which weights.
    pub total: Weighting,
    /// The weights of [`Weighting::Own`].
    pub weights: Weights,
}

/// For each dimension one bound fewer than there are groups, ascending.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    /// Days: whoever bought at most so many days ago has the best grade.
    pub recency: Vec<f64>,
    /// Orders: whoever has more than the last has the best grade.
    pub frequency: Vec<f64>,
    /// Whole units of the base currency, likewise.
    pub monetary: Vec<f64>,
}

/// How a dimension is graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// By the quantiles of the values.
    Quantile,
    /// By groups of equal size.
    Ntile,
    /// By [`Bounds`].
    Fixed,
}

/// What the value matrix is cut by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Middle {
    /// The mean over customers.
    Mean,
    /// The median over customers: of an even number the mean of the two in the middle.
    Median,
}

/// Which weights the total has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weighting {
    /// There is no total.
    None,
    /// All alike.
    Equal,
    /// Recency 0.1, frequency 0.3, monetary value 0.6.
    Value,
    /// Those of [`Config::weights`].
    Own,
}

/// How much each dimension counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Of recency.
    pub recency: f64,
    /// Of frequency.
    pub frequency: f64,
    /// Of monetary value.
    pub monetary: f64,
}

/// The settings as a form shows them: side by side, since the host fills in defaults of parts of a form but not the part as a whole.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    groups: usize,
    recency_bounds: Vec<f64>,
    frequency_bounds: Vec<f64>,
    monetary_bounds: Vec<f64>,
    graded_by: Method,
    matrix_by: Middle,
    segments: Vec<NamedSegment>,
    total: Weighting,
    recency_weight: f64,
    frequency_weight: f64,
    monetary_weight: f64,
}

impl Default for Settings {
    fn default() -> Self {
        let Config { groups, graded_by, matrix_by, segments, total, weights, .. } = Config::default();
        Self {
            groups,
            recency_bounds: Vec::new(),
            frequency_bounds: Vec::new(),
            monetary_bounds: Vec::new(),
            graded_by,
            matrix_by,
            segments,
            total,
            recency_weight: weights.recency,
            frequency_weight: weights.frequency,
            monetary_weight: weights.monetary,
        }
    }
}

impl From<Settings> for Config {
    fn from(settings: Settings) -> Self {
        let bounds = Bounds {
            recency: settings.recency_bounds,
            frequency: settings.frequency_bounds,
            monetary: settings.monetary_bounds,
        };
        let has_bounds = bounds.named().iter().any(|(_, bounds)| !bounds.is_empty());
        Self {
            groups: settings.groups,
            bounds: has_bounds.then_some(bounds),
            graded_by: settings.graded_by,
            matrix_by: settings.matrix_by,
            segments: settings.segments,
            total: settings.total,
            weights: Weights {
                recency: settings.recency_weight,
                frequency: settings.frequency_weight,
                monetary: settings.monetary_weight,
            },
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            groups: 5,
            bounds: None,
            graded_by: Method::Quantile,
            matrix_by: Middle::Mean,
            segments: Vec::new(),
            total: Weighting::None,
            weights: Weights { recency: 1.0, frequency: 1.0, monetary: 1.0 },
        }
    }
}

impl Config {
    /// # Errors
    /// [`PluginError::InvalidConfig`] where settings contradict each other or the manifest's schema.
    pub(crate) fn checked(&self) -> Result<&Self> {
        let invalid = |en: &str, zh: &str| Err(PluginError::InvalidConfig((en, zh).into()));
        if !(2..=9).contains(&self.groups) {
            return invalid(
                &format!("`groups` is {}; it must be 2 to 9", self.groups),
                &format!("`groups` 为 {}；须在 2 到 9 之间", self.groups),
            );
        }
        if let Some(bounds) = &self.bounds {
            for (name, bounds) in bounds.named() {
                if bounds.len() != self.groups - 1 {
                    let (found, wanted) = (bounds.len(), self.groups - 1);
                    return invalid(
                        &format!("`{name}` has {found} entries; {} groups have {wanted} bounds", self.groups),
                        &format!("`{name}` 有 {found} 项；{} 个等级需要 {wanted} 个界限", self.groups),
                    );
                }
                if !bounds.is_sorted_by(|one, next| one < next)
                    || !bounds.iter().all(|bound| bound.is_finite())
                {
                    return invalid(&format!("`{name}` does not ascend"), &format!("`{name}` 须依次递增"));
                }
            }
        } else if self.graded_by == Method::Fixed {
            return invalid(
                "`graded_by` is `fixed`, but there are no bounds",
                "`graded_by` 为 `fixed`，但未设置界限",
            );
        }
        self.checked_weights()?;
        segments::map(&self.segments, self.groups)?;
        Ok(self)
    }

    /// The weights of the total, together 1; none where there is no total.
    pub(crate) fn checked_weights(&self) -> Result<Option<[f64; 3]>> {
        let weights = match self.total {
            Weighting::None => return Ok(None),
            Weighting::Equal => [1.0; 3],
            Weighting::Value => [0.1, 0.3, 0.6],
            Weighting::Own => [self.weights.recency, self.weights.frequency, self.weights.monetary],
        };
        let sum: f64 = weights.iter().sum();
        if weights.iter().any(|weight| !(0.0..=1e6).contains(weight)) || sum <= 0.0 {
            return Err(PluginError::InvalidConfig(
                (
                    format!("`weights` are {weights:?}; they must not be below 0, and one above it"),
                    format!("`weights` 为 {weights:?}；各项不得小于 0，且至少一项大于 0"),
                )
                    .into(),
            ));
        }
        Ok(Some(weights.map(|weight| weight / sum)))
    }
}

impl Bounds {
    pub(crate) fn named(&self) -> [(&'static str, &[f64]); 3] {
        [
            ("recency_bounds", &self.recency),
            ("frequency_bounds", &self.frequency),
            ("monetary_bounds", &self.monetary),
        ]
    }
}
