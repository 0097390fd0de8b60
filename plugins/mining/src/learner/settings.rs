//! What an admin can say about learning.

use serde::Deserialize;
use trellis_sdk::{LocalizedText, localized};

use crate::encoding::Preparation;
use crate::logistic::Penalty;

/// How a model is learned. A plugin's configuration contains it flattened; every field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Which model, or the best of all.
    pub model: Choice,
    /// What keeps the coefficients of a logistic regression small.
    pub penalty: PenaltySetting,
    /// The weight of the data against that penalty.
    pub penalty_c: f64,
    /// How deep the tree is.
    pub max_depth: usize,
    /// How many customers each of its leaves has at least.
    pub min_leaf: usize,
    /// A split of the tree stays if each leaf that it adds brings at least so many percent of the whole gain (cost-complexity pruning).
    pub prune_percent: f64,
    /// How many percent of the customers are held out to see how good the model is: 0 to 90.
    pub holdout_percent: f64,
    /// Which ones.
    pub split: SplitRule,
    /// What makes probabilities of scores.
    pub calibration: CalibrationSetting,
    /// Values of a choice with fewer customers than this count as one value.
    pub rare_rows: usize,
    /// Whether a missing number is a feature of its own.
    pub missing_indicator: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: Choice::Best,
            penalty: PenaltySetting::None,
            penalty_c: 1.0,
            max_depth: 5,
            min_leaf: 50,
            prune_percent: 0.0,
            holdout_percent: 30.0,
            split: SplitRule::Random,
            calibration: CalibrationSetting::None,
            rare_rows: 0,
            missing_indicator: true,
        }
    }
}

/// Which model an admin wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The one that tells positives from negatives best in cross-validation.
    Best,
    /// A logistic regression.
    Logistic,
    /// A classification tree.
    Tree,
    /// Boosted trees.
    Boosting,
}

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A logistic regression.
    Logistic,
    /// A classification tree.
    Tree,
    /// Boosted trees.
    Boosting,
}

/// What keeps coefficients small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PenaltySetting {
    /// Nothing, unless the classes can be separated.
    None,
    /// A quadratic penalty.
    Ridge,
}

/// Which customers are held out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitRule {
    /// Drawn by seed and record number.
    Random,
    /// The last ones of every ten, in order of their record numbers.
    Rotation,
}

/// What makes probabilities of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationSetting {
    /// They are ones already.
    None,
    /// A logistic curve.
    Platt,
    /// Steps that never fall.
    Isotonic,
}

impl Settings {
    /// How the columns are prepared.
    pub fn preparation(&self) -> Preparation {
        Preparation { rare_rows: self.rare_rows, missing_indicator: self.missing_indicator }
    }

    pub(crate) fn penalty(&self) -> Penalty {
        match self.penalty {
            PenaltySetting::None => Penalty::None,
            PenaltySetting::Ridge => Penalty::Ridge { c: self.penalty_c },
        }
    }

    pub(crate) fn methods(&self) -> Vec<Method> {
        match self.model {
            Choice::Best => vec![Method::Logistic, Method::Tree, Method::Boosting],
            Choice::Logistic => vec![Method::Logistic],
            Choice::Tree => vec![Method::Tree],
            Choice::Boosting => vec![Method::Boosting],
        }
    }
}

impl Method {
    /// All, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::Logistic, Self::Tree, Self::Boosting];

    /// What people call it.
    pub fn title(self) -> LocalizedText {
        match self {
            Self::Logistic => localized("Logistic regression", "逻辑回归"),
            Self::Tree => localized("Decision tree", "决策树"),
            Self::Boosting => localized("Gradient boosting", "梯度提升树"),
        }
    }

    pub(crate) fn code(self) -> u64 {
        Self::ALL.iter().position(|method| *method == self).unwrap_or(0) as u64
    }

    pub(crate) fn of_code(code: u64) -> Self {
        usize::try_from(code).ok().and_then(|code| Self::ALL.get(code)).copied().unwrap_or(Self::Logistic)
    }
}
