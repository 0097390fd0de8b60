//! From columns and outcomes to a model that is compared, kept, explained and shown.

mod evaluation;
mod reasons;
mod report;
mod settings;
mod training;

use trellis_sdk::{ModelReader, ModelWriter, PluginError, Result};

use crate::boosting::Boosted;
use crate::calibration::Calibration;
use crate::encoding::{Encoded, Encoding};
use crate::frame::Frame;
use crate::logistic::{Logistic, probability};
use crate::tree::Tree;

pub use evaluation::{Candidate, Evaluation, Quality};
pub use reasons::{Effect, effect_reason, effects};
pub use report::{Words, drawn, leaves_panel, tree_panel};
pub use settings::{CalibrationSetting, Choice, Method, PenaltySetting, Settings, SplitRule};
pub use training::{held_out, learn};

/// A model that was learned, and how good it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// How columns become features.
    pub encoding: Encoding,
    /// What makes scores of features.
    pub predictor: Predictor,
    /// What makes probabilities of scores.
    pub calibration: Calibration,
    /// How good it is.
    pub evaluation: Evaluation,
}

/// A model of a yes or no.
#[derive(Debug, Clone, PartialEq)]
pub enum Predictor {
    /// A logistic regression.
    Logistic(Logistic),
    /// A classification tree.
    Tree(Tree),
    /// Boosted trees.
    Boosted(Boosted),
}

impl Predictor {
    /// Which method it comes from.
    pub fn method(&self) -> Method {
        match self {
            Self::Logistic(_) => Method::Logistic,
            Self::Tree(_) => Method::Tree,
            Self::Boosted(_) => Method::Boosting,
        }
    }

    /// The probability of every row, before calibration.
    pub fn scores(&self, rows: &Encoded) -> Vec<f64> {
        match self {
            Self::Logistic(logistic) => logistic.margins(rows).into_iter().map(probability).collect(),
            Self::Tree(tree) => tree.values_of(rows),
            Self::Boosted(boosted) => boosted.margins(rows).into_iter().map(probability).collect(),
        }
    }
}

impl Learned {
    /// The probability of every row of a frame with the columns that were learned from.
    pub fn probabilities(&self, frame: &Frame) -> Vec<f64> {
        let scores = self.predictor.scores(&self.encoding.encode(frame));
        scores.into_iter().map(|score| self.calibration.apply(score).clamp(0.0, 1.0)).collect()
    }

    /// Writes the model.
    pub fn write(&self, writer: ModelWriter) -> ModelWriter {
        let writer = self.encoding.write(writer);
        let writer = match &self.predictor {
            Predictor::Logistic(logistic) => logistic.write(writer.u64(0)),
            Predictor::Tree(tree) => tree.write(writer.u64(1)),
            Predictor::Boosted(boosted) => boosted.write(writer.u64(2)),
        };
        self.evaluation.write(self.calibration.write(writer))
    }

    /// Reads what [`Learned::write`] wrote.
    ///
    /// # Errors
    /// [`PluginError::UnreadableModel`] for anything else.
    pub fn read(reader: &mut ModelReader<'_>) -> Result<Self> {
        let encoding = Encoding::read(reader)?;
        let predictor = match reader.u64()? {
            0 => Predictor::Logistic(Logistic::read(reader)?),
            1 => Predictor::Tree(Tree::read(reader)?),
            2 => Predictor::Boosted(Boosted::read(reader)?),
            other => {
                let message = format!("the model is of the unknown kind {other}");
                return Err(PluginError::UnreadableModel(message.into()));
            }
        };
        let (calibration, evaluation) = (Calibration::read(reader)?, Evaluation::read(reader)?);
        Ok(Self { encoding, predictor, calibration, evaluation })
    }
}
