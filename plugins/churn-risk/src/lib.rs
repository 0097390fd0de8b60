//! Who is about to leave: a model of customers who left, applied to those who are still there (R41, R163–R166, R168), why customers left (R42,
//! R43), and how long they stay.
//!
//! `fit` learns from the whole population (`Population`) and keeps a `ChurnModel`; `score`, `assign` and `explain` look at each row alone. The README
//! beside this crate states definitions, methods and limits.

mod config;
mod labels;
mod model;
mod orders;
mod pictures;
mod population;
mod reasons;
mod survival;
mod value;

use trellis_mining::learner::{Predictor, effect_reason, effects};
use trellis_mining::outcome::readings_panel;
use trellis_mining::tree::short;
use trellis_sdk::{
    Analysis, AnalysisDescription, Assignments, Batch, Context, LearnedBy, LocalizedText, Model, ModelReport,
    Reason, Report, Result, RowStream, ScoreDescription, Scores, Scoring, Segmentation,
    SegmentationDescription, export_analysis, export_model_report, export_scoring, export_segmentation,
    localized,
};

pub use config::{Config, Definition};

use model::{ChurnModel, WORDS};
use population::Population;
use value::read_values;

/// The plugin.
#[derive(Debug)]
pub struct ChurnRisk;

impl ChurnRisk {
    fn learn(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        config.check()?;
        let model = Population::read(rows, config, at)?.model(config, at)?;
        Ok(Model { bytes: model.to_bytes(), summary: model.summary(), metrics: model.metrics() })
    }

    /// The effects on each row, the strongest first, in words.
    fn why(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        let model = ChurnModel::of_bytes(model)?;
        let effects = effects(&model.learned, &model.frame(rows, at)?);
        let worded = effects.iter().map(|row| {
            row.iter().take(5).map(|effect| effect_reason(effect, ("risk of leaving", "流失风险"))).collect()
        });
        Ok(worded.collect())
    }
}

impl Scoring for ChurnRisk {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<ScoreDescription>> {
        config.check()?;
        Ok(labels::scores(config))
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        Self::learn(rows, config, at)
    }

    fn score(model: &[u8], rows: &Batch, at: &Context) -> Result<Scores> {
        let model = ChurnModel::of_bytes(model)?;
        let risks = model.learned.probabilities(&model.frame(rows, at)?);
        let values = read_values(rows, at)?;
        let mut scores = Scores::default();
        scores.push("churn_risk", risks.iter().map(|risk| Some(100.0 * risk)));
        let at_risk =
            risks.iter().zip(&values).map(|(risk, value)| (!value.is_nan()).then_some(risk * value));
        scores.push("value_at_risk", at_risk);
        Ok(scores)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        Self::why(model, rows, at)
    }

    fn rules(model: &[u8]) -> Result<LocalizedText> {
        let model = ChurnModel::of_bytes(model)?;
        let mut text = model.learned.summary(&WORDS);
        if let Predictor::Tree(tree) = &model.learned.predictor {
            text.en += "\n\n| rule | customers | risk |\n|---|---|---|\n";
            text.zh_cn += "\n\n| 规则 | 客户数 | 流失风险 |\n|---|---|---|\n";
            for rule in tree.rules(&model.learned.encoding) {
                let (words, share) = (rule.text(), short((rule.value * 1000.0).round() / 10.0));
                text.en += &format!("| {} | {} | {share} % |\n", words.en, rule.rows);
                text.zh_cn += &format!("| {} | {} | {share}% |\n", words.zh_cn, rule.rows);
            }
        } else {
            let features = model.learned.encoding.features.iter().zip(&model.learned.evaluation.importance);
            text.en += "\n\n| feature | share |\n|---|---|\n";
            text.zh_cn += "\n\n| 特征 | 占比 |\n|---|---|\n";
            for (feature, share) in features {
                let (title, share) = (feature.title(), short((share * 1000.0).round() / 10.0));
                text.en += &format!("| {} | {share} % |\n", title.en);
                text.zh_cn += &format!("| {} | {share}% |\n", title.zh_cn);
            }
        }
        Ok(localized(text.en, text.zh_cn))
    }
}

impl Segmentation for ChurnRisk {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<SegmentationDescription>> {
        config.check()?;
        Ok(vec![labels::segmentation()])
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        Self::learn(rows, config, at)
    }

    fn assign(model: &[u8], rows: &Batch, at: &Context) -> Result<Assignments> {
        let model = ChurnModel::of_bytes(model)?;
        let risks = model.learned.probabilities(&model.frame(rows, at)?);
        let values = read_values(rows, at)?;
        let cells = risks.iter().zip(&values).map(|(risk, value)| model.cell(*risk, *value) as u32);
        let mut assignments = Assignments::default();
        assignments.push("risk_value", labels::CELLS, cells.collect());
        Ok(assignments)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        Self::why(model, rows, at)
    }
}

impl ModelReport for ChurnRisk {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        let model = ChurnModel::of_bytes(model)?;
        let mut report = model.learned.report(&WORDS);
        (report.summary, report.metrics) = (model.summary(), model.metrics());
        report = report
            .panel(pictures::matrix(&model))
            .panel(pictures::survival(&model.survival))
            .panel(pictures::groups(&model.survival));
        if let Some(retention) = &model.retention {
            report = report.panel(retention.panel(&pictures::RETENTION));
        }
        if !model.readings.is_empty() {
            report = report.panel(readings_panel(&model.readings, [("lost", "流失"), ("stayed", "未流失")]));
        }
        Ok(report)
    }
}

impl Analysis for ChurnRisk {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<AnalysisDescription>> {
        Ok(vec![reasons::describe(config)])
    }

    fn analyse(
        _: &str,
        rows: &mut RowStream<'_>,
        parameters: &str,
        config: &Config,
        at: &Context,
    ) -> Result<Report> {
        reasons::analyse(rows, parameters, config, at)
    }
}

export_scoring!(ChurnRisk);
export_segmentation!(ChurnRisk);
export_model_report!(ChurnRisk);
export_analysis!(ChurnRisk);
