//! How good a model is, by customers that it did not see.

use trellis_sdk::{Metric, ModelReader, ModelWriter, Result, localized, metric};

use super::report::Words;
use super::settings::Method;
use crate::calibration::{Group, groups};
use crate::measures::{Confusion, Decile, Roc, auc, brier, deciles, kolmogorov_smirnov, log_loss, roc};

/// How many points of the receiver operating characteristic are kept.
const ROC_POINTS: usize = 101;

/// How good scores are.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quality {
    /// The area under the receiver operating characteristic.
    pub auc: f64,
    /// The largest distance between the distributions of positives and negatives.
    pub ks: f64,
    /// The mean squared distance from what happened.
    pub brier: f64,
    /// The mean log loss.
    pub log_loss: f64,
}

/// A model that could have been chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// What it is.
    pub method: Method,
    /// Its area under the receiver operating characteristic in cross-validation; ½ where that was not possible.
    pub validation_auc: f64,
    /// How good it is on the customers held out.
    pub quality: Quality,
}

/// What is known of a logistic regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticFigures {
    /// Of the training rows.
    pub log_likelihood: f64,
    /// Of the training rows under their mean.
    pub null_log_likelihood: f64,
    /// How many columns of the design are independent, with the intercept.
    pub rank: u64,
    /// Whether the classes could be separated, so that a penalty had to help.
    pub is_separated: bool,
}

/// How good the chosen model is, and what it was compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Rows and positives of the training part.
    pub train: (u64, u64),
    /// Rows and positives of the part that the figures are about.
    pub test: (u64, u64),
    /// Whether these are customers that the model did not see; where there were too few, it is all of them.
    pub is_held_out: bool,
    /// What could have been chosen.
    pub candidates: Vec<Candidate>,
    /// How good the probabilities are.
    pub quality: Quality,
    /// Predicted positive at a probability of ½.
    pub confusion: Confusion,
    /// Ten groups from the highest probability.
    pub deciles: Vec<Decile>,
    /// Ten groups from the lowest probability.
    pub calibration: Vec<Group>,
    /// Some points of the receiver operating characteristic.
    pub roc: Vec<Roc>,
    /// How much each feature matters, as shares.
    pub importance: Vec<f64>,
    /// What is known of a logistic regression.
    pub logistic: Option<LogisticFigures>,
}

impl Quality {
    /// Measures scores.
    pub fn of(scores: &[f64], positive: &[bool]) -> Self {
        Self {
            auc: auc(scores, positive),
            ks: kolmogorov_smirnov(scores, positive),
            brier: brier(scores, positive),
            log_loss: log_loss(scores, positive),
        }
    }

    fn write(&self, writer: ModelWriter) -> ModelWriter {
        writer.f64(self.auc).f64(self.ks).f64(self.brier).f64(self.log_loss)
    }

    fn read(reader: &mut ModelReader<'_>) -> Result<Self> {
        Ok(Self { auc: reader.f64()?, ks: reader.f64()?, brier: reader.f64()?, log_loss: reader.f64()? })
    }
}

impl Evaluation {
    pub(super) fn new(
        [train, test]: [(u64, u64); 2],
        is_held_out: bool,
        candidates: Vec<Candidate>,
        (scores, positive): (&[f64], &[bool]),
        importance: Vec<f64>,
        logistic: Option<LogisticFigures>,
    ) -> Self {
        let points = roc(scores, positive);
        let step = points.len().div_ceil(ROC_POINTS).max(1);
        let last = points.last().copied();
        let mut kept: Vec<Roc> = points.into_iter().step_by(step).collect();
        kept.extend(last.filter(|last| kept.last() != Some(last)));
        Self {
            train,
            test,
            is_held_out,
            candidates,
            quality: Quality::of(scores, positive),
            confusion: Confusion::of(scores, positive, 0.5),
            deciles: deciles(scores, positive),
            calibration: groups(scores, positive, 10),
            roc: kept,
            importance,
            logistic,
        }
    }

    /// The figures, the most important first.
    pub fn metrics(&self, words: &Words) -> Vec<Metric> {
        let Self { quality, confusion, .. } = self;
        let top = self.deciles.first().map_or(0.0, |decile| decile.lift);
        let number = |name, en: &str, zh: &str, value| metric(name, localized(en, zh), value);
        let mut metrics = vec![
            number("auc", "AUC of the customers held out", "验证集 AUC", quality.auc),
            number("gini", "Gini coefficient", "基尼系数", 2.0 * quality.auc - 1.0),
            number("ks", "Kolmogorov–Smirnov distance", "KS 值", quality.ks),
            number("brier", "Brier score", "Brier 分数", quality.brier),
            number("log_loss", "Log loss", "对数损失", quality.log_loss),
            number("top_decile_lift", "Lift of the top tenth", "最高十分位提升度", top),
            number("accuracy", "Accuracy at 50 %", "准确率（阈值 50%）", confusion.accuracy()),
            number("precision", "Precision at 50 %", "精确率（阈值 50%）", confusion.precision()),
            number("recall", "Recall at 50 %", "召回率（阈值 50%）", confusion.recall()),
            number("train_rows", "Customers in training", "训练样本客户数", self.train.0 as f64),
            metric("train_positives", words.counted("in training", "训练样本"), self.train.1 as f64),
            number("test_rows", "Customers held out", "验证集客户数", self.test.0 as f64),
            metric("test_positives", words.counted("held out", "验证集"), self.test.1 as f64),
            number(
                "held_out",
                "Figures are of unseen customers (1 yes)",
                "指标来自未参与训练的客户（1 为是）",
                f64::from(u8::from(self.is_held_out)),
            ),
        ];
        if let Some(figures) = &self.logistic {
            metrics.push(number(
                "train_log_likelihood",
                "Log-likelihood in training",
                "训练对数似然",
                figures.log_likelihood,
            ));
            metrics.push(number(
                "null_log_likelihood",
                "Log-likelihood without features",
                "零模型对数似然",
                figures.null_log_likelihood,
            ));
            metrics.push(number(
                "rank",
                "Independent columns with the intercept",
                "独立列数（含截距）",
                figures.rank as f64,
            ));
            metrics.push(number(
                "separated",
                "Classes could be separated (1 yes)",
                "类别可完全分开（1 为是）",
                f64::from(u8::from(figures.is_separated)),
            ));
        }
        for candidate in &self.candidates {
            let (name, title) = (candidate.method.short_name(), candidate.method.title());
            let label =
                localized(format!("AUC held out: {}", title.en), format!("验证集 AUC：{}", title.zh_cn));
            metrics.push(metric(&format!("{name}_auc"), label, candidate.quality.auc));
        }
        metrics
    }

    pub(super) fn write(&self, writer: ModelWriter) -> ModelWriter {
        let writer =
            [self.train, self.test].iter().fold(writer, |writer, part| writer.u64(part.0).u64(part.1));
        let writer = writer.u64(u64::from(self.is_held_out)).u64(self.candidates.len() as u64);
        let writer = self.candidates.iter().fold(writer, |writer, candidate| {
            candidate.quality.write(writer.u64(candidate.method.code()).f64(candidate.validation_auc))
        });
        let Confusion { true_positive, false_positive, false_negative, true_negative } = self.confusion;
        let writer = self
            .quality
            .write(writer)
            .u64s(&[true_positive, false_positive, false_negative, true_negative])
            .u64(self.deciles.len() as u64);
        let writer = self.deciles.iter().fold(writer, |writer, decile| {
            writer.u64s(&[decile.rows, decile.positives]).f64s(&[
                decile.mean_score,
                decile.lowest_score,
                decile.rate,
                decile.lift,
                decile.cumulative_gain,
                decile.cumulative_lift,
            ])
        });
        let writer =
            self.calibration.iter().fold(writer.u64(self.calibration.len() as u64), |writer, group| {
                writer.u64(group.rows).f64(group.expected).f64(group.observed)
            });
        let writer = self.roc.iter().fold(writer.u64(self.roc.len() as u64), |writer, point| {
            writer.f64(point.false_positive_rate).f64(point.true_positive_rate).f64(point.threshold)
        });
        let writer = writer.f64s(&self.importance).u64(u64::from(self.logistic.is_some()));
        self.logistic.iter().fold(writer, |writer, figures| {
            writer
                .f64(figures.log_likelihood)
                .f64(figures.null_log_likelihood)
                .u64(figures.rank)
                .u64(u64::from(figures.is_separated))
        })
    }

    pub(super) fn read(reader: &mut ModelReader<'_>) -> Result<Self> {
        let train = (reader.u64()?, reader.u64()?);
        let test = (reader.u64()?, reader.u64()?);
        let is_held_out = reader.u64()? == 1;
        let candidates = many(reader, |reader| {
            let method = Method::of_code(reader.u64()?);
            let validation_auc = reader.f64()?;
            Ok(Candidate { method, validation_auc, quality: Quality::read(reader)? })
        })?;
        let quality = Quality::read(reader)?;
        let cells = reader.u64s()?;
        let cell = |place: usize| cells.get(place).copied().unwrap_or_default();
        let confusion = Confusion {
            true_positive: cell(0),
            false_positive: cell(1),
            false_negative: cell(2),
            true_negative: cell(3),
        };
        let deciles = many(reader, read_decile)?;
        let calibration = many(reader, |reader| {
            Ok(Group { rows: reader.u64()?, expected: reader.f64()?, observed: reader.f64()? })
        })?;
        let roc = many(reader, |reader| {
            Ok(Roc {
                false_positive_rate: reader.f64()?,
                true_positive_rate: reader.f64()?,
                threshold: reader.f64()?,
            })
        })?;
        let importance = reader.f64s()?;
        let logistic = match reader.u64()? {
            0 => None,
            _ => Some(LogisticFigures {
                log_likelihood: reader.f64()?,
                null_log_likelihood: reader.f64()?,
                rank: reader.u64()?,
                is_separated: reader.u64()? == 1,
            }),
        };
        Ok(Self {
            train,
            test,
            is_held_out,
            candidates,
            quality,
            confusion,
            deciles,
            calibration,
            roc,
            importance,
            logistic,
        })
    }
}

impl Method {
    fn short_name(self) -> &'static str {
        match self {
            Self::Logistic => "logistic",
            Self::Tree => "tree",
            Self::Boosting => "boosting",
        }
    }
}

fn read_decile(reader: &mut ModelReader<'_>) -> Result<Decile> {
    let (counts, shares) = (reader.u64s()?, reader.f64s()?);
    let count = |place: usize| counts.get(place).copied().unwrap_or_default();
    let share = |place: usize| shares.get(place).copied().unwrap_or_default();
    Ok(Decile {
        rows: count(0),
        positives: count(1),
        mean_score: share(0),
        lowest_score: share(1),
        rate: share(2),
        lift: share(3),
        cumulative_gain: share(4),
        cumulative_lift: share(5),
    })
}

/// Reads a number of things, and then so many.
fn many<T>(
    reader: &mut ModelReader<'_>,
    mut one: impl FnMut(&mut ModelReader<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let count = reader.u64()?;
    (0..count).map(|_| one(reader)).collect()
}
