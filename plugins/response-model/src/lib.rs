//! Who responds to an offer: a model of past responses, applied to those who were not asked yet, with gains, lift, and the cut-off that brings most (R100,
//! R101).
//!
//! `fit` keeps a `ResponseModel`; `score` and `explain` look at each row alone. The README beside this crate states methods and limits.

mod config;
mod evidence;
mod model;

use trellis_mining::frame::Frame;
use trellis_mining::learner::{effect_reason, effects};
use trellis_mining::outcome::readings_panel;
use trellis_mining::profit::CurveWords;
use trellis_sdk::{
    Batch, Context, LearnedBy, LocalizedText, Model, ModelReport, Reason, Report, Result, RowStream,
    ScoreDescription, Scores, Scoring, export_model_report, export_scoring, localized, reason, scored,
};

pub use config::Config;

use model::{ResponseModel, WORDS};

/// What the profit curve calls things.
const PROFIT: CurveWords = CurveWords {
    title: ("Profit by how many are contacted", "利润曲线"),
    about: (
        "Customers held out, from the highest propensity: what responses bring less what contacts cost. The peak is the best cut-off.",
        "验证集客户按响应概率从高到低联系：响应收益减去联系成本。最高点即最佳截断点。",
    ),
    hits: ("Responses", "响应数"),
    lowest: ("Lowest propensity", "最低响应概率"),
};

/// The plugin.
#[derive(Debug)]
pub struct ResponsePlugin;

impl Scoring for ResponsePlugin {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<ScoreDescription>> {
        config.check()?;
        let propensity = scored("propensity", "Propensity to respond", "响应概率")
            .about("How likely the customer responds, in percent.", "客户响应的可能性（百分比）。")
            .unit("%")
            .range(0.0, 100.0);
        let ease = scored("ease", "Ease of winning", "获取难易度")
            .about(
                "How many percent of all customers are less likely to respond: who is easy to win and who is hard.",
                "响应概率低于该客户的客户百分比：谁容易获得，谁较难获得。",
            )
            .unit("%")
            .range(0.0, 100.0)
            .band_about("hard", 0.0, localized("Hard to win", "较难获得"), localized("Only with another offer or channel.", "需更换优惠或渠道。"))
            .band_about("medium", config.hard_percent, localized("Medium", "一般"), localized("Contact where the profit allows.", "视利润情况联系。"))
            .band_about("easy", 100.0 - config.easy_percent, localized("Easy to win", "容易获得"), localized("Contact first.", "优先联系。"));
        let profit = scored("expected_profit", "Expected profit of a contact", "联系的预期利润")
            .about(
                "The propensity times what a response brings, less what the contact costs, in the base currency.",
                "响应概率乘以响应收益，减去联系成本（本位币）。",
            )
            .band_about("leave", -1.0, localized("Does not pay", "不划算"), localized("Leave out of the campaign.", "不纳入活动。"))
            .band_about("contact", 0.0, localized("Pays", "划算"), localized("Take into the campaign.", "纳入活动。"));
        Ok(vec![propensity, ease, profit])
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        let model = ResponseModel::learn(rows, config, at)?;
        Ok(Model { bytes: model.to_bytes(), summary: model.summary(), metrics: model.metrics() })
    }

    fn score(model: &[u8], rows: &Batch, at: &Context) -> Result<Scores> {
        let model = ResponseModel::of_bytes(model)?;
        let probabilities = model.learned.probabilities(&Frame::read(&model.columns, rows, at)?);
        let each = || probabilities.iter().copied();
        let mut scores = Scores::default();
        scores.push("propensity", each().map(|probability| Some(100.0 * probability)));
        scores.push("ease", each().map(|probability| Some(model.ease(probability))));
        let profit = |probability| probability * model.profit.benefit - model.profit.cost;
        scores.push("expected_profit", each().map(|probability| Some(profit(probability))));
        Ok(scores)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        let model = ResponseModel::of_bytes(model)?;
        let frame = Frame::read(&model.columns, rows, at)?;
        let probabilities = model.learned.probabilities(&frame);
        let effects = effects(&model.learned, &frame);
        let rows = effects.iter().zip(probabilities).map(|(effects, probability)| {
            let worded = effects.iter().take(4);
            let mut reasons: Vec<Reason> =
                worded.map(|effect| effect_reason(effect, ("propensity", "响应概率"))).collect();
            reasons.push(break_even(&model, probability));
            reasons
        });
        Ok(rows.collect())
    }

    fn rules(model: &[u8]) -> Result<LocalizedText> {
        Ok(ResponseModel::of_bytes(model)?.summary())
    }
}

/// Whether a contact pays; the weakest of the reasons, since it says what follows and not why.
fn break_even(model: &ResponseModel, probability: f64) -> Reason {
    let (found, needed) = (100.0 * probability, 100.0 * model.profit.break_even());
    let text = if found >= needed {
        localized(
            format!("a propensity of {found:.1} % pays: a contact breaks even at {needed:.1} %"),
            format!("响应概率 {found:.1}%，高于盈亏平衡点 {needed:.1}%，值得联系"),
        )
    } else {
        localized(
            format!("a propensity of {found:.1} % does not pay: a contact breaks even at {needed:.1} %"),
            format!("响应概率 {found:.1}%，低于盈亏平衡点 {needed:.1}%，不值得联系"),
        )
    };
    reason("break-even", text, 0.0)
}

impl ModelReport for ResponsePlugin {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        let model = ResponseModel::of_bytes(model)?;
        let mut report = model.learned.report(&WORDS);
        (report.summary, report.metrics) = (model.summary(), model.metrics());
        let readings =
            readings_panel(&model.readings, [("responded", "响应"), ("did not respond", "未响应")]);
        Ok(report
            .panel(model.profit.panel(&PROFIT))
            .panel(evidence::levels_panel(&model.evidence))
            .panel(evidence::choices_panel(&model.evidence))
            .panel(readings))
    }
}

export_scoring!(ResponsePlugin);
export_model_report!(ResponsePlugin);
